//! What an engine that listens and an engine that speaks can do, whichever it is.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Audio, AudioFormat, Grammar, SpeechError};

/// What an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Its name, such as `moonshine-tiny`.
    pub name: String,
    /// The languages it does, as two letters of ISO 639-1. The first is what it takes without being told.
    pub languages: Vec<String>,
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The words; empty where nothing was understood.
    pub text: String,
    /// The words that were heard freely, where [`text`](Self::text) is a sentence of [`Hints::grammar`] that they were led
    /// to. `None` too where the engine tells none, such as one that is asked over the network.
    pub first: Option<String>,
    /// The language, as two letters of ISO 639-1, where the engine knows it.
    pub language: Option<String>,
    /// Why there are no words, where the engine heard something and does not trust it.
    pub rejected: Option<Rejection>,
}

/// Why a text was not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// Nobody spoke.
    Silence,
    /// It was another language than the one to be heard, or a noise.
    Foreign,
    /// The same words over and over, as models do on noise.
    Repeats,
}

/// What is known of speech before it is heard.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The language, as two letters of ISO 639-1, or the engine's own choice.
    pub language: Option<String>,
    /// What can be said. What is heard becomes the sentence that was meant where one is likely enough, and stays as it
    /// was heard where none is. An engine that cannot listen for sentences leads back by their letters alone.
    pub grammar: Option<Arc<Grammar>>,
}

/// Something that turns speech into text.
///
/// Dropping the future of [`transcribe`](Self::transcribe) stops the work soon after.
#[async_trait]
pub trait Transcriber: Send + Sync + 'static {
    /// Says what it is.
    fn engine(&self) -> Engine;

    /// Returns what is said in `audio`.
    ///
    /// # Errors
    /// [`SpeechError::Language`] for a language that it does not do, [`SpeechError::Busy`] when too much is asked
    /// at once, and the engine's own.
    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError>;
}

/// What to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Say {
    /// Plain text, or SSML where it begins with `<speak`.
    pub text: String,
    /// The language, as two letters of ISO 639-1, or the engine's own choice.
    pub language: Option<String>,
    /// The voice, as the engine calls it.
    pub voice: Option<String>,
}

/// Speech that was made: signed PCM, little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// How the samples lie.
    pub format: AudioFormat,
    /// The samples.
    pub pcm: bytes::Bytes,
}

/// Something that turns text into speech.
///
/// Dropping the future of [`synthesize`](Self::synthesize) stops the work soon after.
#[async_trait]
pub trait Synthesizer: Send + Sync + 'static {
    /// Says what it is.
    fn engine(&self) -> Engine;

    /// Returns `say` spoken.
    ///
    /// # Errors
    /// [`SpeechError::Text`] for a text that is empty, too long or no SSML we know, and the engine's own.
    async fn synthesize(&self, say: &Say) -> Result<Spoken, SpeechError>;
}

// === Transcript ===

impl Transcript {
    /// Takes `sentence` for what was meant, and remembers what was heard.
    pub(crate) fn led_to(&mut self, sentence: String) {
        self.first = Some(std::mem::replace(&mut self.text, sentence));
    }
}

// === Hints ===

impl Hints {
    /// Knows the language alone.
    pub fn language(language: impl Into<String>) -> Self {
        Self { language: Some(language.into()), grammar: None }
    }

    /// Knows what can be said besides.
    #[must_use]
    pub fn with_grammar(mut self, grammar: Arc<Grammar>) -> Self {
        self.grammar = Some(grammar);
        self
    }

    /// Returns a text as the sentence that has its letters, where one of those that can be said has: what engines do
    /// that cannot listen for sentences.
    pub fn led_by_letters(&self, text: String) -> String {
        let sentence = self.grammar.as_ref().and_then(|grammar| grammar.taken(&text));
        sentence.unwrap_or(text)
    }
}

// === Spoken ===

impl Spoken {
    /// Returns the speech as a WAV file.
    pub fn to_wav(&self) -> Vec<u8> {
        crate::audio::write_wav(self.format, &self.pcm)
    }

    /// Returns how long it takes to say, in seconds.
    pub fn seconds(&self) -> f64 {
        self.pcm.len() as f64 / f64::from(self.format.bytes_per_second().max(1))
    }
}
