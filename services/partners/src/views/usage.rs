//! A key's use as its holder sees it.

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// How a key was used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// The key's id.
    pub key_id: String,
    /// Which plan it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// How many requests a day it has, UTC; any number where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day_quota: Option<u32>,
    /// How many of them are used up today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_today: Option<u64>,
    /// By time and endpoint; hours and days without a request are left out.
    pub rows: Vec<UseView>,
}

/// How a key was used at one endpoint within an hour or a day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UseView {
    /// The hour's or day's beginning.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Method and path.
    #[schema(example = "GET /api/partner/events")]
    pub endpoint: String,
    /// All requests.
    pub requests: u64,
    /// Those answered with 401, 403 or 429.
    pub refused: u64,
}
