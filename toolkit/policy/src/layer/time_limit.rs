//! The time limit: a call ends at its deadline, whether or not its work does.

use std::time::Duration;

use ieum_core::{Fault, SharedClock, within};
use tower::Layer;

use crate::layer::guarded_service;
use crate::reason;

/// Ends each call after a span, or at the caller's deadline if that is earlier.
#[derive(Clone)]
pub struct TimeLimitLayer {
    guard: Guard,
}

/// See [`TimeLimitLayer`].
#[derive(Clone)]
pub struct TimeLimitService<S> {
    guard: Guard,
    inner: S,
}

#[derive(Clone)]
struct Guard {
    limit: Duration,
    clock: SharedClock,
}

impl TimeLimitLayer {
    /// Ends each call after `limit`.
    pub fn new(limit: Duration, clock: SharedClock) -> Self {
        Self { guard: Guard { limit, clock } }
    }
}

impl<S> Layer<S> for TimeLimitLayer {
    type Service = TimeLimitService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeLimitService { guard: self.guard.clone(), inner }
    }
}

guarded_service!(TimeLimitService, R, [], |guard, inner| move |mut request: R| {
    let mut inner = inner;
    async move {
        let now = guard.clock.moment();
        request.cx().check(now)?;
        let cx = request.cx().with_timeout(now, guard.limit);
        let end = cx.deadline().unwrap_or(now + guard.limit);
        request.with_cx(cx);
        let operation = request.operation().to_owned();
        match within(&guard.clock, end, inner.call(request)).await {
            Some(result) => result,
            None => Err(cut(&operation, end == now + guard.limit, end.since(now))),
        }
    }
});

/// Makes the fault of a call that was cut off, by our own limit or by the caller's deadline.
fn cut(operation: &str, own_limit: bool, waited: Duration) -> Fault {
    let millis = waited.as_millis();
    if own_limit {
        Fault::deadline_exceeded(reason::TIMEOUT, format!("{operation} gave no answer within {millis} ms"))
    } else {
        let message = format!("{operation} gave no answer before the caller's deadline, {millis} ms later");
        Fault::deadline_exceeded(reason::DEADLINE, message)
    }
}
