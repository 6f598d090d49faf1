//! The service over its own store, a local bus, and a small events hub behind a loopback link.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use ieum_bus::{Bus, BusOptions, Event, open_bus};
use ieum_cache::open_cache;
use ieum_client::{OutboundGuard, OutboundPolicy};
use ieum_contracts::events::{
    EVENT_DATA_UPDATED, EVENT_DATA_UPDATES, EventId, EventMetrics, EventState, EventStateRoutes, EventStates,
    EventStatus, Freshness, GateActivity, History, HistoryRange, HistoryRow, ListEvents, LiveEvent,
    NormalizedEventData, Summary,
};
use ieum_contracts::partners::{CreateKey, IssuedKey, PartnerKeys, PartnerKeysClient};
use ieum_core::{Cx, Fault, Timestamp, system_clock};
use ieum_gateway::{GatewayOptions, KeysOptions, Plan, Rate, Tier};
use ieum_link::loopback;
use ieum_partners::{PartnersDeps, PartnersPart, scope};
use ieum_store::{Sealer, Store, StoreOptions, Synchronous, migrate};
use ieum_webhook::WebhookOptions;
use serde_json::Value;
use tower::ServiceExt;

/// Knows two events.
struct Hub;

pub struct Stage {
    pub part: PartnersPart,
    pub keys: PartnerKeysClient,
    pub bus: Bus,
    store: Store,
    router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub fn event(id: &str, inside: u64) -> NormalizedEventData {
    NormalizedEventData {
        event_id: id.into(),
        event_name: format!("Event {id}"),
        timestamp: Timestamp::from_seconds(1_780_000_000),
        metrics: EventMetrics {
            total_registered: 100,
            current_attendees: inside,
            checked_in: inside,
            attendance_rate: inside as f64 / 100.0,
            gate_activity: vec![GateActivity {
                gate_id: "north-gate".into(),
                status: "open".into(),
                throughput: 3.0,
            }],
        },
        alerts: Vec::new(),
        status: EventStatus::Active,
    }
}

fn all() -> Vec<LiveEvent> {
    let live =
        |id, inside| LiveEvent { data: event(id, inside), freshness: Freshness::Fresh, age_seconds: 1 };
    vec![live("e-1", 40), live("e-2", 60)]
}

#[async_trait::async_trait]
impl EventState for Hub {
    async fn list(&self, _cx: &Cx, ask: ListEvents) -> Result<EventStates, Fault> {
        let asked = |event: &LiveEvent| match &ask.event_ids {
            Some(ids) => ids.contains(&event.data.event_id),
            None => true,
        };
        Ok(EventStates { events: all().into_iter().filter(asked).collect() })
    }

    async fn get(&self, _cx: &Cx, ask: EventId) -> Result<LiveEvent, Fault> {
        let found = all().into_iter().find(|event| event.data.event_id == ask.event_id);
        found.ok_or_else(|| Fault::not_found("events.event.unknown", format!("no event {}", ask.event_id)))
    }

    async fn history(&self, _cx: &Cx, ask: HistoryRange) -> Result<History, Fault> {
        let (at, figure) = (ask.from.unwrap_or_default(), 40.0);
        let row = HistoryRow { at, current_attendees: figure, checked_in: figure, total_registered: 100.0 };
        Ok(History { event_id: ask.event_id, rows: vec![row] })
    }

    async fn summary(&self, cx: &Cx, ask: ListEvents) -> Result<Summary, Fault> {
        let events = self.list(cx, ask).await?.events;
        let inside = events.iter().map(|event| event.data.metrics.current_attendees).sum();
        Ok(Summary { total_events: events.len() as u64, total_attendees: inside, ..Summary::default() })
    }
}

async fn part(store: &Store, bus: &Bus) -> PartnersPart {
    let clock = system_clock();
    let hub: Arc<dyn EventState> = Arc::new(Hub);
    let network = "127.0.0.0/8".parse().expect("is a network");
    let deps = PartnersDeps {
        store: store.clone(),
        sealer: Sealer::with_random_key(),
        cache: open_cache("memory:", clock.clone()).await.expect("opens the cache"),
        bus: bus.clone(),
        events: loopback(EventStateRoutes::of(hub), clock.clone()),
        clock: clock.clone(),
        guard: OutboundGuard::new(&OutboundPolicy { allow: vec![network] }),
        keys: KeysOptions::default(),
        gateway: GatewayOptions::default(),
        tokens: None,
        webhooks: WebhookOptions::default(),
    };
    PartnersPart::with_plans(deps, plans()).expect("is wired")
}

/// A plan of three requests a day, and one that shows details.
fn plans() -> Vec<Plan> {
    let scopes: BTreeSet<String> = scope::USUAL.iter().map(|&scope| scope.to_owned()).collect();
    let plan = |name: &str, day_quota, aggregate_only| Plan {
        name: name.into(),
        tier: Tier::Partner,
        scopes: scopes.clone(),
        rate: Some(Rate::per_minute(100)),
        day_quota,
        aggregate_only,
    };
    vec![plan("starter", Some(3), true), plan("open-book", None, false)]
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        let mut migrations = PartnersPart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("makes the tables");
        let clock = system_clock();
        let bus =
            open_bus("local:", store.clone(), clock.clone(), BusOptions::default()).await.expect("opens");
        let part = part(&store, &bus).await;
        let keys = PartnerKeysClient::new(loopback(part.routes(), clock));
        let router = part.router();
        Self { part, keys, bus, store, router }
    }

    /// Returns the doors of another process over the same store, which counts bursts on its own.
    pub async fn another(&self) -> Router {
        part(&self.store, &self.bus).await.router()
    }

    pub async fn key(&self, tier: &str, events: &[&str]) -> IssuedKey {
        self.key_with(tier, events, &[]).await
    }

    pub async fn key_with(&self, tier: &str, events: &[&str], scopes: &[&str]) -> IssuedKey {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let wish = CreateKey {
            name: "Seoul".into(),
            tier: tier.into(),
            scopes: texts(scopes),
            events: texts(events),
            expires_at: None,
            per_minute: None,
        };
        self.keys
            .create(&Cx::root().with_idempotency_key(&ieum_core::new_id().to_string()), wish)
            .await
            .expect("is made")
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        key: Option<&IssuedKey>,
        body: Option<Value>,
    ) -> Answer {
        ask(&self.router, method, path, key, body).await
    }

    pub async fn get(&self, path: &str, key: &IssuedKey) -> Answer {
        self.ask("GET", path, Some(key), None).await
    }

    pub async fn publish(&self, id: &str, event_id: &str, inside: u64) {
        let event = Event::new(&Cx::root(), "/events", EVENT_DATA_UPDATED, event_id, event(event_id, inside));
        let event = event.expect("is an event").with_id(id);
        self.bus.publish(EVENT_DATA_UPDATES, event).await.expect("is durable");
    }
}

pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks one process.
pub async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    key: Option<&IssuedKey>,
    body: Option<Value>,
) -> Answer {
    let mut request = http::Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("x-api-key", &key.text);
    }
    let body = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    let request = request.body(body).expect("is a request");
    let response = router.clone().oneshot(request).await.expect("is answered");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.expect("is read");
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}
