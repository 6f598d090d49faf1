// Follows the live states of all events: one stream for the whole console, kept open from page to page. Where the hub does
// not run in this process there is none: then it looks now and then whether the platform answers.
import { createParser } from "eventsource-parser";
import { useSyncExternalStore } from "react";

import { isAnswered } from "./answered";
import { headers, Problem, problemOf } from "./client";
import { onKey } from "./key";
import type { Gate, LiveEvent } from "./types";

/** `here`: the platform answers, and has no stream to follow. `barred`: the key may not see it. */
export type Connection = "connecting" | "live" | "here" | "lost" | "refused" | "barred";

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
/** Milliseconds between two looks at a platform without a stream. */
const LOOK_PAUSE = 10_000;
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
      if (isAnswered("/")) await listen(attempt, () => (pause = FIRST_PAUSE));
      else {
        await look(attempt);
        change({ connection: "here", problem: undefined });
        pause = FIRST_PAUSE;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem) {
        change({ connection: saidBy(error), problem: error });
        pause = Math.max(pause, (error.retryAfterSeconds ?? 0) * 1_000);
      } else {
        change({ connection: "lost" });
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
    if (signal.aborted) return;
    if (live.connection === "live") change({ connection: "lost" });
    const isHere = live.connection === "here";
    await new Promise((resolve) => setTimeout(resolve, isHere ? LOOK_PAUSE : pause));
    if (!isHere) pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** What a refusal says about the connection: only who must show a key is signed out. */
function saidBy({ status }: Problem): Connection {
  if (status === 401) return "refused";
  if (status === 403) return "barred";
  // A process that was started anew without the hub.
  return status === 404 ? "here" : "lost";
}

/** Asks the platform how it is, as every page may. */
async function look(attempt: AbortController) {
  const watch = setTimeout(() => attempt.abort(), SILENCE);
  try {
    const response = await fetch("/api/operator/overview", { headers: headers(), signal: attempt.signal });
    if (!response.ok) throw await problemOf(response);
    await response.body?.cancel();
  } finally {
    clearTimeout(watch);
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
