//! The breaker around a service: asks for a permit, limits the attempt, reports how it went.

use std::future::Future;
use std::time::Duration;

use ieum_core::{Code, Fault, Moment, SharedClock, within};
use tower::Layer;

use crate::blame::is_of_answerer;
use crate::layer::guarded_service;
use crate::{Breaker, BreakerState, Outcome, Permit, Rejected, reason};

/// Sends calls only while the breaker allows.
#[derive(Clone)]
pub struct BreakerLayer {
    guard: Guard,
}

/// See [`BreakerLayer`].
#[derive(Clone)]
pub struct BreakerService<S> {
    guard: Guard,
    inner: S,
}

#[derive(Clone)]
struct Guard {
    name: std::sync::Arc<str>,
    breaker: Breaker,
    patience: Patience,
    clock: SharedClock,
}

/// How long an attempt may take, and from when on being cut off tells something of the answerer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Limit on one attempt beside the deadline.
    pub attempt: Option<Duration>,
    /// What the link gives a call in all; the measure of a fair chance.
    pub whole: Duration,
}

/// When a call ends at the latest, and the reason of the fault if it must be cut there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub at: Moment,
    pub reason: &'static str,
}

/// Reports a call whose future is dropped: it counts only where it was slow by then.
struct Watch<'a> {
    guard: Option<(Permit, &'a Breaker)>,
    clock: &'a SharedClock,
    began: Moment,
}

impl BreakerLayer {
    /// Guards the dependency `name` by `breaker`; `limit` is what a call may take and the measure of
    /// whether an answerer that gave no answer in time had a fair chance to.
    pub fn new(name: &str, breaker: Breaker, limit: Duration, clock: SharedClock) -> Self {
        let patience = Patience { attempt: Some(limit), whole: limit };
        Self { guard: Guard { name: name.into(), breaker, patience, clock } }
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = BreakerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { guard: self.guard.clone(), inner }
    }
}

guarded_service!(BreakerService, R, [], |guard_, inner| move |request: R| {
    let mut inner = inner;
    async move {
        let Guard { name, breaker, patience, clock } = guard_;
        let now = clock.moment();
        let end = End::of(request.cx().deadline(), now + patience.whole);
        guard(&name, Some(&breaker), patience, &clock, end, move || inner.call(request)).await
    }
});

impl End {
    /// Returns the earlier of the caller's deadline and the link's own limit.
    pub(crate) fn of(deadline: Option<Moment>, limit: Moment) -> Self {
        match deadline {
            Some(deadline) if deadline < limit => Self { at: deadline, reason: reason::DEADLINE },
            _ => Self { at: limit, reason: reason::TIMEOUT },
        }
    }
}

impl Patience {
    /// Returns whether an attempt that was given `span` had a fair chance: a fifth of the usual time.
    ///
    /// Without this a stranger who sends hopeless deadlines could open the breaker for everybody.
    fn is_fair(&self, span: Duration) -> bool {
        span.saturating_mul(5) >= self.attempt.unwrap_or(self.whole).min(self.whole)
    }
}

/// Sends one attempt that ends at `end` at the latest, if the breaker allows.
pub(crate) async fn guard<T, F>(
    name: &str,
    breaker: Option<&Breaker>,
    patience: Patience,
    clock: &SharedClock,
    end: End,
    send: impl FnOnce() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let began = clock.moment();
    if end.at <= began {
        let message = format!("the time was over before {name} was called");
        return Err(Fault::deadline_exceeded(end.reason, message));
    }
    let permit = match breaker.map(|breaker| breaker.try_acquire(began)).transpose() {
        Ok(permit) => permit,
        Err(rejected) => return Err(refuse(name, &rejected)),
    };
    let attempt_end = patience.attempt.map_or(end.at, |limit| end.at.min(began + limit));
    let mut watch = Watch { guard: permit.zip(breaker), clock, began };
    let result = match within(clock, attempt_end, send()).await {
        Some(result) => result,
        None => Err(late(
            name,
            if attempt_end < end.at { reason::ATTEMPT_TIMEOUT } else { end.reason },
            attempt_end.since(began),
        )),
    };
    if let Some((permit, breaker)) = watch.guard.take() {
        let now = clock.moment();
        let elapsed = now.since(began);
        let fair = patience.is_fair(attempt_end.since(began));
        if let Some(ok) = speaks_well(&result, fair) {
            tell(name, breaker.record(permit, Outcome { ok, elapsed }, now));
        }
    }
    result
}

fn late(name: &str, reason: &'static str, given: Duration) -> Fault {
    Fault::deadline_exceeded(reason, format!("{name} gave no answer within {} ms", given.as_millis()))
}

fn refuse(name: &str, rejected: &Rejected) -> Fault {
    let fault = Fault::unavailable(reason::BREAKER_OPEN, format!("{name} was not called: {rejected}"));
    match rejected {
        Rejected::Open { retry_after, .. } => fault.with_retry_after(*retry_after),
        Rejected::Probing | Rejected::Held { .. } => fault,
    }
}

/// Returns whether a result speaks for the answerer's health; `None` where it says nothing of it.
fn speaks_well<T>(result: &Result<T, Fault>, fair: bool) -> Option<bool> {
    let Err(fault) = result else { return Some(true) };
    match fault.code {
        Code::Cancelled => None,
        Code::DeadlineExceeded if !fair => None,
        code => Some(!is_of_answerer(code)),
    }
}

fn tell(name: &str, changed: Option<BreakerState>) {
    match changed {
        Some(BreakerState::Open { cause, probes_in_ms }) => {
            tracing::warn!(link = name, cause = %cause, probes_in_ms, "breaker opened");
        }
        Some(BreakerState::Closed { .. }) => tracing::info!(link = name, "breaker closed"),
        _ => {}
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let Some((permit, breaker)) = self.guard.take() else { return };
        let now = self.clock.moment();
        let elapsed = now.since(self.began);
        let rule = breaker.rule();
        if rule.slow_rate.is_some() && elapsed >= rule.slow_call {
            breaker.record(permit, Outcome { ok: true, elapsed }, now);
        }
    }
}
