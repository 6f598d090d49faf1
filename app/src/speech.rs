//! Voice's ears and mouth as settings name them: engines of the speech toolkit, opened while the platform starts.

use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use ieum_core::{SharedClock, describe};
use ieum_speech::{
    AudioFormat, AudioLimits, Engine, EngineOptions, Grammar, Hints, Say, Spoken, Synthesizer, Transcriber,
    Transcript, open_synthesizer, open_transcriber, read_engine_url,
};
use ieum_voice::{Audio, Ears, Heard, Mouth, SpeechError, Tongue};

use crate::engines::{Engines, Kind, Unopened};
use crate::ml_ear::{self, MlEar};

/// Engines that listen.
pub type EngineEars = Engines<dyn Transcriber>;
/// Engines that speak.
pub type EngineMouth = Engines<dyn Synthesizer>;

/// Returns what listens; `None` where no engine is named.
pub fn ears(urls: &[String], clock: &SharedClock) -> Option<Arc<EngineEars>> {
    let kind = Kind::<dyn Transcriber> {
        name: "ears",
        open: |url, clock| open_ear(url, clock).boxed(),
        says: |engine| engine.engine(),
        languages,
    };
    Engines::opening(urls, clock, &kind)
}

/// Opens an engine that listens, of the speech toolkit or an `MLService`.
pub async fn open_ear(
    url: String,
    clock: SharedClock,
) -> Result<Arc<dyn Transcriber>, ieum_speech::SpeechError> {
    match MlEar::open(&url, clock.clone())? {
        Some(ear) => Ok(Arc::new(ear)),
        None => open_transcriber(&url, EngineOptions::default(), clock).await,
    }
}

/// Opens an engine that speaks.
pub async fn open_voice(
    url: String,
    clock: SharedClock,
) -> Result<Arc<dyn Synthesizer>, ieum_speech::SpeechError> {
    open_synthesizer(&url, EngineOptions::default(), clock).await
}

/// Returns what speaks; `None` where no engine is named.
pub fn mouth(urls: &[String], clock: &SharedClock) -> Option<Arc<EngineMouth>> {
    let kind = Kind::<dyn Synthesizer> {
        name: "mouth",
        open: |url, clock| open_voice(url, clock).boxed(),
        says: |engine| engine.engine(),
        languages,
    };
    Engines::opening(urls, clock, &kind)
}

/// Tells from the URL of an engine which languages it does; `None` where only the engine knows.
pub fn languages(url: &str) -> Option<Vec<String>> {
    ml_ear::languages(url).or_else(|| read_engine_url(url).ok()?.languages)
}

impl Unopened {
    fn told(&self) -> SpeechError {
        failed(&self.url, &self.error)
    }
}

fn failed(engine: &str, error: &ieum_speech::SpeechError) -> SpeechError {
    match error {
        ieum_speech::SpeechError::Busy { engine, .. } => SpeechError::Busy { engine: engine.clone() },
        ieum_speech::SpeechError::TooLong { limit } => {
            SpeechError::TooLong { engine: engine.to_owned(), longest: *limit }
        }
        missing @ (ieum_speech::SpeechError::Url { .. }
        | ieum_speech::SpeechError::Model { .. }
        | ieum_speech::SpeechError::Language { .. }
        | ieum_speech::SpeechError::Missing { .. }) => {
            SpeechError::Missing { engine: engine.to_owned(), problem: describe(missing) }
        }
        other => SpeechError::Engine { engine: engine.to_owned(), problem: describe(other) },
    }
}

#[async_trait]
impl Ears for Engines<dyn Transcriber> {
    async fn hear(
        &self,
        audio: Audio,
        language: Option<Tongue>,
        grammar: Option<Arc<Grammar>>,
    ) -> Result<Heard, SpeechError> {
        let hints = Hints { language: language.map(|tongue| tongue.code().to_owned()), grammar };
        let engine = self.of(hints.language.as_deref()).await.map_err(|unopened| unopened.told())?;
        let name = engine.engine().name;
        Heard::by(&*engine, &audio, &hints).await.map_err(|error| failed(&name, &error))
    }
}

#[async_trait]
impl Transcriber for Engines<dyn Transcriber> {
    fn engine(&self) -> Engine {
        Engines::engine(self)
    }

    async fn transcribe(
        &self,
        audio: ieum_speech::Audio,
        hints: &Hints,
    ) -> Result<Transcript, ieum_speech::SpeechError> {
        let engine = self.of(hints.language.as_deref()).await.map_err(|unopened| unopened.error)?;
        engine.transcribe(audio, hints).await
    }
}

#[async_trait]
impl Mouth for Engines<dyn Synthesizer> {
    async fn speak(&self, text: &str, language: Tongue) -> Result<Audio, SpeechError> {
        let engine = self.of(Some(language.code())).await.map_err(|unopened| unopened.told())?;
        let name = engine.engine().name;
        let say = Say { text: text.to_owned(), language: Some(language.code().to_owned()), voice: None };
        let spoken = engine.synthesize(&say).await.map_err(|error| failed(&name, &error))?;
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
        Engines::engine(self)
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, ieum_speech::SpeechError> {
        let engine = self.of(say.language.as_deref()).await.map_err(|unopened| unopened.error)?;
        engine.synthesize(say).await
    }
}
