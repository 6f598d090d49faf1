//! A store of some backend, a clock turned by hand, webhooks and a receiver, for one test.

use std::time::Duration;

use ieum_client::{OutboundGuard, OutboundPolicy};
use ieum_core::{Cx, Id, ManualClock, SharedClock, Timestamp};
use ieum_store::{Sealer, Store, StoreOptions, Synchronous, migrate};
use ieum_testkit::backend::SqlStore;
use ieum_webhook::{
    Delivery, DeliveryFilter, DeliveryState, NewEndpoint, Registered, WebhookMessage, WebhookOptions,
    Webhooks, WebhooksDeps,
};
use serde_json::json;

use crate::receiver::Receiver;

/// Where the clock starts.
pub const START: Timestamp = Timestamp::from_seconds(1_780_000_000);

pub struct Stage {
    pub url: String,
    pub store: Store,
    pub clock: ManualClock,
    pub sealer: Sealer,
    pub webhooks: Webhooks,
    pub receiver: Receiver,
    _kept: Option<SqlStore>,
}

impl Stage {
    /// Begins over a SQLite file of its own.
    pub async fn sqlite() -> Self {
        let store = SqlStore::sqlite();
        let stage = Self::over(&store.url).await;
        Self { _kept: Some(store), ..stage }
    }

    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        migrate(&store, &Webhooks::migrations(), |_| {}).await.expect("makes the tables");
        let clock = ManualClock::at(START);
        let sealer = Sealer::with_random_key();
        let webhooks = webhooks(&store, &sealer, clock.shared(), WebhookOptions::default());
        let (url, receiver) = (url.to_owned(), Receiver::start().await);
        Self { url, store, clock, sealer, webhooks, receiver, _kept: None }
    }

    /// Returns another process's webhooks over the same store.
    pub fn again(&self, options: WebhookOptions) -> Webhooks {
        webhooks(&self.store, &self.sealer, self.clock.shared(), options)
    }

    pub fn wish(&self) -> NewEndpoint {
        NewEndpoint {
            partner: "seoul".into(),
            url: self.receiver.url.clone(),
            events: vec!["event.*".into()],
            ordered: false,
            filters: Vec::new(),
        }
    }

    pub async fn register(&self) -> Registered {
        self.webhooks.register(self.wish()).await.expect("registers")
    }

    pub async fn register_ordered(&self) -> Registered {
        let wish = NewEndpoint { ordered: true, ..self.wish() };
        self.webhooks.register(wish).await.expect("registers")
    }

    /// Accepts one message in a transaction of its own; returns to how many endpoints it goes.
    pub async fn enqueue(&self, id: &str, key: &str) -> usize {
        self.enqueue_as(&Cx::root(), message(id, key)).await
    }

    pub async fn enqueue_as(&self, cx: &Cx, message: WebhookMessage) -> usize {
        let mut tx = self.store.begin().await.expect("begins");
        let count = self.webhooks.enqueue(&mut tx, cx, &message).await.expect("is accepted");
        tx.commit().await.expect("commits");
        self.webhooks.wake();
        count
    }

    /// Turns the clock on and has due deliveries looked for.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
        self.webhooks.wake();
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        let filter = DeliveryFilter { limit: 500, ..DeliveryFilter::default() };
        let mut all = self.webhooks.deliveries("seoul", &filter).await.expect("lists");
        all.reverse();
        all
    }

    pub async fn only_delivery(&self) -> Delivery {
        let mut all = self.deliveries().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Waits until the delivery of message `id` was tried so often and written back in `state`.
    pub async fn wait_for(&self, id: &str, state: DeliveryState, tries: u32) -> Delivery {
        ieum_testkit::wait::until_some(
            &format!("message {id} is {state:?} after {tries} attempts"),
            Duration::from_secs(120),
            || async {
                let all = self.deliveries().await;
                all.into_iter().find(|one| one.message_id == id && one.state == state && one.tries >= tries)
            },
        )
        .await
        .expect("gets there")
    }

    pub async fn wait_until_all(&self, state: DeliveryState) {
        ieum_testkit::wait::until(&format!("all are {state:?}"), Duration::from_secs(180), || async {
            self.deliveries().await.iter().all(|one| one.state == state)
        })
        .await
        .expect("gets there");
    }

    pub async fn endpoint_state(&self, id: Id) -> ieum_webhook::EndpointState {
        self.webhooks.endpoint("seoul", id).await.expect("is there").state
    }
}

pub fn message(id: &str, key: &str) -> WebhookMessage {
    WebhookMessage {
        id: id.into(),
        event: "event.data.updated".into(),
        timestamp: START,
        data: json!({"eventId": key, "metrics": {"currentAttendees": 7}}),
        key: Some(key.into()),
        partner: "seoul".into(),
    }
}

pub fn loopback_guard() -> OutboundGuard {
    OutboundGuard::new(&OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] })
}

pub fn webhooks(store: &Store, sealer: &Sealer, clock: SharedClock, options: WebhookOptions) -> Webhooks {
    Webhooks::new(WebhooksDeps {
        store: store.clone(),
        sealer: sealer.clone(),
        guard: loopback_guard(),
        clock,
        options,
    })
    .expect("has a network")
}
