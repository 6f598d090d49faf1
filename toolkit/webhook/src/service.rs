//! The whole of outbound webhooks behind one handle.

use std::sync::Arc;

use ieum_client::{HttpOptions, HttpTransport, OutboundGuard, Transport};
use ieum_core::{Cx, Id, SharedClock, Timestamp, TraceContext, new_id};
use ieum_store::{Migration, Sealer, Store, Transaction};
use tokio::sync::Notify;
use url::Url;

use crate::deliveries::{self, Accepted, Replay};
use crate::endpoint::{DisabledReason, Endpoint, NewEndpoint, SecretRing};
use crate::endpoints::{self, Secrets};
use crate::error::{WebhookError, at};
use crate::gather::{self, Gatherer};
use crate::key_pair::SigningPair;
use crate::log::{self, Attempt, Delivery, DeliveryFilter, DeliverySearch, Sent};
use crate::message::{TEST_EVENT, WebhookMessage};
use crate::options::WebhookOptions;
use crate::retention::{self, Purged, Retention};
use crate::signing::SigningSecret;
use crate::tables;
use crate::worker::Running;

/// Outbound webhooks: endpoints, acceptance, sending, the log. Cloning shares one state.
#[derive(Clone)]
pub struct Webhooks(Arc<Shared>);

/// What webhooks stand on.
pub struct WebhooksDeps {
    /// Keeps endpoints, messages, deliveries and the log.
    pub store: Store,
    /// Seals the signing secrets.
    pub sealer: Sealer,
    /// Which addresses may be sent to.
    pub guard: OutboundGuard,
    /// The time.
    pub clock: SharedClock,
    /// How messages are accepted and sent.
    pub options: WebhookOptions,
}

/// A new endpoint with its secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What the receiver verifies with.
    pub secret: SigningSecret,
}

pub(crate) struct Shared {
    pub store: Store,
    pub sealer: Sealer,
    pub transport: Arc<dyn Transport>,
    pub guard: OutboundGuard,
    pub clock: SharedClock,
    pub options: WebhookOptions,
    /// Told when something was accepted, perhaps not yet committed.
    pub accepted: Notify,
    pub gatherer: Gatherer,
}

impl Webhooks {
    /// Makes the handle over the real network, watched by the guard. Fails where the system's trusted
    /// certificates cannot be read.
    pub fn new(deps: WebhooksDeps) -> Result<Self, WebhookError> {
        let network =
            HttpOptions { idle_per_host: deps.options.endpoint_concurrency, ..HttpOptions::default() };
        let transport = HttpTransport::new(deps.guard.clone(), network)
            .map_err(|error| WebhookError::Network(error.to_string()))?;
        Ok(Self::over(Arc::new(transport), deps))
    }

    /// Makes the handle over another network, as simulations have it.
    pub fn over(transport: Arc<dyn Transport>, deps: WebhooksDeps) -> Self {
        let WebhooksDeps { store, sealer, guard, clock, options } = deps;
        let (accepted, gatherer) = (Notify::new(), Gatherer::default());
        Self(Arc::new(Shared { store, sealer, transport, guard, clock, options, accepted, gatherer }))
    }

    /// Returns the migrations of the tables used here.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Starts sending what is due. Any number of processes may do so over one store.
    pub fn start(&self) -> Running {
        Running::start(Arc::clone(&self.0))
    }

    /// Looks for due deliveries soon, as after a transaction that accepted some was committed.
    pub fn wake(&self) {
        self.0.accepted.notify_one();
    }

    // --- endpoints ---

    /// Registers an endpoint and makes its secret. Fails where a field is malformed, the outbound rules
    /// refuse the address, or the partner has as many as it may have.
    pub async fn register(&self, new: NewEndpoint) -> Result<Registered, WebhookError> {
        new.check().map_err(WebhookError::Endpoint)?;
        let url = Url::parse(&new.url).map_err(|error| WebhookError::Address(error.to_string()))?;
        self.0.guard.check_url(&url).map_err(|refused| WebhookError::Address(refused.to_string()))?;
        let (id, now) = (new_id(), self.now());
        let (secret, pair) = (SigningSecret::generate(), SigningPair::generate());
        let public_key = pair.public_key().to_string();
        let mut tx = self.begin().await?;
        let sealed = endpoints::seal(&self.0.sealer, id, &SecretRing::new(secret.clone(), pair));
        endpoints::insert(
            &mut tx,
            id,
            &new,
            Secrets { sealed, public_key },
            self.0.options.max_endpoints,
            now,
        )
        .await?;
        tx.commit().await.map_err(at("saving the endpoint"))?;
        let endpoint = endpoints::get(&self.0.store, &new.partner, id, now).await?;
        Ok(Registered { endpoint, secret })
    }

    /// Returns the partner's endpoints, the oldest first.
    pub async fn endpoints(&self, partner: &str) -> Result<Vec<Endpoint>, WebhookError> {
        endpoints::list(&self.0.store, partner, self.now()).await
    }

    /// Returns every partner's endpoints, by partner, the oldest first.
    pub async fn all_endpoints(&self) -> Result<Vec<Endpoint>, WebhookError> {
        endpoints::list_all(&self.0.store, self.now()).await
    }

    /// Returns one endpoint. Fails where the partner has no such endpoint.
    pub async fn endpoint(&self, partner: &str, id: Id) -> Result<Endpoint, WebhookError> {
        endpoints::get(&self.0.store, partner, id, self.now()).await
    }

    /// Deletes an endpoint and cancels what was to be sent to it. Its log stays.
    pub async fn delete(&self, partner: &str, id: Id) -> Result<(), WebhookError> {
        let mut tx = self.begin().await?;
        endpoints::delete(&mut tx, partner, id).await?;
        tx.commit().await.map_err(at("deleting the endpoint"))
    }

    /// Disables an endpoint by hand; what is pending is held back.
    pub async fn disable(&self, partner: &str, id: Id) -> Result<(), WebhookError> {
        self.endpoint(partner, id).await?;
        let mut tx = self.begin().await?;
        endpoints::disable(&mut tx, id, DisabledReason::ByHand, self.now()).await?;
        tx.commit().await.map_err(at("disabling the endpoint"))
    }

    /// Enables an endpoint again; what was held back is due at once.
    pub async fn enable(&self, partner: &str, id: Id) -> Result<(), WebhookError> {
        self.endpoint(partner, id).await?;
        let mut tx = self.begin().await?;
        endpoints::enable(&mut tx, id, self.now()).await?;
        tx.commit().await.map_err(at("enabling the endpoint"))?;
        self.wake();
        Ok(())
    }

    /// Makes a new secret, shown this once, and a new key pair, whose public key the endpoint shows. Those before
    /// sign along for the overlap.
    pub async fn rotate_secret(&self, partner: &str, id: Id) -> Result<SigningSecret, WebhookError> {
        self.endpoint(partner, id).await?;
        let (secret, pair) = (SigningSecret::generate(), SigningPair::generate());
        let mut tx = self.begin().await?;
        let (sealer, overlap) = (&self.0.sealer, self.0.options.secret_overlap);
        endpoints::rotate(&mut tx, sealer, id, (&secret, &pair), overlap, self.now()).await?;
        tx.commit().await.map_err(at("saving the endpoint's secrets"))?;
        Ok(secret)
    }

    /// Seals with the first sealing key what stands in clear or under an older key; returns how many endpoints.
    /// To be called once before sending begins.
    pub async fn reseal(&self) -> Result<u64, WebhookError> {
        self.0.sealer.reseal(&self.0.store, &endpoints::SECRETS).await.map_err(WebhookError::Seal)
    }

    // --- messages ---

    /// Accepts a message within the caller's transaction: once that is committed, it is sent to every
    /// endpoint of the partner that wants the event, at least once, with the same id each time.
    /// Returns to how many; zero where the partner has none or the id was accepted before.
    ///
    /// Messages of one key keep their order where they are accepted in order, one transaction after
    /// the other.
    pub async fn enqueue(
        &self,
        tx: &mut Transaction,
        cx: &Cx,
        message: &WebhookMessage,
    ) -> Result<usize, WebhookError> {
        self.enqueue_all(tx, cx, std::slice::from_ref(message)).await
    }

    /// Accepts many messages as [`Webhooks::enqueue`] does one, in as few statements. A malformed one
    /// fails all.
    pub async fn enqueue_all(
        &self,
        tx: &mut Transaction,
        cx: &Cx,
        messages: &[WebhookMessage],
    ) -> Result<usize, WebhookError> {
        let trace = cx.trace();
        let checked = messages.iter().map(|message| self.checked(trace, message));
        let count = gather::store(&self.0, tx, &checked.collect::<Result<Vec<_>, _>>()?).await?;
        if count > 0 {
            self.wake();
        }
        Ok(count)
    }

    /// Accepts a message durably in a transaction of our own, which callers at the same time share. Fails
    /// where the message is malformed or the commit failed; then nothing was accepted, but for a commit whose
    /// outcome is unknown. Accepting the same id again is harmless.
    pub async fn accept(&self, cx: &Cx, message: &WebhookMessage) -> Result<(), WebhookError> {
        gather::accept(&self.0, self.checked(cx.trace(), message)?).await
    }

    /// Returns the partners that have an active endpoint which wants `event`, so that a fact is accepted
    /// for nobody else.
    pub async fn subscribers(&self, tx: &mut Transaction, event: &str) -> Result<Vec<String>, WebhookError> {
        endpoints::subscribers(tx, event).await
    }

    /// Makes a delivery due now with its whole schedule: the same message, the same id.
    pub async fn resend(&self, partner: &str, delivery: Id) -> Result<Delivery, WebhookError> {
        let delivery = deliveries::resend(&self.0.store, partner, delivery, self.now()).await?;
        self.wake();
        Ok(delivery)
    }

    /// Makes everything due again that the endpoint did not get since `since`; returns how many.
    pub async fn resend_since(
        &self,
        partner: &str,
        endpoint: Id,
        since: Timestamp,
    ) -> Result<u64, WebhookError> {
        self.replay(partner, endpoint, Replay { since, until: None, delivered: false }).await
    }

    /// Makes messages of a span due again, under the same ids and in the same order; returns how many. Fails
    /// where the partner has no such endpoint or it is disabled.
    pub async fn replay(&self, partner: &str, endpoint: Id, replay: Replay) -> Result<u64, WebhookError> {
        let mut tx = self.begin().await?;
        let count = deliveries::replay(&mut tx, partner, endpoint, replay, self.now()).await?;
        tx.commit().await.map_err(at("making messages due again"))?;
        self.wake();
        Ok(count)
    }

    /// Sends the endpoint a trial message ([`TEST_EVENT`]), whatever it subscribes to. Fails where the partner has
    /// no such endpoint or it is disabled.
    pub async fn send_test(&self, cx: &Cx, partner: &str, endpoint: Id) -> Result<Delivery, WebhookError> {
        let message = WebhookMessage {
            id: new_id().to_string(),
            event: TEST_EVENT.to_owned(),
            timestamp: self.now(),
            data: serde_json::json!({"webhookId": endpoint.to_string()}),
            key: None,
            partner: partner.to_owned(),
        };
        let accepted = self.checked(cx.trace(), &message)?;
        let mut tx = self.begin().await?;
        deliveries::accept_for(&mut tx, endpoint, &accepted, self.now()).await?;
        tx.commit().await.map_err(at("accepting a trial message"))?;
        self.wake();
        let sent = log::of_message(&self.0.store, &message.id).await?.pop();
        sent.ok_or(WebhookError::NoEndpoint(endpoint))
    }

    /// Removes what is over: delivered, failed and cancelled messages with their deliveries and attempts. What
    /// is still to be sent stays, however old it is.
    pub async fn purge(&self, retention: &Retention) -> Result<Purged, WebhookError> {
        retention::purge(&self.0.store, retention, self.now()).await
    }

    // --- log ---

    /// Returns the partner's deliveries, the newest first.
    pub async fn deliveries(
        &self,
        partner: &str,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, WebhookError> {
        self.search(partner, &DeliverySearch { filter: filter.clone(), ..DeliverySearch::default() }).await
    }

    /// Returns those of the partner's deliveries that are looked for, the newest first.
    pub async fn search(
        &self,
        partner: &str,
        search: &DeliverySearch,
    ) -> Result<Vec<Delivery>, WebhookError> {
        log::list(&self.0.store, partner, search).await
    }

    /// Returns a delivery whoever's it is, for people who run the platform. Fails where there is none.
    pub async fn find_delivery(&self, delivery: Id) -> Result<Delivery, WebhookError> {
        log::find(&self.0.store, delivery).await
    }

    /// Returns one of the partner's deliveries with the body that is sent. Fails where there is none.
    pub async fn sent(&self, partner: &str, delivery: Id) -> Result<Sent, WebhookError> {
        log::sent(&self.0.store, partner, delivery).await
    }

    /// Returns the attempts of a delivery, the first first.
    pub async fn attempts(&self, partner: &str, delivery: Id) -> Result<Vec<Attempt>, WebhookError> {
        log::attempts(&self.0.store, partner, delivery).await
    }

    /// Returns every delivery of a message id, over all partners: one stage of "where is event X?".
    pub async fn locate(&self, message_id: &str) -> Result<Vec<Delivery>, WebhookError> {
        log::of_message(&self.0.store, message_id).await
    }

    /// Checks a message and makes its body.
    fn checked(&self, trace: TraceContext, message: &WebhookMessage) -> Result<Accepted, WebhookError> {
        let body = message.to_body(self.0.options.max_body).map_err(WebhookError::Message)?;
        Ok(Accepted {
            partner: message.partner.clone(),
            id: message.id.clone(),
            event: message.event.clone(),
            key: message.key.clone(),
            body,
            trace,
        })
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn begin(&self) -> Result<Transaction, WebhookError> {
        self.0.store.begin().await.map_err(at("beginning a transaction"))
    }
}
