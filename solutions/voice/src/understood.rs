//! From words to meanings within a session, and from plugins' answers to one answer.

use ieum_contracts::voice::{
    ContextState, DialogOutcome, Effect, Meaning, PendingQuestion, PluginAnswer, Slot, SlotValue, Understand,
    Understanding,
};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_understanding::value::Language;

use crate::dialogue::Names;
use crate::rules::{answered, carried, topic};
use crate::sentences;
use crate::tongue::Tongue;
use crate::understanding::values;
use crate::zone::{here, zone};

/// What nobody understood is called.
pub const UNKNOWN: &str = "unknown";

/// Understands the sentences of one turn.
pub struct Understander<'a> {
    pub engine: &'a dyn Understanding,
    pub tongue: Tongue,
    pub zone: &'a str,
    pub now: Timestamp,
}

impl Understander<'_> {
    /// Returns what was meant, completed by what the session knows. A command goes before the answer to a question
    /// that waits; words that are no command are that answer.
    pub async fn understand(
        &self,
        cx: &Cx,
        text: &str,
        session: &str,
        state: &ContextState,
        names: &Names,
    ) -> Vec<Meaning> {
        let mut asked = state.clone();
        if let Some(pending) = &state.pending {
            asked.topic = Some(topic(&pending.intent));
        }
        let ask = Understand {
            text: text.to_owned(),
            language: self.tongue.code().to_owned(),
            now: self.now,
            zone: self.zone.to_owned(),
            session_id: session.to_owned(),
            state: asked,
            area: names.area.clone(),
            things: names.things.clone(),
            areas: names.areas.clone(),
        };
        let found = self.engine.understand(cx, ask).await.unwrap_or_else(|fault| {
            tracing::warn!(error = %fault, "understanding failed");
            Default::default()
        });
        let guessed = found.meanings.iter().all(|meaning| meaning.confidence < 1.0);
        if let Some(pending) = state.pending.as_ref().filter(|_| guessed)
            && let Some(value) = self.value(&pending.slot, text)
        {
            let slot = Slot { text: text.trim().to_owned(), value };
            return vec![answered(pending, slot, text)];
        }
        found.meanings.into_iter().map(|meaning| carried(meaning, state)).collect()
    }

    /// Reads an answer as the value of the slot that was asked for.
    fn value(&self, slot: &str, text: &str) -> Option<SlotValue> {
        let language = self.tongue.pick(Language::Korean, Language::English);
        let now = here(&zone(self.zone), self.now);
        match slot {
            "duration" => values::duration(text, language, &now),
            "when" => values::moment(text, language, &now),
            "day" => values::time(text, language, &now).map(|_| values::day(text, language, &now)),
            "level" => values::number(text, language, &now),
            _ => Some(SlotValue::Text { text: text.trim().trim_end_matches(['.', '!', '?']).to_owned() }),
        }
    }
}

/// What is answered to a turn, put together from its commands.
pub struct Answered {
    /// What was meant first.
    pub first: Meaning,
    texts: Vec<String>,
    pub outcome: DialogOutcome,
    pub effects: Vec<Effect>,
    /// What the session is about from now on.
    pub state: ContextState,
}

impl Answered {
    /// Begins the answer to what means `first`, and maybe more.
    pub fn of(first: Meaning) -> Self {
        let (texts, effects, state) = Default::default();
        Self { first, texts, outcome: DialogOutcome::Answered, effects, state }
    }

    /// Answers with a sentence alone.
    pub fn only(text: &str, outcome: DialogOutcome) -> Self {
        let mut answered = Self::of(Meaning { intent: UNKNOWN.to_owned(), ..Meaning::default() });
        answered.texts.push(text.to_owned());
        answered.outcome = outcome;
        answered
    }

    /// Answers what is not understood; the session stays what it was, so that it can be said another way.
    pub fn not_understood(tongue: Tongue, state: &ContextState) -> Self {
        let answered = Self::only(sentences::not_understood(tongue), DialogOutcome::NotUnderstood);
        Self { state: state.clone(), ..answered }
    }

    /// Adds a plugin's answer to one of the commands.
    pub fn add(&mut self, tongue: Tongue, meaning: Meaning, answer: Option<Result<PluginAnswer, Fault>>) {
        let answer = match answer {
            Some(Ok(answer)) => answer,
            Some(Err(fault)) => {
                tracing::warn!(error = %fault, intent = meaning.intent, "a plugin failed");
                self.outcome = DialogOutcome::Failed;
                self.texts.push(sentences::failed(tongue).to_owned());
                return;
            }
            None => {
                self.outcome = DialogOutcome::Failed;
                self.texts.push(sentences::nobody_answers(tongue).to_owned());
                return;
            }
        };
        if answer.failed {
            self.outcome = DialogOutcome::Failed;
        }
        self.texts.push(answer.text);
        self.effects.extend(answer.effects);
        self.state.topic = Some(topic(&meaning.intent));
        self.state.intent = Some(meaning.intent.clone());
        self.state.slots = meaning.slots.clone();
        if let Some(slot) = answer.missing {
            self.outcome = DialogOutcome::Asked;
            self.state.pending = Some(PendingQuestion { intent: meaning.intent, slot, slots: meaning.slots });
        }
    }

    /// Returns all that is said.
    pub fn text(&self) -> String {
        self.texts.join(" ")
    }
}
