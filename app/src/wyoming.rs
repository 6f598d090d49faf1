//! Voice over Wyoming: engines and dialogue for whoever speaks it, and the satellites that this process calls.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ieum_contracts::voice::{
    DialogAnswer, DialogOutcome, DialogTurn, Dialogue, SlotValue, Understand, Understanding,
};
use ieum_core::{Cx, Fault, SharedClock, Watch};
use ieum_device::{Broker, Client, ClientOptions, Quality};
use ieum_speech::{
    Conversation, Engine, Handled, Handler, Intention, Said, SatelliteOptions, Say, SpeechError, Synthesizer,
    Transcriber, Transcript, WyomingOptions, WyomingSatellite, WyomingServer,
};
use ieum_telemetry::HealthCheck;
use ieum_voice::{Letter, Tongue};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{SatelliteSettings, VoiceSettings};
use crate::speech::{EngineEars, EngineMouth};
use crate::up::unheard;
use crate::watch_check::WatchCheck;

/// Whose device a client is that names none.
const NOBODY: &str = "wyoming";

/// What the names of satellites' sessions begin with.
const SATELLITE: &str = "satellite-";

/// What Wyoming stands on.
pub struct WyomingDeps {
    /// Listens, where an engine is set.
    pub ears: Option<Arc<EngineEars>>,
    /// Speaks, where an engine is set.
    pub mouth: Option<Arc<EngineMouth>>,
    /// Answers.
    pub dialogue: Arc<dyn Dialogue>,
    /// Understands, and does nothing.
    pub understanding: Arc<dyn Understanding>,
    /// The time.
    pub clock: SharedClock,
}

/// The doors and satellites of voice.
pub struct WyomingPart {
    deps: WyomingDeps,
    listen: Option<SocketAddr>,
    satellites: Vec<(SatelliteSettings, Watch)>,
    zone: String,
    address: OnceLock<SocketAddr>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// The dialogue as Wyoming's services `handle` and `intent`.
struct Talk {
    dialogue: Arc<dyn Dialogue>,
    understanding: Arc<dyn Understanding>,
    clock: SharedClock,
    zone: String,
}

/// The dialogue of one satellite.
struct Room {
    device: String,
    language: Option<String>,
    area: Option<String>,
    dialogue: Arc<dyn Dialogue>,
    /// What is sent to the device, such as that a timer rang; nothing where no broker runs here.
    letters: Option<tokio::sync::Mutex<Client>>,
    clock: SharedClock,
}

// === WyomingPart ===

impl WyomingPart {
    /// Wires what `settings` ask for. Nothing runs before [`WyomingPart::start`].
    pub fn new(settings: &VoiceSettings, deps: WyomingDeps) -> Self {
        let satellites = settings.satellites.iter().cloned().map(|one| (one, Watch::default()));
        Self {
            deps,
            listen: settings.wyoming,
            satellites: satellites.collect(),
            zone: settings.zone.clone(),
            address: OnceLock::new(),
            stop: CancellationToken::new(),
            tasks: Mutex::default(),
        }
    }

    /// Begins to listen, and to call the satellites. `broker`: where devices are told what they did not ask for.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn start(&self, broker: Option<&Broker>) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(listen) = self.listen {
            let listener = TcpListener::bind(listen)
                .await
                .map_err(|error| unheard("for Wyoming on", listen, "voice.wyoming", &error))?;
            // A part starts once.
            let _ = self.address.set(listener.local_addr()?);
            let talk = Talk {
                dialogue: self.deps.dialogue.clone(),
                understanding: self.deps.understanding.clone(),
                clock: self.deps.clock.clone(),
                zone: self.zone.clone(),
            };
            let server = WyomingServer::with_handler(
                self.deps.ears.clone().map(|ears| ears as Arc<dyn Transcriber>),
                self.deps.mouth.clone().map(|mouth| mouth as Arc<dyn Synthesizer>),
                Some(Arc::new(talk)),
                WyomingOptions::default(),
                self.deps.clock.clone(),
            );
            self.tasks.lock().push(tokio::spawn(server.serve(listener, self.stop.clone())));
        }
        if let Some(broker) = broker {
            let known: Vec<String> = self.satellites.iter().map(|(one, _)| session_of(&one.device)).collect();
            forget_satellites(broker, &known);
        }
        for (settings, watch) in &self.satellites {
            if let Some(satellite) = self.satellite(settings, watch, broker).await? {
                let stop = self.stop.clone();
                self.tasks.lock().push(tokio::spawn(async move { satellite.run(stop).await }));
            }
        }
        Ok(())
    }

    async fn satellite(
        &self,
        settings: &SatelliteSettings,
        watch: &Watch,
        broker: Option<&Broker>,
    ) -> Result<Option<WyomingSatellite>, Box<dyn std::error::Error>> {
        // Settings are refused that name satellites and no engines.
        let (Some(ears), Some(mouth)) = (self.deps.ears.clone(), self.deps.mouth.clone()) else {
            return Ok(None);
        };
        let mut letters = None;
        if let Some(broker) = broker {
            let options = ClientOptions { kept: true, ..ClientOptions::default() };
            // One that is unplugged for long is no reason to refuse what others are told.
            let client = broker.client_that_may_miss(&session_of(&settings.device), &options);
            client.subscribe(&format!("device/{}/response", settings.device), Quality::AtLeastOnce).await?;
            letters = Some(tokio::sync::Mutex::new(client));
        }
        let room = Room {
            device: settings.device.clone(),
            language: settings.language.clone(),
            area: settings.area.clone(),
            dialogue: self.deps.dialogue.clone(),
            letters,
            clock: self.deps.clock.clone(),
        };
        let mut options = SatelliteOptions::default();
        options.listener.hints.language = settings.language.clone();
        Ok(Some(WyomingSatellite {
            address: settings.address.clone(),
            transcriber: ears,
            synthesizer: mouth,
            conversation: Arc::new(room),
            options,
            clock: self.deps.clock.clone(),
            watch: watch.clone(),
        }))
    }

    /// Returns what tells of each satellite whether it is reached, by the device that it is.
    pub fn checks(&self) -> Vec<(String, Arc<dyn HealthCheck>)> {
        let check = |(settings, watch): &(SatelliteSettings, Watch)| {
            let check: Arc<dyn HealthCheck> =
                Arc::new(WatchCheck { part: "voice.satellite", watch: watch.clone() });
            (format!("satellites.{}", settings.device), check)
        };
        self.satellites.iter().map(check).collect()
    }

    /// Returns where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Ends every connection.
    pub async fn drain(&self) {
        self.stop.cancel();
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(error = %error, "a task of wyoming ended by a panic");
            }
        }
    }
}

// === Talk ===

#[async_trait]
impl Handler for Talk {
    fn about(&self) -> Engine {
        Engine { name: "ieum".to_owned(), languages: vec!["ko".to_owned(), "en".to_owned()] }
    }

    async fn handle(&self, said: Said) -> Result<Handled, SpeechError> {
        // Nobody proves here who it is, so that no name leads to a device of somebody's.
        let device = said.device.map_or_else(|| NOBODY.to_owned(), |device| format!("{NOBODY}:{device}"));
        let turn = DialogTurn {
            device_id: Some(device),
            session_id: said.conversation,
            text: said.text,
            language: said.language,
            ..DialogTurn::default()
        };
        let answer = self.dialogue.say(&Cx::root(), turn).await.map_err(failed)?;
        Ok(Handled { is_done: is_done(&answer), text: answer.text, conversation: Some(answer.session_id) })
    }

    async fn recognise(&self, said: Said) -> Result<Option<Intention>, SpeechError> {
        let language = said.language.unwrap_or_else(|| written_in(&said.text).code().to_owned());
        let ask = Understand {
            text: said.text,
            language,
            now: self.clock.now(),
            zone: self.zone.clone(),
            session_id: said.conversation.unwrap_or_default(),
            ..Understand::default()
        };
        let understood = self.understanding.understand(&Cx::root(), ask).await.map_err(failed)?;
        let Some(meaning) = understood.meanings.into_iter().next() else { return Ok(None) };
        let entities = meaning.slots.into_iter().map(|(name, slot)| (name, plain(&slot.value))).collect();
        Ok(Some(Intention { name: meaning.intent, entities }))
    }
}

fn is_done(answer: &DialogAnswer) -> bool {
    matches!(answer.outcome, DialogOutcome::Answered | DialogOutcome::Asked)
}

/// Forgets what waits for satellites in sessions other than these.
fn forget_satellites(broker: &Broker, known: &[String]) {
    let sessions = broker.sessions().into_iter().filter(|session| session.owner.starts_with('$'));
    for name in sessions.map(|session| session.client).filter(|name| name.starts_with(SATELLITE)) {
        if !known.contains(&name) {
            drop(broker.client(&name, &ClientOptions { kept: false, inflight: 1 }));
        }
    }
}

/// Returns the name of the session in which a satellite is told what it did not ask for.
fn session_of(device: &str) -> String {
    format!("{SATELLITE}{device}")
}

/// Returns the language that a text is written in.
fn written_in(text: &str) -> Tongue {
    Tongue::heard_in(text).unwrap_or(Tongue::Korean)
}

/// Returns a value as JSON without the name of its kind.
fn plain(value: &SlotValue) -> Value {
    let mut value = json!(value);
    if let Some(fields) = value.as_object_mut() {
        fields.remove("kind");
        if fields.len() == 1 {
            return fields.values().next().cloned().unwrap_or_default();
        }
    }
    value
}

fn failed(fault: Fault) -> SpeechError {
    SpeechError::Engine { engine: "the dialogue".to_owned(), step: "an answer", problem: fault.message }
}

// === Room ===

#[async_trait]
impl Conversation for Room {
    async fn answer(&self, heard: &Transcript) -> Option<Say> {
        let turn = DialogTurn {
            device_id: Some(self.device.clone()),
            text: heard.text.clone(),
            language: self.language.clone().or_else(|| heard.language.clone()),
            area: self.area.clone(),
            ..DialogTurn::default()
        };
        match self.dialogue.say(&Cx::root(), turn).await {
            Ok(answer) => Some(Say { text: answer.text, language: Some(answer.language), voice: None }),
            Err(fault) => {
                tracing::warn!(device = self.device, error = %fault, "a satellite's turn failed");
                None
            }
        }
    }

    async fn unasked(&self) -> Say {
        let Some(letters) = &self.letters else { return std::future::pending().await };
        let mut letters = letters.lock().await;
        loop {
            let Ok(delivery) = letters.next().await else { return std::future::pending().await };
            let letter = Letter::of(&delivery.message.payload, self.clock.now());
            // One that cannot be acknowledged is said again, which is better than not at all.
            let _ = letters.acknowledge(&delivery);
            if let Some(Letter { text, language }) = letter {
                return Say { text, language, voice: None };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::system_clock;
    use ieum_device::{BrokerOptions, Message};

    use super::*;

    #[tokio::test]
    async fn a_satellite_that_is_in_no_settings_any_more_is_forgotten() {
        let broker = Broker::in_memory(BrokerOptions::default(), system_clock());
        let kept = ClientOptions { kept: true, ..ClientOptions::default() };
        for device in ["hall", "attic"] {
            let client = broker.client(&session_of(device), &kept);
            let topic = format!("device/{device}/response");
            client.subscribe(&topic, Quality::AtLeastOnce).await.expect("subscribes");
        }
        forget_satellites(&broker, &[session_of("hall")]);
        let sender = broker.client("sender", &ClientOptions::default());
        let takers = |device: &str| {
            let message = Message::new(&format!("device/{device}/response"), "rings");
            sender.put(message).expect("is a topic").takers.len()
        };
        assert_eq!((takers("hall"), takers("attic")), (1, 0));
    }
}
