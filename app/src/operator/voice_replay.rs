//! A turn led again, as it would be today, with nothing coming of it.

use axum::extract::State;
use ieum_gateway::{ApiError, ApiJson, ApiPath, ApiQuery, Context};
use ieum_partners::ProblemView;
use ieum_voice::Replay;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::voice::TurnView;
use super::{Operator, absent};

/// For which time it is led again.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReplayQuery {
    /// Whether it is led again as if it were said now; as of when it was said where left out, so that "in 10 minutes" is
    /// the same moment.
    now: Option<bool>,
}

/// A turn that was led again. Nothing of it happened: nothing is kept, counted, told, set or sent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct ReplayView {
    /// The turn as it went.
    kept: TurnView,
    /// The time it was led again for.
    #[schema(format = DateTime)]
    now: String,
    /// `kept` where it was led again within what the session was about before it; `unknown` where that is not kept, and
    /// it was led as the first turn of a session.
    context: String,
    /// All that is understood today, in the order said; empty where it is not understood.
    meanings: Vec<MeaningView>,
    /// What is answered today: text, intent, slots, outcome, and the milliseconds of every stage.
    #[schema(value_type = Object)]
    answer: Value,
    /// What would happen besides, as the plugins tell it.
    #[schema(value_type = Vec<Object>)]
    effects: Vec<Value>,
    /// What is not as it was, of `intent`, `slots`, `outcome`, `text` and `effects`; empty where it went the same way.
    /// How sure it is and how long it took do not count.
    differences: Vec<String>,
}

/// What one command means.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct MeaningView {
    /// The intent, such as `weather.query`.
    intent: String,
    /// How sure that is, 0 to 1.
    confidence: f64,
    /// Its values by name.
    #[schema(value_type = Object)]
    slots: Value,
}

/// Leads a kept turn again, understanding and then the plugin, as it would be today, and tells both. Nothing comes of it:
/// no timer is set, no device hears of it, nothing is counted. Plugins from outside are asked as well; to be asked does
/// nothing by their contract, what they have happen is told and not done. Timers, things and the weather are those of now.
#[utoipa::path(post, path = "/api/operator/voice/turns/{id}/replay", tag = "voice", operation_id = "replayVoiceTurn",
    params(("id" = String, Path, description = "The turn, by its `id` in the list of turns"), ReplayQuery), responses(
    (status = 200, description = "The turn as it went and as it would go", body = ReplayView),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such turn is kept", body = ProblemView, content_type = "application/problem+json"),
    (status = 412, description = "Its words are not kept", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn replay(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(id): ApiPath<String>,
    ApiQuery(query): ApiQuery<ReplayQuery>,
) -> Result<ApiJson<Replay>, ApiError> {
    let trail = operator.trail.as_ref().ok_or_else(|| absent("replaying what was said"))?;
    Ok(ApiJson(trail.replay(&cx, &id, query.now.unwrap_or(false)).await?))
}
