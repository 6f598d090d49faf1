//! Values in English: which reading goes first where several fit.

mod number;
mod time;

use jiff::civil::DateTime;

use super::said::Said;
use super::units::{ENGLISH, Unit};
use super::{Kind, Value};

/// Reads the value that starts at `at`.
pub(crate) fn value(said: &Said, at: usize, now: DateTime, kinds: &[Kind]) -> Option<(usize, Value)> {
    if said.before(at).is_alphanumeric() || said.at(at) == ' ' {
        return None;
    }
    super::longest(kinds.iter().map(|kind| match kind {
        Kind::Time => time::moment(said, at, now).map(|(end, moment)| (end, Value::Time(moment))),
        Kind::Duration => time::duration(said, at).map(|(end, amount)| (end, Value::Duration(amount))),
        Kind::Money => measured(said, at).filter(|(_, value)| matches!(value, Value::Money { .. })),
        Kind::Measure => measured(said, at).filter(|(_, value)| matches!(value, Value::Measure { .. })),
        Kind::Percent => percent(said, at),
        Kind::Ordinal => ordinal(said, at),
        Kind::Number => plain(said, at),
    }))
}

fn measured(said: &Said, at: usize) -> Option<(usize, Value)> {
    let front = [
        ("us$", "USD"),
        ("$", "dollar"),
        ("€", "EUR"),
        ("£", "pound"),
        ("₩", "KRW"),
        ("¥", "JPY"),
        ("eur", "EUR"),
        ("usd", "USD"),
        ("gbp", "GBP"),
        ("inr", "INR"),
        ("rs.", "INR"),
        ("rs", "INR"),
        ("hk$", "HKD"),
    ];
    if let Some((after, currency)) = said.any(at, &front)
        && let Some((end, amount)) = number::number(said, said.spaces(after))
    {
        let scale = number::whole(said, end, &[("m", 1e6), ("b", 1e9), ("k", 1e3)]);
        let (end, amount) = scale.map_or((end, amount), |(end, scale)| (end, amount * scale));
        return Some((end, Value::Money { amount, currency }));
    }
    let (end, amount) =
        number::whole(said, at, &[("a", 1.0), ("an", 1.0)]).or_else(|| number::number(said, at))?;
    let start = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    let start = said.one_of(start, &["of a ", "an ", "a "]).unwrap_or(start);
    let (end, unit) = number::whole(said, start, ENGLISH)?;
    let (end, amount, unit) = match unit {
        Unit::Money(currency) => {
            let more = said.one_of(end, &[" and ", " "]).and_then(|start| number::cardinal(said, start));
            let cents = more.and_then(|(end, cents)| {
                Some((
                    said.one_of(end, &[" cents", " cent"])
                        .or((cents < 100.0 && said.word(end, " ").is_none()).then_some(end))?,
                    cents,
                ))
            });
            match cents.filter(|(_, cents)| *cents < 100.0) {
                Some((end, cents)) => (end, amount + cents / 100.0, currency),
                None => (end, amount, currency),
            }
        }
        Unit::Cent(currency) => (end, amount / 100.0, currency),
        Unit::Measure(unit) => return Some((end, Value::Measure { amount, unit })),
    };
    Some((end, Value::Money { amount, currency: unit }))
}

fn percent(said: &Said, at: usize) -> Option<(usize, Value)> {
    let (end, value) = number::number(said, at)?;
    let end = said.one_of(end, &[" %", "%", " percent", " per cent", " percentage", " pct", " percents"])?;
    Some((end, Value::Percent(value)))
}

fn ordinal(said: &Said, at: usize) -> Option<(usize, Value)> {
    if let Some((end, place)) = number::whole(
        said,
        at,
        &[("last", -1), ("the last", -1), ("second to last", -2), ("the second to last", -2)],
    ) {
        return Some((end, Value::Ordinal(place)));
    }
    number::place(said, at).map(|(end, place)| (end, Value::Ordinal(place)))
}

fn plain(said: &Said, at: usize) -> Option<(usize, Value)> {
    let (end, value) = number::number(said, at)?;
    (!said.at(end).is_alphabetic()).then_some((end, Value::Number(value)))
}
