//! English numbers without a unit: plain ones, places in a row, percentages.

use super::number::{number, place};
use super::words::{follows, is_closed, lead, one_of, whole};
use crate::value::Value;
use crate::value::said::Said;

pub(super) fn percent(said: &Said, at: usize) -> Option<(usize, Value)> {
    // In addresses %20 is a space.
    let address = |at: usize| matches!(said.before(at), '=' | '%') || said.before(at).is_alphanumeric();
    if let Some(start) = lead(said, at, &["percent of", "per cent of", "percents of"]) {
        return number(said, start).map(|(end, value)| (end, Value::Percent(value)));
    }
    let (end, value) = number(said, at).filter(|_| !address(at))?;
    let end = said.one_of(end, &[" %"]).or_else(|| {
        one_of(said, said.spaces(end), &["percent", "per cent", "percentage", "pct", "percents"])
    })?;
    let closed = said.before(end) != '%' || !said.at(end).is_alphanumeric();
    closed.then_some((end, Value::Percent(value)))
}

pub(super) fn ordinal(said: &Said, at: usize) -> Option<(usize, Value)> {
    let from_the_end = [
        ("last", -1),
        ("the last", -1),
        ("second to last", -2),
        ("the second to last", -2),
        ("penultimate", -2),
        ("antepenultimate", -3),
    ];
    let (end, place) = whole(said, at, &from_the_end).or_else(|| place(said, at))?;
    Some((end, Value::Ordinal(place)))
}

/// What makes a `one` after it stand for a thing and no number.
const POINTING: &[&str] = &[
    "this", "that", "which", "the", "next", "last", "previous", "past", "another", "every", "each", "no",
    "any",
];

pub(super) fn plain(said: &Said, at: usize) -> Option<(usize, Value)> {
    let (end, value) = number(said, at)?;
    let pointed_at = one_of(said, at, &["one"]) == Some(end) && follows(said, at, POINTING);
    // A quarter alone may be a coin or three months.
    if pointed_at || one_of(said, at, &["quarter"]) == Some(end) {
        return None;
    }
    // A letter for thousands, millions, billions: 10M.
    let letters = [("m", 1e6), ("mm", 1e6), ("b", 1e9), ("g", 1e9)];
    let scale =
        said.any(end, &letters).filter(|(end, _)| said.at(at).is_ascii_digit() && is_closed(said, *end));
    if let Some((end, scale)) = scale {
        return Some((end, Value::Number(value * scale)));
    }
    (!said.at(end).is_alphabetic()).then_some((end, Value::Number(value)))
}
