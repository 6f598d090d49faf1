//! The rate limit around a service: one number per dependency, refused calls cost nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ieum_core::{Fault, Moment, SharedClock};
use tower::Layer;

use crate::layer::guarded_service;
use crate::{Decision, Gcra, reason};

/// A rate limit with its number, for one process. Clones share the number.
#[derive(Clone, Debug)]
pub struct RateLimit {
    gcra: Gcra,
    arrival: Arc<AtomicI64>,
}

/// Refuses calls above a rate.
#[derive(Clone)]
pub struct RateLimitLayer {
    guard: Guard,
}

/// See [`RateLimitLayer`].
#[derive(Clone)]
pub struct RateLimitService<S> {
    guard: Guard,
    inner: S,
}

#[derive(Clone)]
struct Guard {
    name: Arc<str>,
    limit: RateLimit,
    clock: SharedClock,
}

impl RateLimit {
    /// Begins with the full burst.
    pub fn new(gcra: Gcra) -> Self {
        Self { gcra, arrival: Arc::new(AtomicI64::new(0)) }
    }

    /// Returns the rule.
    pub const fn gcra(&self) -> &Gcra {
        &self.gcra
    }

    /// Decides on one call at `now`.
    pub fn check(&self, now: Moment) -> Decision {
        let micros = i64::try_from(now.since_start().as_micros()).unwrap_or(i64::MAX / 2);
        let mut kept = self.arrival.load(Ordering::Acquire);
        loop {
            let decision = self.gcra.check(kept, micros);
            if !decision.allowed {
                return decision;
            }
            let swap = self.arrival.compare_exchange_weak(
                kept,
                decision.new_arrival,
                Ordering::AcqRel,
                Ordering::Acquire,
            );
            match swap {
                Ok(_) => return decision,
                Err(newer) => kept = newer,
            }
        }
    }

    /// Decides on one call to the dependency `name` at `now`, as a fault where it may not pass.
    pub(crate) fn admit(&self, name: &str, now: Moment) -> Result<(), Fault> {
        let decision = self.check(now);
        if decision.allowed {
            return Ok(());
        }
        let (rate, per) = (self.gcra.rate(), self.gcra.per());
        let message = format!("{name} was not called: more than {rate} calls in {} ms", per.as_millis());
        Err(Fault::resource_exhausted(reason::RATE_LIMITED, message).with_retry_after(decision.retry_after))
    }
}

impl RateLimitLayer {
    /// Guards the dependency `name` by `limit`.
    pub fn new(name: &str, limit: RateLimit, clock: SharedClock) -> Self {
        Self { guard: Guard { name: name.into(), limit, clock } }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimitService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimitService { guard: self.guard.clone(), inner }
    }
}

guarded_service!(RateLimitService, R, [], |guard, inner| move |request: R| {
    let mut inner = inner;
    async move {
        guard.limit.admit(&guard.name, guard.clock.moment())?;
        inner.call(request).await
    }
});

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn threads_that_ask_at_once_share_the_burst() {
        let limit = RateLimit::new(Gcra::new(1, Duration::from_secs(1), 100).expect("is a limit"));
        let now = Moment::from_start(Duration::from_secs(1));
        let passed: usize = std::thread::scope(|scope| {
            let ask = || (0..1_000).filter(|_| limit.check(now).allowed).count();
            let askers: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            askers.into_iter().map(|asker| asker.join().expect("does not panic")).sum()
        });
        assert_eq!(passed, 100);
    }
}
