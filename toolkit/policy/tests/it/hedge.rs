//! A slow call is sent a second time: the first good answer counts, and the budget holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use ieum_core::{Clock, Code, Cx, Fault, ManualClock};
use ieum_policy::layer::HedgeLayer;
use ieum_policy::{
    Breaker, BreakerRule, BudgetRule, HedgeAfter, HedgeConfig, HedgeCounts, HedgeRule, PolicyConfig,
    PolicyStack, RetryBudget,
};
use tower::{Layer, ServiceExt};

use crate::budget::turning;
use crate::double::{Answerer, Ask, Reaction, command, down, query};

fn hedging(after: HedgeAfter) -> PolicyConfig {
    let hedge = Some(HedgeConfig { after, ..HedgeConfig::default() });
    PolicyConfig { hedge, breaker: None, ..PolicyConfig::default() }
}

fn fixed(millis: u64) -> PolicyConfig {
    hedging(HedgeAfter::Fixed(Duration::from_millis(millis)))
}

fn after(clock: &ManualClock, millis: u64) -> Reaction {
    Reaction::Wait(clock.sleep(Duration::from_millis(millis)))
}

/// The first send hangs, its twin answers.
fn slow_first() -> Answerer {
    Answerer::new(|_, ask| if ask.cx.attempt() == 0 { Reaction::Hang } else { Reaction::Answer })
}

fn counts(stack: &PolicyStack) -> HedgeCounts {
    stack.handle().snapshot().hedges.expect("calls are hedged")
}

/// Counts itself when it is dropped.
struct Dropped(Arc<AtomicU64>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_slow_call_is_beaten_by_its_twin_and_stops() {
    let (clock, dropped) = (ManualClock::default(), Arc::new(AtomicU64::new(0)));
    let watched = dropped.clone();
    let answerer = Answerer::new(move |_, ask| match ask.cx.attempt() {
        0 => {
            let work = Dropped(watched.clone());
            Reaction::Wait(Box::pin(async move {
                let _held = work;
                std::future::pending().await
            }))
        }
        _ => Reaction::Answer,
    });
    let stack = PolicyStack::new("stock", &fixed(100), clock.shared());
    let service = stack.apply(answerer.clone());
    turning(&clock, service.oneshot(query(1))).await.expect("the twin answers");
    assert_eq!(clock.moment().since_start(), Duration::from_millis(100));
    assert_eq!(answerer.attempts_seen(), [0, 1], "the twin says that it is one");
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "the loser is stopped");
    let counted = counts(&stack);
    assert_eq!((counted.sent, counted.won, stack.handle().budget()), (1, 1, 2));
    assert_eq!(stack.handle().snapshot().calls, 1);
}

#[tokio::test]
async fn a_first_send_that_answers_after_all_wins() {
    let clock = ManualClock::default();
    let timer = clock.clone();
    let answerer = Answerer::new(move |_, ask| match ask.cx.attempt() {
        0 => after(&timer, 150),
        _ => Reaction::Hang,
    });
    let stack = PolicyStack::new("stock", &fixed(100), clock.shared());
    turning(&clock, stack.apply(answerer).oneshot(query(1))).await.expect("the first answers");
    assert_eq!((counts(&stack).sent, counts(&stack).won), (1, 0));
}

#[tokio::test]
async fn what_may_not_be_repeated_or_is_a_repeat_is_never_hedged() {
    let repeat = Ask { cx: Cx::root().with_attempt(1), ..query(1) };
    for ask in [command(1), repeat] {
        let (clock, answerer) = (ManualClock::default(), Answerer::new(|_, _| Reaction::Hang));
        let service = PolicyStack::new("stock", &fixed(100), clock.shared()).apply(answerer.clone());
        turning(&clock, service.oneshot(ask)).await.expect_err("hangs");
        assert_eq!(answerer.calls(), 1);
    }
    let (clock, answerer) = (ManualClock::default(), slow_first());
    let service = PolicyStack::new("stock", &fixed(100), clock.shared()).apply(answerer.clone());
    let keyed = Ask { repeatable: true, ..command(1) };
    turning(&clock, service.oneshot(keyed)).await.expect("a command under a key has a twin");
    assert_eq!(answerer.calls(), 2);
}

#[tokio::test]
async fn a_fault_that_settles_a_question_ends_both_and_one_of_a_command_does_not() {
    let none = || Fault::not_found("test.none", "asking");
    let run = async |ask: Ask| {
        let clock = ManualClock::default();
        let timer = clock.clone();
        let answerer = Answerer::new(move |_, ask| match ask.cx.attempt() {
            0 => after(&timer, 900),
            _ => Reaction::Fail(none()),
        });
        let service = PolicyStack::new("stock", &fixed(100), clock.shared()).apply(answerer);
        let result = turning(&clock, service.oneshot(ask)).await;
        (result, clock.moment().since_start().as_millis())
    };
    let (result, ended) = run(query(1)).await;
    assert_eq!((result.expect_err("there is none").code, ended), (Code::NotFound, 100));
    let (result, ended) = run(Ask { repeatable: true, ..command(1) }).await;
    result.expect("the first send of a command has the last word");
    assert_eq!(ended, 900);
}

#[tokio::test]
async fn where_both_fail_the_call_is_repeated_no_more_often_than_without_a_hedge() {
    let clock = ManualClock::default();
    let timer = clock.clone();
    let answerer = Answerer::new(move |_, ask| match ask.cx.attempt() {
        0 => Reaction::Wait(timer.sleep(Duration::from_secs(60))),
        _ => Reaction::Fail(down()),
    });
    let config = PolicyConfig { attempt: Some(Duration::from_millis(300)), ..fixed(100) };
    let service = PolicyStack::new("stock", &config, clock.shared()).apply(answerer.clone());
    let fault = turning(&clock, service.oneshot(query(1))).await.expect_err("both fail");
    assert_eq!(answerer.attempts_seen(), [0, 1, 2], "three attempts in all");
    assert!(fault.retried, "layers above add none of theirs");
}

#[tokio::test]
async fn an_answerer_that_pushes_back_is_not_hedged_until_the_time_it_named() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|call, ask| match (call, ask.cx.attempt()) {
        (1, _) => Reaction::Fail(down().with_retry_after(Duration::from_secs(30))),
        (_, 0) => Reaction::Hang,
        _ => Reaction::Answer,
    });
    let stack = PolicyStack::new("stock", &fixed(100), clock.shared());
    let service = stack.apply(answerer.clone());
    turning(&clock, service.clone().oneshot(query(1))).await.expect_err("is busy");
    turning(&clock, service.clone().oneshot(query(2))).await.expect_err("hangs, alone");
    assert_eq!((answerer.calls(), counts(&stack).held["pushback"]), (2, 1));
    clock.advance(Duration::from_secs(30));
    turning(&clock, service.oneshot(query(3))).await.expect("has a twin again");
    assert_eq!(counts(&stack).won, 1);
}

#[tokio::test]
async fn nothing_is_hedged_while_the_breaker_probes() {
    let clock = ManualClock::default();
    let config = PolicyConfig { breaker: PolicyConfig::default().breaker, ..fixed(100) };
    let answerer = Answerer::new(|call, _| if call <= 5 { Reaction::Fail(down()) } else { Reaction::Hang });
    let stack = PolicyStack::new("stock", &config, clock.shared());
    let service = stack.apply(answerer.clone());
    for number in 0..5 {
        turning(&clock, service.clone().oneshot(command(number))).await.expect_err("is down");
    }
    clock.advance(Duration::from_secs(5));
    turning(&clock, service.oneshot(query(1))).await.expect_err("the probe hangs");
    assert_eq!((answerer.calls(), counts(&stack).sent, counts(&stack).held["breaker"]), (6, 0, 1));
}

#[tokio::test]
async fn a_percentile_hedges_the_tail_and_nothing_else() {
    let clock = ManualClock::default();
    let timer = clock.clone();
    let answerer = Answerer::new(move |_, ask| match (ask.number % 50, ask.cx.attempt()) {
        (49, 0) => after(&timer, 2_000),
        _ => after(&timer, 10),
    });
    let stack = PolicyStack::new("stock", &hedging(HedgeAfter::Percentile(95)), clock.shared());
    let service = stack.apply(answerer.clone());
    for number in 0..1_000 {
        let began = clock.moment();
        turning(&clock, service.clone().oneshot(query(number))).await.expect("answers");
        let took = clock.moment().since(began).as_millis();
        assert!(took <= 22, "call {number} took {took} ms, not the 2 s of its first send");
    }
    assert_eq!((counts(&stack).sent, counts(&stack).won), (20, 20), "one of fifty, as slow calls are");
}

/// Sends `calls` calls and returns how many sends they became.
async fn sends(calls: u64, config: &PolicyConfig, answerer: &Answerer, clock: &ManualClock) -> u64 {
    let service = PolicyStack::new("stock", config, clock.shared()).apply(answerer.clone());
    for number in 0..calls {
        // What becomes of the call is not the question here.
        let _ = turning(clock, service.clone().oneshot(query(number))).await;
    }
    answerer.calls()
}

#[tokio::test]
async fn retries_and_hedges_together_send_at_most_twelve_hundred_for_a_thousand_calls() {
    type Script = fn(&ManualClock, u64) -> Reaction;
    let answerers: [(&str, Script); 4] = [
        ("down at once", |_, _| Reaction::Fail(down())),
        ("slow", |clock, _| after(clock, 400)),
        ("slow and then down", |clock, _| {
            let wait = clock.sleep(Duration::from_millis(400));
            Reaction::Wait(Box::pin(async move {
                wait.await;
                std::future::pending().await
            }))
        }),
        ("now this, now that", |clock, call| match call % 3 {
            0 => Reaction::Fail(down()),
            1 => Reaction::Hang,
            _ => after(clock, 300),
        }),
    ];
    for after in [HedgeAfter::Fixed(Duration::from_millis(50)), HedgeAfter::Percentile(50)] {
        for (name, script) in answerers {
            let clock = ManualClock::default();
            let timer = clock.clone();
            let answerer = Answerer::new(move |call, _| script(&timer, call));
            let config = PolicyConfig { attempt: Some(Duration::from_millis(600)), ..hedging(after) };
            let sent = sends(1_000, &config, &answerer, &clock).await;
            assert!(sent <= 1_200, "{name}, hedged by {after:?}: {sent} sends");
        }
    }
}

#[tokio::test]
async fn a_thousand_slow_calls_at_once_send_at_most_twelve_hundred() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|_, _| Reaction::Hang);
    let stack = PolicyStack::new("stock", &fixed(100), clock.shared());
    let service = stack.apply(answerer.clone());
    let mut calls: Vec<_> = (0..1_000).map(|number| service.clone().oneshot(query(number)).boxed()).collect();
    for wait in [0, 100] {
        clock.advance(Duration::from_millis(wait));
        for call in &mut calls {
            // Back to the runtime first: it lets a task that never yields go short of wakes.
            tokio::task::yield_now().await;
            assert!(call.as_mut().now_or_never().is_none(), "all hang");
        }
    }
    let sent = answerer.calls();
    assert!((1_150..=1_200).contains(&sent), "{sent} sends");
    assert_eq!(counts(&stack).held["budget"], 2_000 - sent);
}

#[tokio::test]
async fn a_hedge_alone_repeats_nothing_that_failed() {
    let clock = ManualClock::default();
    let rule = HedgeRule { after: HedgeAfter::Fixed(Duration::from_millis(50)), ..HedgeRule::default() };
    let layer = || {
        let (budget, breaker) =
            (RetryBudget::new(BudgetRule::default()), Breaker::new(BreakerRule::default()));
        HedgeLayer::new(rule, budget, Some(breaker), clock.shared())
    };
    let slow = slow_first();
    turning(&clock, layer().layer(slow.clone()).oneshot(query(1))).await.expect("the twin answers");
    assert_eq!(slow.attempts_seen(), [0, 1]);
    let failing = Answerer::failing();
    let fault = turning(&clock, layer().layer(failing.clone()).oneshot(query(1))).await.expect_err("is down");
    assert_eq!((failing.calls(), fault.retried), (1, false), "nobody repeated it yet");
}
