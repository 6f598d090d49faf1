//! Commands to things that are said with a time: "10분 뒤에 불 꺼 줘", "turn on the fan at 7". The time is taken out, so that
//! what is left is the command; what is said to be done later is never done at once.

use ieum_contracts::voice::{Meaning, Slot, SlotValue};
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use super::values::{When, when};

/// The slot of a time that is none to begin at once: "for ten minutes", "later", "every day at seven".
pub const LATER: &str = "later";
/// The slots that say when.
const TIMES: [&str; 2] = ["when", LATER];
/// Words of no time at all, and of no other than now.
const SOME_DAY: [&str; 14] = [
    "이따가",
    "이따",
    "나중에",
    "있다가",
    "조금 이따가",
    "좀 이따가",
    "잠시 후에",
    "조금 뒤에",
    "later",
    "later on",
    "in a bit",
    "in a while",
    "in a little while",
    "soon",
];
const NOW: [&str; 9] =
    ["지금", "당장", "지금 당장", "바로", "지금 바로", "now", "right now", "immediately", "at once"];
/// What says how long something is to be so, and not when it begins.
const ENGLISH_LENGTHS: [&str; 4] = ["for ", "until ", "till ", "before "];
const KOREAN_LENGTHS: [&str; 5] = ["동안", "동안만", "까지", "까지만", "전에"];
/// How many words may stand around a time that belong to it.
const AROUND: usize = 3;

/// Returns what the command may be without its time, each with the slots of that.
pub fn apart(part: &str, language: Language, now: &Zoned) -> Vec<(String, When)> {
    let words = words_of(part);
    let Some((first, last)) = place(&words, language, now) else { return Vec::new() };
    // "On" may be of the command: "turn the light on tomorrow".
    let is_on = words[first].eq_ignore_ascii_case("on");
    let starts = first.saturating_sub(AROUND)..=first + usize::from(is_on && first < last);
    let ranges = starts
        .flat_map(|start| (last + 1..=words.len().min(last + AROUND)).rev().map(move |end| (start, end)));
    ranges
        .filter_map(|(start, end)| {
            let slots = time(&words[start..end].join(" "), language, now)?;
            let rest = [&words[..start], &words[end..]].concat().join(" ");
            (!rest.is_empty()).then_some((rest, slots))
        })
        .collect()
}

/// Tells whether a time is said that is not now.
pub fn is_timed(text: &str, language: Language, now: &Zoned) -> bool {
    let words = words_of(text);
    place(&words, language, now)
        .is_some_and(|(first, last)| !NOW.contains(&&*words[first..=last].join(" ").to_lowercase()))
}

/// Gives commands to things the time of the one that they share a verb with.
pub fn spread(meanings: &mut [Meaning]) {
    let times = meanings.iter().find_map(times_of).unwrap_or_default();
    for meaning in meanings.iter_mut().filter(|meaning| times_of(meaning).is_none()) {
        meaning.slots.extend(times.clone());
    }
}

/// Gives commands to things the time that begins the sentence in front of them: "10분 뒤에 불 끄고 선풍기 켜 줘".
pub fn carry(meanings: &mut [Meaning]) {
    let mut before: Option<When> = None;
    for meaning in meanings.iter_mut() {
        if !meaning.intent.starts_with("device.") {
            before = None;
            continue;
        }
        match (times_of(meaning), &before) {
            (Some(own), _) => {
                let begins = own.values().any(|slot| meaning.text.starts_with(&slot.text));
                before = begins.then_some(own);
            }
            (None, Some(before)) => meaning.slots.extend(before.clone()),
            (None, None) => {}
        }
    }
}

fn times_of(meaning: &Meaning) -> Option<When> {
    let is_device = meaning.intent.starts_with("device.");
    let is_time = |name: &str| TIMES.contains(&name);
    let times: When = meaning
        .slots
        .iter()
        .filter(|(name, _)| is_device && is_time(name))
        .map(|(name, slot)| (name.clone(), slot.clone()))
        .collect();
    (!times.is_empty()).then_some(times)
}

/// Returns the words without the marks that engines of speech write: "now." is now. Those of "p.m." are its own.
fn words_of(text: &str) -> Vec<&str> {
    let bare = |word: &'_ str| {
        let word = word.trim_end_matches([',', '!', '?', '~', ';']);
        word.strip_suffix('.').filter(|rest| !rest.contains('.')).unwrap_or(word).len()
    };
    text.split_whitespace().map(|word| &word[..bare(word)]).filter(|word| !word.is_empty()).collect()
}

/// Returns the first and the last word of the time that is said.
fn place(words: &[&str], language: Language, now: &Zoned) -> Option<(usize, usize)> {
    let text = words.join(" ");
    let found = find_kinds(&text, language, now, &[Kind::Time, Kind::Duration]);
    let (start, end) = match (found.first(), found.last()) {
        (Some(first), Some(last)) => (first.span.start, last.span.end),
        _ => {
            let lower = format!(" {} ", text.to_lowercase());
            let of_all = SOME_DAY.iter().chain(&NOW);
            let said =
                of_all.filter(|said| lower.contains(&format!(" {said} "))).max_by_key(|said| said.len())?;
            let start = lower.find(&format!(" {said} "))?;
            (start, start + said.len())
        }
    };
    let at = |place: usize| text.get(..place).map(|before| before.matches(' ').count());
    Some((at(start)?, at(end)?))
}

/// Reads words that are a time and nothing else: no slots for now.
fn time(words: &str, language: Language, now: &Zoned) -> Option<When> {
    let lower = words.to_lowercase();
    if NOW.contains(&&*lower) {
        return Some(When::new());
    }
    let later = || {
        let slot = Slot { text: words.to_owned(), value: SlotValue::Text { text: words.to_owned() } };
        When::from([(LATER.to_owned(), slot)])
    };
    let is_length = match language {
        Language::English => ENGLISH_LENGTHS.iter().any(|length| lower.starts_with(length)),
        Language::Korean => KOREAN_LENGTHS.iter().any(|length| lower.ends_with(length)),
    };
    if SOME_DAY.contains(&&*lower) || is_length {
        return Some(later());
    }
    let read = when(words, language, now)?;
    Some(if read.contains_key("every") { later() } else { read })
}
