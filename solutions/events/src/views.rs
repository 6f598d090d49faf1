//! What the hub's JSON looks like, for its description: the contracts' messages field by field. A test compares both
//! with real answers.
#![allow(dead_code, reason = "described, never made")]

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

mod insights;

use insights::{Absent, DashboardInsights};

/// The states asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventStates {
    /// Ordered by event id.
    events: Vec<LiveEvent>,
}

/// An event's last known state and how fresh it is. It never vanishes: what was not renewed goes stale.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiveEvent {
    /// The state.
    #[serde(flatten)]
    data: NormalizedEventData,
    /// Whether the state is fresh or stale.
    freshness: Freshness,
    /// Seconds since the source was last read with success.
    age_seconds: u64,
}

/// How far a state may be trusted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Freshness {
    /// Renewed within the last 300 seconds.
    Fresh,
    /// Last known, older than that.
    Stale,
}

/// One event's state in the form that all sources are brought into.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NormalizedEventData {
    /// The event.
    #[schema(example = "spring-concert")]
    event_id: String,
    /// Its name, for people.
    #[schema(example = "Spring concert")]
    event_name: String,
    /// When the source was read.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// The figures.
    metrics: EventMetrics,
    /// What needs attention.
    alerts: Vec<Alert>,
    /// Whether it runs.
    status: EventStatus,
}

/// An event's figures.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventMetrics {
    /// People registered.
    #[schema(example = 1200)]
    total_registered: u64,
    /// People inside now.
    #[schema(example = 640)]
    current_attendees: u64,
    /// People who came at least once.
    #[schema(example = 744)]
    checked_in: u64,
    /// `checked_in / total_registered`, 0 to 1; 0 where nobody is registered.
    #[schema(example = 0.62)]
    attendance_rate: f64,
    /// The gates.
    gate_activity: Vec<GateActivity>,
}

/// One gate's activity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateActivity {
    /// The gate.
    #[schema(example = "north")]
    gate_id: String,
    /// As the source says: `open`, `closed`.
    #[schema(example = "open")]
    status: String,
    /// People per minute.
    #[schema(example = 12.4)]
    throughput: f64,
}

/// Something that needs attention.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    /// Stable word, such as `capacity.90`.
    #[schema(example = "capacity.90")]
    kind: String,
    /// `info`, `warning` or `critical`.
    severity: Severity,
    /// For people.
    message: String,
    /// What `message` says, for other languages; left out where a source worded it.
    wording: Option<Wording>,
    /// Since when it stands; left out where that was not noted.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

/// What a sentence says: a stable code, and the values that stand in it. Who does not know the code shows the sentence.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wording {
    /// Stable, such as `gate.silent`.
    #[schema(example = "capacity.inside")]
    code: String,
    /// Numbers and texts by the names that stand in the sentence.
    #[schema(example = json!({"percent": 91}))]
    values: std::collections::BTreeMap<String, serde_json::Value>,
}

/// How bad an alert is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// Look soon.
    Warning,
    /// Act now.
    Critical,
}

/// Whether an event runs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventStatus {
    /// Not begun.
    Upcoming,
    /// People come or are inside.
    Active,
    /// Over.
    Ended,
    /// The source does not tell.
    Unknown,
}

/// Attendance over time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct History {
    /// The event.
    #[schema(example = "spring-concert")]
    event_id: String,
    /// Ordered by time.
    rows: Vec<HistoryRow>,
}

/// The last figures of one step.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryRow {
    /// The step's beginning.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// People inside.
    current_attendees: f64,
    /// People who came.
    checked_in: f64,
    /// People registered.
    total_registered: f64,
}

/// Sums over events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// How many events.
    total_events: u64,
    /// People inside, all together.
    total_attendees: u64,
    /// People registered, all together.
    total_registered: u64,
    /// People who came, all together.
    total_checked_in: u64,
    /// Weighted by people registered, 0 to 1.
    average_attendance_rate: f64,
    /// Alerts that are not merely information.
    active_alerts: u64,
    /// Events whose state is stale.
    stale_events: u64,
}

/// The answer of `GET /api/dashboard`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dashboard {
    /// Sums over all events.
    summary: Summary,
    /// The events.
    events: Vec<DashboardEvent>,
    /// What history says; null where it is not told, see `insightsAbsent`. A key needs `analytics:read` as well.
    #[schema(required)]
    insights: Option<DashboardInsights>,
    /// Why `insights` is null: analytics is not run here, is down or late, or the key may not see it.
    insights_absent: Option<Absent>,
    /// What the page draws.
    charts: Charts,
}

/// One event on the dashboard.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DashboardEvent {
    /// The event.
    event_id: String,
    /// Its name.
    event_name: String,
    /// Whether it runs.
    status: EventStatus,
    /// Its figures.
    metrics: EventMetrics,
    /// People inside now minus people inside at the range's first row; `None` without history.
    trend: Option<f64>,
    /// What needs attention.
    alerts: Vec<Alert>,
    /// How far the figures may be trusted.
    freshness: Freshness,
    /// Seconds since the source was last read.
    age_seconds: u64,
}

/// What the dashboard draws.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Charts {
    /// Attendance over time, event by event.
    attendance_trend: Vec<Line>,
    /// The events side by side as they stand, the best attended first.
    event_comparison: Vec<Compared>,
    /// The alerts that stand, by their beginning; last those of which it was not noted.
    alerts_timeline: Vec<Standing>,
}

/// One event's bar.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Compared {
    /// The event.
    #[schema(example = "spring-concert")]
    event_id: String,
    /// Its name.
    event_name: String,
    /// People inside now.
    current_attendees: u64,
    /// People who came.
    checked_in: u64,
    /// People registered.
    total_registered: u64,
    /// Came over registered, 0 to 1.
    attendance_rate: f64,
}

/// One alert on the line of time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    /// Since when it stands; left out where that was not noted.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// The event.
    event_id: String,
    /// Stable word, such as `capacity.90`.
    #[schema(example = "capacity.90")]
    kind: String,
    /// How bad it is.
    severity: Severity,
    /// For people.
    message: String,
    /// What `message` says, for other languages.
    wording: Option<Wording>,
}

/// One event's line.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Line {
    /// The event.
    #[schema(example = "spring-concert")]
    event_id: String,
    /// Ordered by time.
    rows: Vec<HistoryRow>,
}

/// An event's programme.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Programme {
    /// The event under which the programme's source is registered.
    event_id: String,
    /// Whose scans count as attendance, where the source names another event.
    attended_by: Option<String>,
    /// When the source was last read with success.
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// Ordered as the source orders them.
    rooms: Vec<RoomState>,
    /// Ordered by their beginning.
    slots: Vec<SlotState>,
}

/// One room.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoomState {
    /// The source's id.
    room_id: String,
    /// Its name.
    name: String,
    /// How many people may be inside.
    capacity: Option<u32>,
    /// The check-in list at its door, where there is one.
    checkin_list: Option<i64>,
    /// People inside now; only with a check-in list.
    inside: Option<u64>,
    /// People who came at least once; only with a check-in list.
    checked_in: Option<u64>,
}

/// One slot: something takes place in a room for a time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SlotState {
    /// The source's id, the same however the slot is moved.
    slot_id: String,
    /// Its room, where it has one.
    room_id: Option<String>,
    /// What takes place.
    title: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    begins_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// The IANA time zone in which people read its times, where the source tells it.
    time_zone: Option<String>,
    /// Whether it takes place.
    status: SlotStatus,
    /// Where people read more of it.
    url: Option<String>,
    /// People who were in its room while it went on; only where the room has a check-in list.
    attended: Option<u64>,
    /// `attended / capacity`, where both are known.
    fill: Option<f64>,
}

/// Whether a slot takes place.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SlotStatus {
    /// It stands in the programme.
    Planned,
    /// The source says that it was cancelled.
    Cancelled,
    /// The source no longer names it.
    Gone,
}

/// An event's gates and its occupancy.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventGatesNow {
    /// The event.
    event_id: String,
    /// When this was counted.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Ordered by gate id.
    gates: Vec<GateNow>,
    /// How many people are inside.
    occupancy: Occupancy,
}

/// One gate as it stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateNow {
    /// The gate.
    gate_id: String,
    /// `open` where somebody passed in the last 15 minutes, else `idle`; or the source's own word.
    status: String,
    /// People who went in, all together.
    entered: u64,
    /// People who went out, all together.
    left: u64,
    /// People in per minute, over the last five minutes.
    in_per_minute: f64,
    /// People out per minute, over the last five minutes.
    out_per_minute: f64,
    /// When somebody last passed, by the gate's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_scan_at: Option<Timestamp>,
}

/// How many people are inside.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Occupancy {
    /// Entries minus exits, as scanned. Below zero where gates miss more entries than exits.
    counted: i64,
    /// People inside as far as can be told: corrected for those who left without a scan. Never more than entered.
    estimated: u64,
    /// The estimate is at least this, with 95 % confidence.
    low: u64,
    /// The estimate is at most this, with 95 % confidence.
    high: u64,
    /// How many people fit in, where that is known.
    capacity: Option<u64>,
    /// `estimated / capacity`, from 0 on.
    share: Option<f64>,
    /// The share of those who leave that is scanned, 0 to 1, where it could be told.
    checkout_rate: Option<f64>,
    /// How the estimate came about.
    method: OccupancyMethod,
}

/// How an estimate of people inside came about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OccupancyMethod {
    /// From how long people stay and how many of those who leave are scanned.
    Survival,
    /// Nobody is ever scanned when leaving: whoever came counts as inside.
    EntriesOnly,
    /// Scans that name no ticket cannot be matched: entries minus exits.
    Counted,
    /// The source counts its people itself.
    Told,
    /// The event is over: everybody counts as out.
    Ended,
}

/// The flow through an event's gates.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateFlow {
    /// The event.
    event_id: String,
    /// The length of a step, seconds.
    step_seconds: u32,
    /// Ordered by time, then gate.
    rows: Vec<GateFlowRow>,
}

/// One gate within one step.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateFlowRow {
    /// The step's beginning.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The gate.
    gate_id: String,
    /// People who went in.
    entered: u64,
    /// People who went out.
    left: u64,
}

/// Somebody passed a gate.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateScan {
    /// The sender's id of the scan, unique within the event, 1 to 128 bytes. The same id twice is the same scan.
    #[schema(example = "north-000017", min_length = 1, max_length = 128)]
    scan_id: String,
    /// Which gate, 1 to 128 bytes.
    #[schema(example = "north", min_length = 1, max_length = 128)]
    gate_id: String,
    /// In or out.
    direction: GateDirection,
    /// When, by the gate's clock; at most an hour ahead of ours.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whose ticket, 1 to 128 bytes; a gate that only counts heads leaves it out.
    #[schema(example = "T-1042", min_length = 1, max_length = 128)]
    ticket: Option<String>,
}

/// Which way somebody passed a gate.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GateDirection {
    /// Somebody came.
    In,
    /// Somebody left.
    Out,
}

/// What became of scans that were sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateScansTaken {
    /// Scans that were new.
    accepted: u64,
    /// Scans that were known already.
    repeated: u64,
}

/// What gates send: the scans alone, the event stands in the path.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scans {
    /// In any order.
    #[schema(min_items = 1, max_items = 1000)]
    scans: Vec<GateScan>,
}
