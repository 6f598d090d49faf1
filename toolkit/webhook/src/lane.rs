//! One endpoint's queue in this process: how many attempts run at once, and its breaker.

use std::collections::VecDeque;

use ieum_core::{Id, Moment, Timestamp};
use ieum_policy::{Breaker, BreakerRule, Permit, Rejected};

use crate::deliveries::Claimed;

/// What is claimed for one endpoint and not yet tried.
pub(crate) struct Lane {
    pub breaker: Breaker,
    running: usize,
    waiting: VecDeque<Claimed>,
}

/// What to do next for an endpoint.
pub(crate) enum Step {
    /// Make this attempt.
    Send(Box<Claimed>, Permit),
    /// Give these back; the endpoint rests for a while.
    GiveBack(Vec<Id>, std::time::Duration),
    /// The lease of this one is too short by now; it comes back by itself.
    Forget,
    /// Nothing now.
    Nothing,
}

/// How long an endpoint rests where its breaker names no time.
const REST: std::time::Duration = std::time::Duration::from_secs(1);

impl Lane {
    pub fn new(rule: BreakerRule) -> Self {
        Self { breaker: Breaker::new(rule), running: 0, waiting: VecDeque::new() }
    }

    /// How many deliveries are claimed and not yet tried.
    pub fn load(&self) -> usize {
        self.running + self.waiting.len()
    }

    pub fn push(&mut self, claimed: Claimed) {
        self.waiting.push_back(claimed);
    }

    pub fn ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Takes everything that waits.
    pub fn take_waiting(&mut self) -> Vec<Id> {
        self.waiting.drain(..).map(|claimed| claimed.id).collect()
    }

    /// Decides what to do next. `latest` is the time after which a lease must still hold.
    pub fn next(&mut self, most: usize, now: Moment, latest: Timestamp) -> Step {
        if self.running >= most {
            return Step::Nothing;
        }
        let Some(first) = self.waiting.front() else { return Step::Nothing };
        if first.lease_until < latest {
            self.waiting.pop_front();
            return Step::Forget;
        }
        match self.breaker.try_acquire(now) {
            Ok(permit) => match self.waiting.pop_front() {
                Some(claimed) => {
                    self.running += 1;
                    Step::Send(Box::new(claimed), permit)
                }
                None => Step::Nothing,
            },
            Err(rejected) => {
                let rest = match rejected {
                    Rejected::Open { retry_after, .. } => retry_after.max(REST),
                    _ => REST,
                };
                Step::GiveBack(self.take_waiting(), rest)
            }
        }
    }
}
