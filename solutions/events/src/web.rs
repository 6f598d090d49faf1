//! The hub's pages over HTTP: live states, their stream, history, the dashboard.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event as Sse, KeepAlive, Sse as SseAnswer};
use axum::routing::get;
use axum::{Extension, Router};
use futures::Stream;
use ieum_contracts::events::{
    EventId, EventProgramme, EventState, EventStates, History, HistoryRange, ListEvents, LiveEvent, Programme,
};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Gateway, Partner};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dashboard::{Dashboard, parse_time_range};
use crate::door::{self, Visitors};
use crate::programme::Programmes;
use crate::realtime::Realtime;

/// Streams at once. Each looks into the tables at every change.
const MOST_STREAMS: usize = 256;

/// Ages go on while nothing changes; listeners hear at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Changes within this time are told together.
const GATHER: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct Web {
    realtime: Arc<Realtime>,
    programmes: Arc<Programmes>,
    clock: SharedClock,
    streams: Arc<Semaphore>,
}

/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Returns the routes, behind the gateway's door.
pub fn router(
    gateway: &Gateway,
    visitors: Visitors,
    (realtime, programmes): (Arc<Realtime>, Arc<Programmes>),
    clock: SharedClock,
) -> Router {
    let web = Web { realtime, programmes, clock, streams: Arc::new(Semaphore::new(MOST_STREAMS)) };
    let router = Router::new()
        .route("/api/events", get(list))
        .route("/api/events/stream", get(stream))
        .route("/api/events/{event_id}", get(one))
        .route("/api/events/{event_id}/history", get(history))
        .route("/api/events/{event_id}/programme", get(programme))
        .route("/api/dashboard", get(dashboard))
        .with_state(web);
    door::guard(gateway, visitors, router)
}

fn asked(visitor: &Visitor) -> ListEvents {
    ListEvents { event_ids: door::visible(visitor.as_deref()) }
}

fn check_visible(visitor: &Visitor, event_id: &str) -> Result<(), ApiError> {
    visitor.as_deref().map_or(Ok(()), |partner| Ok(partner.may_see(event_id)?))
}

async fn list(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
) -> Result<ApiJson<EventStates>, ApiError> {
    Ok(ApiJson(web.realtime.list(&cx, asked(&visitor)).await?))
}

async fn one(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<LiveEvent>, ApiError> {
    check_visible(&visitor, &event_id)?;
    Ok(ApiJson(web.realtime.get(&cx, EventId { event_id }).await?))
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
    Ok(ApiJson(crate::dashboard::build(&*web.realtime, &cx, asked(&visitor), range, now).await?))
}

/// Streams the whole picture: at once, after each change, and as a heartbeat, since ages go on.
async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
) -> Result<impl IntoResponse, ApiError> {
    let Ok(place) = web.streams.clone().try_acquire_owned() else {
        let message = format!("streaming live states: {MOST_STREAMS} streams are open already");
        let fault = Fault::resource_exhausted("events.stream.too_many", message);
        return Err(fault.with_retry_after(HEARTBEAT).into());
    };
    let watching = Watching { web, cx, ask: asked(&visitor), _place: place };
    Ok(SseAnswer::new(pictures(watching)).keep_alive(KeepAlive::default()))
}

/// One open stream.
struct Watching {
    web: Web,
    cx: Cx,
    ask: ListEvents,
    _place: OwnedSemaphorePermit,
}

fn pictures(watching: Watching) -> impl Stream<Item = Result<Sse, Infallible>> {
    let changes = watching.web.realtime.changes();
    futures::stream::unfold((watching, changes, true), |(watching, mut changes, first)| async move {
        if !first && !wait_for_change(&watching.web.clock, &mut changes).await {
            return None;
        }
        let picture = match watching.web.realtime.list(&watching.cx, watching.ask.clone()).await {
            Ok(states) => Sse::default().event("states").json_data(&states),
            Err(fault) => Sse::default().event("fault").json_data(fault.to_problem(None)),
        };
        let picture = picture.unwrap_or_else(|_| Sse::default().comment("a state has no JSON form"));
        Some((Ok(picture), (watching, changes, false)))
    })
}

/// Waits for a change and a moment longer, or for the heartbeat. Returns false once there is nobody to hear from.
async fn wait_for_change(
    clock: &SharedClock,
    changes: &mut tokio::sync::broadcast::Receiver<String>,
) -> bool {
    tokio::select! {
        change = changes.recv() => match change {
            Err(RecvError::Closed) => return false,
            Ok(_) | Err(RecvError::Lagged(_)) => clock.sleep(GATHER).await,
        },
        () = clock.sleep(HEARTBEAT) => return true,
    }
    while changes.try_recv().is_ok() {}
    true
}
