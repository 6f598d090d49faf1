//! The routes by which an orchestrator and Prometheus look at a process.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::{Health, HealthReport, Metrics, Status};

/// Returns the routes of health:
///
/// - `/health/live` answers 200 as long as the process answers at all: it looks at no dependency, for a
///   restart does not bring a dependency back.
/// - `/health/startup` answers 503 until the start is over, then 200.
/// - `/health/ready` answers 200 while work may come (healthy or degraded), 503 otherwise; the body is the
///   whole [`HealthReport`].
pub fn health_routes(health: Health) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/startup", get(startup))
        .route("/health/ready", get(ready))
        .with_state(health)
}

/// Returns the route `/metrics`, Prometheus' text format 0.0.4. Labels may name what is not everybody's, so who may
/// see it is for the caller to decide.
pub fn metrics_routes(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(show_metrics)).with_state(metrics)
}

async fn live() -> Response {
    answer(StatusCode::OK, &HealthReport { status: Status::Healthy, checks: Vec::new() })
}

async fn startup(State(health): State<Health>) -> Response {
    let status = if health.has_started() { Status::Healthy } else { Status::Starting };
    answer(code(status), &HealthReport { status, checks: Vec::new() })
}

async fn ready(State(health): State<Health>) -> Response {
    let report = health.report().await;
    answer(code(report.status), &report)
}

async fn show_metrics(State(metrics): State<Metrics>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics.render()).into_response()
}

fn code(status: Status) -> StatusCode {
    if status.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn answer(code: StatusCode, report: &HealthReport) -> Response {
    (code, [(header::CACHE_CONTROL, "no-store")], Json(report)).into_response()
}
