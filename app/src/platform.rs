//! The backing services of one process, opened by URL.

use std::path::PathBuf;
use std::sync::Arc;

use ieum_bus::{Bus, BusCapabilities, BusOptions, Durability, open_bus};
use ieum_cache::{Cache, open_cache_on};
use ieum_client::OutboundPolicy;
use ieum_core::{SharedClock, system_clock};
use ieum_data::{TimeSeries, open_series};
use ieum_documents::{Documents, open_documents};
use ieum_lake::{EngineOptions, LakeError, SqlEngine, open_engine};
use ieum_store::{Sealer, Store, StoreOptions};
use tokio_util::sync::CancellationToken;

use crate::commands::migrate;
use crate::config::Settings;
use crate::output::Output;
use crate::{sealing, secret_files};

/// Everything that parts stand on.
#[derive(Clone)]
pub struct Platform {
    /// The settings it was opened with.
    pub settings: Arc<Settings>,
    /// The machine's clock.
    pub clock: SharedClock,
    /// SQL.
    pub store: Store,
    /// Seals secrets in it.
    pub sealer: Sealer,
    /// Documents that grow.
    pub documents: Arc<dyn Documents>,
    /// Keys with a lifetime.
    pub cache: Arc<dyn Cache>,
    /// Events.
    pub bus: Bus,
    /// Time series.
    pub series: Arc<dyn TimeSeries>,
    /// What answers questions over history as files, where one is set.
    pub engine: Option<Arc<dyn SqlEngine>>,
    /// What may be called outside.
    pub outbound: OutboundPolicy,
    /// Fires when the process begins to stop.
    pub stop: CancellationToken,
}

/// Says which backing service cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made.
    #[error("making the data folder {path}; name one that can be written with --data or in data.dir")]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A backing service.
    #[error("opening {key}")]
    Service {
        /// The setting that names it.
        key: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Puts the name of the setting to an error.
fn named<E: std::error::Error + Send + Sync + 'static>(key: &'static str) -> impl FnOnce(E) -> OpenError {
    move |error| OpenError::Service { key, source: Box::new(error) }
}

/// Opens the SQL store alone, as `migrate` and `doctor` need it.
pub async fn open_store(settings: &Settings) -> Result<Store, OpenError> {
    secret_files::make_folder(&settings.data)
        .map_err(|source| OpenError::Folder { path: settings.data.clone(), source })?;
    let options = StoreOptions {
        pool_size: settings.store.pool,
        acquire_timeout: settings.store.wait,
        ..StoreOptions::default()
    };
    Store::open(&within(settings, &settings.store.main), &options).await.map_err(named("store.main"))
}

type Inspected = (&'static str, Result<(String, Vec<String>), Box<dyn std::error::Error + Send + Sync>>);

impl Platform {
    /// Opens every backing service and brings the store to this version, one line each. The store comes
    /// first: the others keep tables in it.
    pub async fn open(settings: Arc<Settings>, output: &Output) -> Result<Self, OpenError> {
        let clock = system_clock();
        let store = open_store(&settings).await?;
        output.line(&format!("store      {}", store.url_redacted()));
        let applied = migrate::apply(&store, output).await.map_err(named("store.main"))?;
        if applied > 0 {
            output.line(&format!("store      {applied} migrations applied"));
        }
        let sealer = sealing::open(&settings).map_err(named("store.sealing_keys"))?;
        let documents = open_documents(&settings.documents, store.clone(), clock.clone())
            .await
            .map_err(named("documents.main"))?;
        output.line(&format!("documents  {}", scheme(&settings.documents)));
        if let Err(error) = documents.ping().await {
            // Not an end: dialogues are led without, and with them again once the server answers.
            tracing::warn!(error = &error as &dyn std::error::Error, "the documents do not answer yet");
            output.line(&format!("documents  {}", ieum_core::describe(&error)));
        }
        let cache = open_cache_on(&settings.cache, clock.clone(), Some(store.clone()))
            .await
            .map_err(named("cache.main"))?;
        output.line(&format!("cache      {}", scheme(&settings.cache)));
        let bus = open_bus(&settings.bus, store.clone(), clock.clone(), BusOptions::default())
            .await
            .map_err(named("bus.main"))?;
        output.line(&format!("bus        {}", bus.capabilities().backend));
        if let Err(error) = bus.ping().await {
            // Not an end: the outbox keeps what is published, and consuming begins once the broker answers.
            tracing::warn!(error = &error as &dyn std::error::Error, "the bus does not answer yet");
            output.line(&format!("bus        {}", ieum_core::describe(&error)));
        }
        let series =
            open_series(&settings.series, Some(store.clone())).await.map_err(named("series.main"))?;
        output.line(&format!("series     {}", scheme(&settings.series)));
        let engine = open_history(&settings, clock.clone()).await.map_err(named("analytics.main"))?;
        if let Some(engine) = &engine {
            output.line(&format!("analytics  {}", engine.name()));
        }
        let outbound = settings.outbound.clone();
        Ok(Self {
            settings,
            clock,
            store,
            sealer,
            documents,
            cache,
            bus,
            series,
            engine,
            outbound,
            stop: CancellationToken::new(),
        })
    }

    /// Opens each backing service by itself and returns what it says of itself.
    pub async fn inspect(settings: &Settings, store: Store) -> Vec<Inspected> {
        let clock = system_clock();
        let documents = async {
            let documents = open_documents(&settings.documents, store.clone(), clock.clone()).await?;
            documents.ping().await?;
            Ok((scheme(&settings.documents), sentences(documents.sentences())))
        };
        let cache = async {
            let cache = open_cache_on(&settings.cache, clock.clone(), Some(store.clone())).await?;
            cache.ping().await?;
            Ok((scheme(&settings.cache), sentences(cache.capabilities().sentences())))
        };
        let bus = async {
            let bus = open_bus(&settings.bus, store.clone(), clock.clone(), BusOptions::default()).await?;
            bus.ping().await?;
            Ok((scheme(&settings.bus), bus_sentences(bus.capabilities())))
        };
        let series = async {
            let series = open_series(&settings.series, Some(store.clone())).await?;
            Ok((scheme(&settings.series), sentences(series.capabilities().sentences())))
        };
        let mut inspected = vec![
            ("documents.main", documents.await),
            ("cache.main", cache.await),
            ("bus.main", bus.await),
            ("series.main", series.await),
        ];
        if let Some(url) = &settings.analytics {
            let engine = async {
                let folder = lake_folder(settings);
                let engine = open_engine(url, &folder, EngineOptions::default(), system_clock()).await?;
                engine.ping().await?;
                Ok((scheme(url), vec![format!("gives SQL over history, answered by {}", engine.name())]))
            };
            inspected.push(("analytics.main", engine.await));
        }
        inspected
    }

    /// Closes what holds files and connections.
    pub async fn close(self) {
        self.bus.close();
        self.store.close().await;
    }
}

fn sentences(given: Vec<impl Into<String>>) -> Vec<String> {
    given.into_iter().map(Into::into).collect()
}

/// Opens what answers questions over history, where one is set.
async fn open_history(
    settings: &Settings,
    clock: SharedClock,
) -> Result<Option<Arc<dyn SqlEngine>>, LakeError> {
    let Some(url) = &settings.analytics else { return Ok(None) };
    open_engine(url, &lake_folder(settings), EngineOptions::default(), clock).await.map(Some)
}

/// Where history lies as files.
fn lake_folder(settings: &Settings) -> PathBuf {
    settings.data.join("lake")
}

/// Returns the part of a URL that holds no credentials.
fn scheme(url: &str) -> String {
    format!("{}:", url.split(':').next().unwrap_or_default())
}

fn bus_sentences(given: BusCapabilities) -> Vec<String> {
    let pick = |yes: bool, gives: &str, lacks: &str| if yes { gives } else { lacks }.to_owned();
    vec![
        match given.durability {
            Durability::Disk => "gives durability: an acknowledged event survives a power cut",
            Durability::Replicas => {
                "gives durability by replicas: an acknowledged event is at every broker in sync; with one \
                 replica a power cut can lose it"
            }
        }
        .to_owned(),
        pick(
            given.shared,
            "gives groups over several processes",
            "lacks shared groups: one process handles a group",
        ),
        pick(
            given.dedupes_log,
            "gives one log entry per event, however often it is published",
            "lacks a log without repeats; the inbox sorts them out",
        ),
        pick(
            given.finds_in_log,
            "gives `where` a look into the log",
            "lacks a search in the log: `where` finds events from the moment a group has seen them",
        ),
        pick(
            given.purges_log,
            "gives retention: events go once every group has them",
            "lacks own retention: events go when the broker lets them go, read or not",
        ),
    ]
}

/// Puts a relative SQLite file into the data folder.
pub fn within(settings: &Settings, url: &str) -> String {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.starts_with([':', '/']) => {
            format!("sqlite:{}", settings.data.join(path).display())
        }
        _ => url.to_owned(),
    }
}
