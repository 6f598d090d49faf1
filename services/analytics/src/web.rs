//! What the pages ask: insights, history, forecasts, returns.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::header::CONTENT_TYPE;
use ieum_contracts::analytics::{
    AttendanceRange, AttendanceReport, BehaviourAsk, CrossEventInsights, EventBehaviour, EventForecast,
    EventInsights, ForecastAsk, ForecastStep, HistoryAnswer, HistoryQuestion, Insights, Predictions,
    Recommendation, RoiAsk, RoiReport,
};
use ieum_contracts::events::EventId;
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Partner, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::openapi::openapi_json;

/// What a key needs to see history and forecasts.
const HISTORY: &str = "analytics:read";
/// What a key needs to ask its own questions over all history.
const ASK: &str = "analytics:ask";
/// What a key needs to see money.
const MONEY: &str = "finance:read";

/// Whose privacy budget pays for who needs no key.
const NO_KEY: &str = "no key";

type Web = State<Arc<dyn Insights>>;

/// The holder of the key that a request brought, if any; who needs none sees everything.
type Visitor = Option<Extension<Partner>>;

/// Which history to look at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// From this time on, RFC 3339; one year before `until` where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Up to this time, RFC 3339; now where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Only events of this type.
    event_type: Option<String>,
}

/// Which forecast to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForecastQuery {
    /// `hour` or `day`; hours where left out.
    step: Option<String>,
    /// How many steps, at most 48 hours or 14 days.
    #[param(minimum = 1, maximum = 48)]
    steps: Option<u32>,
    /// One gate; the whole event where left out.
    gate: Option<String>,
}

/// Returns the routes.
pub(crate) fn router(insights: Arc<dyn Insights>) -> Router {
    let document: Arc<str> = openapi_json().into();
    let document = get(move || {
        let document = document.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], document) }
    });
    Router::new()
        .route("/api/insights/openapi.json", document)
        .route("/api/insights", get(across))
        .route("/api/insights/attendance", get(attendance))
        .route("/api/insights/roi", get(roi))
        .route("/api/insights/ask", post(ask))
        .route("/api/insights/{event_id}/behaviour", get(behaviour))
        .route("/api/events/{event_id}/insights", get(event))
        .route("/api/events/{event_id}/forecast", get(forecast))
        .with_state(insights)
}

/// Returns everything about one event: history, figures, what is to come, money, what to do.
#[utoipa::path(get, path = "/api/events/{eventId}/insights", tag = "insights", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event")),
    responses(
    (status = 200, description = "The insights", body = EventInsights),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "Nothing was told of the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn event(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<EventInsights>, ApiError> {
    check(&visitor, Some(&event_id), HISTORY)?;
    let mut found = insights.event(&cx, EventId { event_id }).await?;
    if check(&visitor, None, MONEY).is_err() {
        hide_money(&mut found.roi_analysis, &mut found.recommendations, &mut found.predictions);
    }
    Ok(ApiJson(found))
}

/// Returns the forecast of an event or one of its gates, or why there is none.
#[utoipa::path(get, path = "/api/events/{eventId}/forecast", tag = "insights", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event"), ForecastQuery),
    responses(
    (status = 200, description = "The forecast", body = EventForecast),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "Nothing was told of the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn forecast(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<ForecastQuery>,
) -> Result<ApiJson<EventForecast>, ApiError> {
    check(&visitor, Some(&event_id), HISTORY)?;
    let step = match query.step.as_deref() {
        None | Some("hour") => ForecastStep::Hour,
        Some("day") => ForecastStep::Day,
        Some(_) => return Err(malformed("step", "must be hour or day")),
    };
    if query.steps == Some(0) {
        return Err(malformed("steps", "must be at least 1"));
    }
    let ask = ForecastAsk { event_id, gate_id: query.gate, step, steps: query.steps };
    Ok(ApiJson(insights.forecast(&cx, ask).await?))
}

/// Returns what visitors of an event do, so that nobody is told of: when they enter, how long they stay, how many rooms
/// they visit, when they go for good. Cells below 5 people are left out, the others have noise; an answer about visits
/// that changed costs of the month's privacy budget.
#[utoipa::path(get, path = "/api/insights/{eventId}/behaviour", tag = "insights", security((), ("key" = [])),
    params(("eventId" = String, Path, description = "The event")),
    responses(
    (status = 200, description = "The patterns, with what is left of the budget", body = EventBehaviour),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "The event is not known", body = ProblemView, content_type = "application/problem+json"),
    (status = 409, description = "Others ask with the same budget at the same time; ask again", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "The privacy budget is used up, the message names the day on which it is full again; or too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn behaviour(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<EventBehaviour>, ApiError> {
    check(&visitor, Some(&event_id), HISTORY)?;
    let partner = visitor.as_deref();
    let ask = BehaviourAsk {
        event_id,
        // All keys of one name are one partner's: who makes a second key has no second budget.
        partner: partner.map_or_else(|| NO_KEY.to_owned(), |partner| format!("key {}", partner.name())),
        plan: partner.and_then(|partner| partner.plan()).map(str::to_owned),
    };
    Ok(ApiJson(insights.behaviour(&cx, ask).await?))
}

/// Returns everything over the events that the visitor may see.
#[utoipa::path(get, path = "/api/insights", tag = "insights", security((), ("key" = [])),
    params(RangeQuery),
    responses(
    (status = 200, description = "The insights", body = CrossEventInsights),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn across(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<RangeQuery>,
) -> Result<ApiJson<CrossEventInsights>, ApiError> {
    check(&visitor, None, HISTORY)?;
    let mut found = insights.across(&cx, query.range(&visitor)).await?;
    if check(&visitor, None, MONEY).is_err() {
        hide_money(&mut found.roi_analysis, &mut found.recommendations, &mut found.predictions);
    }
    Ok(ApiJson(found))
}

/// Returns attendance by type, local hour and weekday.
#[utoipa::path(get, path = "/api/insights/attendance", tag = "insights", security((), ("key" = [])),
    params(RangeQuery),
    responses(
    (status = 200, description = "The report", body = AttendanceReport),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn attendance(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiQuery(query): ApiQuery<RangeQuery>,
) -> Result<ApiJson<AttendanceReport>, ApiError> {
    check(&visitor, None, HISTORY)?;
    Ok(ApiJson(insights.attendance(&cx, query.range(&visitor)).await?))
}

/// Returns what events earned and cost, entry by entry. A key needs the scope finance:read.
#[utoipa::path(get, path = "/api/insights/roi", tag = "insights", security((), ("key" = [])),
    responses(
    (status = 200, description = "The money", body = RoiReport),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn roi(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
) -> Result<ApiJson<RoiReport>, ApiError> {
    check(&visitor, None, MONEY)?;
    Ok(ApiJson(insights.roi(&cx, RoiAsk { event_ids: visible(&visitor) }).await?))
}

/// Answers one SELECT over the history of all events, the table event_attendance_data. A key needs the scope
/// analytics:ask and to see all events.
#[utoipa::path(post, path = "/api/insights/ask", tag = "insights", security((), ("key" = [])),
    request_body = HistoryQuestion,
    responses(
    (status = 200, description = "The rows", body = HistoryAnswer),
    (status = 400, description = "A malformed body, or a question that the engine does not take", body = ProblemView, content_type = "application/problem+json"),
    (status = 401, description = "No key, from another machine", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks the scope or may not see every event", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "No engine is set", body = ProblemView, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = ProblemView, content_type = "application/problem+json"),
    (status = 415, description = "The body is no JSON", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests, or too many rows", body = ProblemView, content_type = "application/problem+json"),
    (status = 503, description = "The engine cannot be reached", body = ProblemView, content_type = "application/problem+json"),
    (status = 504, description = "The question took too long", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn ask(
    State(insights): Web,
    visitor: Visitor,
    Context(cx): Context,
    ApiJson(question): ApiJson<HistoryQuestion>,
) -> Result<ApiJson<HistoryAnswer>, ApiError> {
    check(&visitor, None, ASK)?;
    if visible(&visitor).is_some() {
        let message = "asking the history: the key may not see every event, and a question reads all of them";
        return Err(Fault::permission_denied("analytics.history.partial", message).into());
    }
    Ok(ApiJson(insights.ask(&cx, question).await?))
}

impl RangeQuery {
    fn range(self, visitor: &Visitor) -> AttendanceRange {
        AttendanceRange {
            from: self.from,
            until: self.until,
            event_ids: visible(visitor),
            event_types: self.event_type.map(|kind| vec![kind]),
        }
    }
}

/// Asks the holder of a key for a scope and for the event; who needs no key needs neither.
fn check(visitor: &Visitor, event_id: Option<&str>, scope: &str) -> Result<(), Fault> {
    let Some(partner) = visitor.as_deref() else { return Ok(()) };
    partner.require(scope)?;
    event_id.map_or(Ok(()), |event_id| partner.may_see(event_id))
}

/// Takes out what says something of money.
fn hide_money(report: &mut RoiReport, told: &mut Vec<Recommendation>, predictions: &mut Predictions) {
    *report = RoiReport::default();
    told.retain(|one| !one.tells_money());
    predictions.risk_factors.retain(|one| !one.tells_money());
}

/// Returns the events that a visitor may see; `None` for all.
fn visible(visitor: &Visitor) -> Option<Vec<String>> {
    visitor.as_deref()?.events().ids()
}

fn malformed(field: &str, problem: &str) -> ApiError {
    let fault = Fault::invalid_argument("analytics.query.malformed", format!("field {field}: {problem}"));
    ApiError::from(fault).at_field(field)
}
