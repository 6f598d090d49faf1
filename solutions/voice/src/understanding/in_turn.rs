//! Times that are said one after another in one sentence: a later one is on the day of the one before, and after it,
//! where it names neither a day nor a half of one: "내일 아침 7시에 깨워 주고 9시에 약 먹으라고 알려 줘".

use ieum_contracts::voice::{Meaning, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::civil::Time;
use jiff::{ToSpan, Zoned};

use super::halves::{Hour, hour, names_a_day, says_half};
use crate::zone::{here, moment};

/// A time of day that something is set for.
struct Said {
    words: String,
    at: Timestamp,
    /// Whether a day was said with it.
    day: bool,
    /// Whether a half of the day was.
    half: bool,
}

/// Gives times what the ones before them say.
pub fn in_turn(meanings: &mut [Meaning], language: Language, now: &Zoned) {
    // What a time was given by the one before it is as good as said for the next.
    let mut given = false;
    for at in 1..meanings.len() {
        let (before, rest) = meanings.split_at_mut(at);
        let (Some(first), Some(second)) = (before.last(), rest.first_mut()) else { continue };
        let said = said(first, language, now).zip(said(second, language, now));
        let follows = said
            .filter(|(one, _)| given || one.day || one.half)
            .and_then(|(one, other)| following(&one, &other, given, language, now));
        given = follows.is_some();
        if let Some((words, at)) = follows {
            put(second, words, at);
        }
    }
}

/// Returns the time that a command sets something for, once.
fn said(meaning: &Meaning, language: Language, now: &Zoned) -> Option<Said> {
    let is_set = ["alarm.set", "reminder.set"].contains(&meaning.intent.as_str());
    let slot = meaning.slots.get("when").filter(|_| is_set && !meaning.slots.contains_key("every"))?;
    let SlotValue::Moment { at, exact: true } = slot.value else { return None };
    let words = slot.text.to_lowercase();
    let found = find_kinds(&words, language, now, &[Kind::Time, Kind::Duration]);
    // A length of time counts from now.
    let is_length = !found.is_empty() && found.iter().all(|found| matches!(found.value, Value::Duration(_)));
    (!is_length).then(|| Said {
        day: names_a_day(&words, language, now),
        half: says_half(&words, here(now.time_zone(), at).hour() % 12, language),
        words,
        at,
    })
}

/// Returns what `other` means after `one`, and the words that say so.
fn following(
    one: &Said,
    other: &Said,
    given: bool,
    language: Language,
    now: &Zoned,
) -> Option<(String, Timestamp)> {
    let zone = now.time_zone();
    let (day, time) = (here(zone, one.at).date(), here(zone, other.at).time());
    let on = |days: i64, time: Time| {
        let day = day.checked_add(days.days()).ok()?;
        moment(zone, day.to_datetime(time))
    };
    if other.day || (other.half && !one.day && !given) {
        return None;
    }
    if other.half {
        return Some((other.words.clone(), on(0, time)?));
    }
    let early = Time::new(time.hour() % 12, time.minute(), 0, 0).ok()?;
    // Which half is meant is not known yet, and asked for.
    if matches!(hour(&one.words, one.at, false, language, now), Hour::Either(_)) {
        let words = match language {
            Language::Korean => format!("{}월 {}일 {}", day.month(), day.day(), other.words),
            Language::English => {
                format!("{} at {}", day.strftime("%B %-d"), other.words.trim_start_matches("at "))
            }
        };
        return Some((words, on(0, early)?));
    }
    let late = Time::new(time.hour() % 12 + 12, time.minute(), 0, 0).ok()?;
    let all = [on(0, early), on(0, late), on(1, early)];
    Some((other.words.clone(), all.into_iter().flatten().find(|at| *at > one.at)?))
}

fn put(meaning: &mut Meaning, words: String, at: Timestamp) {
    if let Some(slot) = meaning.slots.get_mut("when") {
        slot.text = words;
        slot.value = SlotValue::Moment { at, exact: true };
    }
}
