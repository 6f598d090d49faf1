//! The webhooks as commands see them: in the store, sent by the platform that runs.

use std::error::Error;

use ieum_client::OutboundGuard;
use ieum_webhook::{WebhookError, WebhookOptions, Webhooks, WebhooksDeps};

use crate::platform::Platform;

/// Opens the webhooks in the store, for commands. What is made due here, the running platform sends.
pub fn stored_webhooks(platform: &Platform) -> Result<Webhooks, WebhookError> {
    Webhooks::new(WebhooksDeps {
        store: platform.store.clone(),
        sealer: platform.sealer.clone(),
        guard: OutboundGuard::new(&platform.outbound),
        clock: platform.clock.clone(),
        options: WebhookOptions::default(),
    })
}

/// Returns where an event is on its way to partners, as rows of stage, time and detail.
pub async fn webhook_sightings(
    platform: &Platform,
    event_id: &str,
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let webhooks = stored_webhooks(platform)?;
    let deliveries = webhooks.locate(event_id).await?;
    let row = |delivery: &ieum_webhook::Delivery| {
        let status = delivery.last_status.map(|status| format!(", last answer {status}")).unwrap_or_default();
        let detail = format!(
            "to {} of {}, {} after {} tries{status}",
            delivery.endpoint_id,
            delivery.partner,
            delivery.state.name(),
            delivery.tries
        );
        vec!["webhook".to_owned(), delivery.finished_at.unwrap_or(delivery.created_at).to_string(), detail]
    };
    Ok(deliveries.iter().map(row).collect())
}
