//! English dates in digits: month before day (`4/22`, `04/22/2016`), day first where only that fits, years first (ISO 8601).

use jiff::civil::Date;

use super::{day, unit};
use crate::value::calendar::{Grain, full_year, next_date};
use crate::value::english::words::{follows, is_closed};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// A number with its end and how many digits it has.
type Digits = (usize, i64, usize);

/// Reads a date in digits.
pub(super) fn numeric(said: &Said, at: usize, frame: Frame) -> Timed {
    if matches!(said.before(at), '.' | '/') && at > 1 && said.at(at - 2).is_alphanumeric() {
        return None;
    }
    let first = said.digits(at)?;
    let (start, separator) = separated(said, first.0)?;
    let second = said.digits(start)?;
    let third = separated(said, second.0)
        .filter(|(start, other)| *other == separator || *other == ',' && said.before(*start) == ',')
        .and_then(|(start, _)| said.digits(start));
    let spaced = said.at(first.0) == ' ' || said.before(start) == ' ';
    let (end, found) = match third {
        Some(third) if !spaced || separator == ' ' => three(first, second, third)?,
        _ => return two(said, at, first, second, separator, spaced, frame),
    };
    let tail = matches!(said.at(end), '-' | '/')
        && said.at(end + 1).is_ascii_digit()
        && !(separator == '/' && said.at(end) == '-');
    let closed = is_closed(said, end) || said.at(end) == 't';
    (closed && !tail).then_some((end, day(found)))
}

/// Reads what stands between two numbers: one mark, with spaces or without.
fn separated(said: &Said, at: usize) -> Option<(usize, char)> {
    let mark = said.spaces(at);
    match said.at(mark) {
        char @ ('/' | '-' | '.' | ',') => Some((said.spaces(mark + 1), char)),
        _ if mark > at => Some((mark, ' ')),
        _ => None,
    }
}

fn three(first: Digits, second: Digits, third: Digits) -> Option<(usize, Date)> {
    let date = |year: i16, month: i64, number: i64| {
        Date::new(year, i8::try_from(month).ok()?, i8::try_from(number).ok()?).ok()
    };
    if first.2 == 4 && second.2 <= 2 && third.2 <= 2 {
        return Some((third.0, date(i16::try_from(first.1).ok()?, second.1, third.1)?));
    }
    if first.2 > 2 || second.2 > 2 || !matches!(third.2, 2 | 4) {
        return None;
    }
    let year = full_year(third.1, third.2)?;
    let found = date(year, first.1, second.1).or_else(|| date(year, second.1, first.1))?;
    Some((third.0, found))
}

/// Reads `4/22`, `on 4-22`, `2/2013`, `2014-10`.
fn two(
    said: &Said,
    at: usize,
    first: Digits,
    second: Digits,
    separator: char,
    spaced: bool,
    frame: Frame,
) -> Timed {
    let end = second.0;
    let more = matches!(said.at(end), '/' | '.' | '-' | ':')
        && said.at(end + 1).is_ascii_digit()
        && !(separator == '/' && said.at(end) == '-');
    if separator == ' ' || separator == ',' || more || !is_closed(said, end) {
        return None;
    }
    let month = |year: i64, month: i64| {
        let fits = (1900..2200).contains(&year) && (1..=12).contains(&month);
        unit(i16::try_from(year).ok().filter(|_| fits)?, month as i8, Grain::Month)
    };
    match (first.2, second.2) {
        (4, 1 | 2) if separator != '.' => return Some((end, month(first.1, second.1)?)),
        (1 | 2, 4) if separator != '.' => return Some((end, month(second.1, first.1)?)),
        (1 | 2, 1 | 2) => {}
        _ => return None,
    }
    let led = follows(
        said,
        at,
        &["on", "this", "next", "friday", "monday", "tuesday", "wednesday", "thursday", "saturday", "sunday"],
    );
    let alone = super::super::words::is_alone(said, at, end);
    if separator != '/' && !(led || alone && separator == '-') || spaced && !alone {
        return None;
    }
    let (first, second) = (i8::try_from(first.1).ok()?, i8::try_from(second.1).ok()?);
    let found =
        next_date(frame.today(), first, second).or_else(|| next_date(frame.today(), second, first))?;
    Some((end, day(found)))
}
