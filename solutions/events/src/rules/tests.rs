//! What the rules decide.

use serde_json::json;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

#[test]
fn the_seeds_answer_becomes_the_hubs_form() {
    let answer = json!({
        "event": {"name": "Seoul Expo", "status": "running"},
        "participants": {"total": 200}, "attendance": {"current": 90, "checkedIn": 100},
        "gates": [{"id": "north", "status": "open", "throughput": 12.5}, {"id": 7}],
    });
    let figures = read_realtime(&answer).expect("is in the seed's shape");
    let data = normalise("expo", "fallback", figures, at(0));
    assert_eq!((data.event_name.as_str(), data.status), ("Seoul Expo", EventStatus::Active));
    assert_eq!(data.metrics.attendance_rate, 0.5);
    assert_eq!(data.metrics.gate_activity[1].gate_id, "7");
    assert_eq!(data.metrics.gate_activity[1].throughput, 0.0);
    assert!(data.alerts.is_empty());
}

#[test]
fn garbage_is_refused_with_the_fields_name() {
    for (answer, field) in [
        (json!([]), "the answer"),
        (json!({}), "participants.total"),
        (json!({"participants": {"total": -1}, "attendance": {"current": 0}}), "participants.total"),
        (json!({"participants": {"total": 1}, "attendance": {"current": "many"}}), "attendance.current"),
        (json!({"participants": {"total": 1}, "attendance": {"current": 1}, "gates": {}}), "gates"),
        (json!({"participants": {"total": 1}, "attendance": {"current": 1}, "gates": [{}]}), "gates[0].id"),
        (json!({"participants": {"total": 1.5}, "attendance": {"current": 1}}), "participants.total"),
    ] {
        let fault = read_realtime(&answer).expect_err("is garbage");
        assert_eq!(fault.reason, "events.source.garbage");
        assert!(fault.message.contains(field), "{}", fault.message);
    }
}

#[test]
fn the_attendance_rate_stays_between_zero_and_one() {
    assert_eq!(attendance_rate(5, 0), 0.0);
    assert_eq!(attendance_rate(1, 3), 0.3333);
    assert_eq!(attendance_rate(9, 3), 1.0);
    assert_eq!(attendance_rate(u64::MAX, 1), 1.0);
}

#[test]
fn a_state_goes_stale_after_five_minutes_and_says_its_age() {
    let data = normalise("expo", "Expo", Figures::default(), at(0));
    assert_eq!(live(data.clone(), at(300)).freshness, Freshness::Fresh);
    let stale = live(data.clone(), at(3_601));
    assert_eq!((stale.freshness, stale.age_seconds), (Freshness::Stale, 3_601));
    assert_eq!(live(data, at(-60)).age_seconds, 0, "a clock set back makes no negative age");
}

#[test]
fn a_full_house_and_a_broken_gate_raise_alerts() {
    let gates = vec![GateActivity { gate_id: "n".into(), status: "offline".into(), throughput: 0.0 }];
    let figures =
        Figures { total_registered: 100, checked_in: 95, current_attendees: 95, gates, ..Figures::default() };
    let data = normalise("expo", "Expo", figures.clone(), at(0));
    let kinds: Vec<_> = data.alerts.iter().map(|alert| alert.kind.as_str()).collect();
    assert_eq!(kinds, ["capacity.90", "gate.down"]);
    let over = normalise("expo", "Expo", Figures { current_attendees: 101, ..figures }, at(0));
    assert_eq!(over.alerts[0].severity, Severity::Critical);
}

#[test]
fn only_a_change_is_news_and_time_alone_is_none() {
    let before = normalise("expo", "Expo", Figures::default(), at(0));
    let later = normalise("expo", "Expo", Figures::default(), at(9));
    assert!(!is_news(Some(&before), &later));
    assert!(is_news(None, &later));
    let moved = normalise("expo", "Expo", Figures { checked_in: 1, ..Figures::default() }, at(9));
    assert!(is_news(Some(&before), &moved));
}

#[test]
fn a_summary_weighs_by_people_registered() {
    let event = |registered, checked_in| {
        let figures = Figures { total_registered: registered, checked_in, ..Figures::default() };
        live(normalise("e", "E", figures, at(0)), at(400))
    };
    let summary = summarise(&[event(100, 100), event(900, 0)]);
    assert_eq!((summary.average_attendance_rate, summary.stale_events), (0.1, 2));
}

#[test]
fn an_event_id_is_plain() {
    assert!(is_event_id("Expo-2026_a.b"));
    for wrong in ["", "a/b", "가", "a b", &"x".repeat(65)] {
        assert!(!is_event_id(wrong), "{wrong}");
    }
}

#[test]
fn an_alert_that_nobody_dated_stands_since_the_state_that_told_it_first() {
    let alert = |kind: &str, message: &str, since| Alert {
        kind: kind.into(),
        severity: Severity::Warning,
        message: message.into(),
        wording: None,
        since,
    };
    let with = |alerts: Vec<Alert>, seconds| {
        let figures = Figures {
            alerts,
            ..read_realtime(&json!({"participants": {"total": 9}, "attendance": {"current": 0}}))
                .expect("is one")
        };
        normalise("expo", "Expo", figures, at(seconds))
    };
    let mut first = with(vec![alert("gate.down", "gate a is offline", None)], 0);
    date_alerts(None, &mut first);
    assert_eq!(first.alerts[0].since, Some(at(0)));
    let alerts =
        vec![alert("gate.down", "gate b is offline", None), alert("gate.down", "gate a is offline", None)];
    let mut later = with(alerts, 60);
    date_alerts(Some(&first), &mut later);
    assert_eq!([later.alerts[0].since, later.alerts[1].since], [Some(at(60)), Some(at(0))]);
    // One that was there before anybody dated any is not said to begin now.
    let undated = with(vec![alert("gate.down", "gate a is offline", None)], 0);
    let mut after = with(vec![alert("gate.down", "gate a is offline", None)], 60);
    date_alerts(Some(&undated), &mut after);
    assert_eq!(after.alerts[0].since, None);
}
