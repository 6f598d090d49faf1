//! Identity: who people are, which devices are theirs, and how many they may have.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The bus topic of what happens to devices and to the people whose they are; the key is the person.
pub const DEVICE_REGISTRATIONS: &str = "device-registrations";

/// The CloudEvents type of a device that became somebody's; the data is a [`Device`].
pub const DEVICE_REGISTERED: &str = "identity.device.registered.v1";

/// The CloudEvents type of a device that is nobody's any more; the data is a [`Device`].
pub const DEVICE_REMOVED: &str = "identity.device.removed.v1";

/// The CloudEvents type of a person who is known no more; the data is a [`UserId`]. It comes after the removals of the
/// person's devices. Whoever keeps something of people forgets it.
pub const USER_REMOVED: &str = "identity.user.removed.v1";

/// Keeps people.
#[contract("identity.users")]
pub trait Users {
    /// Returns a person. Fails with `identity.user.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: UserId) -> Result<User, Fault>;

    /// Returns people in the order of their ids.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListUsers) -> Result<UserList, Fault>;

    /// Saves a person, replacing what was known but the devices. Fails with `identity.invalid`.
    #[command]
    async fn save(&self, cx: &Cx, user: SaveUser) -> Result<User, Fault>;

    /// Forgets a person with every device, and tells so ([`USER_REMOVED`]); nothing happens where none is known.
    #[command]
    async fn remove(&self, cx: &Cx, ask: UserId) -> Result<UserId, Fault>;

    /// Tells how many devices a person has and may have. Fails with `identity.user.unknown`.
    #[query]
    async fn quota(&self, cx: &Cx, ask: UserId) -> Result<DeviceQuota, Fault>;
}

/// Keeps devices, and makes them somebody's.
#[contract("identity.devices")]
pub trait Devices {
    /// Returns a device. Fails with `identity.device.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: DeviceId) -> Result<Device, Fault>;

    /// Returns the devices of a person, or all, in the order of their ids.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListDevices) -> Result<DeviceList, Fault>;

    /// Makes a device somebody's: the number of devices is checked, the device registered, the account changed and, for
    /// a premium device, its charge begun. Where a step is refused all before it are undone, also after a kill. Under
    /// the same idempotency key it is one registration. Fails with `identity.invalid`, `identity.user.unknown`,
    /// `identity.user.blocked`, `identity.quota.exceeded`, `identity.device.taken` and what the charge fails with.
    /// Where it is not over within a few seconds it goes on, and the answer says where it stands.
    #[command]
    async fn register(&self, cx: &Cx, wish: RegisterDevice) -> Result<Registration, Fault>;

    /// Returns where a registration stands. Fails with `identity.registration.unknown`.
    #[query]
    async fn registration(&self, cx: &Cx, ask: RegistrationId) -> Result<Registration, Fault>;

    /// Takes a device from its person and ends its charge; nothing happens where none is known.
    #[command]
    async fn remove(&self, cx: &Cx, ask: DeviceId) -> Result<DeviceId, Fault>;

    /// Notes that a device was heard of. An unknown one is not noted.
    #[command]
    async fn seen(&self, cx: &Cx, ask: DeviceSeen) -> Result<DeviceSeen, Fault>;
}

// === People ===

/// Whether a person may use what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// May.
    #[default]
    Active,
    /// May not.
    Blocked,
    /// Nobody could say: the directory cannot be reached, and this is what stands in for its answer.
    Unknown,
}

/// What a person has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserPlan {
    /// Three devices.
    #[default]
    Basic,
    /// Twenty devices, premium ones among them.
    Premium,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The id.
    #[schema(example = "ada")]
    pub id: String,
    /// For people.
    #[schema(example = "Ada")]
    pub name: String,
    /// Whether the person may use what there is.
    pub status: UserStatus,
    /// What the person has.
    #[serde(default)]
    #[schema(required)]
    pub plan: UserPlan,
    /// The language that is spoken to the person, such as `ko` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "ko")]
    pub language: Option<String>,
    /// The IANA time zone, such as `Asia/Seoul`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Asia/Seoul")]
    pub zone: Option<String>,
    /// The ids of the person's devices.
    #[serde(default)]
    #[schema(required)]
    pub devices: Vec<String>,
    /// When the person was first saved.
    #[serde(default)]
    #[schema(required)]
    pub created_at: Timestamp,
}

/// A person as somebody wants it saved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SaveUser {
    /// The id: letters, digits, `-`, `_`, `.`, `:` and `@`, at most 120. Over HTTP the path says it.
    #[serde(default)]
    pub id: String,
    /// For people, at most 200 characters.
    #[serde(default)]
    pub name: String,
    /// Whether the person may use what there is; not `UNKNOWN`.
    #[serde(default)]
    pub status: UserStatus,
    /// What the person has.
    #[serde(default)]
    pub plan: UserPlan,
    /// The language that is spoken to the person, such as `ko` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The IANA time zone, such as `Asia/Seoul`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Names a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserId {
    /// The id.
    pub user_id: String,
}

/// Which people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListUsers {
    /// After this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many, 1 to 200; 50 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserList {
    /// In the order of their ids.
    pub users: Vec<User>,
}

/// How many devices a person has and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceQuota {
    /// At most so many.
    pub limit: u32,
    /// So many there are.
    pub used: u32,
    /// Whether one more may come.
    pub can_add_device: bool,
}

// === Devices ===

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The id, which is also its name in MQTT topics: 1 to 60 letters, digits, `-`, `_`, `.` and `:`.
    #[schema(example = "speaker-1")]
    pub device_id: String,
    /// Whose it is.
    #[schema(example = "ada")]
    pub user_id: String,
    /// What it is, such as `speaker`.
    #[serde(rename = "type")]
    #[schema(example = "speaker")]
    pub kind: String,
    /// For people.
    #[serde(default)]
    #[schema(required)]
    pub name: String,
    /// Where it stands, such as `거실`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Whether it is charged for.
    #[serde(default)]
    #[schema(required)]
    pub premium: bool,
    /// When it became the person's.
    pub registered_at: Timestamp,
    /// When it was last heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
}

/// Names a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceId {
    /// The id.
    pub device_id: String,
}

/// Which devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListDevices {
    /// Of this person only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// After this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many, 1 to 200; 50 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceList {
    /// In the order of their ids.
    pub devices: Vec<Device>,
}

/// A device that is to become somebody's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterDevice {
    /// Whose it becomes. Over HTTP the path says it.
    #[serde(default)]
    pub user_id: String,
    /// The device: 1 to 60 letters, digits, `-`, `_`, `.` and `:`.
    pub device_id: String,
    /// What it is, such as `speaker`; at most 60 characters.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// For people, at most 200 characters.
    #[serde(default)]
    pub name: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// Whether it is charged for.
    #[serde(default)]
    pub premium: bool,
}

/// Names a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationId {
    /// The id.
    pub registration_id: String,
}

/// Where a registration stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The id.
    pub registration_id: String,
    /// The device.
    pub device_id: String,
    /// The person.
    pub user_id: String,
    /// Where it stands.
    pub state: RegistrationState,
    /// The step that is under way, or was last: `quota`, `registry`, `account`, `billing`.
    #[schema(example = "billing")]
    pub step: String,
    /// Why it was refused, or what is in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationState {
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

/// A device that was heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSeen {
    /// The device.
    pub device_id: String,
    /// When.
    pub at: Timestamp,
}
