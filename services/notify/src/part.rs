//! Wires the service: store, providers, contracts, routes, listening, sending.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use ieum_bus::{Bus, BusError, Subscribed, Subscription};
use ieum_contracts::events::EVENT_DATA_UPDATES;
use ieum_contracts::notify::{
    Channel, NOTIFICATION_REQUESTS, NotifyMessages, NotifyMessagesRoutes, NotifyRecipients,
    NotifyRecipientsRoutes,
};
use ieum_core::{Fault, SharedClock};
use ieum_link::Routes;
use ieum_policy::{Backoff, BreakerRule, Jitter, RetryRule};
use ieum_store::{Migration, Store};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::alerts::Alerts;
use crate::listener::Requests;
use crate::providers::Provider;
use crate::service::Service;
use crate::store::NotifyStore;
use crate::templates::{TemplateError, Templates};
use crate::worker::Worker;
use crate::{tables, web};

/// The consumer group of this service.
const GROUP: &str = "notify";

/// What the service stands on.
pub struct NotifyDeps {
    /// Keeps recipients and messages.
    pub store: Store,
    /// Brings wishes and alerts.
    pub bus: Bus,
    /// The time.
    pub clock: SharedClock,
    /// Who takes messages, per channel in the order in which they are asked.
    pub providers: HashMap<Channel, Vec<Arc<dyn Provider>>>,
    /// How it behaves.
    pub options: NotifyOptions,
}

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct NotifyOptions {
    /// A folder with templates beside those that come along.
    pub templates: Option<PathBuf>,
    /// How long a message stays that is over, read or not. Default 90 days.
    pub keep: Duration,
    /// When a message is tried again that nobody took. Default 8 attempts over about two hours.
    pub retry: RetryRule,
    /// When a provider is left alone. Default after 5 failures in a row, for 30 s.
    pub breaker: BreakerRule,
}

/// Says which step of setting the service up failed.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// A template is wrong.
    #[error("reading the templates of notifications")]
    Templates(#[source] TemplateError),
    /// The bus refuses a subscription.
    #[error("listening to {topic}")]
    Listen {
        /// The topic.
        topic: &'static str,
        /// Why.
        #[source]
        cause: BusError,
    },
}

/// The service, wired. It does nothing by itself until [`NotifyPart::start`].
pub struct NotifyPart {
    service: Arc<Service>,
    worker: Arc<Worker>,
    bus: Bus,
    running: Mutex<Option<Running>>,
}

/// What runs between start and drain.
struct Running {
    listeners: Vec<Subscribed>,
    sender: JoinHandle<()>,
    stop: CancellationToken,
}

impl Default for NotifyOptions {
    fn default() -> Self {
        let backoff = Backoff {
            first: Duration::from_secs(10),
            factor: 4.0,
            most: Duration::from_secs(3_600),
            jitter: Jitter::Equal,
        };
        let breaker = BreakerRule {
            consecutive: Some(5),
            failure_rate: Some(0.5),
            slow_rate: None,
            slow_call: Duration::MAX,
            window: Duration::from_secs(60),
            minimum_calls: 20,
            open_for: Duration::from_secs(30),
            probes: 1,
        };
        Self {
            templates: None,
            keep: Duration::from_secs(90 * 86_400),
            retry: RetryRule { attempts: 8, backoff, ..RetryRule::default() },
            breaker,
        }
    }
}

impl NotifyPart {
    /// Wires the service. Fails where a template cannot be understood.
    pub fn new(deps: NotifyDeps) -> Result<Self, PartError> {
        let NotifyDeps { store, bus, clock, providers, options } = deps;
        let templates = Templates::open(options.templates.as_deref()).map_err(PartError::Templates)?;
        let service = Arc::new(Service::new(NotifyStore::new(store), templates, clock));
        let worker = Worker::new(service.clone(), providers, &options);
        Ok(Self { service, worker: Arc::new(worker), bus, running: Mutex::new(None) })
    }

    /// Returns the migrations of the tables used here.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Returns the contracts `notify.messages` and `notify.recipients` as they are served here.
    pub fn routes(&self) -> Routes {
        let messages: Arc<dyn NotifyMessages> = self.service.clone();
        let recipients: Arc<dyn NotifyRecipients> = self.service.clone();
        NotifyMessagesRoutes::of(messages).merge(NotifyRecipientsRoutes::of(recipients))
    }

    /// Returns the routes of messages in the page, without a door: who may come in is for the caller to decide.
    pub fn router(&self) -> Router {
        web::router(self.service.clone())
    }

    /// Sends one batch of what is due and waits for it, as tests and simulations do. Returns how many messages there
    /// were.
    pub async fn send_due(&self) -> Result<usize, Fault> {
        self.worker.round().await
    }

    /// Removes messages that have been over for as long as the options say; returns how many. Done every hour once
    /// the service has started.
    pub async fn purge(&self) -> Result<u64, Fault> {
        self.worker.purge().await
    }

    /// Starts listening and sending. Starting twice changes nothing.
    pub async fn start(&self) -> Result<(), PartError> {
        if self.running.lock().is_some() {
            return Ok(());
        }
        let failed = |topic| move |cause| PartError::Listen { topic, cause };
        let requests = Subscription::new(NOTIFICATION_REQUESTS, GROUP);
        let requests = self.bus.subscribe(requests, Arc::new(Requests(self.service.clone()))).await;
        let alerts = Subscription::new(EVENT_DATA_UPDATES, GROUP);
        let alerts = self.bus.subscribe(alerts, Arc::new(Alerts(self.service.clone()))).await;
        let listeners = vec![
            requests.map_err(failed(NOTIFICATION_REQUESTS))?,
            alerts.map_err(failed(EVENT_DATA_UPDATES))?,
        ];
        let stop = CancellationToken::new();
        let sender = tokio::spawn(self.worker.clone().run(stop.clone()));
        *self.running.lock() = Some(Running { listeners, sender, stop });
        Ok(())
    }

    /// Takes nothing new and lets what is with providers end.
    pub async fn drain(&self) {
        let Some(Running { listeners, sender, stop }) = self.running.lock().take() else { return };
        for listener in listeners {
            listener.drain().await;
        }
        stop.cancel();
        if let Err(error) = sender.await {
            tracing::error!(error = %error, "sending notifications ended by a panic");
        }
    }
}
