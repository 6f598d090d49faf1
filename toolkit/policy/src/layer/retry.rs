//! The retry around a service: repeats what may be repeated, within attempts, budget and deadline.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::Either;
use ieum_core::{Fault, SharedClock};
use tower::{Layer, ServiceExt};

use crate::layer::guarded_service;
use crate::layer::hedge::{Hedger, Race, Raced};
use crate::{
    Breaker, Failure, HedgeAsk, HedgeRule, PolicyRequest, RetryBudget, RetryRule, Stop, Verdict, reason,
};

/// Repeats failed calls.
#[derive(Clone)]
pub struct RetryLayer {
    guard: Arc<Repeater>,
}

/// See [`RetryLayer`].
#[derive(Clone)]
pub struct RetryService<S> {
    guard: Arc<Repeater>,
    inner: S,
}

/// What repeating needs, shared by all calls of a dependency.
pub(crate) struct Repeater {
    pub rule: RetryRule,
    pub budget: RetryBudget,
    pub hedger: Option<Arc<Hedger>>,
    pub clock: SharedClock,
    pub retries: AtomicU64,
    pub out_of_budget: AtomicU64,
    random: AtomicU64,
}

impl RetryLayer {
    /// Repeats by `rule` within `budget`.
    pub fn new(rule: RetryRule, budget: RetryBudget, clock: SharedClock) -> Self {
        Self::of(Repeater::new(rule, budget, None, clock, rand::random()))
    }

    /// Returns the layer, also sending slow calls a second time by `rule` out of the same budget, and not while
    /// `breaker` is open or probes.
    #[must_use]
    pub fn hedging(self, rule: HedgeRule, breaker: Option<Breaker>) -> Self {
        let Repeater { rule: retry, budget, clock, .. } = &*self.guard;
        let hedger = Some(Hedger::new(rule, breaker));
        Self::of(Repeater::new(*retry, budget.clone(), hedger, clock.clone(), rand::random()))
    }

    fn of(guard: Repeater) -> Self {
        Self { guard: Arc::new(guard) }
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = RetryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService { guard: self.guard.clone(), inner }
    }
}

guarded_service!(RetryService, R, [S: Sync], |guard, inner| move |request: R| async move {
    let spare = inner.clone();
    let mut ready = Some(inner);
    repeat(&guard, request, |request| {
        // The first send goes to the instance that was polled ready, later ones wait for their own.
        match ready.take() {
            Some(mut ready) => Either::Left(ready.call(request)),
            None => Either::Right(spare.clone().oneshot(request)),
        }
    })
    .await
});

impl Repeater {
    pub(crate) fn new(
        rule: RetryRule,
        budget: RetryBudget,
        hedger: Option<Arc<Hedger>>,
        clock: SharedClock,
        seed: u64,
    ) -> Self {
        let (retries, out_of_budget) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { rule, budget, hedger, clock, retries, out_of_budget, random: AtomicU64::new(seed) }
    }

    /// Returns the next number in [0, 1) of a sequence that the seed decides (SplitMix64: Steele,
    /// Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a float")]
    fn next_random(&self) -> f64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Counts the first send of a call towards the budget, unless nothing was sent at all or the call
    /// is somebody else's retry.
    fn earn<T>(&self, result: &Result<T, Fault>, arrived_as: u32) {
        let sent = !matches!(result, Err(fault) if fault.reason == reason::BREAKER_OPEN);
        if arrived_as == 0 && sent {
            self.budget.deposit(self.clock.moment());
        }
    }

    /// Sends a call for the first time: twice where that is slow and a hedge allows. `spare` is a copy of the request.
    async fn begin<R, T, F>(
        &self,
        request: R,
        spare: &mut Option<R>,
        send: &mut impl FnMut(R) -> F,
    ) -> Raced<T>
    where
        R: PolicyRequest,
        F: Future<Output = Result<T, Fault>>,
    {
        let (arrived_as, deadline) = (request.cx().attempt(), request.cx().deadline());
        let Some(hedger) = &self.hedger else {
            let result = send(request).await;
            self.earn(&result, arrived_as);
            return Raced { result, sends: 1, earned: true };
        };
        let ask = HedgeAsk { repeatable: spare.is_some(), arrived_as, deadline, now: self.clock.moment() };
        let raced = match hedger.machine.delay(&ask) {
            Ok(delay) => {
                let first = send(request);
                let again = move || {
                    let mut again = spare.as_ref()?.try_clone()?;
                    again.with_cx(again.cx().with_attempt(arrived_as + 1));
                    let any_fault_settles = again.is_query();
                    Some((send(again), any_fault_settles))
                };
                hedger.race(Race { delay, budget: &self.budget, clock: &self.clock }, first, again).await
            }
            Err(_) => {
                let result = send(request).await;
                if ask.repeatable && arrived_as == 0 {
                    hedger.learn(&result, ask.now, &self.clock);
                }
                Raced { result, sends: 1, earned: false }
            }
        };
        if !raced.earned {
            self.earn(&raced.result, arrived_as);
        }
        raced
    }
}

/// Sends `request`, and sends it again as long as rule, budget and deadline allow; the first send may be hedged. Sends
/// after the first carry their number in the context, so that layers below do not multiply them; a fault that is
/// handed on after that, or because the budget is spent, says so, so that layers above do not add theirs.
pub(crate) async fn repeat<R, T, F>(
    repeater: &Repeater,
    mut request: R,
    mut send: impl FnMut(R) -> F,
) -> Result<T, Fault>
where
    R: PolicyRequest,
    F: Future<Output = Result<T, Fault>>,
{
    let rule = &repeater.rule;
    let (arrived_as, deadline) = (request.cx().attempt(), request.cx().deadline());
    let once_more = request.is_repeatable();
    let repeatable = rule.may_repeat(once_more, arrived_as);
    let mut made = 0;
    loop {
        let hedged = made == 0 && once_more && repeater.hedger.is_some();
        let kept = hedged || (repeatable && made + 1 < rule.attempts);
        let mut spare = if kept { request.try_clone() } else { None };
        let result = if made == 0 {
            let raced = repeater.begin(request, &mut spare, &mut send).await;
            made = raced.sends;
            raced.result
        } else {
            made += 1;
            send(request).await
        };
        let fault = match result {
            Err(fault) => fault,
            answer => return answer,
        };
        if let Some(hedger) = &repeater.hedger {
            hedger.heed(&fault, &repeater.clock);
        }
        if !repeatable {
            return Err(if made > 1 { fault.with_retried() } else { fault });
        }
        let now = repeater.clock.moment();
        let failure = Failure { fault: &fault, made, arrived_as, repeatable, now, deadline };
        let verdict = rule.judge(&failure, repeater.next_random());
        let (Verdict::Retry(wait), Some(next)) = (verdict, spare) else {
            let tried = made > 1 || verdict == Verdict::GiveUp(Stop::Attempts);
            return Err(if tried { fault.with_retried() } else { fault });
        };
        if !repeater.budget.withdraw(now) {
            repeater.out_of_budget.fetch_add(1, Ordering::Relaxed);
            return Err(fault.with_retried());
        }
        repeater.retries.fetch_add(1, Ordering::Relaxed);
        repeater.clock.sleep_until(now + wait).await;
        request = next;
        let cx = request.cx().with_attempt(arrived_as + made);
        request.with_cx(cx);
    }
}
