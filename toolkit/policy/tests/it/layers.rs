//! Each policy as a layer of its own.

use std::time::Duration;

use futures::FutureExt;
use ieum_core::{Cx, ManualClock};
use ieum_policy::layer::{
    BreakerLayer, BulkheadLayer, FallbackLayer, RateLimit, RateLimitLayer, RetryLayer, TimeLimitLayer,
};
use ieum_policy::{
    Breaker, BreakerRule, BudgetRule, Bulkhead, FallbackKind, Gcra, Origin, RetryBudget, RetryRule, reason,
};
use tower::{Layer, ServiceExt};

use crate::budget::turning;
use crate::double::{Answerer, Ask, Reaction, down, query};

#[tokio::test]
async fn a_time_limit_alone_ends_a_call() {
    let clock = ManualClock::default();
    let layer = TimeLimitLayer::new(Duration::from_millis(100), clock.shared());
    let service = layer.layer(Answerer::new(|_, _| Reaction::Hang));
    let fault = turning(&clock, service.clone().oneshot(query(1))).await.expect_err("hangs");
    assert_eq!(fault.reason, reason::TIMEOUT);
    assert_eq!(fault.message, "test.double/ask gave no answer within 100 ms");
    let cx = Cx::root().with_timeout(ieum_core::Clock::moment(&clock), Duration::from_millis(50));
    let fault = turning(&clock, service.oneshot(Ask { cx, ..query(1) })).await.expect_err("hangs");
    assert_eq!(fault.reason, reason::DEADLINE);
}

#[tokio::test]
async fn a_retry_alone_repeats() {
    let clock = ManualClock::default();
    let budget = RetryBudget::new(BudgetRule::default());
    let layer = RetryLayer::new(RetryRule::default(), budget, clock.shared());
    let answerer = Answerer::new(|call, _| if call < 3 { Reaction::Fail(down()) } else { Reaction::Answer });
    turning(&clock, layer.layer(answerer.clone()).oneshot(query(1))).await.expect("answers at last");
    assert_eq!(answerer.attempts_seen(), [0, 1, 2]);
}

#[tokio::test]
async fn a_breaker_alone_opens() {
    let clock = ManualClock::default();
    let breaker = Breaker::new(BreakerRule { consecutive: Some(2), ..BreakerRule::default() });
    let layer = BreakerLayer::new("stock", breaker, Duration::from_secs(5), clock.shared());
    let answerer = Answerer::failing();
    let service = layer.layer(answerer.clone());
    for number in 0..9 {
        service.clone().oneshot(query(number)).await.expect_err("is down");
    }
    assert_eq!(answerer.calls(), 2);
}

#[tokio::test]
async fn a_bulkhead_alone_bounds_calls() {
    let clock = ManualClock::default();
    let layer = BulkheadLayer::new("stock", Bulkhead::new(1, 0), clock.shared());
    let service = layer.layer(Answerer::new(|_, _| Reaction::Hang));
    let mut running = Box::pin(service.clone().oneshot(query(1)));
    assert!(running.as_mut().now_or_never().is_none());
    let fault = service.oneshot(query(2)).await.expect_err("is full");
    assert_eq!(fault.reason, reason::BULKHEAD_FULL);
}

#[tokio::test]
async fn a_rate_limit_alone_bounds_the_rate() {
    let clock = ManualClock::default();
    let limit = RateLimit::new(Gcra::new(1, Duration::from_secs(1), 1).expect("is a limit"));
    let service =
        RateLimitLayer::new("stock", limit, clock.shared()).layer(Answerer::new(|_, _| Reaction::Answer));
    service.clone().oneshot(query(1)).await.expect("is the first");
    let fault = service.oneshot(query(2)).await.expect_err("is too much");
    assert_eq!(fault.message, "stock was not called: more than 1 calls in 1000 ms");
}

#[tokio::test]
async fn a_fallback_alone_remembers() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|call, _| if call == 1 { Reaction::Answer } else { Reaction::Fail(down()) });
    let service = FallbackLayer::last_good(10, clock.shared()).layer(answerer);
    service.clone().oneshot(query(1)).await.expect("is live");
    clock.advance(Duration::from_secs(3));
    let reply = service.oneshot(query(1)).await.expect("is remembered");
    assert_eq!(reply.origin, Origin::Fallback(FallbackKind::LastGood { age: Duration::from_secs(3) }));
}
