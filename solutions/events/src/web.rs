//! The hub's pages over HTTP: live states, their stream, history, the dashboard.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::sse::{KeepAlive, Sse as SseAnswer};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use ieum_contracts::analytics::Insights;
use ieum_contracts::events::{
    EventId, EventProgramme, EventState, EventStates, History, HistoryRange, ListEvents, LiveEvent, Programme,
};
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Gateway, Origins, Partner, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::dashboard::{Dashboard, parse_time_range};
use crate::door::{self, Sight, Visitors};
use crate::insights::look;
use crate::openapi::openapi_json;
use crate::programme::Programmes;
use crate::realtime::Realtime;
use crate::stream::{Pictures, check_origin};

/// The longest message that a watcher may send; none is listened to.
const LONGEST_MESSAGE: usize = 4 * 1_024;

#[derive(Clone)]
pub(crate) struct Web {
    realtime: Arc<Realtime>,
    programmes: Arc<Programmes>,
    pictures: Arc<Pictures>,
    /// The way to analytics, where there is one.
    insights: Option<Arc<dyn Insights>>,
    clock: SharedClock,
    /// Whose pages may open the socket beside our own.
    origins: Origins,
}

/// The holder of the key that a request brought, if any.
type Visitor = Option<Extension<Partner>>;

/// Returns the routes, behind the gateway's door.
pub fn router(
    gateway: &Gateway,
    visitors: Visitors,
    (realtime, programmes, pictures): (Arc<Realtime>, Arc<Programmes>, Arc<Pictures>),
    insights: Option<Arc<dyn Insights>>,
    clock: SharedClock,
) -> Router {
    let origins = gateway.origins().clone();
    let web = Web { realtime, programmes, pictures, insights, clock, origins };
    let document: Arc<str> = openapi_json().into();
    let document = get(move || {
        let document = document.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    });
    let router = Router::new()
        .route("/api/events", get(list))
        .route("/api/events/openapi.json", document)
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

/// Lists the live state of every event that the visitor may see; totals alone for a key without `details:read`.
#[utoipa::path(get, path = "/api/events", tag = "events", operation_id = "listEvents", security((), ("key" = [])), responses(
    (status = 200, description = "The events", body = EventStates),
))]
pub(crate) async fn list(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
) -> Result<ApiJson<EventStates>, ApiError> {
    let sight = Sight::of(visitor.as_deref());
    let mut states = web.realtime.list(&cx, ListEvents { event_ids: sight.events.clone() }).await?;
    sight.narrow(&mut states);
    Ok(ApiJson(states))
}

/// Returns one event's live state; totals alone for a key without `details:read`.
#[utoipa::path(get, path = "/api/events/{eventId}", tag = "events", operation_id = "showEvent", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event", example = "spring-concert")), responses(
    (status = 200, description = "The event", body = LiveEvent),
    (status = 404, description = "No source tells of it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn one(
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

/// Returns what happens when and where. A partner who may see the programme but not the event whose scans count
/// sees no attendance.
#[utoipa::path(get, path = "/api/events/{eventId}/programme", tag = "events", operation_id = "showProgramme", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event", example = "spring-concert")), responses(
    (status = 200, description = "The programme", body = Programme),
    (status = 404, description = "No source tells one", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn programme(
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

/// Which part of an event's history to show.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// From this time on, RFC 3339; the last 24 hours where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Up to this time, RFC 3339; now where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
    /// One row per this many seconds; 60 where left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 86400)]
    step_seconds: Option<String>,
}

/// Returns an event's attendance over time, at most 10,000 steps.
#[utoipa::path(get, path = "/api/events/{eventId}/history", tag = "events", operation_id = "showHistory", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event", example = "spring-concert"), HistoryQuery), responses(
    (status = 200, description = "The attendance over time", body = History),
    (status = 404, description = "No source tells of it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn history(
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

/// Which time the charts show.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DashboardQuery {
    /// A span up to now such as `24h` or `7d`, one minute to 366 days; `24h` where left out.
    #[param(example = "24h")]
    time_range: Option<String>,
}

/// Returns everything at once: sums, events with their trend, what history says, and the rows of the charts. Where
/// history cannot be asked the rest is told all the same.
#[utoipa::path(get, path = "/api/dashboard", tag = "events", operation_id = "showDashboard", security((), ("key" = [])),
    params(DashboardQuery), responses(
    (status = 200, description = "The dashboard", body = Dashboard),
))]
pub(crate) async fn dashboard(
    State(web): State<Web>,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<DashboardQuery>,
) -> Result<ApiJson<Dashboard>, ApiError> {
    let range = parse_time_range(query.time_range.as_deref().unwrap_or("24h"))?;
    let now = web.clock.now();
    let sight = Sight::of(visitor.as_deref());
    let live = crate::dashboard::build(&*web.realtime, &cx, &sight, range, now);
    let history = look(web.insights.as_deref(), &cx, visitor.as_deref(), &*web.clock);
    let (dashboard, insights) = futures::join!(live, history);
    Ok(ApiJson(dashboard?.with(insights)))
}

/// Streams the whole picture: at once, after each change, and as a heartbeat, since ages go on. Each message is of
/// the event `states`, or `fault` with a problem.
#[utoipa::path(get, path = "/api/events/stream", tag = "live", operation_id = "streamEvents", security((), ("key" = [])), responses(
    (status = 200, description = "The stream, without an end; each message's data is like the answer of listEvents",
        body = String, content_type = "text/event-stream"),
))]
pub(crate) async fn stream(State(web): State<Web>, visitor: Visitor) -> Result<impl IntoResponse, ApiError> {
    let watcher = web.pictures.watch(Sight::of(visitor.as_deref())).await?;
    Ok(SseAnswer::new(watcher.events()).keep_alive(KeepAlive::default()))
}

/// The same over a WebSocket: each message is `{"event": …, "data": …}`.
#[utoipa::path(get, path = "/api/events/socket", tag = "live", operation_id = "openSocket", security((), ("key" = [])), responses(
    (status = 101, description = "The WebSocket is open"),
    (status = 400, description = "It is no request for a WebSocket", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key may not, or the page that asks is not one of this hub", body = ProblemView, content_type = "application/problem+json"),
    (status = 426, description = "The connection cannot become a WebSocket", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn socket(
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
    check_origin(&web.origins, &headers, &uri)?;
    let watcher = web.pictures.watch(Sight::of(visitor.as_deref())).await?;
    Ok(upgrade.max_message_size(LONGEST_MESSAGE).on_upgrade(|socket| watcher.serve(socket)))
}
