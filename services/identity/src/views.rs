//! What the pages take, for their description: the contract's wishes without the ids that stand in the path.
#![allow(dead_code, reason = "described, never made")]

use ieum_contracts::identity::{UserPlan, UserStatus};
use serde::Serialize;
use utoipa::ToSchema;

/// A person as somebody wants it saved; the path says who.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SaveUser {
    /// For people, on one line.
    #[serde(default)]
    #[schema(example = "Ada", max_length = 200)]
    name: String,
    /// Whether the person may use what there is; `ACTIVE` where left out.
    #[schema(required = false)]
    status: UserStatus,
    /// What the person has; `basic` where left out.
    #[schema(required = false)]
    plan: UserPlan,
    /// The language that is spoken to the person, a tag such as `ko` or `en-US`.
    #[schema(example = "ko")]
    language: Option<String>,
    /// The IANA time zone.
    #[schema(example = "Asia/Seoul")]
    zone: Option<String>,
}

/// A device that is to become the person's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisterDevice {
    /// The device: 1 to 60 letters, digits, `-`, `_`, `.` and `:`.
    #[schema(example = "speaker-1", min_length = 1, max_length = 60)]
    device_id: String,
    /// What it is.
    #[serde(rename = "type", default)]
    #[schema(example = "speaker", max_length = 60)]
    kind: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
    /// Where it stands.
    #[schema(max_length = 200)]
    area: Option<String>,
    /// Whether it is charged for.
    #[serde(default)]
    premium: bool,
}
