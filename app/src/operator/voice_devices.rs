//! Secrets of devices: making the first, making another, taking them away. Each is shown once.

use std::time::Duration;

use axum::extract::State;
use ieum_core::{Fault, Timestamp, describe};
use ieum_device::{CredentialError, Credentials};
use ieum_gateway::{ApiError, ApiJson, ApiPath, Context};
use ieum_partners::ProblemView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::Overlap;
use super::{Operator, absent, who};

/// How long a secret stays valid beside a new one where nobody says, and at most.
const USUAL_OVERLAP: Duration = Duration::from_secs(86_400);
const MOST_OVERLAP: Duration = Duration::from_secs(90 * 86_400);

/// A device to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeviceWish {
    /// Its id, which is its user name and stands in its topics: 1 to 60 letters, digits, `-`, `_`, `.` and `:`.
    #[schema(min_length = 1, max_length = 60, pattern = "^[A-Za-z0-9._:-]+$")]
    device_id: String,
}

/// A secret, shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceSecretView {
    /// The device, which is its user name.
    device_id: String,
    /// The password that it connects with.
    secret: String,
    /// Until when one that it had before is valid, where it had one that still is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    former_valid_until: Option<Timestamp>,
}

/// What was taken away.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevokedView {
    /// The device.
    device_id: String,
    /// How many secrets it had.
    revoked: u64,
}

/// Makes the first secret of a device, shown this once.
#[utoipa::path(post, path = "/api/operator/voice/devices", tag = "voice", operation_id = "addVoiceDevice",
    request_body = DeviceWish, responses(
    (status = 200, description = "The secret", body = DeviceSecretView),
    (status = 400, description = "No device can have this id", body = ProblemView, content_type = "application/problem+json"),
    (status = 409, description = "It has a secret", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn add(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiJson(wish): ApiJson<DeviceWish>,
) -> Result<ApiJson<DeviceSecretView>, ApiError> {
    let issued = credentials(&operator)?.add(&wish.device_id).await.map_err(refused)?;
    tracing::info!(device = wish.device_id, by = who(&cx), "a device was given its first secret");
    let secret = issued.secret.expose().to_owned();
    Ok(ApiJson(DeviceSecretView { device_id: wish.device_id, secret, former_valid_until: None }))
}

/// Makes another secret for a device that has one, shown this once; the first stays valid for the overlap.
#[utoipa::path(post, path = "/api/operator/voice/devices/{deviceId}/rotate", tag = "voice",
    operation_id = "rotateVoiceDevice", params(("deviceId" = String, Path, description = "The device")),
    request_body = Overlap, responses(
    (status = 200, description = "The new secret", body = DeviceSecretView),
    (status = 400, description = "The overlap is too long", body = ProblemView, content_type = "application/problem+json"),
    (status = 404, description = "No such device has a secret", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn rotate(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(device_id): ApiPath<String>,
    ApiJson(wish): ApiJson<Overlap>,
) -> Result<ApiJson<DeviceSecretView>, ApiError> {
    let overlap = wish.overlap_seconds.map_or(USUAL_OVERLAP, Duration::from_secs);
    if overlap > MOST_OVERLAP {
        let most = MOST_OVERLAP.as_secs();
        let message = format!("field overlapSeconds: {} was given, expected 0 to {most}", overlap.as_secs());
        return Err(Fault::invalid_argument("device.overlap", message).into());
    }
    let credentials = credentials(&operator)?;
    is_known(credentials, "rotating the secret of", &device_id).await?;
    let (issued, former_valid_until) = credentials.rotate(&device_id, overlap).await.map_err(refused)?;
    tracing::info!(device = device_id, by = who(&cx), "a device was given another secret");
    let secret = issued.secret.expose().to_owned();
    Ok(ApiJson(DeviceSecretView { device_id, secret, former_valid_until }))
}

/// Takes all secrets of a device away: it is let in no more, and what is connected ends within seconds.
#[utoipa::path(post, path = "/api/operator/voice/devices/{deviceId}/revoke", tag = "voice",
    operation_id = "revokeVoiceDevice", params(("deviceId" = String, Path, description = "The device")), responses(
    (status = 200, description = "It is let in no more", body = RevokedView),
    (status = 404, description = "No such device has a secret", body = ProblemView, content_type = "application/problem+json"),
    (status = 501, description = "No part here answers it", body = ProblemView, content_type = "application/problem+json"),
))]
pub(super) async fn revoke(
    State(operator): State<Operator>,
    Context(cx): Context,
    ApiPath(device_id): ApiPath<String>,
) -> Result<ApiJson<RevokedView>, ApiError> {
    let credentials = credentials(&operator)?;
    is_known(credentials, "revoking the secrets of", &device_id).await?;
    let revoked = credentials.revoke(&device_id).await.map_err(refused)?;
    tracing::info!(device = device_id, by = who(&cx), "a device is let in no more");
    Ok(ApiJson(RevokedView { device_id, revoked }))
}

fn credentials(operator: &Operator) -> Result<&Credentials, Fault> {
    let watch = operator.devices.as_ref().ok_or_else(|| absent("handling secrets of devices"))?;
    Ok(watch.credentials())
}

/// Fails where the device has no secret.
async fn is_known(credentials: &Credentials, doing: &str, device: &str) -> Result<(), Fault> {
    match credentials.list(Some(device)).await.map_err(refused)?.is_empty() {
        false => Ok(()),
        true => {
            let message = format!("{doing} {device:?}: no such device has one; add it first");
            Err(Fault::not_found("device.unknown", message))
        }
    }
}

fn refused(error: CredentialError) -> Fault {
    let message = describe(&error);
    match error {
        CredentialError::Name { .. } => Fault::invalid_argument("device.name", message),
        CredentialError::Known { .. } => Fault::already_exists("device.known", message),
        CredentialError::Random(_) => Fault::internal("device.random", message),
        CredentialError::Store(..) => Fault::unavailable("device.store", message),
    }
}
