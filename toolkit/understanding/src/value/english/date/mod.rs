//! Dates in English: `tomorrow`, `5th of march`, `next tuesday`, `this weekend`, `thanksgiving`, `end of next month`.

mod edges;
mod holiday;
mod holidays;
mod numeric;
mod relative;
mod weeks;
mod written;
mod year;

use jiff::civil::Date;

pub(super) use relative::{NEAR, side};
pub(super) use weeks::{WEEKDAYS, weekday_name};
pub(super) use written::number_of_day;

use super::words::{lead, one_of};
use crate::value::calendar::{Grain, Moment, days};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads a day, or a period of whole days.
pub(crate) fn date(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, found) = edges::edge(said, at, frame).or_else(|| whole_date(said, at, frame))?;
    Some(beside(said, end, found).unwrap_or((end, found)))
}

/// Reads a date that is no part of another.
fn whole_date(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = lead(said, at, &["on", "on the", "during", "during the"]).unwrap_or(at);
    let readings = [
        relative::near(said, start, frame),
        holiday::holiday(said, start, frame),
        numeric::numeric(said, start, frame),
        written::written(said, start, frame),
        weeks::weekday(said, start, frame),
        weeks::nth(said, start, frame),
        weeks::week_of(said, start, frame),
        relative::relative(said, start, frame),
        relative::season(said, start, frame),
        year::period(said, start, frame),
    ];
    readings.into_iter().flatten().max_by_key(|(end, _)| *end)
}

/// Reads the weekday of a week, which may stand after it: `next week on friday`.
fn beside(said: &Said, at: usize, found: Moment) -> Timed {
    let Moment::At(start, Grain::Week) = found else { return None };
    let after = one_of(said, at, &["'s", "s"]).unwrap_or(at);
    let next = lead(said, said.spaces(after), &["on", "on the"]).unwrap_or(said.spaces(after));
    let (end, weekday) = weekday_name(said, next).filter(|_| next > at)?;
    Some((end, day(days(start.date(), i64::from(weekday.to_monday_zero_offset())))))
}

/// Returns whole day `date`.
pub(super) fn day(date: Date) -> Moment {
    Moment::At(date.at(0, 0, 0, 0), Grain::Day)
}

/// Returns the period of one unit that starts with a date of a year.
fn unit(year: i16, month: i8, grain: Grain) -> Option<Moment> {
    Some(Moment::At(Date::new(year, month, 1).ok()?.at(0, 0, 0, 0), grain))
}
