//! From words in slots to values: lengths of time, moments, days, numbers.

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::template;
use ieum_understanding::value::{Grain, Kind, Language, Moment, Value, find_kinds};
use jiff::Zoned;
use jiff::civil::DateTime;

/// The longest length of time that is taken for one: ten years.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

/// Returns the slots of a recognised sentence as values.
pub fn slots_of(slots: &[template::Slot], language: Language, now: &Zoned) -> BTreeMap<String, Slot> {
    let read = |slot: &template::Slot| {
        let words = match (&slot.value, slot.text.is_empty()) {
            (serde_json::Value::String(text), true) => text.clone(),
            _ => slot.text.clone(),
        };
        let value = match slot.name.as_str() {
            "duration" => duration(&words, language, now),
            "when" => moment(&words, language, now),
            "day" => Some(day(&words, language, now)),
            _ => None,
        };
        let value = value.unwrap_or_else(|| plain(&slot.value, &words));
        (slot.name.clone(), Slot { text: words.trim().to_owned(), value })
    };
    slots.iter().map(read).collect()
}

fn plain(value: &serde_json::Value, words: &str) -> SlotValue {
    match value {
        serde_json::Value::Number(number) => {
            SlotValue::Number { number: number.as_f64().unwrap_or_default() }
        }
        serde_json::Value::String(text) => SlotValue::Text { text: text.trim().to_owned() },
        _ => SlotValue::Text { text: words.trim().to_owned() },
    }
}

/// Reads a length of time.
pub fn duration(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let found = find_kinds(words, language, now, &[Kind::Duration]);
    let seconds = found.into_iter().find_map(|found| match found.value {
        Value::Duration(amount) => Some(amount.seconds()),
        _ => None,
    })?;
    (1.0..=LONGEST).contains(&seconds).then_some(SlotValue::Duration { seconds: seconds.round() as u64 })
}

/// Reads a moment; a length of time is one from now.
pub fn moment(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    if let Some(found) = time(words, language, now) {
        let exact = found.grain() <= Grain::Hour;
        return at(found.start(), now).map(|at| SlotValue::Moment { at, exact });
    }
    let SlotValue::Duration { seconds } = duration(words, language, now)? else { return None };
    let now = Timestamp::from_micros(now.timestamp().as_microsecond());
    Some(SlotValue::Moment { at: now + std::time::Duration::from_secs(seconds), exact: true })
}

/// Reads a day; words that name none mean today.
pub fn day(words: &str, language: Language, now: &Zoned) -> SlotValue {
    let today = now.date();
    let found = time(words, language, now);
    let (first, end) = found.map_or((today, today), |found| (found.start().date(), found.end().date()));
    let days = first.until(end).map(|span| span.get_days()).unwrap_or_default();
    SlotValue::Day { date: first.to_string(), days: u32::try_from(days).unwrap_or_default().clamp(1, 31) }
}

/// Returns whether the words name a time or day at all.
pub fn time(words: &str, language: Language, now: &Zoned) -> Option<Moment> {
    find_kinds(words, language, now, &[Kind::Time]).into_iter().find_map(|found| match found.value {
        Value::Time(moment) => Some(moment),
        _ => None,
    })
}

fn at(local: DateTime, now: &Zoned) -> Option<Timestamp> {
    crate::zone::moment(now.time_zone(), local)
}

/// Reads a number.
pub fn number(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let found = find_kinds(words, language, now, &[Kind::Percent, Kind::Number]);
    found.into_iter().find_map(|found| match found.value {
        Value::Number(number) | Value::Percent(number) => Some(SlotValue::Number { number }),
        _ => None,
    })
}
