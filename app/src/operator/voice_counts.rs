//! How conversations went: turns by day, intent and outcome, and who spoke last.

use axum::extract::State;
use ieum_gateway::{ApiError, ApiJson, ApiQuery};
use ieum_partners::ProblemView;
use ieum_voice::{LastSaid, Tally};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Operator, absent, count_of};

/// How many days are shown where nobody says how many, and at most.
const USUAL: u32 = 7;
const MOST: u32 = 400;

/// Of how many days.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DaysQuery {
    /// How many days, today among them; 7 where left out.
    #[param(minimum = 1, maximum = 400)]
    days: Option<u32>,
}

/// How conversations went.
#[derive(Serialize)]
pub(super) struct Statistics {
    today: String,
    tallies: Vec<Tally>,
    people: Vec<LastSaid>,
}

/// How conversations went.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct StatisticsView {
    /// The day it is in the zone of `voice.zone`, which is the last of those that were asked for.
    #[schema(format = Date)]
    today: String,
    /// The latest day first, within it what was meant most.
    tallies: Vec<TallyView>,
    /// Who spoke, the latest first, 200 at most.
    people: Vec<LastSaidView>,
}

/// How many turns went how on a day.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct TallyView {
    /// The day in the zone of `voice.zone`.
    #[schema(format = Date)]
    day: String,
    /// What was meant first, such as `weather.query`.
    intent: String,
    /// What became of it, such as `answered`.
    outcome: String,
    /// How many.
    turns: i64,
}

/// What somebody said last.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct LastSaidView {
    /// The person; `device:ID` for a device that is nobody's.
    user_id: String,
    /// How many turns there were since they are counted.
    turns: i64,
    /// When the last one was.
    #[schema(format = DateTime)]
    at: String,
    /// What was meant by it.
    intent: String,
}

/// Tells how turns went by day, intent and outcome, and who spoke last.
#[utoipa::path(get, path = "/api/operator/voice/statistics", tag = "voice", operation_id = "showVoiceStatistics",
    params(DaysQuery), responses(
    (status = 200, description = "The statistics", body = StatisticsView),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn statistics(
    State(operator): State<Operator>,
    ApiQuery(query): ApiQuery<DaysQuery>,
) -> Result<ApiJson<Statistics>, ApiError> {
    let trail = operator.trail.as_ref().ok_or_else(|| absent("looking at how conversations went"))?;
    let days = count_of("days", query.days, (USUAL, MOST), "hub.voice.days")?;
    let (tallies, people) = (trail.tallies(days).await?, trail.people().await?);
    Ok(ApiJson(Statistics { today: trail.today(), tallies, people }))
}
