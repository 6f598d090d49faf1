//! Timers that are said one after the other with no word between them: "피자 타이머 10분 계란 타이머 6분".

use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

/// What such a sentence is about.
const NAMES: [&str; 2] = ["타이머", "timer"];
/// What may stand between a timer and the next one, so that both are commands.
const JOINT: &str = ", ";

/// Returns the sentence with a joint between its timers, as it may be meant: behind each length of time, or behind each
/// timer where the lengths of time stand in front. None where fewer than two are said.
pub fn apart(text: &str, language: Language, now: &Zoned) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let lengths = find_kinds(text, language, now, &[Kind::Duration]);
    let mut timers: Vec<usize> =
        NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(at, _)| at + name.len())).collect();
    timers.sort_unstable();
    if lengths.len() < 2 || timers.len() != lengths.len() {
        return Vec::new();
    }
    let behind = |ends: &[usize]| {
        let mut joined = text.to_owned();
        // What ends the last one has none behind it.
        for end in ends.iter().rev().skip(1) {
            let rest = joined[*end..].find(' ').map(|space| end + space);
            if let Some(space) = rest {
                joined.replace_range(space..=space, JOINT);
            }
        }
        joined
    };
    let lengths: Vec<usize> = lengths.iter().map(|length| length.span.end).collect();
    vec![behind(&lengths), behind(&timers)]
}
