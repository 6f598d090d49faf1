//! Wires the service: store, contract, listening, the schedule of forecasts.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ieum_bus::{Bus, BusError, Subscribed, Subscription};
use ieum_contracts::analytics::{Insights, InsightsRoutes};
use ieum_contracts::events::{EVENT_DATA_UPDATES, EventStateClient, EventVisitsClient};
use ieum_core::SharedClock;
use ieum_lake::SqlEngine;
use ieum_link::{Link, Routes};
use ieum_store::{Migration, Store};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::behaviour::Behaviour;
use crate::budget::{PrivacyOptions, SqlLedger};
use crate::landing::Landing;
use crate::listener::{GROUP, Listener};
use crate::service::Service;
use crate::store::AnalyticsStore;
use crate::zone::{UnknownZone, Zone};
use crate::{tables, web};

/// What the service stands on.
pub struct AnalyticsDeps {
    /// Keeps history, money and forecasts.
    pub store: Store,
    /// Brings changes of events.
    pub bus: Bus,
    /// The way to `events.state`, in this process or another.
    pub events: Link,
    /// The way to `events.visits`.
    pub visits: Link,
    /// The time.
    pub clock: SharedClock,
    /// What answers questions over history as files; `None` where nothing does.
    pub engine: Option<Arc<dyn SqlEngine>>,
    /// How often, in which time zone.
    pub options: AnalyticsOptions,
}

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct AnalyticsOptions {
    /// The time zone of events that tell none. Default `Asia/Seoul`.
    pub time_zone: String,
    /// How often forecasts are made anew. Default an hour.
    pub forecast_every: Duration,
    /// How long after the start the first are made. Default a minute: what waited on the bus is history then.
    pub forecast_after: Duration,
    /// How much is told of visitors, to whom.
    pub privacy: PrivacyOptions,
}

/// Says which step of setting the service up failed.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The usual time zone is none.
    #[error("choosing the time zone of events that tell none")]
    Zone(#[source] UnknownZone),
    /// The bus refuses the subscription.
    #[error("listening to {EVENT_DATA_UPDATES}")]
    Listen(#[source] BusError),
}

/// The service, wired. It does nothing by itself until [`AnalyticsPart::start`].
pub struct AnalyticsPart {
    service: Arc<Service>,
    bus: Bus,
    options: AnalyticsOptions,
    running: Mutex<Option<(Subscribed, JoinHandle<()>)>>,
}

impl Default for AnalyticsOptions {
    fn default() -> Self {
        Self {
            time_zone: "Asia/Seoul".into(),
            forecast_every: Duration::from_secs(3_600),
            forecast_after: Duration::from_secs(60),
            privacy: PrivacyOptions::default(),
        }
    }
}

impl AnalyticsPart {
    /// Wires the service. Fails where the usual time zone is none.
    pub fn new(deps: AnalyticsDeps) -> Result<Self, PartError> {
        let AnalyticsDeps { store, bus, events, visits, clock, engine, options } = deps;
        let zone = Zone::named(&options.time_zone).map_err(PartError::Zone)?;
        let behaviour = Behaviour {
            visits: Arc::new(EventVisitsClient::new(visits)),
            ledger: SqlLedger::new(store.clone()),
            options: options.privacy.clone(),
            clock: clock.clone(),
        };
        let service = Arc::new(Service {
            behaviour,
            landing: engine.map(|engine| Landing::new(engine, store.clone())),
            store: AnalyticsStore::new(store, zone),
            events: Arc::new(EventStateClient::new(events)),
            clock,
            rounds: Arc::new(Semaphore::new(1)),
        });
        Ok(Self { service, bus, options, running: Mutex::new(None) })
    }

    /// Returns the migrations of the tables used here.
    pub fn migrations() -> Vec<Migration> {
        tables::MIGRATIONS.to_vec()
    }

    /// Returns the contract `analytics.insights` as it is served here.
    pub fn routes(&self) -> Routes {
        let service: Arc<dyn Insights> = self.service.clone();
        InsightsRoutes::of(service)
    }

    /// Returns the pages' routes. Whoever serves them says who may pass.
    pub fn router(&self) -> Router {
        let service: Arc<dyn Insights> = self.service.clone();
        web::router(service)
    }

    /// Starts listening to changes of events and making forecasts. Starting twice changes nothing.
    pub async fn start(&self) -> Result<(), PartError> {
        if self.running.lock().is_some() {
            return Ok(());
        }
        let subscription = Subscription::new(EVENT_DATA_UPDATES, GROUP);
        let listener = Arc::new(Listener(self.service.store.clone()));
        let listener = self.bus.subscribe(subscription, listener).await.map_err(PartError::Listen)?;
        let schedule = tokio::spawn(keep_forecasting(self.service.clone(), self.options.clone()));
        *self.running.lock() = Some((listener, schedule));
        Ok(())
    }

    /// Stops listening and forecasting. Forecasts under way are given up; they are made anew after the start.
    pub async fn drain(&self) {
        let Some((listener, schedule)) = self.running.lock().take() else { return };
        schedule.abort();
        listener.drain().await;
    }
}

async fn keep_forecasting(service: Arc<Service>, options: AnalyticsOptions) {
    service.clock.sleep(options.forecast_after).await;
    loop {
        let Ok(round) = service.rounds.acquire().await else { return };
        match service.store.refresh_forecasts(service.clock.now()).await {
            Ok(done) => tracing::debug!(made = done.made, refused = done.refused, "forecasts made"),
            Err(fault) => tracing::warn!(error = %fault, "making forecasts failed; they are made again"),
        }
        drop(round);
        if let Some(landing) = &service.landing
            && let Err(fault) = landing.land(service.clock.now(), false).await
        {
            tracing::warn!(error = %fault, "bringing history into files failed; it is brought again");
        }
        service.clock.sleep(options.forecast_every).await;
    }
}
