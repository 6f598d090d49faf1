//! What a reminder is about, apart from when: a time at an edge of the message is when, and a Korean verb gets the ending
//! back that was cut from it.

mod endings;

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::template::Recognised;
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::{ToSpan, Zoned};

use super::halves::names_a_day;
use super::repeats::at_edge;
use super::values::{Slots, each, when};
use crate::zone::here;
pub use endings::with_ending;

/// Meals, which are parts of the day too; and what is done with one, as it begins.
const MEALS: [&str; 3] = ["아침", "점심", "저녁"];
const EATEN: [&str; 8] = ["먹", "드시", "드세", "챙", "차리", "식사", "준비", "밥"];
/// Words that another one has to follow.
const ENGLISH_PARTS: [&str; 4] = [" the", " a", " my", " our"];
/// What is left of a time in English.
const JOINTS: [&str; 8] = [" at", " on", " in", " by", " for", " from", " around", " about"];

/// Completes the slots of a reminder that `found` has in `part`.
pub fn complete(read: &mut Slots, found: &Recognised, part: &str, language: Language, now: &Zoned) {
    let Some(Slot { text, .. }) = read.slots.get("message") else { return };
    let span = found.slots.iter().find(|slot| slot.name == "message").and_then(|slot| slot.span.clone());
    let following = span.and_then(|span| part.get(span.end..)).unwrap_or_default();
    let mut message = match language {
        Language::Korean => with_ending(text.trim(), following),
        Language::English => text.trim().to_owned(),
    };
    if let Some(not) = read.slots.remove("not") {
        message = format!("{} {message}", not.text);
    }
    let mut often = None;
    if let (Some(who), Some(how)) = (read.slots.remove("who"), read.slots.remove("how")) {
        // "Remind the kids every day at 8 to brush their teeth".
        let (who, again) = repeated(&who.text, language)
            .map_or_else(|| (who.text.clone(), None), |(who, again)| (who, Some(again)));
        message = format!("remind {who} {} {message}", how.text);
        often = again;
    }
    let said = read.slots.get("when").map(|slot| slot.text.clone());
    let mut is_meal = false;
    if let Some(meal) = said.as_deref().and_then(|said| meal_after(said, &message, part)) {
        message = format!("{meal} {message}");
        is_meal = true;
    }
    let again = if read.slots.contains_key("every") { None } else { repeated(&message, language) };
    let bare = again.as_ref().map_or(&message, |(rest, _)| rest);
    let time = apart(bare, language, now).filter(|(rest, _)| !rest.is_empty());
    let mut rest = time.as_ref().map_or(bare, |(rest, _)| rest).clone();
    let is_timed = read
        .slots
        .get("when")
        .is_some_and(|slot| matches!(slot.value, SlotValue::Moment { exact: true, .. }));
    if let Some(meal) = time.as_ref().and_then(|(rest, words)| meal_in(words, rest, bare, is_timed)) {
        rest = format!("{meal} {rest}");
        is_meal = true;
    }
    let parts = [often, again.map(|(_, again)| again), time.map(|(_, time)| time)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        let between = if language == Language::English { " at " } else { " " };
        let others = read.more_times.iter().filter_map(|time| Some(time.get("when")?.text.clone()));
        let all = std::iter::once(said).chain(others.map(Some)).map(|said| {
            let words = parts.iter().cloned().chain(said).collect::<Vec<_>>().join(between);
            when(&words, language, now).map(|read| vec![read]).or_else(|| each(&words, language, now))
        });
        if let Some(all) = all.collect::<Option<Vec<_>>>() {
            let mut all = all.into_iter().flatten();
            message = rest;
            read.slots.extend(all.next().unwrap_or_default());
            read.more_times = all.collect();
        }
    }
    if is_meal {
        not_over(&mut read.slots, language, now);
    }
    read.slots.insert(
        "message".to_owned(),
        Slot { text: message.clone(), value: SlotValue::Text { text: message } },
    );
}

/// Takes words that say how often, at the beginning or the end of a message, from it: the rest and those words.
fn repeated(message: &str, language: Language) -> Option<(String, String)> {
    let often = at_edge(message, language)?;
    let rest = message.get(..often.start)?.to_owned() + message.get(often.end..)?;
    let rest = rest.trim();
    let rest = JOINTS.iter().find_map(|joint| rest.strip_suffix(joint)).unwrap_or(rest);
    // "Read the daily" is no more than half a message.
    let is_part = ENGLISH_PARTS.iter().any(|part| rest.ends_with(part));
    (!rest.is_empty() && !is_part).then(|| (rest.to_owned(), message[often].to_owned()))
}

/// Returns a meal at the end of words that say when, which is what the message begins with: "12시에 점심 먹으라고".
fn meal_after(said: &str, message: &str, part: &str) -> Option<&'static str> {
    let meal = MEALS.into_iter().find(|meal| said.ends_with(meal))?;
    let is_after_time = said.strip_suffix(meal)?.trim_end().ends_with('에');
    let is_when = part.contains(&format!("{said}에"));
    (!is_when && (is_after_time || is_eaten(message))).then_some(meal)
}

/// Returns the meal that `words` end with, which were taken from the beginning of `message` as when: where a time was said
/// apart, or the rest is eaten, it is what the message is about too.
pub fn meal_in(words: &str, rest: &str, message: &str, is_timed: bool) -> Option<&'static str> {
    let after = message.trim_start().strip_prefix(words)?;
    let is_about = !after.starts_with('에') && (is_timed || is_eaten(rest));
    MEALS.into_iter().find(|meal| is_about && words.ends_with(meal))
}

fn is_eaten(rest: &str) -> bool {
    EATEN.iter().any(|eaten| rest.starts_with(eaten))
}

/// Has a meal's time that is over today be that of tomorrow, where no day was said.
fn not_over(slots: &mut BTreeMap<String, Slot>, language: Language, now: &Zoned) {
    let Some(Slot { text, value: SlotValue::Moment { at, exact: true } }) = slots.get_mut("when") else {
        return;
    };
    let is_over = at.as_micros() <= now.timestamp().as_microsecond();
    let says_day = text.contains("오늘") || names_a_day(text, language, now);
    if let Some(next) = here(now.time_zone(), *at).checked_add(1.day()).ok().filter(|_| is_over && !says_day)
    {
        *at = Timestamp::from_micros(next.timestamp().as_microsecond());
    }
}

/// Takes a time at the beginning or the end of a message from it.
fn apart(message: &str, language: Language, now: &Zoned) -> Option<(String, String)> {
    let found = find_kinds(message, language, now, &[Kind::Time]);
    let times: Vec<_> = found.into_iter().filter(|found| matches!(found.value, Value::Time(_))).collect();
    let last = times.last().filter(|last| last.span.end == message.len());
    let cut = |start: usize, end: usize| {
        let before = message[..start].trim();
        let before = JOINTS.iter().find_map(|joint| before.strip_suffix(joint)).unwrap_or(before);
        let after = message[end..].trim();
        let after = after.strip_prefix("에는 ").or_else(|| after.strip_prefix("에 ")).unwrap_or(after);
        (format!("{before} {after}").trim().to_owned(), message[start..end].to_owned())
    };
    match (last, times.first()) {
        (Some(last), _) => {
            // Two that stand side by side are one: "at five tomorrow".
            let start = times
                .iter()
                .rev()
                .skip(1)
                .find(|one| message[one.span.end..last.span.start].trim().is_empty());
            Some(cut(start.map_or(last.span.start, |one| one.span.start), last.span.end))
        }
        (None, Some(first)) if first.span.start == 0 && language == Language::Korean => {
            Some(cut(0, first.span.end))
        }
        _ => None,
    }
}
