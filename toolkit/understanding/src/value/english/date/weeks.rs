//! Weekdays and weeks in English: `next tuesday`, `first monday of october`, `the week of october 6th`, `week 31`.

use jiff::civil::{Date, Weekday};

use super::holiday::holiday;
use super::relative::{side, weekend_of};
use super::written::{in_month, month_name};
use super::{day, year};
use crate::value::calendar::{Grain, Moment, days, monday, next_weekday, nth_weekday};
use crate::value::conventions::{Weekdays, Weeks};
use crate::value::english::number::{cardinal, place};
use crate::value::english::words::{follows, lead, one_of, skip, whole};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Names of days.
pub(in crate::value::english) const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("mon", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("tues", Weekday::Tuesday),
    ("tue", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("weds", Weekday::Wednesday),
    ("wed", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("thurs", Weekday::Thursday),
    ("thur", Weekday::Thursday),
    ("thu", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("fri", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sat", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
    ("sun", Weekday::Sunday),
];

/// Reads the name of a day with its full stop.
pub(in crate::value::english) fn weekday_name(said: &Said, at: usize) -> Option<(usize, Weekday)> {
    let (end, weekday) = whole(said, at, WEEKDAYS)?;
    let short = end - at <= 5 && said.at(end) == '.';
    Some((if short { end + 1 } else { end }, weekday))
}

/// Reads a weekday: bare the next to come, of a week that is named with it the one there.
pub(super) fn weekday(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    if let Some((end, weekday)) = weekday_name(said, at) {
        if let Some((end, week)) = of_week(said, end, frame) {
            return Some((end, day(days(week, i64::from(weekday.to_monday_zero_offset())))));
        }
        return is_named(said, at, end).then(|| (end, day(next_weekday(today, weekday))));
    }
    let (start, side) = side(said, at)?;
    let start = lead(said, start, &["week"]).unwrap_or(start);
    let (end, weekday) = weekday_name(said, start)?;
    let date = match side {
        0 => next_weekday(days(today, -1), weekday),
        1 => days(monday(today), 7 + i64::from(weekday.to_monday_zero_offset())),
        _ if frame.conventions.weekdays == Weekdays::OfWeek => {
            days(monday(today), i64::from(weekday.to_monday_zero_offset()) - 7)
        }
        _ => days(next_weekday(days(today, -1), weekday), -7),
    };
    let date = if said.slice(at..start).contains("week") {
        days(monday(today), 7 * side + i64::from(weekday.to_monday_zero_offset()))
    } else if side == 1 && said.slice(at..start).contains("coming") {
        next_weekday(today, weekday)
    } else {
        date
    };
    Some((end, day(date)))
}

/// Returns whether a short name is one: `sat`, `sun` and `wed` are other words too.
fn is_named(said: &Said, at: usize, end: usize) -> bool {
    let short = end - at <= 3 && said.before(end) != '.';
    let other = matches!(said.slice(at..end).as_str(), "sat" | "sun" | "wed");
    !(short && other)
        || follows(said, at, &["on", "by", "until", "till", "every", "or"])
        || said.at(end) == ',' && said.at(at + 1) != 'u'
}

/// Reads the week after a weekday as its Monday: `of next week`, `last week`, `from last week`.
fn of_week(said: &Said, at: usize, frame: Frame) -> Option<(usize, Date)> {
    let start = lead(said, said.spaces(at), &["of", "from", "in"]).unwrap_or(said.spaces(at));
    let (start, side) = side(said, start).filter(|_| start > at)?;
    let end = one_of(said, start, &["week"])?;
    Some((end, days(monday(frame.today()), 7 * side)))
}

/// What may be counted within something longer.
#[derive(Clone, Copy)]
enum Counted {
    Of(Weekday),
    Day,
    Week,
    Weekend,
    Month,
    Quarter,
}

/// Reads `first monday of october`, `the last weekend of july`, `third tuesday after christmas`, `last day of may`.
pub(super) fn nth(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = skip(said, at, &["the"]);
    let (after, nth) = position(said, start)?;
    let (end, counted) = counted(said, after)?;
    if let (Some(start), Counted::Of(weekday)) = (lead(said, said.spaces(end), &["after"]), counted) {
        let (end, base) = holiday(said, start, frame).filter(|_| nth > 0)?;
        return Some((end, day(days(next_weekday(base.start().date(), weekday), 7 * (nth - 1)))));
    }
    if let (Counted::Quarter, true) = (counted, nth > 0) {
        return quarter(said, end, nth, frame);
    }
    let (end, within) = period(said, said.spaces(end), frame)?;
    Some((end, pick(nth, counted, within, frame)?))
}

/// Reads `first`, `the second last`, `last` as a place; negative from the end.
fn position(said: &Said, at: usize) -> Option<(usize, i64)> {
    if let Some(end) = one_of(said, at, &["last", "final"]) {
        return Some((said.spaces(end), -1));
    }
    let (end, place) = place(said, at).filter(|(_, place)| (1..=366).contains(place))?;
    match lead(said, said.spaces(end), &["last", "to last", "from last"]) {
        Some(after) => Some((after, -place)),
        None => Some((said.spaces(end), place)),
    }
}

fn counted(said: &Said, at: usize) -> Option<(usize, Counted)> {
    if let Some((end, weekday)) = weekday_name(said, at) {
        return Some((end, Counted::Of(weekday)));
    }
    let units = [
        ("day", Counted::Day),
        ("week", Counted::Week),
        ("weekend", Counted::Weekend),
        ("week-end", Counted::Weekend),
        ("week end", Counted::Weekend),
        ("wkend", Counted::Weekend),
        ("month", Counted::Month),
        ("quarter", Counted::Quarter),
        ("qtr", Counted::Quarter),
    ];
    whole(said, at, &units)
}

/// Reads what something is counted in: `of october 2014`, `in this month`, `of the year`, `next year`.
fn period(said: &Said, at: usize, frame: Frame) -> Timed {
    let of = lead(said, at, &["of", "in", "for"]);
    let start = of.unwrap_or(at);
    if let Some((end, month)) = month_name(said, start) {
        return in_month(said, end, month, frame);
    }
    if let Some((end, year)) = year::named(said, lead(said, start, &["year", "the year"]).unwrap_or(start)) {
        return Some((end, super::unit(year, 1, Grain::Year)?));
    }
    let grains =
        [("month", Grain::Month), ("year", Grain::Year), ("week", Grain::Week), ("quarter", Grain::Quarter)];
    let (start, side) = side(said, start)
        .or_else(|| of.and_then(|start| lead(said, start, &["the"])).map(|start| (start, 0)))?;
    if let Some((end, month)) = month_name(said, start) {
        let (_, found) = in_month(said, end, month, frame)?;
        return Some((end, Moment::At(Grain::Year.add(found.start(), side.min(0)), Grain::Month)));
    }
    let (end, grain) = whole(said, start, &grains)?;
    Some((end, Moment::At(grain.add(grain.start(frame.now), side), grain)))
}

fn pick(nth: i64, counted: Counted, within: Moment, frame: Frame) -> Option<Moment> {
    let (first, last) = (within.start().date(), days(within.end().date(), -1));
    let found = match counted {
        Counted::Of(weekday) if within.grain() == Grain::Month => {
            day(nth_weekday(first.year(), first.month(), nth, weekday)?)
        }
        Counted::Of(weekday) if nth > 0 => day(days(next_weekday(days(first, -1), weekday), 7 * (nth - 1))),
        Counted::Of(weekday) => day(days(next_weekday(days(last, -7), weekday), 7 * (nth + 1))),
        Counted::Day => day(if nth > 0 { days(first, nth - 1) } else { days(last, nth + 1) }),
        Counted::Week => Moment::At(week(nth, within, frame).at(0, 0, 0, 0), Grain::Week),
        Counted::Weekend => {
            let saturday = next_weekday(days(last, -7), Weekday::Saturday);
            let first = next_weekday(days(first, -1), Weekday::Saturday);
            weekend_of(
                if nth > 0 { days(first, 7 * (nth - 1)) } else { days(saturday, 7 * (nth + 1)) },
                frame,
            )
        }
        Counted::Month => super::unit(
            first.year(),
            i8::try_from(nth).ok().filter(|nth| (1..=12).contains(nth))?,
            Grain::Month,
        )?,
        Counted::Quarter => return None,
    };
    (found.start().date() <= last).then_some(found)
}

/// Returns the Monday of a week of a month or year: see [`Weeks`]; of English Duckling weeks begin within it.
fn week(nth: i64, within: Moment, frame: Frame) -> Date {
    let (first, last) = (within.start().date(), days(within.end().date(), -1));
    let most = |date: Date| days(monday(date), 3);
    let first_monday = match frame.conventions.weeks {
        Weeks::MostDays if most(first) >= first => monday(first),
        Weeks::Rows => monday(first),
        Weeks::MostDays => days(monday(first), 7),
        Weeks::Within => monday(days(first, 6)),
    };
    let last_monday = match frame.conventions.weeks {
        Weeks::MostDays if most(last) > last => days(monday(last), -7),
        Weeks::Within if days(monday(last), 6) > last => days(monday(last), -7),
        _ => monday(last),
    };
    if nth > 0 { days(first_monday, 7 * (nth - 1)) } else { days(last_monday, 7 * (nth + 1)) }
}

fn quarter(said: &Said, at: usize, nth: i64, frame: Frame) -> Timed {
    let start = said.spaces(at);
    let of = lead(said, start, &["of", "in"]).unwrap_or(start);
    let within = period(said, start, frame).filter(|(_, found)| found.grain() == Grain::Year).or_else(|| {
        year::named(said, of).and_then(|(end, year)| Some((end, super::unit(year, 1, Grain::Year)?)))
    });
    let (end, year) = within.map_or((at, frame.today().year()), |(end, found)| (end, found.start().year()));
    let month = i8::try_from(nth).ok().filter(|nth| (1..=4).contains(nth))? * 3 - 2;
    Some((end, super::unit(year, month, Grain::Quarter)?))
}

/// Reads `the week of october 6th`, `week commencing february 4`, `week 31`, `all week`.
pub(super) fn week_of(said: &Said, at: usize, frame: Frame) -> Timed {
    let this = days(monday(frame.today()), 0).at(0, 0, 0, 0);
    if let Some(end) = one_of(said, at, &["all week"]) {
        return Some((end, Moment::Between(this, Grain::Day.add(this, 7), Grain::Day)));
    }
    let start = skip(said, at, &["the"]);
    let leads = [
        "week of",
        "week of the",
        "week commencing",
        "week commencing on",
        "week starting",
        "week starting on",
        "week beginning",
        "week beginning on",
        "w/c",
    ];
    if let Some(after) = lead(said, start, &leads) {
        let the = if said.slice(start..after).contains("the") { after - 4 } else { after };
        let (end, found) = super::date(said, the, frame).filter(|(_, found)| found.grain() == Grain::Day)?;
        return Some((end, Moment::At(Grain::Week.start(found.start()), Grain::Week)));
    }
    let (end, number) =
        cardinal(said, lead(said, start, &["week"])?).filter(|(_, number)| (1.0..54.0).contains(number))?;
    let of = lead(said, said.spaces(end), &["of", "in", ","]).and_then(|start| year::named(said, start));
    let (end, year) = of.unwrap_or((end, frame.today().year()));
    // The first week of a year is the one with its fourth of January (ISO 8601).
    let first = monday(Date::new(year, 1, 4).ok()?);
    Some((end, Moment::At(days(first, 7 * (number as i64 - 1)).at(0, 0, 0, 0), Grain::Week)))
}
