//! A dependency that is down costs at most 1.2 times its normal load.

use std::time::Duration;

use ieum_core::{Clock, ManualClock};
use ieum_policy::{PolicyConfig, PolicyStack};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::double::{Answerer, query};

/// Runs `work` while turning the clock to whatever it waits for.
pub async fn turning<T>(clock: &ManualClock, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        if let Some(done) = futures::FutureExt::now_or_never(work.as_mut()) {
            return done;
        }
        // Back to the runtime first: it lets a task that never yields go short of wakes.
        tokio::task::yield_now().await;
        if let Some(wake) = clock.next_wake() {
            clock.advance(wake.since(clock.moment()));
        }
    }
}

async fn load_of(calls: u64, gap: Duration, config: &PolicyConfig) -> u64 {
    let clock = ManualClock::default();
    let answerer = Answerer::failing();
    let service = PolicyStack::new("stock", config, clock.shared()).apply(answerer.clone());
    for number in 0..calls {
        turning(&clock, service.clone().oneshot(query(number))).await.expect_err("the double is down");
        clock.advance(gap);
    }
    answerer.calls()
}

#[tokio::test]
async fn a_thousand_calls_to_a_dead_dependency_send_at_most_twelve_hundred() {
    let no_breaker = PolicyConfig { breaker: None, ..PolicyConfig::default() };
    for gap in [0, 10, 100, 1_000, 20_000] {
        let sent = load_of(1_000, Duration::from_millis(gap), &no_breaker).await;
        assert!(sent <= 1_200, "{sent} sends with {gap} ms between calls");
        assert!(sent > 1_000, "retries are made where the budget has them");
    }
    let dense = load_of(1_000, Duration::ZERO, &no_breaker).await;
    assert!(dense >= 1_150, "the budget is used: {dense}");
}

#[tokio::test]
async fn the_bound_holds_at_every_count_beyond_the_loan() {
    let no_breaker = PolicyConfig { breaker: None, ..PolicyConfig::default() };
    for calls in [15, 16, 50, 100, 250] {
        let sent = load_of(calls, Duration::from_millis(10), &no_breaker).await;
        assert!(sent * 10 <= calls * 12, "{sent} sends for {calls} calls");
    }
}

#[tokio::test]
async fn with_its_breaker_a_dead_dependency_gets_far_less_than_its_normal_load() {
    let sent = load_of(1_000, Duration::from_millis(10), &PolicyConfig::default()).await;
    assert!(sent < 50, "{sent} sends");
}

#[tokio::test]
async fn layers_above_one_another_do_not_multiply_retries() {
    let clock = ManualClock::default();
    let config = PolicyConfig { breaker: None, ..PolicyConfig::default() };
    let answerer = Answerer::failing();
    let lower = PolicyStack::new("lower", &config, clock.shared()).apply(answerer.clone());
    let middle = PolicyStack::new("middle", &config, clock.shared()).apply(lower);
    let upper = PolicyStack::new("upper", &config, clock.shared()).apply(middle);
    turning(&clock, upper.oneshot(query(1))).await.expect_err("the double is down");
    assert_eq!(answerer.calls(), 3, "three layers of three attempts would be 27");
    assert_eq!(answerer.attempts_seen(), [0, 1, 2]);
}

#[tokio::test]
async fn layers_above_one_another_do_not_add_up_their_retries() {
    for layers in 2..=4 {
        let clock = ManualClock::default();
        let config = PolicyConfig { breaker: None, ..PolicyConfig::default() };
        let answerer = Answerer::failing();
        let stack = || PolicyStack::new("layer", &config, clock.shared());
        let lowest = BoxCloneSyncService::new(stack().apply(answerer.clone()));
        let service = (1..layers).fold(lowest, |below, _| BoxCloneSyncService::new(stack().apply(below)));
        for number in 0..1_000 {
            turning(&clock, service.clone().oneshot(query(number))).await.expect_err("the double is down");
            clock.advance(Duration::from_millis(10));
        }
        let sent = answerer.calls();
        assert!(sent <= 1_200, "{layers} layers send {sent} for 1,000 calls");
        assert!(sent >= 1_150, "the lowest layer's budget is used: {sent}");
    }
}
