//! Looking into and steering the policies of a dependency while they work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ieum_core::Code;
use serde::Serialize;

use crate::blame::is_of_answerer;
use crate::stack::Machines;
use crate::{BreakerCounts, BreakerState, Latency, PolicyConfig, Rejections};

/// Looks into and steers the policies of one dependency. Clones look at the same policies.
#[derive(Clone)]
pub struct PolicyHandle {
    machines: Arc<Machines>,
}

/// What the policies of a dependency do right now, and what they counted since the start.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicySnapshot {
    /// The dependency's name.
    pub name: String,
    /// Calls, retries not included.
    pub calls: u64,
    /// Calls under way.
    pub in_flight: u64,
    /// Calls that ended, by outcome before any fallback: `ok`, or the fault's code. A call whose caller left is
    /// `cancelled`.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Calls that ended in a failure of the answerer, as its breaker judges it, before any fallback. That something does not
    /// exist, or was asked wrongly, is an answer.
    pub failures: u64,
    /// Calls that were not sent, by who refused.
    pub rejected: Rejections,
    /// Calls that a fallback answered, by its kind.
    pub fallbacks: BTreeMap<&'static str, u64>,
    /// Retries that were sent.
    pub retries: u64,
    /// Retries that were not sent because the budget had none left.
    pub retries_out_of_budget: u64,
    /// What hedging did; `None` where calls are not hedged.
    pub hedges: Option<HedgeCounts>,
    /// Retries that the budget holds now.
    pub budget: u64,
    /// The breaker's state; `None` without a breaker.
    pub breaker: Option<BreakerState>,
    /// What the breaker did since the start; `None` without a breaker.
    pub breaker_counts: Option<BreakerCounts>,
    /// Calls that hold a place in the bulkhead; `None` without one.
    pub running: Option<usize>,
    /// Calls that wait for a place; `None` without a bulkhead.
    pub waiting: Option<usize>,
    /// The lengths of calls that succeeded.
    pub latency_ok: Latency,
    /// The lengths of calls that ended in a fault, refused ones included.
    pub latency_failed: Latency,
}

/// What hedging did since the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HedgeCounts {
    /// Second sends beside a slow first one.
    pub sent: u64,
    /// Second sends that brought the answer.
    pub won: u64,
    /// Second sends that did not go out, by what held them: `budget`, `breaker` or `pushback`.
    pub held: BTreeMap<&'static str, u64>,
}

impl PolicyHandle {
    pub(crate) fn new(machines: Arc<Machines>) -> Self {
        Self { machines }
    }

    /// Returns the dependency's name.
    pub fn name(&self) -> &str {
        &self.machines.name
    }

    /// Returns the settings the policies were made from.
    pub fn config(&self) -> &PolicyConfig {
        &self.machines.config
    }

    /// Returns what the breaker does now; `None` without a breaker.
    pub fn breaker(&self) -> Option<BreakerState> {
        self.machines.breaker.as_ref().map(|breaker| breaker.state(self.machines.clock.moment()))
    }

    /// Lets no call through until [`PolicyHandle::release`]. Returns `false` without a breaker.
    pub fn hold_open(&self, reason: &str) -> bool {
        self.steer("held open", Some(reason), |breaker| breaker.hold_open(reason))
    }

    /// Lets every call through until [`PolicyHandle::release`]. Returns `false` without a breaker.
    pub fn force_closed(&self, reason: &str) -> bool {
        self.steer("forced closed", Some(reason), |breaker| breaker.force_closed(reason))
    }

    /// Keeps the breaker as it is now until [`PolicyHandle::release`], whatever happens. Returns `false` without
    /// a breaker.
    pub fn hold(&self, reason: &str) -> bool {
        let now = self.machines.clock.moment();
        self.steer("held", Some(reason), |breaker| breaker.hold(reason, now))
    }

    /// Ends what a person ordered. Returns `false` without a breaker.
    pub fn release(&self) -> bool {
        self.steer("released", None, crate::Breaker::release)
    }

    /// Returns how many retries the budget holds now.
    pub fn budget(&self) -> u64 {
        self.machines.repeater.budget.level(self.machines.clock.moment())
    }

    /// Returns everything at once, as consoles show it.
    pub fn snapshot(&self) -> PolicySnapshot {
        let machines = &self.machines;
        let (meter, bulkhead) = (&machines.meter, machines.bulkhead.as_ref());
        let breaker_counts = machines.breaker.as_ref().map(crate::Breaker::counts);
        let (latency_ok, latency_failed) = meter.latencies();
        let outcomes = meter.outcomes();
        PolicySnapshot {
            name: machines.name.to_string(),
            calls: meter.calls(),
            in_flight: meter.in_flight(),
            failures: failures(&outcomes),
            outcomes,
            rejected: meter.rejections(breaker_counts.map_or(0, |counts| counts.rejected)),
            fallbacks: meter.fallbacks(),
            retries: machines.repeater.retries.load(Ordering::Relaxed),
            retries_out_of_budget: machines.repeater.out_of_budget.load(Ordering::Relaxed),
            hedges: machines.repeater.hedger.as_ref().map(|hedger| {
                let (sent, won) = hedger.counts.sent_and_won();
                HedgeCounts { sent, won, held: hedger.counts.held().into() }
            }),
            budget: self.budget(),
            breaker: self.breaker(),
            breaker_counts,
            running: bulkhead.map(crate::Bulkhead::running),
            waiting: bulkhead.map(crate::Bulkhead::waiting),
            latency_ok,
            latency_failed,
        }
    }

    fn steer(&self, what: &str, reason: Option<&str>, order: impl FnOnce(&crate::Breaker)) -> bool {
        let Some(breaker) = &self.machines.breaker else { return false };
        order(breaker);
        tracing::info!(link = self.name(), order = what, reason, "breaker steered by hand");
        true
    }
}

/// Returns how many of the calls with these outcomes the answerer failed at.
fn failures(outcomes: &BTreeMap<&'static str, u64>) -> u64 {
    let failed = Code::ALL.into_iter().filter(|code| is_of_answerer(*code));
    failed.filter_map(|code| outcomes.get(code.name())).sum()
}
