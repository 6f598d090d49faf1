//! What a running platform does for itself: measures how far the bus is behind, lets go of what is old.

use std::time::Duration;

use ieum_bus::{Bus, Retention};
use ieum_core::SharedClock;

/// How often the bus's lag is measured for `/metrics`.
const MEASURE: Duration = Duration::from_secs(10);
/// How many measurements lie between two purges: an hour.
const PURGE_EVERY: u32 = 360;

/// Runs until it is aborted.
pub async fn run(bus: Bus, clock: SharedClock) {
    for round in 1_u32.. {
        clock.sleep(MEASURE).await;
        if let Err(error) = bus.lag().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "measuring the bus's lag failed");
        }
        if round.is_multiple_of(PURGE_EVERY)
            && let Err(error) = bus.purge(&Retention::default()).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "purging the bus failed");
        }
    }
}
