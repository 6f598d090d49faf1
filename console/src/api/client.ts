// Asks the platform, and makes one kind of error of everything that can go wrong.
import { currentKey } from "./key";

/** Why an answer did not come, in the platform's own words (RFC 9457) where it had any. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
    readonly detail: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(detail);
  }
}

/** Nobody answered at all. */
export const AWAY = 0;

/** The longest wait for an answer, milliseconds: a probe of a slow source takes its time. */
const PATIENCE = 60_000;

export function headers(): Record<string, string> {
  const key = currentKey();
  return key ? { "X-API-Key": key } : {};
}

export async function problemOf(response: Response): Promise<Problem> {
  const said = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof said[name] === "string" ? (said[name] as string) : "");
  const wait = Number(response.headers.get("retry-after")) || undefined;
  return new Problem(response.status, text("code"), text("reason"), text("detail") || response.statusText, wait);
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const options: RequestInit = { method, headers: headers(), signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) {
    options.headers = { ...headers(), "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw new Problem(AWAY, "unavailable", "console.away", String(error));
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

export const ask = <T>(path: string) => send<T>("GET", path);
export const tell = <T>(path: string, body?: unknown) => send<T>("POST", path, body);
export const save = <T>(path: string, body: unknown) => send<T>("PUT", path, body);
export const drop = <T>(path: string) => send<T>("DELETE", path);

/** Puts values into a path, safely. */
export function path(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((text, part, i) => text + part + (i < values.length ? encodeURIComponent(values[i] ?? "") : ""), "");
}
