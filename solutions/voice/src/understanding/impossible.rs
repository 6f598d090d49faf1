//! Dates that no calendar and times that no clock has, in digits and in words: "February 30th", "이월 삼십일", "13시 70분".

use ieum_understanding::value::Language;
use ieum_understanding::value::spell::sino;

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

/// The months whose numbers are said otherwise than numbers are.
const KOREAN_MONTHS: [(&str, &str); 2] = [("유월", "6월"), ("시월", "10월")];
const ENGLISH_TENS: [(&str, &str, u32); 3] =
    [("twenty", "twentieth", 20), ("thirty", "thirtieth", 30), ("forty", "fortieth", 40)];
const ENGLISH_ONES: [(&str, &str); 9] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("four", "fourth"),
    ("five", "fifth"),
    ("six", "sixth"),
    ("seven", "seventh"),
    ("eight", "eighth"),
    ("nine", "ninth"),
];
/// The highest number that is read from Korean words: more than any day has.
const HIGHEST: u64 = 99;

/// Returns what `words` name that there is not.
pub fn no_such(words: &str, language: Language) -> Option<NoSuch> {
    let words = words.to_lowercase();
    let named = match language {
        Language::Korean => korean(&in_digits(&words)),
        Language::English => english(&words),
    };
    named.or_else(|| words.split_whitespace().find_map(clock))
}

/// Reads the numbers before 월, 일, 시 and 분.
fn korean(words: &str) -> Option<NoSuch> {
    let (mut month, mut hour, mut number) = (None, None, None::<u32>);
    let mut digits = String::new();
    for (at, letter) in words.char_indices() {
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
            // 30시간 is a length of time.
            ('시', _) if words[at..].starts_with("시간") => {}
            ('시', Some(25..)) => return Some(NoSuch::Time),
            ('시', Some(said)) => hour = Some(said),
            ('분', Some(60..)) if hour.is_some() => return Some(NoSuch::Time),
            _ => {}
        }
        number = None;
    }
    None
}

/// Returns `words` with the month in digits, and so the day that follows it. The 일 of a day is one of its own:
/// 삼십일 after a month is the thirtieth, and 삼십일일 the thirty-first.
fn in_digits(words: &str) -> String {
    let mut words = words.to_owned();
    for (said, month) in KOREAN_MONTHS {
        words = words.replace(said, month);
    }
    for (at, _) in words.clone().rmatch_indices('월') {
        let after = at + '월'.len_utf8();
        let day = words[after..].trim_start();
        let start = words.len() - day.len();
        if let Some((number, length)) = leading(day) {
            words.replace_range(start..start + length, &format!("{number}"));
        }
        let before = words[..at].trim_end();
        let month = (1..=HIGHEST).rev().find(|number| {
            let rest = before.strip_suffix(sino(*number).as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
        });
        if let Some(month) = month {
            let start = before.len() - sino(month).len();
            words.replace_range(start..at, &month.to_string());
        }
    }
    words
}

/// Reads the number at the beginning of a day: what it is, and how long its words are, without the 일 that ends it.
fn leading(day: &str) -> Option<(u64, usize)> {
    let is_day = |rest: &str| {
        let rest = rest.trim_start().strip_prefix('일')?;
        let next = rest.chars().next();
        // 일곱 and the like is another number.
        next.is_none_or(|next| !next.is_alphabetic() || "에은는이날부까".contains(next)).then_some(())
    };
    (1..=HIGHEST).rev().find_map(|number| {
        let said = sino(number);
        is_day(day.strip_prefix(said.as_str())?)?;
        Some((number, said.len()))
    })
}

fn days(month: u32) -> u32 {
    MONTHS.get(month.saturating_sub(1) as usize).map_or(31, |(_, days)| *days)
}

/// Reads the number beside a month's name.
fn english(words: &str) -> Option<NoSuch> {
    let words: Vec<String> = numbered(words);
    let number = |word: Option<&String>| {
        let word = word?.trim_end_matches(',');
        let digits = word.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let ending = &word[digits.len()..];
        matches!(ending, "" | "st" | "nd" | "rd" | "th").then(|| digits.parse::<u32>().ok()).flatten()
    };
    let is_none = |(at, word): (usize, &String)| {
        let (_, most) = MONTHS.iter().find(|(name, _)| *name == word.trim_end_matches(','))?;
        let beside = [number(words.get(at + 1)), at.checked_sub(1).and_then(|at| number(words.get(at)))];
        beside.into_iter().flatten().next().filter(|day| *day > *most && *day < 100)
    };
    words.iter().enumerate().find_map(is_none).map(|_| NoSuch::Day)
}

/// Returns the words without those that join a day to its month, and numbers of days in digits: "thirty-first" as "31".
fn numbered(words: &str) -> Vec<String> {
    let mut numbered: Vec<String> = Vec::new();
    let mut tens: Option<u32> = None;
    let parts = words.split(|letter: char| letter.is_whitespace() || letter == '-');
    for word in parts.filter(|word| !matches!(*word, "" | "the" | "of")) {
        let bare = word.trim_end_matches(',');
        let is = |(one, ordinal): &(&str, &str)| *one == bare || *ordinal == bare;
        let one = ENGLISH_ONES.iter().position(is).and_then(|place| u32::try_from(place + 1).ok());
        if let (Some(ten), Some(one)) = (tens.take(), one) {
            numbered.pop();
            numbered.push((ten + one).to_string());
            continue;
        }
        let ten = ENGLISH_TENS.iter().find(|(ten, ordinal, _)| *ten == bare || *ordinal == bare);
        // "thirtieth" is whole, and "thirty" may go on.
        tens = ten.filter(|(ten, ..)| *ten == bare).map(|(.., number)| *number);
        numbered.push(ten.map_or_else(|| word.to_owned(), |(.., number)| number.to_string()));
    }
    numbered
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
            ("2월 삼십일", Some(NoSuch::Day)),
            ("이월 삼십일에", Some(NoSuch::Day)),
            ("사월 삼십일일 아침 일곱 시", Some(NoSuch::Day)),
            ("유월 삼십일 일 오후", Some(NoSuch::Day)),
            ("십삼월 일일", Some(NoSuch::Day)),
            ("2월 삼십일이 무슨 요일", Some(NoSuch::Day)),
            ("2월 28일 7시 30분", None),
            ("사월 삼십일 일곱 시", None),
            ("사월 삼십 일 일곱 시", None),
            ("이월 이십구일", None),
            ("시월 삼십일일에", None),
            ("다음 달 삼십일", None),
            ("오월 일일 여섯 시", None),
            ("70분 뒤", None),
            ("100일 뒤", None),
            ("30시간 뒤", None),
            ("1시간 70분", None),
            ("24시", None),
        ] {
            assert_eq!(no_such(words, Language::Korean), wanted, "{words}");
        }
        for (words, wanted) in [
            ("February 30th at 7", Some(NoSuch::Day)),
            ("the 31st of april", Some(NoSuch::Day)),
            ("february thirtieth", Some(NoSuch::Day)),
            ("february thirty", Some(NoSuch::Day)),
            ("the thirty-first of april", Some(NoSuch::Day)),
            ("June thirty first, at seven", Some(NoSuch::Day)),
            ("25:00", Some(NoSuch::Time)),
            ("7:75 am", Some(NoSuch::Time)),
            ("february 28th at 7:15", None),
            ("may 31", None),
            ("february twenty ninth", None),
            ("the thirty-first of march at seven thirty", None),
            ("may thirtieth at one", None),
            ("april first at six thirty one", None),
            ("december 2026", None),
            ("at 7:15", None),
        ] {
            assert_eq!(no_such(words, Language::English), wanted, "{words}");
        }
    }
}
