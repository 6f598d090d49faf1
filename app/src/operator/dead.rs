//! Events that failed for good: listing, showing, handing back to their consumers, letting go.

use axum::extract::State;
use ieum_bus::{DeadFilter, DeadLetter, DeadState, DeadTrail};
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context};
use ieum_partners::ProblemView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Operator, views, who};

/// Which dead letters.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadQuery {
    /// Only of this topic.
    topic: Option<String>,
    /// Only of this consumer group.
    group: Option<String>,
    /// Only in this state: `parked`, `replaying`, `in_lane`, `resolved` or `discarded`.
    #[param(value_type = Option<String>)]
    state: Option<DeadState>,
}

/// Dead letters.
#[derive(Serialize)]
pub(super) struct DeadLetters {
    letters: Vec<DeadLetter>,
}

/// One dead letter and who did what to it.
#[derive(Serialize)]
pub(super) struct DeadShown {
    letter: DeadLetter,
    trail: Vec<DeadTrail>,
}

/// Which dead letters to hand back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReplayWish {
    /// Only of this topic.
    topic: Option<String>,
    /// Only of this consumer group.
    group: Option<String>,
}

/// How many were handed back.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replayed {
    /// How many.
    replayed: u64,
}

/// Why one need not be handled.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DiscardWish {
    /// For other people.
    reason: String,
}

/// Lists dead letters, the latest first, at most 100.
#[utoipa::path(get, path = "/api/operator/dead", tag = "dead letters", operation_id = "listDead",
    params(DeadQuery), responses(
    (status = 200, description = "The dead letters", body = views::DeadLettersView),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(operator): State<Operator>,
    ApiQuery(query): ApiQuery<DeadQuery>,
) -> Result<ApiJson<DeadLetters>, ApiError> {
    let filter =
        DeadFilter { topic: query.topic, group: query.group, state: query.state, ..DeadFilter::default() };
    let letters = operator.platform.bus.dead_letters().list(&filter).await.map_err(Fault::from)?;
    Ok(ApiJson(DeadLetters { letters }))
}

/// Shows one with its body, attempts and trail.
#[utoipa::path(get, path = "/api/operator/dead/{id}", tag = "dead letters", operation_id = "showDead",
    params(("id" = String, Path, description = "The dead letter")), responses(
    (status = 200, description = "The dead letter", body = views::DeadShownView),
    (status = 404, description = "No such dead letter", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn show(
    State(operator): State<Operator>,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<DeadShown>, ApiError> {
    shown(&operator, &id).await
}

async fn shown(operator: &Operator, id: &str) -> Result<ApiJson<DeadShown>, ApiError> {
    let desk = operator.platform.bus.dead_letters();
    let letter = desk.show(id).await.map_err(Fault::from)?;
    let trail = desk.trail(id).await.map_err(Fault::from)?;
    Ok(ApiJson(DeadShown { letter, trail }))
}

/// Hands one to its consumer again.
#[utoipa::path(post, path = "/api/operator/dead/{id}/replay", tag = "dead letters", operation_id = "replayDead",
    params(("id" = String, Path, description = "The dead letter")), responses(
    (status = 200, description = "It goes to its consumer", body = views::DeadShownView),
    (status = 404, description = "No such dead letter", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "It is replayed or decided already", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn replay(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(id): ApiPath<String>,
) -> Result<ApiJson<DeadShown>, ApiError> {
    operator.platform.bus.dead_letters().replay(&id, &who(&cx)).await.map_err(Fault::from)?;
    shown(&operator, &id).await
}

/// Hands everything of a topic and group to its consumers again, at most 100 at once.
#[utoipa::path(post, path = "/api/operator/dead/replay", tag = "dead letters", operation_id = "replayAllDead",
    request_body = ReplayWish, responses(
    (status = 200, description = "How many go to their consumers", body = Replayed),
))]
pub(super) async fn replay_all(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiJson(wish): ApiJson<ReplayWish>,
) -> Result<ApiJson<Replayed>, ApiError> {
    let filter = DeadFilter { topic: wish.topic, group: wish.group, ..DeadFilter::default() };
    let desk = operator.platform.bus.dead_letters();
    let count = desk.replay_all(&filter, &who(&cx)).await.map_err(Fault::from)?;
    Ok(ApiJson(Replayed { replayed: u64::try_from(count).unwrap_or(u64::MAX) }))
}

/// Decides that one need not be handled. It stays readable.
#[utoipa::path(post, path = "/api/operator/dead/{id}/discard", tag = "dead letters", operation_id = "discardDead",
    params(("id" = String, Path, description = "The dead letter")), request_body = DiscardWish, responses(
    (status = 200, description = "It is let go", body = views::DeadShownView),
    (status = 400, description = "No reason given", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such dead letter", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "It is replayed or decided already", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn discard(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(id): ApiPath<String>,
    ApiJson(wish): ApiJson<DiscardWish>,
) -> Result<ApiJson<DeadShown>, ApiError> {
    let reason = wish.reason.trim();
    if reason.is_empty() || reason.chars().count() > 200 {
        let message = "field reason: letting an event go needs a reason of 1 to 200 characters";
        let fault = Fault::invalid_argument("operator.no_reason", message);
        return Err(ApiError::from(fault).at_field("reason"));
    }
    operator.platform.bus.dead_letters().discard(&id, &who(&cx), reason).await.map_err(Fault::from)?;
    shown(&operator, &id).await
}
