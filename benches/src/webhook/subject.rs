//! Ieum's webhooks over one store, as a round drives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ieum_client::{OutboundGuard, OutboundPolicy};
use ieum_core::{Clock, Cx, Fault, SystemClock, new_id, system_clock};
use ieum_store::{Sealer, Store, StoreOptions, migrate};
use ieum_webhook::{NewEndpoint, SigningSecret, WebhookMessage, WebhookOptions, Webhooks, WebhooksDeps};

use super::receiver::Receiver;
use super::{CALLERS, ENDPOINTS, failed};
use crate::measure::{Cost, cost};
use crate::processes::tree_cpu;

/// A store with endpoints at the receiver.
pub struct Subject {
    pub name: &'static str,
    pub store: Store,
    pub targets: Vec<Target>,
    webhooks: Webhooks,
    /// The database server's process.
    process: Option<u32>,
}

/// Where the webhooks of one partner go.
#[derive(Clone)]
pub struct Target {
    pub url: String,
    pub secret: SigningSecret,
}

impl Subject {
    pub async fn open(
        name: &'static str,
        url: &str,
        process: Option<u32>,
        receiver: &mut Receiver,
    ) -> Result<Self, Fault> {
        let store = Store::open(url, &StoreOptions::default()).await;
        let store = store.map_err(|error| failed("opening the store", &error))?;
        let migrated = migrate(&store, &Webhooks::migrations(), |_| {}).await;
        migrated.map_err(|error| failed("migrating", &error))?;
        let network = "127.0.0.0/8".parse().map_err(|error| failed("reading a network", &error))?;
        let webhooks = Webhooks::new(WebhooksDeps {
            store: store.clone(),
            sealer: Sealer::with_random_key(),
            guard: OutboundGuard::new(&OutboundPolicy { allow: vec![network] }),
            clock: system_clock(),
            options: WebhookOptions::default(),
        })
        .map_err(|error| failed("preparing webhooks", &error))?;
        let mut targets = Vec::new();
        for number in 0..ENDPOINTS * 2 {
            let ordered = number >= ENDPOINTS;
            let url = receiver.next_url();
            let (partner, filters) = (format!("p{number}"), Vec::new());
            let wish = NewEndpoint { partner, url: url.clone(), events: Vec::new(), ordered, filters };
            let registered = webhooks.register(wish).await;
            let secret = registered.map_err(|error| failed("registering", &error))?.secret;
            receiver.know(&secret).await?;
            targets.push(Target { url, secret });
        }
        Ok(Self { name, store, targets, webhooks, process })
    }

    /// Accepts and delivers `count` webhooks; to the ordered endpoints with so many keys each where given.
    pub async fn run(
        &mut self,
        receiver: &mut Receiver,
        count: u64,
        keys: Option<u64>,
    ) -> Result<Cost, Fault> {
        let before = receiver.counts().await?.verified;
        let server = self.process.map(tree_cpu);
        let sending = self.webhooks.start();
        let refused = Arc::new(AtomicU64::new(0));
        let mut outcome = Ok(());
        let mut cost = cost(async {
            let callers = (0..CALLERS).map(|caller| {
                let (webhooks, refused) = (self.webhooks.clone(), Arc::clone(&refused));
                tokio::spawn(async move {
                    for number in 0..count / CALLERS {
                        let message = message(caller * count / CALLERS + number, keys);
                        if webhooks.accept(&Cx::root(), &message).await.is_err() {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                let _ = caller.await;
            }
            outcome = receiver.wait(before + count - refused.load(Ordering::Relaxed)).await;
            count
        })
        .await;
        let spent = self.process.map(tree_cpu).unwrap_or_default();
        cost.cpu += spent.saturating_sub(server.unwrap_or_default());
        sending.drain().await;
        outcome?;
        match refused.load(Ordering::Relaxed) {
            0 => Ok(cost),
            some => Err(failed("accepting", &format_args!("{some} webhooks were refused"))),
        }
    }
}

/// A message of about 400 bytes to one of the endpoints.
fn message(number: u64, keys: Option<u64>) -> WebhookMessage {
    let endpoint = number % ENDPOINTS as u64 + if keys.is_some() { ENDPOINTS as u64 } else { 0 };
    let key = number / ENDPOINTS as u64 % keys.unwrap_or(64);
    let data = serde_json::json!({
        "eventId": format!("event-{key}"),
        "eventName": "A day of talks",
        "metrics": { "totalRegistered": 1_200, "currentAttendees": number, "checkedIn": number },
        "note": "x".repeat(200),
    });
    WebhookMessage {
        id: new_id().to_string(),
        event: "event.data.updated".to_owned(),
        timestamp: SystemClock.now(),
        data,
        key: Some(format!("event-{key}")),
        partner: format!("p{endpoint}"),
    }
}
