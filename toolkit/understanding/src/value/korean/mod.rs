//! Values in Korean: which reading goes first where several fit.

mod date;
mod duration;
mod number;
mod period;
mod time;

use jiff::civil::DateTime;

use super::calendar::Moment;
use super::said::{Said, is_hangul};
use super::units::{KOREAN, Unit};
use super::{Kind, Value};

/// Reads the value that starts at `at`.
pub(crate) fn value(said: &Said, at: usize, now: DateTime, kinds: &[Kind]) -> Option<(usize, Value)> {
    if said.at(at) == ' ' {
        return None;
    }
    let start = starts_word(said, at);
    super::longest(kinds.iter().map(|kind| match kind {
        Kind::Time if start => period::moment(said, at, now).map(|(end, moment)| (end, Value::Time(moment))),
        Kind::Duration if start => {
            duration::duration(said, at).map(|(end, amount)| (end, Value::Duration(amount)))
        }
        Kind::Time | Kind::Duration => None,
        Kind::Money => measured(said, at).and_then(|(end, value)| money(said, end, value, kinds)),
        Kind::Measure => measured(said, at).filter(|(_, value)| matches!(value, Value::Measure { .. })),
        Kind::Percent => percent(said, at),
        Kind::Ordinal => ordinal(said, at),
        Kind::Number => plain(said, at),
    }))
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
fn starts_word(said: &Said, at: usize) -> bool {
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
        let end = said.one_of(end, &[" 도", "°"])?;
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

fn percent(said: &Said, at: usize) -> Option<(usize, Value)> {
    if let Some(after) = said.one_of(at, &["퍼센트", "%"]) {
        let (end, value) = number::number(said, said.spaces(after))?;
        return Some((end, Value::Percent(value)));
    }
    let (end, value) = number::number(said, at).filter(|_| starts_word(said, at) || said.at(at) == '-')?;
    if let Some(end) = said.one_of(end, &[" 퍼센트", " 프로", " 퍼", "%", " %"]) {
        return Some((end, Value::Percent(value)));
    }
    let end = said.word(end, " 할")?;
    let more = number::cardinal(said, said.spaces(end))
        .and_then(|(after, part)| Some((said.word(after, " 푼")?, part)));
    Some(more.map_or((end, Value::Percent(value * 10.0)), |(end, part)| {
        (end, Value::Percent(value * 10.0 + part))
    }))
}

fn ordinal(said: &Said, at: usize) -> Option<(usize, Value)> {
    if !starts_word(said, at) {
        return None;
    }
    let words = [
        ("첫 번째", 1),
        ("첫째", 1),
        ("첫 째", 1),
        ("둘째", 2),
        ("셋째", 3),
        ("넷째", 4),
        ("네째", 4),
        ("네째번", 4),
        ("마지막", -1),
        ("맨 마지막", -1),
        ("첫 번", 1),
        ("처음", 1),
        ("뒤에서 두 번째", -2),
        ("끝에서 두 번째", -2),
        ("뒤에서 세 번째", -3),
        ("끝에서 세 번째", -3),
        ("뒤에서 첫 번째", -1),
        ("마지막에서 두 번째", -2),
    ];
    if let Some((end, place)) = said.any(at, &words) {
        return Some((end, Value::Ordinal(place)));
    }
    let start = said.word(at, "제").filter(|_| said.before(at) != '문').unwrap_or(at);
    let (end, place) = number::cardinal(said, start)?;
    if place.fract() != 0.0 || place > 9e15 {
        return None;
    }
    let end = said.one_of(end, &[" 번째", " 번 째", "째 번", "째", " 째", "번 째", " 등"])?;
    Some((end, Value::Ordinal(place as i64)))
}

fn plain(said: &Said, at: usize) -> Option<(usize, Value)> {
    if said.at(at) == '반' && starts_word(said, at) {
        let end = at + 1;
        let alone = !is_hangul(said.at(end)) || said.one_of(end, &["을", "이 ", "은", "만", "의"]).is_some();
        return alone.then_some((end, Value::Number(0.5)));
    }
    let (end, value) = number::number(said, at)?;
    number::is_alone(said, at, end).then_some((end, Value::Number(value)))
}

/// A moment with where it ends.
pub(crate) type Timed = Option<(usize, Moment)>;
