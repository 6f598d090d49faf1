//! Periods of days by their numbers or weekdays: `13 to 15 july`, `july 13 - 15`, `next week between wednesday and friday`.

use jiff::civil::{Date, Weekday};

use super::{Opening, joint, opening};
use crate::value::calendar::{Grain, Moment};
use crate::value::english::date::{date, day, number_of_day, side, weekday_name};
use crate::value::english::words::{one_of, skip};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads weekdays of a week: `next week between wednesday and friday`.
pub(super) fn of_week(said: &Said, week: Timed) -> Timed {
    let (end, Moment::At(week, Grain::Week)) = week? else { return None };
    let Opening { start, and, .. } = opening(said, said.spaces(end));
    let (end, first) = weekday_name(said, start)?;
    let (end, last) = weekday_name(said, joint(said, end, and)?)?;
    let day = |weekday: Weekday| Grain::Day.add(week, i64::from(weekday.to_monday_zero_offset()));
    let (from, to) = (day(first), Grain::Day.add(day(last), 1));
    (to > from).then_some((end, Moment::Between(from, to, Grain::Day)))
}

/// Reads days of a month that stands behind the last: `13 to 15 july`, `between ninth and seventeenth of april`.
pub(super) fn numbered(said: &Said, at: usize, frame: Frame) -> Timed {
    let Opening { start, told, .. } = opening(said, at);
    let (end, number) = number_of_day(said, skip(said, start, &["the"]))?;
    let next = joint(said, end, told)?;
    let (end, last) = date(said, next, frame).or_else(|| this_month(said, next, frame))?;
    let Moment::At(until, Grain::Day) = last else { return None };
    if !said.at(skip(said, next, &["the"])).is_ascii_digit()
        && number_of_day(said, skip(said, next, &["the"])).is_none()
        && !told
    {
        return None;
    }
    let day = until.date();
    let before = Grain::Month.add(Grain::Month.start(until), -1).date();
    let same = Date::new(day.year(), day.month(), number).ok().filter(|from| *from < day);
    // From the twenty-seventh to the third begins in the month before.
    let from = same.or_else(|| Date::new(before.year(), before.month(), number).ok().filter(|_| told))?;
    Some((end, Moment::Between(from.at(0, 0, 0, 0), last.end(), Grain::Day)))
}

/// Reads a day before its month without anything between: `22 this month`.
fn this_month(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, number) = number_of_day(said, skip(said, at, &["the"]))?;
    let (start, side) = side(said, skip(said, said.spaces(end), &["in", "of"]))?;
    let end = one_of(said, start, &["month"])?;
    let month = Grain::Month.add(Grain::Month.start(frame.now), side).date();
    Some((end, day(Date::new(month.year(), month.month(), number).ok()?)))
}

/// Reads a bare day of the month after a date: `july 13 - 15`, `august 27th - 29th`, with its year: `june 2-7, 2018`.
pub(super) fn same_month(said: &Said, at: usize, first: Moment) -> Timed {
    let Moment::At(from, Grain::Day) = first else { return None };
    let (end, number) = number_of_day(said, skip(said, at, &["the"]))?;
    let closed = !matches!(said.at(end), ':' | '/' | '.') || !said.at(end + 1).is_ascii_digit();
    let of =
        |month: Date| Date::new(month.year(), month.month(), number).ok().filter(|date| *date > from.date());
    let next = Grain::Month.add(Grain::Month.start(from), 1).date();
    let the = said.at(at) == 't';
    let date = of(from.date()).or_else(|| of(next).filter(|_| the)).filter(|_| closed)?;
    clock_end(said, end).then(|| (end, day(date)))
}

fn clock_end(said: &Said, end: usize) -> bool {
    one_of(said, said.spaces(end), &["am", "pm", "o'clock"]).is_none()
}
