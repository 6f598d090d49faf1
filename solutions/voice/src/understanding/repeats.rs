//! On which days again and again: "매일", "every weekday"; and what is said of other times, such as "매시간".

mod by_unit;
mod named;

use std::ops::Range;

use ieum_understanding::value::Language;

use by_unit::by_unit;
use named::named;

const EVERY_DAY: &[i8] = &[1, 2, 3, 4, 5, 6, 7];
const WEEKDAYS: &[i8] = &[1, 2, 3, 4, 5];
const WEEKEND: &[i8] = &[6, 7];

/// Words, and the days they mean, Monday 1; longer ones before those they begin with.
const KOREAN: [(&str, &[i8]); 43] = [
    ("매일매일", EVERY_DAY),
    ("매일", EVERY_DAY),
    ("날마다", EVERY_DAY),
    ("하루에 한 번", EVERY_DAY),
    ("평일마다", WEEKDAYS),
    ("평일에", WEEKDAYS),
    ("평일", WEEKDAYS),
    ("주중에", WEEKDAYS),
    ("주중", WEEKDAYS),
    ("주말마다", WEEKEND),
    ("매주 주말", WEEKEND),
    ("매 주말", WEEKEND),
    ("아침마다", EVERY_DAY),
    ("저녁마다", EVERY_DAY),
    ("밤마다", EVERY_DAY),
    ("매주마다", &[]),
    ("매주", &[]),
    ("격주로", &[]),
    ("격주", &[]),
    ("격일로", &[]),
    ("격일", &[]),
    ("하루 건너", &[]),
    ("매달마다", &[]),
    ("매달", &[]),
    ("매월", &[]),
    ("다달이", &[]),
    ("매년", &[]),
    ("매해", &[]),
    ("해마다", &[]),
    ("매시간마다", &[]),
    ("매시간", &[]),
    ("매 시간마다", &[]),
    ("매 시간", &[]),
    ("매시", &[]),
    ("매분", &[]),
    ("하루에 두 번", &[]),
    ("하루에 세 번", &[]),
    ("하루 두 번", &[]),
    ("하루 세 번", &[]),
    ("이틀마다", &[]),
    ("이틀에 한 번", &[]),
    ("사흘마다", &[]),
    ("하루걸러", &[]),
];
const ENGLISH: [(&str, &[i8]); 23] = [
    ("every single day", EVERY_DAY),
    ("every day", EVERY_DAY),
    ("everyday", EVERY_DAY),
    ("each day", EVERY_DAY),
    ("daily", EVERY_DAY),
    ("every weekday", WEEKDAYS),
    ("on weekdays", WEEKDAYS),
    ("weekdays", WEEKDAYS),
    ("every weekend", WEEKEND),
    ("on weekends", WEEKEND),
    ("weekends", WEEKEND),
    ("every morning", EVERY_DAY),
    ("every evening", EVERY_DAY),
    ("every night", EVERY_DAY),
    ("every week", &[]),
    ("weekly", &[]),
    ("hourly", &[]),
    ("monthly", &[]),
    ("quarterly", &[]),
    ("yearly", &[]),
    ("annually", &[]),
    ("twice a day", &[]),
    ("three times a day", &[]),
];
/// What such words leave behind, as they say a part of the day too.
const KEPT: [(&str, &str); 6] = [
    ("아침마다", "아침"),
    ("저녁마다", "저녁"),
    ("밤마다", "밤"),
    ("every morning", "in the morning"),
    ("every evening", "in the evening"),
    ("every night", "at night"),
];
/// What says no more than the days that are named with it.
const WEEKLY: [&str; 8] = [
    "매주마다",
    "매주",
    "일주일에 한 번",
    "일주일에 한 번씩",
    "every week",
    "each week",
    "weekly",
    "once a week",
];
/// Parts of the day as they are said of days again and again, and as they are said of one.
const PARTS: [(&str, &str); 8] = [
    ("mornings", "in the morning"),
    ("morning", "in the morning"),
    ("afternoons", "in the afternoon"),
    ("afternoon", "in the afternoon"),
    ("evenings", "in the evening"),
    ("evening", "in the evening"),
    ("nights", "at night"),
    ("night", "at night"),
];

/// Days on which something happens again and again, and the words without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// The words that say so.
    pub often: String,
    /// The days, Monday 1; empty where it is not said which, such as for "every week".
    pub days: Vec<i8>,
    /// What else was said.
    pub rest: String,
}

/// Returns on which days `words` say again and again; `None` where they say once. What says so twice says it of the fewer
/// days ("월요일부터 금요일까지 매일"), and what no days explain goes before them ("격주 월요일마다").
pub fn repeats(words: &str, language: Language) -> Option<Repeats> {
    let words = words.trim().to_lowercase();
    let (place, days) = find(&words, language)?;
    let mut again = Repeats { often: words[place.clone()].to_owned(), days, rest: without(&words, place) };
    while let Some((place, days)) = find(&again.rest, language).filter(|_| !again.days.is_empty()) {
        let often = again.rest[place.clone()].to_owned();
        again.rest = without(&again.rest, place);
        if WEEKLY.contains(&&*often) || days == EVERY_DAY {
            continue;
        }
        if days.is_empty() || again.days == EVERY_DAY {
            again.days = days;
        } else {
            again.days.extend(days);
            again.days.sort_unstable();
            again.days.dedup();
        }
        again.often = often;
    }
    if language == Language::English {
        again.rest = in_part(&again.rest);
    }
    Some(again)
}

/// Returns the words without those at `place`, and with the part of the day that those say.
fn without(words: &str, place: Range<usize>) -> String {
    let kept = KEPT.iter().find(|(said, _)| *said == &words[place.clone()]).map_or("", |(_, kept)| kept);
    let rest = format!("{} {kept} {}", &words[..place.start], &words[place.end..]);
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the words with a part of the day after its time: "morning at 7" is "at 7 in the morning".
fn in_part(rest: &str) -> String {
    let part =
        PARTS.iter().find_map(|(said, part)| Some((rest.strip_prefix(said)?.strip_prefix(' ')?, part)));
    part.map_or_else(|| rest.to_owned(), |(time, part)| format!("{time} {part}"))
}

/// Returns where `words` begin or end with such as say again and again.
pub fn at_edge(words: &str, language: Language) -> Option<Range<usize>> {
    let lower = words.to_lowercase();
    let (place, _) = find(&lower, language).filter(|_| lower.len() == words.len())?;
    (place.start == 0 || place.end == words.len()).then_some(place)
}

/// Tells whether a part of a sentence begins or ends within days that are named together: "every Tuesday" of "every Tuesday
/// and Thursday".
pub fn is_cut(part: &str, sentence: &str, language: Language) -> bool {
    let lower = sentence.to_ascii_lowercase();
    let Some((days, _)) = named(&lower, language) else { return false };
    let Some(start) = lower.find(&part.to_ascii_lowercase()) else { return false };
    let is_within = |at: usize| days.start < at && at < days.end;
    is_within(start) || is_within(start + part.len())
}

/// Returns the words at the beginning that say again and again otherwise than on days of the week: "매시간 …".
pub fn leading(words: &str, language: Language) -> Option<String> {
    let lower = words.trim().to_lowercase();
    let (place, days) = find(&lower, language)?;
    (days.is_empty() && place.start == 0).then(|| lower[place].to_owned())
}

fn find(words: &str, language: Language) -> Option<(Range<usize>, Vec<i8>)> {
    let table: &[(&str, &[i8])] = match language {
        Language::Korean => &KOREAN,
        Language::English => &ENGLISH,
    };
    let listed = || {
        let found = table.iter().find_map(|(form, days)| Some((has(words, form, language)?, form, days)));
        found.map(|(at, form, days)| (at..at + form.len(), days.to_vec()))
    };
    let by_unit = || {
        let form = by_unit(words, language)?;
        let at = words.find(&form)?;
        Some((at..at + form.len(), Vec::new()))
    };
    named(words, language).or_else(listed).or_else(by_unit)
}

/// Returns where `form` stands in `words` as words of its own.
fn has(words: &str, form: &str, language: Language) -> Option<usize> {
    let at = words.find(form)?;
    let before = words[..at].chars().next_back();
    let after = words[at + form.len()..].chars().next();
    let is_open = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphabetic());
    (is_open(before) && (language == Language::Korean || is_open(after))).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_again_and_again_are_told_from_one_day() {
        let said = |words: &str, language| repeats(words, language).map(|found| (found.days, found.rest));
        let all = |days: &[i8], rest: &str| Some((days.to_vec(), rest.to_owned()));
        for (words, wanted) in [
            ("매일 7시", all(EVERY_DAY, "7시")),
            ("평일 아침 7시", all(WEEKDAYS, "아침 7시")),
            ("매주 월요일 9시", all(&[1], "9시")),
            ("금요일마다 오후 6시", all(&[5], "오후 6시")),
            ("주말마다 9시", all(WEEKEND, "9시")),
            ("아침마다 7시", all(EVERY_DAY, "아침 7시")),
            ("월요일 9시", None),
            ("주말 9시", None),
            ("매시간 물 마시기", all(&[], "물 마시기")),
            ("30분마다 환기", all(&[], "환기")),
            ("삼십 분마다 환기", all(&[], "환기")),
            ("두 달에 한 번 필터", all(&[], "필터")),
            ("매달 1일", all(&[], "1일")),
            ("생일마다", None),
            ("매주 화요일 목요일 7시", all(&[2, 4], "7시")),
            ("월요일부터 금요일까지 매일 7시", all(WEEKDAYS, "7시")),
            ("격주 월요일마다 9시", all(&[], "9시")),
            ("매달 첫째 월요일마다", all(&[], "첫째")),
            ("격일로 7시", all(&[], "7시")),
        ] {
            assert_eq!(said(words, Language::Korean), wanted, "{words}");
        }
        for (words, wanted) in [
            ("7 am every day", all(EVERY_DAY, "7 am")),
            ("every weekday at 7 am", all(WEEKDAYS, "at 7 am")),
            ("quarter to seven every weekday", all(WEEKDAYS, "quarter to seven")),
            ("9 every Monday", all(&[1], "9")),
            ("every 30 minutes", all(&[], "")),
            ("every quarter of an hour", all(&[], "")),
            ("once a month on the 1st", all(&[], "on the 1st")),
            ("yearly at 9", all(&[], "at 9")),
            ("every other monday at 9", all(&[], "at 9")),
            ("every tuesday and thursday at 7", all(&[2, 4], "at 7")),
            ("every weekday morning at 7", all(WEEKDAYS, "at 7 in the morning")),
            ("once a week on mondays at 9", all(&[1], "at 9")),
            ("every two weeks on mondays at 9", all(&[], "at 9")),
            ("every now and then", None),
            ("each one", None),
            ("monday at 9", None),
            ("tomorrow at 7", None),
        ] {
            assert_eq!(said(words, Language::English), wanted, "{words}");
        }
    }
}
