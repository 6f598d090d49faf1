//! Hermes, as Snips and Rhasspy 2 speak it over the devices' broker: sessions, understanding, hearing and speaking for
//! sites whose microphones, loudspeakers and wake words are programs of their own.
//!
//! A session that a wake word begins is led by the dialogue here; one that a program begins is that program's, which is
//! told what was understood. Topics name no owner, so that every site is a device of nobody's, `hermes:{site}`.

mod message;
mod post;
mod site;
mod speaking;
mod understood;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ieum_core::Fault;
use ieum_device::{Broker, Client, ClientError, ClientOptions, Message, Quality};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dialogue::DialogManager;
use crate::gateway::{Letter, device_of};
use message::{Detected, Finished, GoOn, Init, Query, Say, StartSession, TextCaptured, read};
use post::Post;
use site::{Event, Sessions, Site};
use speaking::Speaking;

/// What the devices of sites are called, before the site's name.
pub const OWN_DEVICE: &str = "hermes:";
/// The name under which sites are heard.
pub const CLIENT: &str = "hermes";
/// What is listened to.
const TOPICS: [&str; 11] = [
    "hermes/dialogueManager/startSession",
    "hermes/dialogueManager/continueSession",
    "hermes/dialogueManager/endSession",
    "hermes/hotword/+/detected",
    "hermes/asr/textCaptured",
    "hermes/nlu/query",
    "hermes/tts/say",
    "hermes/tts/sayFinished",
    "hermes/audioServer/+/playFinished",
    "hermes/audioServer/+/audioFrame",
    "device/+/response",
];
/// Sites at most: their names are anybody's.
const MOST_SITES: usize = 1_000;
/// What waits for one site at most; sound beyond it is lost.
const MOST_EVENTS: usize = 200;
/// Queries and sentences to say that are worked on at once.
const AT_ONCE: usize = 32;

/// The base station of all sites.
pub struct Hermes {
    client: Client,
    manager: Arc<DialogManager>,
    post: Arc<Post>,
    speaking: Arc<Speaking>,
    sites: HashMap<String, Reached>,
    sessions: Sessions,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// The way to a site.
struct Reached {
    events: mpsc::Sender<Event>,
    listening: Arc<AtomicU64>,
}

impl Hermes {
    /// Attaches to the broker.
    ///
    /// # Errors
    /// A broker that has ended.
    pub async fn attach(broker: &Broker, manager: Arc<DialogManager>) -> Result<Self, ClientError> {
        let client = broker.client(CLIENT, &ClientOptions { kept: false, inflight: 1_000 });
        for topic in TOPICS {
            client.subscribe_from_now_on(topic, Quality::AtLeastOnce).await?;
        }
        let sender = broker.client("hermes-sender", &ClientOptions::default());
        let post = Post::new(sender, manager.clock.clone());
        let speaking = Arc::new(Speaking::new(manager.clone(), post.clone()));
        Ok(Self {
            client,
            manager,
            post,
            speaking,
            sites: HashMap::new(),
            sessions: Sessions::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            tasks: TaskTracker::new(),
        })
    }

    /// Serves until `stop`, then finishes the turns in hand.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let delivery = tokio::select! {
                delivery = self.client.next() => delivery,
                () = stop.cancelled() => break,
            };
            let Ok(delivery) = delivery else { break };
            if let Err(fault) = self.take(&delivery.message).await {
                let told = json!({ "error": fault.message, "context": fault.reason, "siteId": "default" });
                self.post.tell("hermes/error/dialogueManager", &told).await;
            }
            // A message that cannot be acknowledged comes to nobody else.
            let _ = self.client.acknowledge(&delivery);
        }
        self.sites.clear();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn take(&mut self, message: &Message) -> Result<(), Fault> {
        let words: Vec<&str> = message.topic.split('/').collect();
        let payload = &message.payload;
        match words[..] {
            ["device", ..] => self.letter(message),
            [_, "dialogueManager", "startSession"] => {
                let start: StartSession = read(payload)?;
                self.tell_site(start.site_id.clone(), Event::Start { start, is_woken: false })
            }
            [_, "dialogueManager", "continueSession"] => self.tell_session(read(payload)?, Event::GoOn),
            [_, "dialogueManager", "endSession"] => self.tell_session(read(payload)?, Event::End),
            [_, "hotword", _, "detected"] => {
                let Detected { site_id, lang } = read(payload)?;
                let init = Init { kind: "action".to_owned(), ..Init::default() };
                let start = StartSession { init, site_id: site_id.clone(), lang, custom_data: None };
                self.tell_site(site_id, Event::Start { start, is_woken: true })
            }
            // What our own ears heard is on its way already.
            [_, "asr", "textCaptured"] if Post::is_own(message) => Ok(()),
            [_, "asr", "textCaptured"] => {
                let captured: TextCaptured = read(payload)?;
                self.tell_site(captured.site_id.clone(), Event::Captured(captured))
            }
            [_, "nlu", "query"] => self.query(read(payload)?).await,
            [_, "tts", "say"] => self.say(read(payload)?).await,
            [_, "tts", "sayFinished"] => self.over("said", read(payload)?),
            [_, "audioServer", _, "playFinished"] => self.over("played", read(payload)?),
            [_, "audioServer", site, "audioFrame"] => {
                self.sound(site, payload);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn query(&self, query: Query) -> Result<(), Fault> {
        let place = self.places.clone().acquire_owned().await;
        let (manager, post) = (self.manager.clone(), self.post.clone());
        self.tasks.spawn(async move {
            understood::answer(&manager, &post, query).await;
            drop(place);
        });
        Ok(())
    }

    async fn say(&self, say: Say) -> Result<(), Fault> {
        let speaking = self.speaking.clone();
        let waits = self.tasks.len() >= MOST_SITES + AT_ONCE;
        if waits {
            let message = "saying something: too much waits to be said already; try again in a moment";
            return Err(Fault::unavailable("voice.hermes.busy", message));
        }
        self.tasks.spawn(async move { speaking.say(say).await });
        Ok(())
    }

    fn over(&self, what: &str, finished: Finished) -> Result<(), Fault> {
        if let Some(id) = finished.id {
            self.post.over(&format!("{what}/{id}"));
        }
        Ok(())
    }

    /// Says at a site what its device is sent, such as that a timer rang.
    fn letter(&self, message: &Message) -> Result<(), Fault> {
        let site = device_of(&message.topic).and_then(|device| device.strip_prefix(OWN_DEVICE));
        let letter = Letter::of(&message.payload, self.manager.clock.now());
        if let (Some(site), Some(letter)) = (site, letter) {
            let told = json!({ "text": letter.text, "lang": letter.language, "siteId": site });
            let post = self.post.clone();
            self.tasks.spawn(async move { post.tell("hermes/tts/say", &told).await });
        }
        Ok(())
    }

    /// Hands sound to a site that listens; others need none.
    fn sound(&self, site: &str, wave: &Bytes) {
        let Some(reached) = self.sites.get(site) else { return };
        let time = reached.listening.load(Ordering::Acquire);
        if time != 0 && reached.events.try_send(Event::Sound { time, wave: wave.clone() }).is_err() {
            metrics::counter!("ieum_voice_refused_total", "kind" => "sound").increment(1);
        }
    }

    fn tell_session(&mut self, on: GoOn, event: fn(GoOn) -> Event) -> Result<(), Fault> {
        let site = self.sessions.lock().get(&on.session_id).cloned();
        match site {
            Some(site) => self.tell_site(Some(site), event(on)),
            None => {
                let message = "field sessionId: no such session is there; it may have ended";
                Err(Fault::not_found("voice.hermes.session", message))
            }
        }
    }

    fn tell_site(&mut self, named: Option<String>, event: Event) -> Result<(), Fault> {
        let name = message::site(named.as_deref())?;
        if !self.sites.contains_key(&name) {
            if self.sites.len() >= MOST_SITES {
                let message = format!("field siteId: there are {MOST_SITES} sites already");
                return Err(Fault::unavailable("voice.hermes.full", message));
            }
            let reached = self.reach(name.clone());
            self.sites.insert(name.clone(), reached);
        }
        let sent = self.sites.get(&name).is_none_or(|reached| reached.events.try_send(event).is_ok());
        if sent {
            return Ok(());
        }
        let message = "too much waits for the site already; try again in a moment";
        Err(Fault::unavailable("voice.hermes.busy", message))
    }

    fn reach(&self, name: String) -> Reached {
        let (events, inbox) = mpsc::channel(MOST_EVENTS);
        let listening = Arc::new(AtomicU64::new(0));
        let site = Site {
            name,
            manager: self.manager.clone(),
            post: self.post.clone(),
            sessions: self.sessions.clone(),
            listening: listening.clone(),
            active: None,
            waiting: VecDeque::new(),
            times: 0,
        };
        self.tasks.spawn(site.run(inbox));
        Reached { events, listening }
    }
}
