//! Partners: their API keys and their webhook endpoints.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

/// Keeps the partners' API keys.
#[contract("partners.keys")]
pub trait PartnerKeys {
    /// Makes a key. The answer holds its text, shown this once. Fails with `partners.key.invalid`.
    #[command]
    async fn create(&self, cx: &Cx, wish: CreateKey) -> Result<IssuedKey, Fault>;

    /// Makes a second text for a key; the first stays valid for the overlap. Fails with
    /// `partners.key.unknown`.
    #[command]
    async fn rotate(&self, cx: &Cx, wish: RotateKey) -> Result<IssuedKey, Fault>;

    /// Ends a key. Fails with `partners.key.unknown`.
    #[command]
    async fn revoke(&self, cx: &Cx, wish: KeyId) -> Result<KeyStatus, Fault>;

    /// Returns every key, without its text.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListKeys) -> Result<KeyList, Fault>;
}

/// A wish for a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKey {
    /// Whose it is, for people.
    pub name: String,
    /// `public`, `partner` or `premium`.
    pub tier: String,
    /// What it may do, such as `events:read`, `attendance:read`, `analytics:read`, `webhooks:write`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Which events it may see; `*` is all.
    #[serde(default)]
    pub events: Vec<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Requests per minute; the tier's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
}

/// A wish for a key's second text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotateKey {
    /// The key.
    pub key_id: String,
    /// Seconds for which the first text stays valid; a day where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_seconds: Option<u64>,
}

/// Names a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyId {
    /// The id within the key's text.
    pub key_id: String,
}

/// Asks for all keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListKeys {}

/// A key with its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedKey {
    /// The key's text. Secret; kept nowhere.
    pub text: String,
    /// The key.
    pub key: KeyStatus,
}

impl std::fmt::Debug for IssuedKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("IssuedKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A key as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// The id within the key's text.
    pub key_id: String,
    /// Whose it is.
    pub name: String,
    /// `public`, `partner` or `premium`.
    pub tier: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Which events it may see.
    pub events: Vec<String>,
    /// `active`, `expired` or `revoked`.
    pub status: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when the text before the last rotation is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_valid_until: Option<Timestamp>,
    /// When it was last used, give or take a second; none where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// Every key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyList {
    /// Ordered by the time they were made.
    pub keys: Vec<KeyStatus>,
}
