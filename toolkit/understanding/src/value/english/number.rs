//! English numbers: `twenty-five`, `one hundred and five`, `two and a half million`, `three quarters`, `1.5 million`.

use super::number_words::{DOZENS, ONES, PARTS, PLACES, SCALES, TENS, VAGUE};
use super::words::{is_closed, lead, whole};
use crate::value::number::{Read, plain, signed};
use crate::value::said::Said;

/// Returns where the next word starts after a space or a hyphen.
fn next(said: &Said, at: usize) -> usize {
    said.spaces(if matches!(said.at(at), '-' | '—') { at + 1 } else { at })
}

/// Reads a number below a hundred in words.
pub(super) fn small(said: &Said, at: usize) -> Read {
    if let Some((end, tens)) = whole(said, at, TENS) {
        return match whole(said, next(said, end), ONES).filter(|(_, ones)| (1.0..10.0).contains(ones)) {
            Some((end, ones)) => Some((end, tens + ones)),
            None => Some((end, tens)),
        };
    }
    whole(said, at, ONES)
}

/// Reads digits, Indian groups (`12,34,567`) too.
fn digits(said: &Said, at: usize) -> Read {
    let read = plain(said, at)?;
    let mut value = said.digits(at).filter(|(_, _, count)| *count <= 2)?.1 as f64;
    let (mut end, mut groups) = (said.digits(at)?.0, 0);
    while said.at(end) == ',' {
        match said.digits(end + 1) {
            Some((after, group, 2)) if said.at(after) == ',' => {
                (value, end, groups) = (value * 100.0 + group as f64, after, groups + 1);
            }
            Some((after, group, 3)) if groups > 0 => {
                value = value * 1000.0 + group as f64;
                return Some(decimals(said, after, value));
            }
            _ => break,
        }
    }
    Some(read)
}

fn decimals(said: &Said, end: usize, value: f64) -> (usize, f64) {
    match said.digits(end + 1).filter(|_| said.at(end) == '.') {
        Some((after, _, _)) => {
            (after, value + format!("0{}", said.slice(end..after)).parse::<f64>().unwrap_or(0.0))
        }
        None => (end, value),
    }
}

/// Reads a whole or decimal number in words or digits, with its scales.
pub(crate) fn cardinal(said: &Said, at: usize) -> Read {
    scaled(said, at).map(|(end, value, _)| (end, value))
}

/// Does the same and says which scale stands last in it, for `three million and a half`; 1 where none does.
fn scaled(said: &Said, at: usize) -> Option<(usize, f64, f64)> {
    let first = digits(said, at)
        .or_else(|| plain(said, at))
        .or_else(|| small(said, at))
        .or_else(|| whole(said, at, VAGUE))
        .map(|(end, value)| point(said, end, value).unwrap_or((end, value)));
    let (mut end, mut section) = match first {
        Some(read) => read,
        None => {
            let after = lead(said, at, &["a", "an", "the"]).unwrap_or(at);
            if let Some((end, ())) = whole(said, after, DOZENS) {
                return Some((end, 12.0, 1.0));
            }
            whole(said, after, SCALES)
                .filter(|(end, _)| *end > after + 2 && !said.at(after).is_ascii_digit())?;
            (after, 1.0)
        }
    };
    if let Some((end, ())) = whole(said, next(said, end), DOZENS) {
        return Some((end, section * 12.0, 1.0));
    }
    let (mut total, mut limit, mut last) = (0.0, f64::INFINITY, 1.0);
    loop {
        let start = next(said, end);
        if let Some((after, scale)) = whole(said, start, SCALES)
            .filter(|(after, scale)| (*scale < limit || *scale == 100.0) && *after > end)
            .filter(|(after, _)| *after > start + 1 || start == end || said.at(start + 1) != ' ')
        {
            section *= scale;
            if scale > 100.0 {
                total += section;
                (section, limit) = (0.0, scale);
            }
            (end, last) = (after, scale);
            continue;
        }
        // A scale of a scale: three thousand millions.
        let again = whole(said, start, SCALES).filter(|(after, scale)| {
            section == 0.0 && total > 0.0 && *scale >= limit && *scale >= 1e6 && *after > start + 2
        });
        if let Some((after, scale)) = again {
            (total, end, last) = (total * scale, after, scale);
            continue;
        }
        let more = lead(said, start, &["and"]).unwrap_or(start);
        let rest = small(said, more)
            .or_else(|| few_digits(said, more, if total > 0.0 { limit } else { 0.0 }))
            .filter(|_| last > 1.0 && start > end);
        match rest {
            Some((after, value))
                if (section == 0.0 || (section % 100.0 == 0.0 && value < 100.0))
                    && !is_fraction(said, after) =>
            {
                section += value;
                (end, last) = (after, if total > 0.0 || section >= 100.0 { 1.5 } else { 1.0 });
            }
            _ => break,
        }
    }
    let value = total + section;
    if let Some((end, value)) = point(said, end, value).filter(|_| last > 1.0) {
        return Some((end, value, 1.0));
    }
    match whole(said, next(said, end), DOZENS).filter(|_| last > 1.0) {
        Some((end, ())) if section < 100.0 && section > 0.0 => Some((end, total + section * 12.0, 1.0)),
        Some((end, ())) if total == 0.0 => Some((end, dozens(section), 1.0)),
        _ => Some((end, value, if last == 1.5 { 1.0 } else { last })),
    }
}

/// Three hundred and two dozens are 324, two hundred dozens 2,400.
fn dozens(section: f64) -> f64 {
    let rest = section % 100.0;
    if rest == 0.0 { section * 12.0 } else { section - rest + rest * 12.0 }
}

/// Digits continue words only where no other number begins with them: `4 thousand 3 hundred and 21`.
fn few_digits(said: &Said, at: usize, limit: f64) -> Read {
    let (end, value, count) = said.digits(at)?;
    let alone = !matches!(said.at(end), '.' | ',' | ':' | '/' | '-') || !said.at(end + 1).is_ascii_digit();
    let scale = whole(said, next(said, end), SCALES).is_some_and(|(_, scale)| scale >= limit);
    (count <= 3 && value > 0 && alone && !scale && is_closed(said, end)).then_some((end, value as f64))
}

/// Returns whether a part of one stands at `at`, so that the number before it belongs to it.
fn is_fraction(said: &Said, at: usize) -> bool {
    whole(said, next(said, at), PARTS).is_some()
}

fn point(said: &Said, at: usize, value: f64) -> Read {
    let start = lead(said, said.spaces(at), &["point"])?;
    if let Some((end, _, _)) = said.digits(start) {
        let part = format!("0.{}", said.slice(start..end)).parse::<f64>().unwrap_or(0.0);
        return Some((end, value + part));
    }
    let (mut end, mut last) = (start, start);
    let mut digits = String::from("0.");
    while let Some((after, digit)) = small(said, end) {
        digits.push_str(&(digit as i64).to_string());
        last = after;
        end = said.spaces(after);
    }
    (digits.len() > 2).then(|| (last, value + digits.parse::<f64>().unwrap_or(0.0)))
}

const GLYPHS: &[(&str, f64)] = &[
    ("½", 1.0 / 2.0),
    ("⅓", 1.0 / 3.0),
    ("⅔", 2.0 / 3.0),
    ("¼", 1.0 / 4.0),
    ("¾", 3.0 / 4.0),
    ("⅕", 1.0 / 5.0),
    ("⅖", 2.0 / 5.0),
    ("⅗", 3.0 / 5.0),
    ("⅘", 4.0 / 5.0),
    ("⅙", 1.0 / 6.0),
    ("⅚", 5.0 / 6.0),
    ("⅛", 1.0 / 8.0),
    ("⅜", 3.0 / 8.0),
    ("⅝", 5.0 / 8.0),
    ("⅞", 7.0 / 8.0),
];

/// Reads a number with sign and fraction.
pub(crate) fn number(said: &Said, at: usize) -> Read {
    if let Some(after) = lead(said, at, &["minus", "negative"]) {
        return number(said, after).map(|(end, value)| (end, -value));
    }
    if let Some(found) = said.any(at, GLYPHS) {
        return Some(found);
    }
    if let Some(found) = part_of_a_scale(said, at) {
        return Some(found);
    }
    let words = scaled(said, at);
    let (end, value, last) = match (words, signed(said, at)) {
        (Some(words), Some(digits)) if words.0 > digits.0 => words,
        (words, digits) => digits
            .map(|(end, value)| (end, value, 1.0))
            .or(words)
            .or_else(|| part(said, at).map(|(end, value)| (end, value, 1.0)))
            .or_else(|| point(said, at, 0.0).map(|(end, value)| (end, value, 1.0)))?,
    };
    let (end, value) =
        said.any(said.spaces(end), GLYPHS).map_or((end, value), |(end, part)| (end, value + part));
    let whole_number = value > 0.0 && value.fract() == 0.0;
    if let Some((end, below)) = below(said, end).filter(|_| whole_number && value < 100.0) {
        return Some((end, value / below));
    }
    let over = lead(said, said.spaces(end), &["over", "out of"]).and_then(|start| cardinal(said, start));
    // Over three years is no fraction, nor are twelve out of ten.
    let counts = |end: usize| said.at(said.spaces(end)).is_alphabetic();
    let out = said.at(said.spaces(end) + 1) == 'u';
    let fits = |(end, below): &(usize, f64)| {
        *below > 0.0 && whole_number && if out { value <= *below } else { !counts(*end) }
    };
    if let Some((end, below)) = over.filter(fits) {
        return Some((end, value / below));
    }
    Some(and_part(said, end, value, last))
}

/// Reads what a number of parts is counted in: `thirds`, `- fourth`.
fn below(said: &Said, at: usize) -> Read {
    let start = next(said, said.spaces(at));
    whole(said, start, PARTS).filter(|_| start > at)
}

/// Reads `and a half`, `and a half million`; after a scale it is a part of that: three million and a half.
fn and_part(said: &Said, end: usize, value: f64, last: f64) -> (usize, f64) {
    let found = lead(said, said.spaces(end), &["and"]).and_then(|start| part(said, start));
    let Some((end, part)) = found else { return (end, value) };
    match whole(said, said.spaces(end), SCALES)
        .filter(|(end, scale)| *scale > 100.0 && said.before(*end) != 'k')
    {
        Some((end, scale)) if last > scale => (end, value + part * scale),
        Some((end, scale)) => (end, (value + part) * scale),
        None => (end, value + part * if last >= 1e6 { last } else { 1.0 }),
    }
}

/// Reads `half a million`, `a quarter million`, `two thirds of a million`, `half a dozen`.
fn part_of_a_scale(said: &Said, at: usize) -> Read {
    let (end, share) = part(said, at)?;
    let start = lead(said, said.spaces(end), &["of a", "a", "of"]).unwrap_or(said.spaces(end));
    if let Some((end, ())) = whole(said, start, DOZENS) {
        return Some((end, share * 12.0));
    }
    let (end, scale) = whole(said, start, SCALES).filter(|(end, _)| *end > start + 3)?;
    Some((end, share * scale))
}

/// Reads `a half`, `half`, `a quarter`, `three quarters`, `a thirtieth`.
pub(super) fn part(said: &Said, at: usize) -> Read {
    if let Some(start) = lead(said, at, &["a", "an", "one"]) {
        return whole(said, next(said, start), PARTS).map(|(end, below)| (end, 1.0 / below));
    }
    if let Some((end, above)) = small(said, at).filter(|(_, above)| *above > 0.0) {
        return below(said, end).map(|(end, below)| (end, above / below));
    }
    whole(said, at, &[("half", 0.5), ("quarter", 0.25)])
}

/// Reads a place in a row: `first`, `twenty-first`, `25th`.
pub(crate) fn place(said: &Said, at: usize) -> Option<(usize, i64)> {
    if let Some((end, number, _)) = said.digits(at) {
        let end = said.one_of(end, &["st", "nd", "rd", "th"])?;
        return is_closed(said, end).then_some((end, number));
    }
    if let Some(found) = whole(said, at, PLACES) {
        return Some(found);
    }
    // Written together too: twentyfifth.
    if let Some((end, tens)) = said.any(at, TENS)
        && let Some((end, ones)) = whole(said, next(said, end), PLACES).filter(|(_, ones)| *ones < 10)
    {
        return Some((end, tens as i64 + ones));
    }
    let (end, value) = cardinal(said, at)?;
    let start = lead(said, next(said, end), &["and"]).unwrap_or(next(said, end));
    let (end, last) = whole(said, start, PLACES).or_else(|| place(said, start).filter(|_| value >= 100.0))?;
    if value.fract() != 0.0 || value > 9e15 {
        return None;
    }
    let place = if last >= 100 { (value as i64).checked_mul(last)? } else { value as i64 + last };
    Some((end, place))
}
