//! Lengths of time in Korean: `세 시간 반`, `사흘`, `이 주일`, `1년 6개월`, `보름`.

use crate::value::calendar::{Amount, Grain};
use crate::value::korean::number::cardinal;
use crate::value::said::{Said, is_hangul};

const UNITS: &[(&str, Grain)] = &[
    (" 초", Grain::Second),
    (" 초간", Grain::Second),
    (" 분", Grain::Minute),
    (" 분간", Grain::Minute),
    (" 시간", Grain::Hour),
    (" 일", Grain::Day),
    (" 일간", Grain::Day),
    (" 날", Grain::Day),
    (" 주", Grain::Week),
    (" 주일", Grain::Week),
    (" 주간", Grain::Week),
    (" 달", Grain::Month),
    (" 개월", Grain::Month),
    (" 개 월", Grain::Month),
    (" 달간", Grain::Month),
    (" 개월간", Grain::Month),
    (" 년", Grain::Year),
    (" 년간", Grain::Year),
    (" 해", Grain::Year),
    (" 분기", Grain::Quarter),
];
const DAYS: &[(&str, f64)] = &[
    ("하루", 1.0),
    ("이틀", 2.0),
    ("사흘", 3.0),
    ("나흘", 4.0),
    ("닷새", 5.0),
    ("엿새", 6.0),
    ("이레", 7.0),
    ("여드레", 8.0),
    ("아흐레", 9.0),
    ("열흘", 10.0),
    ("보름", 15.0),
    ("열하루", 11.0),
    ("열이틀", 12.0),
];
const WHOLE: &[(&str, (f64, Grain))] = &[
    ("반나절", (6.0, Grain::Hour)),
    ("한나절", (12.0, Grain::Hour)),
    ("반시간", (0.5, Grain::Hour)),
    ("반 시간", (0.5, Grain::Hour)),
    ("시간반", (0.5, Grain::Hour)),
    ("시반", (0.5, Grain::Hour)),
    ("반년", (0.5, Grain::Year)),
    ("반 년", (0.5, Grain::Year)),
    ("반달", (0.5, Grain::Month)),
    ("일주일", (1.0, Grain::Week)),
    ("일주", (1.0, Grain::Week)),
    ("십년", (10.0, Grain::Year)),
    ("몇 시간", (3.0, Grain::Hour)),
    ("몇 분", (3.0, Grain::Minute)),
    ("몇 초", (3.0, Grain::Second)),
    ("며칠", (3.0, Grain::Day)),
    ("몇 일", (3.0, Grain::Day)),
    ("몇 주", (3.0, Grain::Week)),
    ("몇 달", (3.0, Grain::Month)),
    ("몇 개월", (3.0, Grain::Month)),
    ("몇 년", (3.0, Grain::Year)),
];

/// Reads a length of time of one or more parts, coarse ones first.
pub(crate) fn duration(said: &Said, at: usize) -> Option<(usize, Amount)> {
    let (mut end, first) = part(said, at)?;
    let mut parts = vec![first];
    loop {
        let last = parts.len() - 1;
        if let Some(after) = half(said, end) {
            parts[last].0 += 0.5;
            end = after;
            continue;
        }
        let start =
            said.spaces(said.one_of(end, &["하고", " 하고", "과", "와", " 그리고", ","]).unwrap_or(end));
        match part(said, start) {
            Some((after, next)) if next.1 < parts[last].1 => {
                parts.push(next);
                end = after;
            }
            _ => break,
        }
    }
    Some((end, Amount { parts }))
}

fn half(said: &Said, at: usize) -> Option<usize> {
    let after = said.word(at, " 반")?;
    (!is_hangul(said.at(after))
        || said
            .one_of(
                after,
                &[
                    "을", "이", "만", "동안", "정도", "안", "내", "뒤", "후", "전", "쯤", "간", "짜", "으로",
                    "이",
                ],
            )
            .is_some())
    .then_some(after)
}

fn part(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    if let Some((end, days)) = said.any(at, DAYS) {
        return Some((end, (days, Grain::Day)));
    }
    if let Some((end, whole)) = said.any(at, WHOLE) {
        return Some((end, whole));
    }
    let (end, count) = cardinal(said, at)?;
    match said.any(end, UNITS) {
        Some((end, grain)) => ends_well(said, end).then_some((end, (count, grain))),
        // In 십일 동안 the last syllable is no one but the day.
        None => {
            let day = said.before(end) == '일' && end > at + 1 && count % 10.0 == 1.0;
            let used = said.one_of(end, &[" 동안", " 뒤", " 후", " 전", " 이내", " 안에"]).is_some();
            (day && used).then_some((end, (count - 1.0, Grain::Day)))
        }
    }
}

/// What may be written right after a unit.
const AFTER: &[&str] = &[
    "동안", "간", "뒤", "후", "전", "안", "내", "이", "의", "에", "을", "를", "은", "는", "만", "도", "마다",
    "정도", "쯤", "짜리", "반", "미만", "넘", "과", "와", "로", "부터", "까지", "가", "입", "씩", "때",
    "하고", "여", "당", "지나", "더", "있", "이따", "보다", "차", "된", "걸", "남",
];

/// Returns whether the unit that ends at `end` is no part of another word: 만날 is no day, 세 달러 is no month.
fn ends_well(said: &Said, end: usize) -> bool {
    let after = (said.one_of(end, AFTER).is_some() || cardinal(said, end).is_some())
        && said.one_of(end, &["요일", "째"]).is_none();
    let next = said.at(end);
    (!is_hangul(next) || after || next.is_ascii_digit()) && said.one_of(end, &["에서 온"]).is_none()
}
