//! Webhook endpoints, deliveries and attempts as partners see them.

use ieum_core::Timestamp;
use ieum_webhook::{Attempt, Delivery, DeliveryState, Endpoint, EndpointState, Filter, Operator, Sent};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

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
    /// What must hold of a message, all of it; at most 16. Left out, every message of the events is sent.
    #[serde(default)]
    #[schema(max_items = 16)]
    pub filters: Vec<FilterView>,
}

/// A condition on a message's body.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterView {
    /// Names parted by dots from the body's root; in a list a number is one of its elements and `*` any.
    #[schema(example = "data.metrics.currentAttendees", max_length = 200)]
    pub field: String,
    /// How the two are compared.
    pub operator: OperatorView,
    /// What is compared with: a text, number or truth value; for `in` a list of them, for `exists` a truth value.
    #[schema(value_type = Value, example = 900)]
    pub value: Value,
}

/// How a field and a value are compared.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorView {
    /// Equal.
    Eq,
    /// Not equal, or not there.
    Ne,
    /// Less than a number.
    Lt,
    /// At most a number.
    Le,
    /// Greater than a number.
    Gt,
    /// At least a number.
    Ge,
    /// Equal to one of a list.
    In,
    /// A text that begins so.
    StartsWith,
    /// There, or not there.
    Exists,
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
    /// What must hold of a message, all of it.
    pub filters: Vec<FilterView>,
    /// What receivers verify `v1a` signatures with (`whpk_…`, ed25519); it changes with the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
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

/// A delivery with what it carries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentView {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// The body as it is signed and sent, JSON.
    pub body: String,
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

/// Which messages to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResendSince {
    /// Those from this time on, RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Those before this time, RFC 3339; up to now where left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Whether what arrived is sent again too, under the same ids; else only what did not arrive.
    #[serde(default)]
    pub delivered: bool,
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
            filters: endpoint.filters.into_iter().map(Into::into).collect(),
            public_key: endpoint.public_key,
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

impl From<Sent> for SentView {
    fn from(sent: Sent) -> Self {
        Self { delivery: sent.delivery.into(), body: sent.body }
    }
}

impl From<FilterView> for Filter {
    fn from(view: FilterView) -> Self {
        let operator = OPERATORS[view.operator as usize].1;
        Self { field: view.field, operator, value: view.value }
    }
}

impl From<Filter> for FilterView {
    fn from(filter: Filter) -> Self {
        let Filter { field, operator, value } = filter;
        Self { field, operator: OPERATORS[operator as usize].0, value }
    }
}

/// What the partners call an operator, and what the webhooks do; in the order of both.
const OPERATORS: [(OperatorView, Operator); 9] = [
    (OperatorView::Eq, Operator::Eq),
    (OperatorView::Ne, Operator::Ne),
    (OperatorView::Lt, Operator::Lt),
    (OperatorView::Le, Operator::Le),
    (OperatorView::Gt, Operator::Gt),
    (OperatorView::Ge, Operator::Ge),
    (OperatorView::In, Operator::In),
    (OperatorView::StartsWith, Operator::StartsWith),
    (OperatorView::Exists, Operator::Exists),
];

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
