//! The hub's public HTTP routes: live states, their stream, the dashboard and the sources' hints.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::response::sse::{Event as Sse, KeepAlive, Sse as SseAnswer};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderValue, StatusCode, header};
use ieum_contracts::events::{
    EventId, EventState, EventStates, History, HistoryRange, ListEvents, LiveEvent,
};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_policy::Gcra;
use parking_lot::Mutex;
use serde::Deserialize;
use subtle::ConstantTimeEq;
use tokio::sync::broadcast::error::RecvError;

use crate::dashboard::{Dashboard, parse_time_range};
use crate::driver::Job;
use crate::realtime::Realtime;
use crate::registry::Registry;

/// The longest body of a hint. They are thin.
const LONGEST_HINT: usize = 64 * 1024;

/// Hints per second and source, and at once.
const HINTS: (u32, u32) = (50, 200);

/// Ages go on while nothing changes; listeners hear at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Changes within this time are told together.
const GATHER: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct Web {
    registry: Arc<Registry>,
    realtime: Arc<Realtime>,
    hints: Option<Gcra>,
    arrivals: Arc<Mutex<HashMap<String, i64>>>,
}

/// A fault as problem+json within a trace.
struct Failed(Fault, Cx);

/// The request's context from its headers.
struct RequestCx(Cx);

/// Returns the routes.
pub fn router(registry: Arc<Registry>, realtime: Arc<Realtime>) -> Router {
    let hints = Gcra::new(HINTS.0, Duration::from_secs(1), HINTS.1).ok();
    let web = Web { registry, realtime, hints, arrivals: Arc::default() };
    Router::new()
        .route("/api/events", get(list))
        .route("/api/events/stream", get(stream))
        .route("/api/events/{event_id}", get(one))
        .route("/api/events/{event_id}/history", get(history))
        .route("/api/dashboard", get(dashboard))
        .route("/hooks/{source}/{secret}", post(hint).layer(DefaultBodyLimit::max(LONGEST_HINT)))
        .with_state(web)
}

async fn list(State(web): State<Web>, RequestCx(cx): RequestCx) -> Result<Json<EventStates>, Failed> {
    web.realtime.list(&cx, ListEvents::default()).await.map(Json).map_err(|fault| Failed(fault, cx))
}

async fn one(
    State(web): State<Web>,
    RequestCx(cx): RequestCx,
    Path(event_id): Path<String>,
) -> Result<Json<LiveEvent>, Failed> {
    web.realtime.get(&cx, EventId { event_id }).await.map(Json).map_err(|fault| Failed(fault, cx))
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
    RequestCx(cx): RequestCx,
    Path(event_id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<History>, Failed> {
    let ask = match read_range(event_id, &query) {
        Ok(ask) => ask,
        Err(fault) => return Err(Failed(fault, cx)),
    };
    web.realtime.history(&cx, ask).await.map(Json).map_err(|fault| Failed(fault, cx))
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
    RequestCx(cx): RequestCx,
    Query(query): Query<DashboardQuery>,
) -> Result<Json<Dashboard>, Failed> {
    let built = async {
        let range = parse_time_range(query.time_range.as_deref().unwrap_or("24h"))?;
        crate::dashboard::build(&*web.realtime, &cx, range, web.registry.clock.now()).await
    };
    built.await.map(Json).map_err(|fault| Failed(fault, cx))
}

/// Takes a source's hint. It answers before anything is fetched: the source may hold its own database
/// locked until then.
async fn hint(
    State(web): State<Web>,
    RequestCx(cx): RequestCx,
    Path((event_id, secret)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Failed> {
    web.take_hint(&event_id, &secret, &body).await.map_err(|fault| Failed(fault, cx))
}

impl Web {
    async fn take_hint(&self, event_id: &str, secret: &str, body: &[u8]) -> Result<StatusCode, Fault> {
        // An unknown source and a wrong secret answer the same.
        let stranger =
            || Fault::not_found("events.hook.unknown", "taking a webhook: nobody listens at this address");
        let source = match self.registry.store.source(event_id).await {
            Ok(source) => source,
            Err(fault) if fault.reason == "events.source.unknown" => return Err(stranger()),
            Err(fault) => return Err(fault),
        };
        if !bool::from(source.hook_secret.expose().as_bytes().ct_eq(secret.as_bytes())) {
            return Err(stranger());
        }
        self.pass(event_id)?;
        let connector = self.registry.collector.connector(&source.config)?;
        let Some(hint) = connector.read_hint(body)? else { return Ok(StatusCode::NO_CONTENT) };
        let is_new = self.registry.store.save_hint(event_id, &hint, self.registry.clock.now()).await?;
        if is_new {
            self.registry.driver.hasten(&Job::Hints(event_id.to_owned()));
        }
        metrics::counter!("ieum_events_hints_total", "new" => if is_new { "true" } else { "false" })
            .increment(1);
        Ok(StatusCode::NO_CONTENT)
    }

    fn pass(&self, event_id: &str) -> Result<(), Fault> {
        let Some(limit) = &self.hints else { return Ok(()) };
        let now = self.registry.clock.now().as_micros();
        let mut arrivals = self.arrivals.lock();
        let arrival = arrivals.entry(event_id.to_owned()).or_insert(0);
        let decision = limit.check(*arrival, now);
        *arrival = decision.new_arrival;
        if decision.allowed {
            return Ok(());
        }
        let message = format!("taking a webhook of {event_id}: more than {} per second", HINTS.0);
        Err(Fault::resource_exhausted("events.hook.too_many", message).with_retry_after(decision.retry_after))
    }
}

/// Streams the whole picture: at once, after each change, and as a heartbeat, since ages go on.
async fn stream(State(web): State<Web>, RequestCx(cx): RequestCx) -> impl IntoResponse {
    SseAnswer::new(pictures(web, cx)).keep_alive(KeepAlive::default())
}

fn pictures(web: Web, cx: Cx) -> impl Stream<Item = Result<Sse, Infallible>> {
    let changes = web.realtime.changes();
    let begin = (web, cx, changes, true);
    futures::stream::unfold(begin, |(web, cx, mut changes, first)| async move {
        if !first && !wait_for_change(&web.registry.clock, &mut changes).await {
            return None;
        }
        let picture = match web.realtime.list(&cx, ListEvents::default()).await {
            Ok(states) => Sse::default().event("states").json_data(&states),
            Err(fault) => Sse::default().event("fault").json_data(fault.to_problem(None)),
        };
        let picture = picture.unwrap_or_else(|_| Sse::default().comment("a state has no JSON form"));
        Some((Ok(picture), (web, cx, changes, false)))
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

impl FromRequestParts<Web> for RequestCx {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        Ok(Self(Cx::from_headers(&parts.headers, web.registry.clock.moment()).child()))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(fault, cx) = self;
        let problem = fault.to_problem(Some(cx.trace().trace_id.to_string()));
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = fault.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}
