//! The hedge around a service: a second send beside a slow first one, and the first answer of the two.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{Either, select};
use ieum_core::{Code, Fault, Moment, SharedClock, within};
use tower::Layer;

use crate::layer::retry::{RetryLayer, RetryService};
use crate::{Breaker, Hedge, HedgeRule, Held, RetryBudget, RetryRule};

/// Sends slow calls a second time, and repeats nothing that failed; for both see [`RetryLayer::hedging`].
#[derive(Clone)]
pub struct HedgeLayer {
    both: RetryLayer,
}

/// What hedging needs, shared by all calls of a dependency.
pub(crate) struct Hedger {
    pub machine: Hedge,
    pub breaker: Option<Breaker>,
    pub counts: Counts,
}

/// What hedging counted.
#[derive(Default)]
pub(crate) struct Counts {
    sent: AtomicU64,
    won: AtomicU64,
    budget: AtomicU64,
    breaker: AtomicU64,
    pushed_back: AtomicU64,
}

/// How a call ended that may have been sent twice.
pub(crate) struct Raced<T> {
    pub result: Result<T, Fault>,
    /// How often it was sent.
    pub sends: u32,
    /// Whether it is counted towards the budget already.
    pub earned: bool,
}

/// Time and money of one race.
#[derive(Clone, Copy)]
pub(crate) struct Race<'a> {
    pub delay: Duration,
    pub budget: &'a RetryBudget,
    pub clock: &'a SharedClock,
}

impl HedgeLayer {
    /// Hedges by `rule` within `budget`, and not while `breaker` is open or probes.
    pub fn new(rule: HedgeRule, budget: RetryBudget, breaker: Option<Breaker>, clock: SharedClock) -> Self {
        let never = RetryRule { attempts: 1, ..RetryRule::default() };
        Self { both: RetryLayer::new(never, budget, clock).hedging(rule, breaker) }
    }
}

impl<S> Layer<S> for HedgeLayer {
    type Service = RetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.both.layer(inner)
    }
}

// === Hedger ===

impl Hedger {
    pub(crate) fn new(rule: HedgeRule, breaker: Option<Breaker>) -> Arc<Self> {
        Arc::new(Self { machine: Hedge::new(rule), breaker, counts: Counts::default() })
    }

    /// Waits for `first`, sends `again` beside it once it is slow, and returns the first good answer of the two; the
    /// other is dropped, which stops its work. A fault settles the matter only where `again` says that any may: the
    /// twin of a command may be told that the command is under way already.
    pub(crate) async fn race<T, F>(
        &self,
        race: Race<'_>,
        first: F,
        again: impl FnOnce() -> Option<(F, bool)>,
    ) -> Raced<T>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let Race { delay, budget, clock } = race;
        let began = clock.moment();
        let mut first = pin!(first);
        if let Some(result) = within(clock, began + delay, first.as_mut()).await {
            self.learn(&result, began, clock);
            return Raced { result, sends: 1, earned: false };
        }
        // It is sent for sure by now, and its end may never be seen.
        budget.deposit(clock.moment());
        let second = if self.leave(budget, clock.moment()) { again() } else { None };
        let Some((second, any_fault_settles)) = second else {
            let result = first.await;
            self.learn(&result, began, clock);
            return Raced { result, sends: 1, earned: true };
        };
        self.counts.sent.fetch_add(1, Ordering::Relaxed);
        let second = pin!(second);
        let is_final = |fault: &Fault| any_fault_settles && !fault.is_retryable();
        let result = match select(first, second).await {
            Either::Left((result, second)) => {
                self.learn(&result, began, clock);
                match result {
                    Err(fault) if !is_final(&fault) => match self.won(second.await, clock) {
                        Err(other) => Err(worse(fault, other)),
                        answer => answer,
                    },
                    settled => settled,
                }
            }
            Either::Right((result, first)) => match self.won(result, clock) {
                Err(fault) if !is_final(&fault) => {
                    let result = first.await;
                    self.learn(&result, began, clock);
                    result.map_err(|first| worse(first, fault))
                }
                settled => {
                    self.observe(began, clock);
                    settled
                }
            },
        };
        Raced { result, sends: 2, earned: true }
    }

    /// Tells whether a second send may go out, and counts who held it back.
    fn leave(&self, budget: &RetryBudget, now: Moment) -> bool {
        let state = self.breaker.as_ref().map(|breaker| breaker.state(now));
        let held = match self.machine.may_send(state.as_ref(), now) {
            Ok(()) if budget.withdraw(now) => return true,
            Ok(()) => &self.counts.budget,
            Err(Held::Breaker) => &self.counts.breaker,
            Err(_) => &self.counts.pushed_back,
        };
        held.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Learns from the end of a first send: how long it took, and whether the answerer wants calm. A fault that came
    /// quickly says nothing of how long answers take.
    pub(crate) fn learn<T>(&self, result: &Result<T, Fault>, began: Moment, clock: &SharedClock) {
        match result {
            Ok(_) => self.observe(began, clock),
            Err(fault) => {
                self.heed(fault, clock);
                if fault.code == Code::DeadlineExceeded {
                    self.observe(began, clock);
                }
            }
        }
    }

    fn won<T>(&self, result: Result<T, Fault>, clock: &SharedClock) -> Result<T, Fault> {
        match &result {
            Ok(_) => {
                self.counts.won.fetch_add(1, Ordering::Relaxed);
            }
            Err(fault) => self.heed(fault, clock),
        }
        result
    }

    /// Remembers a fault's `retry_after`.
    pub(crate) fn heed(&self, fault: &Fault, clock: &SharedClock) {
        if let Some(wait) = fault.retry_after {
            self.machine.push_back(clock.moment() + wait);
        }
    }

    fn observe(&self, began: Moment, clock: &SharedClock) {
        let now = clock.moment();
        self.machine.observe(now.since(began), now);
    }
}

/// Chooses between the faults of both sends: one that trying again can help, the first one's where both or
/// neither are such, with the later time to come back.
fn worse(first: Fault, second: Fault) -> Fault {
    let retry_after = first.retry_after.max(second.retry_after);
    let told = if !first.is_retryable() && second.is_retryable() { second } else { first };
    match retry_after {
        Some(wait) => told.with_retry_after(wait),
        None => told,
    }
}

// === Counts ===

impl Counts {
    /// Returns second sends, and how many of them brought the answer.
    pub(crate) fn sent_and_won(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.won.load(Ordering::Relaxed))
    }

    /// Returns second sends that were held back, by whom.
    pub(crate) fn held(&self) -> [(&'static str, u64); 3] {
        [("budget", &self.budget), ("breaker", &self.breaker), ("pushback", &self.pushed_back)]
            .map(|(by, count)| (by, count.load(Ordering::Relaxed)))
    }
}
