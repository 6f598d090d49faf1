//! What seems to be announced at once and is meant for later: "30분 뒤 빨래 널라고 알려 줘", "아빠한테 3시에 전화하라고 알려 줘".

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_understanding::template::Recognised;
use ieum_understanding::value::{Found, Kind, Language, Value, find_kinds};
use jiff::Zoned;

use super::impossible::no_such;
use super::reminding::{self, with_ending};
use super::repeats::repeats;
use super::values::{Slots, when};

/// Parts of the day that alone may as well be a meal: "저녁 먹으라고". With 에 they are when.
const PARTS: [&str; 9] = ["아침", "점심", "저녁", "밤", "새벽", "오전", "오후", "낮", "정오"];
/// What is said at once is no other time.
const NOW: [&str; 5] = ["지금", "방금", "이제", "당장", "현재"];
/// What follows a time, longer ones before those they begin with.
const PARTICLES: [&str; 10] = ["쯤에는", "쯤에", "쯤", "에는", "에", "엔", "까지는", "까지", "부터", "이"];

/// Returns the slots of a reminder where what seems to be announced is something to be done at a time, or again and again.
/// One whose time cannot be read has none, so that it is asked for.
pub fn to_be_done_later(
    found: &Recognised,
    slots: &Slots,
    part: &str,
    language: Language,
    now: &Zoned,
) -> Option<Slots> {
    let is_told = ["알려", "말해", "일러"].iter().any(|told| part.contains(told));
    if found.intent != "announce.say" || !is_told || slots.slots.contains_key("area") {
        return None;
    }
    let mut timed = slots.clone();
    timed.slots.remove("ending");
    reminding::complete(&mut timed, found, part, language, now);
    let when = timed.slots.get("when");
    let is_exact = when.is_some_and(|when| matches!(when.value, SlotValue::Moment { exact: true, .. }));
    let is_done = timed.slots.get("message")?.text.ends_with('기');
    if (is_exact && is_done) || timed.slots.contains_key("every") {
        return Some(timed);
    }
    let message = slots.slots.get("message").filter(|_| language == Language::Korean)?;
    let span = found.slots.iter().find(|slot| slot.name == "message").and_then(|slot| slot.span.clone())?;
    let after = part.get(span.end..)?;
    let is_passed_on =
        ["라고", "하라고", "다고", "자고"].iter().any(|end| after.trim_start().starts_with(end));
    if !is_passed_on {
        return None;
    }
    let kept = kept(&with_ending(message.text.trim(), after), now)?;
    Some(Slots { slots: kept, ..slots.clone() })
}

/// Returns the slots of a message with a time anywhere in it.
fn kept(message: &str, now: &Zoned) -> Option<BTreeMap<String, Slot>> {
    let all = find_kinds(message, Language::Korean, now, &[Kind::Time, Kind::Duration]);
    let times: Vec<&Found> = all.iter().filter(|found| is_time(message, found)).collect();
    let is_odd = no_such(message, Language::Korean).is_some();
    let again = repeats(message, Language::Korean).is_some();
    if times.is_empty() && !is_odd && !again {
        return None;
    }
    let read = match &times[..] {
        [one] if !is_odd => at_one_time(message, one, again, now),
        _ => None,
    };
    let (rest, mut slots) = read.unwrap_or_else(|| (message.to_owned(), BTreeMap::new()));
    slots.insert("message".to_owned(), Slot { text: rest.clone(), value: SlotValue::Text { text: rest } });
    Some(slots)
}

/// Tells whether what was found is a time that something is meant for.
fn is_time(message: &str, found: &Found) -> bool {
    let (words, after) = (message[found.span.clone()].trim(), &message[found.span.end..]);
    match found.value {
        Value::Time(_) if NOW.contains(&words) => false,
        Value::Time(_) => !PARTS.contains(&words) || after.starts_with('에'),
        Value::Duration(_) => {
            let follows = |later: &&str| words.ends_with(*later) || after.trim_start().starts_with(*later);
            ["뒤", "후", "있다"].iter().any(follows)
        }
        _ => false,
    }
}

/// Reads the only time of a message, with how often where it is said in front of it: the rest and the slots.
fn at_one_time(
    message: &str,
    time: &Found,
    again: bool,
    now: &Zoned,
) -> Option<(String, BTreeMap<String, Slot>)> {
    let mut end = time.span.end;
    for later in ["뒤", "후", "있다가"] {
        let rest = message[end..].trim_start();
        if matches!(time.value, Value::Duration(_)) && rest.starts_with(later) {
            end = message.len() - rest.len() + later.len();
            break;
        }
    }
    let starts = message.char_indices().filter(|(at, _)| *at == 0 || message[..*at].ends_with(' '));
    let mut starts: Vec<usize> = starts.map(|(at, _)| at).filter(|at| *at < time.span.start).collect();
    starts.push(time.span.start);
    let (start, slots) = starts.into_iter().rev().find_map(|start| {
        let slots = when(&message[start..end], Language::Korean, now)?;
        (slots.contains_key("every") == again).then_some((start, slots))
    })?;
    let after = &message[end..];
    let bare = PARTICLES.iter().find_map(|particle| {
        after.strip_prefix(particle).filter(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let about = bare.unwrap_or(after).trim();
    let meal = reminding::meal_in(&message[time.span.clone()], about, &message[time.span.start..], false);
    let rest = format!("{} {} {about}", message[..start].trim(), meal.unwrap_or_default());
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    (!rest.is_empty()).then_some((rest, slots))
}
