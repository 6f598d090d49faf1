//! Pure steps from one state of an event to the next: what they add to the history.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::events::NormalizedEventData;
use ieum_core::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a slot is: every time zone's hours and days are made of whole ones.
const SLOT: Duration = Duration::from_secs(900);
const SLOT_MICROS: i64 = 900_000_000;

/// A gate's throughput counts until the next state, at most for this long: a source that went silent tells
/// nothing.
const HOLD: Duration = Duration::from_secs(900);

/// What was last seen of an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When the source was read.
    pub at: Timestamp,
    /// People registered.
    pub registered: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// People inside.
    pub inside: u64,
    /// People per minute, gate by gate.
    #[serde(default)]
    pub gates: BTreeMap<String, f64>,
}

/// What a state adds to the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The slot that the state is in.
    pub slot_at: Timestamp,
    /// People who came since the state before; below zero where coming was taken back.
    pub arrivals: f64,
    /// People inside.
    pub inside: u64,
    /// People registered.
    pub registered: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// Came over registered; `None` where nobody is registered.
    pub rate: Option<f64>,
    /// People through gates since the state before, by gate and slot.
    pub gates: BTreeMap<(String, Timestamp), f64>,
}

// === Seen ===

impl From<&NormalizedEventData> for Seen {
    fn from(data: &NormalizedEventData) -> Self {
        let gates = data.metrics.gate_activity.iter();
        let told = gates.filter(|gate| gate.throughput.is_finite() && gate.throughput > 0.0);
        Self {
            at: data.timestamp,
            registered: data.metrics.total_registered,
            checked_in: data.metrics.checked_in,
            inside: data.metrics.current_attendees,
            gates: told.map(|gate| (gate.gate_id.chars().take(128).collect(), gate.throughput)).collect(),
        }
    }
}

/// Returns what `now` adds; `None` where it is no later than what was seen before, so that a state that comes
/// again changes nothing. Who had come before the first state counts as no arrival: nobody knows the hour.
pub fn advance(before: Option<&Seen>, now: &Seen) -> Option<Change> {
    if before.is_some_and(|before| now.at <= before.at) {
        return None;
    }
    let came = |before: &Seen| now.checked_in as f64 - before.checked_in as f64;
    Some(Change {
        slot_at: slot_start(now.at),
        arrivals: before.map_or(0.0, came),
        inside: now.inside,
        registered: now.registered,
        checked_in: now.checked_in,
        rate: rate(now.checked_in, now.registered),
        gates: before.map(|before| flow(before, now.at)).unwrap_or_default(),
    })
}

/// Returns the beginning of the slot that `at` is in.
pub fn slot_start(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() - at.as_micros().rem_euclid(SLOT_MICROS))
}

/// Returns a share from 0 to 1; `None` of nothing.
pub fn rate(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

/// People through each gate from `before` until `until`, slot by slot.
fn flow(before: &Seen, until: Timestamp) -> BTreeMap<(String, Timestamp), f64> {
    let until = until.min(before.at + HOLD);
    let mut people = BTreeMap::new();
    let mut from = before.at;
    while from < until {
        let slot = slot_start(from);
        let end = until.min(slot + SLOT);
        let minutes = end.since(from).as_secs_f64() / 60.0;
        for (gate, per_minute) in &before.gates {
            *people.entry((gate.clone(), slot)).or_insert(0.0) += per_minute * minutes;
        }
        from = end;
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(seconds: i64, checked_in: u64) -> Seen {
        let gates = BTreeMap::from([("north".to_owned(), 6.0)]);
        Seen { at: Timestamp::from_seconds(seconds), registered: 100, checked_in, inside: checked_in, gates }
    }

    #[test]
    fn arrivals_are_what_came_between_two_states_and_nothing_twice() {
        let first = advance(None, &seen(900, 40)).expect("is news");
        assert!(first.arrivals.abs() < f64::EPSILON, "they came before anybody looked");
        let change = advance(Some(&seen(900, 40)), &seen(960, 47)).expect("is news");
        assert!((change.arrivals - 7.0).abs() < f64::EPSILON);
        assert_eq!((change.slot_at, change.rate), (Timestamp::from_seconds(900), Some(0.47)));
        assert_eq!(advance(Some(&seen(960, 47)), &seen(960, 47)), None);
        assert_eq!(advance(Some(&seen(960, 47)), &seen(900, 40)), None, "it came late");
        let back = advance(Some(&seen(960, 47)), &seen(1_000, 45)).expect("is news");
        assert!((back.arrivals + 2.0).abs() < f64::EPSILON, "two scans were taken back");
    }

    #[test]
    fn a_gates_flow_falls_into_the_slots_it_was_told_for_and_ends_with_the_news() {
        let change = advance(Some(&seen(1_740, 0)), &seen(1_860, 9)).expect("is news");
        let flow = |slot: i64| change.gates[&("north".to_owned(), Timestamp::from_seconds(slot))];
        assert!((flow(900) - 6.0).abs() < 1e-9 && (flow(1_800) - 6.0).abs() < 1e-9, "{:?}", change.gates);
        let silent = advance(Some(&seen(900, 0)), &seen(90_000, 9)).expect("is news");
        let all: f64 = silent.gates.values().sum();
        assert!((all - 90.0).abs() < 1e-9, "a quarter of an hour and no more: {all}");
    }

    #[test]
    fn a_rate_of_nobody_is_none() {
        assert_eq!((rate(0, 0), rate(5, 4), rate(1, 4)), (None, Some(1.0), Some(0.25)));
    }
}
