//! Several times of day of one command: "매일 8시랑 20시에", "every day at 8 am and 8 pm". Each is a time of its own, on the
//! day or the days that were said with one of them.

use ieum_contracts::voice::SlotValue;
use ieum_understanding::value::{Kind, Language, find_kinds};
use jiff::Zoned;

use super::super::moments::whole_moment;
use super::super::repeats::repeats;
use super::super::words::{COMMA, ENGLISH_AND, KOREAN_WITH};
use super::{When, when};

/// What joins times besides what joins two of anything.
const KOREAN_JOINTS: [&str; 2] = ["그리고 ", " 또 "];
const ENGLISH_JOINTS: [&str; 2] = [" and then ", " as well as "];
/// Parts of the day, which the next time may have another of.
const KOREAN_PARTS: [&str; 8] = ["오전", "오후", "아침", "점심", "저녁", "새벽", "밤", "낮"];
const ENGLISH_HALVES: [&str; 7] = ["am", "pm", "a.m.", "p.m.", "a.m", "p.m", "o'clock"];
/// What is no day of a time.
const ENGLISH_FILLERS: [&str; 8] = ["at", "again", "on", "also", "by", "for", "then", "in"];
/// More than these nobody says at once.
const MOST: usize = 4;

/// Reads the times that are all that `words` say, where they are several: each as it is said alone.
pub fn each(words: &str, language: Language, now: &Zoned) -> Option<Vec<When>> {
    let again = repeats(words, language);
    if again.as_ref().is_some_and(|again| again.days.is_empty()) {
        return None;
    }
    let bare = again.as_ref().map_or(words, |again| &again.rest);
    let often = again.as_ref().map(|again| again.often.as_str());
    let parts = parts(bare, language);
    if !(2..=MOST).contains(&parts.len()) {
        return None;
    }
    let alone = match language {
        Language::Korean => korean(&parts, now)?,
        Language::English => english(&parts, now)?,
    };
    let one = |time: &String| {
        let words = match (often, language) {
            (None, _) => time.clone(),
            (Some(often), Language::Korean) => format!("{often} {time}"),
            (Some(often), Language::English) => format!("{often} at {time}"),
        };
        let read = when(&words, language, now)?;
        let is_exact = matches!(read.get("when")?.value, SlotValue::Moment { exact: true, .. });
        is_exact.then_some(read)
    };
    alone.iter().map(one).collect()
}

fn parts(words: &str, language: Language) -> Vec<String> {
    let (own, shared): (&[&str], &[&str]) = match language {
        Language::Korean => (&KOREAN_JOINTS, &KOREAN_WITH),
        Language::English => (&ENGLISH_JOINTS, &ENGLISH_AND),
    };
    let mut parts = vec![words.to_owned()];
    for joint in own.iter().chain(shared).chain([&COMMA]) {
        parts = parts.iter().flat_map(|part| part.split(*joint).map(str::to_owned)).collect();
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Returns the times with the day of the first, and with its part of the day where they have none of their own.
fn korean(parts: &[String], now: &Zoned) -> Option<Vec<String>> {
    let is_clock = |words: &str| {
        let says_hour = ["시", ":", "정오", "자정"].iter().any(|clock| words.contains(clock));
        says_hour && whole_moment(words, Language::Korean, now).is_some_and(|(_, exact)| exact)
    };
    let first: Vec<&str> = parts.first()?.split_whitespace().collect();
    let clock = (0..first.len()).rev().find(|at| is_clock(&first[*at..].join(" ")))?;
    let is_part = |word: &&&str| KOREAN_PARTS.contains(*word);
    let day: Vec<&str> = first[..clock].iter().filter(|word| !is_part(word)).copied().collect();
    // Beside an hour of the afternoon alone, one of a morning is one: "6시랑 18시".
    let morning = |clock: &str| if are_of_24(parts) && is_early(clock) { "오전 " } else { "" };
    let others = parts[1..].iter().map(|part| {
        let has_part = part.split_whitespace().any(|word| KOREAN_PARTS.contains(&word));
        let before = if has_part { day.join(" ") } else { first[..clock].join(" ") };
        is_clock(part).then(|| format!("{before} {}{part}", morning(part)).trim().to_owned())
    });
    let has_part = first[..clock].iter().any(|word| KOREAN_PARTS.contains(word));
    let said = first[clock..].join(" ");
    let morning = if has_part { "" } else { morning(&said) };
    let first = format!("{} {morning}{said}", first[..clock].join(" ")).trim().to_owned();
    std::iter::once(Some(first)).chain(others).collect()
}

/// Returns the number at the beginning of a time.
fn leading(clock: &str) -> Option<u32> {
    let digits: String = clock.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Tells whether one of the times is said by the 24 hours of the day.
fn are_of_24<T: AsRef<str>>(clocks: &[T]) -> bool {
    let words = clocks.iter().flat_map(|clock| clock.as_ref().split_whitespace());
    words.filter(|word| word.contains([':', '시'])).filter_map(leading).any(|hour| (13..24).contains(&hour))
}

fn is_early(clock: &str) -> bool {
    leading(clock).is_some_and(|hour| hour < 12)
}

/// Returns the times with the day of one of them, and with the half of the next where they have none.
fn english(parts: &[String], now: &Zoned) -> Option<Vec<String>> {
    let mut day: Option<String> = None;
    let mut clocks: Vec<String> = Vec::new();
    for part in parts {
        let found = find_kinds(part, Language::English, now, &[Kind::Time, Kind::Number]);
        let words: Vec<&str> =
            part.split_whitespace().filter(|word| !ENGLISH_FILLERS.contains(word)).collect();
        // The time is the part of the words that is one without a day.
        let is_day = |words: &[&str]| {
            words.is_empty()
                || whole_moment(&words.join(" "), Language::English, now).is_some_and(|(_, exact)| !exact)
        };
        let is_clock = |words: &[&str]| {
            !words.is_empty()
                && whole_moment(&format!("at {}", words.join(" ")), Language::English, now)
                    .is_some_and(|(_, exact)| exact)
        };
        let cut = (1..words.len()).chain([0]).find_map(|at| {
            let (before, after) = words.split_at(at);
            match (is_clock(before) && is_day(after), is_day(before) && is_clock(after)) {
                (true, _) => Some((before, after)),
                (_, true) => Some((after, before)),
                _ => None,
            }
        });
        let (clock, of_day) = cut.filter(|_| !found.is_empty())?;
        if !of_day.is_empty() && day.replace(of_day.join(" ")).is_some() {
            return None;
        }
        clocks.push(clock.join(" "));
    }
    let half = |clock: &String| {
        let last = clock.split_whitespace().last().unwrap_or_default();
        let digits = last.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ':');
        ENGLISH_HALVES.contains(&digits).then(|| digits.to_owned())
    };
    let halves: Vec<Option<String>> = clocks.iter().map(half).collect();
    let times = clocks.iter().enumerate().map(|(number, clock)| {
        let borrowed = halves[number..].iter().flatten().next().filter(|_| halves[number].is_none());
        let of_24 = (are_of_24(&clocks) && is_early(clock)).then(|| "am".to_owned());
        let half = borrowed.cloned().or_else(|| of_24.filter(|_| halves[number].is_none()));
        let clock = half.map_or_else(|| clock.clone(), |half| format!("{clock} {half}"));
        day.as_ref().map_or_else(|| clock.clone(), |day| format!("{day} at {clock}"))
    });
    Some(times.collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::zone::{here, zone};

    fn said(words: &str) -> Vec<String> {
        let now = date(2026, 5, 1).at(12, 0, 0, 0).to_zoned(zone("Asia/Seoul")).expect("is a moment");
        let language = if words.is_ascii() { Language::English } else { Language::Korean };
        let told = |read: When| match read["when"].value {
            SlotValue::Moment { at, .. } => here(now.time_zone(), at).strftime("%m-%d %H:%M").to_string(),
            _ => String::new(),
        };
        each(words, language, &now).unwrap_or_default().into_iter().map(told).collect()
    }

    #[test]
    fn each_time_is_on_the_day_that_was_said_with_one_of_them() {
        for (words, wanted) in [
            ("매일 8시랑 20시", &["05-02 08:00", "05-02 20:00"][..]),
            ("매일 6시랑 18시", &["05-02 06:00", "05-02 18:00"]),
            ("every day at 6 and 18:00", &["05-02 06:00", "05-02 18:00"]),
            ("매일 아침 8시하고 저녁 8시", &["05-02 08:00", "05-02 20:00"]),
            ("내일 7시랑 8시", &["05-02 07:00", "05-02 08:00"]),
            ("내일 오전 7시, 8시, 오후 9시", &["05-02 07:00", "05-02 08:00", "05-02 21:00"]),
            ("3시와 5시 30분", &["05-01 15:00", "05-01 17:30"]),
            ("8 am and 8 pm every day", &["05-02 08:00", "05-02 20:00"]),
            ("every day at 7 and 8 am", &["05-02 07:00", "05-02 08:00"]),
            ("7 and 8 tomorrow", &["05-02 07:00", "05-02 08:00"]),
            ("tomorrow at 7:30 am and 9 pm", &["05-02 07:30", "05-02 21:00"]),
            ("8 am, 2 pm and 8 pm", &["05-02 08:00", "05-01 14:00", "05-01 20:00"]),
            ("매일 8시", &[]),
            ("매달 8시랑 20시", &[]),
            ("8시랑 회의", &[]),
            ("8 and the film", &[]),
            ("monday and tuesday at 7", &[]),
        ] {
            assert_eq!(said(words), wanted, "{words}");
        }
    }
}
