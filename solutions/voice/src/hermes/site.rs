//! One site's sessions, one at a time: begun by a wake word or a program, heard, answered or handed on, ended.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, Dialogue, Meaning};
use ieum_core::{Cx, Fault, Moment, describe, new_id, within};
use ieum_speech::{AudioFormat, Heard, Hints, Listener, ListenerOptions, read_wav};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::OWN_DEVICE;
use super::message::{GoOn, Reason, StartSession, TextCaptured, lay_over};
use super::post::Post;
use super::understood::{recognise, tell_error, tell_intent, tell_unknown};
use crate::dialogue::DialogManager;
use crate::streaming::EarsEngine;

/// How long it is waited for somebody to speak, or for whoever leads a session to go on.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it is waited for something to be said.
const SPEAKING: Duration = Duration::from_secs(60);
/// Sessions that wait at a site.
const MOST_WAITING: usize = 20;

/// What happens at a site.
#[derive(Debug)]
pub enum Event {
    /// Somebody wants a session. `is_woken`: a wake word was said, so that the dialogue here leads it.
    Start { start: StartSession, is_woken: bool },
    /// Whoever leads a session goes on with it.
    GoOn(GoOn),
    /// Whoever leads a session ends it.
    End(GoOn),
    /// Somebody's ears heard a sentence.
    Captured(TextCaptured),
    /// The microphone heard this while it was listened to for the time of this number.
    Sound { time: u64, wave: Bytes },
}

/// Which session is at which site.
pub type Sessions = Arc<Mutex<HashMap<String, String>>>;

/// A site.
pub struct Site {
    pub name: String,
    pub manager: Arc<DialogManager>,
    pub post: Arc<Post>,
    pub sessions: Sessions,
    /// For the how manieth time somebody is listened to; 0 while nobody is.
    pub listening: Arc<AtomicU64>,
    pub active: Option<Session>,
    pub waiting: VecDeque<(String, StartSession)>,
    pub times: u64,
}

/// A session.
pub struct Session {
    id: String,
    custom_data: Option<String>,
    lang: Option<String>,
    /// Whether the dialogue here leads it; else whoever began it.
    is_ours: bool,
    wanted: Option<Vec<String>>,
    tells_unknown: bool,
    listener: Option<(AudioFormat, Listener)>,
    until: Moment,
}

impl Site {
    /// Lives until nobody can tell it anything any more.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        loop {
            let event = match &self.active {
                None => events.recv().await,
                Some(session) => match within(&self.manager.clock, session.until, events.recv()).await {
                    Some(event) => event,
                    None => {
                        self.end(Reason::Timeout).await;
                        continue;
                    }
                },
            };
            let Some(event) = event else { return };
            self.take(event).await;
        }
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::Start { start, is_woken } => self.start(start, is_woken).await,
            Event::GoOn(on) => self.go_on(on).await,
            Event::End(on) => {
                if self.is_active(&on.session_id) {
                    self.stop_listening().await;
                    self.say(on.text).await;
                    self.end(Reason::Nominal).await;
                }
            }
            Event::Captured(captured) => {
                let is_meant = captured.session_id.as_ref().is_none_or(|session| self.is_active(session));
                if is_meant && self.is_listening() {
                    self.turn(captured.text, captured.lang).await;
                }
            }
            Event::Sound { time, wave } => {
                if time == self.listening.load(Ordering::Acquire) && self.is_listening() {
                    self.hear(&wave).await;
                }
            }
        }
    }

    async fn start(&mut self, start: StartSession, is_woken: bool) {
        let id = new_id().to_string();
        if self.active.is_none() {
            self.sessions.lock().insert(id.clone(), self.name.clone());
            return self.begin(id, start, is_woken).await;
        }
        let may_wait = start.init.can_be_enqueued || start.init.kind == "notification";
        if is_woken {
            // Somebody is talked with already.
            return;
        }
        if !may_wait || self.waiting.len() >= MOST_WAITING {
            let message =
                "starting a session: another one is in hand at the site; let it be enqueued, or try again";
            let fault = Fault::unavailable("voice.hermes.busy", message);
            let about = json!({ "siteId": self.name, "context": start.custom_data });
            return tell_error(&self.post, "dialogueManager", &fault, about).await;
        }
        let told = json!({ "sessionId": id, "siteId": self.name, "customData": start.custom_data });
        self.sessions.lock().insert(id.clone(), self.name.clone());
        self.waiting.push_back((id, start));
        self.post.tell("hermes/dialogueManager/sessionQueued", &told).await;
    }

    async fn begin(&mut self, id: String, start: StartSession, is_woken: bool) {
        let init = start.init;
        self.active = Some(Session {
            id,
            custom_data: start.custom_data,
            lang: start.lang,
            is_ours: is_woken,
            wanted: init.intent_filter,
            tells_unknown: init.send_intent_not_recognized,
            listener: None,
            until: self.later(),
        });
        let quiet = json!({ "siteId": self.name, "reason": "dialogueSession" });
        self.post.tell("hermes/hotword/toggleOff", &quiet).await;
        self.tell("hermes/dialogueManager/sessionStarted", json!({})).await;
        self.say(init.text).await;
        if init.kind == "notification" { self.end(Reason::Nominal).await } else { self.listen().await }
    }

    async fn go_on(&mut self, on: GoOn) {
        if !self.is_active(&on.session_id) {
            return;
        }
        self.stop_listening().await;
        if let Some(session) = &mut self.active {
            session.is_ours = false;
            session.wanted = on.intent_filter;
            session.tells_unknown = on.send_intent_not_recognized;
            session.custom_data = on.custom_data.or(session.custom_data.take());
            session.lang = on.lang.or(session.lang.take());
        }
        self.say(on.text).await;
        self.listen().await;
    }

    /// Ends the session, and begins the next one that waits.
    async fn end(&mut self, reason: Reason) {
        self.stop_listening().await;
        self.tell(
            "hermes/dialogueManager/sessionEnded",
            json!({ "termination": { "reason": reason.name() } }),
        )
        .await;
        if let Some(session) = self.active.take() {
            self.sessions.lock().remove(&session.id);
        }
        let loud = json!({ "siteId": self.name, "reason": "dialogueSession" });
        self.post.tell("hermes/hotword/toggleOn", &loud).await;
        if let Some((id, start)) = self.waiting.pop_front() {
            // One after the other, however many wait.
            Box::pin(self.begin(id, start, false)).await;
        }
    }

    async fn listen(&mut self) {
        self.times += 1;
        let until = self.later();
        let Some(session) = &mut self.active else { return };
        session.listener = None;
        session.until = until;
        let told = json!({ "lang": session.lang, "intentFilter": session.wanted, "stopOnSilence": true, "sendAudioCaptured": false });
        self.listening.store(self.times, Ordering::Release);
        self.tell("hermes/asr/startListening", told).await;
    }

    async fn stop_listening(&mut self) {
        if self.listening.swap(0, Ordering::AcqRel) != 0 {
            self.tell("hermes/asr/stopListening", json!({})).await;
        }
        if let Some(session) = &mut self.active {
            session.listener = None;
        }
    }

    async fn hear(&mut self, wave: &[u8]) {
        let heard = self.listened(wave).await;
        let transcript = match heard {
            Ok(heard) => heard.into_iter().find_map(|heard| match heard {
                Heard::Ended(transcript) => Some(transcript),
                _ => None,
            }),
            Err(error) => {
                let fault = Fault::unavailable("voice.speech.failed", describe(&error));
                let about = self.about();
                tell_error(&self.post, "asr", &fault, about).await;
                return self.end(Reason::Error).await;
            }
        };
        let Some(transcript) = transcript.filter(|transcript| !transcript.text.is_empty()) else { return };
        let told = json!({ "text": transcript.text, "likelihood": 1.0, "seconds": 0.0, "lang": transcript.language });
        self.tell("hermes/asr/textCaptured", told).await;
        self.turn(transcript.text, transcript.language).await;
    }

    async fn listened(&mut self, wave: &[u8]) -> Result<Vec<Heard>, ieum_speech::SpeechError> {
        let (Some(session), Some(ears)) = (&mut self.active, &self.manager.ears) else {
            return Ok(Vec::new());
        };
        let (format, samples) = read_wav(wave)?;
        if session.listener.as_ref().is_none_or(|(known, _)| *known != format) {
            let engine = Arc::new(EarsEngine(Arc::clone(ears)));
            let options = ListenerOptions {
                hints: Hints { language: session.lang.clone(), grammar: None },
                ..ListenerOptions::default()
            };
            session.listener = Some((format, Listener::new(engine, format, options)?));
        }
        match &mut session.listener {
            Some((_, listener)) => listener.hear(samples).await,
            None => Ok(Vec::new()),
        }
    }

    async fn turn(&mut self, text: String, language: Option<String>) {
        self.stop_listening().await;
        let until = self.later();
        let Some(session) = &mut self.active else { return };
        session.until = until;
        let language = session.lang.clone().or(language);
        if session.is_ours {
            return self.answer(text, language).await;
        }
        let (wanted, tells_unknown) = (session.wanted.clone(), session.tells_unknown);
        let about = self.about();
        match recognise(&self.manager, &text, language.as_deref(), wanted.as_deref()).await {
            // Whoever leads the session goes on with it.
            Ok(Some(meaning)) => tell_intent(&self.post, &meaning, &text, about).await,
            Ok(None) => {
                tell_unknown(&self.post, &text, about).await;
                if tells_unknown {
                    return self
                        .tell("hermes/dialogueManager/intentNotRecognized", json!({ "input": text }))
                        .await;
                }
                self.end(Reason::NotRecognized).await;
            }
            Err(fault) => {
                tell_error(&self.post, "nlu", &fault, about).await;
                self.end(Reason::Error).await;
            }
        }
    }

    /// Has the dialogue here answer.
    async fn answer(&mut self, text: String, language: Option<String>) {
        let turn = DialogTurn {
            device_id: Some(format!("{OWN_DEVICE}{}", self.name)),
            text: text.clone(),
            language: language.filter(|code| crate::tongue::Tongue::of(code).is_some()),
            ..DialogTurn::default()
        };
        let about = self.about();
        let answer = match self.manager.say(&Cx::root(), turn).await {
            Ok(answer) => answer,
            Err(fault) => {
                tell_error(&self.post, "nlu", &fault, about).await;
                return self.end(Reason::Error).await;
            }
        };
        let is_understood = answer.outcome != DialogOutcome::NotUnderstood;
        if is_understood {
            tell_intent(&self.post, &meaning(&answer), &text, about).await;
        } else {
            tell_unknown(&self.post, &text, about).await;
        }
        if let Some(session) = &mut self.active {
            session.lang = Some(answer.language);
        }
        self.say(Some(answer.text)).await;
        match (answer.expects_answer, is_understood) {
            (true, _) => self.listen().await,
            (false, true) => self.end(Reason::Nominal).await,
            (false, false) => self.end(Reason::NotRecognized).await,
        }
    }

    /// Has something said, and waits until it is.
    async fn say(&mut self, text: Option<String>) {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let id = new_id().to_string();
        let said = self.post.wait(format!("said/{id}"));
        let lang = self.active.as_ref().and_then(|session| session.lang.clone());
        self.tell("hermes/tts/say", json!({ "text": text, "lang": lang, "id": id })).await;
        said.at_most(SPEAKING).await;
    }

    /// Tells something about the session.
    async fn tell(&self, topic: &str, more: Value) {
        let mut told = self.about();
        lay_over(&mut told, more);
        self.post.tell(topic, &told).await;
    }

    fn about(&self) -> Value {
        let session = self.active.as_ref();
        json!({
            "siteId": self.name,
            "sessionId": session.map(|session| &session.id),
            "customData": session.and_then(|session| session.custom_data.as_ref()),
        })
    }

    fn is_active(&self, session: &str) -> bool {
        self.active.as_ref().is_some_and(|active| active.id == session)
    }

    fn is_listening(&self) -> bool {
        self.active.is_some() && self.listening.load(Ordering::Acquire) != 0
    }

    fn later(&self) -> Moment {
        self.manager.clock.moment() + PATIENCE
    }
}

fn meaning(answer: &DialogAnswer) -> Meaning {
    Meaning {
        intent: answer.intent.clone(),
        confidence: answer.confidence,
        slots: answer.slots.clone(),
        ..Meaning::default()
    }
}
