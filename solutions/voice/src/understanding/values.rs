//! From words in slots to values: lengths of time, moments, days, numbers.

mod each;

use std::collections::BTreeMap;

use ieum_contracts::voice::{Slot, SlotValue};
use ieum_understanding::template;
use ieum_understanding::value::{Kind, Language, Moment, Value, find_kinds};
use jiff::Zoned;

use super::halves::names_a_day;
use super::moments::{LONGEST, moment_within, whole_duration, whole_durations, whole_moment};
use super::places::whole_date;
use super::repeats::repeats;
pub use each::each;

/// The slots of a time: `when`, and `every` where it is again and again.
pub type When = BTreeMap<String, Slot>;

/// The slots of a sentence as values.
#[derive(Clone)]
pub struct Slots {
    /// By their names.
    pub slots: BTreeMap<String, Slot>,
    /// The lengths of time that were said after the first one.
    pub more_durations: Vec<u64>,
    /// The times that were said after the first one.
    pub more_times: Vec<When>,
    /// Whether every time and length of time is read, with nothing left over.
    pub is_read: bool,
}

/// Returns the slots of a recognised sentence as values.
pub fn slots_of(slots: &[template::Slot], language: Language, now: &Zoned) -> Slots {
    let mut read =
        Slots { slots: BTreeMap::new(), more_durations: Vec::new(), more_times: Vec::new(), is_read: true };
    for slot in slots {
        let words = match (&slot.value, slot.text.is_empty()) {
            (serde_json::Value::String(text), true) => text.clone(),
            _ => slot.text.clone(),
        };
        let words = words.trim();
        let more = match slot.name.as_str() {
            "duration" => read.durations(words, language, now),
            "when" => when(words, language, now).or_else(|| read.times(words, language, now)),
            "date" => whole_date(words, language, now)
                .map(|value| [("date".to_owned(), spoken(words, value))].into()),
            "label" => label(words, language, now)
                .map(|label| [("label".to_owned(), spoken(words, SlotValue::Text { text: label }))].into()),
            "day" => Some([("day".to_owned(), spoken(words, day(words, language, now)))].into()),
            _ => Some([(slot.name.clone(), spoken(words, plain(&slot.value, words)))].into()),
        };
        let unread = || [(slot.name.clone(), spoken(words, plain(&slot.value, words)))].into();
        read.is_read &= more.is_some();
        read.slots.extend(more.unwrap_or_else(unread));
    }
    read.join_day(language, now);
    read.join_amount(language, now);
    read
}

/// Reads words that say when, and nothing else: once, or again and again. `every` are the days then, Monday 1.
pub fn when(words: &str, language: Language, now: &Zoned) -> Option<When> {
    let Some(again) = repeats(words, language) else {
        let (at, exact) = whole_moment(words, language, now)?;
        return Some([("when".to_owned(), spoken(words, SlotValue::Moment { at, exact }))].into());
    };
    let days = again.days.iter().map(i8::to_string).collect::<Vec<_>>().join(",");
    let every = ("every".to_owned(), spoken(words, SlotValue::Text { text: days }));
    if again.days.is_empty() {
        return Some([every].into());
    }
    // As said of a morning to come: what is left has no day of its own.
    let tomorrow = match language {
        Language::Korean => format!("내일 {}", again.rest),
        Language::English => format!("tomorrow at {}", again.rest.trim_start_matches("at ")),
    };
    let tomorrow =
        whole_moment(&tomorrow, language, now).or_else(|| whole_moment(&again.rest, language, now));
    let (at, exact) = tomorrow?;
    Some([every, ("when".to_owned(), spoken(words, SlotValue::Moment { at, exact }))].into())
}

/// Returns the time of an answer on the day that was said before it: "tomorrow", and then "at 7". `None` where the answer
/// names a day itself, or where a time was said before.
pub fn on_day(before: &Slot, answer: &Slot, language: Language, now: &Zoned) -> Option<Slot> {
    let is_day = matches!(before.value, SlotValue::Moment { exact: false, .. });
    let is_time = matches!(answer.value, SlotValue::Moment { exact: true, .. });
    if !is_day || !is_time || names_a_day(&answer.text, language, now) {
        return None;
    }
    let words = match language {
        Language::Korean => format!("{} {}", before.text, answer.text),
        Language::English => format!("{} at {}", before.text, answer.text.trim_start_matches("at ")),
    };
    Some(spoken(&words, moment(&words, language, now)?))
}

fn spoken(words: &str, value: SlotValue) -> Slot {
    Slot { text: words.to_owned(), value }
}

// === Slots ===

impl Slots {
    /// Reads one length of time or several, and in Korean what it is for, said in front: "라면 3분".
    fn durations(&mut self, words: &str, language: Language, now: &Zoned) -> Option<BTreeMap<String, Slot>> {
        let slot = |seconds| ("duration".to_owned(), spoken(words, SlotValue::Duration { seconds }));
        let misheard = number_misheard(words, language);
        let words = misheard.as_deref().unwrap_or(words);
        if let Some((first, more)) = whole_durations(words, language, now).split_first() {
            self.more_durations = more.to_vec();
            return Some([slot(*first)].into());
        }
        let (label, length) = words.split_once(' ').filter(|_| language == Language::Korean)?;
        let is_name = label.chars().all(char::is_alphabetic);
        let seconds = whole_duration(length, language, now).filter(|_| is_name)?;
        let label = spoken(label, SlotValue::Text { text: label.to_owned() });
        Some([slot(seconds), ("label".to_owned(), label)].into())
    }

    /// Reads several times, the first for these slots and the others for more like them.
    fn times(&mut self, words: &str, language: Language, now: &Zoned) -> Option<When> {
        let mut all = each(words, language, now)?.into_iter();
        let first = all.next()?;
        self.more_times = all.collect();
        Some(first)
    }

    /// Makes a length of time of a number and a unit that were said apart: "five more minutes".
    fn join_amount(&mut self, language: Language, now: &Zoned) {
        let (Some(amount), Some(unit)) = (self.slots.get("amount"), self.slots.get("unit")) else { return };
        let words = format!("{} {}", amount.text, unit.text);
        let seconds = whole_duration(&words, language, now);
        self.is_read &= seconds.is_some();
        if let Some(seconds) = seconds {
            self.slots.retain(|name, _| name != "amount" && name != "unit");
            self.slots.insert("duration".to_owned(), spoken(&words, SlotValue::Duration { seconds }));
        }
    }

    /// Makes one moment of a day and a time that were said apart.
    fn join_day(&mut self, language: Language, now: &Zoned) {
        let (Some(day), Some(time)) = (self.slots.get("day"), self.slots.get("when")) else { return };
        let words = match language {
            Language::Korean => format!("{} {}", day.text, time.text),
            Language::English => format!("{} at {}", day.text, time.text.trim_start_matches("at ")),
        };
        if let Some(read) = when(&words, language, now) {
            self.slots.remove("day");
            self.slots.extend(read);
            self.is_read = true;
        }
    }
}

/// Returns a length of time with the number that its first word sounds like: "for minutes", "to hours".
fn number_misheard(words: &str, language: Language) -> Option<String> {
    const ALIKE: [(&str, &str); 4] = [("to", "two"), ("too", "two"), ("for", "four"), ("ate", "eight")];
    let (first, rest) = words.split_once(' ').filter(|_| language == Language::English)?;
    let (_, number) = ALIKE.iter().find(|(alike, _)| first.eq_ignore_ascii_case(alike))?;
    let is_unit = ["minutes", "hours", "seconds"].iter().any(|unit| rest.starts_with(unit));
    is_unit.then(|| format!("{number} {rest}"))
}

/// Reads what something is for: no article alone, and nothing that says how long or when.
fn label(words: &str, language: Language, now: &Zoned) -> Option<String> {
    const NONE: [&str; 18] = [
        "the",
        "my",
        "our",
        "a",
        "an",
        "another",
        "new",
        "second",
        "third",
        "뒤",
        "후",
        "있다가",
        "이따가",
        "정도",
        "동안",
        "쯤",
        "더",
        "하나",
    ];
    // "No timer for 5 minutes" asks for none.
    if language == Language::English && words.split_whitespace().next() == Some("no") {
        return None;
    }
    let first_kept = |word: &&str| language == Language::English && NONE.contains(word);
    let label = words.split_whitespace().skip_while(first_kept).collect::<Vec<_>>().join(" ");
    let found = find_kinds(&label, language, now, &[Kind::Duration]);
    let is_name = label.split(' ').next_back().is_some_and(|last| !last.is_empty() && !NONE.contains(&last));
    (is_name && found.is_empty()).then_some(label)
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

/// Reads a length of time among other words.
pub fn duration(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let found = find_kinds(words, language, now, &[Kind::Duration]);
    let seconds = found.into_iter().find_map(|found| match found.value {
        Value::Duration(amount) => Some(amount.seconds()),
        _ => None,
    })?;
    (1.0..=LONGEST).contains(&seconds).then_some(SlotValue::Duration { seconds: seconds.round() as u64 })
}

/// Reads a moment among other words; a length of time is one from now.
pub fn moment(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let (at, exact) = moment_within(words, language, now)?;
    Some(SlotValue::Moment { at, exact })
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

/// Reads a number.
pub fn number(words: &str, language: Language, now: &Zoned) -> Option<SlotValue> {
    let found = find_kinds(words, language, now, &[Kind::Percent, Kind::Number]);
    found.into_iter().find_map(|found| match found.value {
        Value::Number(number) | Value::Percent(number) => Some(SlotValue::Number { number }),
        _ => None,
    })
}
