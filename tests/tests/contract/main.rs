//! The platform's own contracts directly and over every link mode: what they carry arrives as it was sent.

mod every_way;
mod gates;
mod identity;
mod insights;
mod notify;
mod platform;
mod programme;
mod registry;
mod visits;
mod voice;

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::events::{
    EVENT_STATE_CONTRACT, EventId, EventState, EventStateClient, EventStateRoutes, EventStates, History,
    HistoryRange, HistoryRow, ListEvents, LiveEvent, Summary,
};
use ieum_contracts::partners::{
    CreateKey, IssuedKey, KeyId, KeyList, KeyStatus, ListKeys, PARTNER_KEYS_CONTRACT, PartnerKeys,
    PartnerKeysClient, PartnerKeysRoutes, RotateKey,
};
use ieum_core::{Code, Cx, Fault, Timestamp};
use parking_lot::Mutex;

use every_way::Ways;

/// Keeps keys in memory.
#[derive(Default)]
struct KeyRing(Mutex<Vec<KeyStatus>>);

#[async_trait]
impl PartnerKeys for KeyRing {
    async fn create(&self, _: &Cx, wish: CreateKey) -> Result<IssuedKey, Fault> {
        let mut keys = self.0.lock();
        let key = KeyStatus {
            key_id: format!("k{}", keys.len()),
            name: wish.name,
            tier: wish.tier,
            scopes: wish.scopes,
            events: wish.events,
            status: "active".into(),
            created_at: Timestamp::from_millis(1_790_000_000_123),
            expires_at: wish.expires_at,
            previous_valid_until: None,
            last_used_at: None,
        };
        keys.push(key.clone());
        Ok(IssuedKey { text: format!("ieum_partner_{}_비밀", key.key_id), key })
    }

    async fn rotate(&self, _: &Cx, wish: RotateKey) -> Result<IssuedKey, Fault> {
        Err(unknown(&wish.key_id))
    }

    async fn revoke(&self, _: &Cx, wish: KeyId) -> Result<KeyStatus, Fault> {
        let mut keys = self.0.lock();
        let key = keys.iter_mut().find(|key| key.key_id == wish.key_id);
        let key = key.ok_or_else(|| unknown(&wish.key_id))?;
        key.status = "revoked".into();
        Ok(key.clone())
    }

    async fn list(&self, _: &Cx, _: ListKeys) -> Result<KeyList, Fault> {
        Ok(KeyList { keys: self.0.lock().clone() })
    }
}

fn unknown(key_id: &str) -> Fault {
    Fault::not_found("partners.key.unknown", format!("looking for key {key_id:?}"))
}

/// Knows one event.
struct OneEvent(LiveEvent);

#[async_trait]
impl EventState for OneEvent {
    async fn list(&self, _: &Cx, ask: ListEvents) -> Result<EventStates, Fault> {
        let wanted = |ids: Vec<String>| ids.contains(&self.0.data.event_id);
        let events = if ask.event_ids.is_none_or(wanted) { vec![self.0.clone()] } else { Vec::new() };
        Ok(EventStates { events })
    }

    async fn get(&self, _: &Cx, ask: EventId) -> Result<LiveEvent, Fault> {
        if ask.event_id == self.0.data.event_id {
            return Ok(self.0.clone());
        }
        Err(Fault::not_found("events.event.unknown", format!("looking for event {:?}", ask.event_id)))
    }

    async fn history(&self, _: &Cx, ask: HistoryRange) -> Result<History, Fault> {
        let row = |step: u32| HistoryRow {
            at: ask.from.unwrap_or_default(),
            current_attendees: f64::from(step) / 3.0,
            checked_in: 0.0,
            total_registered: 1e15,
        };
        let rows = (0..ask.step_seconds.unwrap_or(0)).map(row).collect();
        Ok(History { event_id: ask.event_id, rows })
    }

    async fn summary(&self, _: &Cx, _: ListEvents) -> Result<Summary, Fault> {
        let metrics = &self.0.data.metrics;
        Ok(Summary { total_events: 1, total_registered: metrics.total_registered, ..Summary::default() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partners_keys_mean_the_same_every_way() {
    let ways = Ways::<dyn PartnerKeys> {
        contract: &PARTNER_KEYS_CONTRACT,
        answerer: || Arc::new(KeyRing::default()),
        routes: PartnerKeysRoutes::of,
        meet: |link| Arc::new(PartnerKeysClient::new(link)),
    };
    ways.run(|way, keys| async move {
        let cx = Cx::root();
        let wish = CreateKey {
            name: "서울 파트너".into(),
            tier: "partner".into(),
            scopes: vec!["events:read".into()],
            events: vec!["*".into()],
            expires_at: Some(Timestamp::from_seconds(1_800_000_000)),
            per_minute: None,
        };
        let issued = keys.create(&cx, wish.clone()).await.expect("is made");
        assert_eq!(issued.text, "ieum_partner_k0_비밀", "{way}");
        assert_eq!((&issued.key.name, issued.key.expires_at), (&wish.name, wish.expires_at), "{way}");
        let listed = keys.list(&cx, ListKeys {}).await.expect("is listed");
        assert_eq!(listed.keys, [issued.key], "{way}");
        let ended = keys.revoke(&cx, KeyId { key_id: "k0".into() }).await.expect("is ended");
        assert_eq!(ended.status, "revoked", "{way}");
        let strange = RotateKey { key_id: "없음".into(), overlap_seconds: None };
        assert_eq!(keys.rotate(&cx, strange).await.err(), Some(unknown("없음")), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_state_means_the_same_every_way() {
    let ways = Ways::<dyn EventState> {
        contract: &EVENT_STATE_CONTRACT,
        answerer: || Arc::new(OneEvent(expo())),
        routes: EventStateRoutes::of,
        meet: |link| Arc::new(EventStateClient::new(link)),
    };
    ways.run(|way, state| async move {
        let event = expo();
        let cx = Cx::root();
        let id = |text: &str| EventId { event_id: text.into() };
        assert_eq!(state.get(&cx, id("expo-1")).await, Ok(event.clone()), "{way}");
        let all = state.list(&cx, ListEvents::default()).await.expect("is listed");
        assert_eq!(all.events, [event], "{way}");
        let none = ListEvents { event_ids: Some(vec!["other".into()]) };
        assert_eq!(state.list(&cx, none).await, Ok(EventStates::default()), "{way}");
        let fault = state.get(&cx, id("other")).await.expect_err("is unknown");
        assert_eq!((fault.code, &*fault.reason), (Code::NotFound, "events.event.unknown"), "{way}");
        let range =
            HistoryRange { event_id: "expo-1".into(), from: None, until: None, step_seconds: Some(90) };
        let history = state.history(&cx, range).await.expect("has rows");
        assert_eq!(history.rows.len(), 90, "{way}");
        assert!((history.rows[1].current_attendees - 1.0 / 3.0).abs() < f64::EPSILON, "{way}");
    })
    .await;
}

fn expo() -> LiveEvent {
    serde_json::from_value(serde_json::json!({
        "eventId": "expo-1", "eventName": "서울 박람회", "timestamp": "2026-05-01T01:00:00.123Z",
        "metrics": metrics(), "alerts": [], "status": "active",
        "freshness": "stale", "ageSeconds": 301,
    }))
    .expect("is an event")
}

fn metrics() -> serde_json::Value {
    serde_json::to_value(ieum_contracts::events::EventMetrics {
        total_registered: 1_200,
        current_attendees: 345,
        ..ieum_contracts::events::EventMetrics::default()
    })
    .expect("is JSON")
}

/// The contracts whose suites stand in this folder.
const COVERED: [&str; 19] = [
    "analytics.insights",
    "events.gates",
    "events.programme",
    "events.registry",
    "events.state",
    "events.visits",
    "identity.devices",
    "identity.users",
    "notify.messages",
    "notify.recipients",
    "partners.keys",
    "payment.charges",
    "platform.links",
    "platform.process",
    "platform.watch",
    "voice.context",
    "voice.dialogue",
    "voice.plugin",
    "voice.understanding",
];

#[test]
fn every_contract_has_a_suite() {
    let mut named = Vec::new();
    for file in std::fs::read_dir("../contracts/src").expect("is there") {
        let text = std::fs::read_to_string(file.expect("is a file").path()).expect("is text");
        let names = text.lines().filter_map(|line| line.strip_prefix("#[contract(\"")?.split('"').next());
        named.extend(names.map(str::to_owned));
    }
    named.sort();
    assert_eq!(named, COVERED, "write the suite of a new contract here, and name it in COVERED");
}
