//! What partners see: the resource-shaped JSON of the API, versioned apart from the contracts.

mod events;
mod usage;
mod webhooks;

use serde::Serialize;
use utoipa::ToSchema;

pub use events::*;
pub use usage::*;
pub use webhooks::*;

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
