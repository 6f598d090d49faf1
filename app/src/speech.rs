//! Voice's ears and mouth as settings name them: engines of the speech toolkit, opened while the platform starts.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_core::{SharedClock, describe};
use ieum_speech::{
    AudioFormat, AudioLimits, ByLanguage, EngineOptions, Say, Synthesizer, Transcriber, open_synthesizer,
    open_transcriber,
};
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};
use tokio::sync::OnceCell;

/// Engines that listen, each asked for its languages.
pub struct EngineEars {
    urls: Vec<String>,
    clock: SharedClock,
    opened: OnceCell<ByLanguage<dyn Transcriber>>,
}

/// Engines that speak, each asked for its languages.
pub struct EngineMouth {
    urls: Vec<String>,
    clock: SharedClock,
    opened: OnceCell<ByLanguage<dyn Synthesizer>>,
}

/// Returns what listens; `None` where no engine is named. Reading a model takes a second, for which nobody waits; one
/// that cannot be opened is told, and tried again when it is asked.
pub fn ears(urls: &[String], clock: SharedClock) -> Option<Arc<dyn Ears>> {
    let ears = Arc::new(EngineEars { urls: named(urls)?, clock, opened: OnceCell::new() });
    let opening = Arc::clone(&ears);
    tokio::spawn(async move { tell(opening.engines().await.err()) });
    Some(ears)
}

/// Returns what speaks; `None` where no engine is named.
pub fn mouth(urls: &[String], clock: SharedClock) -> Option<Arc<dyn Mouth>> {
    let mouth = Arc::new(EngineMouth { urls: named(urls)?, clock, opened: OnceCell::new() });
    let opening = Arc::clone(&mouth);
    tokio::spawn(async move { tell(opening.engines().await.err()) });
    Some(mouth)
}

fn named(urls: &[String]) -> Option<Vec<String>> {
    (!urls.is_empty()).then(|| urls.to_vec())
}

fn tell(failed: Option<ieum_speech::SpeechError>) {
    if let Some(error) = failed {
        tracing::error!(error = %describe(&error), "opening a speech engine failed");
    }
}

fn failed(engine: &str, error: &ieum_speech::SpeechError) -> SpeechError {
    match error {
        ieum_speech::SpeechError::Busy { engine, .. } => SpeechError::Busy { engine: engine.clone() },
        other => SpeechError::Engine { engine: engine.to_owned(), problem: describe(other) },
    }
}

// === EngineEars ===

impl EngineEars {
    async fn engines(&self) -> Result<&ByLanguage<dyn Transcriber>, ieum_speech::SpeechError> {
        let open = async || {
            let mut engines = Vec::new();
            for url in &self.urls {
                engines.push(open_transcriber(url, EngineOptions::default(), self.clock.clone()).await?);
            }
            Ok(ByLanguage::new(engines))
        };
        self.opened.get_or_try_init(open).await
    }
}

#[async_trait]
impl Ears for EngineEars {
    async fn hear(&self, audio: Audio, language: Option<Tongue>) -> Result<Heard, SpeechError> {
        let engines = self.engines().await.map_err(|error| failed(&self.urls.join(", "), &error))?;
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

// === EngineMouth ===

impl EngineMouth {
    async fn engines(&self) -> Result<&ByLanguage<dyn Synthesizer>, ieum_speech::SpeechError> {
        let open = async || {
            let mut engines = Vec::new();
            for url in &self.urls {
                engines.push(open_synthesizer(url, EngineOptions::default(), self.clock.clone()).await?);
            }
            Ok(ByLanguage::new(engines))
        };
        self.opened.get_or_try_init(open).await
    }
}

#[async_trait]
impl Mouth for EngineMouth {
    async fn speak(&self, text: &str, language: Tongue) -> Result<Audio, SpeechError> {
        let engines = self.engines().await.map_err(|error| failed(&self.urls.join(", "), &error))?;
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
