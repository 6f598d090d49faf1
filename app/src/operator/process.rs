//! What machines ask of a process, for the description: health, figures, the partners' document. Others answer it.
#![allow(dead_code, reason = "described, never called")]

use ieum_partners::ProblemView;

use super::views::HealthView;

/// Tells that the process runs, whatever it stands on.
#[utoipa::path(get, path = "/health/live", tag = "process", operation_id = "isLive", responses(
    (status = 200, description = "It runs", body = HealthView),
))]
pub(super) fn live() {}

/// Tells whether work may come: the start is over, the end has not begun, and what it cannot do without is there.
#[utoipa::path(get, path = "/health/ready", tag = "process", operation_id = "isReady", responses(
    (status = 200, description = "Work may come", body = HealthView),
    (status = 503, description = "No work may come now", body = HealthView),
))]
pub(super) fn ready() {}

/// Tells whether the start is over.
#[utoipa::path(get, path = "/health/startup", tag = "process", operation_id = "isStarted", responses(
    (status = 200, description = "It is over", body = HealthView),
    (status = 503, description = "It is under way", body = HealthView),
))]
pub(super) fn startup() {}

/// Returns the figures of the process and of every source, for Prometheus. They name events, so they stand behind the
/// hub's door; a key needs the scopes events:read and metrics:read.
#[utoipa::path(get, path = "/metrics", tag = "process", operation_id = "showMetrics", responses(
    (status = 200, description = "The figures, in Prometheus's text format", body = String, content_type = "text/plain"),
    (status = 403, description = "The key may not", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) fn metrics() {}

/// Returns the partner API's OpenAPI document. Each other document lies beside what it describes.
#[utoipa::path(get, path = "/openapi.json", tag = "process", operation_id = "showPartnerDocument", responses(
    (status = 200, description = "The document", body = Object, content_type = "application/json"),
))]
pub(super) fn document() {}
