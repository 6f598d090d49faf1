//! What gates send over HTTP, for its description: the event stands in the path.
#![allow(dead_code, reason = "described, never made")]

use ieum_contracts::events::GateScan;
use serde::Serialize;
use utoipa::ToSchema;

/// The scans alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scans {
    /// In any order.
    #[schema(min_items = 1, max_items = 1000)]
    scans: Vec<GateScan>,
}
