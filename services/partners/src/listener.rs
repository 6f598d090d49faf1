//! Listens to changes of events and tells the partners who may see them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_gateway::{KeyError, KeyRecord, Keys};
use ieum_store::Transaction;
use ieum_webhook::{WebhookMessage, Webhooks};
use parking_lot::RwLock;

use crate::rules;

/// The bus group of this service.
pub const GROUP: &str = "partners";
/// The webhook event that tells of a change.
pub const EVENT_DATA_UPDATED: &str = "event.data.updated";

/// How long a key may be unknown here before it is looked for again.
const SOON: Duration = Duration::from_secs(1);

/// The keys as last read, for deciding who is told without a query per event.
///
/// It is read outside the consumer's transaction: on a store with one connection a query of its own would
/// wait for that transaction for ever.
#[derive(Clone, Default)]
pub(crate) struct Audience(Arc<RwLock<HashMap<String, Known>>>);

/// A key, and whether it sees more than totals.
struct Known {
    key: KeyRecord,
    details: bool,
}

/// Puts a webhook message per partner into the transaction that marks the event as handled.
pub(crate) struct Listener {
    pub audience: Audience,
    pub webhooks: Webhooks,
    pub clock: SharedClock,
}

// === Audience ===

impl Audience {
    /// Reads the keys anew.
    pub async fn refresh(&self, keys: &Keys) -> Result<(), KeyError> {
        let records = keys.list().await?;
        let known = records.into_iter().map(|key| {
            let details = rules::sees_details(&keys.scopes_of(&key));
            (key.id.clone(), Known { key, details })
        });
        *self.0.write() = known.collect();
        Ok(())
    }

    /// Returns those of `partners` who are told about the event, and whether of more than totals.
    /// Fails with `partners.key.unread` where a key was made so lately that it is not known here.
    fn told(
        &self,
        partners: Vec<String>,
        event_id: &str,
        clock: &SharedClock,
    ) -> Result<Vec<(String, bool)>, Fault> {
        let (known, now) = (self.0.read(), clock.now());
        let mut told = Vec::new();
        for partner in partners {
            let Some(Known { key, details }) = known.get(&partner) else {
                let message = format!("key {partner} has webhooks and was not read yet");
                return Err(Fault::unavailable("partners.key.unread", message).with_retry_after(SOON));
            };
            if rules::is_told(key, event_id, now) {
                told.push((partner, *details));
            }
        }
        Ok(told)
    }
}

// === Listener ===

#[async_trait]
impl Consumer for Listener {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        let subscribers = self.webhooks.subscribers(tx, EVENT_DATA_UPDATED).await?;
        let told = self.audience.told(subscribers, &event.key, &self.clock)?;
        let totals = rules::totals_of(&event.data);
        let messages: Vec<WebhookMessage> = told
            .into_iter()
            .map(|(partner, details)| WebhookMessage {
                id: event.id.clone(),
                event: EVENT_DATA_UPDATED.to_owned(),
                timestamp: event.time,
                data: if details { event.data.clone() } else { totals.clone() },
                key: Some(event.key.clone()),
                partner,
            })
            .collect();
        if !messages.is_empty() {
            self.webhooks.enqueue_all(tx, cx, &messages).await?;
        }
        Ok(())
    }
}
