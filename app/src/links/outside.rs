//! The health of services of somebody else's: what their breakers say. Nobody calls them to find out.

use ieum_core::Fault;
use ieum_policy::{BreakerState, PolicyHandle};
use ieum_telemetry::HealthCheck;

/// Looks after a service by its breaker.
pub struct OutsideCheck(pub PolicyHandle);

#[async_trait::async_trait]
impl HealthCheck for OutsideCheck {
    async fn check(&self) -> Result<(), Fault> {
        let why = match self.0.breaker() {
            Some(BreakerState::Open { cause, .. }) => format!("its breaker is open: {cause}"),
            Some(BreakerState::HeldOpen { reason }) => format!("its breaker is held open: {reason}"),
            _ => return Ok(()),
        };
        Err(Fault::unavailable("link.breaker_open", why))
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::system_clock;
    use ieum_policy::{PolicyConfig, PolicyStack};

    use super::*;

    #[tokio::test]
    async fn a_service_whose_breaker_is_open_is_not_well() {
        let stack = PolicyStack::new("weather", &PolicyConfig::default(), system_clock());
        let check = OutsideCheck(stack.handle());
        check.check().await.expect("nothing failed yet");
        assert!(stack.handle().hold_open("an exercise"));
        let fault = check.check().await.expect_err("it is held open");
        assert_eq!(fault.message, "its breaker is held open: an exercise");
    }
}
