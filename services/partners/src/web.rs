//! What partners and the public ask: events, attendance, sums, history.

use std::sync::Arc;

use axum::extract::State;
use ieum_contracts::events::{EventId, EventState, HistoryRange, ListEvents};
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context, Keys, Partner};
use ieum_webhook::Webhooks;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::rules::{self, scope};
use crate::views::{AnalyticsSummary, History, LiveEvent, PartnerEvents, ProblemView, PublicEvents};

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct Web {
    pub events: Arc<dyn EventState>,
    pub webhooks: Webhooks,
    pub keys: Keys,
    pub clock: SharedClock,
}

/// Which part of an event's history to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// From this time on, RFC 3339; the last 24 hours where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Up to this time, RFC 3339.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// One row per this many seconds, 1 to 86,400; 60 where left out.
    #[param(minimum = 1, maximum = 86400)]
    step_seconds: Option<u32>,
}

/// Answers what everybody may know: sums over all events.
#[utoipa::path(get, path = "/api/public/events", tag = "public", responses(
    (status = 200, description = "Sums over all events", body = PublicEvents),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn public_events(
    State(web): State<Web>,
    Context(cx): Context,
) -> Result<ApiJson<PublicEvents>, ApiError> {
    let states = web.events.list(&cx, ListEvents::default()).await?;
    Ok(ApiJson(rules::public_events(&states)))
}

/// Lists the events that the key may see, with their live state; totals alone without the scope `details:read`.
#[utoipa::path(get, path = "/api/partner/events", tag = "partner", security(("key" = [])), responses(
    (status = 200, description = "The events", body = PartnerEvents),
    (status = 401, description = "No valid key", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "The key lacks events:read", body = ProblemView, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn events(
    State(web): State<Web>,
    partner: Partner,
    Context(cx): Context,
) -> Result<ApiJson<PartnerEvents>, ApiError> {
    partner.require(scope::EVENTS_READ)?;
    let event_ids = partner.events().ids();
    let mut events = web.events.list(&cx, ListEvents { event_ids }).await?.events;
    if !partner.sees_details() {
        events.iter_mut().for_each(|event| event.data.keep_totals());
    }
    Ok(ApiJson(PartnerEvents { events: events.into_iter().map(Into::into).collect() }))
}

/// Returns one event's attendance as it stands; totals alone without the scope `details:read`.
#[utoipa::path(get, path = "/api/partner/events/{eventId}/attendance", tag = "partner",
    security(("key" = [])), params(("eventId" = String, Path, description = "The event")), responses(
    (status = 200, description = "The attendance", body = LiveEvent),
    (status = 403, description = "The key may not see the event", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such event", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn attendance(
    State(web): State<Web>,
    partner: Partner,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
) -> Result<ApiJson<LiveEvent>, ApiError> {
    partner.require(scope::ATTENDANCE_READ)?;
    partner.may_see(&event_id)?;
    let mut event = web.events.get(&cx, EventId { event_id }).await?;
    if !partner.sees_details() {
        event.data.keep_totals();
    }
    Ok(ApiJson(event.into()))
}

/// Returns sums over the events that the key may see.
#[utoipa::path(get, path = "/api/partner/analytics/summary", tag = "partner", security(("key" = [])), responses(
    (status = 200, description = "The sums", body = AnalyticsSummary),
    (status = 403, description = "The key lacks analytics:read", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn summary(
    State(web): State<Web>,
    partner: Partner,
    Context(cx): Context,
) -> Result<ApiJson<AnalyticsSummary>, ApiError> {
    partner.require(scope::ANALYTICS_READ)?;
    let event_ids = partner.events().ids();
    let summary = web.events.summary(&cx, ListEvents { event_ids }).await?;
    Ok(ApiJson(summary.into()))
}

/// Returns an event's attendance over time. For premium keys.
#[utoipa::path(get, path = "/api/premium/events/{eventId}/history", tag = "premium", security(("key" = [])),
    params(("eventId" = String, Path, description = "The event"), HistoryQuery), responses(
    (status = 200, description = "The attendance over time", body = History),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 403, description = "Not a premium key, or the event is not the key's", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such event", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn history(
    State(web): State<Web>,
    partner: Partner,
    Context(cx): Context,
    ApiPath(event_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<HistoryQuery>,
) -> Result<ApiJson<History>, ApiError> {
    partner.require(scope::ATTENDANCE_READ)?;
    partner.may_see(&event_id)?;
    let HistoryQuery { from, until, step_seconds } = query;
    if step_seconds.is_some_and(|step| !(1..=86_400).contains(&step)) {
        return Err(malformed("stepSeconds", "must be 1 to 86400"));
    }
    if let (Some(from), Some(until)) = (from, until)
        && from > until
    {
        return Err(malformed("from", "is after until"));
    }
    let range = HistoryRange { event_id, from, until, step_seconds };
    let history = web.events.history(&cx, range).await?;
    Ok(ApiJson(history.into()))
}

/// Refuses a query, naming the field.
pub(crate) fn malformed(field: &str, problem: &str) -> ApiError {
    let fault = Fault::invalid_argument("partners.query.malformed", format!("field {field}: {problem}"));
    ApiError::from(fault).at_field(field)
}
