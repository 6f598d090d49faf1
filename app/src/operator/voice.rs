//! Devices and what was said to them lately.

use std::collections::BTreeMap;

use axum::extract::State;
use ieum_core::{Fault, Timestamp};
use ieum_gateway::{ApiError, ApiJson, ApiQuery};
use ieum_partners::ProblemView;
use ieum_voice::{Measured, TrailTurn};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Operator, absent, count_of};

/// How many turns are shown where nobody says how many, and at most.
const USUAL: u32 = 50;
const MOST: u32 = 200;
/// The longest id that is looked for, characters.
const LONGEST_DEVICE: usize = 120;

/// The devices.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DevicesView {
    /// By their ids.
    devices: Vec<DeviceView>,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceView {
    /// Its id, which stands in its topics.
    device_id: String,
    /// Whether it is connected now.
    connected: bool,
    /// When something last came from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    /// How many messages wait for it.
    waiting: usize,
    /// Whether it has a secret of its own.
    has_secret: bool,
    /// What it measured last, its telemetry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MeasuredView>)]
    measured: Option<Measured>,
}

/// What a device measured last.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct MeasuredView {
    /// When, by the device's own clock where that is within a day of ours.
    #[schema(format = DateTime)]
    at: String,
    /// All that it said, such as `{"temperature": 21.5}`.
    #[schema(value_type = Object)]
    data: Value,
}

/// Which turns.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TurnsQuery {
    /// Only of this device.
    #[param(max_length = 120)]
    device_id: Option<String>,
    /// How many; 50 where left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Turns.
#[derive(Serialize)]
pub(super) struct Turns {
    turns: Vec<TrailTurn>,
}

/// Turns.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct TurnsView {
    /// The latest first.
    turns: Vec<TurnView>,
}

/// A turn as it went.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what another crate serialises")]
pub(super) struct TurnView {
    /// Names it among all turns, to replay it; the answer's `turnId` may be another device's turn too.
    id: String,
    /// When it was.
    #[schema(format = DateTime)]
    at: String,
    /// The device that it was said to.
    device_id: Option<String>,
    /// What was said.
    said: String,
    /// What was answered: text, intent, slots, outcome, and the milliseconds of every stage.
    #[schema(value_type = Object)]
    answer: Value,
    /// What happened besides, as the plugins told it; not there where it is not kept.
    #[schema(value_type = Option<Vec<Object>>)]
    effects: Option<Vec<Value>>,
}

/// Lists the devices that are known here: who is connected, and when each was last seen.
#[utoipa::path(get, path = "/api/operator/voice/devices", tag = "voice", operation_id = "listVoiceDevices", responses(
    (status = 200, description = "The devices", body = DevicesView),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn devices(State(operator): State<Operator>) -> Result<ApiJson<DevicesView>, ApiError> {
    let watch = operator.devices.as_ref().ok_or_else(|| absent("looking at devices"))?;
    let mut measured = match &operator.trail {
        Some(trail) => trail.measured().await?,
        None => BTreeMap::new(),
    };
    let view = |seen: crate::device::Seen| DeviceView {
        measured: measured.remove(&seen.device),
        device_id: seen.device,
        connected: seen.connected,
        last_seen_at: seen.seen_at,
        waiting: seen.waiting,
        has_secret: seen.has_secret,
    };
    Ok(ApiJson(DevicesView { devices: watch.devices().await?.into_iter().map(view).collect() }))
}

/// Lists what was said and answered within the last day, the latest first.
#[utoipa::path(get, path = "/api/operator/voice/turns", tag = "voice", operation_id = "listVoiceTurns",
    params(TurnsQuery), responses(
    (status = 200, description = "The turns", body = TurnsView),
    (status = 400, description = "A malformed query", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn turns(
    State(operator): State<Operator>,
    ApiQuery(query): ApiQuery<TurnsQuery>,
) -> Result<ApiJson<Turns>, ApiError> {
    let trail = operator.trail.as_ref().ok_or_else(|| absent("looking at what was said"))?;
    let most = count_of("limit", query.limit, (USUAL, MOST), "hub.voice.limit")?;
    let device = query.device_id.as_deref();
    if device.is_some_and(|device| device.chars().count() > LONGEST_DEVICE) {
        let message = format!("field deviceId: expected at most {LONGEST_DEVICE} characters");
        return Err(Fault::invalid_argument("hub.voice.device", message).into());
    }
    Ok(ApiJson(Turns { turns: trail.turns(device, most).await? }))
}
