//! Lengths of time that something is said to repeat by, which no day of the week says: "30분마다", "once a month".

use ieum_understanding::value::Language;

const ENGLISH_DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Lengths of time that something is said to repeat by, longer ones before those they end with.
const KOREAN_UNITS: [&str; 12] =
    ["시간", "분", "초", "주일", "주", "개월", "달", "년", "해", "일", "밤", "끼"];
const KOREAN_ENDS: [&str; 5] = ["마다", "에 한 번씩", "에 한 번", "에 한번", "간격으로"];
const KOREAN_NUMBERS: [&str; 14] =
    ["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열두", "스무", "스물네", "몇"];
const ENGLISH_UNITS: [&str; 16] = [
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "week",
    "weeks",
    "fortnight",
    "month",
    "months",
    "quarter",
    "year",
    "years",
];
/// What may stand between "every" and such a length.
const ENGLISH_BETWEEN: [&str; 28] = [
    "first", "other", "few", "couple", "of", "half", "a", "an", "quarter", "single", "second", "third",
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "fifteen",
    "twenty", "thirty", "forty", "ninety",
];

/// Finds words in lower case that say by which length of time something repeats.
pub fn by_unit(words: &str, language: Language) -> Option<String> {
    match language {
        Language::Korean => korean(words),
        Language::English => english(words),
    }
}

/// Finds a length of time that something repeats by: "30분마다", "두 달에 한 번".
fn korean(words: &str) -> Option<String> {
    let is_number = |word: &str| {
        let is_digit = |letter: char| letter.is_ascii_digit() || "일이삼사오육칠팔구십백".contains(letter);
        word.chars().all(is_digit) || KOREAN_NUMBERS.contains(&word)
    };
    KOREAN_ENDS.iter().find_map(|end| {
        let at = words.find(end)?;
        let before = words[..at].trim_end();
        let head = KOREAN_UNITS.iter().find_map(|unit| before.strip_suffix(unit))?;
        let count = head.trim_end().rsplit(' ').next().unwrap_or_default();
        let start = match count {
            "" => head.len(),
            count if is_number(count) => head.trim_end().len() - count.len(),
            // A word of its own before the length: "약은 시간마다".
            _ if head.ends_with(' ') => head.len(),
            _ => return None,
        };
        Some(words[start..at + end.len()].to_owned())
    })
}

/// Finds a length of time that something repeats by: "every 30 minutes", "once a month".
fn english(words: &str) -> Option<String> {
    let bare = |word: &str| word.trim_end_matches(',').to_owned();
    let all: Vec<&str> = words.split(' ').collect();
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    (0..all.len()).find_map(|first| {
        let begins = match (all[first], all.get(first + 1)) {
            ("every" | "each", _) => 1,
            ("once", Some(&("a" | "an" | "every" | "each"))) => 2,
            _ => return None,
        };
        let rest = all.iter().skip(first + begins);
        let between = rest.clone().take_while(|word| {
            let is_last = ENGLISH_UNITS.contains(&&*bare(word)) && !ENGLISH_BETWEEN.contains(*word);
            !is_last && (is_number(word) || ENGLISH_BETWEEN.contains(*word))
        });
        let last = first + begins + between.count();
        // "Quarter" and "second" are between and a unit themselves; a day of the week is one of every two or so.
        let is_unit = |word: &str| {
            let one = word.strip_suffix('s').unwrap_or(word);
            ENGLISH_UNITS.contains(&word) || ENGLISH_DAYS.contains(&one)
        };
        let ends = |at: usize| all.get(at).is_some_and(|word| is_unit(&bare(word)));
        let last =
            [last, last.saturating_sub(1)].into_iter().find(|at| *at >= first + begins && ends(*at))?;
        Some(bare(&all[first..=last].join(" ")))
    })
}
