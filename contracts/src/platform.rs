//! The platform itself: a process and its links, for people to see and steer.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault};
use ieum_link::{Incoming, Outgoing, contract};
use serde::{Deserialize, Serialize};

/// Shows and steers the links of the process that answers. Answered to processes of the same machine only.
#[contract("platform.links")]
pub trait PlatformLinks {
    /// Returns every link of this process.
    #[query]
    async fn list(&self, cx: &Cx, ask: ListLinks) -> Result<LinkList, Fault>;

    /// Takes a link's breaker into hand, or gives it back. Fails with `platform.link.unknown`,
    /// `platform.link.no_breaker` and `platform.link.no_reason`.
    #[command]
    async fn steer(&self, cx: &Cx, order: SteerLink) -> Result<LinkStatus, Fault>;
}

/// Follows the links of the process that answers.
#[contract("platform.watch")]
pub trait PlatformWatch {
    /// Tells each link at first, then again whenever its breaker or its instances change. Each message sent
    /// chooses anew which links are told; the stream ends when the caller ends its own.
    #[stream]
    async fn links(&self, cx: &Cx, asks: Incoming<WatchLinks>) -> Result<Outgoing<LinkStatus>, Fault>;
}

/// Tells which process answers. Answered to processes of the same machine only.
#[contract("platform.process")]
pub trait PlatformProcess {
    /// Returns where the process keeps what it keeps.
    #[query]
    async fn about(&self, cx: &Cx, ask: AskAbout) -> Result<ProcessAbout, Fault>;
}

/// Asks for the process itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskAbout {}

/// A process as it tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessAbout {
    /// Its data folder, for people.
    pub data: String,
    /// What two processes over the same SQL store have in common, and no others; empty where that cannot be told.
    pub store: String,
    /// The parts that run in it.
    pub parts: Vec<String>,
}

/// Asks for all links.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListLinks {}

/// Chooses what is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchLinks {
    /// The links; all where empty.
    #[serde(default)]
    pub names: Vec<String>,
}

/// What a person orders a breaker to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SteerLink {
    /// The link, as [`LinkStatus::name`] calls it.
    pub name: String,
    /// What to do.
    pub order: LinkOrder,
    /// Why: callers and other people read it. Needed for every order but [`LinkOrder::Release`].
    #[serde(default)]
    pub reason: String,
}

/// What a breaker can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkOrder {
    /// Lets no call through until released.
    Open,
    /// Lets every call through until released.
    Close,
    /// Stays as it is until released.
    Hold,
    /// Decides by itself again.
    Release,
}

/// The links of a process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkList {
    /// Ordered by name.
    pub links: Vec<LinkStatus>,
}

/// A link and how it fares. Counts begin at the process's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkStatus {
    /// The contract's name; `….fallback` is the link that stands in, `…/coffee` one of several of the same contract.
    pub name: String,
    /// Where it leads, without credentials.
    pub to: String,
    /// `local`, `http`, `grpc`, `bus`, or `process` where the answerer is one of this process's own.
    pub wire: String,
    /// What stands in for a query's answer: `off`, `value`, `cache`, `last-good` or the other link's URL.
    pub fallback: String,
    /// Calls, retries not included.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u64,
    /// Calls that ended in a failure of the answerer, before any fallback. That something does not exist, or was asked
    /// wrongly, is an answer.
    pub failures: u64,
    /// Calls that were not sent, by who refused: `breaker`, `bulkhead`, `rate`.
    pub rejected: BTreeMap<String, u64>,
    /// Calls that a fallback answered, by its kind.
    pub fallbacks: BTreeMap<String, u64>,
    /// Retries that were sent.
    pub retries: u64,
    /// Retries that the budget holds now.
    pub budget: u64,
    /// The time below which 95 % of the successful calls stayed, milliseconds, rounded up to a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// The breaker; none where it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerStatus>,
    /// The instances behind it, for a wire that has any; known after the first call.
    #[serde(default)]
    pub instances: Vec<InstanceStatus>,
    /// The process that answers, where this one started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessStatus>,
}

/// A process that was started to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessStatus {
    /// `starting`, `running`, `waiting` to be started again, or `stopped`.
    pub state: String,
    /// Where it answers, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended last, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// A breaker as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerStatus {
    /// `closed`, `open`, `half-open`, `held-open` or `forced-closed`.
    pub state: String,
    /// What opened it, or the person's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it opened.
    pub opened: u64,
}

/// One instance of an answerer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// Its address.
    pub address: String,
    /// Calls under way.
    pub running: u32,
    /// Whether it is left out for a while because it kept failing.
    pub ejected: bool,
}
