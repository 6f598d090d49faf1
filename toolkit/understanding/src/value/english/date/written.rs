//! English dates with the month in words: `march 5`, `5th of march 2015`, `the 5th`, `fri, jul 18`, `31-Oct-74`.

use jiff::civil::{Date, Weekday};

use super::relative::side;
use super::weeks::weekday_name;
use super::{day, unit, year};
use crate::value::calendar::{Grain, Moment, full_year, next_date};
use crate::value::english::number::{place, small};
use crate::value::english::words::{follows, is_alone, is_closed, lead, one_of, skip};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

const MONTHS: &[(&str, i8)] = &[
    ("january", 1),
    ("jan", 1),
    ("february", 2),
    ("feb", 2),
    ("march", 3),
    ("mar", 3),
    ("april", 4),
    ("apr", 4),
    ("may", 5),
    ("june", 6),
    ("jun", 6),
    ("july", 7),
    ("jul", 7),
    ("august", 8),
    ("aug", 8),
    ("september", 9),
    ("sept", 9),
    ("sep", 9),
    ("october", 10),
    ("oct", 10),
    ("november", 11),
    ("nov", 11),
    ("december", 12),
    ("dec", 12),
];

/// Reads the name of a month with its full stop; digits may be written together with it.
pub(super) fn month_name(said: &Said, at: usize) -> Option<(usize, i8)> {
    let (end, month) = said.any(at, MONTHS)?;
    let closed = !said.at(end).is_alphabetic();
    let short = end - at <= 4 && said.at(end) == '.';
    closed.then_some((if short { end + 1 } else { end }, month))
}

/// Reads the number of a day: `5`, `05`, `5th`, `twenty first`, `twenty one`.
pub(in crate::value::english) fn number_of_day(said: &Said, at: usize) -> Option<(usize, i8)> {
    let digits =
        |at| said.digits(at).filter(|(_, _, count)| *count <= 2).map(|(end, number, _)| (end, number));
    let words = |at| small(said, at).map(|(end, number)| (end, number as i64));
    let (end, number) = place(said, at).or_else(|| digits(at)).or_else(|| words(at))?;
    let fits = (1..=31).contains(&number) && is_closed(said, end) && said.at(end) != ':';
    fits.then_some((end, number as i8))
}

/// Reads a date with its month, or a day of this or the next one.
pub(super) fn written(said: &Said, at: usize, frame: Frame) -> Timed {
    let named = weekday_name(said, at);
    let start = named.map_or(at, |(end, _)| said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end)));
    let weekday = named.map(|(_, weekday)| weekday);
    let found = year_first(said, start)
        .or_else(|| day_first(said, start, weekday, frame))
        .or_else(|| month_first(said, start, weekday, frame));
    found.or_else(|| day_of_month(said, at, frame)).or_else(|| bare_day(said, at, start, weekday, frame))
}

/// Reads `2019-aug-1`, `2016 june`, `2019/aug/01`.
fn year_first(said: &Said, at: usize) -> Timed {
    let (end, year, _) = said.digits(at).filter(|(_, _, count)| *count == 4)?;
    let joint = |end: usize| said.one_of(end, &["-", "/", " "]).unwrap_or(end);
    let year = i16::try_from(year).ok().filter(|year| (1000..3000).contains(year))?;
    let start = joint(end);
    // The other way round too: 2020/23/Sep.
    if let Some((after, number, _)) = said.digits(start).filter(|(_, _, count)| *count <= 2)
        && let Some((end, month)) = month_name(said, joint(after)).filter(|_| said.at(after) == said.at(end))
    {
        return Some((end, day(Date::new(year, month, number as i8).ok()?)));
    }
    let (end, month) = month_name(said, start).filter(|_| start > end)?;
    match number_of_day(said, joint(end)).filter(|_| joint(end) > end) {
        Some((end, number)) => Some((end, day(Date::new(year, month, number).ok()?))),
        None => Some((end, unit(year, month, Grain::Month)?)),
    }
}

/// Reads `5 march`, `the 5th of march 2015`, `31/Oct/1974`, `third day of october`.
fn day_first(said: &Said, at: usize, weekday: Option<Weekday>, frame: Frame) -> Timed {
    let number_at = skip(said, at, &["the"]);
    let (end, number) = number_of_day(said, number_at)?;
    let word = place(said, number_at).is_none() && said.at(number_at).is_alphabetic();
    let end = one_of(said, said.spaces(end), &["day"]).unwrap_or(end);
    let joint = said.one_of(end, &["-", "/", ". ", "."]).unwrap_or(said.spaces(end));
    let start = lead(said, joint, &["of"]).unwrap_or(joint);
    let (end, month) = month_name(said, start).filter(|_| start > end || said.at(end).is_alphabetic())?;
    // One may ask and five march are no dates.
    let verb = word && matches!(month, 3 | 5);
    (!verb).then(|| finish(said, end, month, Some(number), weekday, frame)).flatten()
}

/// Reads `march 5`, `march the 5th, 2015`, `oct/2`, `march 2015`, `march`.
fn month_first(said: &Said, at: usize, weekday: Option<Weekday>, frame: Frame) -> Timed {
    let (end, month) = month_name(said, at).or_else(|| {
        let start = lead(said, at, &["ides of", "the ides of"])?;
        month_name(said, start).map(|(end, month)| (end, month + 100))
    })?;
    if month > 100 {
        let ides = if matches!(month - 100, 3 | 5 | 7 | 10) { 15 } else { 13 };
        return finish(said, end, month - 100, Some(ides), None, frame);
    }
    let joint = said.one_of(end, &["-", "/", " "]).unwrap_or(end);
    let start = lead(said, joint, &["the"]).unwrap_or(joint);
    let number = number_of_day(said, start).filter(|(end, _)| !is_hour(said, *end));
    // Words for a year begin with a number too: june nineteen ninety nine.
    let year = year::named(said, start).filter(|(end, _)| number.is_none_or(|(day_end, _)| *end > day_end));
    match number.filter(|_| year.is_none() || joint == end) {
        Some((end, number)) => finish(said, end, month, Some(number), weekday, frame),
        None if is_month(said, at, end) => finish(said, end, month, None, weekday, frame),
        None => None,
    }
}

/// Returns whether what ends at `end` is an hour and no day: `march 5 pm` is none, `5:30` neither.
fn is_hour(said: &Said, end: usize) -> bool {
    one_of(said, said.spaces(end), &["am", "pm", "o'clock"]).is_some()
}

/// Words that make `may`, `march` and `mar` months, before or after them.
const BEFORE: &[&str] = &[
    "in", "of", "since", "until", "till", "til", "from", "by", "before", "after", "through", "thru",
    "during", "early", "mid", "late", "to", "-", "between", "for",
];

fn is_month(said: &Said, at: usize, end: usize) -> bool {
    let other = matches!(said.slice(at..end).as_str(), "may" | "march" | "mar");
    let year = lead(said, said.spaces(end), &["of"]).unwrap_or(said.spaces(end));
    let go_on = ["to", "through", "in a", "in", "-"];
    let behind = one_of(said, said.spaces(end), &go_on).is_some();
    let range = lead(said, said.spaces(end), &["to", "through", "till", "until"])
        .and_then(|next| month_name(said, next));
    !other
        || range.is_some()
        || follows(said, at, BEFORE)
        || is_alone(said, at, end)
        || year::named(said, year).is_some()
        || behind && said.at(at + 1) == 'a' && said.at(at + 2) == 'r'
        || behind && (0..at).all(|at| !said.at(at).is_alphanumeric())
}

/// Reads the day of a month that counts from this one: `20th of next month`, `the 3rd day of this month`.
fn day_of_month(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, number) = number_of_day(said, skip(said, at, &["the"]))?;
    let end = one_of(said, said.spaces(end), &["day"]).unwrap_or(end);
    let start = lead(said, said.spaces(end), &["of", "in"]).unwrap_or(said.spaces(end));
    let (start, side) = side(said, start)
        .or_else(|| lead(said, start, &["the"]).map(|start| (start, 0)))
        .filter(|_| start > end)?;
    let end = one_of(said, start, &["month"])?;
    let month = Grain::Month.add(Grain::Month.start(frame.now), side).date();
    Some((end, day(Date::new(month.year(), month.month(), number).ok()?)))
}

/// Reads `the 5th`, `friday the 13th`, `on 24th`: the next such day to come, the next such weekday where one is said.
fn bare_day(said: &Said, at: usize, start: usize, weekday: Option<Weekday>, frame: Frame) -> Timed {
    let number_at = skip(said, start, &["the"]);
    let (end, number) = number_of_day(said, number_at)?;
    let months =
        (0..60).map(|ahead| Grain::Month.add(frame.today().first_of_month().at(0, 0, 0, 0), ahead).date());
    let mut dates = months
        .filter_map(|month| Date::new(month.year(), month.month(), number).ok())
        .filter(|date| *date >= frame.today());
    let digits = said.at(number_at).is_ascii_digit();
    let suffix = place(said, number_at).is_some();
    if let Some(weekday) = weekday {
        let known = number_at > start || suffix && start > at;
        return known
            .then(|| dates.find(|date| date.weekday() == weekday).map(|date| (end, day(date))))
            .flatten();
    }
    let led = follows(
        said,
        start,
        &["on", "by", "until", "till", "before", "after", "since", "from", "around", "between"],
    );
    let article = number_at > start;
    let known = article && (suffix && digits || led) || led && suffix && digits;
    let known = known
        || !suffix && (article || follows(said, start, &["on"])) && follows(said, start, &["on", "for"]);
    (known && ends_date(said, end)).then(|| dates.next().map(|date| (end, day(date)))).flatten()
}

/// What may follow a bare day of a month: the 5th floor is no date.
const AFTER: &[&str] = &[
    "at",
    "in",
    "on",
    "from",
    "to",
    "until",
    "till",
    "and",
    "or",
    "of",
    "for",
    "is",
    "are",
    "with",
    "please",
    "morning",
    "afternoon",
    "evening",
    "night",
    "between",
    "through",
    "thru",
    "by",
    "before",
    "after",
    "around",
    "-",
    "works",
    "will",
    "would",
    "around",
    "about",
    "if",
    "i",
    "we",
    "so",
    "noon",
    "then",
];

fn ends_date(said: &Said, end: usize) -> bool {
    let next = said.spaces(end);
    !said.at(next).is_alphabetic() || one_of(said, next, AFTER).is_some()
}

/// Reads the year and the weekday after a month and a day.
fn finish(
    said: &Said,
    at: usize,
    month: i8,
    number: Option<i8>,
    weekday: Option<Weekday>,
    frame: Frame,
) -> Timed {
    let today = frame.today();
    let named = year_behind(said, at, number);
    let end = named.map_or(at, |(end, _)| end);
    let Some(number) = number else { return in_month(said, at, month, frame) };
    if let Some((_, year)) = named {
        return Some((end, day(Date::new(year, month, number).ok()?)));
    }
    let behind =
        said.one_of(end, &[" , "]).and_then(|start| weekday_name(said, start)).filter(|_| weekday.is_none());
    let weekday = weekday.or(behind.map(|(_, weekday)| weekday));
    let end = behind.map_or(end, |(end, _)| end);
    let Some(weekday) = weekday else { return Some((end, day(next_date(today, month, number)?))) };
    // With its weekday it is the nearest such date, where one is near.
    let years = (-6..=6).filter_map(|ahead| Date::new(today.year() + ahead, month, number).ok());
    let fitting = years.filter(|date| date.weekday() == weekday);
    let distance = |date: &Date| today.until(*date).map_or(i32::MAX, |span| span.get_days().abs());
    let near = |date: &Date| distance(date) < 2 * 366;
    let date = fitting.min_by_key(distance).filter(near).or_else(|| next_date(today, month, number))?;
    Some((end, day(date)))
}

fn year_behind(said: &Said, at: usize, number: Option<i8>) -> Option<(usize, i16)> {
    let start = said.one_of(at, &[" , ", "-", "/", "."]).unwrap_or(said.spaces(at));
    let range = said.at(at) == '-' && said.before(at).is_ascii_digit();
    let start = lead(said, start, &["of", "in", "in the year", "of the year", "year"]).unwrap_or(start);
    if start == at {
        return None;
    }
    let clock = |end: usize| said.at(end) == ':' || is_hour(said, end);
    let found = year::named(said, start).filter(|(end, _)| !clock(*end));
    let short = || {
        let (end, year, _) = said.digits(start).filter(|(_, _, count)| *count == 2)?;
        let old = year >= 50 || matches!(said.at(at), '-' | '/') || number.is_some() && year >= 13;
        let fits = !range
            && old
            && is_closed(said, end)
            && !clock(end)
            && !matches!(said.at(end), '%' | '-' | '/' | '.');
        (fits && !follows_range(said, start)).then(|| full_year(year, 2).map(|year| (end, year))).flatten()
    };
    found.or_else(short)
}

/// In `July 13 - 15` the last is a day and no year.
fn follows_range(said: &Said, at: usize) -> bool {
    follows(said, at, &["-"]) && said.before(at) == ' '
}

/// Reads the year after a month; without one it is the next to come, or the one that is.
pub(super) fn in_month(said: &Said, at: usize, month: i8, frame: Frame) -> Timed {
    if let Some((end, year)) = year_behind(said, at, None) {
        return Some((end, unit(year, month, Grain::Month)?));
    }
    let start = lead(said, said.spaces(at), &["of"]).unwrap_or(said.spaces(at));
    if let Some((after, side)) = side(said, start)
        && let Some(end) = one_of(said, after, &["year"])
    {
        return Some((end, unit(frame.today().year() + side as i16, month, Grain::Month)?));
    }
    let today = frame.today();
    let moved = lead(said, said.spaces(at), &["in"])
        .and_then(|start| crate::value::english::duration::duration(said, start));
    if let Some((end, years)) = moved.and_then(|(end, amount)| match amount.parts[..] {
        [(count, Grain::Year)] if count.fract() == 0.0 => Some((end, count as i16)),
        _ => None,
    }) {
        return Some((end, unit(today.year() + years, month, Grain::Month)?));
    }
    let year = today.year() + i16::from(month < today.month());
    Some((at, Moment::At(Date::new(year, month, 1).ok()?.at(0, 0, 0, 0), Grain::Month)))
}
