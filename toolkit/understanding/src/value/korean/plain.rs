//! Korean numbers without a unit: plain ones, places in a row, percentages.

use super::{Frame, date, number, starts_word};
use crate::value::Value;
use crate::value::said::{Said, is_hangul};

pub(super) fn percent(said: &Said, at: usize) -> Option<(usize, Value)> {
    // In addresses %20 is a space.
    let address = said.before(at).is_ascii_alphanumeric() || matches!(said.before(at), '=' | '%');
    if let Some(after) = said.one_of(at, &["퍼센트", "%"]).filter(|_| !address) {
        let (end, value) = number::number(said, said.spaces(after))?;
        return Some((end, Value::Percent(value)));
    }
    let (end, value) = number::number(said, at).filter(|_| starts_word(said, at) || said.at(at) == '-')?;
    if let Some(end) = said.one_of(end, &[" 퍼센트", " 프로", " 퍼", "%", " %"]) {
        let address = address || said.at(end).is_ascii_alphanumeric();
        return (!address).then_some((end, Value::Percent(value)));
    }
    let end = said.word(end, " 할")?;
    let more = number::cardinal(said, said.spaces(end))
        .and_then(|(after, part)| Some((said.word(after, " 푼")?, part)));
    Some(more.map_or((end, Value::Percent(value * 10.0)), |(end, part)| {
        (end, Value::Percent(value * 10.0 + part))
    }))
}

pub(super) fn ordinal(said: &Said, at: usize) -> Option<(usize, Value)> {
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
        ("첫 ", 1),
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

/// Reads the day of `오월 11일` or `이십일일에` as an ordinal, for those who call it one.
pub(super) fn day_as_ordinal(said: &Said, at: usize, frame: Frame) -> Option<(usize, Value)> {
    let start = (frame.conventions.days_are_ordinals && starts_word(said, at)).then_some(at)?;
    let (end, day) = date::day_number(said, start, said.before(at) == ' ')?;
    Some((end, Value::Ordinal(i64::from(day))))
}

pub(super) fn plain(said: &Said, at: usize) -> Option<(usize, Value)> {
    if said.at(at) == '반' && starts_word(said, at) {
        let end = at + 1;
        let alone = !is_hangul(said.at(end)) || said.one_of(end, &["을", "이 ", "은", "만", "의"]).is_some();
        return alone.then_some((end, Value::Number(0.5)));
    }
    let (end, value) = number::number(said, at)?;
    if date::is_part(said, at, end) {
        return None;
    }
    if let Some(end) = said.one_of(end, &[" 다스", " 타스"]).filter(|_| starts_word(said, at)) {
        return Some((end, Value::Number(value * 12.0)));
    }
    number::is_alone(said, at, end).then_some((end, Value::Number(value)))
}
