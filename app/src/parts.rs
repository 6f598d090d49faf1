//! The parts of the platform in one table: what each answers, needs, keeps and runs.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use ieum_analytics::{AnalyticsDeps, AnalyticsOptions, AnalyticsPart};
use ieum_bus::Subscribed;
use ieum_client::OutboundGuard;
use ieum_contracts::analytics::{INSIGHTS_CONTRACT, Insights, InsightsClient};
use ieum_contracts::events::{
    EVENT_GATES_CONTRACT, EVENT_PROGRAMME_CONTRACT, EVENT_SERVICE_REGISTRY_CONTRACT, EVENT_STATE_CONTRACT,
    EVENT_VISITS_CONTRACT,
};
use ieum_contracts::identity::{DEVICES_CONTRACT, USERS_CONTRACT};
use ieum_contracts::notify::{NOTIFY_MESSAGES_CONTRACT, NOTIFY_RECIPIENTS_CONTRACT};
use ieum_contracts::partners::PARTNER_KEYS_CONTRACT;
use ieum_contracts::payment::{CHARGES_CONTRACT, ChargesClient};
use ieum_contracts::platform::{PlatformLinksRoutes, PlatformWatchRoutes};
use ieum_contracts::voice::{
    CONTEXT_ENGINE_CONTRACT, DIALOGUE_CONTRACT, PLUGIN_CONTRACT, UNDERSTANDING_CONTRACT,
};
use ieum_events::{EventsDeps, EventsOptions, EventsPart, Visitors, guard};
use ieum_gateway::{Gateway, GatewayOptions, Keys, KeysOptions, Rate};
use ieum_identity::{IdentityDeps, IdentityPart};
use ieum_link::{Contract, Link, Routes};
use ieum_notify::NotifyPart;
use ieum_partners::{PartnersDeps, PartnersPart};
use ieum_payment::{PaymentDeps, PaymentPart};
use ieum_saga::SagaOptions;
use ieum_store::Migration;
use ieum_telemetry::Gather;
use ieum_voice::{Trail, VoicePart};
use ieum_webhook::{WebhookError, WebhookOptions, Webhooks, WebhooksDeps};
use ieum_wires::bus::serve_notices;
use parking_lot::Mutex;

use crate::config::{LinkCallers, Settings};
use crate::device::{DeviceCheck, DevicePart, DeviceWatch};
use crate::front;
use crate::links::{self, LinkBoard, LinkError, Links, Steering, Watching};
use crate::notify;
use crate::platform::Platform;
use crate::voice::{self, Voice};

/// The consumer group of notices that arrive over the bus: whichever process takes one answers it.
const NOTICES: &str = "links";

/// Every part that can be named after `ieum up`.
const NAMES: [&str; 8] =
    ["events", "analytics", "partners", "notify", "identity", "payment", "device", "voice"];

/// The parts of this process.
pub struct Parts {
    events: Option<EventsPart>,
    /// The way to analytics, for the hub's dashboard.
    insights: Option<Arc<dyn Insights>>,
    analytics: Option<AnalyticsPart>,
    partners: Option<PartnersPart>,
    notify: Option<NotifyPart>,
    identity: Option<IdentityPart>,
    payment: Option<PaymentPart>,
    device: Option<DevicePart>,
    voice: Option<Voice>,
    gateway: Gateway,
    visitors: Visitors,
    routes: Routes,
    board: LinkBoard,
    notices: Mutex<Vec<Subscribed>>,
}

/// Says that a name is no part.
#[derive(Debug, thiserror::Error)]
#[error("no part is named {name:?}; there are {}", NAMES.join(", "))]
pub struct UnknownPart {
    name: String,
}

/// Returns the parts to run: those named, or all.
pub fn choose(names: &[String]) -> Result<Vec<&'static str>, UnknownPart> {
    if names.is_empty() {
        return Ok(NAMES.to_vec());
    }
    let find = |name: &String| {
        NAMES.into_iter().find(|known| known == name).ok_or_else(|| UnknownPart { name: name.clone() })
    };
    let mut chosen = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    // Who is spoken to must be connected.
    if chosen.contains(&"voice") && !chosen.contains(&"device") {
        chosen.push("device");
    }
    Ok(chosen)
}

/// Returns every contract that a part answers.
pub fn contracts() -> Vec<&'static Contract> {
    vec![
        &EVENT_SERVICE_REGISTRY_CONTRACT,
        &EVENT_STATE_CONTRACT,
        &EVENT_PROGRAMME_CONTRACT,
        &EVENT_GATES_CONTRACT,
        &EVENT_VISITS_CONTRACT,
        &INSIGHTS_CONTRACT,
        &PARTNER_KEYS_CONTRACT,
        &NOTIFY_MESSAGES_CONTRACT,
        &NOTIFY_RECIPIENTS_CONTRACT,
        &USERS_CONTRACT,
        &DEVICES_CONTRACT,
        &CHARGES_CONTRACT,
        &DIALOGUE_CONTRACT,
        &CONTEXT_ENGINE_CONTRACT,
        &UNDERSTANDING_CONTRACT,
        &PLUGIN_CONTRACT,
    ]
}

/// Returns the migrations of everything that keeps tables, in the order in which they are applied.
pub fn migrations() -> Vec<Migration> {
    let mut all = ieum_bus::migrations();
    all.extend(EventsPart::migrations());
    all.extend(PartnersPart::migrations());
    all.extend(AnalyticsPart::migrations());
    all.extend(NotifyPart::migrations());
    all.extend(ieum_saga::migrations());
    all.extend(IdentityPart::migrations());
    all.extend(PaymentPart::migrations());
    all.extend(ieum_device::migrations());
    all.extend(VoicePart::migrations());
    all
}

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

fn gateway_options(settings: &Settings) -> GatewayOptions {
    GatewayOptions {
        public: Rate::per_minute(settings.gateway.public_per_minute),
        partner: Rate::per_minute(settings.gateway.partner_per_minute),
        premium: Rate::per_minute(settings.gateway.premium_per_minute),
        wrong_keys: Rate::per_minute(settings.gateway.wrong_keys_per_minute),
        max_body: settings.server.most_body,
        // Where no trace is exported nobody sees a span.
        spans: settings.telemetry.otlp.is_some(),
        ..GatewayOptions::default()
    }
}

fn gateway(platform: &Platform) -> Result<Gateway, Box<dyn Error>> {
    let plans = platform.settings.gateway.plans.clone();
    let (store, clock) = (platform.store.clone(), platform.clock.clone());
    let keys = Keys::with_plans(store, clock, KeysOptions::default(), plans)?;
    let options = gateway_options(&platform.settings);
    let tokens = front::tokens(platform)?;
    Ok(Gateway::with_tokens(keys, tokens, platform.cache.clone(), platform.clock.clone(), options)?)
}

impl Parts {
    /// Wires the parts named. Nothing runs before [`Parts::start`].
    pub fn build(platform: &Platform, chosen: &[&'static str]) -> Result<Self, Box<dyn Error>> {
        let events = chosen.contains(&"events").then(|| events_part(platform));
        let board = LinkBoard::default();
        let mut routes = events.as_ref().map_or_else(Routes::empty, EventsPart::routes);
        // Several parts ask the hub, over one link with one breaker.
        let (mut hub, mut visits) = (None, None);
        if chosen.iter().any(|name| ["analytics", "partners"].contains(name)) {
            let links = links_over(platform, &routes, &board)?;
            hub = Some(links.link(&EVENT_STATE_CONTRACT)?);
            if chosen.contains(&"analytics") {
                visits = Some(links.link(&EVENT_VISITS_CONTRACT)?);
            }
        }
        let mut analytics = None;
        if let (Some(hub), Some(visits)) = (hub.clone(), visits) {
            let part = analytics_part(platform, hub, visits)?;
            routes = routes.merge(part.routes());
            analytics = Some(part);
        }
        let mut partners = None;
        if let Some(hub) = hub.filter(|_| chosen.contains(&"partners")) {
            let part = partners_part(platform, hub)?;
            routes = routes.merge(part.routes());
            partners = Some(part);
        }
        let notify = chosen.contains(&"notify").then(|| notify::part(platform)).transpose()?;
        if let Some(part) = &notify {
            routes = routes.merge(part.routes());
        }
        let payment = chosen.contains(&"payment").then(|| payment_part(platform));
        if let Some(part) = &payment {
            routes = routes.merge(part.routes());
        }
        let mut identity = None;
        if chosen.contains(&"identity") {
            let charges = links_over(platform, &routes, &board)?.link(&CHARGES_CONTRACT)?;
            let part = identity_part(platform, charges);
            routes = routes.merge(part.routes());
            identity = Some(part);
        }
        let insights = if events.is_some() { insights(platform, &routes, &board)? } else { None };
        let mut voice = None;
        if chosen.contains(&"voice") {
            let (part, answered) = voice::part(platform, &routes, &board)?;
            (voice, routes) = (Some(part), answered);
        }
        // The partners' front door frames the whole; a process without partners has one for the frame alone.
        let gateway = match &partners {
            Some(part) => part.gateway().clone(),
            None => gateway(platform)?,
        };
        let routes = routes.merge(own_routes(platform, &board));
        let visitors = visitors(platform.settings.gateway.hub);
        let notices = Mutex::default();
        Ok(Self {
            events,
            insights,
            analytics,
            partners,
            notify,
            identity,
            payment,
            device: chosen.contains(&"device").then(DevicePart::default),
            voice,
            gateway,
            visitors,
            routes,
            board,
            notices,
        })
    }

    /// Returns the names of the parts of this process.
    pub fn names(&self) -> Vec<&'static str> {
        let present = [
            self.events.is_some(),
            self.analytics.is_some(),
            self.partners.is_some(),
            self.notify.is_some(),
            self.identity.is_some(),
            self.payment.is_some(),
            self.device.is_some(),
            self.voice.is_some(),
        ];
        NAMES.into_iter().zip(present).filter(|(_, present)| *present).map(|(name, _)| name).collect()
    }

    /// Returns the webhooks sent from this process, if any.
    pub fn webhooks(&self) -> Option<Webhooks> {
        self.partners.as_ref().map(|partners| partners.webhooks().clone())
    }

    /// Returns who of the devices was seen lately, where they are listened to here.
    pub fn devices(&self, platform: &Platform) -> Option<DeviceWatch> {
        self.device.as_ref().map(|device| device.watch(platform))
    }

    /// Returns what tells whether devices are answered here, where they are listened to here.
    pub fn device_check(&self) -> Option<DeviceCheck> {
        self.device.as_ref().map(DevicePart::check)
    }

    /// Returns what was said and answered lately, where dialogues are led here.
    pub fn trail(&self) -> Option<Trail> {
        self.voice.as_ref().map(|voice| voice.part.trail())
    }

    /// Returns where devices are listened to, once that is so.
    pub fn device_address(&self) -> Option<SocketAddr> {
        self.device.as_ref().and_then(DevicePart::address)
    }

    /// Returns where Wyoming is spoken, once that is so.
    pub fn wyoming_address(&self) -> Option<SocketAddr> {
        self.voice.as_ref().and_then(|voice| voice.wyoming.address())
    }

    /// Returns the front door.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Returns the contracts answered here.
    pub fn routes(&self) -> Routes {
        self.routes.clone()
    }

    /// Returns what the hub tells of its sources, where it runs here.
    pub fn source_metrics(&self) -> Option<Arc<dyn Gather>> {
        self.events.as_ref().map(EventsPart::metrics)
    }

    /// Returns the links of this process.
    pub fn board(&self) -> LinkBoard {
        self.board.clone()
    }

    /// Returns the public HTTP routes of the parts.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        if let Some(events) = &self.events {
            router = router.merge(events.router(&self.gateway, self.insights.clone()));
        }
        if let Some(analytics) = &self.analytics {
            router = router.merge(self.behind_the_hubs_door(analytics.router()));
        }
        if let Some(partners) = &self.partners {
            router = router.merge(partners.router());
        }
        if let Some(notify) = &self.notify {
            router = router.merge(guard(&self.gateway, self.about_people(), notify.router()));
        }
        if let Some(identity) = &self.identity {
            router = router.merge(guard(&self.gateway, self.about_people(), identity.router()));
        }
        if let Some(voice) = &self.voice {
            router = router.merge(guard(&self.gateway, self.about_people(), voice.part.router()));
        }
        if let Some(device) = &self.device {
            // Who comes this way shows its credentials in the protocol itself.
            router = router.merge(device.router());
        }
        router
    }

    /// Puts the door of the hub's pages around `router`.
    pub fn behind_the_hubs_door(&self, router: Router) -> Router {
        guard(&self.gateway, self.visitors, router)
    }

    /// Who may see pages about people without a key: nobody beyond this machine, whoever may see the hub.
    fn about_people(&self) -> Visitors {
        match self.visitors {
            Visitors::Nobody => Visitors::Nobody,
            Visitors::Loopback | Visitors::Anyone => Visitors::Loopback,
        }
    }

    /// Returns the routes that lead to other servers, framed already. Fails where one is wrong.
    pub fn forwards(&self, settings: &Settings) -> Result<Router, Box<dyn Error>> {
        front::forwards(settings, &self.gateway)
    }

    /// Puts what every request gets around `router`.
    pub fn framed(&self, router: Router) -> Router {
        self.gateway.frame(router)
    }

    /// Begins to run.
    pub async fn start(&self, platform: &Platform) -> Result<(), Box<dyn Error>> {
        let (bus, clock) = (&platform.bus, platform.clock.clone());
        *self.notices.lock() = serve_notices(bus, self.routes(), NOTICES, clock).await?;
        if let Some(events) = &self.events {
            events.start().await?;
        }
        if let Some(analytics) = &self.analytics {
            analytics.start().await?;
        }
        if let Some(partners) = &self.partners {
            partners.start().await?;
        }
        if let Some(notify) = &self.notify {
            notify.start().await?;
        }
        if let Some(identity) = &self.identity {
            identity.start();
        }
        if let Some(device) = &self.device {
            device.start(platform).await?;
        }
        if let Some(voice) = &self.voice {
            voice.start(self.device.as_ref().and_then(DevicePart::broker)).await?;
        }
        Ok(())
    }

    /// Begins nothing more and finishes what runs: first who makes news, then who listens.
    pub async fn drain(&self) {
        if let Some(voice) = &self.voice {
            voice.drain().await;
        }
        if let Some(device) = &self.device {
            device.drain().await;
        }
        let notices = std::mem::take(&mut *self.notices.lock());
        for subscribed in notices {
            subscribed.drain().await;
        }
        if let Some(events) = &self.events {
            events.drain().await;
        }
        if let Some(analytics) = &self.analytics {
            analytics.drain().await;
        }
        if let Some(partners) = &self.partners {
            partners.drain().await;
        }
        if let Some(notify) = &self.notify {
            notify.drain().await;
        }
        if let Some(identity) = &self.identity {
            identity.drain().await;
        }
    }
}

fn events_part(platform: &Platform) -> EventsPart {
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

fn visitors(hub: LinkCallers) -> Visitors {
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
fn insights(
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

fn payment_part(platform: &Platform) -> PaymentPart {
    PaymentPart::new(PaymentDeps { store: platform.store.clone(), clock: platform.clock.clone() })
}

fn identity_part(platform: &Platform, charges: Link) -> IdentityPart {
    IdentityPart::new(IdentityDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        clock: platform.clock.clone(),
        charges: Arc::new(ChargesClient::new(charges)),
        sagas: SagaOptions::default(),
    })
}

/// Returns the routes of what every process answers about itself.
fn own_routes(platform: &Platform, board: &LinkBoard) -> Routes {
    let (clock, stop) = (platform.clock.clone(), platform.stop.clone());
    let watching = Watching { board: board.clone(), clock, stop };
    let steering = PlatformLinksRoutes::of(Arc::new(Steering(board.clone())));
    steering.merge(PlatformWatchRoutes::of(Arc::new(watching)))
}

fn analytics_part(platform: &Platform, hub: Link, visits: Link) -> Result<AnalyticsPart, Box<dyn Error>> {
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

fn partners_part(platform: &Platform, hub: Link) -> Result<PartnersPart, Box<dyn Error>> {
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
