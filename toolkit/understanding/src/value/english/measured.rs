//! English amounts with their units: `two and a half dollars`, `$3.5 million`, `six feet two`, `between 10 and 20 litres`.

use super::number::{cardinal, number, part};
use super::number_words::SCALES;
use super::units::UNITS;
use super::words::{is_closed, lead, one_of, skip, whole};
use crate::value::Value;
use crate::value::said::Said;
use crate::value::units::Unit;

/// An amount with where it ends.
type Read = Option<(usize, f64, Unit)>;

/// Reads an amount, one with a bound (`at least 5 kg`), or what lies between two.
pub(super) fn measured(said: &Said, at: usize) -> Option<(usize, Value)> {
    if said.before(at) == '-' && at > 1 && said.at(at - 2).is_alphanumeric() {
        return None;
    }
    between(said, at).or_else(|| bounded(said, at)).or_else(|| {
        let (end, amount, unit) = amount(said, at)?;
        Some((end, value(amount, unit)))
    })
}

fn value(amount: f64, unit: Unit) -> Value {
    match unit {
        Unit::Money(currency) => Value::Money { amount, currency },
        Unit::Cent(currency) => Value::Money { amount: amount / 100.0, currency },
        Unit::Measure(unit) => Value::Measure { amount, unit },
    }
}

fn range(from: Option<f64>, to: Option<f64>, unit: Unit) -> Value {
    let cents = |amount: Option<f64>| amount.map(|amount| amount / 100.0);
    match unit {
        Unit::Money(currency) => Value::MoneyRange { from, to, currency },
        Unit::Cent(currency) => Value::MoneyRange { from: cents(from), to: cents(to), currency },
        Unit::Measure(unit) => Value::MeasureRange { from, to, unit },
    }
}

/// Reads `under seven euros`, `at least 40 degrees`.
fn bounded(said: &Said, at: usize) -> Option<(usize, Value)> {
    let bounds = [
        ("over", true),
        ("above", true),
        ("at least", true),
        ("more than", true),
        ("no less than", true),
        ("exceeding", true),
        ("under", false),
        ("below", false),
        ("less than", false),
        ("lower than", false),
        ("at most", false),
        ("no more than", false),
        ("up to", false),
    ];
    let (end, lower) = whole(said, at, &bounds)?;
    let (end, amount, unit) = amount(said, said.spaces(end))?;
    let (from, to) = if lower { (Some(amount), None) } else { (None, Some(amount)) };
    Some((end, range(from, to, unit)))
}

/// Reads `between 10 and 20 dollars`, `from 3km to 5km`, `30-40 degrees celsius`; the unit may stand behind the last only.
fn between(said: &Said, at: usize) -> Option<(usize, Value)> {
    let start = skip(said, at, &["from", "between"]);
    let (end, first, unit) = match amount(said, start) {
        Some((end, amount, unit)) => (end, amount, Some(unit)),
        None => number(said, start).map(|(end, number)| (end, number, None))?,
    };
    let next = said.spaces(end);
    let dash = said.one_of(next, &["- ~", "-", "–", "- "]).map(|end| said.spaces(end));
    let next = lead(said, next, &["to", "and"]).filter(|_| start > at).or(dash)?;
    let next = skip(said, if said.at(next) == '~' { next + 1 } else { next }, &["about", "around"]);
    let (end, last, same) = amount(said, next)?;
    let fits = last > first && unit.is_none_or(|unit| unit == same);
    fits.then(|| (end, range(Some(first), Some(last), same)))
}

/// Reads one amount with its unit before or behind it.
fn amount(said: &Said, at: usize) -> Read {
    let (end, first, unit) = fronted(said, at).or_else(|| counted(said, at))?;
    match unit {
        Unit::Money(_) => Some(with_cents(said, end, first, unit)),
        Unit::Cent(_) => Some((end, first, unit)),
        Unit::Measure(name) => Some(compound(said, end, first, name).unwrap_or((end, first, unit))),
    }
}

/// Reads `$20`, `EUR 20`, `ringgit 42`, `$3.5 million`, `a US$ 4.7 billion`.
fn fronted(said: &Said, at: usize) -> Read {
    let start = skip(said, at, &["a"]);
    // Codes and signs stand in front, and of names those that are no other words: I won 5 times.
    let fits = |name: &str| match name {
        "won" | "yen" => false,
        "dollar" => true,
        _ => name.contains("ringgit") || name.chars().count() <= 3 || name.contains(['$', '€', '£', '¥']),
    };
    let names = UNITS.iter().filter(|(name, unit)| matches!(unit, Unit::Money(_)) && fits(name));
    let (end, unit) = names
        .filter_map(|(name, unit)| Some((said.word(start, name)?, *unit)))
        .filter(|(end, _)| !said.at(*end).is_alphabetic())
        .max_by_key(|(end, _)| *end)?;
    let end = if said.at(end) == '$' && said.at(end - 1) != '$' { end + 1 } else { end };
    let end = said.one_of(end, &["."]).unwrap_or(end);
    let (end, amount) = number(said, said.spaces(end))?;
    let letter = [("m", 1e6), ("mm", 1e6), ("b", 1e9), ("bn", 1e9), ("k", 1e3)];
    let (end, amount) = whole(said, end, &letter).map_or((end, amount), |(end, scale)| (end, amount * scale));
    // One dollar is enough: $10 dollars.
    let again = one_of(said, said.spaces(end), &["dollars", "dollar"]).filter(|_| said.at(start) == '$');
    Some((again.unwrap_or(end), amount, unit))
}

/// Reads an amount with its unit behind it.
fn counted(said: &Said, at: usize) -> Read {
    let (end, amount) = match lead(said, at, &["a", "an"]).and_then(|start| {
        whole(said, start, &UNITS).filter(|(end, _)| said.at(end - 1).is_alphabetic() && *end > start + 1)?;
        Some((start, 1.0))
    }) {
        Some(found) => found,
        None => {
            let fraction = part(said, skip(said, at, &["a"]))
                .filter(|(end, _)| one_of(said, said.spaces(*end), &["of"]).is_some());
            let place = super::number::place(said, at)
                .filter(|(end, _)| one_of(said, said.spaces(*end), &["of a", "of"]).is_some());
            let place = place.filter(|(_, place)| *place > 2).map(|(end, place)| (end, 1.0 / place as f64));
            fraction.or(place).or_else(|| number(said, at))?
        }
    };
    let letter = [("mm", 1e6), ("m", 1e6), ("b", 1e9), ("bn", 1e9)];
    let scaled = said.any(end, &letter).filter(|(after, _)| {
        let money = whole(said, said.spaces(*after), &UNITS);
        *after < said.len() && matches!(money, Some((_, Unit::Money(_)))) && said.at(end) != ' '
    });
    let (end, amount) = scaled.map_or((end, amount), |(end, scale)| (end, amount * scale));
    let start = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    let start = skip(said, start, &["of a", "of an", "of", "an", "a"]);
    let bracket = matches!(said.at(start), '(' | '[' | '{' | '<');
    let (mut end, mut unit) = unit(said, if bracket { start + 1 } else { start })?;
    if bracket {
        end += usize::from(matches!(said.at(end), ')' | ']' | '}' | '>'));
    }
    // The amount before 10$20 is none of it.
    if said.before(end) == '$' && said.at(end).is_ascii_digit() {
        return None;
    }
    if let (Unit::Measure("degree"), Some((after, scale))) = (unit, degrees(said, end)) {
        (end, unit) = (after, Unit::Measure(scale));
    }
    if let Some((after, ())) = lead(said, said.spaces(end), &["below zero", "below 0"]).map(|end| (end, ())) {
        let after = if said.before(after) == ' ' { after - 1 } else { after };
        return matches!(unit, Unit::Measure(_)).then_some((after, -amount, unit));
    }
    let scale = whole(said, said.spaces(end), SCALES)
        .filter(|(_, scale)| matches!(unit, Unit::Money(_)) && *scale >= 1e6);
    let (end, amount) = scale.map_or((end, amount), |(end, scale)| (end, amount * scale));
    Some((end, amount, unit))
}

/// Reads a unit; one letter is one only where its number is written before it.
fn unit(said: &Said, at: usize) -> Option<(usize, Unit)> {
    if let Some(end) = one_of(said, at, &["below zero", "below 0"]) {
        let start = end - said.slice(at..end).len();
        return Some((start, Unit::Measure("degree")));
    }
    let (end, unit) = whole(said, at, &UNITS)?;
    // An inch is no preposition: 5 in the morning.
    let word = end - at == 2 && said.at(at) == 'i' && said.at(at + 1) == 'n';
    let preposition = word && said.at(said.spaces(end)).is_alphanumeric() && said.before(at) == ' ';
    (!preposition).then_some((end, unit))
}

/// Reads the scale after `°` or `degrees`.
fn degrees(said: &Said, at: usize) -> Option<(usize, &'static str)> {
    let scales = [
        ("celsius", "celsius"),
        ("celcius", "celsius"),
        ("centigrade", "celsius"),
        ("centigrate", "celsius"),
        ("c", "celsius"),
        ("fahrenheit", "fahrenheit"),
        ("farenheit", "fahrenheit"),
        ("fahrenheits", "fahrenheit"),
        ("f", "fahrenheit"),
    ];
    whole(said, said.spaces(at), &scales)
}

/// Reads the hundredths after an amount of money: `20 dollars 43`, `and 5 cents`.
fn with_cents(said: &Said, end: usize, amount: f64, unit: Unit) -> (usize, f64, Unit) {
    let none = (end, amount, unit);
    let Some(start) = said.one_of(end, &[" and ", " "]).filter(|start| *start > end && amount.fract() == 0.0)
    else {
        return none;
    };
    let Some((after, cents)) =
        cardinal(said, start).filter(|(_, cents)| *cents < 100.0 && cents.fract() == 0.0)
    else {
        return none;
    };
    let names = [
        "cents", "cent", "c", "¢", "pence", "penny", "p", "sen", "sens", "kopiykas", "kopiyka", "paise",
        "mao", "centavos",
    ];
    let named = one_of(said, said.spaces(after), &names);
    // Without their name they are two digits, or words, at the end.
    let next = said.spaces(after);
    let ends = !said.at(next).is_alphanumeric()
        && !matches!(said.at(next), '$' | '€' | '£' | '%' | '/' | '-' | ':' | '°');
    let and = said.slice(end..start).contains('a');
    let bare = ends
        && (after - start >= 2 || and)
        && !matches!(said.at(next), '.' | ',') | !said.at(next + 1).is_ascii_digit();
    match named.or(bare.then_some(after)) {
        Some(end) => (end, amount + cents / 100.0, unit),
        None => none,
    }
}

/// Units that are said together, with how many of the first each is.
const TOGETHER: [&[(&str, f64)]; 4] = [
    &[("inch", 1.0), ("foot", 12.0), ("yard", 36.0), ("mile", 63_360.0)],
    &[("millimetre", 1.0), ("centimetre", 10.0), ("metre", 1e3), ("kilometre", 1e6)],
    &[("ounce", 1.0), ("pound", 16.0), ("stone", 224.0)],
    &[("milligram", 1.0), ("gram", 1e3), ("kilogram", 1e6)],
];

/// Reads the finer parts of a measure, which is then given in the finest: `7 feet 10 inches`, `six feet two`.
fn compound(said: &Said, end: usize, amount: f64, unit: &'static str) -> Read {
    let family = TOGETHER.iter().find(|family| family.iter().any(|(name, _)| *name == unit))?;
    let size = |name: &str| family.iter().find(|(other, _)| *other == name).map(|(_, size)| *size);
    let (mut end, mut sum, mut finest, mut found) = (end, amount * size(unit)?, unit, false);
    while let Some(start) = said.one_of(end, &[" , and ", ", ", " and ", " "]) {
        let next = number(said, start).and_then(|(after, count)| {
            let at = said.spaces(after);
            let (after, name) = match whole(said, at, &UNITS) {
                Some((after, Unit::Measure(name))) => (after, name),
                None if finest == "foot"
                    && count < 12.0
                    && !said.at(at).is_alphabetic()
                    && start == end + 1 =>
                {
                    (after, "inch")
                }
                _ => return None,
            };
            Some((
                after,
                name,
                count * size(name).filter(|part| size(finest).is_some_and(|last| *part < last))?,
            ))
        });
        let Some((after, name, part)) = next.filter(|_| start > end) else { break };
        (end, sum, finest, found) = (after, sum + part, name, true);
    }
    found
        .then_some((end, sum / size(finest)?, Unit::Measure(finest)))
        .filter(|(end, ..)| is_closed(said, *end))
}
