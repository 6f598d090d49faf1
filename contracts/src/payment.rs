//! Payment: what people are charged for.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

/// Charges people for what they have, such as a premium device.
#[contract("payment.charges")]
pub trait Charges {
    /// Begins a charge; one that has begun under the same id stays as it is. Fails with `payment.invalid` and
    /// `payment.refused`.
    #[command]
    async fn begin(&self, cx: &Cx, wish: BeginCharge) -> Result<Charge, Fault>;

    /// Ends a charge; nothing happens where none is known or it has ended.
    #[command]
    async fn end(&self, cx: &Cx, ask: ChargeId) -> Result<ChargeId, Fault>;

    /// Returns a person's charges, the newest first.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListCharges) -> Result<ChargeList, Fault>;
}

/// A charge that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeginCharge {
    /// The id under which it is known: 1 to 120 characters.
    pub charge_id: String,
    /// Who is charged.
    pub user_id: String,
    /// For what, such as `device.speaker`: 1 to 120 characters.
    pub item: String,
}

/// Names a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeId {
    /// The id.
    pub charge_id: String,
}

/// Whose charges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListCharges {
    /// The person.
    pub user_id: String,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// The id.
    pub charge_id: String,
    /// Who is charged.
    pub user_id: String,
    /// For what.
    pub item: String,
    /// Won a month, at the price when it began.
    pub won_per_month: u64,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Some charges.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeList {
    /// The newest first, 200 at most.
    pub charges: Vec<Charge>,
}
