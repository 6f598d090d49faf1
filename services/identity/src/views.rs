//! What the pages' JSON looks like, for its description: the contract's messages field by field.
#![allow(dead_code, reason = "described, never made")]

use ieum_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Some people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserList {
    /// In the order of their ids.
    users: Vec<User>,
}

/// A person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// The id.
    #[schema(example = "ada")]
    id: String,
    /// For people.
    #[schema(example = "Ada")]
    name: String,
    /// Whether the person may use what there is.
    status: UserStatus,
    /// What the person has.
    plan: UserPlan,
    /// The language that is spoken to the person.
    #[schema(example = "ko")]
    language: Option<String>,
    /// The IANA time zone.
    #[schema(example = "Asia/Seoul")]
    zone: Option<String>,
    /// The ids of the person's devices.
    devices: Vec<String>,
    /// When the person was first saved.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Whether a person may use what there is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum UserStatus {
    /// May.
    Active,
    /// May not.
    Blocked,
}

/// What a person has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserPlan {
    /// Three devices.
    Basic,
    /// Twenty devices, premium ones among them.
    Premium,
}

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

/// Some devices.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceList {
    /// In the order of their ids.
    devices: Vec<Device>,
}

/// A device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    /// The id, which is also its name in MQTT topics.
    #[schema(example = "speaker-1")]
    device_id: String,
    /// Whose it is.
    #[schema(example = "ada")]
    user_id: String,
    /// What it is.
    #[serde(rename = "type")]
    #[schema(example = "speaker")]
    kind: String,
    /// For people.
    name: String,
    /// Where it stands.
    area: Option<String>,
    /// Whether it is charged for.
    premium: bool,
    /// When it became the person's.
    #[schema(value_type = String, format = DateTime)]
    registered_at: Timestamp,
    /// When it was last heard of.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
}

/// A device that is to become the person's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisterDevice {
    /// The device: letters, digits, `-` and `_`.
    #[schema(example = "speaker-1", min_length = 1, max_length = 64)]
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

/// Where a registration stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registration {
    /// The id.
    registration_id: String,
    /// The device.
    device_id: String,
    /// The person.
    user_id: String,
    /// Where it stands.
    state: RegistrationState,
    /// The step that is under way, or was last: `quota`, `registry`, `account`, `billing`.
    #[schema(example = "billing")]
    step: String,
    /// Why it was refused, or what is in the way.
    reason: Option<String>,
}

/// Where a registration stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegistrationState {
    /// Under way.
    Running,
    /// Refused; what was done is being undone.
    Undoing,
    /// The device is the person's.
    Done,
    /// Refused, and everything is undone.
    Undone,
    /// Something could not be undone; an operator must look at it.
    Stuck,
}
