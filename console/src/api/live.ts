// Follows the live states of all events: one stream for the whole console, kept open from page to page.
import { createParser } from "eventsource-parser";
import { useSyncExternalStore } from "react";

import { headers, Problem, problemOf } from "./client";
import { onKey } from "./key";
import type { Gate, LiveEvent } from "./types";

export type Connection = "connecting" | "live" | "lost" | "refused";

/** What an event's figures were at one time. */
export interface Moment {
  at: number;
  inside: number;
  came: number;
  gates: Gate[];
}

export interface Live {
  connection: Connection;
  /** Why the stream was refused. */
  problem?: Problem;
  /** Ordered by name; `undefined` until the first picture came. */
  events?: LiveEvent[];
  /** Past figures by event id, the oldest first. */
  moments: Map<string, Moment[]>;
  /** When the last picture came, milliseconds. */
  heardAt?: number;
}

/** How many past figures are kept of each event: half an hour where they change each second. */
const MOST_MOMENTS = 1_800;
/** Milliseconds before the stream is opened anew: first, and at most. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
/** The server says something every 15 s at least; a stream that is silent this long, milliseconds, is dead. */
const SILENCE = 40_000;
/** For how long a tab that nobody looks at goes on to listen, milliseconds. */
const HIDDEN = 20_000;

let live: Live = { connection: "connecting", moments: new Map() };
const listeners = new Set<() => void>();
let running: AbortController | undefined;

function change(next: Partial<Live>) {
  live = { ...live, ...next };
  listeners.forEach((listener) => listener());
}

function picture(events: LiveEvent[]) {
  const now = Date.now();
  const moments = new Map<string, Moment[]>();
  for (const event of events) {
    const { currentAttendees, checkedIn, gateActivity } = event.metrics;
    const moment = { at: now, inside: currentAttendees, came: checkedIn, gates: gateActivity };
    moments.set(event.eventId, [...(live.moments.get(event.eventId) ?? []), moment].slice(-MOST_MOMENTS));
  }
  const ordered = [...events].sort((one, other) => one.eventName.localeCompare(other.eventName));
  change({ events: ordered, moments, connection: "live", heardAt: now, problem: undefined });
}

async function follow(signal: AbortSignal) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener("abort", stop);
    try {
      await listen(attempt, () => (pause = FIRST_PAUSE));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) {
        change({ connection: error.status === 429 ? "lost" : "refused", problem: error });
        pause = Math.max(pause, (error.retryAfterSeconds ?? 0) * 1_000);
      } else {
        change({ connection: "lost" });
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted) return;
    if (live.connection === "live") change({ connection: "lost" });
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Reads one stream to its end. An `EventSource` would do, could it carry a key. */
async function listen(attempt: AbortController, onHeard: () => void) {
  const response = await fetch("/api/events/stream", { headers: headers(), signal: attempt.signal });
  if (!response.ok || !response.body) throw await problemOf(response);
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== "states") return;
      onHeard();
      picture((JSON.parse(data) as { events: LiveEvent[] }).events);
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let watch = setTimeout(() => attempt.abort(), SILENCE);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(watch);
      watch = setTimeout(() => attempt.abort(), SILENCE);
      parser.feed(value);
    }
  } finally {
    clearTimeout(watch);
  }
}

function stop() {
  running?.abort();
  running = undefined;
}

function start() {
  stop();
  running = new AbortController();
  change({ connection: "connecting", problem: undefined });
  void follow(running.signal);
}

/** Begins anew: what one key may see is not shown under another. */
function restart() {
  live = { ...live, events: undefined, moments: new Map() };
  start();
}

// A browser opens six connections to one server for all its tabs (HTTP/1.1), and a stream holds one: tabs that nobody
// looks at, and pages that were left, give theirs back.
let hiding: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(stop, HIDDEN);
  else if (!running && listeners.size > 0) start();
});
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => event.persisted && listeners.size > 0 && start());

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!running) start();
  return () => listeners.delete(listener);
}

onKey(restart);

export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}
