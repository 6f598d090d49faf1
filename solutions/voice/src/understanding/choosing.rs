//! Which of the meanings a sentence can have is taken: one whose times are read wholly goes before one that leaves words
//! of them over.

use std::collections::BTreeMap;

use ieum_contracts::voice::{Meaning, Slot, SlotValue};
use ieum_understanding::template::Recognised;
use ieum_understanding::value::{Kind, Language, Moment, find_kinds};
use jiff::civil::Time;
use jiff::{SignedDuration, Zoned};
use serde_json::{Value, json};

use super::halves::hour;
use super::impossible::no_such;
use super::later::to_be_done_later;
use super::moments::whole_moment;
use super::reminding;
use super::values::{Slots, slots_of, time, when};
use super::words::KOREAN_WITH;
use crate::colours::{SHADE, is_light, may_be};
use crate::tongue::Tongue;
use crate::zone::{here, moment};

/// When a reminder comes that is for a part of a day and no time of it.
const PARTS: [(&str, i8); 7] = [
    ("afternoon", 15),
    ("evening", 18),
    ("tonight", 21),
    ("night", 21),
    ("오후", 15),
    ("저녁", 18),
    ("밤", 21),
];

/// What a sentence was taken for.
pub struct Chosen {
    /// What it means: several where one command is given for several times or lengths of time.
    pub meanings: Vec<Meaning>,
    /// Whether some slot took any words.
    pub open: bool,
}

/// Takes one of `all`, the likeliest first.
pub fn choose(all: Vec<Recognised>, part: &str, language: Language, now: &Zoned) -> Option<Chosen> {
    let (mut found, mut slots) = meant(all, part, language, now)?;
    if let Some(timed) = to_be_done_later(&found, &slots, part, language, now) {
        "reminder.set".clone_into(&mut found.intent);
        slots = timed;
    } else if found.intent == "reminder.set" {
        reminding::complete(&mut slots, &found, part, language, now);
    }
    if found.intent == "reminder.set" {
        in_its_part(&mut slots.slots, language, now);
    }
    if let Some(day) = to_wake_on(&found, &slots, part, language, now) {
        "alarm.set".clone_into(&mut found.intent);
        slots.slots = day;
    }
    let mut times = std::mem::take(&mut slots.more_times);
    if found.intent.starts_with("alarm.") {
        times.iter_mut().chain([&mut slots.slots]).for_each(|slots| in_the_morning(slots, language, now));
    }
    let open = found.slots.iter().any(|slot| slot.wildcard);
    let follows_up = says(&found, "follows");
    let meaning = Meaning {
        intent: found.intent,
        confidence: 1.0,
        slots: slots.slots,
        text: part.to_owned(),
        follows_up,
    };
    let more = if meaning.intent == "timer.start" { slots.more_durations } else { Vec::new() };
    let others = more.into_iter().map(|seconds| {
        let mut other = meaning.clone();
        if let Some(slot) = other.slots.get_mut("duration") {
            slot.value = SlotValue::Duration { seconds };
        }
        other
    });
    let mut meanings: Vec<Meaning> = others.collect();
    let times = if matches!(&*meaning.intent, "alarm.set" | "reminder.set") { times } else { Vec::new() };
    meanings.extend(times.into_iter().map(|time| {
        let mut other = meaning.clone();
        other.slots.extend(time);
        other
    }));
    meanings.insert(0, meaning);
    Some(Chosen { meanings, open })
}

/// Returns the slots of an alarm where somebody is to be woken in so many days: a day that still lacks its time.
fn to_wake_on(
    found: &Recognised,
    slots: &Slots,
    part: &str,
    language: Language,
    now: &Zoned,
) -> Option<BTreeMap<String, Slot>> {
    let is_woken = ["깨워", "wake"].iter().any(|woken| part.to_lowercase().contains(woken));
    let length = slots.slots.get("duration").filter(|_| is_woken && found.intent == "timer.start")?;
    let away = match language {
        Language::Korean => format!("{} 뒤", length.text),
        Language::English => format!("in {}", length.text),
    };
    let day = when(&away, language, now)?;
    day.values().all(|slot| matches!(slot.value, SlotValue::Moment { exact: false, .. })).then_some(day)
}

/// Returns the one that is meant of `all`. A group of sentences whose metadata say `read` is meant only where all its
/// times are read; of the others the likeliest is, so that what lacks can be asked for.
fn meant(all: Vec<Recognised>, part: &str, language: Language, now: &Zoned) -> Option<(Recognised, Slots)> {
    let mut best: Option<(Recognised, Slots)> = None;
    let (mut otherwise, mut impossible) = (None, None);
    for found in all {
        let is_message = |found: &Recognised| found.slots.iter().any(|slot| slot.name == "message");
        if best.is_some() && !is_message(&found) {
            continue;
        }
        let mut slots = slots_of(&found.slots, language, now);
        slots.is_read &= found.intent != "timer.query"
            || !slots.slots.get("which").is_some_and(|which| which.text.ends_with("까지"));
        slots.is_read &= !says(&found, "name")
            || slots.slots.get("which").is_none_or(|which| time(&which.text, language, now).is_none());
        slots.is_read &= !says(&found, "days")
            || slots.slots.get("date").is_some_and(|date| is_of_days(&date.text, language, now));
        // Of two times that are joined neither is a part of the message.
        slots.is_read &= !slots.slots.get("message").is_some_and(|message| is_torn(&message.text));
        slots.is_read &=
            slots.slots.get(SHADE).is_none_or(|shade| is_shade(&shade.text, &slots.slots, part, language));
        slots.is_read &= !slots.slots.get("who").is_some_and(|who| is_nobody_else(&who.text, language, now));
        if best.is_some() {
            // The same words without a time would say now what is meant for later.
            if slots.is_read && names_a_time(&slots, part) {
                best = Some((found, slots));
                break;
            }
            if impossible.is_none() && is_for_no_such_time(&found, &slots, language) {
                impossible = Some((found, slots));
            }
        } else if slots.is_read {
            let is_timed = ["when", "every"].iter().any(|slot| slots.slots.contains_key(*slot));
            let takes_all = is_message(&found) && !is_timed;
            best = Some((found, slots));
            if !takes_all {
                break;
            }
        } else if otherwise.is_none() && !says(&found, "read") {
            otherwise = Some((found, slots));
        }
    }
    // What is to be told on a day that there is not is not told now.
    let is_announced = best.as_ref().is_some_and(|(found, _)| found.intent == "announce.say");
    let is_impossible =
        |one: &(Recognised, Slots)| is_announced && is_for_no_such_time(&one.0, &one.1, language);
    if let Some(impossible) =
        [&mut otherwise, &mut impossible].into_iter().find_map(|one| one.take_if(|one| is_impossible(one)))
    {
        best = Some(impossible);
    }
    best.or(otherwise)
}

/// Tells whether words name a whole day or more: "설날", "다음 주".
fn is_of_days(words: &str, language: Language, now: &Zoned) -> bool {
    let is_long =
        |moment: Moment| moment.end().duration_since(moment.start()) >= SignedDuration::from_hours(24);
    time(words, language, now).is_some_and(is_long)
}

/// Tells whether words name nobody else than whoever speaks, or say when: "me tomorrow", "the kids at eight".
fn is_nobody_else(who: &str, language: Language, now: &Zoned) -> bool {
    let is_speaker = who.to_lowercase().split_whitespace().next().is_none_or(|first| first == "me");
    is_speaker || !find_kinds(who, language, now, &[Kind::Time, Kind::Duration]).is_empty()
}

/// Tells whether a colour that nobody knows is meant as one: a light is to have it, or it is called one.
fn is_shade(shade: &str, slots: &BTreeMap<String, Slot>, part: &str, language: Language) -> bool {
    let part = part.to_lowercase();
    let is_called = ["color", "colour", "색"].iter().any(|word| part.contains(word));
    let is_of_light = slots.get("name").is_some_and(|name| is_light(&name.text));
    let tongue = if language == Language::Korean { Tongue::Korean } else { Tongue::English };
    (is_called || is_of_light) && may_be(tongue, shade)
}

/// Tells whether a message begins or ends with what joins two times: "랑 20시에 약 먹으", "eat at 8 am and".
fn is_torn(message: &str) -> bool {
    let message = message.trim();
    KOREAN_WITH.iter().chain(&["and "]).any(|joint| message.starts_with(joint))
        || message.ends_with(" and")
        || message.starts_with(", ")
}

/// Tells whether something is to be told at a time that there is not: "2월 30일에".
fn is_for_no_such_time(found: &Recognised, slots: &Slots, language: Language) -> bool {
    let when = slots.slots.get("when").filter(|_| found.intent == "reminder.set");
    when.is_some_and(|slot| {
        !matches!(slot.value, SlotValue::Moment { .. }) && no_such(&slot.text, language).is_some()
    })
}

/// Has an alarm for another day than today ring in the morning, where its hour is one of both halves of the day.
fn in_the_morning(slots: &mut BTreeMap<String, Slot>, language: Language, now: &Zoned) {
    let again = slots.contains_key("every");
    if let Some(Slot { text, value: SlotValue::Moment { at, exact: true } }) = slots.get_mut("when") {
        *at = hour(text, *at, again, language, now).rising();
    }
}

/// Has a reminder for a part of a day come within that part: the afternoon of today is not over when it begins.
fn in_its_part(slots: &mut BTreeMap<String, Slot>, language: Language, now: &Zoned) {
    let hour_of = |words: &str| {
        let words = words.to_lowercase();
        PARTS.iter().find(|(part, _)| words.contains(part)).map(|(_, hour)| *hour)
    };
    let said = slots.get("day").map(|day| day.text.clone()).filter(|text| hour_of(text).is_some());
    if let Some(text) = said.filter(|_| !slots.contains_key("when"))
        && let Some((at, exact)) = whole_moment(&text, language, now)
    {
        slots.remove("day");
        slots.insert("when".to_owned(), Slot { text, value: SlotValue::Moment { at, exact } });
    }
    if let Some(Slot { text, value: SlotValue::Moment { at, exact: false } }) = slots.get_mut("when")
        && let Some(hour) = hour_of(text)
    {
        let time = here(now.time_zone(), *at).date().to_datetime(Time::constant(hour, 0, 0, 0));
        *at = moment(now.time_zone(), time).unwrap_or(*at);
    }
}

/// Tells whether a time is named as one: a part of the day alone may as well be a meal, as in "저녁 먹으라고".
fn names_a_time(slots: &Slots, part: &str) -> bool {
    let again = slots.slots.contains_key("every");
    again
        || slots.slots.get("when").is_some_and(|slot| match slot.value {
            SlotValue::Moment { exact, .. } => {
                exact
                    || part.contains(&format!("{}에", slot.text))
                    || ["뒤", "후"].iter().any(|away| slot.text.ends_with(away))
            }
            _ => false,
        })
}

/// Tells whether a sentence is of a group that is meant only where nothing else is, such as "how long is left on the pasta",
/// which need not be about a timer. What is said to be so far away, "생일까지", is none.
pub fn is_last(found: &Recognised) -> bool {
    says(found, "last")
}

fn says(found: &Recognised, what: &str) -> bool {
    found.metadata.as_ref().is_some_and(|data: &Value| data[what] == json!(true))
}
