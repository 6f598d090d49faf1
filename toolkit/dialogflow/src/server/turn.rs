//! One turn: language, sound, contexts before, the agent, contexts after.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use ieum_core::{Cx, Fault, new_id};

use super::Inner;
use crate::contexts::rules;
use crate::convert::{result_message, speech_message, wrong};
use crate::proto::v2;
use crate::{Context, Detected, Input, Kept, Query, SessionName, Sound, Transcriber};

/// A turn that was answered.
pub(super) struct Turn {
    session: SessionName,
    detected: Detected,
    contexts: Vec<Context>,
}

impl Inner {
    /// Answers one turn.
    pub(super) async fn turn(&self, cx: &Cx, mut query: Query) -> Result<Turn, Fault> {
        query.language = self.language(&query.language)?;
        let mut confidence = 0.0;
        if let Input::Sound(sound) = &query.input
            && let Some(ear) = self.ear_of(&query)?
        {
            let heard = hear(ear, cx, sound.clone(), &query.language).await?;
            confidence = heard.1;
            query.input = Input::Text(heard.0);
        }
        self.understand(cx, query, confidence).await
    }

    /// Returns who hears for the agent, where it does not take the sound of this turn as it is.
    pub(super) fn ear_of(&self, query: &Query) -> Result<Option<&dyn Transcriber>, Fault> {
        match &self.transcriber {
            Some(ear) if !self.agent.takes_sound(query)? => Ok(Some(&**ear)),
            _ => Ok(None),
        }
    }

    /// Answers a turn whose language is known and whose sound, if it was any, was heard with `confidence`.
    pub(super) async fn understand(&self, cx: &Cx, mut query: Query, confidence: f32) -> Result<Turn, Fault> {
        // An event is told as its name, as Dialogflow does it.
        let (field, said) = match &query.input {
            Input::Text(text) => ("query_input.text", text.clone()),
            Input::Event { name, .. } => ("query_input.event.name", name.clone()),
            Input::Sound(_) => ("query_input", String::new()),
        };
        if said.chars().count() > self.options.most_text {
            return Err(wrong(field, format!("is longer than {} characters", self.options.most_text)));
        }
        let (session, language) = (query.session.clone(), query.language.clone());
        query.contexts = self.contexts_before(&session, query.reset_contexts, &query.contexts).await?;
        query.reset_contexts = false;
        let was_there: BTreeSet<String> = query.contexts.iter().map(|context| context.id.clone()).collect();
        // Who was heard saying nothing took no turn, and no context grows older by it.
        let mut detected = match &query.input {
            Input::Text(text) if text.trim().is_empty() => Detected { is_apart: true, ..Detected::default() },
            _ => self.agent.detect(cx, query).await?,
        };
        if detected.language.is_empty() {
            detected.language = language;
        }
        if detected.query_text.is_empty() {
            detected.query_text = said;
        }
        if confidence > 0.0 {
            detected.speech_confidence = confidence;
        }
        let understood = detected.intent.as_ref().is_some_and(|intent| !intent.is_fallback);
        let now = self.clock.now();
        let change = |kept: Vec<Kept>| rules::after(kept, &was_there, &detected.contexts, understood, now);
        let kept = if detected.is_apart {
            rules::alive(self.contexts.load(&session).await?, now)
        } else if was_there.is_empty() && detected.contexts.is_empty() {
            Vec::new()
        } else {
            self.contexts.change(&session, &change).await?
        };
        let contexts = kept.into_iter().map(|kept| kept.context).collect();
        Ok(Turn { session, detected, contexts })
    }

    /// Returns the contexts that a turn has: those kept, and those it brings.
    async fn contexts_before(
        &self,
        session: &SessionName,
        reset: bool,
        brought: &[Context],
    ) -> Result<Vec<Context>, Fault> {
        let now = self.clock.now();
        let kept = if reset || !brought.is_empty() {
            self.contexts.change(session, &|kept| rules::before(kept, reset, brought, now)).await?
        } else {
            rules::alive(self.contexts.load(session).await?, now)
        };
        Ok(kept.into_iter().map(|kept| kept.context).collect())
    }

    /// Returns the agent's language for the one a caller names.
    pub(super) fn language(&self, named: &str) -> Result<String, Fault> {
        let languages = &self.options.languages;
        let base = named.split(['-', '_']).next().unwrap_or_default();
        let same = |language: &&String| {
            language.eq_ignore_ascii_case(named) || (!base.is_empty() && language.eq_ignore_ascii_case(base))
        };
        let found = if named.is_empty() { languages.first() } else { languages.iter().find(same) };
        found.cloned().ok_or_else(|| {
            let named: String = named.chars().take(40).collect();
            wrong("language_code", format!("{named:?} is none of {}", languages.join(", ")))
        })
    }
}

impl Turn {
    /// Returns the answer to a single request.
    pub(super) fn into_response(self) -> v2::DetectIntentResponse {
        let query_result = Some(result_message(&self.session, &self.detected, &self.contexts));
        let (output_audio, output_audio_config) = speech_message(self.detected.speech);
        v2::DetectIntentResponse {
            response_id: new_id().to_string(),
            query_result,
            output_audio,
            output_audio_config,
            ..Default::default()
        }
    }
}

/// Hears all of a sound: the final texts, and how sure the ear was of them.
async fn hear(ear: &dyn Transcriber, cx: &Cx, sound: Sound, language: &str) -> Result<(String, f32), Fault> {
    let mut format = sound.format;
    language.clone_into(&mut format.language);
    let data = stream::once(async move { Ok(sound.data) }).boxed();
    let mut heard = ear.transcribe(cx, format, data);
    let (mut texts, mut sure) = (Vec::new(), Vec::new());
    while let Some(transcript) = heard.next().await {
        let transcript = transcript?;
        if transcript.is_final {
            texts.push(transcript.text);
            sure.push(transcript.confidence);
        }
    }
    let least = sure.into_iter().reduce(f32::min).unwrap_or_default();
    Ok((texts.join(" ").trim().to_owned(), least))
}
