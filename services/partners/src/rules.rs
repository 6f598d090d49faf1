//! Pure decisions: who may see which event, and what the public may know.

use std::collections::BTreeSet;

use ieum_contracts::events::{EventStates, EventStatus, Freshness, LiveEvent, NormalizedEventData};
use ieum_core::Timestamp;
use ieum_gateway::{KeyRecord, Tier};
use serde::Deserialize;
use serde_json::Value;

use crate::views::{PublicEvent, PublicEvents};

/// What a key may do; the words of its scope list.
pub mod scope {
    /// Seeing which events there are.
    pub const EVENTS_READ: &str = "events:read";
    /// Seeing an event's attendance, now and over time.
    pub const ATTENDANCE_READ: &str = "attendance:read";
    /// Seeing sums over events.
    pub const ANALYTICS_READ: &str = "analytics:read";
    /// Managing webhook endpoints and seeing their log.
    pub const WEBHOOKS_WRITE: &str = "webhooks:write";
    /// Seeing single gates, instead of totals alone.
    pub const DETAILS_READ: &str = ieum_gateway::DETAILS;
    /// What a key has that was made without scopes: everything but the details.
    pub const USUAL: [&str; 4] = [EVENTS_READ, ATTENDANCE_READ, ANALYTICS_READ, WEBHOOKS_WRITE];
}

/// Returns the scopes of a key that was made without any: what its tier is for.
pub fn usual_scopes(tier: Tier) -> BTreeSet<String> {
    match tier {
        Tier::Public => BTreeSet::from([scope::EVENTS_READ.to_owned()]),
        Tier::Partner | Tier::Premium => scope::USUAL.iter().map(|&scope| scope.to_owned()).collect(),
    }
}

/// Says how a key stands: `active`, `expired` or `revoked`.
pub fn key_status(key: &KeyRecord, now: Timestamp) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|expires| expires <= now) {
        "expired"
    } else {
        "active"
    }
}

/// Takes out of an event, as the bus carries it, what is not a total. What is not known is left out; of what does not read as an
/// event nothing is left.
pub fn totals_of(data: &Value) -> Value {
    match NormalizedEventData::deserialize(data) {
        Ok(mut data) => {
            data.keep_totals();
            serde_json::to_value(data).unwrap_or_default()
        }
        Err(_) => Value::Null,
    }
}

/// Tells whether these scopes show more than totals.
pub fn sees_details(scopes: &BTreeSet<String>) -> bool {
    scopes.contains(scope::DETAILS_READ) || scopes.contains("details:*")
}

/// Tells whether the holder of this key is told about the event at `now`.
pub fn is_told(key: &KeyRecord, event_id: &str, now: Timestamp) -> bool {
    key_status(key, now) == "active" && key.events.contains(event_id)
}

/// Returns what everybody may know: sums over all events, and the names of those that did not end.
/// Figures of a single event are for partners.
pub fn public_events(states: &EventStates) -> PublicEvents {
    let sum = |figure: fn(&LiveEvent) -> u64| states.events.iter().map(figure).fold(0, u64::saturating_add);
    let registered = sum(|event| event.data.metrics.total_registered);
    let checked_in = sum(|event| event.data.metrics.checked_in);
    let listed = states.events.iter().filter(|event| event.data.status != EventStatus::Ended);
    PublicEvents {
        total_events: states.events.len() as u64,
        active_events: states.events.iter().filter(|event| event.data.status == EventStatus::Active).count()
            as u64,
        total_attendees: sum(|event| event.data.metrics.current_attendees),
        total_registered: registered,
        average_attendance_rate: rate(checked_in, registered),
        stale_events: states.events.iter().filter(|event| event.freshness == Freshness::Stale).count() as u64,
        events: listed
            .map(|event| PublicEvent {
                event_id: event.data.event_id.clone(),
                event_name: event.data.event_name.clone(),
                status: event.data.status.into(),
            })
            .collect(),
    }
}

/// Returns a share from 0 to 1; 0 of nothing is 0.
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use ieum_contracts::events::{Alert, EventMetrics, GateActivity, Severity};

    use super::*;

    fn event(id: &str, registered: u64, inside: u64, status: EventStatus) -> LiveEvent {
        let metrics = EventMetrics {
            total_registered: registered,
            current_attendees: inside,
            checked_in: inside,
            ..EventMetrics::default()
        };
        let data = NormalizedEventData {
            event_id: id.into(),
            event_name: format!("Event {id}"),
            timestamp: Timestamp::from_seconds(0),
            metrics,
            alerts: Vec::new(),
            status,
        };
        LiveEvent { data, freshness: Freshness::Fresh, age_seconds: 0 }
    }

    fn key(events: &[&str]) -> KeyRecord {
        KeyRecord {
            id: "k-1".into(),
            name: "Seoul".into(),
            tier: Tier::Partner,
            scopes: BTreeSet::new(),
            events: events.iter().map(|&event| event.to_owned()).collect::<Vec<_>>().into(),
            rate: None,
            plan: None,
            created_at: Timestamp::from_seconds(0),
            expires_at: Some(Timestamp::from_seconds(100)),
            revoked_at: None,
            last_used_at: None,
            previous_valid_until: None,
        }
    }

    #[test]
    fn an_empty_list_of_events_is_none_and_never_all() {
        assert_eq!(key(&["e-1"]).events.ids(), Some(vec!["e-1".to_owned()]));
        assert_eq!(key(&["*"]).events.ids(), None);
        assert_eq!(key(&[]).events.ids(), Some(Vec::new()));
    }

    #[test]
    fn only_an_active_key_is_told_and_only_of_its_events() {
        let now = Timestamp::from_seconds(50);
        assert!(is_told(&key(&["e-1"]), "e-1", now) && is_told(&key(&["*"]), "e-1", now));
        assert!(!is_told(&key(&["e-1"]), "e-2", now));
        assert!(!is_told(&key(&["e-1"]), "e-1", Timestamp::from_seconds(100)), "it is expired");
        let revoked = KeyRecord { revoked_at: Some(now), ..key(&["e-1"]) };
        assert!(!is_told(&revoked, "e-1", now));
        assert_eq!(key_status(&revoked, now), "revoked");
    }

    #[test]
    fn totals_hold_no_gate_and_no_alert_but_on_capacity() {
        let mut data = event("a", 100, 40, EventStatus::Active).data;
        let gate = GateActivity { gate_id: "canary".into(), status: "open".into(), throughput: 3.0 };
        data.metrics.gate_activity.push(gate);
        for kind in ["capacity.90", "gate.down", "source.alert"] {
            let message = format!("canary of {kind}");
            let severity = Severity::Info;
            data.alerts.push(Alert { kind: kind.into(), severity, message, wording: None, since: None });
        }
        let mut raw = serde_json::to_value(&data).expect("is JSON");
        raw["people"] = "canary".into();
        data.keep_totals();
        assert!(data.metrics.gate_activity.is_empty() && data.alerts.len() == 1);
        assert_eq!(totals_of(&raw), serde_json::to_value(&data).expect("is JSON"));
        assert_eq!(totals_of(&"canary".into()), Value::Null);
        assert!(!sees_details(&usual_scopes(Tier::Premium)), "totals alone unless somebody says otherwise");
    }

    #[test]
    fn the_public_sees_sums_and_no_ended_event() {
        let states = EventStates {
            events: vec![
                event("a", 100, 40, EventStatus::Active),
                event("b", 0, 0, EventStatus::Upcoming),
                event("c", 100, 60, EventStatus::Ended),
            ],
        };
        let public = public_events(&states);
        assert_eq!((public.total_events, public.active_events, public.total_attendees), (3, 1, 100));
        assert!((public.average_attendance_rate - 0.5).abs() < f64::EPSILON);
        let listed: Vec<&str> = public.events.iter().map(|event| event.event_id.as_str()).collect();
        assert_eq!(listed, ["a", "b"]);
        assert!(public_events(&EventStates::default()).average_attendance_rate.abs() < f64::EPSILON);
    }
}
