//! The whole stack around a service.

use std::time::Duration;

use futures::FutureExt;
use ieum_core::{Caller, Clock, Code, Cx, Fault, ManualClock};
use ieum_policy::{
    Alternative, BreakerConfig, BreakerState, BulkheadConfig, Cause, FallbackConfig, FallbackKind, Gcra,
    Origin, PolicyConfig, PolicyService, PolicyStack, RateConfig, reason,
};
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::budget::turning;
use crate::double::{Answer, Answerer, Ask, Reaction, command, down, query};

fn stack(clock: &ManualClock, config: &PolicyConfig) -> PolicyStack {
    PolicyStack::with_seed("stock", config, clock.shared(), 7)
}

async fn ask(
    clock: &ManualClock,
    service: &PolicyService<Ask, Answer>,
    question: Ask,
) -> Result<Answer, Fault> {
    turning(clock, service.clone().oneshot(question)).await
}

#[tokio::test]
async fn a_policy_repeats_what_is_safe_and_nothing_else() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|call, _| if call < 3 { Reaction::Fail(down()) } else { Reaction::Answer });
    let service = stack(&clock, &PolicyConfig::default()).apply(answerer.clone());
    let answer = ask(&clock, &service, query(1)).await.expect("the third attempt succeeds");
    assert_eq!(answer.origin, Origin::Live);
    assert_eq!(answerer.attempts_seen(), [0, 1, 2]);

    for unsafe_ask in [command(1), Ask { cx: Cx::root().with_attempt(1), ..query(1) }] {
        let answerer = Answerer::failing();
        let service = stack(&clock, &PolicyConfig::default()).apply(answerer.clone());
        ask(&clock, &service, unsafe_ask).await.expect_err("the double is down");
        assert_eq!(answerer.calls(), 1);
    }

    let answerer = Answerer::new(|_, _| Reaction::Fail(Fault::not_found("test.none", "asking")));
    let service = stack(&clock, &PolicyConfig::default()).apply(answerer.clone());
    ask(&clock, &service, query(1)).await.expect_err("there is none");
    assert_eq!(answerer.calls(), 1);
}

#[tokio::test]
async fn a_retry_waits_as_long_as_it_is_told_and_gives_up_where_that_is_too_long() {
    let clock = ManualClock::default();
    let busy = |seconds| down().with_retry_after(Duration::from_secs(seconds));
    let answerer =
        Answerer::new(move |call, _| if call == 1 { Reaction::Fail(busy(2)) } else { Reaction::Answer });
    let service = stack(&clock, &PolicyConfig::default()).apply(answerer);
    ask(&clock, &service, query(1)).await.expect("is there again");
    assert!(clock.moment().since_start() >= Duration::from_secs(2));

    let answerer = Answerer::new(move |_, _| Reaction::Fail(busy(10)));
    let service = stack(&clock, &PolicyConfig::default()).apply(answerer.clone());
    let before = clock.moment();
    let fault = ask(&clock, &service, query(1)).await.expect_err("is busy for longer than the call may take");
    assert_eq!((clock.moment(), answerer.calls()), (before, 1), "it gives up at once");
    assert_eq!(fault.retry_after, Some(Duration::from_secs(10)));
}

#[tokio::test]
async fn each_time_limit_says_which_one_it_was() {
    let clock = ManualClock::default();
    let hanging = || Answerer::new(|_, _| Reaction::Hang);
    let config = PolicyConfig { timeout: Duration::from_millis(800), ..PolicyConfig::default() };
    let service = stack(&clock, &config).apply(hanging());
    let fault = ask(&clock, &service, query(1)).await.expect_err("hangs");
    assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, reason::TIMEOUT));
    assert_eq!(fault.message, "stock gave no answer within 800 ms");
    assert_eq!(clock.moment().since_start(), Duration::from_millis(800));

    let hurried = Ask { cx: Cx::root().with_timeout(clock.moment(), Duration::from_millis(300)), ..query(1) };
    let fault = ask(&clock, &service, hurried.clone()).await.expect_err("hangs");
    assert_eq!(fault.reason, reason::DEADLINE);
    let fault = ask(&clock, &service, hurried).await.expect_err("is over before it began");
    assert_eq!(fault.reason, reason::DEADLINE);

    let answerer = hanging();
    let config = PolicyConfig { attempt: Some(Duration::from_millis(200)), ..config };
    let service = stack(&clock, &config).apply(answerer.clone());
    let fault = ask(&clock, &service, query(1)).await.expect_err("hangs");
    assert_eq!(fault.reason, reason::ATTEMPT_TIMEOUT);
    assert!(answerer.calls() > 1, "an attempt that was cut off is repeated");
}

#[tokio::test]
async fn the_deadline_reaches_the_answerer() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|_, ask| {
        assert_eq!(ask.cx.deadline().map(ieum_core::Moment::since_start), Some(Duration::from_secs(5)));
        Reaction::Answer
    });
    let service = stack(&clock, &PolicyConfig::default()).apply(answerer);
    ask(&clock, &service, query(1)).await.expect("answers");
}

#[tokio::test]
async fn an_open_breaker_refuses_at_once_and_probes_close_it() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|call, _| if call <= 5 { Reaction::Fail(down()) } else { Reaction::Answer });
    let stack = stack(&clock, &PolicyConfig::default());
    let (service, handle) = (stack.apply(answerer.clone()), stack.handle());
    for number in 0..5 {
        ask(&clock, &service, command(number)).await.expect_err("the double is down");
    }
    let fault = ask(&clock, &service, query(1)).await.expect_err("the breaker is open");
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, reason::BREAKER_OPEN));
    assert_eq!(fault.message, "stock was not called: the breaker is open because 5 calls in a row failed");
    assert_eq!((answerer.calls(), fault.retry_after), (5, Some(Duration::from_secs(5))));
    clock.advance(Duration::from_secs(5));
    for number in 0..3 {
        assert!(matches!(handle.breaker(), Some(BreakerState::HalfOpen { .. })));
        ask(&clock, &service, query(number)).await.expect("a probe passes");
    }
    assert!(matches!(handle.breaker(), Some(BreakerState::Closed { .. })));
    let counts = handle.snapshot().breaker_counts.expect("has a breaker");
    assert_eq!((counts.opened, counts.half_opened, counts.closed, counts.rejected), (1, 1, 1, 1));
}

#[tokio::test]
async fn a_held_breaker_stays_as_it_is_whatever_happens() {
    let clock = ManualClock::default();
    let answerer =
        Answerer::new(|call, _| if call <= 30 { Reaction::Fail(down()) } else { Reaction::Answer });
    let stack = stack(&clock, &PolicyConfig::default());
    let (service, handle) = (stack.apply(answerer.clone()), stack.handle());
    assert!(handle.hold("a load test"));
    for number in 0..30 {
        ask(&clock, &service, command(number)).await.expect_err("the double is down");
    }
    assert_eq!(answerer.calls(), 30, "closed it was, closed it stays");
    assert_eq!(handle.breaker().expect("has one").name(), "forced-closed");
    assert!(handle.hold_open("enough") && handle.hold("not yet"));
    assert_eq!(handle.breaker(), Some(BreakerState::HeldOpen { reason: "not yet".into() }));
    ask(&clock, &service, query(1)).await.expect_err("is held open");
    assert!(handle.release());
    ask(&clock, &service, query(2)).await.expect("the probe passes");
}

#[tokio::test]
async fn a_wrong_request_and_a_hopeless_deadline_do_not_open_the_breaker() {
    let clock = ManualClock::default();
    let wrong = Answerer::new(|_, _| Reaction::Fail(Fault::invalid_argument("test.wrong", "asking")));
    let stack_of_wrong = stack(&clock, &PolicyConfig::default());
    let service = stack_of_wrong.apply(wrong);
    for number in 0..100 {
        ask(&clock, &service, query(number)).await.expect_err("is wrong");
    }
    assert!(matches!(stack_of_wrong.handle().breaker(), Some(BreakerState::Closed { failures: 0, .. })));
    let shown = stack_of_wrong.handle().snapshot();
    assert_eq!((shown.calls, shown.failures), (100, 0), "what the caller caused is no failure of the link");
    assert_eq!(shown.outcomes["invalid_argument"], 100);

    let hanging = stack(&clock, &PolicyConfig::default());
    let service = hanging.apply(Answerer::new(|_, _| Reaction::Hang));
    for number in 0..100 {
        let cx = Cx::root().with_timeout(clock.moment(), Duration::from_millis(1));
        ask(&clock, &service, Ask { cx, ..query(number) }).await.expect_err("hangs");
    }
    assert!(matches!(hanging.handle().breaker(), Some(BreakerState::Closed { calls: 0, .. })));
    for number in 0..5 {
        ask(&clock, &service, command(number)).await.expect_err("hangs");
    }
    assert!(matches!(hanging.handle().breaker(), Some(BreakerState::Open { .. })), "five had a fair chance");
}

#[tokio::test]
async fn a_person_holds_a_link_open_and_callers_read_why() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|_, _| Reaction::Answer);
    let stack = stack(&clock, &PolicyConfig::default());
    let (service, handle) = (stack.apply(answerer.clone()), stack.handle());
    assert!(handle.hold_open("moving the database"));
    let fault = ask(&clock, &service, query(1)).await.expect_err("is held");
    assert_eq!(fault.message, "stock was not called: the breaker is held open: moving the database");
    assert_eq!(answerer.calls(), 0);
    assert!(handle.release());
    ask(&clock, &service, query(1)).await.expect("passes again");
    let shown = serde_json::to_value(handle.snapshot()).expect("is JSON");
    assert_eq!(shown["breaker"]["state"], "halfOpen");
    assert_eq!((shown["calls"].as_u64(), shown["failures"].as_u64()), (Some(2), Some(1)));
}

#[tokio::test]
async fn a_probe_whose_caller_goes_away_gives_its_place_back() {
    let clock = ManualClock::default();
    let answerer = Answerer::new(|call, _| match call {
        0..=5 => Reaction::Fail(down()),
        6..=25 => Reaction::Hang,
        _ => Reaction::Answer,
    });
    let stack = stack(&clock, &PolicyConfig::default());
    let (service, handle) = (stack.apply(answerer.clone()), stack.handle());
    for number in 0..5 {
        ask(&clock, &service, command(number)).await.expect_err("the double is down");
    }
    clock.advance(Duration::from_secs(5));
    for number in 0..20 {
        let mut probe = Box::pin(service.clone().oneshot(query(number)));
        assert!(probe.as_mut().now_or_never().is_none(), "it was sent");
    }
    assert_eq!(handle.breaker(), Some(BreakerState::HalfOpen { running: 0, succeeded: 0 }));
    assert_eq!(answerer.calls(), 25);
    for number in 0..3 {
        ask(&clock, &service, query(number)).await.expect("a probe passes");
    }
    assert!(matches!(handle.breaker(), Some(BreakerState::Closed { .. })));
}

#[tokio::test]
async fn callers_who_leave_a_dragging_answerer_count_as_slow_calls() {
    let clock = ManualClock::default();
    let breaker =
        BreakerConfig { slow: Some((0.8, Duration::from_secs(2))), minimum: 5, ..BreakerConfig::default() };
    let stack = stack(&clock, &PolicyConfig { breaker: Some(breaker), ..PolicyConfig::default() });
    let service = stack.apply(Answerer::new(|_, _| Reaction::Hang));
    let mut calls: Vec<_> = (0..5).map(|number| Box::pin(service.clone().oneshot(query(number)))).collect();
    for call in &mut calls {
        assert!(call.as_mut().now_or_never().is_none());
    }
    clock.advance(Duration::from_secs(3));
    drop(calls);
    assert!(matches!(
        stack.handle().breaker(),
        Some(BreakerState::Open { cause: Cause::SlowRate { .. }, .. })
    ));
}

#[tokio::test]
async fn a_full_bulkhead_refuses_and_a_dropped_call_gives_its_place_back() {
    let clock = ManualClock::default();
    let bulkhead = Some(BulkheadConfig { limit: 1, queue: 1 });
    let stack = stack(&clock, &PolicyConfig { bulkhead, ..PolicyConfig::default() });
    let (free, freed) = oneshot::channel::<()>();
    let freed = parking_lot::Mutex::new(Some(freed));
    let service = stack.apply(Answerer::new(move |call, _| match (call, freed.lock().take()) {
        (1, _) => Reaction::Hang,
        (_, Some(freed)) => Reaction::Wait(Box::pin(async move {
            let _ = freed.await;
        })),
        _ => Reaction::Answer,
    }));
    let mut running = Box::pin(service.clone().oneshot(query(1)));
    assert!(running.as_mut().now_or_never().is_none());
    let mut waiting = Box::pin(service.clone().oneshot(query(2)));
    assert!(waiting.as_mut().now_or_never().is_none());
    let refused = service.clone().oneshot(query(3)).now_or_never().expect("is refused at once");
    let fault = refused.expect_err("is full");
    assert_eq!((fault.code, &*fault.reason), (Code::ResourceExhausted, reason::BULKHEAD_FULL));
    assert_eq!(fault.message, "stock was not called: 1 calls are under way and 1 wait already");
    drop(running);
    drop(free);
    waiting.await.expect("has the place now");
    let shown = stack.handle().snapshot();
    assert_eq!((shown.running, shown.waiting, shown.in_flight), (Some(0), Some(0), 0));
    assert_eq!((shown.rejected.bulkhead, shown.outcomes["cancelled"], shown.outcomes["ok"]), (1, 1, 1));
}

#[tokio::test]
async fn who_waits_for_a_place_waits_no_longer_than_the_call_may_take() {
    let clock = ManualClock::default();
    let bulkhead = Some(BulkheadConfig { limit: 1, queue: 1 });
    let config = PolicyConfig { bulkhead, breaker: None, ..PolicyConfig::default() };
    let service = stack(&clock, &config).apply(Answerer::new(|_, _| Reaction::Hang));
    let mut running = Box::pin(service.clone().oneshot(query(1)));
    assert!(running.as_mut().now_or_never().is_none());
    clock.advance(Duration::from_secs(1));
    let mut waiting =
        Box::pin(service.clone().oneshot(Ask {
            cx: Cx::root().with_timeout(clock.moment(), Duration::from_millis(10)),
            ..query(2)
        }));
    assert!(waiting.as_mut().now_or_never().is_none());
    clock.advance(Duration::from_millis(10));
    let fault = waiting.await.expect_err("no place came free");
    assert_eq!((fault.code, &*fault.reason), (Code::DeadlineExceeded, reason::BULKHEAD_FULL));
}

#[tokio::test]
async fn calls_above_the_rate_are_refused_with_the_time_to_wait() {
    let clock = ManualClock::default();
    let gcra = Gcra::new(10, Duration::from_secs(1), 2).expect("is a limit");
    let config = PolicyConfig { rate: Some(RateConfig { gcra }), ..PolicyConfig::default() };
    let stack = stack(&clock, &config);
    let service = stack.apply(Answerer::new(|_, _| Reaction::Answer));
    for number in 0..2 {
        ask(&clock, &service, query(number)).await.expect("is within the burst");
    }
    let fault = ask(&clock, &service, query(3)).await.expect_err("is too much");
    assert_eq!((fault.code, &*fault.reason), (Code::ResourceExhausted, reason::RATE_LIMITED));
    assert_eq!(fault.retry_after, Some(Duration::from_millis(100)));
    clock.advance(Duration::from_millis(100));
    ask(&clock, &service, query(4)).await.expect("is within the rate");
    assert_eq!(stack.handle().snapshot().rejected.rate, 1);
}

fn once_then_down() -> Answerer {
    Answerer::new(|call, _| if call == 1 { Reaction::Answer } else { Reaction::Fail(down()) })
}

#[tokio::test]
async fn the_last_good_reply_stands_in_for_the_same_query_of_the_same_caller_only() {
    let clock = ManualClock::default();
    let fallback = FallbackConfig::LastGood { entries: 10 };
    let stack = stack(&clock, &PolicyConfig { fallback, breaker: None, ..PolicyConfig::default() });
    let service = stack.apply(once_then_down());
    let live = ask(&clock, &service, query(1)).await.expect("is live");
    assert_eq!(live.origin, Origin::Live);
    clock.advance(Duration::from_secs(60));
    let stale = ask(&clock, &service, query(1)).await.expect("is remembered");
    let Origin::Fallback(FallbackKind::LastGood { age }) = stale.origin else { panic!("{stale:?}") };
    assert!(age >= Duration::from_secs(60) && age < Duration::from_secs(62), "{age:?}");
    ask(&clock, &service, query(2)).await.expect_err("was never asked");
    ask(&clock, &service, command(1)).await.expect_err("is no query");
    let other = Ask { cx: Cx::root().with_caller(Caller::new("somebody")), ..query(1) };
    ask(&clock, &service, other).await.expect_err("was told to somebody else");
    let tenant = Ask { cx: Cx::root().with_tenant("busan"), ..query(1) };
    ask(&clock, &service, tenant).await.expect_err("was told to another tenant");
    assert_eq!(stack.handle().snapshot().fallbacks["last-good"], 1);
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let clock = ManualClock::default();
    let fallback = FallbackConfig::LastGood { entries: 2 };
    let config = PolicyConfig { fallback, breaker: None, ..PolicyConfig::default() };
    let answerer =
        Answerer::new(|call, _| if call <= 30 { Reaction::Answer } else { Reaction::Fail(down()) });
    let service = stack(&clock, &config).apply(answerer);
    for number in (0..27).map(|_| 1).chain([2, 1, 3]) {
        ask(&clock, &service, query(number)).await.expect("is live");
    }
    ask(&clock, &service, query(2)).await.expect_err("went first: it was refreshed longest ago");
    ask(&clock, &service, query(1)).await.expect("is remembered");
    ask(&clock, &service, query(3)).await.expect("is remembered");
}

#[tokio::test]
async fn a_cache_stands_in_only_while_it_is_fresh() {
    let clock = ManualClock::default();
    let fallback = FallbackConfig::Cache { within: Duration::from_secs(30), entries: 10 };
    let config = PolicyConfig { fallback, breaker: None, ..PolicyConfig::default() };
    let service = stack(&clock, &config).apply(once_then_down());
    ask(&clock, &service, query(1)).await.expect("is live");
    let cached = ask(&clock, &service, query(1)).await.expect("is fresh");
    assert_eq!(cached.origin, Origin::Fallback(FallbackKind::Cache));
    clock.advance(Duration::from_secs(31));
    ask(&clock, &service, query(1)).await.expect_err("is stale");
}

#[tokio::test]
async fn a_value_or_another_link_stands_in_and_is_marked() {
    let clock = ManualClock::default();
    let fallback = FallbackConfig::Value(serde_json::json!(42));
    let service =
        stack(&clock, &PolicyConfig { fallback, ..PolicyConfig::default() }).apply(Answerer::failing());
    let value = ask(&clock, &service, query(1)).await.expect("is the value");
    assert_eq!(value, Answer { number: 42, origin: Origin::Fallback(FallbackKind::Value) });
    ask(&clock, &service, command(1)).await.expect_err("nothing stands in for a command");

    let other = stack(&clock, &PolicyConfig::default()).apply(Answerer::new(|_, _| Reaction::Answer));
    let alternative = Alternative { link: Some(other) };
    let service = stack(&clock, &PolicyConfig::default()).apply_with(Answerer::failing(), alternative);
    let reply = ask(&clock, &service, query(5)).await.expect("is the other link's");
    assert_eq!(reply, Answer { number: 5, origin: Origin::Fallback(FallbackKind::OtherLink) });
    let wrong = Answerer::new(|_, _| Reaction::Fail(Fault::not_found("test.none", "asking")));
    let alternative = Alternative {
        link: Some(stack(&clock, &PolicyConfig::default()).apply(Answerer::new(|_, _| Reaction::Answer))),
    };
    let service = stack(&clock, &PolicyConfig::default()).apply_with(wrong, alternative);
    let fault = ask(&clock, &service, query(5)).await.expect_err("not found is an answer");
    assert_eq!(fault.code, Code::NotFound);
}
