//! The gates' pages over HTTP: as they stand, their flow, and the door through which gates push their scans.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Router};
use ieum_contracts::events::{
    EventGates, EventGatesNow, EventId, GateFlow, GateFlowRange, GateScan, GateScans, GateScansTaken,
};
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, DETAILS, Gateway, Partner};
use serde::Deserialize;

use super::Gates;
use crate::door::{self, Visitors};

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

async fn now(
    State(gates): State<Arc<Gates>>,
    visitor: Option<Extension<Partner>>,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<EventGatesNow>, ApiError> {
    check_visible(visitor.as_deref(), &event_id)?;
    Ok(ApiJson(gates.get(&cx, EventId { event_id }).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlowQuery {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    step_seconds: Option<u32>,
}

async fn flow(
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
struct Scans {
    scans: Vec<GateScan>,
}

async fn scans(
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
