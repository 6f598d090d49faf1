//! Values in English: which reading goes first where several fit.

mod away;
mod date;
mod duration;
mod measured;
mod number;
mod number_words;
mod part;
mod period;
mod plain;
mod range;
mod time;
mod units;
mod words;

use super::calendar::Grain;
use super::frame::Frame;
use super::said::Said;
use super::{Kind, Value};
use measured::measured;

/// Reads the value that starts at `at`.
pub(crate) fn value(said: &Said, at: usize, frame: Frame, kinds: &[Kind]) -> Option<(usize, Value)> {
    if said.before(at).is_alphanumeric() || said.at(at) == ' ' {
        return None;
    }
    let amounts = kinds.contains(&Kind::Money) || kinds.contains(&Kind::Measure);
    let amount = if amounts { measured(said, at) } else { None };
    super::longest(kinds.iter().map(|kind| {
        match kind {
            Kind::Time => time(said, at, frame),
            Kind::Duration => length(said, at),
            Kind::Money => amount.clone().and_then(|(end, value)| money(end, value, kinds)),
            Kind::Measure => amount
                .clone()
                .filter(|(_, value)| matches!(value, Value::Measure { .. } | Value::MeasureRange { .. })),
            Kind::Percent => plain::percent(said, at),
            Kind::Ordinal => plain::ordinal(said, at),
            Kind::Number => plain::plain(said, at),
        }
    }))
}

fn time(said: &Said, at: usize, frame: Frame) -> Option<(usize, Value)> {
    // Digits of an amount or after a decimal point are none of a time.
    let part = matches!(said.before(at), '$' | '€' | '£' | '#')
        || said.before(at) == '.' && at > 1 && said.at(at - 2).is_ascii_digit();
    if part && said.at(at).is_ascii_digit() {
        return None;
    }
    let (end, moment) = period::moment(said, at, frame)?;
    Some((end, Value::Time(moment)))
}

/// Reads a length of time; in words, three quarters are a part of one.
fn length(said: &Said, at: usize) -> Option<(usize, Value)> {
    let (end, amount) = duration::duration(said, at)?;
    let quarters = matches!(amount.parts[..], [(_, Grain::Quarter)]);
    let of = words::one_of(said, said.spaces(end), &["of"]).is_some();
    let part = quarters && (of || !said.at(at).is_ascii_digit());
    (!part).then_some((end, Value::Duration(amount)))
}

/// A pound is money to those who look for no measures.
fn money(end: usize, value: Value, kinds: &[Kind]) -> Option<(usize, Value)> {
    match value {
        Value::Measure { amount, unit: "pound" } if !kinds.contains(&Kind::Measure) => {
            Some((end, Value::Money { amount, currency: "pound" }))
        }
        Value::Money { .. } | Value::MoneyRange { .. } => Some((end, value)),
        _ => None,
    }
}
