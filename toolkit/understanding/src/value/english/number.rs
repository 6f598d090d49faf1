//! English numbers: `twenty-five`, `one hundred and five`, `two and a half`, `three quarters`, `1.5 million`.

use crate::value::number::{Read, plain, signed};
use crate::value::said::Said;

const ONES: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("naught", 0.0),
    ("nil", 0.0),
    ("a pair", 2.0),
    ("few", 3.0),
    ("dozens", 12.0),
    ("couple", 2.0),
    ("couple of", 2.0),
    ("single", 1.0),
    ("nought", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("a dozen", 12.0),
    ("dozen", 12.0),
    ("a couple of", 2.0),
    ("a couple", 2.0),
    ("a pair of", 2.0),
    ("a few", 3.0),
];
const TENS: &[(&str, f64)] = &[
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fourty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
];
const SCALES: &[(&str, f64)] = &[
    ("hundred", 1e2),
    ("thousand", 1e3),
    ("million", 1e6),
    ("billion", 1e9),
    ("trillion", 1e12),
    ("k", 1e3),
    ("grand", 1e3),
    ("lakh", 1e5),
];
const PLACES: &[(&str, i64)] = &[
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("seventh", 7),
    ("eighth", 8),
    ("ninth", 9),
    ("tenth", 10),
    ("eleventh", 11),
    ("twelfth", 12),
    ("thirteenth", 13),
    ("fourteenth", 14),
    ("fifteenth", 15),
    ("sixteenth", 16),
    ("seventeenth", 17),
    ("eighteenth", 18),
    ("nineteenth", 19),
    ("twentieth", 20),
    ("thirtieth", 30),
    ("fortieth", 40),
    ("fiftieth", 50),
    ("sixtieth", 60),
    ("seventieth", 70),
    ("eightieth", 80),
    ("ninetieth", 90),
    ("hundredth", 100),
    ("thousandth", 1000),
    ("millionth", 1_000_000),
];
const PARTS: &[(&str, f64)] = &[
    ("half", 2.0),
    ("halves", 2.0),
    ("third", 3.0),
    ("thirds", 3.0),
    ("quarter", 4.0),
    ("quarters", 4.0),
    ("fourth", 4.0),
    ("fourths", 4.0),
    ("fifth", 5.0),
    ("fifths", 5.0),
    ("sixth", 6.0),
    ("sixths", 6.0),
    ("seventh", 7.0),
    ("sevenths", 7.0),
    ("eighth", 8.0),
    ("eighths", 8.0),
    ("ninth", 9.0),
    ("ninths", 9.0),
    ("tenth", 10.0),
    ("tenths", 10.0),
    ("twentieth", 20.0),
    ("twentieths", 20.0),
    ("hundredth", 100.0),
    ("hundredths", 100.0),
];

/// Returns the longest of `words` at `at` that ends where a word ends.
pub(crate) fn whole<T: Clone>(said: &Said, at: usize, words: &[(&str, T)]) -> Option<(usize, T)> {
    let fitting = words.iter().filter_map(|(word, meaning)| {
        let end = said.word(at, word)?;
        let closed = !(said.at(end - 1).is_alphanumeric() && said.at(end).is_alphanumeric());
        closed.then_some((end, meaning))
    });
    fitting.max_by_key(|(end, _)| *end).map(|(end, meaning)| (end, meaning.clone()))
}

/// Returns where the next word starts after a space or a hyphen.
fn next(said: &Said, at: usize) -> usize {
    said.spaces(if said.at(at) == '-' { at + 1 } else { at })
}

/// Reads a number below a hundred in words.
fn small(said: &Said, at: usize) -> Read {
    if let Some((end, tens)) = whole(said, at, TENS) {
        return match whole(said, next(said, end), ONES).filter(|(_, ones)| (1.0..10.0).contains(ones)) {
            Some((end, ones)) if next(said, end) > end || said.at(end) != 'a' => Some((end, tens + ones)),
            _ => Some((end, tens)),
        };
    }
    whole(said, at, ONES)
}

/// Reads a whole or decimal number in words or digits, with its scales.
pub(crate) fn cardinal(said: &Said, at: usize) -> Read {
    let (mut end, mut section) = match plain(said, at).or_else(|| small(said, at)) {
        Some(read) => read,
        None => {
            let after = whole(said, at, &[("a", 1.0), ("an", 1.0)]).map_or(at, |(end, _)| said.spaces(end));
            let (_, _) = whole(said, after, SCALES)
                .filter(|(_, scale)| *scale > 50.0 && said.at(after) != 'k' && said.at(after) != 'g')?;
            (after, 1.0)
        }
    };
    let (mut total, mut limit, mut scaled) = (0.0, f64::INFINITY, false);
    loop {
        let start = next(said, end);
        if let Some((after, scale)) =
            whole(said, start, SCALES).filter(|(_, scale)| *scale < limit || *scale == 100.0)
        {
            section *= scale;
            if scale > 100.0 {
                total += section;
                (section, limit) = (0.0, scale);
            }
            (end, scaled) = (after, true);
            continue;
        }
        let more = said.word(start, "and ").unwrap_or(start);
        match small(said, more).filter(|_| scaled && start > end) {
            Some((after, value)) if section == 0.0 || (section % 100.0 == 0.0 && value < 100.0) => {
                section += value;
                end = after;
            }
            _ => break,
        }
    }
    let value = total + section;
    Some(point(said, end, value).unwrap_or((end, value)))
}

fn point(said: &Said, at: usize, value: f64) -> Read {
    let mut end = said.word(said.spaces(at), "point ")?;
    let mut digits = String::from("0.");
    let mut last = end;
    while let Some((after, digit)) = small(said, end) {
        digits.push_str(&(digit as i64).to_string());
        last = after;
        end = said.spaces(after);
    }
    (digits.len() > 2).then(|| (last, value + digits.parse::<f64>().unwrap_or(0.0)))
}

/// Reads a number with sign and fraction.
pub(crate) fn number(said: &Said, at: usize) -> Read {
    if let Some((after, _)) = whole(said, at, &[("minus", ()), ("negative", ())]) {
        return number(said, said.spaces(after)).map(|(end, value)| (end, -value));
    }
    let (end, value) = match (cardinal(said, at), signed(said, at)) {
        (Some(words), Some(digits)) if words.0 > digits.0 => words,
        (words, digits) => digits.or(words).or_else(|| part(said, at))?,
    };
    let countable = (1.0..100.0).contains(&value) && value.fract() == 0.0;
    if let Some((end, below)) = whole(said, next(said, end), PARTS).filter(|_| countable) {
        return Some((end, value / below));
    }
    match said.word(said.spaces(end), "and ").and_then(|start| part(said, start)) {
        Some((end, part)) => Some((end, value + part)),
        None => Some((end, value)),
    }
}

/// Reads `a half`, `half`, `a quarter`, `three quarters`.
fn part(said: &Said, at: usize) -> Read {
    if let Some((start, _)) = whole(said, at, &[("a", ()), ("an", ()), ("one", ())]) {
        return whole(said, next(said, start), PARTS).map(|(end, below)| (end, 1.0 / below));
    }
    if let Some((end, above)) = small(said, at) {
        return whole(said, next(said, end), PARTS).map(|(end, below)| (end, above / below));
    }
    whole(said, at, &[("half a", ()), ("half", ())]).map(|(end, ())| (end, 0.5))
}

/// Reads a place in a row: `first`, `twenty-first`, `25th`.
pub(crate) fn place(said: &Said, at: usize) -> Option<(usize, i64)> {
    if let Some((end, number, _)) = said.digits(at) {
        let end = said.one_of(end, &["st", "nd", "rd", "th"])?;
        return (!said.at(end).is_alphanumeric()).then_some((end, number));
    }
    if let Some(found) = whole(said, at, PLACES) {
        return Some(found);
    }
    if let Some((end, tens)) = whole(said, at, TENS)
        && let Some((end, ones)) = whole(said, next(said, end), PLACES).filter(|(_, ones)| *ones < 10)
    {
        return Some((end, tens as i64 + ones));
    }
    let (end, value) = cardinal(said, at)?;
    let start = said.word(next(said, end), "and ").unwrap_or(next(said, end));
    let (end, last) = whole(said, start, PLACES)?;
    (value.fract() == 0.0 && value < 9e12)
        .then(|| (end, if last >= 100 { value as i64 * last } else { value as i64 + last }))
}
