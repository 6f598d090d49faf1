//! The routes by which an orchestrator and Prometheus look at a process.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::{Health, HealthReport, Metrics, Status};

#[derive(Clone)]
struct Shown {
    health: Health,
    metrics: Metrics,
}

/// Returns the routes of health and metrics:
///
/// - `/health/live` answers 200 as long as the process answers at all: it looks at no dependency, for a
///   restart does not bring a dependency back.
/// - `/health/startup` answers 503 until the start is over, then 200.
/// - `/health/ready` answers 200 while work may come (healthy or degraded), 503 otherwise; the body is the
///   whole [`HealthReport`].
/// - `/metrics` is Prometheus' text format 0.0.4.
pub fn health_routes(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/startup", get(startup))
        .route("/health/ready", get(ready))
        .route("/metrics", get(show_metrics))
        .with_state(Shown { health, metrics })
}

async fn live() -> Response {
    answer(StatusCode::OK, &HealthReport { status: Status::Healthy, checks: Vec::new() })
}

async fn startup(State(shown): State<Shown>) -> Response {
    let status = if shown.health.has_started() { Status::Healthy } else { Status::Starting };
    answer(code(status), &HealthReport { status, checks: Vec::new() })
}

async fn ready(State(shown): State<Shown>) -> Response {
    let report = shown.health.report().await;
    answer(code(report.status), &report)
}

async fn show_metrics(State(shown): State<Shown>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, shown.metrics.render()).into_response()
}

fn code(status: Status) -> StatusCode {
    if status.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn answer(code: StatusCode, report: &HealthReport) -> Response {
    (code, [(header::CACHE_CONTROL, "no-store")], Json(report)).into_response()
}
