//! What each part is given of the platform, and the links between parts.

use std::error::Error;
use std::sync::Arc;

use ieum_analytics::{AnalyticsDeps, AnalyticsOptions, AnalyticsPart};
use ieum_client::OutboundGuard;
use ieum_contracts::analytics::{INSIGHTS_CONTRACT, Insights, InsightsClient};
use ieum_contracts::payment::ChargesClient;
use ieum_contracts::platform::{PlatformLinksRoutes, PlatformProcessRoutes, PlatformWatchRoutes};
use ieum_events::{EventsDeps, EventsOptions, EventsPart, Visitors};
use ieum_gateway::{Gateway, GatewayOptions, Keys, KeysOptions, Rate};
use ieum_identity::{IdentityDeps, IdentityPart};
use ieum_link::{Link, Routes};
use ieum_partners::{PartnersDeps, PartnersPart};
use ieum_payment::{PaymentDeps, PaymentPart};
use ieum_saga::SagaOptions;
use ieum_webhook::WebhookOptions;

use crate::config::{LinkCallers, Settings};
use crate::front;
use crate::home::Home;
use crate::links::{self, LinkBoard, LinkError, Links, Steering, Watching};
use crate::platform::Platform;

fn gateway_options(settings: &Settings) -> GatewayOptions {
    GatewayOptions {
        public: Rate::per_minute(settings.gateway.public_per_minute),
        partner: Rate::per_minute(settings.gateway.partner_per_minute),
        premium: Rate::per_minute(settings.gateway.premium_per_minute),
        wrong_keys: Rate::per_minute(settings.gateway.wrong_keys_per_minute),
        max_body: settings.server.most_body,
        origins: settings.gateway.origins.clone(),
        // Where no trace is exported nobody sees a span.
        spans: settings.telemetry.otlp.is_some(),
        ..GatewayOptions::default()
    }
}

/// Makes the front door of a process without partners.
pub(super) fn gateway(platform: &Platform) -> Result<Gateway, Box<dyn Error>> {
    let plans = platform.settings.gateway.plans.clone();
    let (store, clock) = (platform.store.clone(), platform.clock.clone());
    let keys = Keys::with_plans(store, clock, KeysOptions::default(), plans)?;
    let options = gateway_options(&platform.settings);
    let tokens = front::tokens(platform)?;
    Ok(Gateway::with_tokens(keys, tokens, platform.cache.clone(), platform.clock.clone(), options)?)
}

/// Wires the hub.
pub(super) fn events_part(platform: &Platform) -> EventsPart {
    EventsPart::new(EventsDeps {
        store: platform.store.clone(),
        sealer: platform.sealer.clone(),
        bus: platform.bus.clone(),
        cache: platform.cache.clone(),
        series: platform.series.clone(),
        clock: platform.clock.clone(),
        outbound: platform.outbound.clone(),
        options: EventsOptions {
            visitors: visitors(platform.settings.gateway.hub),
            ..EventsOptions::default()
        },
    })
}

/// Returns who may see the hub without a key.
pub(super) fn visitors(hub: LinkCallers) -> Visitors {
    match hub {
        LinkCallers::Loopback => Visitors::Loopback,
        LinkCallers::Anyone => Visitors::Anyone,
        LinkCallers::Nobody => Visitors::Nobody,
    }
}

/// Returns the links of this process over what `routes` answer here.
pub(crate) fn links_over(
    platform: &Platform,
    routes: &Routes,
    board: &LinkBoard,
) -> Result<Links, Box<dyn Error>> {
    let (bus, clock) = (platform.bus.clone(), platform.clock.clone());
    let identity = links::identity(&platform.settings)?;
    Ok(Links::new(platform.settings.clone(), routes.clone(), bus, clock, board.clone(), identity))
}

/// Returns the way to analytics. Where nobody answers it the dashboard does without.
pub(super) fn insights(
    platform: &Platform,
    routes: &Routes,
    board: &LinkBoard,
) -> Result<Option<Arc<dyn Insights>>, Box<dyn Error>> {
    match links_over(platform, routes, board)?.link(&INSIGHTS_CONTRACT) {
        Ok(link) => Ok(Some(Arc::new(InsightsClient::new(link)))),
        Err(LinkError::Nobody { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Wires the ledger of charges.
pub(super) fn payment_part(platform: &Platform) -> PaymentPart {
    PaymentPart::new(PaymentDeps { store: platform.store.clone(), clock: platform.clock.clone() })
}

/// Wires people and their devices.
pub(super) fn identity_part(platform: &Platform, charges: Link) -> IdentityPart {
    IdentityPart::new(IdentityDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        clock: platform.clock.clone(),
        charges: Arc::new(ChargesClient::new(charges)),
        sagas: SagaOptions::default(),
    })
}

/// Returns the routes of what every process answers about itself.
pub(super) fn own_routes(platform: &Platform, board: &LinkBoard, parts: &[&str]) -> Routes {
    let (clock, stop) = (platform.clock.clone(), platform.stop.clone());
    let watching = Watching { board: board.clone(), clock, stop };
    let steering = PlatformLinksRoutes::of(Arc::new(Steering(board.clone())));
    let home = Home::new(platform.settings.clone(), parts);
    let steering = steering.merge(PlatformProcessRoutes::of(Arc::new(home)));
    steering.merge(PlatformWatchRoutes::of(Arc::new(watching)))
}

/// Wires the insights.
pub(super) fn analytics_part(
    platform: &Platform,
    hub: Link,
    visits: Link,
) -> Result<AnalyticsPart, Box<dyn Error>> {
    Ok(AnalyticsPart::new(AnalyticsDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        events: hub,
        visits,
        engine: platform.engine.clone(),
        clock: platform.clock.clone(),
        options: AnalyticsOptions {
            privacy: platform.settings.privacy.clone(),
            ..AnalyticsOptions::default()
        },
    })?)
}

/// Wires keys, webhooks and the door that partners use.
pub(super) fn partners_part(platform: &Platform, hub: Link) -> Result<PartnersPart, Box<dyn Error>> {
    let plans = platform.settings.gateway.plans.clone();
    let deps = PartnersDeps {
        store: platform.store.clone(),
        sealer: platform.sealer.clone(),
        cache: platform.cache.clone(),
        bus: platform.bus.clone(),
        events: hub,
        clock: platform.clock.clone(),
        guard: OutboundGuard::new(&platform.outbound),
        keys: KeysOptions::default(),
        gateway: gateway_options(&platform.settings),
        tokens: front::tokens(platform)?,
        webhooks: WebhookOptions::default(),
    };
    Ok(PartnersPart::with_plans(deps, plans)?)
}
