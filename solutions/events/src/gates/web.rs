//! The gates' pages over HTTP: as they stand, their flow, and the door through which gates push their scans.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Router};
use ieum_contracts::events::{
    EventGates, EventGatesNow, EventId, GateFlow, GateFlowRange, GateScan, GateScans, GateScansTaken,
};
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, DETAILS, Gateway, Partner, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Gates;
use crate::door::{self, Visitors};
use crate::views;

/// The scope that a key needs to push scans.
pub const SCOPE: &str = "gates:write";

/// Returns the routes: reading behind the hub's own door, pushing behind a partner's key.
pub fn router(gateway: &Gateway, visitors: Visitors, gates: Arc<Gates>) -> Router {
    let read = Router::new()
        .route("/api/events/{event_id}/gates", get(now))
        .route("/api/events/{event_id}/gates/flow", get(flow))
        .with_state(gates.clone());
    let push = Router::new().route("/api/events/{event_id}/gates/scans", post(scans)).with_state(gates);
    door::guard(gateway, visitors, read).merge(gateway.partner(push))
}

/// Returns an event's gates and how many people are inside. A key needs `details:read` as well.
#[utoipa::path(get, path = "/api/events/{eventId}/gates", tag = "gates", operation_id = "showGates", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event", example = "spring-concert")), responses(
    (status = 200, description = "The gates", body = EventGatesNow),
    (status = 404, description = "No source tells of the event", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn now(
    State(gates): State<Arc<Gates>>,
    visitor: Option<Extension<Partner>>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<EventGatesNow>, ApiError> {
    check_visible(visitor.as_deref(), &event_id)?;
    Ok(ApiJson(gates.get(&cx, EventId { event_id }).await?))
}

/// Which part of the flow to show.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlowQuery {
    /// From this time on, RFC 3339; the last 24 hours where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this time, RFC 3339; now where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// One row per gate and this many seconds, whole minutes; 300 where left out.
    #[param(minimum = 60, maximum = 86400, multiple_of = 60)]
    step_seconds: Option<u32>,
}

/// Returns how many people went in and out at each gate, step by step, over at most 31 days and 10,000 steps; steps in
/// which nobody did are left out. A key needs `details:read` as well.
#[utoipa::path(get, path = "/api/events/{eventId}/gates/flow", tag = "gates", operation_id = "showGateFlow", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event", example = "spring-concert"), FlowQuery), responses(
    (status = 200, description = "The flow", body = GateFlow),
    (status = 404, description = "No source tells of the event", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn flow(
    State(gates): State<Arc<Gates>>,
    visitor: Option<Extension<Partner>>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<FlowQuery>,
) -> Result<ApiJson<GateFlow>, ApiError> {
    check_visible(visitor.as_deref(), &event_id)?;
    let FlowQuery { from, until, step_seconds } = query;
    Ok(ApiJson(gates.flow(&cx, GateFlowRange { event_id, from, until, step_seconds }).await?))
}

/// A gate is more than a total, so a key needs the scope for that too.
fn check_visible(visitor: Option<&Partner>, event_id: &str) -> Result<(), Fault> {
    let Some(partner) = visitor else { return Ok(()) };
    partner.may_see(event_id)?;
    partner.require(DETAILS)
}

/// What gates send: the scans alone, the event stands in the path.
#[derive(Deserialize)]
pub(crate) struct Scans {
    scans: Vec<GateScan>,
}

/// Takes scans in, all or none. A scan that is known already changes nothing, however late it comes again. A key needs
/// `gates:write`.
#[utoipa::path(post, path = "/api/events/{eventId}/gates/scans", tag = "gates", operation_id = "pushScans",
    security(("key" = [])), params(("eventId" = String, Path, description = "The event", example = "spring-concert")), request_body = views::Scans, responses(
    (status = 200, description = "What became of them", body = GateScansTaken),
    (status = 404, description = "No source is registered for the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "The event's source is read and does not push", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn scans(
    State(gates): State<Arc<Gates>>,
    partner: Partner,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
    ApiJson(Scans { scans }): ApiJson<Scans>,
) -> Result<ApiJson<GateScansTaken>, ApiError> {
    partner.require(SCOPE)?;
    partner.may_see(&event_id)?;
    Ok(ApiJson(gates.record(&cx, GateScans { event_id, scans }).await?))
}
