//! Events as partners and the public see them.

use ieum_contracts::events as contract;
use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The events a partner may see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartnerEvents {
    /// Ordered by event id.
    pub events: Vec<LiveEvent>,
}

/// An event's last known state and how fresh it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveEvent {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// When its source was read.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Timestamp,
    /// Its figures.
    pub metrics: Metrics,
    /// What needs attention.
    pub alerts: Vec<Alert>,
    /// Whether it runs.
    pub status: Status,
    /// Whether the state was renewed within the last 300 seconds.
    pub freshness: Freshness,
    /// Seconds since the source was last read with success.
    pub age_seconds: u64,
}

/// An event's figures.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// People registered.
    pub total_registered: u64,
    /// People inside now.
    pub current_attendees: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// People who came over people registered, 0 to 1.
    pub attendance_rate: f64,
    /// The gates.
    pub gate_activity: Vec<Gate>,
}

/// One gate's activity.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The gate.
    pub gate_id: String,
    /// As the source says: `open`, `closed`.
    pub status: String,
    /// People per minute.
    pub throughput: f64,
}

/// Something that needs attention.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Stable word, such as `capacity.90`.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// For people.
    pub message: String,
}

/// How bad an alert is.
#[derive(Debug, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    Upcoming,
    /// People come or are inside.
    Active,
    /// Over.
    Ended,
    /// The source does not tell.
    Unknown,
}

/// How far a state may be trusted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Renewed within the last 300 seconds.
    Fresh,
    /// Last known, older than that.
    Stale,
}

/// Sums over the events a partner may see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalyticsSummary {
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

/// What everybody may know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicEvents {
    /// How many events.
    pub total_events: u64,
    /// How many run.
    pub active_events: u64,
    /// People inside, all together.
    pub total_attendees: u64,
    /// People registered, all together.
    pub total_registered: u64,
    /// Weighted by people registered, 0 to 1.
    pub average_attendance_rate: f64,
    /// Events whose state is stale.
    pub stale_events: u64,
    /// Events that did not end, without figures.
    pub events: Vec<PublicEvent>,
}

/// An event without figures.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicEvent {
    /// The event.
    pub event_id: String,
    /// Its name.
    pub event_name: String,
    /// Whether it runs.
    pub status: Status,
}

/// Attendance over time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The event.
    pub event_id: String,
    /// Ordered by time.
    pub rows: Vec<HistoryRow>,
}

/// The last figures of one step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryRow {
    /// The step's beginning.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// People inside.
    pub current_attendees: f64,
    /// People who came.
    pub checked_in: f64,
    /// People registered.
    pub total_registered: f64,
}

// === From the contracts ===

impl From<contract::LiveEvent> for LiveEvent {
    fn from(event: contract::LiveEvent) -> Self {
        let contract::LiveEvent { data, freshness, age_seconds } = event;
        Self {
            event_id: data.event_id,
            event_name: data.event_name,
            timestamp: data.timestamp,
            metrics: data.metrics.into(),
            alerts: data.alerts.into_iter().map(Into::into).collect(),
            status: data.status.into(),
            freshness: match freshness {
                contract::Freshness::Fresh => Freshness::Fresh,
                contract::Freshness::Stale => Freshness::Stale,
            },
            age_seconds,
        }
    }
}

impl From<contract::EventMetrics> for Metrics {
    fn from(metrics: contract::EventMetrics) -> Self {
        let gate = |gate: contract::GateActivity| Gate {
            gate_id: gate.gate_id,
            status: gate.status,
            throughput: gate.throughput,
        };
        Self {
            total_registered: metrics.total_registered,
            current_attendees: metrics.current_attendees,
            checked_in: metrics.checked_in,
            attendance_rate: metrics.attendance_rate,
            gate_activity: metrics.gate_activity.into_iter().map(gate).collect(),
        }
    }
}

impl From<contract::Alert> for Alert {
    fn from(alert: contract::Alert) -> Self {
        let severity = match alert.severity {
            contract::Severity::Info => Severity::Info,
            contract::Severity::Warning => Severity::Warning,
            contract::Severity::Critical => Severity::Critical,
        };
        Self { kind: alert.kind, severity, message: alert.message }
    }
}

impl From<contract::EventStatus> for Status {
    fn from(status: contract::EventStatus) -> Self {
        match status {
            contract::EventStatus::Upcoming => Self::Upcoming,
            contract::EventStatus::Active => Self::Active,
            contract::EventStatus::Ended => Self::Ended,
            contract::EventStatus::Unknown => Self::Unknown,
        }
    }
}

impl From<contract::Summary> for AnalyticsSummary {
    fn from(summary: contract::Summary) -> Self {
        Self {
            total_events: summary.total_events,
            total_attendees: summary.total_attendees,
            total_registered: summary.total_registered,
            total_checked_in: summary.total_checked_in,
            average_attendance_rate: summary.average_attendance_rate,
            active_alerts: summary.active_alerts,
            stale_events: summary.stale_events,
        }
    }
}

impl From<contract::History> for History {
    fn from(history: contract::History) -> Self {
        let row = |row: contract::HistoryRow| HistoryRow {
            at: row.at,
            current_attendees: row.current_attendees,
            checked_in: row.checked_in,
            total_registered: row.total_registered,
        };
        Self { event_id: history.event_id, rows: history.rows.into_iter().map(row).collect() }
    }
}
