//! An agent that knows the weather, an ear that hears letters, and servers of both.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use futures::StreamExt;
use ieum_core::{Cx, Fault, SharedClock, system_clock};
use ieum_dialogflow::{
    Agent, Context, Detected, DialogflowServer, EntityType, Input, Intent, IntentRef, MemoryContexts,
    Message, Query, ServerOptions, SoundFormat, SoundStream, Speech, Transcriber, Transcript,
    TranscriptStream, Values,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What an agent does with a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    Answers,
    Hangs,
    Fails,
    Refuses,
}

/// Knows the weather of today, and of another day while the talk is of weather, in Korean and English.
pub struct Weather {
    pub name: &'static str,
    pub mood: Mutex<Mood>,
    pub asked: AtomicUsize,
}

/// Hears bytes as the letters they are.
pub struct Letters;

impl Weather {
    pub fn named(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, mood: Mutex::new(Mood::Answers), asked: AtomicUsize::new(0) })
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn say(&self, query: &Query) -> Detected {
        let said = match &query.input {
            Input::Text(text) => text.to_lowercase(),
            Input::Event { name, parameters } => return welcome(name, parameters),
            Input::Sound(sound) if query.payload.contains_key("whole") => {
                return Detected {
                    text: format!("kept {} bytes", sound.data.len()),
                    is_apart: true,
                    ..Detected::default()
                };
            }
            Input::Sound(sound) => format!("sound of {} bytes", sound.data.len()),
        };
        let korean = query.language == "ko";
        let day = ["tomorrow", "내일"].iter().any(|word| said.contains(word)).then_some("tomorrow");
        let topic = said.contains("weather") || said.contains("날씨");
        if !topic && (day.is_none() || query.context("weather").is_none()) {
            let text = if korean { "못 알아들었어요" } else { "I did not get that" };
            return Detected {
                text: text.into(),
                intent: Some(intent("0", "fallback", true)),
                ..Detected::default()
            };
        }
        let day = day.unwrap_or("today");
        let parameters = values(json!({"date": day, "days": 1, "by": self.name}));
        let text = if korean { format!("{day}: 맑아요") } else { format!("{day}: sunny") };
        let speech = query.speech.as_ref().map(|wish| Speech {
            encoding: wish.encoding,
            sample_rate: wish.sample_rate,
            data: Bytes::from_static(b"RIFF"),
        });
        Detected {
            intent: Some(intent("7", "weather", false)),
            confidence: 0.75,
            action: "weather.get".into(),
            contexts: vec![Context::new("weather", 2, parameters.clone())],
            parameters,
            complete: true,
            messages: vec![
                Message::Text(vec![text]),
                Message::Choices("?".into(), vec!["tomorrow".into(), "내일은?".into()]),
                Message::Payload(values(json!({"icon": "sun"}))),
            ],
            speech,
            ..Detected::default()
        }
    }
}

#[async_trait]
impl Agent for Weather {
    async fn detect(&self, _: &Cx, query: Query) -> Result<Detected, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock();
        match mood {
            Mood::Answers => Ok(self.say(&query)),
            Mood::Hangs => std::future::pending().await,
            Mood::Fails => Err(Fault::unavailable("test.down", "the weather is down")),
            Mood::Refuses => Err(Fault::permission_denied("test.closed", "this project is closed")),
        }
    }

    /// Takes sound that is said to be whole, and refuses what is said to be half.
    fn takes_sound(&self, query: &Query) -> Result<bool, Fault> {
        if query.payload.contains_key("half") {
            return Err(Fault::invalid_argument("test.half", "half is nothing"));
        }
        Ok(query.payload.contains_key("whole"))
    }

    async fn intents(&self, _: &Cx, language: &str) -> Result<Vec<Intent>, Fault> {
        let phrase = if language == "ko" { "오늘 날씨 어때?" } else { "how is the weather?" };
        let weather = Intent {
            reference: intent("7", "weather", false),
            phrases: vec![phrase.to_owned()],
            parameters: vec![("date".to_owned(), "sys.date".to_owned(), true)],
            ..Intent::default()
        };
        Ok(vec![weather, Intent { reference: intent("0", "fallback", true), ..Intent::default() }])
    }

    async fn entity_types(&self, _: &Cx, _: &str) -> Result<Vec<EntityType>, Fault> {
        let values = vec![("today".to_owned(), vec!["today".to_owned(), "오늘".to_owned()])];
        Ok(vec![EntityType { id: "3".to_owned(), display_name: "day".to_owned(), values }])
    }
}

impl Transcriber for Letters {
    fn transcribe(&self, _: &Cx, format: SoundFormat, sound: SoundStream) -> TranscriptStream {
        assert_eq!(format.sample_rate, 16_000, "the format arrives");
        let ended = futures::stream::iter([None]);
        let pieces = sound.map(Some).chain(ended).scan(Vec::new(), |heard: &mut Vec<u8>, piece| {
            let transcript = match piece {
                Some(Ok(piece)) => {
                    heard.extend_from_slice(&piece);
                    Ok(transcript(heard, false))
                }
                Some(Err(fault)) => Err(fault),
                None => Ok(transcript(heard, true)),
            };
            std::future::ready(Some(transcript))
        });
        pieces.boxed()
    }
}

fn transcript(heard: &[u8], is_final: bool) -> Transcript {
    let confidence = if is_final { 0.5 } else { 0.0 };
    Transcript { text: String::from_utf8_lossy(heard).into_owned(), is_final, confidence }
}

fn welcome(name: &str, parameters: &Values) -> Detected {
    Detected {
        text: format!("{name} {}", parameters.get("who").and_then(Value::as_str).unwrap_or("nobody")),
        intent: Some(intent("1", "welcome", false)),
        confidence: 1.0,
        complete: true,
        ..Detected::default()
    }
}

fn intent(id: &str, name: &str, is_fallback: bool) -> IntentRef {
    IntentRef { id: id.into(), display_name: name.into(), is_fallback, ends: false }
}

pub fn values(value: Value) -> Values {
    value.as_object().cloned().expect("is an object")
}

/// Serves `router` on a free port.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Returns a server of `agent` under `clock`.
pub fn server_of(agent: Arc<dyn Agent>, clock: SharedClock) -> DialogflowServer {
    let contexts = Arc::new(MemoryContexts::new(clock.clone()));
    DialogflowServer::new(agent, contexts, ServerOptions::default(), clock)
}

/// Serves the weather, with the ear.
pub async fn weather() -> SocketAddr {
    let server = server_of(Weather::named("far"), system_clock()).with_transcriber(Arc::new(Letters));
    serve(server.router()).await
}
