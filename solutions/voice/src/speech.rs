//! What hearing and speaking need from an engine. Without one, text still works.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_speech::{AudioFormat, AudioLimits, Grammar, Hints, Transcriber};

use crate::tongue::Tongue;

/// A recording: one channel of 16-bit samples, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// The samples.
    pub samples: Bytes,
    /// Samples a second.
    pub rate: u32,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The words; empty where nobody spoke.
    pub text: String,
    /// The words that were heard freely, where `text` is a sentence that can be said and that they were led to. `None` too
    /// where the engine tells only the sentence.
    pub first: Option<String>,
    /// The language, where the engine finds it out.
    pub language: Option<Tongue>,
    /// How sure it is, 0 to 1, where the engine tells.
    pub confidence: Option<f64>,
}

impl Heard {
    /// Hears a recording by an engine of the speech toolkit. `hints`: the language that is expected, and what can be said.
    ///
    /// # Errors
    /// Those of the engine, and sound that is none.
    pub async fn by(
        engine: &dyn Transcriber,
        audio: &Audio,
        hints: &Hints,
    ) -> Result<Self, ieum_speech::SpeechError> {
        let format = AudioFormat::sixteen_bits(audio.rate);
        let samples = ieum_speech::Audio::from_pcm(&audio.samples, format, AudioLimits::default())?;
        let heard = engine.transcribe(samples, hints).await?;
        let expected = hints.language.as_deref().and_then(Tongue::of);
        let language = heard.language.as_deref().and_then(Tongue::of).or(expected);
        Ok(Self { text: heard.text, first: heard.first, language, confidence: None })
    }
}

/// Why an engine did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// It has too much to do.
    #[error("the speech engine {engine} has no room for another recording; try again in a moment")]
    Busy {
        /// The engine.
        engine: String,
    },
    /// The recording is longer than it listens at once.
    #[error("the speech engine {engine} listens for {longest:?} at once; send shorter pieces")]
    TooLong {
        /// The engine.
        engine: String,
        /// How long it listens.
        longest: Duration,
    },
    /// It lacks what it needs, which trying again does not change: a model, or the language.
    #[error("the speech engine {engine} is not there as it is set: {problem}")]
    Missing {
        /// The engine.
        engine: String,
        /// What is missing.
        problem: String,
    },
    /// It failed.
    #[error("the speech engine {engine} failed: {problem}")]
    Engine {
        /// The engine.
        engine: String,
        /// What it said.
        problem: String,
    },
}

/// Turns speech into text.
#[async_trait]
pub trait Ears: Send + Sync + 'static {
    /// Returns what was said. `language` is a guess of the caller's, `grammar` what can be said where that is known.
    async fn hear(
        &self,
        audio: Audio,
        language: Option<Tongue>,
        grammar: Option<Arc<Grammar>>,
    ) -> Result<Heard, SpeechError>;
}

/// Turns text into speech.
#[async_trait]
pub trait Mouth: Send + Sync + 'static {
    /// Returns `text` spoken.
    async fn speak(&self, text: &str, language: Tongue) -> Result<Audio, SpeechError>;
}

impl Audio {
    /// Returns its length in seconds: two bytes a sample.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 2.0 / f64::from(self.rate.max(1))
    }
}
