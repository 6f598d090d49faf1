//! Periods of hours: `from 9 to 11 tomorrow`, `3-4pm`, `last night between 7 and 9`.

use jiff::civil::DateTime;

use super::{Opening, joint, opening};
use crate::value::calendar::{Grain, Moment};
use crate::value::conventions::Hours;
use crate::value::english::date::{date, side};
use crate::value::english::part::{self, Half, part_of_date};
use crate::value::english::time::{Clock, clock, first_hour, hour};
use crate::value::english::words::skip;
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads a period of hours with its date before or behind, or of today.
pub(super) fn hours(said: &Said, at: usize, day: Timed, frame: Frame) -> Timed {
    if let Some(found) = after_day(said, day, frame).or_else(|| in_part(said, at, frame)) {
        return Some(found);
    }
    let (end, first, last, sure) = clocks(said, at, frame)?;
    let next = said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end));
    let grain = first.grain.min(last.grain);
    if let Some((end, _)) = part::tonight(said, next, frame).filter(|_| next > end) {
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

/// Reads a period of hours after its day.
fn after_day(said: &Said, day: Timed, frame: Frame) -> Timed {
    let dated = day.filter(|(_, found)| found.grain() == Grain::Day);
    let (end, Moment::At(day, _)) = dated? else { return None };
    let part = part_of_date(said, said.spaces(end), frame).filter(|(after, _)| *after > end + 1);
    let end = part.map_or(end, |(end, _)| end);
    let next = said.spaces(if said.at(end) == ',' { end + 1 } else { end });
    let (end, first, last, _) = clocks(said, next, frame).filter(|_| next > end)?;
    let half = |clock: Clock| part.map_or(clock, |(_, (_, half))| clock.in_half(half));
    let (from, to) = settle(half(first), half(last));
    Some((end, between(day, from, to, first.grain.min(last.grain))))
}

/// Reads a period of hours after the part of a day that is beside today: `tonight from 7 to 8`, `last night between 7 and 9`.
fn in_part(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, side, half) = match part::tonight(said, at, frame) {
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
    let (end, (_, half)) = part::part(said, start, frame)?;
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
