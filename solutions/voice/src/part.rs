//! Wires the solution: store, schedules, contracts, plugins, devices.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use futures::TryFutureExt;
use ieum_bus::{Bus, BusError, Consumer, Subscribed, Subscription};
use ieum_cache::Cache;
use ieum_client::RestConfigError;
use ieum_contracts::identity::{DEVICE_REGISTRATIONS, Devices, Users};
use ieum_contracts::voice::{ContextEngine, DIALOG_EVENTS, Dialogue, DialogueRoutes, Understanding};
use ieum_core::{SharedClock, within};
use ieum_device::Broker;
use ieum_dialogflow::CacheContexts;
use ieum_link::Routes;
use ieum_policy::PolicyHandle;
use ieum_saga::{OnDue, Schedules};
use ieum_store::{Migration, Store};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dialogflow;
use crate::dialogue::DialogManager;
use crate::directory::Directory;
use crate::effects::RING;
use crate::gateway::{Desk, Gateway, Sender};
use crate::hermes::Hermes;
use crate::leaving::{LEAVING, Leaving};
use crate::listening::{ACTIVITY, Activity, PROACTIVE, Proactive, ProactiveRule, STATISTICS, Statistics};
use crate::plugins::{
    Announcements, OutsidePlugin, PlatformState, PluginWatch, Plugins, SmallTalk, Things, Timers, WallClock,
    Weather, WeatherOptions,
};
use crate::replies::Queue;
use crate::ring::Bell;
use crate::speech::{Ears, Mouth};
use crate::store::VoiceStore;
use crate::streams::Streams;
use crate::tables;
use crate::trail::Trail;
use crate::understanding::LocalUnderstanding;
use crate::web;
use crate::web::versions::Versions;

/// How often old turns are let go of.
const PURGE: Duration = Duration::from_secs(3_600);
/// How long the turns in hand on streams, and their farewells, may take where the process ends.
const STREAMS: Duration = Duration::from_secs(10);

/// What the solution stands on.
pub struct VoiceDeps {
    /// Keeps turns and what is to be sent.
    pub store: Store,
    /// Tells what happens in dialogues.
    pub bus: Bus,
    /// Keeps people, weather and the like for a while.
    pub cache: Arc<dyn Cache>,
    /// The time.
    pub clock: SharedClock,
    /// What sessions are about; [`Contexts`](crate::Contexts) or a client.
    pub contexts: Arc<dyn ContextEngine>,
    /// Understands; the engine that comes along or a client.
    pub understanding: Arc<dyn Understanding>,
    /// The engine that comes along, to be trained once it runs.
    pub local: Option<LocalUnderstanding>,
    /// The directory of people; `None` where there is none.
    pub users: Option<Arc<dyn Users>>,
    /// The directory of devices; `None` where there is none.
    pub devices: Option<Arc<dyn Devices>>,
    /// Plugins from outside.
    pub plugins: Vec<OutsidePlugin>,
    /// Whose sentences are listened for; `None` where somebody else understands.
    pub listens_for: Option<LocalUnderstanding>,
    /// Hears; `None` where no engine is set.
    pub ears: Option<Arc<dyn Ears>>,
    /// Speaks; `None` where no engine is set.
    pub mouth: Option<Arc<dyn Mouth>>,
    /// Where the weather comes from.
    pub weather: WeatherOptions,
    /// How it behaves.
    pub options: VoiceOptions,
}

/// How the solution behaves.
#[derive(Clone, Debug)]
pub struct VoiceOptions {
    /// The IANA zone of people who say none.
    pub zone: String,
    /// When the API's first version ends.
    pub versions: Versions,
    /// When to speak up without being asked.
    pub rules: Vec<ProactiveRule>,
    /// Whether Hermes is spoken over the devices' broker.
    pub hermes: bool,
}

/// The solution, wired. It hears devices once [`VoicePart::start`] is called.
pub struct VoicePart {
    manager: Arc<DialogManager>,
    local: Option<LocalUnderstanding>,
    broker: Arc<Mutex<Option<Broker>>>,
    weather: Option<PolicyHandle>,
    options: VoiceOptions,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    listeners: Vec<Subscribed>,
}

/// Says what could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The broker has ended.
    #[error("hearing devices")]
    Devices(#[source] ieum_device::ClientError),
    /// The bus refuses a subscription.
    #[error("listening to {topic} as {group}")]
    Listen {
        /// The topic.
        topic: &'static str,
        /// The group.
        group: &'static str,
        /// Why.
        #[source]
        cause: BusError,
    },
}

impl Default for VoiceOptions {
    fn default() -> Self {
        Self {
            zone: "Asia/Seoul".to_owned(),
            versions: Versions::default(),
            rules: Vec::new(),
            hermes: false,
        }
    }
}

impl VoicePart {
    /// Wires the solution.
    ///
    /// # Errors
    /// An address of the weather service that may never be called.
    pub fn new(deps: VoiceDeps) -> Result<Self, RestConfigError> {
        let store = VoiceStore { sql: deps.store.clone() };
        let waiting = Arc::new(Notify::new());
        let bell = Bell {
            bus: deps.bus.clone(),
            clock: deps.clock.clone(),
            waiting: waiting.clone(),
            speaks: deps.mouth.is_some(),
        };
        let schedules = Schedules::new(
            deps.store.clone(),
            deps.clock.clone(),
            [(RING, Arc::new(bell) as Arc<dyn OnDue>)],
        );
        let broker = Arc::new(Mutex::new(None));
        let state = Arc::new(State { store: deps.store.clone(), broker: broker.clone() });
        let weather = Weather::new(deps.weather, deps.cache.clone(), deps.clock.clone())?;
        let weather_policies = weather.policies();
        let directory = Directory { users: deps.users, devices: deps.devices, cache: deps.cache };
        let queue = Queue { sql: deps.store.clone() };
        let timers = Timers { schedules: schedules.clone(), queue };
        let own = Plugins::default()
            .with(WallClock::INTENTS, Arc::new(WallClock))
            .with(Timers::INTENTS, Arc::new(timers))
            .with(Weather::INTENTS, Arc::new(weather))
            .with(Things::INTENTS, Arc::new(Things { store: store.clone() }))
            .with(Announcements::INTENTS, Arc::new(Announcements { directory: directory.clone() }))
            .with(SmallTalk::INTENTS, Arc::new(SmallTalk { state }));
        let manager = DialogManager {
            store,
            directory,
            contexts: deps.contexts,
            understanding: deps.understanding,
            plugins: deps.plugins.into_iter().fold(own, Plugins::with_outside),
            schedules,
            bus: deps.bus,
            clock: deps.clock,
            zone: deps.options.zone.clone(),
            streams: Streams::new(waiting.clone()),
            waiting,
            listens_for: deps.listens_for,
            ears: deps.ears,
            mouth: deps.mouth,
        };
        Ok(Self {
            manager: Arc::new(manager),
            local: deps.local,
            broker,
            weather: weather_policies,
            options: deps.options,
            running: Mutex::new(None),
        })
    }

    /// Returns the policies of the calls to the weather service; `None` where nobody is asked.
    pub fn weather(&self) -> Option<PolicyHandle> {
        self.weather.clone()
    }

    /// Returns the migrations of the tables used here. Those of [schedules](ieum_saga::migrations) are the caller's.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Returns the contract `voice.dialogue` as it is answered here.
    pub fn routes(&self) -> Routes {
        DialogueRoutes::of(self.manager.clone() as Arc<dyn Dialogue>)
    }

    /// Returns the dialogue itself, for doors of the same process.
    pub fn dialogue(&self) -> Arc<dyn Dialogue> {
        self.manager.clone()
    }

    /// Returns the pages of dialogues and the paths of Dialogflow's API and of `MLService` (REST and gRPC), without a
    /// door: who may come in is for the caller to decide. The holder of a key needs the scope `voice:use`.
    pub fn router(&self) -> Router {
        let (cache, clock) = (self.manager.directory.cache.clone(), self.manager.clock.clone());
        let contexts = Arc::new(CacheContexts::new(cache, clock));
        let pages = web::router(self.manager.clone(), self.options.versions);
        pages.merge(dialogflow::router(self.manager.clone(), contexts))
    }

    /// Returns what was said and answered lately, for an operator to look at and to replay.
    pub fn trail(&self) -> Trail {
        let manager = self.manager.clone();
        let (store, clock, zone) = (manager.store.clone(), manager.clock.clone(), manager.zone.clone());
        Trail { store, clock, zone, manager }
    }

    /// Returns what is known of the plugins from outside, to look at again and again.
    pub fn plugins(&self) -> PluginWatch {
        PluginWatch(self.manager.plugins.outside().into())
    }

    /// Begins to hear devices through `broker`, and to ring. Starting twice changes nothing. Without a broker turns come
    /// by HTTP alone, and what is to be sent to devices waits for a process that has one.
    ///
    /// # Errors
    /// A broker that has ended, or a bus that refuses a subscription.
    pub async fn start(&self, broker: Option<Broker>) -> Result<(), StartError> {
        if self.running.lock().is_some() {
            return Ok(());
        }
        let listeners = self.listen().await?;
        let stop = CancellationToken::new();
        let mut tasks = Vec::new();
        if let Some(broker) = broker {
            let desk = Arc::new(Desk::new(self.manager.clone()));
            let gateway = Gateway::attach(&broker, desk).await.map_err(StartError::Devices)?;
            let sender = Sender::attach(&broker, &self.manager);
            tasks.push(tokio::spawn(gateway.run(stop.clone())));
            tasks.push(tokio::spawn(sender.run(stop.clone())));
            if self.options.hermes {
                let hermes = Hermes::attach(&broker, self.manager.clone()).await;
                tasks.push(tokio::spawn(hermes.map_err(StartError::Devices)?.run(stop.clone())));
            }
            *self.broker.lock() = Some(broker);
        }
        self.manager.schedules.start();
        if let Some(local) = self.local.clone() {
            // Not waited for: until then templates alone understand.
            drop(tokio::task::spawn_blocking(move || local.train()));
        }
        for outside in self.manager.plugins.outside().iter().cloned() {
            let (taken, local) = (self.manager.plugins.own_intents(), self.local.clone());
            let clock = self.manager.clock.clone();
            tasks.push(tokio::spawn(outside.introduce(taken, local, clock, stop.clone())));
        }
        let (manager, until) = (self.manager.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = manager.clock.sleep(PURGE) => {}
                    () = until.cancelled() => return,
                }
                let now = manager.clock.now();
                let counts = async { manager.store.purge_counts(now, &manager.zone).await };
                if let Err(fault) = manager.store.purge(now).and_then(|()| counts).await {
                    tracing::warn!(error = %fault, "letting go of old turns failed");
                }
            }
        }));
        *self.running.lock() = Some(Running { stop, tasks, listeners });
        Ok(())
    }

    /// Begins to count, to remember and to speak up.
    async fn listen(&self) -> Result<Vec<Subscribed>, StartError> {
        let zone = || self.options.zone.clone();
        let proactive = Proactive {
            rules: self.options.rules.clone(),
            zone: zone(),
            clock: self.manager.clock.clone(),
            waiting: self.manager.waiting.clone(),
            speaks: self.manager.mouth.is_some(),
        };
        let leaving = Leaving {
            directory: self.manager.directory.clone(),
            contexts: self.manager.contexts.clone(),
            schedules: self.manager.schedules.clone(),
            clock: self.manager.clock.clone(),
        };
        let consumers: [(&'static str, &'static str, Arc<dyn Consumer>); 4] = [
            (DIALOG_EVENTS, STATISTICS, Arc::new(Statistics { zone: zone() })),
            (DIALOG_EVENTS, ACTIVITY, Arc::new(Activity)),
            (DIALOG_EVENTS, PROACTIVE, Arc::new(proactive)),
            (DEVICE_REGISTRATIONS, LEAVING, Arc::new(leaving)),
        ];
        let mut listeners = Vec::new();
        for (topic, group, consumer) in consumers {
            let subscribed = self.manager.bus.subscribe(Subscription::new(topic, group), consumer).await;
            listeners.push(subscribed.map_err(|cause| StartError::Listen { topic, group, cause })?);
        }
        Ok(listeners)
    }

    /// Hears nothing new, finishes the turns in hand and what is ringing.
    pub async fn drain(&self) {
        let (clock, streams) = (&self.manager.clock, &self.manager.streams);
        if within(clock, clock.moment() + STREAMS, streams.end()).await.is_none() {
            tracing::warn!("streams whose turns take too long are cut");
        }
        let Some(Running { stop, tasks, listeners }) = self.running.lock().take() else { return };
        for listener in listeners {
            listener.drain().await;
        }
        self.manager.schedules.drain().await;
        stop.cancel();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(error = %error, "a task of voice ended by a panic");
            }
        }
    }
}

/// What small talk says of the platform.
struct State {
    store: Store,
    broker: Arc<Mutex<Option<Broker>>>,
}

#[async_trait]
impl PlatformState for State {
    fn devices(&self) -> Option<usize> {
        let broker = self.broker.lock();
        let sessions = broker.as_ref()?.sessions();
        Some(sessions.iter().filter(|session| session.connected && !session.owner.starts_with('$')).count())
    }

    async fn is_well(&self) -> bool {
        self.store.ping().await.is_ok()
    }
}
