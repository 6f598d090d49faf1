//! What a running platform does for itself: looks at what it stands on, measures how far the bus is behind, lets go of
//! what is old.

use std::time::Duration;

use ieum_bus::Retention;
use ieum_telemetry::Health;
use ieum_webhook::Webhooks;

use crate::platform::Platform;

/// How often the bus's lag is measured for `/metrics`, and what the process stands on looked at: health tells since when
/// something is missing, which is not since when somebody asks.
const MEASURE: Duration = Duration::from_secs(10);
/// How many measurements lie between two purges: an hour.
const PURGE_EVERY: u32 = 360;

/// Runs until it is aborted.
pub async fn run(platform: Platform, health: Health, webhooks: Option<Webhooks>) {
    for round in 1_u32.. {
        health.report().await;
        platform.clock.sleep(MEASURE).await;
        if let Err(error) = platform.bus.lag().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "measuring the bus's lag failed");
        }
        if round.is_multiple_of(PURGE_EVERY) {
            purge(&platform, webhooks.as_ref()).await;
        }
    }
}

/// Lets go of what is old. What fails is tried again in an hour.
async fn purge(platform: &Platform, webhooks: Option<&Webhooks>) {
    if let Err(error) = platform.bus.purge(&Retention::default()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "purging the bus failed");
    }
    let Some(webhooks) = webhooks else { return };
    match webhooks.purge(&platform.settings.webhooks).await {
        Ok(purged) => {
            tracing::debug!(messages = purged.messages, deliveries = purged.deliveries, "webhooks purged");
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "purging the webhooks failed");
        }
    }
}
