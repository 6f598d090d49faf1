//! Numbers in digits, the same in both languages: `1,234.5`, `-4/5`, `1 234 567`, `1e10`.

use super::said::Said;

/// A number with where it ends.
pub(crate) type Read = Option<(usize, f64)>;

/// Reads an unsigned number: digits, groups of three, a decimal part.
pub(crate) fn plain(said: &Said, at: usize) -> Read {
    let (mut end, first) = match said.digits(at) {
        Some((end, _, count)) => grouped(said, at, end, count),
        None if said.at(at) == '.' && !said.before(at).is_alphanumeric() => (at, 0.0),
        None => return None,
    };
    let mut value = first;
    if said.at(end) == '.'
        && let Some((after, _, _)) = said.digits(end + 1)
        && !(said.at(after) == '.' && said.at(after + 1).is_ascii_digit())
        && !is_dotted(said, at)
    {
        value += format!("0{}", said.slice(end..after)).parse::<f64>().unwrap_or(0.0);
        end = after;
    }
    (end > at).then_some((end, value))
}

/// Returns whether more numbers joined by dots stand in front: an address, a version.
fn is_dotted(said: &Said, at: usize) -> bool {
    at >= 2 && said.at(at - 1) == '.' && said.at(at - 2).is_ascii_digit()
}

/// Reads further groups of three digits after a comma or a space.
fn grouped(said: &Said, at: usize, end: usize, count: usize) -> (usize, f64) {
    let whole = |range| said.slice(range).parse::<f64>().unwrap_or(0.0);
    let mut value = whole(at..end);
    let separator = said.at(end);
    if count > 3 || !matches!(separator, ',' | ' ' | '\u{202f}') {
        return (end, value);
    }
    let mut last = end;
    while said.at(last) == separator {
        match said.digits(last + 1) {
            Some((next, group, 3)) => {
                value = value * 1000.0 + group as f64;
                last = next;
            }
            Some(_) if separator == ' ' => return (end, whole(at..end)),
            _ => break,
        }
    }
    (last, value)
}

/// Reads a number with sign, fraction (`3/4`, `1 4/5`) and exponent (`1e10`, `1.1^23`).
pub(crate) fn signed(said: &Said, at: usize) -> Read {
    let behind = (0..at).rev().map(|at| said.at(at)).find(|char| *char != ' ');
    let between = said.at(at + 1) == ' ' && behind.is_some_and(char::is_alphanumeric);
    let signed = matches!(said.at(at), '-' | '+') && !said.before(at).is_alphanumeric() && !between;
    let sign = if signed && said.at(at) == '-' { -1.0 } else { 1.0 };
    let start = if signed { said.spaces(at + 1) } else { at };
    let (end, value) = plain(said, start)?;
    if let Some((end, fraction)) = fraction(said, start) {
        return Some((end, sign * fraction));
    }
    let (end, value) = match said.at(end) == ' ' {
        true => fraction(said, said.spaces(end)).map_or((end, value), |(end, part)| (end, value + part)),
        false => (end, value),
    };
    let (end, value) = exponent(said, end, sign * value);
    Some((end, value))
}

/// Reads `3/4`; dates such as `3/4/2018` are none.
fn fraction(said: &Said, at: usize) -> Read {
    let (slash, above, _) = said.digits(at)?;
    if said.at(slash) != '/' || said.before(at) == '/' {
        return None;
    }
    let (end, below, _) = said.digits(slash + 1)?;
    (below != 0 && said.at(end) != '/').then_some((end, above as f64 / below as f64))
}

fn exponent(said: &Said, at: usize, base: f64) -> (usize, f64) {
    let power = said.at(at) == '^';
    if !power && said.at(at) != 'e' {
        return (at, base);
    }
    let mut start = at + 1;
    let mut sign = 1;
    while matches!(said.at(start), '-' | '+') {
        sign = if said.at(start) == '-' { -sign } else { sign };
        start += 1;
    }
    match said.digits(start) {
        Some((end, digits, 1..=4)) => {
            let digits = (sign * digits) as i32;
            (end, if power { base.powi(digits) } else { base * 10_f64.powi(digits) })
        }
        _ => (at, base),
    }
}
