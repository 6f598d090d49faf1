//! Answers to questions asked back: what was said is one where nothing else was said.

use std::collections::BTreeMap;

use ieum_contracts::voice::{PendingQuestion, Slot, SlotValue};
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use crate::colours;
use crate::dialogue::Names;
use crate::plugins::{Choice, choice};
use crate::tongue::Tongue;
use crate::understanding::{half, named, values};

/// What besides the value an answer may hold.
const KOREAN: [&str; 40] = [
    "으로",
    "로",
    "에",
    "쯤",
    "쯤에",
    "정도",
    "정도로",
    "만",
    "요",
    "이요",
    "이에요",
    "예요",
    "야",
    "이야",
    "동안",
    "뒤",
    "뒤에",
    "후",
    "후에",
    "있다가",
    "이따가",
    "맞춰",
    "설정해",
    "해",
    "줘",
    "줘요",
    "주세요",
    "줄래",
    "부탁해",
    "좀",
    "음",
    "어",
    "아니",
    "그럼",
    "짜리",
    "경",
    "경에",
    "타이머",
    "알람",
    "도",
];
const ENGLISH: [&str; 40] = [
    "for", "at", "in", "on", "to", "the", "a", "an", "please", "make", "it", "no", "yes", "and", "of",
    "about", "around", "sharp", "exactly", "from", "now", "set", "then", "uh", "um", "well", "ok", "okay",
    "just", "say", "let's", "i", "said", "would", "like", "timer", "alarm", "that", "o'clock", "is",
];

/// The slot of the half of the day, asked for where an hour may be of both; what it holds for each.
pub const HALF: &str = "half";
pub const AM: &str = "am";
const PM: &str = "pm";

/// The slot of which one of several is meant.
pub const WHICH: &str = "which";

/// The slot of whether what is to be done is meant so.
pub const SURE: &str = "sure";

/// What an answer may be read as.
pub enum Read {
    /// It is likely one, where it is no command.
    Likely(BTreeMap<String, Slot>),
    /// The values of the question's slot, and of others that were said with it.
    Value(BTreeMap<String, Slot>),
    /// Any words are an answer, unless they mean something else.
    Words(Slot),
    /// It is none.
    None,
}

/// Reads `text` as the answer to a question.
pub fn read(pending: &PendingQuestion, text: &str, tongue: Tongue, now: &Zoned, names: &Names) -> Read {
    let language = tongue.pick(Language::Korean, Language::English);
    let words = text.trim().trim_end_matches(['.', '!', '?']).trim();
    let slot = pending.slot.as_str();
    // A value is found where no other particle hides its end: "10분으로 해 줘".
    let apart = match language {
        Language::Korean => text.replace("으로", " 으로"),
        Language::English => text.to_owned(),
    };
    let text = &*apart;
    let value = match slot {
        "duration" => values::duration(text, language, now),
        "when" => values::moment(text, language, now),
        "day" => values::time(text, language, now).map(|_| values::day(text, language, now)),
        "level" => values::number(text, language, now),
        "name" => return thing(words, tongue, names),
        colours::COLOR => {
            let found = colours::find(tongue, words).filter(|(_, rest)| is_filler(rest, language));
            return found.map_or(Read::None, |(colour, _)| {
                Read::Value([(slot.to_owned(), spoken(words, colour.css))].into())
            });
        }
        HALF => return half_of(words, language, now),
        WHICH => {
            let said = || [(WHICH.to_owned(), spoken(words, words))].into();
            let is_timer = pending.intent.starts_with("timer.");
            return match choice(words, is_timer, tongue, now) {
                Choice::Sure => Read::Value(said()),
                Choice::Likely => Read::Likely(said()),
                Choice::Open => Read::Words(spoken(words, words)),
            };
        }
        _ => return Read::Words(spoken(words, words)),
    };
    match value.filter(|_| is_only_a_value(text, language, now)) {
        Some(value) => Read::Value([(slot.to_owned(), Slot { text: words.to_owned(), value })].into()),
        None => Read::None,
    }
}

fn thing(text: &str, tongue: Tongue, names: &Names) -> Read {
    let found = named(tongue, text, &names.things, &names.areas).filter(|found| found.alone);
    found.map_or(Read::None, |found| {
        let area = found.area.map(|area| ("area".to_owned(), spoken(&area, &area)));
        Read::Value(area.into_iter().chain([("name".to_owned(), spoken(text, &found.name))]).collect())
    })
}

fn half_of(text: &str, language: Language, now: &Zoned) -> Read {
    let found = half(text).filter(|(_, rest)| is_only_a_value(rest, language, now));
    found.map_or(Read::None, |(later, _)| {
        Read::Value([(HALF.to_owned(), spoken(text, if later { PM } else { AM }))].into())
    })
}

fn spoken(words: &str, text: &str) -> Slot {
    Slot { text: words.to_owned(), value: SlotValue::Text { text: text.to_owned() } }
}

/// Tells whether all words are of values, or such as go with them: "6시 30분 거 꺼 줘" is a command with a time in it.
fn is_only_a_value(text: &str, language: Language, now: &Zoned) -> bool {
    let found = find_kinds(text, language, now, &[Kind::Time, Kind::Duration, Kind::Percent, Kind::Number]);
    let mut rest = text.to_lowercase();
    if rest.len() != text.len() {
        rest = text.to_owned();
    }
    for found in found.into_iter().rev() {
        rest.replace_range(found.span, " ");
    }
    is_filler(&rest, language)
}

/// Tells whether all words are such as go with a value.
fn is_filler(rest: &str, language: Language) -> bool {
    let fillers = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let mut words = rest.split(|letter: char| !letter.is_alphabetic() && letter != '\'');
    words.all(|word| word.is_empty() || fillers.contains(&word))
}
