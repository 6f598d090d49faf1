//! Dates that no calendar and times that no clock has: "February 30th", "13시 70분".

use ieum_understanding::value::Language;

/// What there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSuch {
    /// A day.
    Day,
    /// A time of day.
    Time,
}

const MONTHS: [(&str, u32); 12] = [
    ("january", 31),
    ("february", 29),
    ("march", 31),
    ("april", 30),
    ("may", 31),
    ("june", 30),
    ("july", 31),
    ("august", 31),
    ("september", 30),
    ("october", 31),
    ("november", 30),
    ("december", 31),
];

/// Returns what `words` name that there is not.
pub fn no_such(words: &str, language: Language) -> Option<NoSuch> {
    let words = words.to_lowercase();
    let named = match language {
        Language::Korean => korean(&words),
        Language::English => english(&words),
    };
    named.or_else(|| words.split_whitespace().find_map(clock))
}

/// Reads the numbers before 월, 일, 시 and 분.
fn korean(words: &str) -> Option<NoSuch> {
    let (mut month, mut hour, mut number) = (None, None, None::<u32>);
    let mut digits = String::new();
    for letter in words.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            number = std::mem::take(&mut digits).parse().ok();
        }
        match (letter, number) {
            (' ', _) => continue,
            ('월', Some(0 | 13..)) => return Some(NoSuch::Day),
            ('월', Some(said)) => month = Some(said),
            ('일', Some(day)) if month.is_some_and(|month| day == 0 || day > days(month)) => {
                return Some(NoSuch::Day);
            }
            ('시', Some(25..)) => return Some(NoSuch::Time),
            ('시', Some(said)) => hour = Some(said),
            ('분', Some(60..)) if hour.is_some() => return Some(NoSuch::Time),
            _ => {}
        }
        number = None;
    }
    None
}

fn days(month: u32) -> u32 {
    MONTHS.get(month.saturating_sub(1) as usize).map_or(31, |(_, days)| *days)
}

/// Reads the number beside a month's name.
fn english(words: &str) -> Option<NoSuch> {
    let words: Vec<&str> = words.split_whitespace().filter(|word| !matches!(*word, "the" | "of")).collect();
    let number = |word: Option<&&str>| {
        let word = word?.trim_end_matches(',');
        let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let ending = &word[digits.len()..];
        matches!(ending, "" | "st" | "nd" | "rd" | "th").then(|| digits.parse::<u32>().ok()).flatten()
    };
    let is_none = |(at, word): (usize, &&str)| {
        let (_, most) = MONTHS.iter().find(|(name, _)| *name == word.trim_end_matches(','))?;
        let beside = [number(words.get(at + 1)), at.checked_sub(1).and_then(|at| number(words.get(at)))];
        beside.into_iter().flatten().next().filter(|day| *day > *most && *day < 100)
    };
    words.iter().enumerate().find_map(is_none).map(|_| NoSuch::Day)
}

/// Reads a time written with a colon.
fn clock(word: &str) -> Option<NoSuch> {
    let (hour, minute) = word.split_once(':')?;
    let minute: String = minute.chars().take_while(char::is_ascii_digit).collect();
    let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
    (hour > 24 || minute > 59).then_some(NoSuch::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_not_is_told_from_what_there_is() {
        for (words, wanted) in [
            ("2월 30일 아침 7시", Some(NoSuch::Day)),
            ("13월 1일", Some(NoSuch::Day)),
            ("13시 70분", Some(NoSuch::Time)),
            ("25시", Some(NoSuch::Time)),
            ("2월 28일 7시 30분", None),
            ("70분 뒤", None),
            ("100일 뒤", None),
            ("24시", None),
        ] {
            assert_eq!(no_such(words, Language::Korean), wanted, "{words}");
        }
        for (words, wanted) in [
            ("February 30th at 7", Some(NoSuch::Day)),
            ("the 31st of april", Some(NoSuch::Day)),
            ("25:00", Some(NoSuch::Time)),
            ("7:75 am", Some(NoSuch::Time)),
            ("february 28th at 7:15", None),
            ("may 31", None),
            ("december 2026", None),
            ("at 7:15", None),
        ] {
            assert_eq!(no_such(words, Language::English), wanted, "{words}");
        }
    }
}
