//! From words to meanings within a session, and from plugins' answers to one answer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ieum_contracts::voice::{
    ContextState, DialogOutcome, Effect, Meaning, PendingQuestion, PluginAnswer, ScheduleKind, Slot,
    SlotValue, Understand, Understanding,
};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_understanding::value::Language;
use jiff::Zoned;

use crate::answers::{Read, SURE, WHICH, read};
use crate::dialogue::Names;
use crate::plugins::{BESIDES, EVERYTHING, cancelled};
use crate::rules::{answered, carried, topic};
use crate::sentences;
use crate::tongue::Tongue;
use crate::understanding::{PARTLY, instead, refused, values, with_times};
use crate::zone::{here, zone};

/// What nobody understood is called.
pub const UNKNOWN: &str = "unknown";

/// How sure a guess must be to go before the answer to a question that waits, or to be taken for what was meant where
/// one waits that it does not answer.
const GOOD: f64 = 0.7;

/// Understands the sentences of one turn.
pub struct Understander<'a> {
    pub engine: &'a dyn Understanding,
    pub tongue: Tongue,
    pub zone: &'a str,
    pub now: Timestamp,
}

impl Understander<'_> {
    /// Returns what was meant, completed by what the session knows. A command goes before the answer to a question
    /// that waits, and so does what is likely one where the words are no answer; what is neither means nothing.
    #[tracing::instrument(name = "voice.understand", skip_all)]
    pub async fn understand(
        &self,
        cx: &Cx,
        text: &str,
        session: &str,
        state: &ContextState,
        names: &Names,
    ) -> Vec<Meaning> {
        let language = self.tongue.pick(Language::Korean, Language::English);
        let now = here(&zone(self.zone), self.now);
        let text = &*with_times(text, language, &now);
        let meant = instead(text, language, &now);
        let text = meant.as_deref().unwrap_or(text);
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
        if let Some(refused) = refused(text, self.tongue, &found.meanings) {
            return vec![refused];
        }
        let meanings = in_their_talk(found.meanings, state);
        let are = |least: f64| meanings.iter().any(|meaning| meaning.confidence >= least);
        if let Some(all) = state.pending.as_ref().and_then(|pending| of_all(pending, &meanings, text)) {
            return vec![all];
        }
        if let Some(none) = state.pending.as_ref().and_then(|pending| of_none(pending, &meanings, text)) {
            return vec![none];
        }
        let is_command = are(1.0);
        let may_answer = |pending: &&PendingQuestion| !is_command || may_answer(pending, &meanings);
        let Some(pending) = state.pending.as_ref().filter(may_answer) else { return meanings };
        match read(pending, text, self.tongue, &now, names) {
            Read::Value(said) => vec![answered(pending, self.on_its_day(pending, said, &now), text)],
            Read::Likely(said) if !meanings.iter().any(has_value) => vec![answered(pending, said, text)],
            _ if are(GOOD) => meanings,
            Read::Likely(said) => vec![answered(pending, said, text)],
            Read::Words(said) => vec![answered(pending, [(pending.slot.clone(), said)].into(), text)],
            Read::None => Vec::new(),
        }
    }

    /// Returns the values of an answer, its time on the day that was said before: "tomorrow", and then "at 7".
    fn on_its_day(
        &self,
        pending: &PendingQuestion,
        mut said: BTreeMap<String, Slot>,
        now: &Zoned,
    ) -> BTreeMap<String, Slot> {
        if let (Some(before), Some(time)) = (pending.slots.get("when"), said.get_mut("when")) {
            let tongue = Tongue::heard_in(&before.text).unwrap_or(self.tongue);
            let language = tongue.pick(Language::Korean, Language::English);
            if let Some(on_day) = values::on_day(before, time, language, now) {
                *time = on_day;
            }
        }
        said
    }
}

/// Completes meanings by what the session is about, and by those in front of them: "서울 날씨 알려 주고 내일은?"
fn in_their_talk(meanings: Vec<Meaning>, state: &ContextState) -> Vec<Meaning> {
    let mut talk = Cow::Borrowed(state);
    let all = meanings.into_iter().map(|meaning| {
        let meaning = carried(meaning, &talk);
        let talk = talk.to_mut();
        talk.slots.clone_from(&meaning.slots);
        talk.intent = Some(meaning.intent.clone());
        meaning
    });
    all.collect()
}

/// Tells whether the words of commands may be the answer to the question all the same: what follows up says but a value, and
/// which one of several is meant is said in the words that set another.
fn may_answer(pending: &PendingQuestion, meanings: &[Meaning]) -> bool {
    let is_set = |meaning: &Meaning| {
        let (topic, verb) = meaning.intent.split_once('.').unwrap_or_default();
        pending.intent.starts_with(topic) && matches!(verb, "start" | "set" | "query")
    };
    let all = |tells: &dyn Fn(&Meaning) -> bool| meanings.iter().all(tells);
    if pending.slot == WHICH { all(&is_set) } else { all(&|meaning| meaning.follows_up) }
}

/// Tells whether words that are taken for a command say how long or when.
fn has_value(meaning: &Meaning) -> bool {
    let is_value = |slot: &Slot| matches!(slot.value, SlotValue::Duration { .. } | SlotValue::Moment { .. });
    meaning.confidence >= 1.0 && meaning.slots.values().any(is_value)
}

/// Returns the answer that a command to cancel everything, or to turn it off, is where it was asked what of one kind is to be
/// cancelled, or whether all is.
fn of_all(pending: &PendingQuestion, meanings: &[Meaning], text: &str) -> Option<Meaning> {
    // "다 꺼 줘" is said of alarms as it is of lights.
    let is_all_off = |meaning: &Meaning| {
        let names = |slot: &str| meaning.slots.contains_key(slot);
        meaning.intent == "device.off" && names("every") && !names("name") && !names("area")
    };
    let is_everything = meanings.iter().any(|meaning| meaning.intent == EVERYTHING || is_all_off(meaning));
    let is_agreed = pending.slot == SURE && pending.intent == EVERYTHING && meanings.len() > 1;
    let is_which = pending.slot == WHICH && pending.intent.ends_with(".cancel") && meanings.len() == 1;
    let value = SlotValue::Text { text: text.to_owned() };
    let said = [(pending.slot.clone(), Slot { text: text.to_owned(), value })];
    (is_everything && (is_agreed || is_which)).then(|| answered(pending, said.into(), text))
}

/// Returns the answer that to leave it is where it was asked which one is meant.
fn of_none(pending: &PendingQuestion, meanings: &[Meaning], text: &str) -> Option<Meaning> {
    let is_left = matches!(meanings, [left] if left.intent == "dialog.cancel");
    let none = "none".to_owned();
    let said = [(pending.slot.clone(), Slot { text: none.clone(), value: SlotValue::Text { text: none } })];
    (pending.slot == WHICH && is_left).then(|| answered(pending, said.into(), text))
}

/// Returns what an answer tells is cancelled and nothing else, by its intent, and how many those are.
fn gone(meaning: &Meaning, answer: &PluginAnswer) -> Option<(String, usize)> {
    let [Effect::Cancel { schedules }] = &answer.effects[..] else { return None };
    let is_of_one_kind = meaning.intent.ends_with(".cancel") && meaning.intent != EVERYTHING;
    (is_of_one_kind && !answer.failed).then(|| (meaning.intent.clone(), schedules.len()))
}

/// Tells whether nothing was cancelled after all of what was to be.
fn keeps_all(meaning: &Meaning, answer: &PluginAnswer) -> bool {
    let is_set = ["timer.cancel", "alarm.cancel", "reminder.cancel"].contains(&&*meaning.intent);
    is_set && answer.effects.is_empty() && answer.missing.is_none()
}

fn kind(meaning: &Meaning) -> ScheduleKind {
    match &*topic(&meaning.intent) {
        "timer" => ScheduleKind::Timer,
        "alarm" => ScheduleKind::Alarm,
        _ => ScheduleKind::Reminder,
    }
}

/// What is answered to a turn, put together from its commands.
pub struct Answered {
    /// What was meant first.
    pub first: Meaning,
    texts: Vec<String>,
    /// What the last of them tells is cancelled, by its intent, and how many those are.
    gone: Option<(String, usize)>,
    /// What is asked back, said last.
    question: Option<String>,
    pub outcome: DialogOutcome,
    pub effects: Vec<Effect>,
    /// What the session is about from now on.
    pub state: ContextState,
}

impl Answered {
    /// Begins the answer to what means `first`, and maybe more.
    pub fn of(first: Meaning) -> Self {
        let (texts, gone, question, effects, state) = Default::default();
        Self { first, texts, gone, question, outcome: DialogOutcome::Answered, effects, state }
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

    /// Answers with what was answered before. The session stays what it was, and a question that waits is asked again.
    pub fn again(first: Meaning, text: &str, state: &ContextState) -> Self {
        let outcome = state.pending.as_ref().map_or(DialogOutcome::Answered, |_| DialogOutcome::Asked);
        Self { texts: vec![text.to_owned()], outcome, state: state.clone(), ..Self::of(first) }
    }

    /// Answers what cannot be done right now, so that nothing of it happens; the session stays what it was.
    pub fn failed(tongue: Tongue, state: &ContextState) -> Self {
        let answered = Self::only(sentences::failed(tongue), DialogOutcome::Failed);
        Self { state: state.clone(), ..answered }
    }

    /// Returns a command as it is after those in front of it: the rest is besides none, where nothing was done about those.
    pub fn after(&self, mut meaning: Meaning) -> Meaning {
        let is_first = self.texts.is_empty() && self.question.is_none();
        if !is_first && (self.state.intent.is_none() || self.state.pending.is_some()) {
            meaning.slots.remove(BESIDES);
        }
        meaning
    }

    /// Adds a plugin's answer to one of the commands. A command that lacks something is asked for after the others; of
    /// two such commands the second is to be said again.
    pub fn add(&mut self, tongue: Tongue, meaning: Meaning, answer: Option<Result<PluginAnswer, Fault>>) {
        let answer = match answer {
            Some(Ok(answer)) => answer,
            Some(Err(fault)) => {
                tracing::warn!(error = %fault, intent = meaning.intent, "a plugin failed");
                return self.fail(sentences::failed(tongue).to_owned());
            }
            None => {
                return self.fail(sentences::nobody_answers(tongue).to_owned());
            }
        };
        // Words that nobody knows are no topic.
        if meaning.intent == PARTLY {
            return self.fail(answer.text);
        }
        let gone = gone(&meaning, &answer);
        let is_declined = keeps_all(&meaning, &answer);
        if self.is_changed_again(&answer.effects) {
            return self.push(sentences::one_change(tongue).to_owned(), None);
        }
        match (&answer.missing, &self.question) {
            (Some(_), Some(_)) => return self.push(sentences::one_question(tongue).to_owned(), None),
            (Some(_), None) => self.question = Some(answer.text),
            (None, _) if answer.failed => self.fail(answer.text),
            // How many are gone is told of all of them.
            (None, _)
                if let (Some((intent, count)), Some((other, earlier))) = (&gone, &self.gone)
                    && intent == other =>
            {
                let count = count + earlier;
                self.texts.pop();
                self.push(cancelled(count, tongue, kind(&meaning)), Some((intent.clone(), count)));
            }
            // Two of one kind are said once.
            (None, _) if self.texts.last() == Some(&answer.text) => {}
            (None, _) => self.push(answer.text, gone),
        }
        self.effects.extend(answer.effects);
        self.state.topic = Some(topic(&meaning.intent));
        // What was not done is no command that another takes up.
        self.state.intent = (!answer.failed && !is_declined).then(|| meaning.intent.clone());
        self.state.slots = meaning.slots.clone();
        if let Some(slot) = answer.missing {
            self.outcome = DialogOutcome::Asked;
            self.state.pending = Some(PendingQuestion { intent: meaning.intent, slot, slots: meaning.slots });
        }
    }

    /// Tells whether `effects` put something in the place of what has another in its place by this turn already: two would
    /// ring instead of one.
    fn is_changed_again(&self, effects: &[Effect]) -> bool {
        let gone = |effects: &[Effect]| -> Vec<String> {
            let all = effects.iter().filter_map(|effect| match effect {
                Effect::Cancel { schedules } => Some(schedules.clone()),
                _ => None,
            });
            all.flatten().collect()
        };
        let is_set = effects.iter().any(|effect| matches!(effect, Effect::Schedule { .. }));
        let before = gone(&self.effects);
        is_set && gone(effects).iter().any(|id| before.contains(id))
    }

    /// Says `text`, which tells that `gone` is cancelled.
    fn push(&mut self, text: String, gone: Option<(String, usize)>) {
        self.texts.push(text);
        self.gone = gone;
    }

    /// Says why a command cannot be done. A question that waits is asked all the same.
    fn fail(&mut self, text: String) {
        if self.texts.last() != Some(&text) {
            self.push(text, None);
        }
        if self.question.is_none() {
            self.outcome = DialogOutcome::Failed;
        }
    }

    /// Returns all that is said.
    pub fn text(&self) -> String {
        let said = self.texts.iter().chain(&self.question).map(String::as_str);
        said.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use ieum_contracts::voice::Understood;

    use super::*;

    /// Takes everything for one intent, that surely.
    struct Guesses(&'static str, f64);

    #[async_trait]
    impl Understanding for Guesses {
        async fn understand(&self, _cx: &Cx, ask: Understand) -> Result<Understood, Fault> {
            let meaning = Meaning {
                intent: self.0.to_owned(),
                confidence: self.1,
                text: ask.text,
                ..Meaning::default()
            };
            let meanings = Some(meaning).filter(|meaning| meaning.confidence > 0.0).into_iter().collect();
            Ok(Understood { meanings, engine: "test".into() })
        }
    }

    async fn meant(engine: &Guesses, tongue: Tongue, (intent, slot): (&str, &str), text: &str) -> String {
        let pending = PendingQuestion { intent: intent.into(), slot: slot.into(), slots: Default::default() };
        let state = ContextState { pending: Some(pending), ..ContextState::default() };
        let names = Names {
            area: None,
            things: vec!["Floor Lamp".into()],
            areas: vec!["Lounge".into(), "거실".into()],
        };
        let now = Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time");
        let understander = Understander { engine, tongue, zone: "Asia/Seoul", now };
        let found = understander.understand(&Cx::root(), text, "session", &state, &names).await;
        let said = |meaning: &Meaning| {
            let slots: Vec<&str> = meaning.slots.keys().map(String::as_str).collect();
            format!("{} {}", meaning.intent, slots.join(",")).trim().to_owned()
        };
        found.first().map(said).unwrap_or_default()
    }

    #[test]
    fn what_a_plugin_puts_in_the_place_of_the_same_one_twice_is_put_there_once() {
        let at = Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time");
        let change = |text: &str| PluginAnswer {
            text: text.into(),
            effects: vec![
                Effect::Cancel { schedules: vec!["t1".into()] },
                Effect::Schedule {
                    kind: Default::default(),
                    at,
                    label: String::new(),
                    days: Vec::new(),
                    since: None,
                },
            ],
            ..PluginAnswer::default()
        };
        let mut answered = Answered::of(Meaning::default());
        for text in ["Longer.", "Shorter."] {
            answered.add(Tongue::English, Meaning::default(), Some(Ok(change(text))));
        }
        assert_eq!(
            answered.text(),
            "Longer. I can change the same one only once at a time, so I did the first."
        );
        assert_eq!(answered.effects.len(), 2);
    }

    #[test]
    fn how_many_are_cancelled_is_told_at_once_and_what_was_told_between_stays() {
        let one = |id: &str| PluginAnswer {
            text: "The timer is cancelled.".into(),
            effects: vec![Effect::Cancel { schedules: vec![id.into()] }],
            ..PluginAnswer::default()
        };
        let question = || PluginAnswer {
            text: "Which one?".into(),
            missing: Some("which".into()),
            ..PluginAnswer::default()
        };
        let cancel = Meaning { intent: "timer.cancel".into(), ..Meaning::default() };
        let told = |between: Result<PluginAnswer, Fault>| {
            let mut answered = Answered::of(cancel.clone());
            answered.add(Tongue::English, cancel.clone(), Some(Ok(one("t1"))));
            answered.add(Tongue::English, Meaning::default(), Some(between));
            answered.add(Tongue::English, cancel.clone(), Some(Ok(one("t2"))));
            answered.text()
        };
        assert_eq!(told(Ok(question())), "2 timers are cancelled. Which one?");
        let failed = sentences::failed(Tongue::English);
        assert_eq!(
            told(Err(Fault::unavailable("test", "asking"))),
            format!("The timer is cancelled. {failed} The timer is cancelled.")
        );
    }

    #[tokio::test]
    async fn what_follows_a_question_is_its_answer_another_command_or_nothing() {
        let (nothing, likely, hardly) =
            (Guesses("", 0.0), Guesses("time.query", 0.9), Guesses("time.query", 0.5));
        let which = ("device.on", "name");
        for (engine, question, text, wanted) in [
            (&nothing, which, "the floor lamp in the lounge", "device.on area,name"),
            (&likely, which, "lamp", "device.on name"),
            (&nothing, which, "I love you", ""),
            (&nothing, which, "what time is it in Paris", ""),
            (&nothing, which, "turn everything off", ""),
            (&likely, which, "I love you", "time.query"),
            (&hardly, which, "I love you", ""),
            (&nothing, ("timer.start", "duration"), "make it ten minutes", "timer.start duration"),
            (&nothing, ("timer.start", "duration"), "the film took two hours of my life", ""),
            (&nothing, ("announce.say", "message"), "dinner is ready", "announce.say message"),
            (&hardly, ("announce.say", "message"), "dinner is ready", "announce.say message"),
            (&likely, ("announce.say", "message"), "have you got the time", "time.query"),
        ] {
            let found = meant(engine, Tongue::English, question, text).await;
            assert_eq!(found, wanted, "{text}");
        }
        for (engine, question, text, wanted) in [
            (&nothing, which, "거실 불이요", "device.on area,name"),
            (&nothing, which, "사랑해", ""),
            (&nothing, ("timer.start", "duration"), "십오 분이요", "timer.start duration"),
            (&nothing, ("alarm.set", "when"), "6시 30분 거 꺼 줘", ""),
            (&nothing, ("alarm.set", "when"), "내일 아침 일곱 시에", "alarm.set when"),
            (&nothing, ("device.set", "level"), "30으로 해 줘", "device.set level"),
        ] {
            let found = meant(engine, Tongue::Korean, question, text).await;
            assert_eq!(found, wanted, "{text}");
        }
    }
}
