//! Which of somebody's timers, alarms or reminders was meant: by its length, its time, its name, or all of them.

use ieum_contracts::voice::{PluginAsk, ScheduleKind, SlotValue};
use ieum_core::Timestamp;
use ieum_understanding::value::Language;

use super::Set;
use crate::tongue::Tongue;
use crate::understanding::{whole_duration, whole_moment};
use crate::zone::{here, zone};

/// What was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Nothing.
    Unsaid,
    /// That all are meant.
    All,
    /// How long it was set for, seconds.
    Long(u64),
    /// When it rings; whether a part of the day or a day was said too.
    At(Timestamp, bool),
    /// What it is about.
    Named(String),
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
/// Words that say which half of the day or which day.
const HALVES: [&str; 20] = [
    "오전", "오후", "아침", "저녁", "밤", "새벽", "낮", "오늘", "내일", "모레", "요일", "am", "pm", "a.m",
    "p.m", "morning", "evening", "tonight", "tomorrow", "day",
];

/// Returns which was meant.
pub fn which(ask: &PluginAsk, tongue: Tongue) -> Which {
    let slots = &ask.meaning.slots;
    let said = slots.get("which").or_else(|| slots.get("when").filter(|_| slots.get("which").is_none()));
    let has_all = |text: &str| words(text).any(|word| ALL.contains(&word.as_str()));
    let Some(said) = said.map(|slot| slot.text.as_str()).filter(|text| !text.is_empty()) else {
        return if has_all(&ask.meaning.text) { Which::All } else { Which::Unsaid };
    };
    let fillers: &[&str] = tongue.pick(&KOREAN, &ENGLISH);
    let kept = words(said).filter(|word| !fillers.contains(&word.as_str()));
    let kept = kept.collect::<Vec<_>>().join(" ");
    if kept.is_empty() || has_all(&kept) {
        return if has_all(&kept) || has_all(&ask.meaning.text) { Which::All } else { Which::Unsaid };
    }
    let language = tongue.pick(Language::Korean, Language::English);
    let now = here(&zone(&ask.zone), ask.now);
    if let Some(seconds) = whole_duration(&kept, language, &now) {
        return Which::Long(seconds);
    }
    let moment = || whole_moment(said, language, &now).or_else(|| whole_moment(&kept, language, &now));
    match moment() {
        Some((at, true)) => Which::At(at, HALVES.iter().any(|half| kept.contains(half))),
        _ => Which::Named(kept),
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|letter: char| letter.is_whitespace() || ",.!?".contains(letter));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Returns those of `set` that `which` names, the next first.
pub fn among<'a>(set: &'a [Set], which: &Which, kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    let zone = zone(&ask.zone);
    let is_near = |set: &&Set, at: Timestamp| {
        let (one, other) = (here(&zone, set.at), here(&zone, at));
        one.minute() == other.minute() && one.hour() % 12 == other.hour() % 12
    };
    match which {
        Which::Unsaid | Which::All => set.iter().collect(),
        Which::Long(seconds) if kind == ScheduleKind::Timer => {
            let long = set.iter().filter(|set| set.length() == *seconds);
            long.take(1).collect()
        }
        Which::Long(seconds) => {
            let at = ask.now + std::time::Duration::from_secs(*seconds);
            set.iter().filter(|set| set.at == at).collect()
        }
        Which::At(at, whole) => {
            let same: Vec<&Set> = set.iter().filter(|set| set.at == *at).collect();
            if same.is_empty() && !whole {
                set.iter().filter(|set| is_near(set, *at)).collect()
            } else {
                same
            }
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
    *which == Which::All || meant.len() <= 1 || (matches!(which, Which::At(..)) && at_once)
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

/// Returns `at` on the day of `old`, in the same half of it, where `said` names neither a day nor a half.
pub fn on_the_day_of(said: &str, at: Timestamp, old: Timestamp, ask: &PluginAsk) -> Option<Timestamp> {
    if HALVES.iter().any(|half| said.contains(half)) {
        return None;
    }
    let zone = zone(&ask.zone);
    let (at, old) = (here(&zone, at), here(&zone, old));
    let digits: String = said.chars().skip_while(|letter| !letter.is_ascii_digit()).take(2).collect();
    let is_of_24 = digits.parse::<u8>().is_ok_and(|hour| hour > 12);
    let hour = if is_of_24 { at.hour() } else { at.hour() % 12 + old.hour() / 12 * 12 };
    let time = jiff::civil::Time::new(hour % 24, at.minute(), 0, 0).ok()?;
    crate::zone::moment(&zone, old.date().to_datetime(time))
}
