//! Tests of the breaker as a pure state machine.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const OK: Outcome = Outcome { ok: true, elapsed: Duration::from_millis(1) };
const FAILED: Outcome = Outcome { ok: false, elapsed: Duration::from_millis(1) };
const SLOW: Outcome = Outcome { ok: true, elapsed: Duration::from_secs(3) };

fn at(millis: u64) -> Moment {
    Moment::from_start(Duration::from_millis(millis))
}

fn call(breaker: &Breaker, outcome: Outcome, now: Moment) -> Option<BreakerState> {
    let permit = breaker.try_acquire(now).expect("lets calls through");
    breaker.record(permit, outcome, now)
}

fn opened() -> Breaker {
    let breaker = Breaker::new(BreakerRule::default());
    for _ in 0..5 {
        call(&breaker, FAILED, at(0));
    }
    assert!(matches!(breaker.state(at(0)), BreakerState::Open { .. }));
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_does_not() {
    let breaker = Breaker::new(BreakerRule { failure_rate: None, ..BreakerRule::default() });
    for outcome in [FAILED, FAILED, FAILED, FAILED, OK, FAILED, FAILED, FAILED, FAILED] {
        assert_eq!(call(&breaker, outcome, at(0)), None);
    }
    let changed = call(&breaker, FAILED, at(0)).expect("the fifth in a row opens it");
    let expected = BreakerState::Open { cause: Cause::Consecutive { failures: 5 }, probes_in_ms: 5_000 };
    assert_eq!(changed, expected);
    let rejected = breaker.try_acquire(at(1_000)).expect_err("is open");
    assert_eq!(rejected.to_string(), "the breaker is open because 5 calls in a row failed");
    assert!(matches!(rejected, Rejected::Open { retry_after, .. } if retry_after == Duration::from_secs(4)));
}

#[test]
fn a_share_of_failures_opens_it_only_after_the_minimum_of_calls() {
    let rule = BreakerRule { consecutive: None, minimum_calls: 10, ..BreakerRule::default() };
    let breaker = Breaker::new(rule);
    for _ in 0..4 {
        call(&breaker, FAILED, at(0));
        call(&breaker, OK, at(0));
    }
    assert_eq!(call(&breaker, OK, at(0)), None);
    assert!(matches!(breaker.state(at(0)), BreakerState::Closed { calls: 9, failures: 4, .. }));
    let changed = call(&breaker, FAILED, at(0)).expect("5 of 10 failed");
    assert!(matches!(
        changed,
        BreakerState::Open { cause: Cause::FailureRate { failures: 5, calls: 10 }, .. }
    ));
}

#[test]
fn what_left_the_window_counts_no_more() {
    let rule = BreakerRule { consecutive: None, minimum_calls: 10, ..BreakerRule::default() };
    let breaker = Breaker::new(rule);
    for _ in 0..9 {
        call(&breaker, FAILED, at(0));
    }
    assert_eq!(call(&breaker, FAILED, at(10_000)), None, "nine of them are older than the window");
}

#[test]
fn a_share_of_slow_calls_opens_it_though_none_failed() {
    let rule = BreakerRule { slow_rate: Some(0.8), minimum_calls: 10, ..BreakerRule::default() };
    let breaker = Breaker::new(rule);
    call(&breaker, OK, at(0));
    call(&breaker, OK, at(0));
    for _ in 0..7 {
        assert_eq!(call(&breaker, SLOW, at(0)), None);
    }
    let changed = call(&breaker, SLOW, at(0)).expect("8 of 10 were slow");
    assert!(matches!(changed, BreakerState::Open { cause: Cause::SlowRate { slow: 8, calls: 10 }, .. }));
}

#[test]
fn probes_close_it_and_one_failed_probe_opens_it_again() {
    let breaker = opened();
    let probes: Vec<Permit> =
        (0..3).map(|_| breaker.try_acquire(at(5_000)).expect("a probe may pass")).collect();
    assert_eq!(breaker.try_acquire(at(5_000)).expect_err("three is all"), Rejected::Probing);
    for probe in probes {
        breaker.record(probe, OK, at(5_001));
    }
    assert!(matches!(breaker.state(at(5_001)), BreakerState::Closed { calls: 0, .. }));

    let breaker = opened();
    let changed = call(&breaker, FAILED, at(5_000));
    assert!(matches!(changed, Some(BreakerState::Open { cause: Cause::Probe, probes_in_ms: 5_000 })));
}

#[test]
fn a_dropped_probe_gives_its_place_back() {
    let breaker = opened();
    for _ in 0..20 {
        drop(breaker.try_acquire(at(5_000)).expect("a place is free again"));
    }
    assert_eq!(breaker.state(at(5_000)), BreakerState::HalfOpen { running: 0, succeeded: 0 });
}

#[test]
fn a_late_answer_from_before_it_opened_decides_nothing() {
    let breaker = Breaker::new(BreakerRule::default());
    let late = breaker.try_acquire(at(0)).expect("is closed");
    for _ in 0..5 {
        call(&breaker, FAILED, at(0));
    }
    let probe = breaker.try_acquire(at(5_000)).expect("a probe may pass");
    assert_eq!(breaker.record(late, FAILED, at(5_000)), None);
    assert_eq!(breaker.state(at(5_000)), BreakerState::HalfOpen { running: 1, succeeded: 0 });
    drop(probe);
}

#[test]
fn a_person_overrules_it_and_the_reason_is_seen() {
    let breaker = Breaker::new(BreakerRule::default());
    breaker.hold_open("moving the database");
    let rejected = breaker.try_acquire(at(0)).expect_err("is held open");
    assert_eq!(rejected.to_string(), "the breaker is held open: moving the database");
    assert_eq!(breaker.state(at(99_000)), BreakerState::HeldOpen { reason: "moving the database".into() });
    breaker.release();
    assert!(matches!(breaker.state(at(99_000)), BreakerState::HalfOpen { .. }), "probes decide");

    breaker.force_closed("false alarms");
    for _ in 0..100 {
        call(&breaker, FAILED, at(0));
    }
    assert_eq!(breaker.state(at(0)), BreakerState::ForcedClosed { reason: "false alarms".into() });
    breaker.release();
    assert!(matches!(breaker.state(at(0)), BreakerState::Closed { consecutive: 0, .. }));
}

#[test]
fn threads_that_ask_at_once_share_the_probes() {
    for _ in 0..50 {
        let breaker = opened();
        let permits: Vec<Permit> = std::thread::scope(|scope| {
            let askers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| breaker.try_acquire(at(5_000)).ok())).collect();
            askers.into_iter().filter_map(|asker| asker.join().expect("does not panic")).collect()
        });
        assert_eq!(permits.len(), 3);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Answer(usize, bool),
    Drop(usize),
    Wait(u64),
    Hold,
    Release,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Ask),
        4 => (0_usize..8, any::<bool>()).prop_map(|(which, ok)| Step::Answer(which, ok)),
        1 => (0_usize..8).prop_map(Step::Drop),
        2 => (0_u64..7_000).prop_map(Step::Wait),
        1 => Just(Step::Hold),
        1 => Just(Step::Release),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn half_open_never_has_more_than_its_probes_under_way(probes in 1_u32..6, steps in steps()) {
        let rule = BreakerRule { probes, consecutive: Some(2), ..BreakerRule::default() };
        let breaker = Breaker::new(rule);
        let mut now = 0;
        // Permits with the half-open phase they belong to, `None` for closed ones.
        let mut out: Vec<(Permit, Option<u64>)> = Vec::new();
        for step in steps {
            match step {
                Step::Ask => {
                    let half_open = matches!(breaker.state(at(now)), BreakerState::HalfOpen { .. });
                    if let Ok(permit) = breaker.try_acquire(at(now)) {
                        let phase = half_open.then_some(permit.generation);
                        out.push((permit, phase));
                        let running = out.iter().filter(|(_, of)| of.is_some() && *of == phase).count();
                        prop_assert!(running <= probes as usize);
                    }
                }
                Step::Answer(which, ok) if which < out.len() => {
                    let (permit, _) = out.swap_remove(which);
                    breaker.record(permit, Outcome { ok, ..OK }, at(now));
                }
                Step::Drop(which) if which < out.len() => drop(out.swap_remove(which)),
                Step::Wait(span) => now += span,
                Step::Hold => breaker.hold_open("test"),
                Step::Release => breaker.release(),
                Step::Answer(..) | Step::Drop(_) => {}
            }
            if let BreakerState::HalfOpen { running, succeeded } = breaker.state(at(now)) {
                prop_assert!(running + succeeded <= probes);
            }
        }
        // However it got here: left alone and answered well, it closes again.
        out.clear();
        breaker.release();
        now += 10_000;
        for _ in 0..probes {
            if let Ok(permit) = breaker.try_acquire(at(now)) {
                breaker.record(permit, OK, at(now));
            }
        }
        let closed = matches!(breaker.state(at(now)), BreakerState::Closed { .. });
        prop_assert!(closed);
    }
}
