//! The parts of the platform in one table: what each answers, needs, keeps and runs.

mod webhooks;
mod wiring;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use ieum_analytics::AnalyticsPart;
use ieum_bus::Subscribed;
use ieum_contracts::analytics::{INSIGHTS_CONTRACT, Insights};
use ieum_contracts::events::{
    EVENT_GATES_CONTRACT, EVENT_PROGRAMME_CONTRACT, EVENT_SERVICE_REGISTRY_CONTRACT, EVENT_STATE_CONTRACT,
    EVENT_VISITS_CONTRACT,
};
use ieum_contracts::identity::{DEVICES_CONTRACT, USERS_CONTRACT};
use ieum_contracts::notify::{NOTIFY_MESSAGES_CONTRACT, NOTIFY_RECIPIENTS_CONTRACT};
use ieum_contracts::partners::PARTNER_KEYS_CONTRACT;
use ieum_contracts::payment::CHARGES_CONTRACT;
use ieum_contracts::voice::{CONTEXT_ENGINE_CONTRACT, DIALOGUE_CONTRACT, UNDERSTANDING_CONTRACT};
use ieum_events::{EventsPart, Visitors, guard};
use ieum_gateway::Gateway;
use ieum_identity::IdentityPart;
use ieum_link::{Contract, Routes};
use ieum_notify::NotifyPart;
use ieum_partners::PartnersPart;
use ieum_payment::PaymentPart;
use ieum_store::Migration;
use ieum_telemetry::{Gather, HealthCheck};
use ieum_voice::{Trail, VoicePart};
use ieum_webhook::Webhooks;
use ieum_wires::bus::serve_notices;
use parking_lot::Mutex;

pub use webhooks::{stored_webhooks, webhook_sightings};
pub(crate) use wiring::links_over;

use crate::config::Settings;
use crate::device::{self, DeviceCheck, DevicePart, DeviceWatch};
use crate::front;
use crate::links::LinkBoard;
use crate::mqtt_door;
use crate::notify;
use crate::platform::Platform;
use crate::voice::{self, Voice};
use crate::voice_door;
use crate::watch_check::WatchCheck;

/// The consumer group of notices that arrive over the bus: whichever process takes one answers it.
const NOTICES: &str = "links";

/// Every part that can be named after `ieum up`.
const NAMES: [&str; 8] =
    ["events", "analytics", "partners", "notify", "identity", "payment", "device", "voice"];

/// The contracts that parts answer, each with its part.
static ANSWERED: [(&str, &Contract); 15] = [
    ("events", &EVENT_SERVICE_REGISTRY_CONTRACT),
    ("events", &EVENT_STATE_CONTRACT),
    ("events", &EVENT_PROGRAMME_CONTRACT),
    ("events", &EVENT_GATES_CONTRACT),
    ("events", &EVENT_VISITS_CONTRACT),
    ("analytics", &INSIGHTS_CONTRACT),
    ("partners", &PARTNER_KEYS_CONTRACT),
    ("notify", &NOTIFY_MESSAGES_CONTRACT),
    ("notify", &NOTIFY_RECIPIENTS_CONTRACT),
    ("identity", &USERS_CONTRACT),
    ("identity", &DEVICES_CONTRACT),
    ("payment", &CHARGES_CONTRACT),
    ("voice", &DIALOGUE_CONTRACT),
    ("voice", &CONTEXT_ENGINE_CONTRACT),
    ("voice", &UNDERSTANDING_CONTRACT),
];

/// Says what can be named after `ieum up`.
pub fn help() -> String {
    format!("Which parts, of {}; all where none is named", NAMES.join(", "))
}

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
    /// Whether devices need no secret.
    anonymous: bool,
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
    ANSWERED.iter().map(|(_, contract)| *contract).collect()
}

/// Returns the part that answers `contract`.
pub fn part_of(contract: &Contract) -> Option<&'static str> {
    ANSWERED.iter().find(|(_, answered)| answered.name == contract.name).map(|(part, _)| *part)
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

impl Parts {
    /// Wires the parts named. Nothing runs before [`Parts::start`].
    pub fn build(platform: &Platform, chosen: &[&'static str]) -> Result<Self, Box<dyn Error>> {
        let events = chosen.contains(&"events").then(|| wiring::events_part(platform));
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
            let part = wiring::analytics_part(platform, hub, visits)?;
            routes = routes.merge(part.routes());
            analytics = Some(part);
        }
        let mut partners = None;
        if let Some(hub) = hub.filter(|_| chosen.contains(&"partners")) {
            let part = wiring::partners_part(platform, hub)?;
            routes = routes.merge(part.routes());
            partners = Some(part);
        }
        let notify = chosen.contains(&"notify").then(|| notify::part(platform)).transpose()?;
        if let Some(part) = &notify {
            routes = routes.merge(part.routes());
        }
        let payment = chosen.contains(&"payment").then(|| wiring::payment_part(platform));
        if let Some(part) = &payment {
            routes = routes.merge(part.routes());
        }
        let mut identity = None;
        if chosen.contains(&"identity") {
            let charges = links_over(platform, &routes, &board)?.link(&CHARGES_CONTRACT)?;
            let part = wiring::identity_part(platform, charges);
            routes = routes.merge(part.routes());
            identity = Some(part);
        }
        let insights = if events.is_some() { wiring::insights(platform, &routes, &board)? } else { None };
        let mut voice = None;
        if chosen.contains(&"voice") {
            let (part, answered) = voice::part(platform, &routes, &board)?;
            (voice, routes) = (Some(part), answered);
        }
        // The partners' front door frames the whole; a process without partners has one for the frame alone.
        let gateway = match &partners {
            Some(part) => part.gateway().clone(),
            None => wiring::gateway(platform)?,
        };
        let gateway = gateway.knowing(voice_door::secrets(device::credentials(platform)));
        let routes = routes.merge(wiring::own_routes(platform, &board, chosen));
        let visitors = wiring::visitors(platform.settings.gateway.hub);
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
            anonymous: platform.settings.device.anonymous,
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

    /// Returns what tells whether the outside broker is reached, where devices are bridged to one here.
    pub fn bridge_check(&self, settings: &Settings) -> Option<WatchCheck> {
        let device = self.device.as_ref().filter(|_| settings.device.bridge.is_some());
        device.map(DevicePart::bridge_check)
    }

    /// Returns what looks after what voice stands on, each with its name.
    pub fn voice_checks(&self) -> Vec<(String, Arc<dyn HealthCheck>)> {
        self.voice.as_ref().map(Voice::checks).unwrap_or_default()
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
            router = router.merge(voice.router(&self.gateway, self.about_people()));
        }
        if let Some(device) = &self.device {
            // Who comes this way shows its credentials in the protocol itself.
            router = router.merge(mqtt_door::guard(&self.gateway, self.anonymous, device.router()));
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
