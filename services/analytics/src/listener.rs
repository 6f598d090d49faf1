//! Listens to changes of events and adds each to the history, in the transaction that marks it as handled.

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_contracts::events::NormalizedEventData;
use ieum_core::{Cx, Fault};
use ieum_store::Transaction;

use crate::history::{Seen, advance};
use crate::store::{AnalyticsStore, status_word};

/// The bus group of this service.
pub const GROUP: &str = "analytics";

/// Adds changes to the history.
pub(crate) struct Listener(pub AnalyticsStore);

#[async_trait]
impl Consumer for Listener {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        let data: NormalizedEventData = serde::Deserialize::deserialize(&event.data).map_err(|error| {
            let message = format!("reading event {} of {}: {error}", event.id, event.key);
            Fault::invalid_argument("analytics.event.malformed", message)
        })?;
        self.0.take(tx, &data).await
    }
}

impl AnalyticsStore {
    /// Adds a state to the history; one that is no later than the last changes nothing.
    pub(crate) async fn take(&self, tx: &mut Transaction, data: &NormalizedEventData) -> Result<(), Fault> {
        let before = self.lock(tx, &data.event_id).await?;
        let seen = Seen::from(data);
        let Some(change) = advance(before.seen.as_ref(), &seen) else { return Ok(()) };
        let zone = self.zone(&before.profile);
        self.add(tx, &data.event_id, &zone, &change).await?;
        self.note_seen(tx, &before, &data.event_name, status_word(data), &seen).await
    }
}
