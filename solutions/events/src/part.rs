//! Wires the events hub together: what it stands on, what it serves, how it starts and ends.

use std::sync::Arc;
use std::time::Duration;

use ieum_bus::Bus;
use ieum_cache::Cache;
use ieum_client::OutboundPolicy;
use ieum_contracts::analytics::Insights;
use ieum_contracts::events::{
    EVENT_ALERTS, EVENT_DATA_UPDATES, EVENT_PROGRAMME_UPDATES, EventGatesRoutes, EventProgrammeRoutes,
    EventServiceRegistryRoutes, EventStateRoutes, EventVisitsRoutes,
};
use ieum_core::{Fault, SharedClock};
use ieum_data::TimeSeries;
use ieum_gateway::Gateway;
use ieum_link::Routes;
use ieum_store::{Migration, Sealer, Store};
use ieum_telemetry::Gather;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::collector::Collector;
use crate::door::Visitors;
use crate::driver::Driver;
use crate::exporter::Exporter;
use crate::gates::Gates;
use crate::gates::renewals::Renewals;
use crate::points::PointLog;
use crate::programme::Programmes;
use crate::realtime::Realtime;
use crate::reconcile::Sweep;
use crate::registry::Registry;
use crate::store::EventsStore;
use crate::stream::Pictures;
use crate::visits::Visits;
use crate::{gates, hook, tables, web};

/// What the events hub stands on.
#[derive(Clone)]
pub struct EventsDeps {
    /// SQL, with the tables of [`EventsPart::migrations`] and the bus's.
    pub store: Store,
    /// Where news goes, over an outbox in the same store.
    pub bus: Bus,
    /// Holds `realtime:{eventId}` for 300 s.
    pub cache: Arc<dyn Cache>,
    /// Takes attendance over time.
    pub series: Arc<dyn TimeSeries>,
    /// Seals the sources' credentials and hook secrets.
    pub sealer: Sealer,
    /// The only source of time.
    pub clock: SharedClock,
    /// What may be called beyond the public internet.
    pub outbound: OutboundPolicy,
    /// How often, how long.
    pub options: EventsOptions,
}

/// How the events hub behaves.
#[derive(Clone, Debug)]
pub struct EventsOptions {
    /// How often a source's health is asked. Default 60 s.
    pub health_every: Duration,
    /// How often totals are compared while nothing changes. Default 30 s.
    pub reconcile_every: Duration,
    /// What is done where totals differ for good. Default a sweep at most every 300 s.
    pub sweep: Sweep,
    /// How often each source is looked through for what vanished without a word. Default 6 h.
    pub vanished_every: Duration,
    /// Who may see the hub's pages without a key. Default this machine.
    pub visitors: Visitors,
}

/// The events hub.
pub struct EventsPart {
    registry: Arc<Registry>,
    realtime: Arc<Realtime>,
    programmes: Arc<Programmes>,
    visits: Arc<Visits>,
    gates: Arc<Gates>,
    renewals: Arc<Renewals>,
    exporter: Arc<Exporter>,
    pictures: Arc<Pictures>,
    driver: Arc<Driver>,
    store: EventsStore,
    visitors: Visitors,
    running: Mutex<Vec<JoinHandle<()>>>,
    stop: watch::Sender<bool>,
}

impl Default for EventsOptions {
    fn default() -> Self {
        Self {
            health_every: Duration::from_secs(60),
            reconcile_every: Duration::from_secs(30),
            sweep: Sweep::AtMostEvery(Duration::from_secs(300)),
            vanished_every: Duration::from_secs(6 * 3_600),
            visitors: Visitors::default(),
        }
    }
}

impl EventsPart {
    /// Wires the hub. Nothing runs before [`EventsPart::start`].
    pub fn new(deps: EventsDeps) -> Self {
        let points = Arc::new(PointLog::new(deps.store.clone(), deps.series));
        let store = EventsStore::new(deps.store, deps.sealer);
        let realtime = Arc::new(Realtime::new(store.clone(), deps.cache, points, deps.clock.clone()));
        let collector = Arc::new(Collector::new(
            store.clone(),
            deps.bus,
            realtime.clone(),
            deps.outbound,
            deps.clock.clone(),
            (deps.options.reconcile_every, deps.options.sweep, deps.options.vanished_every),
        ));
        let driver = Arc::new(Driver::new(
            collector.clone(),
            store.clone(),
            deps.clock.clone(),
            // Looked at more often than it is due, so that a restart puts nothing off by a whole span.
            (deps.options.health_every, deps.options.vanished_every / 8),
        ));
        let renewals = Arc::new(Renewals::new(collector.clone(), deps.clock.clone()));
        let gates = Arc::new(Gates::new(store.clone(), renewals.clone(), deps.clock.clone()));
        let exporter = collector.exporter.clone();
        let pictures = Pictures::new(realtime.clone(), deps.clock.clone());
        let registry = Arc::new(Registry {
            store: store.clone(),
            collector,
            driver: driver.clone(),
            realtime: realtime.clone(),
            clock: deps.clock,
        });
        let programmes = Arc::new(Programmes::new(store.clone()));
        let visits = Arc::new(Visits::new(store.clone(), registry.clock.clone()));
        let visitors = deps.options.visitors;
        Self {
            registry,
            realtime,
            programmes,
            visits,
            gates,
            renewals,
            exporter,
            pictures,
            driver,
            store,
            visitors,
            running: Mutex::default(),
            stop: watch::Sender::new(false),
        }
    }

    /// Returns the migrations of the hub's tables.
    pub fn migrations() -> Vec<Migration> {
        tables::MIGRATIONS.to_vec()
    }

    /// Returns the topics that the hub publishes to.
    pub fn topics() -> Vec<&'static str> {
        vec![EVENT_DATA_UPDATES, EVENT_PROGRAMME_UPDATES, EVENT_ALERTS]
    }

    /// Returns the registry of sources.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.clone()
    }

    /// Returns the live picture.
    pub fn state(&self) -> Arc<Realtime> {
        self.realtime.clone()
    }

    /// Returns the programmes.
    pub fn programmes(&self) -> Arc<Programmes> {
        self.programmes.clone()
    }

    /// Returns the visits of people.
    pub fn visits(&self) -> Arc<Visits> {
        self.visits.clone()
    }

    /// Returns the gates.
    pub fn gates(&self) -> Arc<Gates> {
        self.gates.clone()
    }

    /// Returns what the hub tells Prometheus of every source.
    pub fn metrics(&self) -> Arc<dyn Gather> {
        self.exporter.clone()
    }

    /// Returns what the hub serves over links.
    pub fn routes(&self) -> Routes {
        EventServiceRegistryRoutes::of(self.registry.clone())
            .merge(EventStateRoutes::of(self.realtime.clone()))
            .merge(EventProgrammeRoutes::of(self.programmes.clone()))
            .merge(EventGatesRoutes::of(self.gates.clone()))
            .merge(EventVisitsRoutes::of(self.visits.clone()))
    }

    /// Returns the hub's HTTP routes: its pages behind the gateway's public door, and the addresses at which
    /// sources knock. The dashboard asks `insights` what history says, where there is a way to it.
    pub fn router(&self, gateway: &Gateway, insights: Option<Arc<dyn Insights>>) -> axum::Router {
        let clock = self.registry.clock.clone();
        let pictures = (self.realtime.clone(), self.programmes.clone(), self.pictures.clone());
        web::router(gateway, self.visitors, pictures, insights, clock)
            .merge(gates::web::router(gateway, self.visitors, self.gates.clone()))
            .merge(hook::router(gateway, self.registry.clone()))
    }

    /// Schedules every registered source and begins to run. Returns how many there are.
    pub async fn start(&self) -> Result<usize, Fault> {
        self.store.seal_secrets().await?;
        if let Err(fault) = self.realtime.points().hand_over_all().await {
            tracing::warn!(error = %fault, "writing attendance left behind into the time series failed; it is written again");
        }
        let sources = self.store.sources().await?;
        for source in &sources {
            self.driver.add(&source.config);
        }
        let exporting = self.exporter.clone().run(self.store.clone(), self.stop.subscribe());
        let running = [
            tokio::spawn(self.driver.clone().run()),
            tokio::spawn(self.renewals.clone().run()),
            tokio::spawn(exporting),
        ];
        self.running.lock().extend(running);
        Ok(sources.len())
    }

    /// Begins nothing more and returns once every read has ended after its present page.
    pub async fn drain(&self) {
        self.driver.stop();
        self.renewals.stop();
        self.pictures.close();
        self.stop.send_replace(true);
        let running = std::mem::take(&mut *self.running.lock());
        for running in running {
            if let Err(error) = running.await {
                tracing::error!(error = %error, "the events hub ended by a panic");
            }
        }
    }
}
