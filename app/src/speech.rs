//! Voice's ears and mouth as settings name them: engines of the speech toolkit, opened while the platform starts.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use ieum_core::{SharedClock, describe};
use ieum_speech::{
    AudioFormat, AudioLimits, ByLanguage, Engine, EngineOptions, Say, Spoken, Synthesizer, Transcriber,
    Transcript, open_synthesizer, open_transcriber,
};
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};
use tokio::sync::OnceCell;

/// Engines of one kind, opened once.
pub struct Engines<T: ?Sized> {
    urls: Vec<String>,
    clock: SharedClock,
    opener: Open<T>,
    opened: OnceCell<ByLanguage<T>>,
}

/// Engines that listen.
pub type EngineEars = Engines<dyn Transcriber>;
/// Engines that speak.
pub type EngineMouth = Engines<dyn Synthesizer>;

/// How a URL becomes an engine.
type Open<T> = fn(String, SharedClock) -> BoxFuture<'static, Result<Arc<T>, ieum_speech::SpeechError>>;

/// Returns what listens; `None` where no engine is named.
pub fn ears(urls: &[String], clock: SharedClock) -> Option<Arc<EngineEars>> {
    let open: Open<dyn Transcriber> =
        |url, clock| async move { open_transcriber(&url, EngineOptions::default(), clock).await }.boxed();
    Engines::opening(urls, clock, open)
}

/// Returns what speaks; `None` where no engine is named.
pub fn mouth(urls: &[String], clock: SharedClock) -> Option<Arc<EngineMouth>> {
    let open: Open<dyn Synthesizer> =
        |url, clock| async move { open_synthesizer(&url, EngineOptions::default(), clock).await }.boxed();
    Engines::opening(urls, clock, open)
}

// === Engines ===

impl<T: ?Sized + Send + Sync + 'static> Engines<T> {
    /// Begins to open `urls`. Reading a model takes a second, for which nobody waits; one that cannot be opened is
    /// told, and tried again when it is asked.
    fn opening(urls: &[String], clock: SharedClock, open: Open<T>) -> Option<Arc<Self>> {
        if urls.is_empty() {
            return None;
        }
        let engines = Arc::new(Self { urls: urls.to_vec(), clock, opener: open, opened: OnceCell::new() });
        let opening = Arc::clone(&engines);
        tokio::spawn(async move {
            if let Err(error) = opening.all().await {
                tracing::error!(%error, "opening a speech engine failed");
            }
        });
        Some(engines)
    }

    async fn all(&self) -> Result<&ByLanguage<T>, SpeechError> {
        self.open().await.map_err(|error| failed(&self.urls.join(", "), &error))
    }

    async fn open(&self) -> Result<&ByLanguage<T>, ieum_speech::SpeechError> {
        let open = async || {
            let mut engines = Vec::new();
            for url in &self.urls {
                engines.push((self.opener)(url.clone(), self.clock.clone()).await?);
            }
            Ok(ByLanguage::new(engines))
        };
        self.opened.get_or_try_init(open).await
    }
}

/// Returns what engines say of themselves that are not open yet: the languages that dialogues have.
fn unopened() -> Engine {
    Engine { name: "ieum".to_owned(), languages: vec!["ko".to_owned(), "en".to_owned()] }
}

fn failed(engine: &str, error: &ieum_speech::SpeechError) -> SpeechError {
    match error {
        ieum_speech::SpeechError::Busy { engine, .. } => SpeechError::Busy { engine: engine.clone() },
        other => SpeechError::Engine { engine: engine.to_owned(), problem: describe(other) },
    }
}

#[async_trait]
impl Ears for Engines<dyn Transcriber> {
    async fn hear(&self, audio: Audio, language: Option<Tongue>) -> Result<Heard, SpeechError> {
        let engines = self.all().await?;
        let name = engines.engine().name;
        let format = AudioFormat::sixteen_bits(audio.rate);
        let samples = ieum_speech::Audio::from_pcm(&audio.samples, format, AudioLimits::default());
        let samples = samples.map_err(|error| failed(&name, &error))?;
        let heard = engines.transcribe(samples, language.map(Tongue::code)).await;
        let heard = heard.map_err(|error| failed(&name, &error))?;
        let language = heard.language.as_deref().and_then(Tongue::of).or(language);
        Ok(Heard { text: heard.text, language, confidence: None })
    }
}

#[async_trait]
impl Transcriber for Engines<dyn Transcriber> {
    fn engine(&self) -> Engine {
        self.opened.get().map_or_else(unopened, Transcriber::engine)
    }

    async fn transcribe(
        &self,
        audio: ieum_speech::Audio,
        language: Option<&str>,
    ) -> Result<Transcript, ieum_speech::SpeechError> {
        self.open().await?.transcribe(audio, language).await
    }
}

#[async_trait]
impl Mouth for Engines<dyn Synthesizer> {
    async fn speak(&self, text: &str, language: Tongue) -> Result<Audio, SpeechError> {
        let engines = self.all().await?;
        let name = engines.engine().name;
        let say = Say { text: text.to_owned(), language: Some(language.code().to_owned()), voice: None };
        let spoken = engines.synthesize(&say).await.map_err(|error| failed(&name, &error))?;
        let format = spoken.format;
        // Engines that speak make one channel of 16 bits; any other is brought to that.
        if format == AudioFormat::sixteen_bits(format.rate) {
            return Ok(Audio { samples: spoken.pcm, rate: format.rate });
        }
        let longest = AudioLimits { longest: std::time::Duration::from_secs(300) };
        let samples = ieum_speech::Audio::from_pcm(&spoken.pcm, format, longest);
        let samples = samples.map_err(|error| failed(&name, &error))?;
        Ok(Audio { samples: samples.to_pcm().into(), rate: ieum_speech::RATE })
    }
}

#[async_trait]
impl Synthesizer for Engines<dyn Synthesizer> {
    fn engine(&self) -> Engine {
        self.opened.get().map_or_else(unopened, Synthesizer::engine)
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, ieum_speech::SpeechError> {
        self.open().await?.synthesize(say).await
    }
}
