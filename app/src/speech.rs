//! Voice's ears and mouth as settings name them: engines of the speech toolkit, opened while the platform starts.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::BoxFuture;
use ieum_core::{SharedClock, describe};
use ieum_speech::{
    AudioFormat, AudioLimits, ByLanguage, EngineOptions, Say, Synthesizer, Transcriber, open_synthesizer,
    open_transcriber,
};
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};
use tokio::sync::OnceCell;

/// Engines of one kind, opened once.
struct Engines<T: ?Sized> {
    urls: Vec<String>,
    clock: SharedClock,
    open: Open<T>,
    opened: OnceCell<ByLanguage<T>>,
}

/// How a URL becomes an engine.
type Open<T> = fn(String, SharedClock) -> BoxFuture<'static, Result<Arc<T>, ieum_speech::SpeechError>>;

/// Returns what listens; `None` where no engine is named.
pub fn ears(urls: &[String], clock: SharedClock) -> Option<Arc<dyn Ears>> {
    let open: Open<dyn Transcriber> =
        |url, clock| async move { open_transcriber(&url, EngineOptions::default(), clock).await }.boxed();
    let ears: Arc<dyn Ears> = Engines::opening(urls, clock, open)?;
    Some(ears)
}

/// Returns what speaks; `None` where no engine is named.
pub fn mouth(urls: &[String], clock: SharedClock) -> Option<Arc<dyn Mouth>> {
    let open: Open<dyn Synthesizer> =
        |url, clock| async move { open_synthesizer(&url, EngineOptions::default(), clock).await }.boxed();
    let mouth: Arc<dyn Mouth> = Engines::opening(urls, clock, open)?;
    Some(mouth)
}

// === Engines ===

impl<T: ?Sized + Send + Sync + 'static> Engines<T> {
    /// Begins to open `urls`. Reading a model takes a second, for which nobody waits; one that cannot be opened is
    /// told, and tried again when it is asked.
    fn opening(urls: &[String], clock: SharedClock, open: Open<T>) -> Option<Arc<Self>> {
        if urls.is_empty() {
            return None;
        }
        let engines = Arc::new(Self { urls: urls.to_vec(), clock, open, opened: OnceCell::new() });
        let opening = Arc::clone(&engines);
        tokio::spawn(async move {
            if let Err(error) = opening.all().await {
                tracing::error!(%error, "opening a speech engine failed");
            }
        });
        Some(engines)
    }

    async fn all(&self) -> Result<&ByLanguage<T>, SpeechError> {
        let open = async || {
            let mut engines = Vec::new();
            for url in &self.urls {
                engines.push((self.open)(url.clone(), self.clock.clone()).await?);
            }
            Ok(ByLanguage::new(engines))
        };
        self.opened.get_or_try_init(open).await.map_err(|error| failed(&self.urls.join(", "), &error))
    }
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
