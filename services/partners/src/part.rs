//! Wires the service: stores, contract, routes, listening, sending.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use http::header::CONTENT_TYPE;
use ieum_bus::{Bus, BusError, Subscribed, Subscription};
use ieum_cache::Cache;
use ieum_client::OutboundGuard;
use ieum_contracts::events::{EVENT_DATA_UPDATES, EventStateClient};
use ieum_contracts::partners::{PartnerKeys, PartnerKeysRoutes};
use ieum_core::{SharedClock, Timestamp};
use ieum_gateway::{Gateway, GatewayOptions, KeyError, Keys, KeysOptions, Plan, PlanError, Tokens};
use ieum_link::{Link, Routes};
use ieum_policy::GcraError;
use ieum_store::{Migration, Sealer, Store};
use ieum_webhook::{Running, WebhookError, WebhookOptions, Webhooks, WebhooksDeps};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::keys::KeyService;
use crate::listener::{Audience, GROUP, Listener};
use crate::openapi::openapi_json;
use crate::web::Web;
use crate::{hooks, usage, web};

/// How often the keys are read anew and their use is written down.
const REFRESH: Duration = Duration::from_secs(1);
/// How long it is kept how keys were used.
const USE_KEPT: Duration = Duration::from_secs(400 * 86_400);
/// After how many refreshes what is older is forgotten.
const FORGETTING: u32 = 3_600;

/// What the service stands on.
pub struct PartnersDeps {
    /// Keeps keys, endpoints, messages.
    pub store: Store,
    /// Seals the secrets of webhook endpoints.
    pub sealer: Sealer,
    /// Counts requests.
    pub cache: Arc<dyn Cache>,
    /// Brings changes of events.
    pub bus: Bus,
    /// The way to `events.state`, in this process or another.
    pub events: Link,
    /// The time.
    pub clock: SharedClock,
    /// Which addresses webhooks may go to.
    pub guard: OutboundGuard,
    /// How keys are remembered.
    pub keys: KeysOptions,
    /// Limits of the front door.
    pub gateway: GatewayOptions,
    /// Whose tokens open the front door, beside keys.
    pub tokens: Option<Tokens>,
    /// How webhooks are sent.
    pub webhooks: WebhookOptions,
}

/// Says which step of setting the service up failed.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// A limit lets nothing pass.
    #[error("setting the gateway's limits")]
    Limits(#[source] GcraError),
    /// A plan cannot be.
    #[error("reading the plans")]
    Plans(#[source] PlanError),
    /// Webhooks cannot be sent.
    #[error("preparing webhooks")]
    Webhooks(#[source] WebhookError),
    /// The keys cannot be read.
    #[error("reading the API keys")]
    Keys(#[source] KeyError),
    /// The bus refuses the subscription.
    #[error("listening to {EVENT_DATA_UPDATES}")]
    Listen(#[source] BusError),
}

/// The service, wired. It does nothing by itself until [`PartnersPart::start`].
pub struct PartnersPart {
    keys: Keys,
    gateway: Gateway,
    webhooks: Webhooks,
    web: Web,
    bus: Bus,
    clock: SharedClock,
    audience: Audience,
    running: Mutex<Option<Working>>,
}

/// What runs between start and drain.
struct Working {
    sender: Running,
    listener: Subscribed,
    refresher: JoinHandle<()>,
}

// === PartnersPart ===

impl PartnersPart {
    /// Wires the service. Fails where a limit lets nothing pass or the network cannot be used.
    pub fn new(deps: PartnersDeps) -> Result<Self, PartError> {
        Self::with_plans(deps, Vec::new())
    }

    /// Wires the service with plans that keys may be on. Fails where one of them cannot be, and as
    /// [`PartnersPart::new`] does.
    pub fn with_plans(deps: PartnersDeps, plans: Vec<Plan>) -> Result<Self, PartError> {
        let PartnersDeps { store, sealer, cache, bus, events, clock, guard, keys, gateway, tokens, webhooks } =
            deps;
        let keys = Keys::with_plans(store.clone(), clock.clone(), keys, plans).map_err(PartError::Plans)?;
        let gateway = Gateway::with_tokens(keys.clone(), tokens, cache, clock.clone(), gateway)
            .map_err(PartError::Limits)?;
        let options = webhooks;
        let deps = WebhooksDeps { store, sealer, guard, clock: clock.clone(), options };
        let webhooks = Webhooks::new(deps).map_err(PartError::Webhooks)?;
        let web = Web {
            events: Arc::new(EventStateClient::new(events)),
            webhooks: webhooks.clone(),
            keys: keys.clone(),
            clock: clock.clone(),
        };
        let (audience, running) = (Audience::default(), Mutex::new(None));
        Ok(Self { keys, gateway, webhooks, web, bus, clock, audience, running })
    }

    /// Returns the migrations of the tables used here.
    pub fn migrations() -> Vec<Migration> {
        Keys::migrations().into_iter().chain(Webhooks::migrations()).collect()
    }

    /// Returns the public handlers behind their doors, and `/openapi.json`.
    pub fn router(&self) -> Router {
        let public = Router::new().route("/api/public/events", get(web::public_events));
        let partner = Router::new()
            .route("/api/partner/events", get(web::events))
            .route("/api/partner/events/{eventId}/attendance", get(web::attendance))
            .route("/api/partner/analytics/summary", get(web::summary))
            .route("/api/partner/usage", get(usage::usage))
            .route("/api/partner/webhooks", post(hooks::register).get(hooks::list))
            .route("/api/partner/webhooks/{webhookId}", get(hooks::show).delete(hooks::delete))
            .route("/api/partner/webhooks/{webhookId}/enable", post(hooks::enable))
            .route("/api/partner/webhooks/{webhookId}/rotate-secret", post(hooks::rotate_secret))
            .route("/api/partner/webhooks/{webhookId}/deliveries", get(hooks::deliveries))
            .route("/api/partner/webhooks/{webhookId}/test", post(hooks::send_test))
            .route("/api/partner/webhooks/deliveries/{deliveryId}", get(hooks::delivery))
            .route("/api/partner/webhooks/{webhookId}/resend", post(hooks::resend_since))
            .route("/api/partner/webhooks/deliveries/{deliveryId}/attempts", get(hooks::attempts))
            .route("/api/partner/webhooks/deliveries/{deliveryId}/resend", post(hooks::resend));
        let premium = Router::new().route("/api/premium/events/{eventId}/history", get(web::history));
        let document: Arc<str> = openapi_json().into();
        let document = get(move || {
            let document = document.to_string();
            async move { ([(CONTENT_TYPE, "application/json")], document) }
        });
        let doors = self
            .gateway
            .public(public)
            .merge(self.gateway.partner(partner))
            .merge(self.gateway.premium(premium))
            .with_state(self.web.clone());
        self.gateway.frame(doors.route("/openapi.json", document))
    }

    /// Returns the contract `partners.keys` as it is served here.
    pub fn routes(&self) -> Routes {
        let service = KeyService { keys: self.keys.clone(), clock: self.clock.clone() };
        let service: Arc<dyn PartnerKeys> = Arc::new(service);
        PartnerKeysRoutes::of(service)
    }

    /// Returns the front door, to frame a whole router with.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Returns the outbound webhooks, for "where is event X?" and the command line.
    pub fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    /// Starts listening to changes of events and sending webhooks. Starting twice changes nothing.
    pub async fn start(&self) -> Result<(), PartError> {
        if self.running.lock().is_some() {
            return Ok(());
        }
        self.webhooks.reseal().await.map_err(PartError::Webhooks)?;
        self.audience.refresh(&self.keys).await.map_err(PartError::Keys)?;
        let listener = Listener {
            audience: self.audience.clone(),
            webhooks: self.webhooks.clone(),
            clock: self.clock.clone(),
        };
        let subscription = Subscription::new(EVENT_DATA_UPDATES, GROUP);
        let listener =
            self.bus.subscribe(subscription, Arc::new(listener)).await.map_err(PartError::Listen)?;
        let refresher = tokio::spawn(refresh(self.audience.clone(), self.keys.clone(), self.clock.clone()));
        *self.running.lock() = Some(Working { sender: self.webhooks.start(), listener, refresher });
        Ok(())
    }

    /// Stops listening, lets deliveries under way end and writes what is left to write.
    pub async fn drain(&self) {
        let Some(working) = self.running.lock().take() else { return };
        working.refresher.abort();
        working.listener.drain().await;
        working.sender.drain().await;
        if let Err(error) = self.keys.flush_usage().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "writing the use of API keys failed");
        }
    }
}

async fn refresh(audience: Audience, keys: Keys, clock: SharedClock) {
    for round in (0..FORGETTING).cycle() {
        clock.sleep(REFRESH).await;
        if round == 0 {
            let before = clock.now().as_seconds().saturating_sub_unsigned(USE_KEPT.as_secs());
            if let Err(error) = keys.forget_usage(Timestamp::from_seconds(before)).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "forgetting old use of API keys failed"
                );
            }
        }
        if let Err(error) = audience.refresh(&keys).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "reading the API keys failed");
        }
        if let Err(error) = keys.flush_usage().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "writing the use of API keys failed");
        }
    }
}
