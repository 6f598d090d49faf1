// What the platform answers; the OpenAPI documents under contracts/openapi and the contracts say the same.

export type Severity = "info" | "warning" | "critical";

export interface Gate {
  gateId: string;
  status: string;
  throughput: number;
}

/** What a sentence says: a code of the dictionaries and its values. The sentence stands beside it. */
export interface Wording {
  code: string;
  values?: Record<string, number | string>;
}

export interface Alert {
  kind: string;
  severity: Severity;
  message: string;
  wording?: Wording;
  since?: string;
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
  status: "upcoming" | "active" | "ended" | "unknown";
  freshness: "fresh" | "stale";
  ageSeconds: number;
}

export interface HistoryRow {
  at: string;
  currentAttendees: number;
  checkedIn: number;
  totalRegistered: number;
}

export interface History {
  eventId: string;
  rows: HistoryRow[];
}

export interface Dashboard {
  charts: { attendanceTrend: History[] };
}

export interface Programme {
  eventId: string;
  attendedBy?: string;
  rooms: { roomId: string; name: string; capacity?: number; inside?: number; checkedIn?: number }[];
  slots: {
    slotId: string;
    roomId?: string;
    title: string;
    beginsAt: string;
    endsAt: string;
    timeZone?: string;
    status: "planned" | "cancelled" | "gone";
    url?: string;
    attended?: number;
    fill?: number;
  }[];
}

export interface AttendanceGroup {
  eventType?: string;
  hourOfDay?: number;
  dayOfWeek?: number;
  arrivals: number;
  eventDays: number;
  averageArrivals: number;
  sampleSize: number;
  averageAttendance?: number;
}

export interface AttendanceReport {
  byEventType: AttendanceGroup[];
  byTimeOfDay: AttendanceGroup[];
  byDayOfWeek: AttendanceGroup[];
  trends: {
    eventType: string;
    earlierDays: number;
    earlierAverage: number;
    laterDays: number;
    laterAverage: number;
    change?: number;
  }[];
}

export interface Forecast {
  eventId: string;
  gateId?: string;
  step: "hour" | "day";
  refused?: string;
  refusedWording?: Wording;
  caution?: string;
  cautionWording?: Wording;
  model?: string;
  level: number;
  madeAt?: string;
  score: { steps: number; within: number; absoluteError: number; actual: number };
  points: { at: string; value: number; lower: number; upper: number }[];
}

export interface BehaviourPattern {
  cells: { label: string; people?: number }[];
  hidden: number;
}

export interface Behaviour {
  eventId: string;
  until: string;
  entryPattern: BehaviourPattern;
  stay: BehaviourPattern;
  engagement: BehaviourPattern;
  dropOff: BehaviourPattern;
  people?: number;
  k: number;
  l: number;
  epsilon: number;
  remembered: boolean;
  budget: { limit: number; left: number; refillsAt: string };
}

export interface Recommendation {
  kind: string;
  severity: Severity;
  eventId?: string;
  message: string;
  messageKorean: string;
  rule: string;
  evidence: { source: string; row: string; value: number; unit: string; at?: string }[];
}

export interface RoiFigures {
  currency: string;
  revenueMinor: number;
  costMinor: number;
  netMinor: number;
  roi?: number;
  attendees: number;
}

export interface Roi {
  formula: string;
  events: (RoiFigures & { eventId: string })[];
  totals: RoiFigures[];
}

export interface EventInsights {
  profile: { eventType?: string; timeZone?: string; capacity?: number };
  attendancePatterns: AttendanceReport;
  performanceMetrics: {
    noShowRate?: number;
    mostInside: number;
    mostInsideAt?: string;
    capacity?: number;
    highestOccupancy?: number;
    busiestHour?: { at: string; arrivals: number };
    eventDays: number;
    gates: { gateId: string; people: number; share: number; mostPerHour: number }[];
  };
  predictions: { attendanceForecast: Forecast[] };
  roiAnalysis: Roi;
  recommendations: Recommendation[];
}

export interface CrossInsights {
  totalEvents: number;
  attendancePatterns: AttendanceReport;
  predictions: { attendanceForecast: Forecast[]; optimalTiming: AttendanceGroup[] };
  roiAnalysis: Roi;
  recommendations: Recommendation[];
}

export interface ProbeReport {
  ok: boolean;
  checks: { name: string; ok: boolean; detail: string; level?: "ok" | "warn" | "fail"; advice?: string; adviceWording?: Wording }[];
  clockSkewSeconds?: number;
}

export interface GatesNow {
  gates: {
    gateId: string;
    status: string;
    entered: number;
    left: number;
    inPerMinute: number;
    outPerMinute: number;
    lastScanAt?: string;
  }[];
  occupancy: {
    estimated: number;
    low: number;
    high: number;
    capacity?: number;
    share?: number;
    method: "survival" | "entries_only" | "counted" | "told" | "ended";
  };
}

export type Connector = "push" | "generic" | "pretix" | "pretalx" | "icalendar" | "schedule_xml" | "declarative";

export interface Source {
  eventId: string;
  serviceName: string;
  connector: Connector;
  api: string;
  interval: number;
  phase: "initial_sync" | "live" | "removed";
  healthy: boolean;
  lastSuccessAt?: string;
  lastError?: string;
  lastErrorWording?: Wording;
  failures: number;
  syncedRows: number;
  cursor?: string;
  scans: { firstSync: number; poll: number; hook: number; sweep: number };
}

export interface Progress {
  eventId: string;
  steps: {
    step: "probed" | "saved" | "initial_sync" | "scheduled" | "health_watched";
    state: "waiting" | "running" | "done" | "failed";
    detail: string;
  }[];
}

export interface Key {
  keyId: string;
  name: string;
  tier: "public" | "partner" | "premium";
  scopes: string[];
  events: string[];
  status: "active" | "expired" | "revoked";
  createdAt: string;
  expiresAt?: string;
  previousValidUntil?: string;
  lastUsedAt?: string;
}

export interface IssuedKey {
  text: string;
  key: Key;
}

export interface Webhook {
  partner: string;
  partnerName: string;
  id: string;
  url: string;
  events: string[];
  ordered: boolean;
  state: "active" | "paused" | "disabled";
  reason?: "gone" | "failing" | "by_hand";
  pausedUntil?: string;
  failingSince?: string;
  createdAt: string;
}

export const DELIVERY_STATES = ["pending", "held", "delivered", "exhausted", "cancelled"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Delivery {
  id: string;
  webhookId: string;
  messageId: string;
  event: string;
  state: DeliveryState;
  attempts: number;
  dueAt?: string;
  lastStatus?: number;
  createdAt: string;
  finishedAt?: string;
}

export interface DeliveryDetail {
  delivery: Delivery;
  body: string;
  attempts: { number: number; at: string; elapsedMs: number; status?: number; detail: string }[];
}

export type DeadState = "parked" | "replaying" | "in_lane" | "resolved" | "discarded";

export interface DeadLetter {
  id: string;
  topic: string;
  group: string;
  key: string;
  eventId: string;
  body: string;
  code: string;
  reason: string;
  message: string;
  attempts: number;
  firstAt: string;
  lastAt: string;
  traceparent?: string;
  state: DeadState;
}

export interface DeadShown {
  letter: DeadLetter;
  trail: { at: string; who: string; action: string; detail: string }[];
}

export type HealthStatus = "healthy" | "degraded" | "unhealthy" | "starting" | "stopping";

export interface Overview {
  version: string;
  parts: string[];
  now: string;
  health: {
    status: HealthStatus;
    checks: { name: string; status: HealthStatus; critical: boolean; detail?: string; since?: string }[];
  };
}

export interface PlatformLink {
  name: string;
  to: string;
  wire: string;
  fallback: string;
  calls: number;
  inFlight: number;
  failures: number;
  rejected: Record<string, number>;
  fallbacks: Record<string, number>;
  retries: number;
  p95Ms?: number;
  breaker?: { state: "closed" | "open" | "half-open" | "held-open" | "forced-closed"; reason?: string; opened: number };
  instances: { address: string; running: number; ejected: boolean }[];
  process?: { state: "starting" | "running" | "waiting" | "stopped"; address?: string; restarts: number; ended?: string };
}

export interface BusOverview {
  backend: string;
  groups: { topic: string; group: string; unread: number; inLane: number; dead: number; oldestSeconds: number }[];
}

export interface Sightings {
  sightings: { stage: string; at: string; detail: string }[];
}

// === Voice ===

/** A value that was said. */
export type Slot =
  | { kind: "text"; text: string }
  | { kind: "number"; number: number }
  | { kind: "duration"; seconds: number }
  | { kind: "moment"; at: string; exact: boolean }
  | { kind: "day"; date: string; days: number };

/** The answer to a turn. */
export interface DialogAnswer {
  turnId: string;
  sessionId: string;
  userId: string;
  /** What was heard, where the turn was spoken: the words that the answer is about. */
  heard?: string;
  /** The engine's own words, where `heard` is what they were taken for. */
  firstHeard?: string;
  text: string;
  language: string;
  intent: string;
  confidence: number;
  slots: Record<string, Slot>;
  outcome: "answered" | "asked" | "not_understood" | "failed" | "blocked" | "user_not_found";
  stages: { stage: string; ms: number }[];
  /** The answer's sound, where it was asked aloud and an engine speaks. */
  audio?: { format: string; sampleRate: number; data: string };
}

/** A device that is known. */
export interface VoiceDevice {
  deviceId: string;
  connected: boolean;
  lastSeenAt?: string;
  waiting: number;
  hasSecret: boolean;
  /** What it measured last, such as `{ temperature: 21.5 }`, and when. */
  measured?: { at: string; data: unknown };
}

/** A secret of a device, shown once. */
export interface DeviceSecret {
  deviceId: string;
  secret: string;
  /** Until when one that it had before is valid. */
  formerValidUntil?: string;
}

/** How conversations went. */
export interface VoiceStatistics {
  /** The day it is where the platform counts days. */
  today: string;
  tallies: { day: string; intent: string; outcome: DialogAnswer["outcome"]; turns: number }[];
  /** Who spoke, the latest first, with all turns since they are counted. A person, or `device:` and a device of nobody's. */
  people: { userId: string; turns: number; at: string; intent: string }[];
}

/** A turn of the last day. */
export interface LateTurn {
  /** Names it among all turns. */
  id: string;
  at: string;
  deviceId?: string;
  said: string;
  answer: DialogAnswer;
  /** What happened besides, where that is kept. */
  effects?: Effect[];
}

/** Something that happens besides an answer. */
export type Effect =
  | { effect: "schedule"; kind: "timer" | "alarm" | "reminder"; at: string; label: string }
  | { effect: "cancel"; schedules: string[] }
  | { effect: "announce"; area: string | null; text: string }
  | { effect: "control"; thing: string; deviceId: string; action: "on" | "off" | "set"; level: number | null; color?: string };

/** What of a turn is not as it was. */
export type Difference = "intent" | "slots" | "outcome" | "text" | "effects";

/** A turn that was led again, with nothing coming of it. */
export interface Replayed {
  kept: LateTurn;
  /** The time it was led again for. */
  now: string;
  /** Whether what the session was about before it is kept. */
  context: "kept" | "unknown";
  meanings: { intent: string; confidence: number; slots: Record<string, Slot> }[];
  answer: DialogAnswer;
  effects: Effect[];
  differences: Difference[];
}
