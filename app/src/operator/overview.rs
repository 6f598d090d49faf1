//! The process as a whole: its version, parts and health, and where an event is.

use axum::extract::State;
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath};
use ieum_partners::ProblemView;
use ieum_telemetry::HealthReport;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Operator, views};
use crate::commands::locate;

/// The process as a whole.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    version: &'static str,
    parts: Vec<&'static str>,
    now: Timestamp,
    health: HealthReport,
}

/// Every place that has seen an event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SightingsView {
    /// In the order of its way.
    sightings: Vec<SightingView>,
}

/// One place that has seen an event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SightingView {
    /// `outbox`, `log`, `waiting`, `lane`, `dead`, `handled` or `webhook`.
    stage: String,
    /// Since when.
    #[schema(format = DateTime)]
    at: String,
    /// For people.
    detail: String,
}

/// Returns version, parts and health.
#[utoipa::path(get, path = "/api/operator/overview", tag = "platform", operation_id = "showOverview", responses(
    (status = 200, description = "The process", body = views::OverviewView),
))]
pub(super) async fn show(State(operator): State<Operator>) -> ApiJson<Overview> {
    ApiJson(Overview {
        version: env!("CARGO_PKG_VERSION"),
        parts: operator.parts.clone(),
        now: operator.platform.clock.now(),
        health: operator.health.report().await,
    })
}

/// Tells where an event is: outbox, log, consumers, retry lanes, dead letters, webhooks.
#[utoipa::path(get, path = "/api/operator/where/{eventId}", tag = "platform", operation_id = "locateEvent",
    params(("eventId" = String, Path, description = "The event's id")), responses(
    (status = 200, description = "Where it was seen", body = SightingsView),
    (status = 404, description = "Nowhere", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn locate(
    State(operator): State<Operator>,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<SightingsView>, ApiError> {
    let found = locate::whereabouts(&operator.platform, &event_id).await;
    let locate::Whereabouts { rows, searched } = found
        .map_err(|error| Fault::internal("operator.locate", format!("looking for {event_id}: {error}")))?;
    if rows.is_empty() {
        return Err(Fault::not_found(
            "operator.event_unseen",
            locate::unseen(&event_id, searched.as_deref()),
        )
        .into());
    }
    let show = |row: Vec<String>| {
        let mut fields = row.into_iter();
        let mut next = || fields.next().unwrap_or_default();
        SightingView { stage: next(), at: next(), detail: next() }
    };
    Ok(ApiJson(SightingsView { sightings: rows.into_iter().map(show).collect() }))
}
