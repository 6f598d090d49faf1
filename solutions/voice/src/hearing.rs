//! Turns that are spoken: heard by an engine where one is set, answered like any other, and spoken back.

use std::sync::Arc;

use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, Dialogue};
use ieum_core::{Cx, Fault};

use crate::dialogue::{DialogManager, Names};
use crate::directory::Who;
use crate::replies::Words;
use crate::rules;
use crate::said;
use crate::sentences;
use crate::speech::{Audio, SpeechError};
use crate::tongue::Tongue;
use crate::understanding::LocalUnderstanding;

impl DialogManager {
    /// Hears a turn whose text is empty and answers it. Words that cannot be heard are answered with a sentence.
    #[tracing::instrument(name = "voice.hear", skip_all)]
    pub async fn hear(&self, cx: &Cx, mut turn: DialogTurn, audio: Audio) -> Result<DialogAnswer, Fault> {
        let id = rules::turn_id(&turn, cx);
        turn.turn_id = Some(id.clone());
        if let Some(known) = self.store.known(&rules::turn_key(&turn, &id)).await? {
            self.record(cx, known.record).await;
            return Ok(known.answer);
        }
        let Some(ears) = &self.ears else { return self.tell(cx, turn, None, sentences::no_ears).await };
        let begun = self.clock.moment();
        let (guess, names) = self.expected(cx, &turn).await;
        let listened = self.listens_for.clone().zip(names.map(Arc::new));
        let grammar = beside(listened.clone(), move |local, names| local.grammar(guess, names)).await;
        let heard = match ears.hear(audio, guess, grammar).await {
            Ok(heard) => heard,
            Err(error @ SpeechError::Busy { .. }) => {
                return Err(Fault::unavailable("voice.speech.busy", error.to_string()));
            }
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "hearing failed");
                return self.tell(cx, turn, guess, reason(&error)).await;
            }
        };
        if heard.text.trim().is_empty() {
            return self.tell(cx, turn, guess, sentences::heard_nothing).await;
        }
        turn.heard_ms = Some(self.clock.moment().since(begun).as_secs_f64() * 1_000.0);
        turn.language = turn.language.or_else(|| heard.language.map(|tongue| tongue.code().to_owned()));
        turn.text = cut(&heard.text);
        let first = heard.first.as_deref().map_or_else(|| turn.text.clone(), cut);
        let tongue = turn.language.as_deref().and_then(Tongue::of).or_else(|| Tongue::heard_in(&turn.text));
        if let Some(tongue) = tongue {
            let heard = turn.text.clone();
            let meant = beside(listened, move |local, names| local.repaired(tongue, names, &heard)).await;
            if let Some(meant) = meant.flatten() {
                turn.text = meant;
            }
        }
        if letters(&first).ne(letters(&turn.text)) {
            tracing::debug!(heard = first, meant = turn.text, "took what was heard for what can be said");
            turn.first_heard = Some(first);
        }
        self.say(cx, turn).await
    }

    /// Returns the language that a turn is likely spoken in, and the names that can be in it.
    async fn expected(&self, cx: &Cx, turn: &DialogTurn) -> (Option<Tongue>, Option<Names>) {
        let said = turn.language.as_deref().and_then(Tongue::of);
        let Who::Welcome(speaker) = self.directory.who(cx, turn).await else { return (said, None) };
        let guess = said.or_else(|| speaker.user.language.as_deref().and_then(Tongue::of));
        // Without the things it is listened for the rest.
        let things = self.store.things(&speaker.user.id).await.unwrap_or_default();
        let area = turn
            .area
            .as_deref()
            .or_else(|| speaker.device.as_ref().and_then(|device| device.area.as_deref()));
        (guess, Some(Names::of(&things, area)))
    }

    /// Answers with one sentence alone, in the language of the turn, or else the one that it was likely spoken in.
    async fn tell(
        &self,
        cx: &Cx,
        turn: DialogTurn,
        guess: Option<Tongue>,
        sentence: fn(Tongue) -> &'static str,
    ) -> Result<DialogAnswer, Fault> {
        let tongue = turn.language.as_deref().and_then(Tongue::of).or(guess).unwrap_or(Tongue::Korean);
        self.answer_alone(cx, turn, tongue, sentence(tongue), DialogOutcome::Failed).await
    }

    /// Returns an answer spoken, or `None` where no engine is set or it fails.
    pub async fn spoken(&self, answer: &DialogAnswer) -> Option<Audio> {
        let answer_of = Some((answer.session_id.clone(), answer.turn_id.clone()));
        self.aloud(&Words { text: answer.text.clone(), tongue: Tongue::of(&answer.language)?, answer_of })
            .await
    }

    /// Returns words spoken, or `None` where no engine is set or it fails.
    #[tracing::instrument(name = "voice.speak", skip_all)]
    pub async fn aloud(&self, words: &Words) -> Option<Audio> {
        let begun = self.clock.moment();
        match self.mouth.as_ref()?.speak(&words.text, words.tongue).await {
            Ok(audio) => {
                let took = self.clock.moment().since(begun);
                metrics::histogram!("ieum_voice_stage_seconds", "stage" => "said").record(took.as_secs_f64());
                if let Some((session, turn)) = &words.answer_of {
                    said::keep(&self.store.sql, (session, turn), took, self.clock.now()).await;
                }
                Some(audio)
            }
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "speaking failed; text goes alone");
                None
            }
        }
    }
}

/// Returns what was heard as a turn takes it.
fn cut(heard: &str) -> String {
    heard.trim().chars().take(rules::LONGEST_TEXT).collect()
}

/// Returns the letters by which words differ: how they are parted and marked, and how large they are written, is the
/// engine's taste.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// Returns what to say of why nothing was heard: to try again only where that can help.
fn reason(error: &SpeechError) -> fn(Tongue) -> &'static str {
    match error {
        SpeechError::TooLong { .. } => sentences::too_long,
        SpeechError::Missing { .. } => sentences::cannot_hear,
        SpeechError::Busy { .. } | SpeechError::Engine { .. } => sentences::deaf,
    }
}

/// Looks at sentences and names beside everything else: it takes a thread for a moment.
async fn beside<T: Send + 'static>(
    listened: Option<(LocalUnderstanding, Arc<Names>)>,
    look: impl FnOnce(&LocalUnderstanding, &Names) -> T + Send + 'static,
) -> Option<T> {
    let (local, names) = listened?;
    tokio::task::spawn_blocking(move || look(&local, &names)).await.ok()
}
