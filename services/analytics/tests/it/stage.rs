//! The service over its own store, a local bus, and a small events hub behind a loopback link.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use ieum_analytics::{AnalyticsDeps, AnalyticsOptions, AnalyticsPart, PrivacyOptions};
use ieum_bus::{Bus, BusOptions, Event, open_bus};
use ieum_cache::open_cache;
use ieum_contracts::analytics::{AttendanceRange, EventProfile, Insights, InsightsClient};
use ieum_contracts::events::{
    EVENT_DATA_UPDATED, EVENT_DATA_UPDATES, EventId, EventMetrics, EventState, EventStateRoutes, EventStates,
    EventStatus, EventVisits, EventVisitsRoutes, Freshness, GateActivity, History, HistoryRange, HistoryRow,
    ListEvents, LiveEvent, NormalizedEventData, PersonVisits, Summary, VisitsAsk, VisitsPage,
};
use ieum_core::{Cx, Fault, ManualClock, Timestamp, system_clock};
use ieum_gateway::{Gateway, GatewayOptions, Keys, KeysOptions, NewKey, Tier};
use ieum_lake::{EngineOptions, open_engine};
use ieum_link::loopback;
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use serde_json::Value;
use tower::ServiceExt;

const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
pub const PATIENCE: Duration = Duration::from_secs(180);

/// A Saturday noon in Seoul.
pub const NOON: &str = "2026-05-02T12:00:00+09:00";

pub struct Stage {
    pub part: AnalyticsPart,
    pub insights: InsightsClient,
    pub clock: ManualClock,
    /// Who visited the event "fair", as the hub tells it.
    pub visitors: Arc<Visitors>,
    url: String,
    bus: Bus,
    keys: Keys,
    router: Router,
    /// Goes with the stage.
    _lake: tempfile::TempDir,
}

/// The hub's visitors of one event, told in small pages.
#[derive(Default)]
pub struct Visitors(pub parking_lot::Mutex<Vec<PersonVisits>>);

/// What the hub knows of one event: states, the latest last.
#[derive(Default)]
struct Hub(Vec<NormalizedEventData>);

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("is a time")
}

pub fn minutes(count: i64) -> Duration {
    Duration::from_secs(60 * u64::try_from(count).expect("is no less than none"))
}

/// A running event with 1000 people registered and one gate.
pub fn state(event_id: &str, at: Timestamp, checked_in: u64) -> NormalizedEventData {
    NormalizedEventData {
        event_id: event_id.into(),
        event_name: format!("Event {event_id}"),
        timestamp: at,
        metrics: EventMetrics {
            total_registered: 1_000,
            current_attendees: checked_in,
            checked_in,
            attendance_rate: 0.0,
            gate_activity: vec![GateActivity {
                gate_id: "north".into(),
                status: "open".into(),
                throughput: 2.0,
            }],
        },
        alerts: Vec::new(),
        status: EventStatus::Active,
    }
}

/// An hour-by-hour history of whole days from midnight in Seoul: open from 10 to 18, `daily` people in all.
pub fn days(event_id: &str, first: Timestamp, count: i64, daily: u64) -> Vec<NormalizedEventData> {
    let mut checked_in = 0;
    let mut states = vec![state(event_id, first, 0)];
    for day in 0..count {
        for hour in 10..18 {
            checked_in += daily / 8;
            states.push(state(event_id, first + minutes(day * 1_440 + hour * 60 + 5), checked_in));
        }
    }
    states
}

/// The history that the rebuild test's hub keeps.
pub fn kept() -> Vec<NormalizedEventData> {
    days("kept", at("2026-04-27T00:00:00+09:00"), 5, 80)
}

#[async_trait::async_trait]
impl EventState for Hub {
    async fn list(&self, _cx: &Cx, _ask: ListEvents) -> Result<EventStates, Fault> {
        let live = |data: &NormalizedEventData| LiveEvent {
            data: data.clone(),
            freshness: Freshness::Fresh,
            age_seconds: 1,
        };
        Ok(EventStates { events: self.0.last().map(live).into_iter().collect() })
    }

    async fn get(&self, _cx: &Cx, ask: EventId) -> Result<LiveEvent, Fault> {
        Err(Fault::not_found("events.event.unknown", ask.event_id))
    }

    async fn history(&self, _cx: &Cx, ask: HistoryRange) -> Result<History, Fault> {
        let (from, until) = (ask.from.expect("is asked"), ask.until.expect("is asked"));
        let within = self.0.iter().filter(|state| state.timestamp >= from && state.timestamp < until);
        let row = |state: &NormalizedEventData| HistoryRow {
            at: state.timestamp,
            current_attendees: state.metrics.current_attendees as f64,
            checked_in: state.metrics.checked_in as f64,
            total_registered: state.metrics.total_registered as f64,
        };
        Ok(History { event_id: ask.event_id, rows: within.map(row).collect() })
    }

    async fn summary(&self, _cx: &Cx, _ask: ListEvents) -> Result<Summary, Fault> {
        Ok(Summary::default())
    }
}

#[async_trait::async_trait]
impl EventVisits for Visitors {
    async fn list(&self, _cx: &Cx, ask: VisitsAsk) -> Result<VisitsPage, Fault> {
        if ask.event_id != "fair" {
            return Err(Fault::not_found("events.event.unknown", ask.event_id));
        }
        let from: usize = ask.after.map_or(0, |after| after.parse().expect("is a page"));
        let people: Vec<PersonVisits> = self.0.lock().iter().skip(from).take(100).cloned().collect();
        let next = (people.len() == 100).then(|| (from + 100).to_string());
        Ok(VisitsPage { event_id: ask.event_id, begins_at: Some(at(NOON)), people, next })
    }
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        let mut migrations = AnalyticsPart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrations.extend(Keys::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("makes the tables");
        let real = system_clock();
        let bus =
            open_bus("local:", store.clone(), real.clone(), BusOptions::default()).await.expect("opens");
        let hub: Arc<dyn EventState> = Arc::new(Hub(kept()));
        let clock = ManualClock::at(at(NOON));
        let visitors = Arc::new(Visitors::default());
        let told: Arc<dyn EventVisits> = visitors.clone();
        let privacy = PrivacyOptions::of(1.0, 3.0, &[("school".into(), 1.0)]).expect("are budgets");
        let lake = tempfile::tempdir().expect("a folder");
        let part = AnalyticsPart::new(AnalyticsDeps {
            store: store.clone(),
            bus: bus.clone(),
            events: loopback(EventStateRoutes::of(hub), real.clone()),
            visits: loopback(EventVisitsRoutes::of(told), real.clone()),
            engine: open_engine("datafusion:", lake.path(), EngineOptions::default(), real.clone())
                .await
                .ok(),
            clock: clock.shared(),
            // Tests make forecasts when they want them: one made meanwhile, as a clock is turned, would know less.
            options: AnalyticsOptions { privacy, forecast_after: NEVER, ..AnalyticsOptions::default() },
        })
        .expect("is wired");
        let insights = InsightsClient::new(loopback(part.routes(), real.clone()));
        let keys = Keys::new(store, real.clone(), KeysOptions::default());
        let cache = open_cache("memory:", real.clone()).await.expect("opens the cache");
        let gateway =
            Gateway::new(keys.clone(), cache, real, GatewayOptions::default()).expect("is a gateway");
        let router = gateway.frame(gateway.public(part.router()));
        Self { part, insights, clock, visitors, url: url.to_owned(), bus, keys, router, _lake: lake }
    }

    /// Returns another process over the same tables.
    pub async fn another(&self) -> Self {
        Self::over(&self.url).await
    }

    /// Publishes states and waits until the last of them is history.
    pub async fn live(&self, states: &[NormalizedEventData]) {
        self.publish(states).await;
        let last = states.last().expect("is a state");
        let (event_id, checked_in) = (last.event_id.as_str(), last.metrics.checked_in);
        let come = || async {
            let found = self.insights.event(&Cx::root(), EventId { event_id: event_id.to_owned() }).await;
            found.is_ok_and(|found| found.performance_metrics.checked_in == checked_in)
        };
        ieum_testkit::wait::until(&format!("{event_id} is history"), PATIENCE, come).await.expect("it comes");
    }

    pub async fn publish(&self, states: &[NormalizedEventData]) {
        let event = |state: &NormalizedEventData| {
            Event::new(&Cx::root(), "/events", EVENT_DATA_UPDATED, state.event_id.clone(), state)
                .expect("is an event")
        };
        let events: Vec<Event> = states.iter().map(event).collect();
        self.bus.publish(EVENT_DATA_UPDATES, events).await.expect("is durable");
    }

    pub async fn describe(&self, profile: EventProfile) {
        self.insights.describe(&Cx::root(), profile).await.expect("is described");
    }

    pub async fn attendance(&self) -> ieum_contracts::analytics::AttendanceReport {
        self.insights.attendance(&Cx::root(), AttendanceRange::default()).await.expect("is answered")
    }

    pub async fn key(&self, events: &[&str], scopes: &[&str]) -> String {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let new = NewKey {
            name: "Seoul".into(),
            tier: Tier::Partner,
            scopes: texts(scopes).into_iter().collect(),
            events: texts(events).into(),
            expires_at: None,
            rate: None,
        };
        let (_, text) = self.keys.create(new).await.expect("is made");
        text.expose().to_owned()
    }

    pub async fn get(&self, path: &str, key: Option<&str>) -> (u16, Value) {
        self.send(http::Request::builder().uri(path), key, Body::empty()).await
    }

    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
        let request = http::Request::builder().method("POST").uri(path);
        let request = request.header("content-type", "application/json");
        self.send(request, key, Body::from(body.to_string())).await
    }

    async fn send(&self, request: http::request::Builder, key: Option<&str>, body: Body) -> (u16, Value) {
        let request = match key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        };
        let request = request.body(body).expect("is a request");
        let response = self.router.clone().oneshot(request).await.expect("is answered");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.expect("is read");
        (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}
