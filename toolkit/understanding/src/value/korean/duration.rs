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
        let start = said.spaces(said.one_of(end, &["하고", "과", "와", " 그리고"]).unwrap_or(end));
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
    let (end, grain) = said.any(end, UNITS)?;
    let tail = ["요일", "째"];
    (said.one_of(end, &tail).is_none()).then_some((end, (count, grain)))
}
