//! Several engines as one: each language goes to the engine that does it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::engine::{Engine, Say, Spoken, Synthesizer, Transcriber, Transcript};
use crate::{Audio, Grammar, SpeechError};

/// Engines, asked by language: the first that does it. Without a language the first of all is asked.
pub struct ByLanguage<T: ?Sized> {
    engines: Vec<Arc<T>>,
}

// === ByLanguage ===

impl<T: ?Sized> ByLanguage<T> {
    /// Joins `engines`; an earlier one goes first.
    pub fn new(engines: Vec<Arc<T>>) -> Self {
        Self { engines }
    }

    fn choose(&self, language: Option<&str>, says: impl Fn(&T) -> Engine) -> Result<&Arc<T>, SpeechError> {
        let does = |engine: &&Arc<T>| match language {
            Some(language) => says(engine).languages.iter().any(|known| known == language),
            None => true,
        };
        self.engines.iter().find(does).ok_or_else(|| {
            let known = joined(&self.engines, &says).languages;
            SpeechError::Language {
                language: language.unwrap_or_default().to_owned(),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            }
        })
    }
}

fn joined<T: ?Sized>(engines: &[Arc<T>], says: impl Fn(&T) -> Engine) -> Engine {
    let mut whole = Engine { name: String::new(), languages: Vec::new() };
    for engine in engines.iter().map(|engine| says(engine)) {
        if !whole.name.is_empty() {
            whole.name.push('+');
        }
        whole.name.push_str(&engine.name);
        for language in engine.languages {
            if !whole.languages.contains(&language) {
                whole.languages.push(language);
            }
        }
    }
    whole
}

#[async_trait]
impl Transcriber for ByLanguage<dyn Transcriber> {
    fn engine(&self) -> Engine {
        joined(&self.engines, |engine| engine.engine())
    }

    async fn transcribe(&self, audio: Audio, language: Option<&str>) -> Result<Transcript, SpeechError> {
        self.choose(language, |engine| engine.engine())?.transcribe(audio, language).await
    }

    async fn transcribe_by(
        &self,
        audio: Audio,
        language: Option<&str>,
        grammar: Arc<Grammar>,
    ) -> Result<Transcript, SpeechError> {
        self.choose(language, |engine| engine.engine())?.transcribe_by(audio, language, grammar).await
    }
}

#[async_trait]
impl Synthesizer for ByLanguage<dyn Synthesizer> {
    fn engine(&self) -> Engine {
        joined(&self.engines, |engine| engine.engine())
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, SpeechError> {
        self.choose(say.language.as_deref(), |engine| engine.engine())?.synthesize(say).await
    }
}
