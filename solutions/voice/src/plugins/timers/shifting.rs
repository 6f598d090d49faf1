//! Alarms and reminders that are put off or brought forward by a length of time.

use std::time::Duration;

use ieum_contracts::voice::{PluginAnswer, PluginAsk, Slot, SlotValue};
use ieum_core::Timestamp;
use jiff::tz::TimeZone;

use super::Set;
use super::setting::language;
use crate::plugins::{asks, fails, tongue};
use crate::understanding::whole_duration;
use crate::zone::{here, zone};

/// Which way something is moved by a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Later,
    Earlier,
}

/// Returns the slot that was said in this sentence, or in answer to what it lacks: what is carried over from the one before
/// has no words.
pub fn said<'a>(ask: &'a PluginAsk, slot: &str) -> Option<&'a Slot> {
    ask.meaning.slots.get(slot).filter(|slot| !slot.text.is_empty())
}

fn way(ask: &PluginAsk) -> Option<Way> {
    match said(ask, "by")?.text.as_str() {
        "earlier" => Some(Way::Earlier),
        _ => Some(Way::Later),
    }
}

/// Asks by how long something is to be moved, or says that it cannot be, where only the way was said.
pub fn by_how_long(ask: &PluginAsk) -> Option<PluginAnswer> {
    let (tongue, way) = (tongue(ask), way(ask)?);
    match said(ask, "duration").map(|slot| &slot.value) {
        Some(SlotValue::Duration { seconds: 0 }) => {
            Some(fails(tongue.pick("1초부터 바꿀 수 있어요.", "I can change it by one second or more.")))
        }
        Some(SlotValue::Duration { .. }) => None,
        _ => {
            let korean =
                if way == Way::Later { "얼마나 늦출까요?" } else { "얼마나 앞당길까요?" };
            Some(asks("duration", tongue.pick(korean, "By how long?")))
        }
    }
}

/// Returns the ask with the moment at which `old` rings once it is moved by the length of time that was said, on the days
/// to which that leads, and `None` where none was said.
pub fn shifted(ask: &PluginAsk, old: &Set) -> Option<PluginAsk> {
    let way = way(ask)?;
    let Some(SlotValue::Duration { seconds }) = said(ask, "duration").map(|slot| &slot.value) else {
        return None;
    };
    let by = Duration::from_secs(*seconds);
    let at = if way == Way::Later { old.at + by } else { old.at - by };
    let mut ask = ask.clone();
    let slots = &mut ask.meaning.slots;
    slots.retain(|name, _| !matches!(name.as_str(), "day" | "every"));
    let value = SlotValue::Moment { at, exact: true };
    slots.insert("when".to_owned(), Slot { text: String::new(), value });
    on_days(&mut ask, old, at);
    Some(ask)
}

/// Returns when something rings that is put off by a length of time: "한 시간 뒤로". An answer, and what is said to count
/// from now, is no such length.
pub fn put_off(said: &str, old: &Set, ask: &PluginAsk) -> Option<Timestamp> {
    let by = ["뒤", "후", "later"].into_iter().find_map(|later| said.trim().strip_suffix(later))?;
    let is_answer = !ask.meaning.text.to_lowercase().contains(said);
    let seconds = whole_duration(by, language(ask), &here(&zone(&ask.zone), ask.now))?;
    (!is_answer && seconds > 0).then(|| old.at + Duration::from_secs(seconds))
}

/// Has what rang on days as `old` did ring on those on which it does at `at`.
pub fn on_days(ask: &mut PluginAsk, old: &Set, at: Timestamp) {
    let midnights = days_between(&zone(&ask.zone), old.at, at);
    let on = |day: &i8| (i64::from(*day) - 1 + midnights).rem_euclid(7) + 1;
    let mut days: Vec<i64> = old.ring.days.iter().map(on).collect();
    if days.is_empty() {
        return;
    }
    days.sort_unstable();
    let text = days.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    ask.meaning
        .slots
        .insert("every".to_owned(), Slot { text: String::new(), value: SlotValue::Text { text } });
}

/// Returns how many midnights are between two moments.
fn days_between(zone: &TimeZone, one: Timestamp, other: Timestamp) -> i64 {
    let (one, other) = (here(zone, one).date(), here(zone, other).date());
    other.duration_since(one).as_hours() / 24
}
