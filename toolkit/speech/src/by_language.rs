//! Several engines as one: each language goes to the engine that does it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::engine::{Engine, Hints, Say, Spoken, Synthesizer, Transcriber, Transcript};
use crate::{Audio, SpeechError};

/// Engines, asked by language: the first that does it. Without a language the one that can find it out is asked, which
/// is the first that does more than one; where none does, the first that does the language they fall back to.
pub struct ByLanguage<T: ?Sized> {
    engines: Vec<Arc<T>>,
    otherwise: Option<String>,
}

// === ByLanguage ===

impl<T: ?Sized> ByLanguage<T> {
    /// Joins `engines`; an earlier one goes first.
    pub fn new(engines: Vec<Arc<T>>) -> Self {
        Self { engines, otherwise: None }
    }

    /// Falls back to `language` where none is named and no engine finds it out.
    #[must_use]
    pub fn falling_back_to(mut self, language: &str) -> Self {
        self.otherwise = Some(language.to_owned());
        self
    }

    fn choose(&self, language: Option<&str>, says: impl Fn(&T) -> Engine) -> Result<&Arc<T>, SpeechError> {
        let knows =
            |engine: &Arc<T>, language: &str| says(engine).languages.iter().any(|known| known == language);
        let find = |wanted: &dyn Fn(&Arc<T>) -> bool| self.engines.iter().find(|engine| wanted(engine));
        let found = match (language, &self.otherwise) {
            (Some(language), _) => find(&|engine| knows(engine, language)),
            (None, otherwise) => find(&|engine| says(engine).languages.len() > 1)
                .or_else(|| otherwise.as_ref().and_then(|language| find(&|engine| knows(engine, language))))
                .or_else(|| self.engines.first()),
        };
        found.ok_or_else(|| {
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

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        self.choose(hints.language.as_deref(), |engine| engine.engine())?.transcribe(audio, hints).await
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
