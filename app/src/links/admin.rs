//! Answers `platform.links`: shows the links of this process and lets a person steer their breakers.

use async_trait::async_trait;
use ieum_contracts::platform::{LinkList, LinkOrder, LinkStatus, ListLinks, PlatformLinks, SteerLink};
use ieum_core::{Cx, Fault};

use super::LinkBoard;

/// The longest reason a person may give, in characters: it travels in every refused call.
const LONGEST_REASON: usize = 200;

/// The links of this process in a person's hand.
pub struct Steering(pub LinkBoard);

#[async_trait]
impl PlatformLinks for Steering {
    async fn list(&self, _: &Cx, _: ListLinks) -> Result<LinkList, Fault> {
        Ok(LinkList { links: self.0.all().iter().map(super::board::Entry::status).collect() })
    }

    async fn steer(&self, cx: &Cx, order: SteerLink) -> Result<LinkStatus, Fault> {
        let name = &order.name;
        let Some(link) = self.0.get(name) else {
            let known = self.0.names();
            let there = if known.is_empty() { "no link".to_owned() } else { known.join(", ") };
            let message = format!("steering the link {name:?}; this process has {there}");
            return Err(Fault::not_found("platform.link.unknown", message));
        };
        let reason = order.reason.trim();
        let needed = order.order != LinkOrder::Release;
        if needed && reason.is_empty() || reason.chars().count() > LONGEST_REASON {
            let message = format!("steering {name} needs a reason of 1 to {LONGEST_REASON} characters");
            return Err(Fault::invalid_argument("platform.link.no_reason", message));
        }
        let policies = &link.policies;
        let steered = match order.order {
            LinkOrder::Open => policies.hold_open(reason),
            LinkOrder::Close => policies.force_closed(reason),
            LinkOrder::Hold => policies.hold(reason),
            LinkOrder::Release => policies.release(),
        };
        if !steered {
            let message = format!("steering {name}, whose breaker is off");
            return Err(Fault::failed_precondition("platform.link.no_breaker", message));
        }
        let caller = cx.caller().map(ieum_core::Caller::name);
        tracing::info!(link = name, order = ?order.order, reason, caller, "link steered");
        Ok(link.status())
    }
}
