//! On which days again and again: "매일", "every weekday".

use ieum_understanding::value::Language;

const EVERY_DAY: &[i8] = &[1, 2, 3, 4, 5, 6, 7];
const WEEKDAYS: &[i8] = &[1, 2, 3, 4, 5];
const WEEKEND: &[i8] = &[6, 7];

/// Words, and the days they mean, Monday 1; longer ones before those they begin with.
const KOREAN: [(&str, &[i8]); 23] = [
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
    ("매주", &[]),
    ("격주", &[]),
    ("매달", &[]),
    ("매월", &[]),
    ("매년", &[]),
    ("매시간", &[]),
    ("시간마다", &[]),
    ("분마다", &[]),
];
const ENGLISH: [(&str, &[i8]); 25] = [
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
    ("each week", &[]),
    ("every hour", &[]),
    ("hourly", &[]),
    ("every month", &[]),
    ("monthly", &[]),
    ("every year", &[]),
    ("every other", &[]),
    ("every two", &[]),
    ("every few", &[]),
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
const KOREAN_DAYS: [&str; 7] = ["월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"];
const ENGLISH_DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Days on which something happens again and again, and the words without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// The days, Monday 1; empty where it is not said which, such as for "every week".
    pub days: Vec<i8>,
    /// What else was said.
    pub rest: String,
}

/// Returns on which days `words` say again and again; `None` where they say once.
pub fn repeats(words: &str, language: Language) -> Option<Repeats> {
    let words = words.trim().to_lowercase();
    let (table, names): (&[(&str, &[i8])], _) = match language {
        Language::Korean => (&KOREAN, KOREAN_DAYS),
        Language::English => (&ENGLISH, ENGLISH_DAYS),
    };
    let named = || {
        names.iter().zip(1..).find_map(|(name, day)| {
            let forms = match language {
                Language::Korean => {
                    [format!("매주 {name}마다"), format!("매주 {name}"), format!("{name}마다")]
                }
                Language::English => [format!("on {name}s"), format!("every {name}"), format!("each {name}")],
            };
            let form = forms.into_iter().find(|form| has(&words, form, language))?;
            Some((form, vec![day]))
        })
    };
    let listed = || {
        let (form, days) = table.iter().find(|(form, _)| has(&words, form, language))?;
        Some(((*form).to_owned(), days.to_vec()))
    };
    let (form, days) = named().or_else(listed)?;
    let kept = KEPT.iter().find(|(said, _)| *said == form).map_or("", |(_, kept)| kept);
    let rest = words.replacen(&form, kept, 1).split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Repeats { days, rest })
}

/// Tells whether `form` stands in `words` as words of its own.
fn has(words: &str, form: &str, language: Language) -> bool {
    let Some(at) = words.find(form) else { return false };
    let before = words[..at].chars().next_back();
    let after = words[at + form.len()..].chars().next();
    let is_open = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphabetic());
    is_open(before) && (language == Language::Korean || is_open(after))
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
        ] {
            assert_eq!(said(words, Language::Korean), wanted, "{words}");
        }
        for (words, wanted) in [
            ("7 am every day", all(EVERY_DAY, "7 am")),
            ("every weekday at 7 am", all(WEEKDAYS, "at 7 am")),
            ("quarter to seven every weekday", all(WEEKDAYS, "quarter to seven")),
            ("9 every Monday", all(&[1], "9")),
            ("monday at 9", None),
            ("tomorrow at 7", None),
        ] {
            assert_eq!(said(words, Language::English), wanted, "{words}");
        }
    }
}
