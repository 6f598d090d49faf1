//! What the nodes of the simulated world promise each other.

use ieum_core::{Cx, Fault};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

/// A cup to place, to touch or to look for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cup {
    /// The cup's name, such as `c2-5`.
    pub id: String,
    /// Cups of one shelf stay in order.
    pub shelf: String,
}

/// A cup's number on its shelf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    pub number: u64,
}

/// A cup as its owner has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub number: Option<u64>,
}

/// Whom the clients know.
#[contract("sim.front")]
pub trait Front {
    /// Places a cup, under an idempotency key.
    #[command]
    async fn place(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault>;
    /// Touches a cup: has no key, so nobody may repeat it.
    #[command]
    async fn touch(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault>;
    /// Tells all listeners of a visit, under an idempotency key.
    #[command]
    async fn visit(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault>;
}

/// Who keeps the cups.
#[contract("sim.owner")]
pub trait Owner {
    /// Places a cup, under an idempotency key.
    #[command]
    async fn place(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault>;
    /// Touches a cup.
    #[command]
    async fn touch(&self, cx: &Cx, cup: Cup) -> Result<Number, Fault>;
    /// Looks for a cup.
    #[query]
    async fn look(&self, cx: &Cx, cup: Cup) -> Result<Found, Fault>;
}
