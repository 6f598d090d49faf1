//! Values in Korean: which reading goes first where several fit.

mod away;
mod date;
mod duration;
mod number;
mod period;
mod plain;
mod range;
mod time;
mod words;

pub(crate) use date::{barred, solar};
pub(crate) use words::ends_word;

pub(crate) use super::frame::{Frame, Timed};
use super::said::{Said, is_hangul};
use super::units::{KOREAN, Unit};
use super::{Kind, Value};

/// Reads the value that starts at `at`.
pub(crate) fn value(said: &Said, at: usize, frame: Frame, kinds: &[Kind]) -> Option<(usize, Value)> {
    if said.at(at) == ' ' {
        return None;
    }
    // 좋은 아침 and 좋은 주말 are wishes.
    let start = starts_word(said, at) && !words::is_wish(said, at);
    super::longest(kinds.iter().map(|kind| match kind {
        Kind::Time if start || words::starts_day(said, at) => time(said, at, frame),
        Kind::Duration if start => {
            duration::duration(said, at).map(|(end, amount)| (end, Value::Duration(amount)))
        }
        Kind::Time | Kind::Duration => None,
        Kind::Money => measured(said, at).and_then(|(end, value)| money(said, end, value, kinds)),
        Kind::Measure => measured(said, at).filter(|(_, value)| matches!(value, Value::Measure { .. })),
        Kind::Percent => plain::percent(said, at),
        Kind::Ordinal => plain::ordinal(said, at).or_else(|| plain::day_as_ordinal(said, at, frame)),
        Kind::Number => plain::plain(said, at),
    }))
}

/// Reads a moment that is no part of a longer word.
fn time(said: &Said, at: usize, frame: Frame) -> Option<(usize, Value)> {
    let (end, moment) = period::moment(said, at, frame)?;
    ends_word(said, end).then_some((end, Value::Time(moment)))
}

/// Makes money of what was measured, with its bounds: `5천 원 이상`, `10 - 20달러`. A pound is money to those who look
/// for no measures.
fn money(said: &Said, end: usize, value: Value, kinds: &[Kind]) -> Option<(usize, Value)> {
    let (amount, currency) = match value {
        Value::Money { amount, currency } => (amount, currency),
        Value::Measure { amount, unit: "pound" } if !kinds.contains(&Kind::Measure) => (amount, "pound"),
        value @ Value::MoneyRange { .. } => return Some((end, value)),
        _ => return None,
    };
    if let Some((end, lower)) =
        said.any(end, &[(" 이상", true), (" 초과", true), (" 이하", false), (" 미만", false)])
    {
        let (from, to) = if lower { (Some(amount), None) } else { (None, Some(amount)) };
        return Some((end, Value::MoneyRange { from, to, currency }));
    }
    let joint = said.one_of(end, &[" - ", " ~ ", "에서 "]).filter(|joint| *joint > end);
    match joint.and_then(|start| measured(said, start)) {
        Some((end, Value::Money { amount: to, currency: same })) if same == currency && to > amount => {
            Some((end, Value::MoneyRange { from: Some(amount), to: Some(to), currency }))
        }
        _ => Some((end, Value::Money { amount, currency })),
    }
}

/// Returns whether a word may start at `at`: no Hangul and no digit right before it, or a noun it is written with.
pub(crate) fn starts_word(said: &Said, at: usize) -> bool {
    let before = said.before(at);
    if said.at(at).is_ascii_digit() {
        return !before.is_ascii_digit() && before != '.' && !before.is_ascii_alphabetic();
    }
    !is_hangul(before) && !before.is_ascii_digit()
}

/// Reads an amount with its unit: `만 오천 원`, `EUR 20`, `섭씨 37도`, `반 리터`, `2달러 23센트`.
fn measured(said: &Said, at: usize) -> Option<(usize, Value)> {
    if let Some((after, unit)) =
        said.any(at, &[("섭씨", "celsius"), ("화씨", "fahrenheit"), ("절대온도", "kelvin")])
    {
        let (end, amount) = number::number(said, said.spaces(after))?;
        let end = said.one_of(end, &[" 도", "°"]).unwrap_or(end);
        return Some((end, Value::Measure { amount, unit }));
    }
    let front = [
        ("eur", "EUR"),
        ("€", "EUR"),
        ("usd", "USD"),
        ("us$", "USD"),
        ("$", "dollar"),
        ("₩", "KRW"),
        ("£", "pound"),
        ("krw", "KRW"),
        ("¥", "JPY"),
        ("hk$", "HKD"),
    ];
    if let Some((after, currency)) = said.any(at, &front)
        && let Some((end, amount)) = number::number(said, said.spaces(after))
    {
        return Some((end, Value::Money { amount, currency }));
    }
    let (end, amount) = match said.word(at, "반 ") {
        Some(after) if said.at(at) == '반' => (after, 0.5),
        _ => number::number(said, at)?,
    };
    if !starts_word(said, at) {
        return None;
    }
    let unit_at =
        said.one_of(end, &[" 여 ", " 몇 "]).filter(|_| said.at(said.spaces(end)) == '여').unwrap_or(end);
    let unit = said.any(said.spaces(unit_at), KOREAN);
    let Some((end, unit)) = unit else {
        // The unit of 10 - 20 달러 stands behind the second number.
        let start = said.one_of(end, &[" - ", " ~ "])?;
        let (end, Value::Money { amount: to, currency }) = measured(said, start).filter(|_| start > end)?
        else {
            return None;
        };
        let range = Value::MoneyRange { from: Some(amount), to: Some(to), currency };
        return (to > amount).then_some((end, range));
    };
    if is_part_of_a_word(said, said.spaces(unit_at), end) {
        return None;
    }
    match unit {
        Unit::Money(currency) => Some(cents(said, end, amount, currency)),
        Unit::Cent(currency) => Some((end, Value::Money { amount: amount / 100.0, currency })),
        Unit::Measure(unit) => Some(scale(said, end, amount, unit)),
    }
}

/// `도` after a number is a degree, and a degree of a scale where one follows.
fn scale(said: &Said, end: usize, amount: f64, unit: &'static str) -> (usize, Value) {
    let scales = [
        (" 섭씨", "celsius"),
        (" 화씨", "fahrenheit"),
        (" c", "celsius"),
        (" f", "fahrenheit"),
        ("c", "celsius"),
        ("f", "fahrenheit"),
    ];
    match said.any(end, &scales).filter(|_| unit == "degree") {
        Some((end, unit)) => (end, Value::Measure { amount, unit }),
        None => (end, Value::Measure { amount, unit }),
    }
}

/// Latin units end where the letters end; Korean ones of one syllable may not begin another word.
fn is_part_of_a_word(said: &Said, start: usize, end: usize) -> bool {
    let next = said.at(end);
    if said.at(end - 1).is_ascii_alphabetic() {
        return next.is_ascii_alphanumeric();
    }
    let short = end - start == 1 && is_hangul(said.at(start));
    let particles = [
        "은", "는", "이", "가", "을", "를", "에", "의", "로", "으로", "와", "과", "도", "만", "입", "인",
        "짜", "라", "쯤", "정", "까", "부", "보", "씩", "하", "어", "때", "야", "였", "이", "예", "미",
        "부터", "치", "대", "면", "이면",
    ];
    short && is_hangul(next) && said.one_of(end, &particles).is_none()
}

fn cents(said: &Said, end: usize, amount: f64, currency: &'static str) -> (usize, Value) {
    let more = number::cardinal(said, said.spaces(end))
        .and_then(|(after, cents)| Some((said.word(after, " 센트")?, cents)))
        .filter(|(_, cents)| *cents < 100.0);
    match more {
        Some((end, cents)) => (end, Value::Money { amount: amount + cents / 100.0, currency }),
        None => (end, Value::Money { amount, currency }),
    }
}
