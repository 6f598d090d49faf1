//! When alerts are raised and when they go.

use super::super::ledger::MINUTE;
use super::*;

fn kinds(raised: &[Raised]) -> Vec<&str> {
    raised.iter().map(|raised| raised.alert.kind.as_str()).collect()
}

#[test]
fn each_level_is_raised_once_until_it_is_five_points_lower() {
    let mut memory = Memory::default();
    let mut raised = |share: f64| {
        let change = memory.change(Some(share), Vec::new(), at(1));
        let shown: Vec<String> = change.shown.iter().map(|alert| alert.kind.clone()).collect();
        let names = |raised: &[Raised]| kinds(raised).join(" ");
        (names(&change.raised), names(&change.cleared), shown.join(" "))
    };
    let told = |raised: &str, cleared: &str, shown: &str| (raised.into(), cleared.into(), shown.into());
    assert_eq!(raised(0.49), told("", "", ""));
    assert_eq!(raised(0.51), told("capacity.50", "", "capacity.50"));
    assert_eq!(raised(0.46), told("", "", "capacity.50"), "not five points lower yet");
    assert_eq!(raised(0.52), told("", "", "capacity.50"), "and so not again");
    assert_eq!(raised(0.449), told("", "capacity.50", ""));
    assert_eq!(raised(0.50), told("capacity.50", "", "capacity.50"), "armed again");
    assert_eq!(raised(1.02), told("capacity.100 capacity.75 capacity.90", "", "capacity.100"));
    assert_eq!(raised(0.96), told("", "", "capacity.100"));
    assert_eq!(raised(0.94), told("", "capacity.100", "capacity.90"));
    assert_eq!(raised(0.0), told("", "capacity.50 capacity.75 capacity.90", ""));
}

#[test]
fn gates_are_looked_at_once_a_minute_and_what_was_found_stands_until_then() {
    let mut memory = Memory::default();
    assert_eq!(memory.found_in(7), None);
    let silent = Raised::of("gate.silent", Severity::Warning, Some("north"), Phrase::GateDown.with([]));
    memory.look(7);
    assert_eq!(memory.change(Some(0.6), vec![silent.clone()], at(7)).raised.len(), 2);
    let found = memory.found_in(7).expect("was looked at");
    assert_eq!((kinds(&found), found[0].alert.since), (vec!["gate.silent"], Some(at(7))));
    assert_eq!(memory.found_in(8), None);
}

#[test]
fn what_was_raised_survives_a_restart_by_its_written_form() {
    let mut memory = Memory::default();
    assert_eq!(memory.change(Some(0.8), Vec::new(), at(1)).raised.len(), 2);
    let text = serde_json::to_string(&memory).expect("writes");
    let mut read: Memory = serde_json::from_str(&text).expect("reads");
    assert_eq!(read, memory);
    assert!(read.change(Some(0.81), Vec::new(), at(2)).raised.is_empty());
}

#[test]
fn an_alert_stands_since_it_began_and_anew_after_it_ended() {
    let mut memory = Memory::default();
    let mut since = |share: f64, minute: i64| {
        let change = memory.change(Some(share), Vec::new(), at(minute));
        change.shown.first().and_then(|alert| alert.since)
    };
    assert_eq!(since(0.55, 1), Some(at(1)));
    assert_eq!(since(0.60, 2), Some(at(1)), "another share, the same alert");
    assert_eq!(since(0.80, 3), Some(at(3)), "the next level begins later");
    assert_eq!(since(0.10, 4), None);
    assert_eq!(since(0.55, 5), Some(at(5)));
}

/// Three hours of gates, each with so many people a minute.
fn steady(gates: &[(&str, i64)], until: i64) -> (Vec<GateTotal>, Vec<MinuteRow>) {
    let mut minutes = Vec::new();
    for minute in until - 119..=until {
        for (gate, people) in gates {
            minutes.push(MinuteRow { minute, gate: (*gate).into(), entered: *people, left: 0 });
        }
    }
    (totals(&minutes), minutes)
}

fn totals(minutes: &[MinuteRow]) -> Vec<GateTotal> {
    let mut gates: BTreeMap<String, GateTotal> = BTreeMap::new();
    for row in minutes {
        let gate = gates.entry(row.gate.clone()).or_insert_with(|| GateTotal {
            gate: row.gate.clone(),
            entered: 0,
            left: 0,
            last_at: Timestamp::from_micros(0),
        });
        gate.entered += row.entered;
        gate.left += row.left;
        gate.last_at = gate.last_at.max(Timestamp::from_micros(row.minute * MINUTE));
    }
    gates.into_values().collect()
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * MINUTE + MINUTE / 2)
}

#[test]
fn a_gate_that_falls_silent_while_others_are_busy_is_named_and_a_quiet_hour_is_none() {
    let (_, mut minutes) = steady(&[("north", 5), ("south", 5)], 1_000);
    assert!(anomalies(&totals(&minutes), &minutes, at(1_000)).is_empty());
    minutes.retain(|row| row.gate == "south" || row.minute < 985);
    let found = anomalies(&totals(&minutes), &minutes, at(1_000));
    assert_eq!((kinds(&found), found[0].gate.as_deref()), (vec!["gate.silent"], Some("north")));
    assert!(found[0].alert.message.contains("16 minutes"), "{}", found[0].alert.message);
    // Everybody at lunch: nobody scans anywhere.
    minutes.retain(|row| row.minute < 985);
    assert!(anomalies(&totals(&minutes), &minutes, at(1_000)).is_empty());
}

#[test]
fn a_minute_unlike_the_others_is_a_surge_and_chance_is_not() {
    let (_, mut minutes) = steady(&[("north", 20)], 999);
    let row = |entered| MinuteRow { minute: 999, gate: "north".into(), entered, left: 0 };
    minutes.pop();
    minutes.push(row(36));
    assert!(anomalies(&totals(&minutes), &minutes, at(1_000)).is_empty());
    minutes.pop();
    minutes.push(row(60));
    let found = anomalies(&totals(&minutes), &minutes, at(1_000));
    assert_eq!(kinds(&found), ["gate.surge"]);
    assert!(found[0].alert.message.contains("60 people"), "{}", found[0].alert.message);
}

#[test]
fn more_exits_than_entries_and_clocks_ahead_are_told() {
    let gate = |left, last_at| GateTotal { gate: "north".into(), entered: 100, left, last_at };
    let now = at(1_000);
    assert!(anomalies(&[gate(105, now)], &[], now).is_empty(), "a few are a few missed scans");
    let found = anomalies(&[gate(120, Timestamp::from_micros(now.as_micros() + 90_000_000))], &[], now);
    assert_eq!(kinds(&found), ["gate.clock", "gate.more_exits"]);
}
