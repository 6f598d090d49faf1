//! The bus: what it is and how far each group is behind.

use axum::extract::State;
use ieum_bus::Lag;
use ieum_core::Fault;
use ieum_gateway::{ApiError, ApiJson};
use serde::Serialize;
use utoipa::ToSchema;

use super::Operator;

/// The bus of this process.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BusView {
    /// `local` or `kafka`.
    backend: String,
    /// Every group of every topic.
    groups: Vec<GroupView>,
}

/// How far one group is behind on one topic.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupView {
    /// The topic.
    topic: String,
    /// The group.
    group: String,
    /// Events that it did not take yet.
    unread: i64,
    /// Events in its retry lanes.
    in_lane: i64,
    /// Dead letters that wait for a decision.
    dead: i64,
    /// The age of the oldest event that it did not take yet, seconds; 0 where there is none.
    oldest_seconds: f64,
}

impl From<Lag> for GroupView {
    fn from(lag: Lag) -> Self {
        let Lag { topic, group, unread, in_lane, dead, oldest } = lag;
        Self { topic, group, unread, in_lane, dead, oldest_seconds: oldest.as_secs_f64() }
    }
}

/// Returns what the bus is and how far each group is behind.
#[utoipa::path(get, path = "/api/operator/bus", tag = "platform", operation_id = "showBus", responses(
    (status = 200, description = "The bus", body = BusView),
))]
pub(super) async fn show(State(operator): State<Operator>) -> Result<ApiJson<BusView>, ApiError> {
    let bus = &operator.platform.bus;
    let lags = bus.lag().await.map_err(Fault::from)?;
    let backend = bus.capabilities().backend.to_string();
    Ok(ApiJson(BusView { backend, groups: lags.into_iter().map(GroupView::from).collect() }))
}
