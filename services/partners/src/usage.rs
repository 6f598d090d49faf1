//! What partners ask about their own use: how often per hour or day and endpoint, and what is left of the day.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiQuery, KeyUse, Partner};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::keys;
use crate::views::{ProblemView, UsageView, UseView};
use crate::web::{Web, malformed};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Which part of the use to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// From this time on, RFC 3339; the last 24 hours where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Up to this time, RFC 3339; now where left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// One row per hour (at most 31 days) or day (at most 366) and endpoint; hours where left out.
    #[param(inline)]
    step: Option<Step>,
}

/// What one row spans.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// An hour.
    #[default]
    Hour,
    /// A day, UTC.
    Day,
}

/// Shows how the key that asks was used, this request not yet counted.
#[utoipa::path(get, path = "/api/partner/usage", tag = "usage", security(("key" = [])), params(UsageQuery), responses(
    (status = 200, description = "The use", body = UsageView),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
))]
pub(crate) async fn usage(
    State(web): State<Web>,
    partner: Partner,
    ApiQuery(query): ApiQuery<UsageQuery>,
) -> Result<ApiJson<UsageView>, ApiError> {
    let now = web.clock.now();
    let until = query.until.unwrap_or(now);
    let earlier = Timestamp::from_seconds(until.as_seconds().saturating_sub(DAY.cast_signed()));
    let since = query.since.unwrap_or(earlier);
    let step = query.step.unwrap_or_default();
    if since > until {
        return Err(malformed("since", "is after until"));
    }
    let days = match step {
        Step::Hour => 31,
        Step::Day => 366,
    };
    if until.since(since) > Duration::from_secs(days * DAY) {
        return Err(malformed("since", &format!("is more than {days} days before until")));
    }
    let rows = web.keys.usage_series(partner.id(), since, until).await.map_err(keys::fault)?;
    let used_today = match partner.day_quota() {
        Some(_) => Some(web.keys.used_today(partner.id()).await.map_err(Fault::from)?),
        None => None,
    };
    Ok(ApiJson(UsageView {
        key_id: partner.id().to_owned(),
        plan: partner.plan().map(str::to_owned),
        day_quota: partner.day_quota(),
        used_today,
        rows: summed(rows, step),
    }))
}

/// Sums hours up to the step; ordered by time and endpoint.
fn summed(rows: Vec<KeyUse>, step: Step) -> Vec<UseView> {
    let seconds = match step {
        Step::Hour => 3_600,
        Step::Day => DAY.cast_signed(),
    };
    let mut sums: BTreeMap<(i64, String), (u64, u64)> = BTreeMap::new();
    for row in rows {
        let begin = row.at.as_seconds().div_euclid(seconds) * seconds;
        let sum = sums.entry((begin, row.endpoint)).or_default();
        sum.0 += row.requests;
        sum.1 += row.refused;
    }
    let view = |((at, endpoint), (requests, refused))| UseView {
        at: Timestamp::from_seconds(at),
        endpoint,
        requests,
        refused,
    };
    sums.into_iter().map(view).collect()
}
