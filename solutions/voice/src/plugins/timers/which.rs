//! Which of somebody's timers, alarms or reminders was meant: by its length, its time, its name, or all of them.

use ieum_contracts::voice::{PluginAsk, ScheduleKind, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::value::Language;
use jiff::Zoned;

use super::Set;
use super::setting::language;
use crate::tongue::Tongue;
use crate::understanding::{names_a_day, whole_duration, whole_moment};
use crate::zone::{here, zone};

/// What was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Nothing.
    Unsaid,
    /// That all are meant.
    All,
    /// That all are meant, and how many those are: "둘 다".
    AllOf(usize),
    /// How long it was set for, seconds.
    Long(u64),
    /// When it rings; what was said with the hour.
    At(Timestamp, With),
    /// What it is about.
    Named(String),
}

/// What was said with an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct With {
    /// The half of the day.
    half: bool,
    /// The day.
    day: bool,
}

const ALL: [&str; 16] = [
    "모든",
    "전부",
    "다",
    "모두",
    "싹",
    "전체",
    "all",
    "every",
    "everything",
    "both",
    "전부요",
    "다요",
    "모두요",
    "전부다",
    "둘다",
    "each",
];
/// What goes with a name and is none of it.
const KOREAN: [&str; 16] = [
    "거", "것", "걸", "거요", "꺼", "짜리", "그", "내", "제", "맞춘", "아까", "로", "에", "로요", "요", "좀",
];
const ENGLISH: [&str; 12] =
    ["the", "my", "a", "an", "one", "for", "at", "called", "named", "that", "set", "of"];
/// Words that say which half of the day.
const HALVES: [&str; 16] = [
    "오전",
    "오후",
    "아침",
    "저녁",
    "밤",
    "새벽",
    "낮",
    "am",
    "pm",
    "a.m",
    "p.m",
    "morning",
    "afternoon",
    "evening",
    "night",
    "noon",
];
/// Words that say which day.
const DAYS: [&str; 7] = ["오늘", "내일", "모레", "요일", "tonight", "tomorrow", "day"];
/// Numbers of things, from two on, as they are said with all of them.
const COUNTS: [[&str; 6]; 4] = [
    ["둘다", "둘모두", "두개", "2개", "both", "all two"],
    ["셋다", "셋모두", "세개", "3개", "all three", "all 3"],
    ["넷다", "넷모두", "네개", "4개", "all four", "all 4"],
    ["다섯다", "다섯모두", "다섯개", "5개", "all five", "all 5"],
];

/// Returns which was meant.
pub fn which(ask: &PluginAsk, tongue: Tongue) -> Which {
    let slots = &ask.meaning.slots;
    let said = slots.get("which").or_else(|| slots.get("when").filter(|_| slots.get("which").is_none()));
    let has_all = |text: &str| words(text).any(|word| ALL.contains(&word.as_str()));
    let Some(said) = said.map(|slot| slot.text.as_str()).filter(|text| !text.is_empty()) else {
        return if has_all(&ask.meaning.text) { all_of(&ask.meaning.text) } else { Which::Unsaid };
    };
    let fillers: &[&str] = tongue.pick(&KOREAN, &ENGLISH);
    let kept = words(said).filter(|word| !fillers.contains(&word.as_str()));
    let kept = kept.collect::<Vec<_>>().join(" ");
    if kept.is_empty() || has_all(&kept) {
        let all = [&kept, &ask.meaning.text].into_iter().find(|text| has_all(text));
        return all.map_or(Which::Unsaid, |text| all_of(text));
    }
    let language = tongue.pick(Language::Korean, Language::English);
    let now = here(&zone(&ask.zone), ask.now);
    if let Some(seconds) = whole_duration(&kept, language, &now) {
        return Which::Long(seconds);
    }
    let moment = || whole_moment(said, language, &now).or_else(|| whole_moment(&kept, language, &now));
    match moment() {
        Some((at, true)) => Which::At(at, with(&kept, language, &now)),
        _ => Which::Named(kept),
    }
}

/// Returns that all are meant, with their number where `text` says it.
fn all_of(text: &str) -> Which {
    let spaced = words(text).collect::<Vec<_>>().join(" ");
    let bare = bare(&spaced);
    // "all 3 minute timers" says how long they run, and "12개" ends as "2개" does.
    let is_number = |said: &str| match said.is_ascii() {
        true => spaced.match_indices(said).any(|(at, _)| {
            let rest = spaced[at + said.len()..].trim_start();
            !rest.starts_with(|letter: char| letter.is_ascii_digit())
                && !["minute", "hour", "second"].iter().any(|unit| rest.starts_with(unit))
        }),
        false => bare
            .match_indices(said)
            .any(|(at, _)| !bare[..at].ends_with(|letter: char| letter.is_ascii_digit() || letter == '열')),
    };
    let number = COUNTS.iter().position(|count| count.iter().any(|said| is_number(said)));
    number.map_or(Which::All, |number| Which::AllOf(number + 2))
}

/// Returns what words in lower case say with an hour.
fn with(said: &str, language: Language, now: &Zoned) -> With {
    let half = HALVES.iter().any(|half| said.contains(half));
    With { half, day: DAYS.iter().any(|day| said.contains(day)) || names_a_day(said, language, now) }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|letter: char| letter.is_whitespace() || ",.!?".contains(letter));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns those of `set` that `which` names, the next first.
pub fn among<'a>(set: &'a [Set], which: &Which, kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    let zone = zone(&ask.zone);
    let is_near = |set: &&Set, at: Timestamp, with: With| {
        let (one, other) = (here(&zone, set.at), here(&zone, at));
        one.minute() == other.minute()
            && one.hour() % 12 == other.hour() % 12
            && (!with.half || one.hour() == other.hour())
            && (!with.day || one.date() == other.date())
    };
    match which {
        Which::Unsaid | Which::All | Which::AllOf(_) => set.iter().collect(),
        Which::Long(seconds) if kind == ScheduleKind::Timer => {
            let long = set.iter().filter(|set| set.length() == *seconds);
            long.take(1).collect()
        }
        Which::Long(seconds) => {
            let at = ask.now + std::time::Duration::from_secs(*seconds);
            set.iter().filter(|set| set.at == at).collect()
        }
        Which::At(at, with) => {
            let same: Vec<&Set> = set.iter().filter(|set| set.at == *at).collect();
            if same.is_empty() { set.iter().filter(|set| is_near(set, *at, *with)).collect() } else { same }
        }
        Which::Named(name) => {
            let whole = |set: &&Set| bare(&set.ring.label).contains(&bare(name));
            let named: Vec<&Set> = set.iter().filter(whole).collect();
            let by_words = || set.iter().filter(|set| has_words(&set.ring.label, name)).collect();
            if named.is_empty() { by_words() } else { named }
        }
    }
}

fn bare(text: &str) -> String {
    text.to_lowercase().replace(' ', "")
}

/// Tells whether what something is about has all words of `name`; a last Korean verb may end otherwise: "약 먹으라는".
fn has_words(label: &str, name: &str) -> bool {
    let label = bare(label);
    let mut said: Vec<String> = words(name).collect();
    if said.len() > 1 && !name.is_ascii() {
        said.pop();
    }
    said.iter().all(|word| label.contains(word))
}

/// Tells whether `which` was said to be all, or there is no more than one that can be meant.
pub fn is_plain(which: &Which, meant: &[&Set]) -> bool {
    let at_once = meant.windows(2).all(|two| two[0].at == two[1].at);
    *which == Which::All
        || *which == Which::AllOf(meant.len())
        || meant.len() <= 1
        || (matches!(which, Which::At(..)) && at_once)
}

/// Tells whether an answer agrees.
pub fn agrees(ask: &PluginAsk) -> bool {
    const YES: [&str; 22] = [
        "응",
        "어",
        "네",
        "예",
        "그래",
        "그래요",
        "맞아",
        "맞아요",
        "좋아",
        "좋아요",
        "취소해",
        "해",
        "줘",
        "yes",
        "yeah",
        "yep",
        "sure",
        "ok",
        "okay",
        "please",
        "do",
        "it",
    ];
    let said = ask.meaning.slots.get("sure").map(|slot| match &slot.value {
        SlotValue::Text { text } => text.clone(),
        _ => slot.text.clone(),
    });
    let said = said.unwrap_or_default();
    words(&said).next().is_some() && words(&said).all(|word| YES.contains(&word.as_str()))
}

/// Returns `at` on the day of `old`, where `said` names no day, and in the same half of it, where it names none either.
pub fn on_the_day_of(said: &str, at: Timestamp, old: Timestamp, ask: &PluginAsk) -> Option<Timestamp> {
    let zone = zone(&ask.zone);
    let with = with(said, language(ask), &here(&zone, ask.now));
    if with.day {
        return None;
    }
    if with.half {
        // What is over on that day is meant for the next one.
        let at = here(&zone, old).date().to_datetime(here(&zone, at).time());
        return crate::zone::moment(&zone, at).filter(|at| *at > ask.now);
    }
    let (at, old) = (here(&zone, at), here(&zone, old));
    let digits: String = said.chars().skip_while(|letter| !letter.is_ascii_digit()).take(2).collect();
    let is_of_24 = digits.parse::<u8>().is_ok_and(|hour| hour > 12);
    let hour = if is_of_24 { at.hour() } else { at.hour() % 12 + old.hour() / 12 * 12 };
    let time = jiff::civil::Time::new(hour % 24, at.minute(), 0, 0).ok()?;
    crate::zone::moment(&zone, old.date().to_datetime(time))
}
