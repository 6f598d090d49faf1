//! The events hub: registering event-management systems and reading their one live picture.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wording::Wording;

pub use crate::gates::*;
pub use crate::programme::*;
pub use crate::visits::*;

/// The bus topic of every change of an event's live state; the key is the event id and the data a
/// [`NormalizedEventData`].
pub const EVENT_DATA_UPDATES: &str = "event-data-updates";

/// The CloudEvents type of what [`EVENT_DATA_UPDATES`] carries.
pub const EVENT_DATA_UPDATED: &str = "events.event_data.updated.v1";

/// Registers event-management systems as sources of the hub.
#[contract("events.registry")]
pub trait EventServiceRegistry {
    /// Probes the connection, saves the source, begins its initial sync, schedules it and watches its
    /// health. Nothing is saved where the probe fails. Registering the same event id again replaces the
    /// configuration and keeps the data. Fails with `events.source.invalid`, `events.source.probe_failed`.
    #[command]
    async fn register(&self, cx: &Cx, config: EventServiceConfig) -> Result<Registered, Fault>;

    /// Returns every source with its health and sync position. Credentials are never part of it.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListSources) -> Result<Sources, Fault>;

    /// Probes a registered source again and reports. Fails with `events.source.unknown`.
    #[query]
    async fn check(&self, cx: &Cx, ask: SourceId) -> Result<ProbeReport, Fault>;

    /// Returns how far the registration of a source is, step by step. Fails with `events.source.unknown`.
    #[query]
    async fn progress(&self, cx: &Cx, ask: SourceId) -> Result<Progress, Fault>;

    /// Stops and removes a source. Its history stays. Fails with `events.source.unknown`.
    #[command]
    async fn remove(&self, cx: &Cx, ask: SourceId) -> Result<Removed, Fault>;
}

/// The live picture over all sources.
#[contract("events.state")]
pub trait EventState {
    /// Returns the state of every event, or of those asked for. Unknown ids are left out.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListEvents) -> Result<EventStates, Fault>;

    /// Returns one event's state. Fails with `events.event.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: EventId) -> Result<LiveEvent, Fault>;

    /// Returns an event's attendance over time. Fails with `events.event.unknown`.
    #[query]
    async fn history(&self, cx: &Cx, ask: HistoryRange) -> Result<History, Fault>;

    /// Returns sums over the events asked for.
    #[query]
    async fn summary(&self, cx: &Cx, ask: ListEvents) -> Result<Summary, Fault>;
}

// === Sources ===

/// How to reach one event-management system, in the seed's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventServiceConfig {
    /// The id under which the hub knows the event: letters, digits, `-`, `_` and `.`, at most 64.
    pub event_id: String,
    /// The system's name, for people.
    pub service_name: String,
    /// Which connector speaks to it.
    #[serde(default)]
    pub connector: ConnectorKind,
    /// Its addresses.
    pub endpoints: Endpoints,
    /// How to sign in there.
    pub authentication: Authentication,
    /// How often to read.
    #[serde(default)]
    pub sync_settings: SyncSettings,
    /// What only one kind of connector needs. pretix: `organizer`, `event`, optionally `checkinList`; pretalx:
    /// `event`; feeds: optionally `timeZone`; declarative: `mapping`. Whatever tells a programme: optionally
    /// `attendedBy`, the event whose scans count, and `roomLists`, as `room=check-in list, …`. push: optionally
    /// `registered`, `beginsAt`, `endsAt`. Any: optionally `capacity`, people who fit in, and `graceMinutes`, for how
    /// long after the end people may still be inside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// The kinds of connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// Answers `GET {api}/analytics/realtime` and a health URL with `{"status":"healthy"}`.
    #[default]
    Generic,
    /// A pretix server: <https://docs.pretix.eu/dev/api/>.
    Pretix,
    /// A pretalx server, for the programme: <https://docs.pretalx.org/api/>.
    Pretalx,
    /// An iCalendar feed (RFC 5545), for the programme.
    Icalendar,
    /// A schedule feed in the XML of Pentabarf, frab and pretalx, for the programme.
    ScheduleXml,
    /// A JSON API that a mapping in `options.mapping` describes.
    Declarative,
    /// Gates that push their scans themselves; nothing is read. See [`EventGates::record`].
    Push,
}

/// A source's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// The API's base URL.
    pub api: String,
    /// Where the source sends its webhooks, as seen from the source; the hub's public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The health URL; a connector that knows its own leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
}

/// How to sign in at a source.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// The scheme.
    #[serde(rename = "type")]
    pub kind: AuthenticationKind,
    /// `apiKey` (with `header`, default `X-API-Key`), `token`, or whatever the scheme needs. Secret.
    #[serde(default)]
    pub credentials: BTreeMap<String, String>,
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.credentials.keys().collect();
        out.debug_struct("Authentication").field("kind", &self.kind).field("credentials", &names).finish()
    }
}

/// The schemes of signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationKind {
    /// No credentials; for sources on a closed network.
    None,
    /// A key in a header.
    ApiKey,
    /// An OAuth 2 bearer token.
    Oauth2,
    /// A ready JSON web token as bearer.
    Jwt,
}

/// How often to read a source, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncSettings {
    /// Seconds between two reads, 1 to 86 400.
    pub interval: u32,
    /// How often a failed read is tried within one interval.
    pub retry_policy: RetryPolicy,
    /// The name of the shape the source answers in; `event-realtime/1` is the seed's.
    pub data_schema: String,
    /// Requests per minute that all reading of the source together sends at most, 1 to 60 000. Whatever the source
    /// itself asks for (`Retry-After`, `RateLimit`) is obeyed besides.
    pub requests_per_minute: u32,
}

/// A source's own retry settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryPolicy {
    /// Attempts in all, 1 to 10.
    pub attempts: u32,
    /// Milliseconds before the second attempt.
    pub first_ms: u64,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            interval: 30,
            retry_policy: RetryPolicy::default(),
            data_schema: "event-realtime/1".into(),
            requests_per_minute: 1_200,
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, first_ms: 100 }
    }
}

/// Names a source: the event id it was registered under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceId {
    /// The event id.
    pub event_id: String,
}

/// Asks for all sources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListSources {}

/// What came of registering.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The event id.
    pub event_id: String,
    /// What the probe found.
    pub probe: ProbeReport,
    /// Whether the source was known before.
    pub replaced: bool,
}

/// What came of removing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// The event id.
    pub event_id: String,
}

/// What a probe found, check by check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeReport {
    /// Whether every necessary check passed.
    pub ok: bool,
    /// The checks in the order in which they were made.
    pub checks: Vec<ProbeCheck>,
    /// The source's clock minus ours, seconds, where it tells the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_skew_seconds: Option<f64>,
}

/// One check of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeCheck {
    /// Such as `authentication`, `scopes`, `sample`, `clock`, `limits`, `hook`.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was tried and what came of it.
    pub detail: String,
    /// How it stands; what is no failure may still be worth a look.
    #[serde(default)]
    pub level: ProbeLevel,
    /// What to do about it, where anything is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What `advice` says, for other languages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice_wording: Option<Wording>,
}

/// How a check of a probe stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeLevel {
    /// As it should be.
    #[default]
    Ok,
    /// It works, and something about it is worth a look.
    Warn,
    /// The source cannot be read like this.
    Fail,
}

/// Every source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sources {
    /// Ordered by event id.
    pub sources: Vec<SourceStatus>,
}

/// A source as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The event id.
    pub event_id: String,
    /// The system's name.
    pub service_name: String,
    /// Its connector.
    pub connector: ConnectorKind,
    /// The API's base URL, without credentials.
    pub api: String,
    /// Seconds between two reads.
    pub interval: u32,
    /// Where its data stands.
    pub phase: SourcePhase,
    /// Whether the last health check passed.
    pub healthy: bool,
    /// When it was last read with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_at: Option<Timestamp>,
    /// What the last failure said, until a read succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// What kind of failure it was and what to do about it, for any language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_wording: Option<Wording>,
    /// Failures in a row.
    #[serde(default)]
    pub failures: u32,
    /// Rows read so far by the initial sync.
    #[serde(default)]
    pub synced_rows: u64,
    /// The position of the incremental sync, as the connector writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How its scans came in.
    #[serde(default)]
    pub scans: ScanCounts,
    /// Orders that vanished at the source.
    #[serde(default)]
    pub gone_orders: u64,
    /// When the source was last looked through for what vanished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swept_at: Option<Timestamp>,
}

/// How many scans came in by which way first. What only a sweep brought in, every other way had lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanCounts {
    /// By the first sync.
    pub first_sync: u64,
    /// By reading what changed, on schedule.
    pub poll: u64,
    /// By following the source's webhooks.
    pub hook: u64,
    /// By reading everything anew after totals had differed.
    pub sweep: u64,
    /// By gates that push.
    pub push: u64,
}

/// How far a source's registration is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The event id.
    pub event_id: String,
    /// The steps in their order.
    pub steps: Vec<ProgressStep>,
    /// What was read so far.
    pub read: ReadCounts,
}

/// One step of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressStep {
    /// Which.
    pub step: RegistrationStep,
    /// How it stands.
    pub state: StepState,
    /// For people: what was done, on what, and what to do where it fails.
    pub detail: String,
}

/// The steps of a registration, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStep {
    /// The connection was tried and the credentials accepted.
    Probed,
    /// The source is in the tables.
    Saved,
    /// Everything there is was read once.
    InitialSync,
    /// What changes is read again and again.
    Scheduled,
    /// Its health is asked.
    HealthWatched,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Done.
    Done,
    /// Failed; tried again on schedule.
    Failed,
}

/// What was read of a source so far. A source that counts itself has no orders, tickets and scans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadCounts {
    /// Events.
    pub events: u64,
    /// Check-in lists.
    pub lists: u64,
    /// Orders.
    pub orders: u64,
    /// Tickets.
    pub tickets: u64,
    /// Scans that count.
    pub checkins: u64,
    /// Rooms of a programme.
    pub rooms: u64,
    /// Slots that a programme holds now.
    pub slots: u64,
}

/// Where a source's data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourcePhase {
    /// Saved; the initial sync runs.
    InitialSync,
    /// In step, read on schedule.
    Live,
    /// Removed.
    Removed,
}

// === State ===

/// Asks for events; `None` asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEvents {
    /// Only these ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<String>>,
}

/// Names an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventId {
    /// The id.
    pub event_id: String,
}

/// The states asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventStates {
    /// Ordered by event id.
    pub events: Vec<LiveEvent>,
}

/// An event's last known state and how fresh it is. It never vanishes: what was not renewed goes stale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveEvent {
    /// The state.
    #[serde(flatten)]
    pub data: NormalizedEventData,
    /// Whether the state is fresh or stale.
    pub freshness: Freshness,
    /// Seconds since the source was last read with success.
    pub age_seconds: u64,
}

/// How far a state may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Renewed within the last 300 seconds.
    Fresh,
    /// Last known, older than that.
    Stale,
}

/// One event's state in the form that all sources are brought into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NormalizedEventData {
    /// The event.
    #[schema(example = "spring-concert")]
    pub event_id: String,
    /// Its name, for people.
    #[schema(example = "Spring concert")]
    pub event_name: String,
    /// When the source was read.
    pub timestamp: Timestamp,
    /// The figures.
    pub metrics: EventMetrics,
    /// What needs attention.
    pub alerts: Vec<Alert>,
    /// Whether it runs.
    pub status: EventStatus,
}

impl NormalizedEventData {
    /// Takes out what is not a total: rows about single gates, and alerts but those on capacity, since others may name
    /// a gate or a person.
    pub fn keep_totals(&mut self) {
        self.metrics.gate_activity.clear();
        self.alerts.retain(|alert| alert.kind.starts_with("capacity."));
    }
}

/// An event's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventMetrics {
    /// People registered.
    #[schema(example = 1200)]
    pub total_registered: u64,
    /// People inside now.
    #[schema(example = 640)]
    pub current_attendees: u64,
    /// People who came at least once.
    #[serde(default)]
    #[schema(required)]
    #[schema(example = 744)]
    pub checked_in: u64,
    /// `checked_in / total_registered`, 0 to 1; 0 where nobody is registered.
    #[schema(example = 0.62)]
    pub attendance_rate: f64,
    /// The gates.
    pub gate_activity: Vec<GateActivity>,
}

/// One gate's activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateActivity {
    /// The gate.
    #[schema(example = "north")]
    pub gate_id: String,
    /// As the source says: `open`, `closed`.
    #[schema(example = "open")]
    pub status: String,
    /// People per minute.
    #[schema(example = 12.4)]
    pub throughput: f64,
}

/// Something that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Stable word, such as `capacity.90`.
    #[schema(example = "capacity.90")]
    pub kind: String,
    /// `info`, `warning` or `critical`.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// What `message` says, for other languages; left out where a source worded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<Wording>,
    /// Since when it stands; left out where that was not noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Alert {
    /// Makes an alert that says `wording`.
    pub fn worded(kind: impl Into<String>, severity: Severity, wording: Wording) -> Self {
        Self { kind: kind.into(), severity, message: wording.english(), wording: Some(wording), since: None }
    }
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look soon.
    Warning,
    /// Act now.
    Critical,
}

/// Whether an event runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Not begun.
    Upcoming,
    /// People come or are inside.
    Active,
    /// Over.
    Ended,
    /// The source does not tell.
    Unknown,
}

/// Asks for attendance over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRange {
    /// The event.
    pub event_id: String,
    /// From this time on; the last 24 hours where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One row per this many seconds, 1 to 86 400; 60 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<u32>,
}

/// Attendance over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The event.
    #[schema(example = "spring-concert")]
    pub event_id: String,
    /// Ordered by time.
    pub rows: Vec<HistoryRow>,
}

/// The last figures of one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// The step's beginning.
    pub at: Timestamp,
    /// People inside.
    pub current_attendees: f64,
    /// People who came.
    pub checked_in: f64,
    /// People registered.
    pub total_registered: f64,
}

/// Sums over events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many events.
    pub total_events: u64,
    /// People inside, all together.
    pub total_attendees: u64,
    /// People registered, all together.
    pub total_registered: u64,
    /// People who came, all together.
    pub total_checked_in: u64,
    /// Weighted by people registered, 0 to 1.
    pub average_attendance_rate: f64,
    /// Alerts that are not merely information.
    pub active_alerts: u64,
    /// Events whose state is stale.
    pub stale_events: u64,
}
