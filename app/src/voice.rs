//! Voice as settings want it: its own contracts, the links they are asked over, and the directory where one is answered.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use ieum_contracts::identity::{
    DEVICES_CONTRACT, Devices, DevicesClient, USERS_CONTRACT, Users, UsersClient,
};
use ieum_contracts::voice::{
    CONTEXT_ENGINE_CONTRACT, ContextEngine, ContextEngineClient, UNDERSTANDING_CONTRACT, Understanding,
    UnderstandingClient,
};
use ieum_device::{Broker, Credentials};
use ieum_dialogflow::{ClientOptions, DialogflowClient};
use ieum_events::Visitors;
use ieum_gateway::Gateway;
use ieum_link::{Contract, Routes};
use ieum_policy::PolicyHandle;
use ieum_telemetry::HealthCheck;
use ieum_voice::{
    CachedContexts, Contexts, DialogflowUnderstanding, Ears, LocalUnderstanding, Mouth, VoiceDeps,
    VoiceOptions, VoicePart, WeatherOptions,
};

use crate::device;
use crate::links::{LinkBoard, OutsideCheck};
use crate::parts::links_over;
use crate::platform::Platform;
use crate::plugins::OutsidePlugins;
use crate::speech::{self, EngineEars, EngineMouth};
use crate::voice_door;
use crate::wyoming::{WyomingDeps, WyomingPart};

/// Voice and its doors.
pub struct Voice {
    /// The solution.
    pub part: VoicePart,
    /// The devices' secrets.
    credentials: Credentials,
    /// What speaks Wyoming with it.
    pub wyoming: WyomingPart,
    /// Plugins from outside.
    outsiders: OutsidePlugins,
    ears: Option<Arc<EngineEars>>,
    mouth: Option<Arc<EngineMouth>>,
    /// The policies of calls to services of somebody else's.
    outside: Vec<PolicyHandle>,
}

/// Wires the part over what `routes` answer here; returns it with what it answers.
pub fn part(
    platform: &Platform,
    routes: &Routes,
    board: &LinkBoard,
) -> Result<(Voice, Routes), Box<dyn Error>> {
    let settings = &platform.settings.voice;
    let contexts = Contexts::new(platform.documents.clone());
    let local = LocalUnderstanding::new()?;
    let routes = routes.clone().merge(contexts.routes()).merge(local.routes());
    let links = links_over(platform, &routes, board)?;
    let is_named = |contract: &Contract| platform.settings.links.contains_key(contract.name);
    let is_answered = |contract: &Contract| routes.serves(contract.name) || is_named(contract);

    let mut engine: Arc<dyn ContextEngine> =
        Arc::new(ContextEngineClient::new(links.link(&CONTEXT_ENGINE_CONTRACT)?));
    if is_far(platform, is_named(&CONTEXT_ENGINE_CONTRACT)) && !settings.context_cache.is_zero() {
        engine = Arc::new(CachedContexts::new(engine, platform.cache.clone(), settings.context_cache));
    }
    let mut understanding: Arc<dyn Understanding> =
        Arc::new(UnderstandingClient::new(links.link(&UNDERSTANDING_CONTRACT)?));
    let mut outside = Vec::new();
    if let Some(address) = &settings.dialogflow {
        let options = ClientOptions { outbound: platform.outbound.clone(), ..ClientOptions::default() };
        let remote = DialogflowClient::new(address, None, options, platform.clock.clone())?;
        board.add_outside(address.base.as_str(), remote.engine(), remote.policies());
        outside.push(remote.policies());
        understanding = Arc::new(DialogflowUnderstanding::new(remote, understanding));
    }
    let understands_itself = settings.dialogflow.is_none() && !is_named(&UNDERSTANDING_CONTRACT);
    let mut users: Option<Arc<dyn Users>> = None;
    let mut devices: Option<Arc<dyn Devices>> = None;
    if is_answered(&USERS_CONTRACT) {
        users = Some(Arc::new(UsersClient::new(links.link(&USERS_CONTRACT)?)));
    }
    if is_answered(&DEVICES_CONTRACT) {
        devices = Some(Arc::new(DevicesClient::new(links.link(&DEVICES_CONTRACT)?)));
    }
    let (outsiders, plugins) = OutsidePlugins::new(&platform.settings, &links, &platform.clock)?;
    let ears = speech::ears(&settings.ears, &platform.clock);
    let mouth = speech::mouth(&settings.mouth, &platform.clock);
    let part = VoicePart::new(VoiceDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        cache: platform.cache.clone(),
        clock: platform.clock.clone(),
        contexts: engine,
        understanding: understanding.clone(),
        // Where somebody else understands, other sentences count.
        listens_for: understands_itself.then(|| local.clone()),
        local: Some(local),
        users,
        devices,
        plugins,
        ears: ears.clone().map(|ears| ears as Arc<dyn Ears>),
        mouth: mouth.clone().map(|mouth| mouth as Arc<dyn Mouth>),
        weather: WeatherOptions {
            base: settings.weather.clone(),
            key: settings.weather_key.clone(),
            place: settings.place.clone(),
            outbound: platform.outbound.clone(),
        },
        options: VoiceOptions {
            zone: settings.zone.clone(),
            versions: ieum_voice::Versions { sunset_at: settings.v1_sunset, ..Default::default() },
            rules: settings.rules.clone(),
            hermes: settings.hermes,
        },
    })?;
    if let Some(weather) = part.weather() {
        board.add_outside(settings.weather.as_str(), "rest", weather.clone());
        outside.push(weather);
    }
    let routes = routes.merge(part.routes());
    let dialogue = part.dialogue();
    let clock = platform.clock.clone();
    let spoken = WyomingDeps { ears: ears.clone(), mouth: mouth.clone(), dialogue, understanding, clock };
    let wyoming = WyomingPart::new(settings, spoken);
    let credentials = device::credentials(platform);
    Ok((Voice { part, credentials, wyoming, outsiders, ears, mouth, outside }, routes))
}

/// Tells whether contexts come from farther away than the cache. Those of a server are cached only where every process
/// that asks it shares the cache: one would answer by what another one has changed.
fn is_far(platform: &Platform, is_linked: bool) -> bool {
    is_linked || (platform.documents.is_remote() && platform.cache.capabilities().shared)
}

impl Voice {
    /// Returns the pages of dialogues behind their door.
    pub fn router(&self, gateway: &Gateway, visitors: Visitors) -> Router {
        voice_door::guard(gateway, visitors, self.credentials.clone(), self.part.router())
    }

    /// Begins to hear, by MQTT through `broker` and by Wyoming.
    pub async fn start(&self, broker: Option<Broker>) -> Result<(), Box<dyn Error>> {
        self.part.start(broker.clone()).await?;
        self.outsiders.start();
        self.wyoming.start(broker.as_ref()).await
    }

    /// Hears nothing new and finishes what is in hand.
    pub async fn drain(&self) {
        self.wyoming.drain().await;
        self.part.drain().await;
        self.outsiders.drain().await;
    }

    /// Returns what looks after each engine that hears or speaks, after the plugins from outside by the names of their
    /// links, after services of somebody else's, and after the satellites.
    pub fn checks(&self) -> Vec<(String, Arc<dyn HealthCheck>)> {
        let plugins = self.outsiders.checks(&self.part.plugins()).into_iter();
        let plugins = plugins.map(|(name, check)| (name, Arc::new(check) as Arc<dyn HealthCheck>));
        let ears = self.ears.iter().flat_map(|ears| ears.checks());
        let mouth = self.mouth.iter().flat_map(|mouth| mouth.checks());
        let outside = self.outside.iter().map(|policies| {
            let check: Arc<dyn HealthCheck> = Arc::new(OutsideCheck(policies.clone()));
            (policies.name().to_owned(), check)
        });
        ears.chain(mouth).chain(plugins).chain(outside).chain(self.wyoming.checks()).collect()
    }
}
