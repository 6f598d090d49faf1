//! The two languages that are spoken here, and what both need to say a number, a time or a name well.

use ieum_core::Timestamp;
use jiff::tz::TimeZone;

use crate::zone::here;

/// A language that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// Korean.
    Korean,
    /// English.
    English,
}

impl Tongue {
    /// Returns the language of a code such as `ko` or `en-US`.
    pub fn of(code: &str) -> Option<Self> {
        match code.split(['-', '_']).next().unwrap_or_default() {
            "ko" => Some(Self::Korean),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// Returns the code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// Returns the language that `text` is written in, by its letters.
    pub fn heard_in(text: &str) -> Option<Self> {
        if text.chars().any(is_hangul) {
            return Some(Self::Korean);
        }
        text.chars().any(|letter| letter.is_ascii_alphabetic()).then_some(Self::English)
    }

    /// Returns the one of two texts that is in this language.
    pub fn pick<T>(self, korean: T, english: T) -> T {
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }
}

fn is_hangul(letter: char) -> bool {
    matches!(letter, '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}')
}

/// Returns `word` with the particle that its last sound takes: `with("불", "을", "를")` is `불을`.
pub fn with(word: &str, after_consonant: &str, after_vowel: &str) -> String {
    format!("{word}{}", if is_closed(word) { after_consonant } else { after_vowel })
}

/// Returns `word` with 으로 or 로, which follows a vowel and ㄹ: `3으로`, `1로`.
pub fn toward(word: &str) -> String {
    let ends_in_l = last_read(word).is_some_and(|letter| match letter {
        '\u{ac00}'..='\u{d7a3}' => (u32::from(letter) - 0xac00) % 28 == 8,
        // 일, 칠, 팔.
        '1' | '7' | '8' => true,
        _ => false,
    });
    format!("{word}{}", if is_closed(word) && !ends_in_l { "으로" } else { "로" })
}

/// Tells whether a word ends in a consonant as it is read.
pub fn is_closed(word: &str) -> bool {
    last_read(word).is_some_and(|letter| match letter {
        '\u{ac00}'..='\u{d7a3}' => (u32::from(letter) - 0xac00) % 28 != 0,
        // As the digits are read: 영, 일, 삼, 육, 칠, 팔.
        '0' | '1' | '3' | '6' | '7' | '8' => true,
        _ => false,
    })
}

/// Returns the last letter or digit that is read: none of the marks behind it are, as in `5분 (3분 남음)`.
fn last_read(word: &str) -> Option<char> {
    word.chars().rev().find(|letter| letter.is_alphanumeric())
}

/// Returns words with a capital letter in front.
pub fn begun(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Says a length of time: `1시간 30분`, `1 hour 30 minutes`.
pub fn duration(tongue: Tongue, seconds: u64) -> String {
    let parts = [
        (seconds / 3_600, "시간", "hour"),
        (seconds / 60 % 60, "분", "minute"),
        (seconds % 60, "초", "second"),
    ];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, korean, english)| match tongue {
            Tongue::Korean => format!("{count}{korean}"),
            Tongue::English if count == 1 => format!("1 {english}"),
            Tongue::English => format!("{count} {english}s"),
        })
        .collect();
    if said.is_empty() { tongue.pick("0초", "0 seconds").to_owned() } else { said.join(" ") }
}

/// Says a time of day: `오후 3시 5분`, `3:05 PM`.
pub fn time(tongue: Tongue, zone: &TimeZone, at: Timestamp) -> String {
    let at = here(zone, at);
    let (hour, minute) = (at.hour(), at.minute());
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    match tongue {
        Tongue::English => format!("{twelve}:{minute:02} {}", if hour < 12 { "AM" } else { "PM" }),
        Tongue::Korean => {
            let half = if hour < 12 { "오전" } else { "오후" };
            let minutes = if minute == 0 { String::new() } else { format!(" {minute}분") };
            format!("{half} {twelve}시{minutes}")
        }
    }
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("월요일", "Monday"),
    ("화요일", "Tuesday"),
    ("수요일", "Wednesday"),
    ("목요일", "Thursday"),
    ("금요일", "Friday"),
    ("토요일", "Saturday"),
    ("일요일", "Sunday"),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Says a date: `5월 1일 금요일`, `Friday, May 1`.
pub fn date(tongue: Tongue, date: jiff::civil::Date) -> String {
    let (korean, english) = WEEKDAYS[date.weekday().to_monday_zero_offset() as usize % 7];
    match tongue {
        Tongue::Korean => format!("{}월 {}일 {korean}", date.month(), date.day()),
        Tongue::English => format!("{english}, {} {}", MONTHS[(date.month() - 1) as usize % 12], date.day()),
    }
}

/// Says a date as seen from `today`, with its year where that is another one.
pub fn dated(tongue: Tongue, today: jiff::civil::Date, day: jiff::civil::Date) -> String {
    let said = date(tongue, day);
    if day.year() == today.year() {
        return said;
    }
    tongue.pick(format!("{}년 {said}", day.year()), format!("{said}, {}", day.year()))
}

/// Says a moment as seen from `now`: the time alone where it is today.
pub fn moment(tongue: Tongue, zone: &TimeZone, at: Timestamp, now: Timestamp) -> String {
    let (day, today) = (here(zone, at).date(), here(zone, now).date());
    let clock = time(tongue, zone, at);
    let day = if day == today {
        return tongue.pick(format!("오늘 {clock}"), format!("today at {clock}"));
    } else if today.tomorrow().is_ok_and(|tomorrow| day == tomorrow) {
        tongue.pick("내일".to_owned(), "tomorrow".to_owned())
    } else {
        dated(tongue, today, day)
    };
    tongue.pick(format!("{day} {clock}"), format!("{day} at {clock}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::zone;

    #[test]
    fn times_are_said_as_people_say_them() {
        let (seoul, at) = (zone("Asia/Seoul"), |text| Timestamp::parse(text).expect("is a time"));
        let now = at("2026-05-01T03:05:00Z");
        assert_eq!(time(Tongue::Korean, &seoul, now), "오후 12시 5분");
        assert_eq!(time(Tongue::English, &seoul, at("2026-05-01T15:00:00Z")), "12:00 AM");
        assert_eq!(moment(Tongue::Korean, &seoul, at("2026-05-01T22:00:00Z"), now), "내일 오전 7시");
        assert_eq!(
            moment(Tongue::English, &seoul, at("2026-05-03T22:00:00Z"), now),
            "Monday, May 4 at 7:00 AM"
        );
        let far = at("2027-04-01T22:00:00Z");
        assert_eq!(moment(Tongue::Korean, &seoul, far, now), "2027년 4월 2일 금요일 오전 7시");
        assert_eq!(moment(Tongue::English, &seoul, far, now), "Friday, April 2, 2027 at 7:00 AM");
        assert_eq!(duration(Tongue::Korean, 5_400), "1시간 30분");
        assert_eq!(duration(Tongue::English, 61), "1 minute 1 second");
    }

    #[test]
    fn particles_follow_the_last_sound() {
        assert_eq!(with("불", "을", "를"), "불을");
        assert_eq!(with("커피", "을", "를"), "커피를");
        assert_eq!(with("3", "이", "가"), "3이");
        assert_eq!(with("5분 (3분 남음)", "이에요", "예요"), "5분 (3분 남음)이에요");
        assert_eq!(
            ["3", "1", "5", "10", "80", "불", "30초", "1시간"].map(toward),
            ["3으로", "1로", "5로", "10으로", "80으로", "불로", "30초로", "1시간으로"]
        );
        assert_eq!(Tongue::heard_in("몇 시야?"), Some(Tongue::Korean));
        assert_eq!(Tongue::heard_in("12"), None);
    }
}
