//! English dates that count from today: `tomorrow`, `this weekend`, `next quarter`, `last summer`, `the week after next`.

use jiff::civil::Date;

use super::weeks::weekday_name;
use super::written::month_name;
use super::{day, unit};
use crate::value::calendar::{Grain, Moment, days, monday};
use crate::value::english::words::{follows, is_alone, lead, one_of, skip, whole};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Days by how far they are.
pub(in crate::value::english) const NEAR: &[(&str, i64)] = &[
    ("today", 0),
    ("todays", 0),
    ("current day", 0),
    ("the current day", 0),
    ("current date", 0),
    ("this day", 0),
    ("tomorrow", 1),
    ("tomorrows", 1),
    ("tmrw", 1),
    ("tmr", 1),
    ("tomorow", 1),
    ("next day", 1),
    ("the next day", 1),
    ("yesterday", -1),
    ("last day", -1),
    ("the last day", -1),
    ("past day", -1),
    ("previous day", -1),
    ("the previous day", -1),
    ("the day after tomorrow", 2),
    ("day after tomorrow", 2),
    ("the day after tmrw", 2),
    ("the day before yesterday", -2),
    ("day before yesterday", -2),
];
const SIDES: &[(&str, i64)] = &[
    ("this", 0),
    ("current", 0),
    ("this current", 0),
    ("same", 0),
    ("next", 1),
    ("this next", 1),
    ("around next", 1),
    ("following", 1),
    ("coming", 1),
    ("this coming", 1),
    ("upcoming", 1),
    ("this upcoming", 1),
    ("last", -1),
    ("past", -1),
    ("this past", -1),
    ("previous", -1),
    ("this last", -1),
];
const WEEKENDS: &[&str] = &["weekend", "week-end", "week end", "wkend", "weekends"];
const UNITS: &[(&str, Grain)] = &[
    ("week", Grain::Week),
    ("wk", Grain::Week),
    ("month", Grain::Month),
    ("quarter", Grain::Quarter),
    ("qtr", Grain::Quarter),
    ("year", Grain::Year),
    ("yr", Grain::Year),
];
const SEASONS: &[(&str, (i8, i8))] =
    &[("spring", (3, 20)), ("summer", (6, 21)), ("autumn", (9, 23)), ("fall", (9, 23)), ("winter", (12, 21))];

/// Reads `this`, `the next`, `last` as where it counts to.
pub(in crate::value::english) fn side(said: &Said, at: usize) -> Option<(usize, i64)> {
    let start = lead(said, at, &["the"]).unwrap_or(at);
    whole(said, start, SIDES).map(|(end, side)| (said.spaces(end), side))
}

pub(super) fn near(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, ahead) = whole(said, at, NEAR)?;
    // The last day of something is another.
    let part = said.at(end - 1) == 'y' && one_of(said, said.spaces(end), &["of", "in"]).is_some();
    let named = matches!(ahead, 1 | -1) && one_of(said, at, &["tomorrow", "yesterday"]).is_none();
    (!(part && named)).then(|| (end, day(days(frame.today(), ahead))))
}

/// Reads whole units of the calendar.
pub(super) fn relative(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some(found) = after_next(said, at, frame) {
        return Some(found);
    }
    if let Some(found) = bare(said, at, frame) {
        return Some(found);
    }
    let (start, side) = side(said, at)?;
    let today = frame.today();
    if let Some(end) = one_of(said, start, WEEKENDS) {
        return Some((end, weekend(frame, side)));
    }
    if let Some(end) = one_of(said, start, &["workweek", "work week", "working week"]) {
        let start = days(monday(today), 7 * side).at(0, 0, 0, 0);
        return Some((end, Moment::Between(start, Grain::Day.add(start, 5), Grain::Day)));
    }
    // This may be wrong is no month.
    let verb = |end: usize| side == 0 && month_is_a_verb(said, start, end);
    if let Some((end, month)) = month_name(said, start).filter(|(end, _)| !verb(*end)) {
        let this = Date::new(today.year(), month, 1).ok()?;
        let year = this.year()
            + match side {
                0 => 0,
                1 => i16::from(this <= today.first_of_month()),
                _ => -i16::from(this >= today.first_of_month()),
            };
        return Some((end, unit(year, month, Grain::Month)?));
    }
    if let Some((end, years)) = whole(said, start, &[("decade", 10), ("century", 100)]) {
        let first = today.year() - today.year().rem_euclid(years) + years * side as i16;
        let start = Date::new(first, 1, 1).ok()?.at(0, 0, 0, 0);
        return Some((end, Moment::Between(start, Grain::Year.add(start, i64::from(years)), Grain::Year)));
    }
    let (end, grain) = whole(said, start, UNITS)?;
    Some((end, Moment::At(grain.add(grain.start(frame.now), side), grain)))
}

/// Returns whether `may` or `march` goes on as a verb does.
fn month_is_a_verb(said: &Said, at: usize, end: usize) -> bool {
    let next = said.spaces(end);
    let open = said.at(next).is_alphabetic()
        && one_of(said, next, &["at", "on", "for", "and", "or", "to"]).is_none();
    matches!(said.slice(at..end).as_str(), "may" | "march" | "mar") && open
}

/// Reads `the weekend`, `for the week`, `the rest of the year`'s `the year`: what is there without `this`.
fn bare(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some(end) = one_of(said, at, &["the weekend", "weekend", "that weekend"]) {
        let other = follows(said, at, &["a", "every", "each", "per", "long"]);
        return (!other).then(|| (end, weekend(frame, 0)));
    }
    let led =
        follows(said, at, &["for", "in", "of", "during", "within", "to", "by"]) || is_alone(said, at, at);
    let start = lead(said, at, &["the", "my"]).filter(|_| led)?;
    // A quarter alone is a part or a coin.
    let (end, grain) = whole(said, start, UNITS).filter(|(_, grain)| *grain != Grain::Quarter)?;
    Some((end, Moment::At(grain.start(frame.now), grain)))
}

/// Returns the Saturday and Sunday of this week or of one beside it; some have it begin on Friday evening.
pub(super) fn weekend(frame: Frame, side: i64) -> Moment {
    weekend_of(days(monday(frame.today()), 5 + 7 * side), frame)
}

pub(super) fn weekend_of(saturday: Date, frame: Frame) -> Moment {
    let start = saturday.at(0, 0, 0, 0);
    let end = Grain::Day.add(start, 2);
    match frame.conventions.weekend_from_friday {
        true => Moment::Between(Grain::Hour.add(start, -6), end, Grain::Hour),
        false => Moment::Between(start, end, Grain::Day),
    }
}

/// Reads `the week after next`, `march after next`, `friday after next`.
fn after_next(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = skip(said, at, &["the"]);
    let tail = |end: usize| one_of(said, said.spaces(end), &["after next", "after the next"]);
    if let Some(end) = one_of(said, start, WEEKENDS).and_then(tail) {
        return Some((end, weekend(frame, 2)));
    }
    if let Some((end, weekday)) = weekday_name(said, start) {
        let date = days(monday(frame.today()), 7 + i64::from(weekday.to_monday_zero_offset()));
        return Some((tail(end)?, day(date)));
    }
    if let Some((end, month)) = month_name(said, start) {
        let late = month <= frame.today().month();
        return Some((tail(end)?, unit(frame.today().year() + 1 + i16::from(late), month, Grain::Month)?));
    }
    let (end, grain) = whole(said, start, UNITS)?;
    Some((tail(end)?, Moment::At(grain.add(grain.start(frame.now), 2), grain)))
}

/// Reads `this summer`, `the spring of 1978`, `last season`. A season needs a word with it: to fall is no autumn.
pub(super) fn season(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let (start, side) = side(said, at).or_else(|| {
        lead(said, at, &["the"])
            .filter(|_| follows(said, at, &["in", "of", "during"]))
            .map(|start| (start, 0))
    })?;
    let starts = |year: i16| {
        let of = |month, number| Date::new(year, month, number).ok();
        [of(3, 20), of(6, 21), of(9, 23), of(12, 21)].into_iter().flatten()
    };
    if let Some(end) = one_of(said, start, &["season", "seasons"]) {
        let all: Vec<Date> = (-2..=2).flat_map(|ahead| starts(today.year() + ahead)).collect();
        let this = all.iter().rposition(|start| *start <= today)?;
        let index = usize::try_from(i64::try_from(this).ok()? + side).ok()?;
        let (from, to) = (*all.get(index)?, *all.get(index + 1)?);
        return Some((end, Moment::Between(from.at(0, 0, 0, 0), to.at(0, 0, 0, 0), Grain::Day)));
    }
    let (end, (month, number)) = whole(said, start, SEASONS)?;
    let year = super::year::named(said, lead(said, said.spaces(end), &["of"]).unwrap_or(said.spaces(end)));
    let of = |year: i16| {
        let from = Date::new(year, month, number).ok()?.at(0, 0, 0, 0);
        Some(Moment::Between(from, Grain::Month.add(from, 3), Grain::Day))
    };
    if let Some((end, year)) = year {
        return Some((end, of(year)?));
    }
    let now = frame.now;
    let next = (-1..=1).filter_map(|ahead| of(today.year() + ahead)).find(|season| season.end() > now)?;
    let running = next.start() <= now;
    let year = next.start().year() + (side - i64::from(side > 0 && !running)) as i16;
    Some((end, of(year)?))
}
