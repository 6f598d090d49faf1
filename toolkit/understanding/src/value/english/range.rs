//! Periods in English by their bounds: `from 9 to 11 tomorrow`, `3-4pm`, `july 13 through 15`, `4pm for thirty minutes`.

use jiff::civil::{Date, DateTime, Weekday};

use super::date::{NEAR, date, number_of_day, side, weekday_name};
use super::duration::duration;
use super::part::{Half, part_of_date};
use super::period::{longest, single};
use super::time::{Clock, clock, first_hour, hour};
use super::words::{lead, one_of, skip, whole};
use crate::value::calendar::{Grain, Moment};
use crate::value::conventions::{Away, Hours};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

const JOINTS: &[&str] =
    &["to", "until", "untill", "till", "til", "through", "thru", "up to", "-", "–", "~", "but before"];
const FROM: &[&str] =
    &["from", "between", "in between", "later than", "in", "on", "at", "around", "during from"];

/// Reads a period by its two bounds; `one` is what stands at `at` by itself.
pub(super) fn range(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
    let day = one.and_then(|_| date(said, at, frame));
    longest([
        of_week(said, day),
        hours(said, at, day, frame),
        numbered(said, at, frame),
        dates(said, at, one, frame),
    ])
}

/// Returns where the second bound starts after what joins it to the first; `and` does only after `between`.
fn joint(said: &Said, end: usize, and: bool) -> Option<usize> {
    let start = said.spaces(end);
    lead(said, start, JOINTS)
        .or_else(|| lead(said, start, &["and", "and until"]).filter(|_| and))
        .filter(|next| *next > end)
}

/// Where a period opens: the word that opens it and where its first bound starts.
struct Opening {
    start: usize,
    /// Whether a word says that two bounds follow.
    told: bool,
    and: bool,
}

fn opening(said: &Said, at: usize) -> Opening {
    let start = skip(said, at, FROM);
    let word = said.slice(at..start);
    let told = word.contains("from") || word.contains("between") || word.contains("later");
    Opening { start, told, and: word.contains("between") || word.contains("from") }
}

/// Reads a period of hours with its date before or behind, or of today.
fn hours(said: &Said, at: usize, day: Timed, frame: Frame) -> Timed {
    let dated = day.filter(|(_, found)| found.grain() == Grain::Day);
    if let Some((end, Moment::At(day, _))) = dated {
        let part = part_of_date(said, said.spaces(end), frame).filter(|(after, _)| *after > end + 1);
        let end = part.map_or(end, |(end, _)| end);
        let next = said.spaces(if said.at(end) == ',' { end + 1 } else { end });
        if let Some((end, first, last, _)) = clocks(said, next, frame).filter(|_| next > end) {
            let half = |clock: Clock| part.map_or(clock, |(_, (_, half))| clock.in_half(half));
            let (from, to) = settle(half(first), half(last));
            return Some((end, between(day, from, to, first.grain.min(last.grain))));
        }
    }
    if let Some(found) = in_part(said, at, frame) {
        return Some(found);
    }
    let (end, first, last, sure) = clocks(said, at, frame)?;
    let next = said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end));
    let grain = first.grain.min(last.grain);
    if let Some((end, hours)) = super::part::tonight(said, next, frame).filter(|_| next > end) {
        let _ = hours;
        let (from, to) = settle(first.in_half(Half::Evening), last.in_half(Half::Evening));
        return Some((end, between(Grain::Day.start(frame.now), from, to, grain)));
    }
    if let Some((end, side, half)) = beside(said, next, frame).filter(|_| next > end) {
        let (from, to) = settle(first.in_half(half), last.in_half(half));
        let day = Grain::Day.add(Grain::Day.start(frame.now), side);
        return Some((end, between(day, from, to, grain)));
    }
    let start = skip(said, next, &["on", "of", "in"]);
    let behind = date(said, start, frame).filter(|(_, found)| found.grain() == Grain::Day && next > end);
    if let Some((end, found)) = behind {
        let part = part_of_date(said, said.spaces(end), frame).filter(|(after, _)| *after > end + 1);
        let half = |clock: Clock| part.map_or(clock, |(_, (_, half))| clock.in_half(half));
        let (from, to) = settle(half(first), half(last));
        return Some((part.map_or(end, |(end, _)| end), between(found.start(), from, to, grain)));
    }
    if !sure {
        return None;
    }
    let (from, to) = settle(first, last);
    let open = first.open && last.open;
    Some((end, ahead(between(Grain::Day.start(frame.now), from, to, grain), open, frame)))
}

/// Reads a period of hours after the part of a day that is beside today: `tonight from 7 to 8`, `last night between 7 and 9`.
fn in_part(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, side, half) = match super::part::tonight(said, at, frame) {
        Some((end, _)) => (end, 0, Half::Evening),
        None => beside(said, at, frame)?,
    };
    let next = said.spaces(if said.at(end) == ',' { end + 1 } else { end });
    let (end, first, last, _) = clocks(said, next, frame).filter(|_| next > end)?;
    let (from, to) = settle(first.in_half(half), last.in_half(half));
    let day = Grain::Day.add(Grain::Day.start(frame.now), side);
    Some((end, between(day, from, to, first.grain.min(last.grain))))
}

/// Reads `this evening`, `last night`, `next morning` as its end, how many days away it is, and its half of the day.
fn beside(said: &Said, at: usize, frame: Frame) -> Option<(usize, i64, Half)> {
    let (start, side) = side(said, at)?;
    let (end, (_, half)) = super::part::part(said, start, frame)?;
    Some((end, side, if half == Half::Night { Half::Evening } else { half }))
}

/// Moves a period of today that has begun to where it lies ahead.
fn ahead(found: Moment, open: bool, frame: Frame) -> Moment {
    let Moment::Between(mut from, mut to, grain) = found else { return found };
    let step = if open && frame.conventions.hours != Hours::Literal { 12 } else { 24 };
    while from <= frame.now {
        (from, to) = (Grain::Hour.add(from, step), Grain::Hour.add(to, step));
    }
    Moment::Between(from, to, grain)
}

fn between(day: DateTime, from: i64, to: i64, grain: Grain) -> Moment {
    Moment::Between(Grain::Second.add(day, from), Grain::Second.add(day, to), grain)
}

/// Reads two times; whether they are times by themselves is the last one's.
fn clocks(said: &Said, at: usize, frame: Frame) -> Option<(usize, Clock, Clock, bool)> {
    let Opening { start, told, and } = opening(said, at);
    let (end, first) = first_hour(said, start, frame)?;
    let next = joint(said, end, and)?;
    // A day or a month is none of hours: 13 to 15 july.
    let (last_end, last) = hour(said, next, frame)?;
    let sure = clock(said, start, frame).is_some() || clock(said, next, frame).is_some();
    let minutes = first.grain < Grain::Hour || last.grain < Grain::Hour;
    let digits = said.at(start).is_ascii_digit() && said.at(next).is_ascii_digit();
    if !sure && minutes && !told && !digits {
        return None;
    }
    let first = match (first.moved, last.moved) {
        (None, Some(moved)) => {
            Clock { seconds: first.seconds + moved, moved: Some(moved), open: false, ..first }
        }
        _ => first,
    };
    let end = said.one_of(last_end, &[" ish"]).unwrap_or(last_end);
    Some((end, first, last, sure))
}

/// Returns the seconds of two times, with the halves of the day that were not said chosen so that the last comes soonest.
fn settle(first: Clock, last: Clock) -> (i64, i64) {
    const HALF: i64 = 12 * 3600;
    let (mut from, mut to) = (first.seconds, last.seconds);
    if first.open && !last.open {
        let early = from % HALF;
        from = [early + HALF, early].into_iter().find(|from| *from < to).unwrap_or(early + HALF);
    }
    let step = if last.open { HALF } else { 2 * HALF };
    if first.open && last.open && from == HALF && to < from {
        return (0, to);
    }
    while to <= from {
        to += step;
    }
    (from, to)
}

/// Reads weekdays of a week: `next week between wednesday and friday`.
fn of_week(said: &Said, week: Timed) -> Timed {
    let (end, Moment::At(week, Grain::Week)) = week? else { return None };
    let Opening { start, and, .. } = opening(said, said.spaces(end));
    let (end, first) = weekday_name(said, start)?;
    let (end, last) = weekday_name(said, joint(said, end, and)?)?;
    let day = |weekday: Weekday| Grain::Day.add(week, i64::from(weekday.to_monday_zero_offset()));
    let (from, to) = (day(first), Grain::Day.add(day(last), 1));
    (to > from).then_some((end, Moment::Between(from, to, Grain::Day)))
}

/// Reads days of a month that stands behind the last: `13 to 15 july`, `between ninth and seventeenth of april`.
fn numbered(said: &Said, at: usize, frame: Frame) -> Timed {
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
    Some((end, super::date::day(Date::new(month.year(), month.month(), number).ok()?)))
}

/// Words that say themselves when they are.
fn counts_from_now(said: &Said, at: usize) -> bool {
    whole(said, at, NEAR).is_some()
        || side(said, at).is_some()
        || one_of(said, at, &["now", "tonight"]).is_some()
}

/// Reads a period of two moments or dates: `monday to friday`, `from may to oct 2020`, `2014-2018`, `from now until 5pm`.
fn dates(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
    let Opening { start, told, and } = opening(said, at);
    let alone = if start == at { one } else { single(said, start, frame) };
    let (end, first) = alone.or_else(|| bare_year(said, start))?;
    let next = joint(said, end, and)?;
    let (end, last) = last_bound(said, next, first, frame)?;
    let day_of = last.grain() < Grain::Day && first.grain() >= Grain::Day;
    if day_of && !told && !matches!(first, Moment::At(_, Grain::Day)) {
        return None;
    }
    // Race at three - this week: an hour and a week are no period.
    if first.grain() < Grain::Day && last.grain() > Grain::Day {
        return None;
    }
    let from = earlier(said, start, first, last, frame);
    let by_days = frame.conventions.away == Away::Day && last.grain() >= Grain::Day;
    let from = if by_days { Grain::Day.start(from) } else { from };
    let to = if last.grain() < Grain::Day || matches!(last, Moment::Before(..)) {
        last.start()
    } else {
        last.end()
    };
    (to > from).then_some((end, Moment::Between(from, to, last.grain())))
}

/// Reads a year that another follows: `2014 - 2018`, but not within a longer row of numbers.
fn bare_year(said: &Said, at: usize) -> Timed {
    let (end, year, 4) = said.digits(at)? else { return None };
    let followed =
        joint(said, end, true).and_then(|next| said.digits(next)).is_some_and(|(_, _, count)| count == 4);
    let known = !matches!(said.before(at), '-' | '/') && followed && (1500..2200).contains(&year);
    let start = Date::new(year as i16, 1, 1).ok().filter(|_| known)?;
    Some((end, Moment::At(start.at(0, 0, 0, 0), Grain::Year)))
}

/// Reads the last bound: after the first, unless it says itself when it is.
fn last_bound(said: &Said, at: usize, first: Moment, frame: Frame) -> Timed {
    if counts_from_now(said, at) {
        return single(said, at, frame);
    }
    if first.grain() < Grain::Day {
        let base = first.start();
        let later = frame.at(base);
        return single(said, at, later).filter(|(_, last)| last.start() > base || last.grain() < Grain::Day);
    }
    let later = frame.at(Grain::Second.add(first.start(), 1));
    let year = || {
        let (end, year, 4) = said.digits(at).filter(|_| first.grain() >= Grain::Month)? else { return None };
        let start = Date::new(year as i16, 1, 1).ok().filter(|_| (1500..2200).contains(&year))?;
        Some((end, Moment::At(start.at(0, 0, 0, 0), Grain::Year)))
    };
    let whole = single(said, at, later).or_else(year);
    let day = || same_month(said, at, first);
    match (whole, day()) {
        (Some(whole), Some(day)) if day.0 >= whole.0 => Some(day),
        (whole, day) => whole.or(day),
    }
}

/// Reads a bare day of the month after a date: `july 13 - 15`, `august 27th - 29th`, with its year: `june 2-7, 2018`.
fn same_month(said: &Said, at: usize, first: Moment) -> Timed {
    let Moment::At(from, Grain::Day) = first else { return None };
    let (end, number) = number_of_day(said, skip(said, at, &["the"]))?;
    let closed = !matches!(said.at(end), ':' | '/' | '.') || !said.at(end + 1).is_ascii_digit();
    let of =
        |month: Date| Date::new(month.year(), month.month(), number).ok().filter(|date| *date > from.date());
    let next = Grain::Month.add(Grain::Month.start(from), 1).date();
    let the = said.at(at) == 't';
    let date = of(from.date()).or_else(|| of(next).filter(|_| the)).filter(|_| closed)?;
    clock_end(said, end).then(|| (end, super::date::day(date)))
}

fn clock_end(said: &Said, end: usize) -> bool {
    one_of(said, said.spaces(end), &["am", "pm", "o'clock"]).is_none()
}

/// Returns where the first bound starts: without a year of its own it is the last such day before the end.
fn earlier(said: &Said, at: usize, first: Moment, last: Moment, frame: Frame) -> DateTime {
    let from = first.start();
    let Moment::At(_, grain @ (Grain::Day | Grain::Month)) = first else { return from };
    let own = (at..said.len().min(at + 24)).take_while(|at| joint(said, *at, false).is_none());
    let own = own.clone().any(|at| said.digits(at).is_some_and(|(_, _, count)| count == 4))
        || counts_from_now(said, at);
    let named =
        date(said, at, frame).is_some_and(|(_, found)| found.start() == from && found.grain() == grain);
    let weekday = weekday_name(said, at).is_some();
    let ahead = last.grain() < Grain::Day && last.start() > from;
    if own || !named || weekday || ahead {
        return from;
    }
    let mut from = from;
    while Grain::Year.add(from, 1) < last.start() {
        from = Grain::Year.add(from, 1);
    }
    while from >= last.end() && from.year() > last.end().year() - 2 {
        from = Grain::Year.add(from, -1);
    }
    from
}

/// Reads `4pm for thirty minutes`, `for 10 days from 18th dec`, `3 days starting next monday`.
pub(super) fn lasting(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
    let length_first = || {
        let start = skip(said, at, &["for", "for about"]);
        let (end, amount) = duration(said, start)?;
        let told = start > at;
        let next = said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end));
        let start = lead(
            said,
            next,
            &["starting", "starting from", "starting on", "starting at", "beginning", "beginning on"],
        )
        .or_else(|| lead(said, next, &["from", "from the"]).filter(|_| told))?;
        let (end, base) = begins(said, start, frame)?;
        Some((end, base, amount))
    };
    let length_last = || {
        let start = skip(said, at, &["from", "starting", "starting at"]);
        let base =
            if start == at { one.or_else(|| bare_hour(said, at, frame)) } else { begins(said, start, frame) };
        let (end, base) = base.filter(|(_, found)| matches!(found, Moment::At(..)))?;
        let next =
            lead(said, said.spaces(end), &["for", "for about"]).filter(|_| base.grain() <= Grain::Day)?;
        let (end, amount) = duration(said, next)?;
        Some((end, base, amount))
    };
    let (end, base, amount) = length_first().or_else(length_last)?;
    let (from, to) = (base.start(), amount.moved(base.start(), true));
    let fine = amount.grain() < Grain::Day || base.grain() < Grain::Day;
    // A day cannot last minutes: on monday for 30 minutes leaves the hour open.
    if base.grain() >= Grain::Day && amount.grain() < Grain::Day {
        return None;
    }
    let whole_days = frame.conventions.lasting_counts_its_end && !fine;
    let to = if whole_days { Grain::Day.add(to, 1) } else { to };
    Some((end, Moment::Between(from, to, if fine { amount.grain().min(base.grain()) } else { Grain::Day })))
}

/// Reads what a period begins with; a bare number is an hour there.
fn begins(said: &Said, at: usize, frame: Frame) -> Timed {
    single(said, at, frame).or_else(|| bare_hour(said, at, frame))
}

fn bare_hour(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, clock) = hour(said, at, frame)?;
    let base = Grain::Second.add(Grain::Day.start(frame.now), clock.seconds);
    Some((end, Moment::At(base, clock.grain)))
}
