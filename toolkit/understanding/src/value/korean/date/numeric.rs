//! Dates in digits: `2026-10-01`, `10/15`, `25.07.15`, `20261101`.

use jiff::civil::Date;

use super::weeks::with_weekday;
use crate::value::calendar::{Grain, Moment, full_year, next_date};
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

/// Reads a date in digits.
pub(super) fn numeric(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let (end, first, digits) = said.digits(at)?;
    if digits == 8 {
        return together(said, end, first);
    }
    let separator = said.at(end);
    if let Some(years) = years(said, end, first).filter(|_| digits == 4 && said.before(at) != '-') {
        return Some(years);
    }
    if !matches!(separator, '/' | '-' | '.') || said.before(at) == separator {
        return None;
    }
    let (end, second, width) = said.digits(said.spaces(end + 1)).filter(|(_, _, digits)| *digits <= 2)?;
    let third = (said.at(end) == separator).then(|| said.digits(said.spaces(end + 1))).flatten();
    let date = match third {
        Some((end, third, count @ (1 | 2))) => {
            let year_first = Date::new(full_year(first, digits)?, second as i8, third as i8).ok();
            let date =
                year_first.or_else(|| Date::new(full_year(third, count)?, first as i8, second as i8).ok())?;
            Some((end, date))
        }
        Some((end, year, 4)) if digits <= 2 => {
            let of = |month: i64, day: i64| Date::new(year as i16, month as i8, day as i8).ok();
            of(first, second).or_else(|| of(second, first)).map(|date| (end, date))
        }
        Some(_) => None,
        // 3-4 is three to four; 07-15 is a day.
        None if separator == '/' && digits <= 2 || separator == '-' && (digits, width) == (2, 2) => {
            Some((end, next_date(today, first as i8, second as i8)?))
        }
        None => None,
    };
    let (end, date) = date?;
    (!said.at(end).is_ascii_digit()).then(|| (with_weekday(said, end), super::day(date)))
}

/// Reads `2014-2018`.
fn years(said: &Said, at: usize, first: i64) -> Timed {
    let (end, last, 4) = said.digits(said.one_of(at, &["-", "~", " - ", " ~ "])?)? else { return None };
    let both =
        (1900..2100).contains(&first) && first < last && last < 2100 && !matches!(said.at(end), '-' | '.');
    let of = |year: i64| Date::new(year as i16, 1, 1).ok().map(|date| date.at(0, 0, 0, 0));
    both.then_some((end, Moment::Between(of(first)?, of(last + 1)?, Grain::Year)))
}

/// Reads `20261101`.
fn together(said: &Said, end: usize, digits: i64) -> Timed {
    let date = Date::new((digits / 10_000) as i16, (digits / 100 % 100) as i8, (digits % 100) as i8).ok()?;
    let likely = (1900..2100).contains(&date.year()) && !matches!(said.at(end), '.' | '-' | ',');
    likely.then(|| (end, super::day(date)))
}
