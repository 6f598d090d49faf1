//! Satellites: small devices with a microphone and a speaker that run `wyoming-satellite` as it is. They wait to be
//! called, stream what they hear, and play what they are sent.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{SharedClock, Watch, describe};
use serde_json::{Value, json};
use tokio::net::tcp::OwnedWriteHalf;
use tokio_util::sync::CancellationToken;

use super::event::{WyomingEvent, write_event};
use super::reach::{Reached, SatelliteLost, reach};
use crate::engine::{Say, Synthesizer, Transcriber, Transcript};
use crate::{AudioFormat, Gate, Heard, Listener, ListenerOptions, SpeechError};

/// Bytes of speech sent at once.
const CHUNK: usize = 4_096;
/// How much longer than what it plays lasts a satellite may take to say that it has played it. One that never says so again
/// would stay deaf.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers who speaks at a satellite.
#[async_trait]
pub trait Conversation: Send + Sync + 'static {
    /// Returns what to say to that; nothing to stay silent.
    async fn answer(&self, heard: &Transcript) -> Option<Say>;

    /// Waits for something to say without being asked, such as that a timer rang. It is dropped and asked again whenever
    /// something else happens meanwhile.
    async fn unasked(&self) -> Say {
        std::future::pending().await
    }
}

/// How satellites are served.
#[derive(Clone, Debug)]
pub struct SatelliteOptions {
    /// How to listen.
    pub listener: ListenerOptions,
    /// How long after our own voice the room is taken to echo.
    pub echo: Duration,
    /// How long a satellite may be silent before it is asked whether it is there, and again before it is given up.
    pub silent: Duration,
    /// How long to wait before calling again one that is not there.
    pub again: Duration,
}

/// The far end of one satellite.
pub struct WyomingSatellite {
    /// Where it waits, as `host:port`.
    pub address: String,
    /// Listens.
    pub transcriber: Arc<dyn Transcriber>,
    /// Speaks.
    pub synthesizer: Arc<dyn Synthesizer>,
    /// Answers.
    pub conversation: Arc<dyn Conversation>,
    /// How it is served.
    pub options: SatelliteOptions,
    /// Tells the time.
    pub clock: SharedClock,
    /// Is told how it fares.
    pub watch: Watch,
}

struct Call<'a> {
    satellite: &'a WyomingSatellite,
    writer: OwnedWriteHalf,
    listener: Option<(AudioFormat, Listener)>,
    gate: Gate,
    /// It says when it has played, which not every version does.
    tells_played: bool,
}

// === SatelliteOptions ===

impl Default for SatelliteOptions {
    fn default() -> Self {
        Self {
            listener: ListenerOptions::default(),
            echo: Duration::from_millis(300),
            silent: Duration::from_secs(30),
            again: Duration::from_secs(5),
        }
    }
}

// === WyomingSatellite ===

impl WyomingSatellite {
    /// Serves the satellite until `stop`, and calls it again whenever the connection is lost.
    pub async fn run(&self, stop: CancellationToken) {
        // What went wrong when the log last said so, and whether the call before came to a first word.
        let (mut told, mut was_reached) = (None, false);
        loop {
            let begun = self.clock.moment();
            let lost = tokio::select! {
                lost = self.call(was_reached) => lost,
                () = stop.cancelled() => return,
            };
            was_reached = self.watch.problem().is_none();
            if was_reached && self.clock.moment().since(begun) > self.options.silent {
                told = None;
            }
            let (problem, kind) = (lost.advised(), Some(std::mem::discriminant(&lost)));
            if std::mem::replace(&mut told, kind) == kind {
                tracing::debug!(address = %self.address, problem, "satellite still lost");
            } else {
                let again = self.options.again;
                tracing::warn!(address = %self.address, problem, ?again, "satellite lost; it is called again");
            }
            self.watch.tell(Some(problem), self.clock.now());
            tokio::select! {
                () = self.clock.sleep(self.options.again) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Calls it and talks with it until that ends. `again`: the last call came as far, so that this is no news.
    async fn call(&self, again: bool) -> SatelliteLost {
        let reached = match reach(&self.address, &self.clock).await {
            Ok(reached) => reached,
            Err(lost) => return lost,
        };
        self.watch.tell(None, self.clock.now());
        if !again {
            tracing::info!(address = %self.address, "satellite reached");
        }
        let address = self.address.clone();
        match self.talk(reached).await {
            Err(source) => SatelliteLost::Talk { address, source },
            Ok(()) => SatelliteLost::HungUp { address },
        }
    }

    async fn talk(&self, reached: Reached) -> Result<(), SpeechError> {
        let Reached { mut reader, writer, first } = reached;
        let gate = Gate::new(self.options.echo);
        let mut call = Call { satellite: self, writer, listener: None, gate, tells_played: false };
        call.take(first).await?;
        let mut asked = false;
        loop {
            tokio::select! {
                event = reader.next() => {
                    asked = false;
                    let Some(event) = event? else { return Ok(()) };
                    call.take(event).await?;
                }
                say = self.conversation.unasked() => call.speak(&say).await?,
                () = self.clock.sleep(self.options.silent) => {
                    if std::mem::replace(&mut asked, true) {
                        let after = 2 * self.options.silent;
                        return Err(SpeechError::Late { engine: self.address.clone(), after });
                    }
                    call.send("ping", json!({ "text": "" })).await?;
                }
            }
        }
    }

    fn unreachable(&self, source: io::Error) -> SpeechError {
        SpeechError::Unreachable { address: self.address.clone(), source }
    }
}

// === Call ===

impl Call<'_> {
    async fn take(&mut self, event: WyomingEvent) -> Result<(), SpeechError> {
        match event.kind.as_str() {
            "ping" => self.send("pong", json!({ "text": event.text("text") })).await,
            "audio-chunk" => self.hear(&event).await,
            "played" => {
                self.tells_played = true;
                self.gate.is_told(self.satellite.clock.moment());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn hear(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        let format: AudioFormat = event.read()?;
        if self.listener.as_ref().is_none_or(|(known, _)| *known != format) {
            let transcriber = Arc::clone(&self.satellite.transcriber);
            let options = self.satellite.options.listener.clone();
            self.listener = Some((format, Listener::new(transcriber, format, options)?));
        }
        let Some((_, listener)) = &mut self.listener else { return Ok(()) };
        if !self.gate.is_open(self.satellite.clock.moment()) {
            return listener.ignore(&event.payload);
        }
        // What an engine could not do is told; the satellite goes on.
        let heard = match listener.hear(&event.payload).await {
            Ok(heard) => heard,
            Err(error) => return self.send("error", json!({ "text": describe(&error) })).await,
        };
        for heard in heard {
            match heard {
                Heard::Began => self.send("voice-started", json!({})).await?,
                Heard::Partial { .. } => {}
                Heard::Ended(transcript) => self.answer(&transcript).await?,
            }
        }
        Ok(())
    }

    async fn answer(&mut self, transcript: &Transcript) -> Result<(), SpeechError> {
        self.send("voice-stopped", json!({})).await?;
        let data = json!({ "text": transcript.text, "language": transcript.language });
        self.send("transcript", data).await?;
        if transcript.text.is_empty() {
            return Ok(());
        }
        match self.satellite.conversation.answer(transcript).await {
            Some(say) => self.speak(&say).await,
            None => Ok(()),
        }
    }

    async fn speak(&mut self, say: &Say) -> Result<(), SpeechError> {
        self.send("synthesize", json!({ "text": say.text })).await?;
        match self.satellite.synthesizer.synthesize(say).await {
            Ok(spoken) => {
                let format = json!({
                    "rate": spoken.format.rate, "width": spoken.format.width, "channels": spoken.format.channels,
                });
                self.send("audio-start", format.clone()).await?;
                let length = Duration::from_secs_f64(spoken.seconds());
                let now = self.satellite.clock.moment();
                self.gate.speak(now, length);
                if self.tells_played {
                    self.gate.waits_to_be_told(now, PATIENCE);
                }
                for start in (0..spoken.pcm.len()).step_by(CHUNK) {
                    let chunk: Bytes = spoken.pcm.slice(start..(start + CHUNK).min(spoken.pcm.len()));
                    let event = WyomingEvent::new("audio-chunk", format.clone()).with_payload(chunk);
                    self.write(&event).await?;
                }
                self.send("audio-stop", json!({})).await
            }
            Err(error) => self.send("error", json!({ "text": describe(&error) })).await,
        }
    }

    async fn send(&mut self, kind: &str, data: Value) -> Result<(), SpeechError> {
        self.write(&WyomingEvent::new(kind, data)).await
    }

    async fn write(&mut self, event: &WyomingEvent) -> Result<(), SpeechError> {
        write_event(&mut self.writer, event).await.map_err(|source| self.satellite.unreachable(source))
    }
}
