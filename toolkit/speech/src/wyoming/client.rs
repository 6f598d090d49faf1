//! Engines of other processes, asked by the Wyoming protocol: one connection for each question.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{SharedClock, within};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::event::{WyomingEvent, WyomingReader, write_event};
use super::info::engine_in;
use crate::engine::{Engine, Hints, Say, Spoken, Synthesizer, Transcriber, Transcript};
use crate::ssml::Speech;
use crate::{Audio, AudioFormat, RATE, SpeechError};

/// Bytes of samples sent at once: 64 ms.
const CHUNK: usize = 2_048;

/// The most bytes of speech that are taken from an engine.
const MOST_SPEECH: usize = 64 * 1024 * 1024;

/// Listens by an engine of another process.
pub struct WyomingTranscriber {
    place: Place,
    engine: Engine,
}

/// Speaks by an engine of another process, such as Piper.
pub struct WyomingSynthesizer {
    place: Place,
    engine: Engine,
}

struct Place {
    address: String,
    patience: Duration,
    clock: SharedClock,
}

struct Line {
    reader: WyomingReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    address: String,
}

// === WyomingTranscriber ===

impl WyomingTranscriber {
    /// Asks the engine at `address` (`host:port`) what it does. It has `patience` for every answer.
    ///
    /// # Errors
    /// [`SpeechError::Unreachable`] and [`SpeechError::Late`] when nobody answers there, [`SpeechError::Engine`]
    /// when it does not listen.
    pub async fn open(address: &str, patience: Duration, clock: SharedClock) -> Result<Self, SpeechError> {
        let place = Place { address: address.to_owned(), patience, clock };
        let engine = place.describe("asr", "models").await?;
        Ok(Self { place, engine })
    }
}

#[async_trait]
impl Transcriber for WyomingTranscriber {
    fn engine(&self) -> Engine {
        self.engine.clone()
    }

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        self.place.within(transcribe(&self.place, &audio, hints)).await
    }
}

async fn transcribe(place: &Place, audio: &Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
    let language = hints.language.as_deref();
    let mut line = place.connect().await?;
    let asked = language.map_or_else(|| json!({}), |language| json!({ "language": language }));
    line.send(WyomingEvent::new("transcribe", asked)).await?;
    let format = json!({ "rate": RATE, "width": 2, "channels": 1 });
    line.send(WyomingEvent::new("audio-start", format.clone())).await?;
    let pcm = Bytes::from(audio.to_pcm());
    for start in (0..pcm.len()).step_by(CHUNK) {
        let chunk = pcm.slice(start..(start + CHUNK).min(pcm.len()));
        line.send(WyomingEvent::new("audio-chunk", format.clone()).with_payload(chunk)).await?;
    }
    line.send(WyomingEvent::new("audio-stop", json!({}))).await?;
    let said = line.until("transcript").await?;
    let text = hints.led_by_letters(said.text("text").unwrap_or_default().trim().to_owned());
    let language = said.text("language").or(language).map(str::to_owned);
    Ok(Transcript { text, language, ..Transcript::default() })
}

// === WyomingSynthesizer ===

impl WyomingSynthesizer {
    /// Asks the engine at `address` (`host:port`) what it does. It has `patience` for every answer.
    ///
    /// # Errors
    /// Those of [`WyomingTranscriber::open`].
    pub async fn open(address: &str, patience: Duration, clock: SharedClock) -> Result<Self, SpeechError> {
        let place = Place { address: address.to_owned(), patience, clock };
        let engine = place.describe("tts", "voices").await?;
        Ok(Self { place, engine })
    }
}

#[async_trait]
impl Synthesizer for WyomingSynthesizer {
    fn engine(&self) -> Engine {
        self.engine.clone()
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, SpeechError> {
        // Few engines know SSML, so that all get the words alone.
        let words = Speech::read(&say.text)?.words();
        let mut asked = json!({ "text": words });
        if let Some(voice) = &say.voice {
            asked["voice"] = json!({ "name": voice });
        } else if let Some(language) = &say.language {
            asked["voice"] = json!({ "language": language });
        }
        self.place.within(synthesize(&self.place, asked)).await
    }
}

async fn synthesize(place: &Place, asked: Value) -> Result<Spoken, SpeechError> {
    let mut line = place.connect().await?;
    line.send(WyomingEvent::new("synthesize", asked)).await?;
    let format: AudioFormat = line.until("audio-start").await?.read()?;
    let mut pcm = Vec::new();
    loop {
        let event = line.next().await?;
        match event.kind.as_str() {
            "audio-chunk" => pcm.extend_from_slice(&event.payload),
            "audio-stop" => return Ok(Spoken { format, pcm: pcm.into() }),
            _ => {}
        }
        if pcm.len() > MOST_SPEECH {
            return Err(place.failed("speaking", "it does not end".to_owned()));
        }
    }
}

// === Place ===

impl Place {
    async fn connect(&self) -> Result<Line, SpeechError> {
        let stream = TcpStream::connect(&self.address).await;
        let stream =
            stream.map_err(|source| SpeechError::Unreachable { address: self.address.clone(), source })?;
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Ok(Line { reader: WyomingReader::new(reader), writer, address: self.address.clone() })
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, SpeechError>> + Send,
    ) -> Result<T, SpeechError> {
        within(&self.clock, self.clock.moment() + self.patience, work)
            .await
            .unwrap_or_else(|| Err(SpeechError::Late { engine: self.address.clone(), after: self.patience }))
    }

    async fn describe(&self, what: &str, parts: &str) -> Result<Engine, SpeechError> {
        let asked = async {
            let mut line = self.connect().await?;
            line.send(WyomingEvent::new("describe", json!({}))).await?;
            line.until("info").await
        };
        let info = self.within(asked).await?;
        engine_in(&info, what, parts).ok_or_else(|| self.failed("describing", format!("it offers no {what}")))
    }

    fn failed(&self, step: &'static str, problem: String) -> SpeechError {
        SpeechError::Engine { engine: self.address.clone(), step, problem }
    }
}

// === Line ===

impl Line {
    async fn send(&mut self, event: WyomingEvent) -> Result<(), SpeechError> {
        write_event(&mut self.writer, &event)
            .await
            .map_err(|source| SpeechError::Unreachable { address: self.address.clone(), source })
    }

    /// Returns the next event; an `error` as an error.
    async fn next(&mut self) -> Result<WyomingEvent, SpeechError> {
        let failed = |problem: String| SpeechError::Engine {
            engine: self.address.clone(),
            step: "an answer",
            problem,
        };
        match self.reader.next().await? {
            Some(event) if event.kind == "error" => {
                Err(failed(event.text("text").unwrap_or("it failed").to_owned()))
            }
            Some(event) => Ok(event),
            None => Err(failed("the connection ended".to_owned())),
        }
    }

    /// Returns the next event of this kind, passing over others.
    async fn until(&mut self, kind: &str) -> Result<WyomingEvent, SpeechError> {
        loop {
            let event = self.next().await?;
            if event.kind == kind {
                return Ok(event);
            }
        }
    }
}
