//! The hub's pages over HTTP: live states, their stream, history, the dashboard.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::sse::{KeepAlive, Sse as SseAnswer};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{HeaderMap, Uri};
use ieum_contracts::events::{
    EventId, EventProgramme, EventState, EventStates, History, HistoryRange, ListEvents, LiveEvent, Programme,
};
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Gateway, Partner};
use serde::Deserialize;

use crate::dashboard::{Dashboard, parse_time_range};
use crate::door::{self, Sight, Visitors};
use crate::programme::Programmes;
use crate::realtime::Realtime;
use crate::stream::{Pictures, check_origin};

/// The longest message that a watcher may send; none is listened to.
const LONGEST_MESSAGE: usize = 4 * 1_024;

#[derive(Clone)]
struct Web {
    realtime: Arc<Realtime>,
    programmes: Arc<Programmes>,
    pictures: Arc<Pictures>,
    clock: SharedClock,
}

/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Returns the routes, behind the gateway's door.
pub fn router(
    gateway: &Gateway,
    visitors: Visitors,
    (realtime, programmes, pictures): (Arc<Realtime>, Arc<Programmes>, Arc<Pictures>),
    clock: SharedClock,
) -> Router {
    let web = Web { realtime, programmes, pictures, clock };
    let router = Router::new()
        .route("/api/events", get(list))
        .route("/api/events/stream", get(stream))
        .route("/api/events/socket", get(socket))
        .route("/api/events/{event_id}", get(one))
        .route("/api/events/{event_id}/history", get(history))
        .route("/api/events/{event_id}/programme", get(programme))
        .route("/api/dashboard", get(dashboard))
        .with_state(web);
    door::guard(gateway, visitors, router)
}

fn check_visible(visitor: &Visitor, event_id: &str) -> Result<(), ApiError> {
    visitor.as_deref().map_or(Ok(()), |partner| Ok(partner.may_see(event_id)?))
}

async fn list(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
) -> Result<ApiJson<EventStates>, ApiError> {
    let sight = Sight::of(visitor.as_deref());
    let mut states = web.realtime.list(&cx, ListEvents { event_ids: sight.events.clone() }).await?;
    sight.narrow(&mut states);
    Ok(ApiJson(states))
}

async fn one(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<LiveEvent>, ApiError> {
    check_visible(&visitor, &event_id)?;
    let mut event = web.realtime.get(&cx, EventId { event_id }).await?;
    if !Sight::of(visitor.as_deref()).details {
        event.data.keep_totals();
    }
    Ok(ApiJson(event))
}

/// A partner who may see the programme but not the event whose scans count sees no attendance.
async fn programme(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<Programme>, ApiError> {
    check_visible(&visitor, &event_id)?;
    let mut programme = web.programmes.get(&cx, EventId { event_id }).await?;
    let counted = programme.attended_by.clone().unwrap_or_else(|| programme.event_id.clone());
    if check_visible(&visitor, &counted).is_err() {
        programme.hide_attendance();
    }
    Ok(ApiJson(programme))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryQuery {
    from: Option<String>,
    until: Option<String>,
    step_seconds: Option<String>,
}

async fn history(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> Result<ApiJson<History>, ApiError> {
    check_visible(&visitor, &event_id)?;
    let ask = read_range(event_id, &query)?;
    Ok(ApiJson(web.realtime.history(&cx, ask).await?))
}

fn read_range(event_id: String, query: &HistoryQuery) -> Result<HistoryRange, Fault> {
    let wrong = |field: &str, what: &str| {
        Fault::invalid_argument(
            "events.history.range",
            format!("reading an event's history: {field} is no {what}"),
        )
    };
    let time = |field: &str, text: &Option<String>| {
        let text = text.as_deref();
        text.map(|text| Timestamp::parse(text).ok_or_else(|| wrong(field, "RFC 3339 time"))).transpose()
    };
    let step = query
        .step_seconds
        .as_deref()
        .map(|text| text.parse().map_err(|_| wrong("stepSeconds", "whole number")));
    Ok(HistoryRange {
        event_id,
        from: time("from", &query.from)?,
        until: time("until", &query.until)?,
        step_seconds: step.transpose()?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DashboardQuery {
    time_range: Option<String>,
}

async fn dashboard(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<DashboardQuery>,
) -> Result<ApiJson<Dashboard>, ApiError> {
    let range = parse_time_range(query.time_range.as_deref().unwrap_or("24h"))?;
    let now = web.clock.now();
    let sight = Sight::of(visitor.as_deref());
    Ok(ApiJson(crate::dashboard::build(&*web.realtime, &cx, &sight, range, now).await?))
}

/// Streams the whole picture: at once, after each change, and as a heartbeat, since ages go on.
async fn stream(State(web): State<Web>, visitor: Visitor) -> Result<impl IntoResponse, ApiError> {
    let watcher = web.pictures.watch(Sight::of(visitor.as_deref())).await?;
    Ok(SseAnswer::new(watcher.events()).keep_alive(KeepAlive::default()))
}

/// The same over a WebSocket: each message is `{"event": …, "data": …}`.
async fn socket(
    State(web): State<Web>,
    visitor: Visitor,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|refused| {
        let message = format!("opening the socket of live states: {}", refused.body_text());
        let fault = Fault::invalid_argument("events.socket.upgrade", message);
        ApiError::from(fault).with_status(refused.status())
    })?;
    check_origin(&headers, &uri)?;
    let watcher = web.pictures.watch(Sight::of(visitor.as_deref())).await?;
    Ok(upgrade.max_message_size(LONGEST_MESSAGE).on_upgrade(|socket| watcher.serve(socket)))
}
