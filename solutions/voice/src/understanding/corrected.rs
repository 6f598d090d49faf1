//! Sentences as they are meant: what is said last where they correct themselves, and with a joint where a comma stands
//! between two times.

use ieum_contracts::voice::Meaning;
use ieum_understanding::value::Language;

use super::shared::{One, is_whole};

/// Returns what a sentence means that corrects itself, "set a timer for 5 minutes, no, 10 minutes": what was said last,
/// with the words in front of what it takes the place of.
pub fn corrected(text: &str, language: Language, one: One<'_>) -> Option<Vec<Meaning>> {
    const ENGLISH: [&str; 6] = [", no wait, ", ", no, ", ", sorry, ", ", i mean ", " no wait ", " i mean "];
    const KOREAN: [&str; 6] = [", 아니 아니 ", " 아니 아니 ", ", 아니, ", ", 아니 ", " 아니다 ", " 아니 "];
    let joints = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let lower = text.to_ascii_lowercase();
    let (at, length) = joints.iter().find_map(|joint| Some((lower.find(joint)?, joint.len())))?;
    let (first, last) = (&text[..at], &text[at + length..]);
    let words: Vec<&str> = first.split_whitespace().collect();
    let heads = (1..words.len()).rev().map(|length| format!("{} {last}", words[..length].join(" ")));
    let meant = one(first);
    [last.to_owned()].into_iter().chain(heads).find_map(|text| {
        let found = one(&text).filter(|found| found.iter().all(is_whole))?;
        let is_same =
            |meant: &Vec<Meaning>| meant.iter().zip(&found).all(|(one, other)| one.intent == other.intent);
        meant.as_ref().is_none_or(is_same).then_some(found)
    })
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
        let is_time = part.starts_with(|letter: char| letter.is_ascii_digit());
        let is_after_time = ends.iter().any(|end| joined.ends_with(end));
        joined.push_str(if is_time && is_after_time { joint } else { ", " });
        joined.push_str(part);
    }
    joined
}
