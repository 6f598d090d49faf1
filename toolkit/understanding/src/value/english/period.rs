//! Moments in English put together: a date with a time, a part of the day, this long from now.

use jiff::civil::DateTime;

use super::away::{from_base, from_now, rolling, weekdays_away};
use super::date::{NEAR, date};
use super::part::{Half, Part, part, part_of_date, tonight};
use super::range::{lasting, range};
use super::time::{Clock, clock, hour};
use super::words::{follows, lead, one_of, skip, whole};
use crate::value::calendar::{Grain, Moment};
use crate::value::conventions::{Hours, Within};
use crate::value::frame::{Frame, Timed, part_of};
use crate::value::said::Said;

/// Reads a moment or a period.
pub(crate) fn moment(said: &Said, at: usize, frame: Frame) -> Timed {
    let one = single(said, at, frame);
    let found =
        longest([range(said, at, one, frame), lasting(said, at, one, frame), bounded(said, at, frame), one])?;
    Some(or_later(said, found))
}

/// Returns the longest of several readings, the first of those that are equally long.
pub(super) fn longest<const COUNT: usize>(readings: [Timed; COUNT]) -> Timed {
    readings.into_iter().flatten().fold(None, |best: Timed, reading| match best {
        Some(best) if best.0 >= reading.0 => Some(best),
        _ => Some(reading),
    })
}

/// Reads `3 pm or later`, `2012 and earlier`.
fn or_later(said: &Said, (end, found): (usize, Moment)) -> (usize, Moment) {
    let tails = [
        ("or later", true),
        ("and later", true),
        ("or after", true),
        ("onwards", true),
        ("onward", true),
        ("or earlier", false),
        ("and earlier", false),
        ("or before", false),
    ];
    match (whole(said, said.spaces(end), &tails), found) {
        (Some((end, true)), Moment::At(at, grain)) => (end, Moment::After(at, grain)),
        (Some((end, false)), Moment::At(at, grain)) => (end, Moment::Before(at, grain)),
        _ => (end, found),
    }
}

/// Where an open period lies.
#[derive(Clone, Copy)]
enum Bound {
    /// After all of it: after 2018 begins with 2019.
    After,
    /// From its beginning.
    Since,
    /// Until it begins.
    Before,
    /// Until it is over, from now.
    By,
    /// Until it is over.
    Until,
}

const BOUNDS: &[(&str, Bound)] = &[
    ("after", Bound::After),
    ("anytime after", Bound::After),
    ("sometime after", Bound::After),
    ("later than", Bound::After),
    ("since", Bound::Since),
    ("from", Bound::Since),
    ("starting", Bound::Since),
    ("starting from", Bound::Since),
    ("starting on", Bound::Since),
    ("as of", Bound::Since),
    ("no earlier than", Bound::Since),
    ("before", Bound::Before),
    ("sometimes before", Bound::Before),
    ("sometime before", Bound::Before),
    ("earlier than", Bound::Before),
    ("prior to", Bound::Before),
    ("until", Bound::Until),
    ("till", Bound::Until),
    ("til", Bound::Until),
    ("up to", Bound::Until),
    ("through", Bound::Until),
    ("no later than", Bound::By),
    ("by", Bound::By),
];

/// Reads `after 5pm`, `since monday`, `before noon`, `by the end of the month`, `until tomorrow`.
fn bounded(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some(end) = one_of(said, at, &["asap", "as soon as possible"]) {
        return Some((end, Moment::After(frame.now, Grain::Second)));
    }
    let (end, bound) = whole(said, at, BOUNDS)?;
    let start = said.spaces(end);
    let clocked = || {
        let (end, clock) = hour(said, start, frame).filter(|(end, _)| is_time_like(said, *end))?;
        Some((end, next_to_come(clock, frame)))
    };
    let (end, found) = single(said, start, frame).or_else(clocked)?;
    let (from, grain) = (found.start(), found.grain());
    let found = match (bound, found) {
        (Bound::After, found @ Moment::At(..))
            if matches!(grain, Grain::Month | Grain::Quarter | Grain::Year) =>
        {
            Moment::After(found.end(), grain)
        }
        (Bound::After, found @ Moment::Between(..)) => Moment::After(found.end(), grain),
        (Bound::After | Bound::Since, _) => Moment::After(from, grain),
        // Before the end of the month is until it is over.
        (Bound::Before | Bound::Until, Moment::Between(_, end, _)) if is_end(said, start) => {
            Moment::Before(end, grain)
        }
        (Bound::Before, _) => Moment::Before(from, grain),
        (Bound::By, found) => {
            let end = if grain < Grain::Day && matches!(found, Moment::At(..)) { from } else { found.end() };
            match frame.conventions.within {
                Within::Period if end > frame.now => Moment::Between(frame.now, end, Grain::Second),
                _ => Moment::Before(if matches!(found, Moment::Between(..)) { end } else { from }, grain),
            }
        }
        (Bound::Until, _) => Moment::Before(from, grain),
    };
    Some((end, found))
}

fn is_end(said: &Said, at: usize) -> bool {
    one_of(said, skip(said, at, &["the"]), &["end of", "eod", "eow", "eom", "eoy"]).is_some()
}

/// A bare number after `by` or `until` is an hour only at the end of what is said.
fn is_time_like(said: &Said, end: usize) -> bool {
    let next = said.spaces(end);
    !said.at(next).is_alphanumeric()
        || one_of(said, next, &["and", "on", "please", "tomorrow", "today"]).is_some()
}

/// Reads one moment: now, this long from now, a date, a time, both.
pub(super) fn single(said: &Said, at: usize, frame: Frame) -> Timed {
    let now = [
        "right now",
        "now",
        "just now",
        "at the moment",
        "at the minute",
        "at this moment",
        "at the present time",
    ];
    if let Some(end) = one_of(said, at, &now) {
        return Some((end, Moment::At(frame.now, Grain::Second)));
    }
    let readings = [
        from_base(said, at, frame),
        from_now(said, at, frame),
        weekdays_away(said, at, frame),
        rolling(said, at, frame),
        dated(said, at, frame),
        clocked(said, at, frame),
        parted(said, at, frame),
        timed(said, at, frame),
    ];
    longest(readings)
}

/// Reads a date and what stands after it: a time, a part of the day, both.
pub(super) fn dated(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some((end, hours)) = tonight(said, at, frame) {
        let today = Grain::Day.start(frame.now);
        return Some(
            with_time(said, end, today, Some((hours, Half::Evening)), frame)
                .unwrap_or((end, part_of(today, hours))),
        );
    }
    let (end, found) = date(said, at, frame)?;
    let Moment::At(day, Grain::Day) = found else { return Some((end, found)) };
    Some(after_date(said, end, day, frame).unwrap_or((end, found)))
}

/// Reads the time after a date that ends at `end`.
fn after_date(said: &Said, end: usize, day: DateTime, frame: Frame) -> Timed {
    // As in 2026-10-05T14:00.
    let joined = said.word(end, "t").filter(|end| said.at(*end).is_ascii_digit());
    let next = joined.unwrap_or_else(|| said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end)));
    if next == end {
        return None;
    }
    if let Some((end, hours)) = tonight(said, next, frame) {
        return Some((end, part_of(day, hours)));
    }
    let part = part_of_date(said, next, frame);
    let Some((end, found)) = part else { return with_time(said, end, day, None, frame) };
    Some(with_time(said, end, day, Some(found), frame).unwrap_or((end, part_of(day, found.0))))
}

/// Reads the time of a day whose part may have been said already.
fn with_time(said: &Said, end: usize, day: DateTime, part: Option<Part>, frame: Frame) -> Timed {
    let next = said.one_of(end, &[" , ", " "]).unwrap_or(end);
    let lead = lead(said, next, &["for", "around", "about", "starting at", "from"]);
    let start = lead.unwrap_or(next);
    let certain = clock(said, start, frame);
    // After a part of the day any number is an hour, after a day only one with its minutes or at the end.
    let bare = || {
        hour(said, start, frame).filter(|(end, clock)| {
            let minutes = clock.grain < Grain::Hour;
            (part.is_some() || lead.is_some() || minutes) && is_time_like(said, *end)
        })
    };
    let (end, clock) = certain.or_else(bare).filter(|_| start > end)?;
    let clock = part.map_or(clock, |(_, half)| clock.in_half(half));
    let behind = part_of_date(said, said.spaces(end), frame).filter(|_| clock.open);
    Some(match behind {
        Some((end, (_, half))) => (end, on(day, clock.in_half(half), frame)),
        None => (end, on(day, clock, frame)),
    })
}

/// Reads a time with its date behind: `5pm tomorrow`, `at 5 tomorrow afternoon`, `8:00 on monday`.
fn clocked(said: &Said, at: usize, frame: Frame) -> Timed {
    let sure = clock(said, at, frame);
    let (end, clock) = sure.or_else(|| hour(said, at, frame))?;
    let next = said.spaces(if said.at(end) == ',' { end + 1 } else { end });
    if next == end {
        return None;
    }
    if let Some((end, _)) = tonight(said, next, frame) {
        return Some((end, on(Grain::Day.start(frame.now), clock.in_half(Half::Evening), frame)));
    }
    let start = skip(said, next, &["on", "of", "for", "in"]);
    let near = whole(said, start, NEAR).is_some();
    if sure.is_none() && !near {
        return None;
    }
    let (end, found) = date(said, start, frame).or_else(|| from_now(said, next, frame))?;
    if found.grain() != Grain::Day && !(said.at(next) == 'i' && matches!(found, Moment::At(..))) {
        return None;
    }
    let day = Grain::Day.start(found.start());
    let part =
        part_of_date(said, said.spaces(end), frame).filter(|(after, _)| *after > end + 1 && clock.open);
    Some(match part {
        Some((end, (_, half))) => (end, on(day, clock.in_half(half), frame)),
        None => (end, on(day, clock, frame)),
    })
}

/// Reads a part of the day, with its date behind: `this morning`, `in the evening at eight`, `morning of the 15th`.
fn parted(said: &Said, at: usize, frame: Frame) -> Timed {
    let leads = [
        ("this", 0),
        ("in the", 0),
        ("in", 0),
        ("during the", 0),
        ("the", 0),
        ("at", 0),
        ("last", -1),
        ("next", 1),
        ("late last", -2),
    ];
    let led = whole(said, at, &leads).map(|(end, side)| (said.spaces(end), side));
    let (start, side) = led.unwrap_or((at, 0));
    let (end, (hours, half)) = part(said, start, frame)?;
    let bare = led.is_none() && !is_part_alone(said, at, end);
    let hours = if side == -2 { super::part::half_of(hours, true) } else { hours };
    let day = Grain::Day.add(Grain::Day.start(frame.now), side.clamp(-1, 1));
    let next = said.spaces(said.one_of(end, &[" ,"]).unwrap_or(end));
    let of = lead(said, next, &["of", "on", "of the", "on the"]).unwrap_or(next);
    if let Some((end, Moment::At(day, Grain::Day))) =
        date(said, of, frame).or_else(|| date(said, next, frame)).filter(|_| next > end)
    {
        return Some(
            with_time(said, end, day, Some((hours, half)), frame).unwrap_or((end, part_of(day, hours))),
        );
    }
    if let Some((end, Moment::At(at, grain))) = with_time(said, end, day, Some((hours, half)), frame) {
        let over = at < frame.now && side == 0;
        return Some((end, Moment::At(if over { Grain::Day.add(at, 1) } else { at }, grain)));
    }
    if bare {
        return None;
    }
    let found = part_of(day, hours);
    let over = frame.conventions.parts_ahead
        && found.end() <= frame.now
        && side == 0
        && !said.slice(at..start).starts_with("this");
    Some((end, if over { part_of(Grain::Day.add(day, 1), hours) } else { found }))
}

/// A part of the day without a word before it is one by itself, or with a word that makes it one: one morning.
fn is_part_alone(said: &Said, at: usize, end: usize) -> bool {
    super::words::is_alone(said, at, end)
        || follows(said, at, &["every", "each", "one", "by", "until", "all", "at"])
        || said.slice(at..end).contains(['-', ' ']) && !said.slice(at..end).starts_with("night")
        || one_of(said, at, &["lunchtime", "lunch time", "afternoonish"]) == Some(end)
}

/// Reads a time of the day without a date: the next to come.
fn timed(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, clock) = clock(said, at, frame)?;
    Some((end, next_to_come(clock, frame)))
}

fn next_to_come(clock: Clock, frame: Frame) -> Moment {
    let step = if clock.open && frame.conventions.hours != Hours::Literal { 12 } else { 24 };
    let mut moment = Grain::Second.add(Grain::Day.start(frame.now), clock.seconds);
    while moment <= frame.now {
        moment = Grain::Hour.add(moment, step);
    }
    Moment::At(moment, clock.grain)
}

/// Puts a time on a day; one whose half of the day is open is today the next to come.
pub(super) fn on(day: DateTime, clock: Clock, frame: Frame) -> Moment {
    let at = Grain::Second.add(day, clock.seconds);
    let today = day.date() == frame.today() && frame.conventions.hours != Hours::Literal;
    let late = clock.open && today && at <= frame.now;
    Moment::At(if late { Grain::Hour.add(at, 12) } else { at }, clock.grain)
}
