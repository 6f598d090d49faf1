//! Health of what is outside, by the watch that is kept of it.

use async_trait::async_trait;
use ieum_core::{Fault, Timestamp, Watch};
use ieum_telemetry::HealthCheck;

/// Tells whether what is watched is reached.
pub struct WatchCheck {
    /// What a fault names as the part.
    pub part: &'static str,
    /// How it fares.
    pub watch: Watch,
}

#[async_trait]
impl HealthCheck for WatchCheck {
    async fn check(&self) -> Result<(), Fault> {
        match self.watch.problem() {
            Some(problem) => Err(Fault::unavailable(self.part, problem)),
            None => Ok(()),
        }
    }

    fn since(&self) -> Option<Timestamp> {
        self.watch.since()
    }
}
