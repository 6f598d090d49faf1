//! Timers that are said one after the other with no word between them: "피자 타이머 10분 계란 타이머 6분".

use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

/// What such a sentence is about.
const NAMES: [&str; 2] = ["타이머", "timer"];
/// What may stand between a timer and the next one, so that both are commands.
const JOINT: &str = ", ";
/// The longest words without a space that are taken apart, characters.
const LONGEST: usize = 24;

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

/// Returns Korean words that are written without any space between them as they may be meant: with spaces around what is
/// often asked for and around lengths of time and times.
pub fn spaced(text: &str, language: Language, now: &Zoned) -> Vec<String> {
    const NOUNS: [&str; 6] = ["타이머", "알람", "알림", "날씨", "먼지", "지금"];
    const PARTICLES: [char; 6] = ['를', '을', '은', '는', '도', '가'];
    const AWAY: [&str; 2] = ["뒤에", "후에"];
    const UNITS: [char; 4] = ['초', '분', '간', '반'];
    if text.chars().count() > LONGEST {
        return Vec::new();
    }
    let mut apart = text.to_owned();
    for name in NOUNS {
        let Some(at) = apart.find(name) else { continue };
        let end = at + name.len();
        let particle = apart[end..].chars().next().filter(|letter| PARTICLES.contains(letter));
        apart.insert(end + particle.map_or(0, char::len_utf8), ' ');
        apart.insert(at, ' ');
    }
    for away in AWAY {
        if let Some(at) = apart.find(away).filter(|at| apart[..*at].ends_with(UNITS)) {
            apart.insert(at + away.len(), ' ');
            apart.insert(at, ' ');
        }
    }
    let kinds: [&[Kind]; 3] = [&[], &[Kind::Duration], &[Kind::Time]];
    let all = kinds.into_iter().flat_map(|kinds| {
        let found = if kinds.is_empty() { Vec::new() } else { find_kinds(&apart, language, now, kinds) };
        let around = |after: &str| {
            let mut said = apart.clone();
            for found in found.iter().rev() {
                said.insert_str(found.span.end, after);
                said.insert(found.span.start, ' ');
            }
            said.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        [around(" "), around("")]
    });
    let mut all: Vec<String> = all.filter(|said| said != text).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_few_words_without_spaces_are_taken_apart() {
        let now = crate::zone::here(&crate::zone::zone("Asia/Seoul"), ieum_core::Timestamp::default());
        assert!(spaced("타이머삼분", Language::Korean, &now).iter().any(|said| said == "타이머 삼분"));
        for noun in ["지금", "타이머", "밥"] {
            let long = format!("{noun}{}", "십분뒤에알려줘".repeat(40));
            assert!(spaced(&long, Language::Korean, &now).is_empty(), "{noun}");
        }
    }
}
