//! A whole hub over some database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use ieum_bus::{Bus, BusOptions, open_bus};
use ieum_cache::{Cache, open_cache};
use ieum_client::OutboundPolicy;
use ieum_contracts::analytics::Insights;
use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, Endpoints, EventId, EventServiceConfig,
    EventServiceRegistry, EventState, ListSources, LiveEvent, SourceStatus, SyncSettings,
};
use ieum_core::{Cx, SharedClock};
use ieum_data::open_series;
use ieum_events::{EventsDeps, EventsOptions, EventsPart, Sweep};
use ieum_gateway::{Gateway, GatewayOptions, Keys, KeysOptions, Rate};
use ieum_store::{Place, Sealer, SealingKey, Store, StoreOptions, migrate};
use ieum_testkit::wait::until;

use ieum_testkit::backend::SqlStore;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub struct Hub {
    pub part: EventsPart,
    pub store: Store,
    pub bus: Bus,
    cache: Arc<dyn Cache>,
    clock: SharedClock,
}

impl Hub {
    pub async fn open(base: &SqlStore, clock: SharedClock) -> Self {
        Self::open_at(&base.url, clock, EventsOptions::default().for_tests()).await
    }

    pub async fn open_at(url: &str, clock: SharedClock, options: EventsOptions) -> Self {
        let store = Store::open(url, &StoreOptions::default()).await.expect("opens");
        let mut migrations = EventsPart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrations.extend(Keys::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("migrates");
        let bus =
            open_bus("local:", store.clone(), clock.clone(), BusOptions::default()).await.expect("opens");
        let cache = open_cache("memory:", clock.clone()).await.expect("opens");
        let deps = EventsDeps {
            store: store.clone(),
            bus: bus.clone(),
            cache: cache.clone(),
            series: open_series("sql:", Some(store.clone())).await.expect("opens"),
            sealer: sealer(),
            clock: clock.clone(),
            outbound: loopback(),
            options,
        };
        Self { part: EventsPart::new(deps), store, bus, cache, clock }
    }

    pub async fn started(base: &SqlStore, clock: SharedClock) -> Self {
        let hub = Self::open(base, clock).await;
        hub.part.start().await.expect("starts");
        hub
    }

    pub async fn state(&self, event_id: &str) -> Option<LiveEvent> {
        self.part.state().get(&Cx::root(), EventId { event_id: event_id.into() }).await.ok()
    }

    /// Registered, checked in, inside.
    pub async fn totals(&self, event_id: &str) -> Option<(u64, u64, u64)> {
        let metrics = self.state(event_id).await?.data.metrics;
        Some((metrics.total_registered, metrics.checked_in, metrics.current_attendees))
    }

    pub async fn until_totals(&self, event_id: &str, wanted: (u64, u64, u64)) {
        let what = format!("{event_id} has {wanted:?}");
        let outcome = until(&what, PATIENCE, || async { self.totals(event_id).await == Some(wanted) }).await;
        if outcome.is_err() {
            panic!("{what}: has {:?}; {:?}", self.totals(event_id).await, self.source(event_id).await);
        }
    }

    pub async fn source(&self, event_id: &str) -> Option<SourceStatus> {
        let sources = self.part.registry().list(&Cx::root(), ListSources {}).await.expect("lists").sources;
        sources.into_iter().find(|source| source.event_id == event_id)
    }

    pub async fn hook_path(&self, event_id: &str) -> String {
        let sql = "SELECT secrets FROM ieum_events_source WHERE event_id = ?";
        let row = self.store.fetch_one(sql, &[event_id.into()]).await.expect("is registered");
        let place = Place { table: "ieum_events_source", column: "secrets", row: event_id };
        let sealed = row.text("secrets").expect("is text");
        let opened = sealer().open(&place, &sealed).expect("opens");
        let secrets: serde_json::Value = serde_json::from_str(opened.expose()).expect("is JSON");
        format!("/hooks/{event_id}/{}", secrets["hookSecret"].as_str().expect("is text"))
    }

    pub async fn published(&self) -> i64 {
        let sql = "SELECT COUNT(*) AS n FROM ieum_events_state";
        self.store.fetch_one(sql, &[]).await.expect("counts").int("n").expect("is a number")
    }

    /// Serves the hub's routes on a free port and returns the address.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let address = listener.local_addr().expect("has an address");
        serve(listener, self.router());
        format!("http://{address}")
    }

    /// Returns the hub's routes behind a door with generous limits.
    pub fn router(&self) -> Router {
        self.router_with(None)
    }

    /// The same, with a way to what history says.
    pub fn router_with(&self, insights: Option<Arc<dyn Insights>>) -> Router {
        let options = GatewayOptions { public: Rate::per_minute(100_000), ..GatewayOptions::default() };
        self.part.router(&self.gateway(options), insights)
    }

    pub fn gateway(&self, options: GatewayOptions) -> Gateway {
        let keys = Keys::new(self.store.clone(), self.clock.clone(), KeysOptions::default());
        Gateway::new(keys, self.cache.clone(), self.clock.clone(), options).expect("lets something pass")
    }

    pub async fn stop(self) {
        self.part.drain().await;
    }
}

/// Serves routes as the platform does, which tells them who connected.
pub fn serve(listener: tokio::net::TcpListener, router: Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
}

/// Makes a request look as if it came from `address`.
pub fn from(address: &str, mut request: Request<Body>) -> Request<Body> {
    let peer: SocketAddr = address.parse().expect("is an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// Options under which nothing has to be waited for long.
pub trait ForTests {
    fn for_tests(self) -> Self;
    fn without_sweep(self) -> Self;
}

impl ForTests for EventsOptions {
    fn for_tests(self) -> Self {
        Self { reconcile_every: Duration::from_secs(1), ..self }
    }

    /// A loss stays visible.
    fn without_sweep(self) -> Self {
        Self { sweep: Sweep::Never, ..self.for_tests() }
    }
}

/// The same key in every process of a test.
pub fn sealer() -> Sealer {
    let text = "aWV1bSBldmVudHMgdGVzdHMgc2VhbGluZyBrZXkgMDE=";
    Sealer::new(&[SealingKey::parse(text, "the tests").expect("is a key")]).expect("has a key")
}

/// Sources of these tests listen on this machine.
pub fn loopback() -> OutboundPolicy {
    OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] }
}

pub fn pretix_config(
    event_id: &str,
    api: &str,
    organizer: &str,
    event: &str,
    token: &str,
) -> EventServiceConfig {
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    EventServiceConfig {
        event_id: event_id.into(),
        service_name: "pretix".into(),
        connector: ConnectorKind::Pretix,
        endpoints: Endpoints { api: api.into(), webhook: None, health_check: None },
        authentication: Authentication {
            kind: AuthenticationKind::ApiKey,
            credentials: text(&[("token", token)]),
        },
        sync_settings: SyncSettings { interval: 1, ..SyncSettings::default() },
        options: text(&[("organizer", organizer), ("event", event)]),
    }
}
