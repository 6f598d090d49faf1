//! Listens to wishes for notifications on the bus: accepting is one transaction with the mark that it was heard.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_contracts::notify::{NOTIFICATION_REQUESTED, SendNotification};
use ieum_core::{Cx, Fault};
use ieum_store::Transaction;

use crate::service::Service;

/// Accepts what the topic `notification-requests` brings.
pub struct Requests(pub Arc<Service>);

#[async_trait]
impl Consumer for Requests {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != NOTIFICATION_REQUESTED {
            return Ok(());
        }
        let wish: SendNotification = serde_json::from_value(event.data.clone()).map_err(|error| {
            Fault::invalid_argument("notify.invalid", format!("reading a wish for a notification: {error}"))
        })?;
        self.0.accept(tx, &wish).await?;
        // Before the commit: whoever looks too early looks again within a second.
        self.0.accepted(&wish.recipient_id);
        Ok(())
    }
}
