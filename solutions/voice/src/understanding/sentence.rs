//! What a sentence means: one command or several, each understood with those in front of it in mind. What nobody knows of
//! a sentence whose other commands are understood is told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ieum_contracts::voice::{Meaning, SlotValue, Understand};
use ieum_understanding::several::{Part, Understood, take_apart, take_apart_partly};
use ieum_understanding::template::{Recogniser, Situation};
use ieum_understanding::value::Language;
use jiff::Zoned;
use serde_json::json;

use super::choosing::{Chosen, choose, is_last};
use super::conditions::{CONDITIONAL, commands};
use super::corrected::{corrected, with_joints};
use super::guess::says_something;
use super::in_turn::in_turn;
use super::negated::{NEGATED, acts, quotes};
use super::opening::assent;
use super::places::settle;
use super::remarks::{
    about, before_retraction, goes_with, is_about_its_ring, is_remark, leave_out, takes_back,
};
use super::repeats::is_cut;
use super::run_together;
use super::shared::{hides_another, is_whole, led, may_hide, shared};
use super::taught::Taught;
use super::timed::{apart, carry};
use super::{now_of, situation, values};
use crate::rules::topic;
use crate::tongue::Tongue;

/// The intent of words beside commands that are understood.
pub const PARTLY: &str = "dialog.partly";

/// A command of a sentence, which may mean several things: one for each time.
type Command = Part<Vec<Meaning>>;

/// A sentence with all that its meaning depends on.
pub struct Sentence<'a> {
    recogniser: &'a Recogniser,
    /// What plugins from outside taught.
    taught: &'a BTreeMap<String, Arc<Taught>>,
    tongue: Tongue,
    language: Language,
    ask: &'a Understand,
    now: Zoned,
    situation: Situation,
    text: String,
}

impl<'a> Sentence<'a> {
    /// Returns the sentence of `ask`.
    pub fn of(
        recogniser: &'a Recogniser,
        taught: &'a BTreeMap<String, Arc<Taught>>,
        tongue: Tongue,
        ask: &'a Understand,
    ) -> Self {
        let language = tongue.pick(Language::Korean, Language::English);
        let text = with_joints(ask.text.trim(), language);
        let (now, situation) = (now_of(ask), situation(tongue, ask));
        let mut sentence = Self { recogniser, taught, tongue, language, ask, now, situation, text };
        let alone = |part: &str| sentence.one(part, &sentence.situation).map(|chosen| chosen.meanings);
        if let Some(corrected) = corrected(&sentence.text, language, &sentence.now, &alone) {
            sentence.text = corrected;
        }
        sentence
    }

    /// Returns what it means; `None` where nobody knows any command of it.
    pub fn meanings(&self) -> Option<Vec<Meaning>> {
        let spaced = || self.without_spaces().and_then(|found| self.settled(found));
        let known = || self.taken_back().or_else(|| self.known());
        known().or_else(|| self.run_together()).or_else(|| self.conditional()).or_else(spaced)
    }

    /// Returns that nothing is to be done where a command is taken back behind it. To a question it is an answer.
    fn taken_back(&self) -> Option<Vec<Meaning>> {
        let before = before_retraction(&self.text, self.language)?;
        let known = self.commands(before).filter(|_| self.ask.state.pending.is_none())?;
        // "Tell everybody to forget it" takes nothing back.
        let may_quote =
            self.language == Language::English && known.iter().any(|meaning| quotes(&meaning.intent));
        let is_command = known.iter().any(|meaning| acts(&meaning.intent)) && !may_quote;
        let (intent, text) = (NEGATED.to_owned(), self.text.clone());
        is_command.then(|| vec![Meaning { intent, confidence: 1.0, text, ..Meaning::default() }])
    }

    fn known(&self) -> Option<Vec<Meaning>> {
        let meanings = match self.commands(&self.text) {
            Some(known) => known,
            None => {
                let understand = |part: &str, before: &[Command]| self.command(part, before);
                let (parts, rest) = take_apart_partly(&self.text, self.language, &understand)?;
                let mut known = all(parts);
                if !self.text.starts_with(rest) && takes_back(rest, self.language)
                    || !is_about_its_ring(rest, &known)
                {
                    return None;
                }
                // To a question it is an answer.
                let is_asked = self.ask.state.pending.is_some();
                let begins = !is_asked && assent(rest).is_some() && self.text.starts_with(rest);
                if (begins || is_remark(rest, self.language))
                    && goes_with(rest, &known, self.language, &self.now)
                {
                    about(rest, &mut known, self.tongue, self.ask);
                    return self.settled(known);
                }
                // Where nothing happens by it, a guess at the whole is as good.
                let is_done = says_something(rest) && known.iter().any(|meaning| acts(&meaning.intent));
                if !is_done || !self.stands_alone(rest) {
                    return None;
                }
                known.into_iter().chain([unknown(rest)]).collect()
            }
        };
        self.settled(meanings)
    }

    /// Completes commands by each other.
    fn settled(&self, mut meanings: Vec<Meaning>) -> Option<Vec<Meaning>> {
        leave_out(&mut meanings, self.language);
        self.leave_out_count(&mut meanings);
        carry(&mut meanings);
        in_turn(&mut meanings, self.language, &self.now);
        settle(&mut meanings, self.ask, self.language, &self.now);
        Some(meanings)
    }

    /// Understands all commands of `text`; `None` where nobody knows one of them.
    fn commands(&self, text: &str) -> Option<Vec<Meaning>> {
        let understand = |part: &str, before: &[Command]| self.command(part, before);
        let taken = take_apart(text, self.language, &understand).map(all);
        // "And the heater" says no command, and follows one.
        let follows = || {
            let begins = text.get(..4).is_some_and(|and| and.eq_ignore_ascii_case("and "));
            let found = self.one(text, &self.situation).filter(|_| begins)?.meanings;
            found.iter().all(|meaning| meaning.follows_up).then_some(found)
        };
        taken.or_else(follows)
    }

    /// Understands Korean words that are written without any space between them: "타이머삼분", "십분뒤에알려줘".
    fn without_spaces(&self) -> Option<Vec<Meaning>> {
        let text = self.text.trim_end_matches(['.', '!', '?']);
        if self.language == Language::English || text.contains(' ') {
            return None;
        }
        let texts = run_together::spaced(text, self.language, &self.now);
        texts.iter().find_map(|text| self.commands(text))
    }

    /// Understands timers with no word between them.
    fn run_together(&self) -> Option<Vec<Meaning>> {
        let is_timer = |meaning: &Meaning| meaning.intent == "timer.start" && is_whole(meaning);
        let sentences = run_together::apart(&self.text, self.language, &self.now);
        sentences.iter().find_map(|text| {
            let found = self.commands(text)?;
            found.iter().all(is_timer).then_some(found)
        })
    }

    /// Returns that a command is said with a condition.
    fn conditional(&self) -> Option<Vec<Meaning>> {
        let acts = |known: Vec<Meaning>| known.iter().any(|meaning| acts(&meaning.intent));
        let is_command = |rest: &String| self.commands(rest).is_some_and(acts);
        let found = commands(&self.text, self.language).iter().any(is_command);
        let (intent, text) = (CONDITIONAL.to_owned(), self.text.clone());
        found.then(|| vec![Meaning { intent, confidence: 1.0, text, ..Meaning::default() }])
    }

    /// Understands one command alone.
    fn one(&self, part: &str, situation: &Situation) -> Option<Chosen> {
        if is_cut(part, &self.text, self.language) {
            return None;
        }
        let choose = |all| choose(all, part, self.language, &self.now);
        // What may as well be said of something else means this only where nothing else is meant.
        let (last, first): (Vec<_>, Vec<_>) =
            self.recogniser.ranked(part, situation).into_iter().partition(is_last);
        let of_plugins = || {
            let recognisers = self.taught.values().filter_map(|taught| taught.recogniser(self.tongue));
            let mut all = recognisers.map(|known| known.recognise(part, situation).into_iter().collect());
            all.find_map(choose)
        };
        let own = choose(first).or_else(of_plugins).or_else(|| choose(last));
        let own = own.or_else(|| self.later(part, situation));
        own.filter(|chosen| !chosen.meanings.iter().any(|one| hides_another(one, self.language)))
    }

    /// Understands one command to things with a time.
    fn later(&self, part: &str, situation: &Situation) -> Option<Chosen> {
        apart(part, self.language, &self.now).into_iter().find_map(|(rest, time)| {
            let found = self.recogniser.ranked(&rest, situation);
            let mut chosen = choose(found, &rest, self.language, &self.now)?;
            let is_command =
                |meaning: &Meaning| meaning.intent.starts_with("device.") && acts(&meaning.intent);
            chosen.meanings.iter().all(is_command).then(|| {
                for meaning in &mut chosen.meanings {
                    meaning.slots.extend(time.clone());
                    part.clone_into(&mut meaning.text);
                }
                chosen
            })
        })
    }

    /// Understands a command after others: "then cancel it" is about what they are about, and "an alarm for 7" may have the
    /// verb of one of them.
    fn command(&self, part: &str, before: &[Command]) -> Option<Understood<Vec<Meaning>>> {
        let last = before.last().and_then(|part| part.meaning.last());
        let situation = last.map_or(Cow::Borrowed(&self.situation), |last| {
            let mut next = self.situation.clone();
            next.context.insert("topic".to_owned(), json!(topic(&last.intent)));
            next.context.insert("last".to_owned(), json!(last.intent));
            Cow::Owned(next)
        });
        let alone = |part: &str| self.one(part, &situation).map(|chosen| chosen.meanings);
        let may_hide = |meanings: &[Meaning]| meanings.iter().any(|one| may_hide(one, self.language));
        let whole = self.one(part, &situation);
        let is_whole = whole.as_ref().is_some_and(|whole| whole.meanings.iter().all(is_whole));
        // "The six minute timer" after "cancel the five minute timer" is one that runs.
        let is_known = ["the ", "my ", "our "].iter().any(|known| part.starts_with(known));
        if (!is_whole || is_known)
            && self.language == Language::English
            && let Some(meaning) = led(&self.text, part, before, &alone)
        {
            return Some(Understood { open: may_hide(&meaning), meaning });
        }
        if whole.as_ref().is_none_or(|whole| whole.open)
            && let Some(meaning) = shared(part, self.language, !is_whole, &alone)
        {
            return Some(Understood { open: false, meaning });
        }
        let Chosen { meanings, open } = whole?;
        Some(Understood { open: open && may_hide(&meanings), meaning: meanings })
    }

    /// Tells whether what is done beside `rest`, which nobody knows, is done with or without it: it is no condition, "if it
    /// rains", and no end of a verb, "켜고 싶지 않아".
    fn stands_alone(&self, rest: &str) -> bool {
        const ENGLISH: [&str; 13] = [
            "if", "when", "whenever", "unless", "until", "till", "after", "before", "once", "while",
            "because", "in", "as",
        ];
        const LEANING: [&str; 8] = ["면", "때", "서", "니까", "는데", "지만", "후에", "뒤에"];
        const COMMANDS: [&str; 10] =
            ["줘", "줘요", "주세요", "줄래", "줄래요", "해", "해요", "하세요", "자", "라"];
        let rest = rest.trim().trim_end_matches(['.', '!', ',']);
        let ends = |ends: &[&str]| ends.iter().any(|end| rest.ends_with(end));
        match self.language {
            Language::English => {
                let first = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
                !ENGLISH.contains(&first.as_str())
            }
            Language::Korean if self.text.starts_with(rest) => !ends(&LEANING),
            Language::Korean => ends(&COMMANDS),
        }
    }

    /// Leaves out what only says how many follow: "Set two timers, one for ...".
    fn leave_out_count(&self, meanings: &mut Vec<Meaning>) {
        let Some((first, rest)) = meanings.split_first() else { return };
        let same = rest.iter().take_while(|next| next.intent == first.intent && is_whole(next)).count();
        let said = first.slots.get("duration");
        let number = said.map(|slot| values::number(&slot.text, self.language, &self.now));
        let is_count = match number {
            None => first.slots.is_empty(),
            Some(number) => number == Some(SlotValue::Number { number: same as f64 }),
        };
        if same > 0 && is_count && !is_whole(first) {
            meanings.remove(0);
        }
    }
}

fn all(parts: Vec<Command>) -> Vec<Meaning> {
    parts.into_iter().flat_map(|part| part.meaning).collect()
}

/// Returns that nobody knows what the rest of a sentence means whose other commands are understood.
fn unknown(rest: &str) -> Meaning {
    let (intent, text) = (PARTLY.to_owned(), rest.trim().to_owned());
    Meaning { intent, confidence: 1.0, text, ..Meaning::default() }
}
