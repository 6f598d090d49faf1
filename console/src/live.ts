// Follows the live states of all events: one read of the whole, then what the server pushes.
import { useEffect, useState } from "react";

export interface Gate {
  gateId: string;
  status: string;
  throughput: number;
}

export interface Alert {
  kind: string;
  severity: "info" | "warning" | "critical";
  message: string;
}

export interface LiveEvent {
  eventId: string;
  eventName: string;
  timestamp: string;
  metrics: {
    totalRegistered: number;
    currentAttendees: number;
    checkedIn: number;
    attendanceRate: number;
    gateActivity: Gate[];
  };
  alerts: Alert[];
  status: string;
  freshness: "fresh" | "stale";
  ageSeconds: number;
}

export type Connection = "connecting" | "live" | "lost";

/** How many past figures each event's line keeps. */
const LINE_LENGTH = 60;

export interface Live {
  events: LiveEvent[];
  lines: Map<string, number[]>;
  connection: Connection;
}

function extended(lines: Map<string, number[]>, events: LiveEvent[]): Map<string, number[]> {
  const next = new Map(lines);
  for (const event of events) {
    const line = [...(next.get(event.eventId) ?? []), event.metrics.currentAttendees];
    next.set(event.eventId, line.slice(-LINE_LENGTH));
  }
  return next;
}

export function useLive(): Live {
  const [live, setLive] = useState<Live>({ events: [], lines: new Map(), connection: "connecting" });

  useEffect(() => {
    const source = new EventSource("/api/events/stream");
    source.addEventListener("states", (message) => {
      const events = (JSON.parse((message as MessageEvent<string>).data) as { events: LiveEvent[] }).events;
      setLive((before) => ({ events, lines: extended(before.lines, events), connection: "live" }));
    });
    // The browser tries again by itself; until then the page says that its figures stand still.
    source.onerror = () => setLive((before) => ({ ...before, connection: "lost" }));
    source.onopen = () => setLive((before) => ({ ...before, connection: "live" }));
    return () => source.close();
  }, []);

  return live;
}
