//! Times and lengths of time that words say wholly: where more than particles and fillers is left over, nothing is read.

use ieum_core::Timestamp;
use ieum_understanding::value::{Found, Grain, Kind, Language, Moment, Value, find_kinds};
use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, ToSpan, Zoned};

use super::impossible::no_such;

/// The longest length of time that is taken for one, seconds: ten years.
pub const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;
const HALF_A_DAY: SignedDuration = SignedDuration::from_hours(12);

/// What may stand around a time without changing it.
const KOREAN: [&str; 36] = [
    "에",
    "에는",
    "엔",
    "으로",
    "로",
    "쯤",
    "쯤에",
    "경",
    "경에",
    "정각",
    "정각에",
    "정도",
    "정도에",
    "까지",
    "은",
    "는",
    "를",
    "을",
    "짜리",
    "동안",
    "만",
    "요",
    "이요",
    "예요",
    "이에요",
    "좀",
    "음",
    "어",
    "그럼",
    "해",
    "줘",
    "해줘",
    "맞춰",
    "맞춰줘",
    "주세요",
    "부탁해",
];
const ENGLISH: [&str; 24] = [
    "at", "on", "for", "in", "by", "around", "about", "the", "a", "an", "of", "to", "please", "um", "uh",
    "o'clock", "make", "it", "let's", "say", "sharp", "exactly", "my", "time",
];

/// Reads a length of time that is all that `words` say, seconds; zero for one that is none, such as "minus five minutes".
pub fn whole_duration(words: &str, language: Language, now: &Zoned) -> Option<u64> {
    let found = find_kinds(words, language, now, &[Kind::Duration]);
    let [Found { value: Value::Duration(amount), .. }] = &found[..] else { return None };
    let rest = rest(words, &found);
    let minus = ["-", "−", "minus", "마이너스"].into_iter().find(|minus| rest.trim().starts_with(minus));
    let rest = minus.map_or(rest.trim(), |minus| rest.trim().trim_start_matches(minus));
    let seconds = if minus.is_some() { 0.0 } else { amount.seconds() };
    ((0.0..=LONGEST).contains(&seconds) && are_fillers(rest, language)).then_some(seconds.round() as u64)
}

/// Reads the lengths of time that `words` say one after the other: "5분이랑 10분", "5 and 10 minutes". A number alone
/// has the unit of the next one or of the one before.
pub fn whole_durations(words: &str, language: Language, now: &Zoned) -> Vec<u64> {
    let joints: &[&str] = match language {
        Language::Korean => &["이랑 ", "랑 ", "하고 ", "그리고 ", "과 ", "와 ", ", "],
        Language::English => &[" and another one for ", " and another for ", " and one for ", " and ", ", "],
    };
    let one = whole_duration(words, language, now);
    let mut parts = vec![words.to_owned()];
    for joint in joints {
        parts = parts.iter().flat_map(|part| part.split(joint).map(str::to_owned)).collect();
    }
    if one.is_some() || parts.len() < 2 {
        return one.into_iter().collect();
    }
    let unit = |part: &String| {
        let digits_end = part.trim_end().rfind(|letter: char| letter.is_ascii_digit() || letter == ' ')? + 1;
        Some(part.trim_end()[digits_end..].to_owned()).filter(|unit| !unit.is_empty())
    };
    let units: Vec<Option<String>> = parts.iter().map(unit).collect();
    let read = parts.iter().enumerate().map(|(number, part)| {
        let borrowed = || {
            let near = units[number..]
                .iter()
                .flatten()
                .next()
                .or_else(|| units[..number].iter().flatten().last())?;
            whole_duration(&format!("{} {near}", part.trim()), language, now)
        };
        whole_duration(part, language, now).or_else(borrowed)
    });
    read.collect::<Option<Vec<u64>>>().unwrap_or_default()
}

/// Reads a moment that is all that `words` say, and whether it has a time of day; a length of time is one from now.
pub fn whole_moment(words: &str, language: Language, now: &Zoned) -> Option<(Timestamp, bool)> {
    read(words, language, now, true)
}

/// Reads the moment that `words` name among others; none where they name several that are no one moment.
pub fn moment_within(words: &str, language: Language, now: &Zoned) -> Option<(Timestamp, bool)> {
    read(words, language, now, false)
}

fn read(words: &str, language: Language, now: &Zoned, whole: bool) -> Option<(Timestamp, bool)> {
    if no_such(words, language).is_some() {
        return None;
    }
    let found = find_kinds(words, language, now, &[Kind::Time, Kind::Duration]);
    if whole && !found.is_empty() && !are_fillers(&rest(words, &found), language) {
        return None;
    }
    if let Some(day) = days_away(words, language, now) {
        return Some((crate::zone::moment(now.time_zone(), day)?, false));
    }
    let (local, exact) = match &found[..] {
        [] => return hour(words, language, now),
        [Found { value: Value::Time(moment), .. }] => (moment.start(), is_exact(moment)),
        [Found { value: Value::Duration(amount), .. }] => {
            if let Some(local) = military(words, amount.seconds(), now) {
                (local, true)
            } else {
                let seconds = Some(amount.seconds()).filter(|seconds| (1.0..=LONGEST).contains(seconds))?;
                let now = Timestamp::from_micros(now.timestamp().as_microsecond());
                return Some((now + std::time::Duration::from_secs(seconds.round() as u64), true));
            }
        }
        [one, other] => joined(words, (one, other), language, now)?,
        _ => return None,
    };
    Some((crate::zone::moment(now.time_zone(), local)?, exact))
}

/// Reads a length of time in whole days, weeks, months or years as the day that is so far away: of its time nothing is said.
fn days_away(words: &str, language: Language, now: &Zoned) -> Option<DateTime> {
    const AWAY: [&str; 8] = ["뒤", "후", "뒤에", "후에", "있다가", "from", "now", "later"];
    let found = find_kinds(words, language, now, &[Kind::Duration]);
    let [Found { value: Value::Duration(amount), .. }] = &found[..] else { return None };
    let rest = rest(words, &found).to_lowercase();
    let is_away = rest.split_whitespace().all(|word| AWAY.contains(&word) || are_fillers(word, language));
    let is_short = (Grain::Day.seconds()..=LONGEST).contains(&amount.seconds());
    let is_days = amount.grain() >= Grain::Day && !amount.is_broken();
    (is_away && is_short && is_days).then(|| amount.moved(now.date().to_datetime(Time::midnight()), true))
}

/// Reads a number alone as the next such hour.
fn hour(words: &str, language: Language, now: &Zoned) -> Option<(Timestamp, bool)> {
    let found = find_kinds(words, language, now, &[Kind::Number]);
    let [Found { value: Value::Number(number), .. }] = &found[..] else { return None };
    let is_hour = number.fract() == 0.0 && (1.0..=24.0).contains(number);
    if !is_hour || !are_fillers(&rest(words, &found), language) {
        return None;
    }
    let said = match language {
        Language::Korean => format!("{number}시"),
        Language::English => format!("at {number}"),
    };
    match &find_kinds(&said, language, now, &[Kind::Time])[..] {
        [Found { value: Value::Time(moment), .. }] => {
            Some((crate::zone::moment(now.time_zone(), moment.start())?, true))
        }
        _ => None,
    }
}

/// Joins two parts, one a time of day and the other a day or a part of one.
fn joined(
    words: &str,
    (one, other): (&Found, &Found),
    language: Language,
    now: &Zoned,
) -> Option<(DateTime, bool)> {
    let (Value::Time(first), Value::Time(second)) = (&one.value, &other.value) else { return None };
    let ((day, days), (clock, clocks)) = match (is_exact(first), is_exact(second)) {
        (true, false) => ((other, second), (one, first)),
        (false, true) => ((one, first), (other, second)),
        _ => return None,
    };
    let between = match language {
        Language::Korean => " ",
        Language::English => " at ",
    };
    let clock_words = words[clock.span.clone()].trim_start_matches("at ");
    let said = format!("{}{between}{clock_words}", &words[day.span.clone()]);
    if let [Found { value: Value::Time(moment), span }] = &find_kinds(&said, language, now, &[Kind::Time])[..]
        && is_exact(moment)
        && span.len() == said.len()
    {
        return Some((moment.start(), true));
    }
    let at = days.start().date().to_datetime(clocks.start().time());
    let halves = [Some(at), at.checked_add(HALF_A_DAY).ok(), at.checked_sub(HALF_A_DAY).ok()];
    let at = halves.into_iter().flatten().find(|at| (days.start()..days.end()).contains(at))?;
    Some((at, true))
}

/// Reads hours as they are said in the services: "eleven hundred hours", "0700 hours".
fn military(words: &str, seconds: f64, now: &Zoned) -> Option<DateTime> {
    let four_digits =
        || words.split_whitespace().any(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()));
    let words_of_it = words.contains("hundred") || four_digits();
    let number = seconds / 3_600.0;
    if !words_of_it || number.fract() != 0.0 || !(0.0..2_400.0).contains(&number) {
        return None;
    }
    let number = number as i16;
    let time = Time::new((number / 100) as i8, (number % 100) as i8, 0, 0).ok()?;
    let today = now.date().to_datetime(time);
    if today > now.datetime() { Some(today) } else { today.checked_add(1.day()).ok() }
}

/// Tells whether a time of day was said, and not only a day or a part of one.
pub fn is_exact(moment: &Moment) -> bool {
    let length = moment.end().duration_since(moment.start());
    moment.grain() <= Grain::Hour && length <= SignedDuration::from_hours(1)
}

/// Returns what of `words` is no part of what was found.
fn rest(words: &str, found: &[Found]) -> String {
    let mut rest = words.to_owned();
    for found in found.iter().rev() {
        rest.replace_range(found.span.clone(), " ");
    }
    rest
}

fn are_fillers(rest: &str, language: Language) -> bool {
    let fillers: &[&str] = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let rest = rest.to_lowercase();
    let mut words = rest.split(|letter: char| letter.is_whitespace() || ".,!?~".contains(letter));
    words.all(|word| word.is_empty() || fillers.contains(&word))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Friday noon in Seoul.
    fn noon() -> Zoned {
        date(2026, 5, 1).at(12, 0, 0, 0).to_zoned(crate::zone::zone("Asia/Seoul")).expect("is a moment")
    }

    fn language(words: &str) -> Language {
        if words.is_ascii() { Language::English } else { Language::Korean }
    }

    fn said(words: &str) -> String {
        let Some((at, exact)) = whole_moment(words, language(words), &noon()) else { return String::new() };
        let at = crate::zone::here(noon().time_zone(), at);
        format!("{}{}", at.strftime("%m-%d %H:%M"), if exact { "" } else { " or so" })
    }

    #[test]
    fn a_time_is_read_from_all_its_parts() {
        for (words, at) in [
            ("six tomorrow morning", "05-02 06:00"),
            ("seven thirty tomorrow morning", "05-02 07:30"),
            ("7:15 tomorrow evening", "05-02 19:15"),
            ("3 days from now at 8 am", "05-04 08:00"),
            ("7", "05-01 19:00"),
            ("at 7 please", "05-01 19:00"),
            ("tomorrow at 7", "05-02 07:00"),
            ("monday at 9", "05-04 09:00"),
            ("tomorrow morning", "05-02 06:00 or so"),
            ("eleven hundred hours", "05-02 11:00"),
            ("0700 hours", "05-02 07:00"),
            ("an hour", "05-01 13:00"),
            ("in three days", "05-04 00:00 or so"),
            ("two weeks from now", "05-15 00:00 or so"),
            ("in a month", "06-01 00:00 or so"),
            ("72 hours", "05-04 12:00"),
            ("in three days at 2 pm", "05-04 14:00"),
            ("3일 뒤", "05-04 00:00 or so"),
            ("사흘 후에", "05-04 00:00 or so"),
            ("하루 뒤", "05-02 00:00 or so"),
            ("2주 뒤", "05-15 00:00 or so"),
            ("한 달 뒤", "06-01 00:00 or so"),
            ("36시간 뒤", "05-03 00:00"),
            ("3일 뒤 오후 2시", "05-04 14:00"),
            ("오전 9시 다음 주 월요일", "05-04 09:00"),
            ("내일 아침 7시에", "05-02 07:00"),
            ("아침 7시 내일", "05-02 07:00"),
            ("저녁 8시쯤", "05-01 20:00"),
        ] {
            assert_eq!(said(words), at, "{words}");
        }
    }

    #[test]
    fn what_a_time_does_not_explain_is_not_read() {
        for words in [
            "february 30th at 7",
            "2월 30일 아침 7시",
            "13시 70분",
            "the film at 7",
            "7 in the film",
            "라면 7시",
            "an hour to take the bins out",
            "25:00",
        ] {
            assert_eq!(said(words), "", "{words}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_wholly_and_one_after_the_other() {
        for (words, wanted) in [
            ("20분", &[1_200][..]),
            ("77초", &[77]),
            ("0분", &[0]),
            ("-5분", &[0]),
            ("5분이랑 10분", &[300, 600]),
            ("5 and 10 minutes", &[300, 600]),
            ("5 minutes and another for 10", &[300, 600]),
            ("1 hour and 30 minutes", &[5_400]),
            ("지금 몇 개", &[]),
            ("cancel the 5 minute", &[]),
            ("an hour to take the bins out", &[]),
        ] {
            assert_eq!(whole_durations(words, language(words), &noon()), wanted, "{words}");
        }
    }
}
