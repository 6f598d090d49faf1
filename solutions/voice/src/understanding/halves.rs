//! Which half of the day an hour is of, where neither was said. An hour without a day is the next such hour. On a day that
//! was said, or on days again and again, seven to eleven are of the morning, twelve is noon and one to three are of the
//! afternoon, in both languages; four to six are of either. Whoever is woken then is woken in the morning, and whoever is
//! to be told something then is asked.

use ieum_core::Timestamp;
use ieum_understanding::value::{Kind, Language, Value, find_kinds};
use jiff::Zoned;
use jiff::civil::Time;

use super::moments::moment_within;
use crate::zone::{here, moment};

/// The moments that an hour may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hour {
    /// This one.
    Plain(Timestamp),
    /// One of the morning or one of the afternoon.
    Either([Timestamp; 2]),
}

impl Hour {
    /// Returns the one at which people rise.
    pub fn rising(self) -> Timestamp {
        match self {
            Self::Plain(at) | Self::Either([at, _]) => at,
        }
    }
}

const KOREAN: [&str; 10] = ["오전", "오후", "아침", "점심", "저녁", "새벽", "밤", "낮", "정오", "자정"];
const ENGLISH: [&str; 6] = ["evening", "afternoon", "night", "morning", "noon", "hundred"];
/// Hours that the afternoon alone has.
const KOREAN_HOURS: [&str; 12] = [
    "열세시",
    "열네시",
    "열다섯시",
    "열여섯시",
    "열일곱시",
    "열여덟시",
    "십삼시",
    "십사시",
    "십오시",
    "십육시",
    "십칠시",
    "십팔시",
];

/// Returns what `at` may be, which `words` were read as; `again` tells whether they say days again and again.
pub fn hour(words: &str, at: Timestamp, again: bool, language: Language, now: &Zoned) -> Hour {
    let local = here(now.time_zone(), at);
    let said = words.to_lowercase();
    if says_half(&said, local.hour(), language) || !(again || names_a_day(words, language, now)) {
        return Hour::Plain(at);
    }
    let of = |hour: i8| {
        let time = Time::new(hour, local.minute(), 0, 0).ok()?;
        moment(now.time_zone(), local.date().to_datetime(time))
    };
    let hour = local.hour() % 12;
    match (hour, of(hour), of(hour + 12)) {
        (1..=3, _, Some(afternoon)) => Hour::Plain(afternoon),
        (4..=6, Some(morning), Some(afternoon)) => Hour::Either([morning, afternoon]),
        _ => Hour::Plain(at),
    }
}

/// Tells whether words name a day to come, and not only an hour or a length of time.
pub fn names_a_day(words: &str, language: Language, now: &Zoned) -> bool {
    let found = find_kinds(words, language, now, &[Kind::Time, Kind::Duration]);
    let is_length = found.iter().all(|found| matches!(found.value, Value::Duration(_)));
    // Early in the day every hour alone is still one of today.
    let Some(early) = now.start_of_day().ok().filter(|_| !is_length) else { return false };
    let read = moment_within(words, language, &early);
    read.is_some_and(|(at, _)| here(now.time_zone(), at).date() > now.date())
}

/// Tells whether words say a half of the day, or an hour that only one of them has: `said` in lower case, read as `hour`.
pub fn says_half(said: &str, hour: i8, language: Language) -> bool {
    let bare: String = said.split_whitespace().collect();
    let is_of_24 = |before: &str| {
        let digits = before.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        (digits.len() > 1 && digits.starts_with('0')) || digits.parse::<u8>().is_ok_and(|hour| hour > 12)
    };
    let written =
        ['시', ':'].into_iter().any(|end| bare.match_indices(end).any(|(at, _)| is_of_24(&bare[..at])));
    written
        || match language {
            Language::Korean => KOREAN.iter().chain(&KOREAN_HOURS).any(|half| bare.contains(half)),
            Language::English => {
                // An hour without a half is read as one before noon.
                let is_half = |word: &str| {
                    let word =
                        word.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ':');
                    matches!(word, "am" | "pm" | "a.m" | "p.m" | "a.m." | "p.m.")
                };
                let is_four_digits =
                    |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
                hour > 12
                    || ENGLISH.iter().any(|half| said.contains(half))
                    || said.split_whitespace().any(|word| is_half(word) || is_four_digits(word))
            }
        }
}

/// Reads which half an answer names, where it names one: whether it is the later one, and the words without it.
pub fn half(words: &str) -> Option<(bool, String)> {
    const HALVES: [(&str, bool); 17] = [
        ("오전", false),
        ("아침", false),
        ("새벽", false),
        ("오후", true),
        ("저녁", true),
        ("밤", true),
        ("낮", true),
        ("morning", false),
        ("a.m.", false),
        ("a.m", false),
        ("am", false),
        ("afternoon", true),
        ("evening", true),
        ("night", true),
        ("p.m.", true),
        ("p.m", true),
        ("pm", true),
    ];
    let mut rest = words.to_lowercase();
    let mut found = None;
    for (said, later) in HALVES {
        let Some(at) = rest.find(said) else { continue };
        let is_inside = said.is_ascii() && rest[..at].ends_with(|letter: char| letter.is_alphabetic());
        if is_inside || found.is_some_and(|other| other != later) {
            return None;
        }
        found = Some(later);
        rest.replace_range(at..at + said.len(), " ");
    }
    found.map(|later| (later, rest))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::whole_moment;
    use super::*;

    /// A Friday noon in Seoul.
    fn noon() -> Zoned {
        date(2026, 5, 1).at(12, 0, 0, 0).to_zoned(crate::zone::zone("Asia/Seoul")).expect("is a moment")
    }

    fn said(words: &str, again: bool) -> String {
        let language = if words.is_ascii() { Language::English } else { Language::Korean };
        let (at, _) = whole_moment(words, language, &noon()).expect("is read");
        let clock = |at: Timestamp| here(noon().time_zone(), at).strftime("%m-%d %H:%M").to_string();
        match hour(words, at, again, language, &noon()) {
            Hour::Plain(at) => clock(at),
            Hour::Either([morning, _]) => format!("{}?", clock(morning)),
        }
    }

    #[test]
    fn an_hour_of_a_day_to_come_is_of_the_half_that_people_mean_or_of_either() {
        for (words, at) in [
            ("내일 6시 30분", "05-02 06:30?"),
            ("내일 여섯 시 반", "05-02 06:30?"),
            ("5월 16일 6시", "05-16 06:00?"),
            ("월요일 5시", "05-04 05:00?"),
            ("내일 저녁 6시", "05-02 18:00"),
            ("내일 18시", "05-02 18:00"),
            ("내일 05시", "05-02 05:00"),
            ("내일 열일곱 시", "05-02 17:00"),
            ("내일 7시", "05-02 07:00"),
            ("내일 두 시", "05-02 14:00"),
            ("내일 12시", "05-02 12:00"),
            ("6시 30분", "05-01 18:30"),
            ("30시간", "05-02 18:00"),
            ("tomorrow at 6", "05-02 06:00?"),
            ("monday at 5", "05-04 05:00?"),
            ("tomorrow at 2", "05-02 14:00"),
            ("tomorrow at 7", "05-02 07:00"),
            ("tomorrow at 6 pm", "05-02 18:00"),
            ("tomorrow at 5am", "05-02 05:00"),
            ("tomorrow at 17:30", "05-02 17:30"),
            ("6", "05-01 18:00"),
            ("30 hours", "05-02 18:00"),
        ] {
            assert_eq!(said(words, false), at, "{words}");
        }
        assert_eq!(said("내일 6시 반", true), "05-02 06:30?");
    }

    #[test]
    fn an_answer_names_one_half() {
        let rest = |words: &str| half(words).map(|(later, rest)| (later, rest.trim().to_owned()));
        assert_eq!(rest("오후요"), Some((true, "요".to_owned())));
        assert_eq!(rest("아침 6시"), Some((false, "6시".to_owned())));
        assert_eq!(rest("PM please"), Some((true, "please".to_owned())));
        for words in ["6시", "오전이나 오후", "spam", "either morning or evening"] {
            assert_eq!(rest(words), None, "{words}");
        }
    }
}
