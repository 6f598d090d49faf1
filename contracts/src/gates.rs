//! The gates of an event: who went in and out where, and how many people are inside.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{Alert, EventId};

/// The bus topic of alerts that begin and end; the key is the event id and the data an [`EventAlert`].
pub const EVENT_ALERTS: &str = "event-alerts";

/// The CloudEvents type of an alert that begins, on [`EVENT_ALERTS`].
pub const EVENT_ALERT_RAISED: &str = "events.alert.raised.v1";

/// The CloudEvents type of an alert that ends, on [`EVENT_ALERTS`].
pub const EVENT_ALERT_CLEARED: &str = "events.alert.cleared.v1";

/// The most scans that [`EventGates::record`] takes at once.
pub const MOST_SCANS: usize = 1_000;

/// Shows an event's gates, and takes the scans of gates that send them by themselves.
#[contract("events.gates")]
pub trait EventGates {
    /// Returns an event's gates and its occupancy. Fails with `events.event.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: EventId) -> Result<EventGatesNow, Fault>;

    /// Returns how many people went in and out at each gate, step by step. Steps in which nobody did are left
    /// out. Fails with `events.event.unknown` and `events.gates.range`.
    #[query]
    async fn flow(&self, cx: &Cx, ask: GateFlowRange) -> Result<GateFlow, Fault>;

    /// Takes scans in, all or none. A scan that is known already changes nothing, however late it comes again.
    /// Fails with `events.scan.invalid`, naming the row, with `events.source.unknown`, and with
    /// `events.scan.not_pushed` where the event's source is read and does not push.
    #[command]
    async fn record(&self, cx: &Cx, scans: GateScans) -> Result<GateScansTaken, Fault>;
}

/// An event's gates and its occupancy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventGatesNow {
    /// The event.
    pub event_id: String,
    /// When this was counted.
    pub at: Timestamp,
    /// Ordered by gate id.
    pub gates: Vec<GateNow>,
    /// How many people are inside.
    pub occupancy: Occupancy,
}

/// One gate as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateNow {
    /// The gate.
    pub gate_id: String,
    /// `open` where somebody passed in the last 15 minutes, else `idle`; or the source's own word.
    pub status: String,
    /// People who went in, all together.
    pub entered: u64,
    /// People who went out, all together.
    pub left: u64,
    /// People in per minute, over the last five minutes.
    pub in_per_minute: f64,
    /// People out per minute, over the last five minutes.
    pub out_per_minute: f64,
    /// When somebody last passed, by the gate's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_scan_at: Option<Timestamp>,
}

/// How many people are inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Occupancy {
    /// Entries minus exits, as scanned. Below zero where gates miss more entries than exits.
    pub counted: i64,
    /// People inside as far as can be told: corrected for those who left without a scan. Never more than entered.
    pub estimated: u64,
    /// The estimate is at least this, with 95 % confidence.
    pub low: u64,
    /// The estimate is at most this, with 95 % confidence.
    pub high: u64,
    /// How many people fit in, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
    /// `estimated / capacity`, from 0 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The share of those who leave that is scanned, 0 to 1, where it could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkout_rate: Option<f64>,
    /// How the estimate came about.
    pub method: OccupancyMethod,
}

/// How an estimate of people inside came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccupancyMethod {
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

/// Asks for the flow through an event's gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateFlowRange {
    /// The event.
    pub event_id: String,
    /// From this time on; the last 24 hours where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this time; now where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// One row per gate and this many seconds: whole minutes up to a day; 300 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<u32>,
}

/// The flow through an event's gates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateFlow {
    /// The event.
    pub event_id: String,
    /// The length of a step, seconds.
    pub step_seconds: u32,
    /// Ordered by time, then gate.
    pub rows: Vec<GateFlowRow>,
}

/// One gate within one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateFlowRow {
    /// The step's beginning.
    pub at: Timestamp,
    /// The gate.
    pub gate_id: String,
    /// People who went in.
    pub entered: u64,
    /// People who went out.
    pub left: u64,
}

/// Scans that gates send by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateScans {
    /// The event; its source is registered with the connector `push`.
    pub event_id: String,
    /// The scans in any order, 1 to [`MOST_SCANS`].
    pub scans: Vec<GateScan>,
}

/// Somebody passed a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateScan {
    /// The sender's id of the scan, unique within the event, 1 to 128 bytes. The same id twice is the same scan.
    #[schema(example = "north-000017", min_length = 1, max_length = 128)]
    pub scan_id: String,
    /// Which gate, 1 to 128 bytes.
    #[schema(example = "north", min_length = 1, max_length = 128)]
    pub gate_id: String,
    /// In or out.
    pub direction: GateDirection,
    /// When, by the gate's clock; at most an hour ahead of ours.
    pub at: Timestamp,
    /// Whose ticket, 1 to 128 bytes; a gate that only counts heads leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "T-1042", min_length = 1, max_length = 128)]
    pub ticket: Option<String>,
}

/// Which way somebody passed a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateDirection {
    /// Somebody came.
    In,
    /// Somebody left.
    Out,
}

/// What became of scans that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateScansTaken {
    /// Scans that were new.
    pub accepted: u64,
    /// Scans that were known already.
    pub repeated: u64,
}

/// An alert that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventAlert {
    /// The event.
    pub event_id: String,
    /// The alert, as it stood when it was last seen.
    pub alert: Alert,
    /// The gate it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_id: Option<String>,
    /// When it began or ended.
    pub at: Timestamp,
}
