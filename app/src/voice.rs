//! Voice as settings want it: its own contracts, the links they are asked over, and the directory where one is answered.

use std::error::Error;
use std::sync::Arc;

use ieum_contracts::identity::{
    DEVICES_CONTRACT, Devices, DevicesClient, USERS_CONTRACT, Users, UsersClient,
};
use ieum_contracts::voice::{
    CONTEXT_ENGINE_CONTRACT, ContextEngine, ContextEngineClient, PLUGIN_CONTRACT, Plugin, PluginClient,
    UNDERSTANDING_CONTRACT, Understanding, UnderstandingClient,
};
use ieum_device::Broker;
use ieum_dialogflow::{ClientOptions, DialogflowClient};
use ieum_link::{Contract, Routes};
use ieum_voice::{
    CachedContexts, DialogflowUnderstanding, Ears, LocalUnderstanding, Mouth, SqlContexts, VoiceDeps,
    VoiceOptions, VoicePart, WeatherOptions,
};

use crate::links::LinkBoard;
use crate::parts::links_over;
use crate::platform::Platform;
use crate::speech;
use crate::wyoming::{WyomingDeps, WyomingPart};

/// Voice and its doors.
pub struct Voice {
    /// The solution.
    pub part: VoicePart,
    /// What speaks Wyoming with it.
    pub wyoming: WyomingPart,
}

/// Wires the part over what `routes` answer here; returns it with what it answers.
pub fn part(
    platform: &Platform,
    routes: &Routes,
    board: &LinkBoard,
) -> Result<(Voice, Routes), Box<dyn Error>> {
    let settings = &platform.settings.voice;
    let contexts = SqlContexts::new(platform.store.clone());
    let local = LocalUnderstanding::new()?;
    let routes = routes.clone().merge(contexts.routes()).merge(local.routes());
    let links = links_over(platform, &routes, board)?;
    let is_named = |contract: &Contract| platform.settings.links.contains_key(contract.name);
    let is_answered = |contract: &Contract| routes.serves(contract.name) || is_named(contract);

    let mut engine: Arc<dyn ContextEngine> =
        Arc::new(ContextEngineClient::new(links.link(&CONTEXT_ENGINE_CONTRACT)?));
    // What this process keeps itself is as near as the cache.
    if is_named(&CONTEXT_ENGINE_CONTRACT) && !settings.context_cache.is_zero() {
        engine = Arc::new(CachedContexts::new(engine, platform.cache.clone(), settings.context_cache));
    }
    let mut understanding: Arc<dyn Understanding> =
        Arc::new(UnderstandingClient::new(links.link(&UNDERSTANDING_CONTRACT)?));
    if let Some(address) = &settings.dialogflow {
        let options = ClientOptions { outbound: platform.outbound.clone(), ..ClientOptions::default() };
        let remote = DialogflowClient::new(address, None, options, platform.clock.clone())?;
        understanding = Arc::new(DialogflowUnderstanding::new(remote, understanding));
    }
    let mut users: Option<Arc<dyn Users>> = None;
    let mut devices: Option<Arc<dyn Devices>> = None;
    if is_answered(&USERS_CONTRACT) {
        users = Some(Arc::new(UsersClient::new(links.link(&USERS_CONTRACT)?)));
    }
    if is_answered(&DEVICES_CONTRACT) {
        devices = Some(Arc::new(DevicesClient::new(links.link(&DEVICES_CONTRACT)?)));
    }
    let mut plugins: Vec<Arc<dyn Plugin>> = Vec::new();
    if is_named(&PLUGIN_CONTRACT) {
        plugins.push(Arc::new(PluginClient::new(links.link(&PLUGIN_CONTRACT)?)));
    }
    let ears = speech::ears(&settings.ears, platform.clock.clone());
    let mouth = speech::mouth(&settings.mouth, platform.clock.clone());
    let part = VoicePart::new(VoiceDeps {
        store: platform.store.clone(),
        bus: platform.bus.clone(),
        cache: platform.cache.clone(),
        clock: platform.clock.clone(),
        contexts: engine,
        understanding: understanding.clone(),
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
    let routes = routes.merge(part.routes());
    let dialogue = part.dialogue();
    let clock = platform.clock.clone();
    let wyoming = WyomingPart::new(settings, WyomingDeps { ears, mouth, dialogue, understanding, clock });
    Ok((Voice { part, wyoming }, routes))
}

impl Voice {
    /// Begins to hear, by MQTT through `broker` and by Wyoming.
    pub async fn start(&self, broker: Option<Broker>) -> Result<(), Box<dyn Error>> {
        self.part.start(broker.clone()).await?;
        self.wyoming.start(broker.as_ref()).await
    }

    /// Hears nothing new and finishes what is in hand.
    pub async fn drain(&self) {
        self.wyoming.drain().await;
        self.part.drain().await;
    }
}
