//! Sentences as they are meant: what is said last where they correct themselves, and with a joint where a comma stands
//! between two times.

use ieum_understanding::several::ends_of_joints;
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use super::moments::{whole_duration, whole_moment};
use super::negated::quotes;
use super::shared::{One, is_whole};

/// Joints that are words of every other sentence too: what they correct is a value, and no words that are kept or passed on.
const BARE: [&str; 2] = [" no ", " actually "];

/// Returns a sentence that corrects itself, "set a timer for 5 minutes, no, 10 minutes", with what was said last in the place
/// of what it corrects; commands in front of that stay. `one` understands a sentence about one thing.
pub fn corrected(text: &str, language: Language, now: &Zoned, one: One<'_>) -> Option<String> {
    const ENGLISH: [&str; 9] = [
        ", no wait, ",
        ", no, ",
        ", sorry, ",
        ", i mean ",
        " no wait ",
        " i mean ",
        ", actually ",
        " actually ",
        " no ",
    ];
    const KOREAN: [&str; 6] = [", 아니 아니 ", " 아니 아니 ", ", 아니, ", ", 아니 ", " 아니다 ", " 아니 "];
    let corrections: &[&str] = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let lower = text.to_ascii_lowercase();
    let (at, joint) = corrections.iter().find_map(|joint| Some((lower.find(joint)?, *joint)))?;
    let (first, last) = (&text[..at], &text[at + joint.len()..]);
    let is_bare = BARE.contains(&joint);
    if is_bare && !is_value(last, language, now) {
        return None;
    }
    let starts = [0].into_iter().chain(ends_of_joints(first, language));
    let (start, meant) = starts.filter_map(|start| Some((start, one(&first[start..])?))).next()?;
    if is_bare && meant.iter().any(|meaning| quotes(&meaning.intent)) {
        return None;
    }
    let (before, first) = first.split_at(start);
    let words: Vec<&str> = first.split_whitespace().collect();
    let heads = (1..words.len()).rev().map(|length| format!("{} {last}", words[..length].join(" ")));
    let said = [last.to_owned()].into_iter().chain(heads).find(|text| {
        one(text).is_some_and(|found| {
            found.iter().all(is_whole)
                && meant.iter().zip(&found).all(|(one, other)| one.intent == other.intent)
        })
    })?;
    Some(format!("{before}{said}"))
}

/// Tells whether words are a time, a length of time or a number, and nothing else.
fn is_value(words: &str, language: Language, now: &Zoned) -> bool {
    let words = words.trim().trim_end_matches(['.', ',', '!', '?']);
    let is_number = || {
        let found = find_kinds(words, language, now, &[Kind::Number, Kind::Percent]);
        matches!(&found[..], [found] if found.span == (0..words.len()))
    };
    whole_duration(words, language, now).is_some()
        || whole_moment(words, language, now).is_some()
        || is_number()
}

/// Returns a sentence with words in the place of commas between times, which sentences are read without.
pub fn with_joints(text: &str, language: Language) -> String {
    let (joint, ends): (&str, &[&str]) = match language {
        Language::Korean => ("랑 ", &["시", "분", "반"]),
        Language::English => (" and ", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "am", "pm"]),
    };
    let mut parts = text.split(", ");
    let mut joined = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        // "May 5, 2027" is a day of a year.
        let is_time = (1..4).contains(&digits);
        let is_after_time = ends.iter().any(|end| joined.ends_with(end));
        joined.push_str(if is_time && is_after_time { joint } else { ", " });
        joined.push_str(part);
    }
    joined
}
