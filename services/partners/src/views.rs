//! What partners see: the resource-shaped JSON of the API, versioned apart from the contracts.

use ieum_contracts::events as contract;
use ieum_core::Timestamp;
use ieum_webhook::{Attempt, Delivery, DeliveryState, Endpoint, EndpointState};
use serde::{Deserialize, Serialize};
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

/// A wish for a webhook endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWebhook {
    /// Where messages are posted.
    pub url: String,
    /// The events wanted, such as `event.data.updated` or `event.*`; all where left out.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether messages about one event come strictly one after the other.
    #[serde(default)]
    pub ordered: bool,
}

/// A webhook endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Where messages are posted.
    pub url: String,
    /// The events wanted; empty means all.
    pub events: Vec<String>,
    /// Whether messages about one event come strictly one after the other.
    pub ordered: bool,
    /// `active`, `paused` or `disabled`.
    pub state: String,
    /// Why it is disabled: `gone`, `failing` or `by_hand`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Timestamp>,
    /// Since when every attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A webhook endpoint with its secret. Not `Debug`: the secret is shown this once and never logged.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What the receiver verifies with (`whsec_…`). Shown this once.
    pub secret: String,
}

/// A partner's webhook endpoints.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhooks {
    /// The oldest first.
    pub webhooks: Vec<Webhook>,
}

/// Deliveries of a webhook endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deliveries {
    /// The newest first.
    pub deliveries: Vec<DeliveryView>,
}

/// One message on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// Its id.
    pub id: String,
    /// To which endpoint.
    pub webhook_id: String,
    /// Which message: the `webhook-id` header.
    pub message_id: String,
    /// The message's event.
    pub event: String,
    /// `pending`, `held`, `delivered`, `exhausted` or `cancelled`.
    pub state: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the next attempt is due, where it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// The last attempt's HTTP status, where an answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

/// The attempts of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempts {
    /// The first first.
    pub attempts: Vec<AttemptView>,
}

/// One attempt of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// Its number, 1 for the first.
    pub number: u32,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How long it took, milliseconds.
    pub elapsed_ms: u64,
    /// The HTTP status, where an answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The first 1,024 bytes of the answer, or why none came.
    pub detail: String,
}

/// How many deliveries are due again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resent {
    /// How many.
    pub count: u64,
}

/// From when on to send again what an endpoint missed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResendSince {
    /// The time, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// An error (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    /// `urn:ieum:problem:{reason}`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was tried, on what.
    pub detail: String,
    /// The closed code, such as `permission_denied`.
    pub code: String,
    /// The stable reason, such as `partners.event.forbidden`.
    pub reason: String,
    /// The trace in which it happened, 32 hex digits.
    pub trace_id: Option<String>,
    /// The earliest time at which trying again makes sense, milliseconds from now.
    pub retry_after_ms: Option<u64>,
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

// === From the webhooks ===

impl From<Endpoint> for Webhook {
    fn from(endpoint: Endpoint) -> Self {
        let (state, reason, paused_until) = match endpoint.state {
            EndpointState::Active => ("active", None, None),
            EndpointState::Paused { until } => ("paused", None, Some(until)),
            EndpointState::Disabled { reason, .. } => ("disabled", Some(reason.name().to_owned()), None),
        };
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url,
            events: endpoint.events,
            ordered: endpoint.ordered,
            state: state.to_owned(),
            reason,
            paused_until,
            failing_since: endpoint.failing_since,
            created_at: endpoint.created_at,
        }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            webhook_id: delivery.endpoint_id.to_string(),
            message_id: delivery.message_id,
            event: delivery.event,
            state: delivery.state.name().to_owned(),
            attempts: delivery.tries,
            due_at: (delivery.state == DeliveryState::Pending).then_some(delivery.due_at),
            last_status: delivery.last_status,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.at,
            elapsed_ms: attempt.elapsed_ms,
            status: attempt.status,
            detail: attempt.detail,
        }
    }
}
