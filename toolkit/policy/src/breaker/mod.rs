//! The circuit breaker: stops sending to a dependency that fails or drags, and probes it with care.

mod state;

use std::sync::Arc;

use ieum_core::Moment;
use parking_lot::Mutex;

use crate::Window;
use crate::window::Tally;

pub use state::{BreakerCounts, BreakerRule, BreakerState, Cause, Outcome, Rejected};

/// A circuit breaker. Clones share one state.
#[derive(Clone, Debug)]
pub struct Breaker {
    shared: Arc<Shared>,
}

/// Leave to send one call. Hand it to [`Breaker::record`]; dropped without, the call counts as never made.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    generation: u64,
    spent: bool,
}

#[derive(Debug)]
struct Shared {
    rule: BreakerRule,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    /// Counts phases: what a permit of an earlier phase brings back says nothing about this one.
    generation: u64,
    window: Window,
    consecutive: u32,
    hold: Option<Hold>,
    counts: BreakerCounts,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Phase {
    Closed,
    Open { until: Moment, cause: Cause },
    HalfOpen { running: u32, succeeded: u32 },
}

#[derive(Clone, Debug)]
enum Hold {
    Open(Arc<str>),
    Closed(Arc<str>),
}

// === Breaker ===

impl Breaker {
    /// Makes a closed breaker. A rule of no probes counts as one probe: else it could never close.
    pub fn new(rule: BreakerRule) -> Self {
        let inner = Inner {
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(rule.window),
            consecutive: 0,
            hold: None,
            counts: BreakerCounts::default(),
        };
        let rule = BreakerRule { probes: rule.probes.max(1), ..rule };
        Self { shared: Arc::new(Shared { rule, inner: Mutex::new(inner) }) }
    }

    /// Returns the rule.
    pub fn rule(&self) -> &BreakerRule {
        &self.shared.rule
    }

    /// Asks to send one call at `now`. Fails where the breaker lets none through.
    pub fn try_acquire(&self, now: Moment) -> Result<Permit, Rejected> {
        let mut inner = self.shared.inner.lock();
        let asked = self.ask(&mut inner, now);
        inner.counts.rejected += u64::from(asked.is_err());
        asked
    }

    fn ask(&self, inner: &mut Inner, now: Moment) -> Result<Permit, Rejected> {
        match &inner.hold {
            Some(Hold::Open(reason)) => return Err(Rejected::Held { reason: reason.clone() }),
            Some(Hold::Closed(_)) => return Ok(self.permit(inner)),
            None => inner.half_open_if_due(now),
        }
        match &mut inner.phase {
            Phase::Closed => {}
            Phase::Open { until, cause } => {
                return Err(Rejected::Open { cause: *cause, retry_after: until.since(now) });
            }
            Phase::HalfOpen { running, succeeded } => {
                if *running + *succeeded >= self.shared.rule.probes {
                    return Err(Rejected::Probing);
                }
                *running += 1;
            }
        }
        Ok(self.permit(inner))
    }

    /// Counts how a call went that ended at `now`. Returns the new state where this changed it.
    pub fn record(&self, mut permit: Permit, outcome: Outcome, now: Moment) -> Option<BreakerState> {
        permit.spent = true;
        let rule = &self.shared.rule;
        let mut inner = self.shared.inner.lock();
        if permit.generation != inner.generation {
            return None;
        }
        let slow = rule.slow_rate.is_some() && outcome.elapsed >= rule.slow_call;
        match inner.phase {
            Phase::Closed => inner.count(rule, outcome.ok, slow, now),
            Phase::Open { .. } => {}
            Phase::HalfOpen { .. } if inner.hold.is_some() => {}
            Phase::HalfOpen { .. } if !outcome.ok || slow => inner.open(rule, Cause::Probe, now),
            Phase::HalfOpen { running, succeeded } if succeeded + 1 < rule.probes => {
                inner.phase =
                    Phase::HalfOpen { running: running.saturating_sub(1), succeeded: succeeded + 1 };
            }
            Phase::HalfOpen { .. } => inner.close(),
        }
        (permit.generation != inner.generation).then(|| inner.state(now))
    }

    /// Keeps doing until [`Breaker::release`] what it does at `now`, whatever happens: lets every call through
    /// where it is closed, none where it is open or probes. Shows `reason` to who asks why.
    pub fn hold(&self, reason: &str, now: Moment) {
        match self.state(now) {
            BreakerState::Closed { .. } | BreakerState::ForcedClosed { .. } => self.force_closed(reason),
            BreakerState::Open { .. } | BreakerState::HalfOpen { .. } | BreakerState::HeldOpen { .. } => {
                self.hold_open(reason);
            }
        }
    }

    /// Lets no call through until [`Breaker::release`], and shows `reason` to who asks why.
    pub fn hold_open(&self, reason: &str) {
        self.shared.inner.lock().hold = Some(Hold::Open(reason.into()));
    }

    /// Lets every call through until [`Breaker::release`], and shows `reason` to who asks why.
    pub fn force_closed(&self, reason: &str) {
        let mut inner = self.shared.inner.lock();
        inner.close();
        inner.hold = Some(Hold::Closed(reason.into()));
    }

    /// Ends what a person ordered. After holding open, probes decide; after forcing closed, the counts do.
    pub fn release(&self) {
        let mut inner = self.shared.inner.lock();
        match inner.hold.take() {
            Some(Hold::Open(_)) => inner.enter(Phase::HalfOpen { running: 0, succeeded: 0 }),
            Some(Hold::Closed(_)) => inner.close(),
            None => {}
        }
    }

    /// Returns what the breaker does at `now`.
    pub fn state(&self, now: Moment) -> BreakerState {
        let mut inner = self.shared.inner.lock();
        if inner.hold.is_none() {
            inner.half_open_if_due(now);
        }
        inner.state(now)
    }

    /// Returns what the breaker did since it was made.
    pub fn counts(&self) -> BreakerCounts {
        self.shared.inner.lock().counts
    }

    fn permit(&self, inner: &Inner) -> Permit {
        Permit { shared: self.shared.clone(), generation: inner.generation, spent: false }
    }
}

// === Inner ===

impl Inner {
    fn enter(&mut self, phase: Phase) {
        match (self.phase, phase) {
            (Phase::Closed, Phase::Closed) => {}
            (_, Phase::Closed) => self.counts.closed += 1,
            (_, Phase::Open { .. }) => self.counts.opened += 1,
            (_, Phase::HalfOpen { .. }) => self.counts.half_opened += 1,
        }
        self.phase = phase;
        self.generation += 1;
    }

    fn open(&mut self, rule: &BreakerRule, cause: Cause, now: Moment) {
        self.enter(Phase::Open { until: now + rule.open_for, cause });
    }

    fn close(&mut self) {
        self.window.clear();
        self.consecutive = 0;
        self.enter(Phase::Closed);
    }

    fn half_open_if_due(&mut self, now: Moment) {
        if matches!(self.phase, Phase::Open { until, .. } if until <= now) {
            self.enter(Phase::HalfOpen { running: 0, succeeded: 0 });
        }
    }

    fn count(&mut self, rule: &BreakerRule, ok: bool, slow: bool, now: Moment) {
        self.window.record(!ok, slow, now);
        self.consecutive = if ok { 0 } else { self.consecutive.saturating_add(1) };
        if self.hold.is_some() {
            return;
        }
        if let Some(cause) = self.reason_to_open(rule, ok, slow, now) {
            self.open(rule, cause, now);
        }
    }

    /// A call that went well opens nothing, even where it tips the window over its minimum.
    fn reason_to_open(&mut self, rule: &BreakerRule, ok: bool, slow: bool, now: Moment) -> Option<Cause> {
        if !ok && rule.consecutive.is_some_and(|most| self.consecutive >= most) {
            return Some(Cause::Consecutive { failures: self.consecutive });
        }
        let total = self.window.total(now);
        if total.calls < u64::from(rule.minimum_calls) {
            return None;
        }
        let Tally { calls, failures, slow: slow_calls } = total;
        if !ok && rule.failure_rate.is_some_and(|most| total.failure_rate() >= most) {
            return Some(Cause::FailureRate { failures, calls });
        }
        if slow && rule.slow_rate.is_some_and(|most| total.slow_rate() >= most) {
            return Some(Cause::SlowRate { slow: slow_calls, calls });
        }
        None
    }

    fn state(&mut self, now: Moment) -> BreakerState {
        match (&self.hold, self.phase) {
            (Some(Hold::Open(reason)), _) => BreakerState::HeldOpen { reason: reason.to_string() },
            (Some(Hold::Closed(reason)), _) => BreakerState::ForcedClosed { reason: reason.to_string() },
            (None, Phase::Closed) => {
                let Tally { calls, failures, slow } = self.window.total(now);
                BreakerState::Closed { consecutive: self.consecutive, calls, failures, slow }
            }
            (None, Phase::Open { until, cause }) => {
                let millis = until.since(now).as_millis();
                BreakerState::Open { cause, probes_in_ms: u64::try_from(millis).unwrap_or(u64::MAX) }
            }
            (None, Phase::HalfOpen { running, succeeded }) => BreakerState::HalfOpen { running, succeeded },
        }
    }
}

// === Permit ===

impl Drop for Permit {
    fn drop(&mut self) {
        if self.spent {
            return;
        }
        let mut inner = self.shared.inner.lock();
        if inner.generation != self.generation {
            return;
        }
        if let Phase::HalfOpen { running, .. } = &mut inner.phase {
            *running = running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
