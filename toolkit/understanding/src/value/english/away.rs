//! English moments at a distance: this long from now or from a day, so many weekdays away, the last so many days.

use jiff::civil::DateTime;

use super::date::{date, side, weekday_name};
use super::duration::duration;
use super::number::cardinal;
use super::part::part_of_date;
use super::period::on;
use super::time::{clock, hour};
use super::words::{lead, one_of, skip, whole};
use crate::value::calendar::{Amount, Grain, Moment, days, next_weekday};
use crate::value::conventions::{Away, Rolling, Within};
use crate::value::frame::{Frame, Timed, part_of};
use crate::value::said::Said;

/// Reads `in 2 hours`, `two weeks ago`, `an hour from now`, `within 5 days`.
pub(super) fn from_now(said: &Said, at: usize, frame: Frame) -> Timed {
    let ways = [
        ("in", 1),
        ("in about", 1),
        ("in around", 1),
        ("in exactly", 1),
        ("within", 2),
        ("within the next", 2),
        ("within next", 2),
        ("within the upcoming", 2),
        ("within the coming", 2),
        ("in the next", 3),
        ("after", 4),
    ];
    let inside = whole(said, at, &ways).map(|(end, way)| (said.spaces(end), way));
    let start = inside.map_or(at, |(start, _)| start);
    let (end, amount) = duration(said, start)?;
    let behind = [
        ("ago", -1),
        ("back", -1),
        ("before now", -1),
        ("from now", 1),
        ("from right now", 5),
        ("later", 1),
        ("hence", 1),
        ("in the future", 2),
        ("time", 1),
        ("'s time", 1),
        ("' time", 1),
    ];
    let mark = whole(said, said.spaces(end), &behind).or_else(|| whole(said, end, &behind[9..]));
    let (end, way) = match (mark, inside) {
        (Some((_, 1)), None) if one_of(said, said.spaces(end), &["time"]).is_some() => return None,
        (Some(found), _) => found,
        (None, Some((_, 3))) => return None,
        (None, Some((_, way))) => (end, way),
        (None, None) => return None,
    };
    if way == 4 && amount.grain() < Grain::Day && frame.conventions.within != Within::Period {
        let there = amount.moved(frame.now, true);
        return Some((end, Moment::After(there, amount.grain().finer())));
    }
    let moved = amount.moved(frame.now, way > 0);
    let grain = if way == 5 { Grain::Second } else { frame.grain_away(&amount) };
    let there = Moment::At(grain.start(moved), grain);
    match (way, frame.conventions.within) {
        (4, _) => Some((end, Moment::After(there.start(), grain))),
        (2, Within::Period) => Some((end, inside_of(&amount, moved, frame))),
        _ => Some(timed_on(said, end, there, &amount, frame).unwrap_or((end, there))),
    }
}

/// Returns the time from now to then, of days by whole ones.
fn inside_of(amount: &Amount, moved: DateTime, frame: Frame) -> Moment {
    if amount.grain() < Grain::Day {
        return Moment::Between(frame.now, moved, Grain::Second);
    }
    let today = Grain::Day.start(moved);
    if frame.conventions.away == Away::Day {
        return Moment::Between(Grain::Day.start(frame.now), Grain::Day.add(today, 1), Grain::Day);
    }
    Moment::Between(frame.now, today, Grain::Second)
}

/// Reads the time of a day that is so many days away: `in 7 days at 5pm`.
fn timed_on(said: &Said, at: usize, there: Moment, amount: &Amount, frame: Frame) -> Timed {
    let day = Grain::Day.start(there.start());
    let next = said.spaces(at);
    if amount.grain() < Grain::Day || next == at {
        return None;
    }
    if let Some(start) = lead(said, next, &["on"])
        && let Some((end, weekday)) = weekday_name(said, start).filter(|_| amount.grain() >= Grain::Week)
    {
        let week = Grain::Week.start(day).date();
        let date = days(week, i64::from(weekday.to_monday_zero_offset()));
        return Some((end, super::date::day(date)));
    }
    if let Some((end, clock)) = clock(said, next, frame) {
        return Some((end, on(day, clock, frame)));
    }
    part_of_date(said, next, frame).map(|(end, (hours, _))| (end, part_of(day, hours)))
}

/// Reads `two days after tomorrow`, `a year from christmas`, `15 minutes from 1pm`, `3 weeks before may 13`.
pub(super) fn from_base(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = skip(said, at, &["exactly", "in"]);
    let bound = whole(said, start, &[("more than", true), ("less than", false), ("within", false)]);
    let start = bound.map_or(start, |(end, _)| said.spaces(end));
    let (end, amount) = duration(said, start)?;
    let ways = [
        ("after", true),
        ("from", true),
        ("following", true),
        ("before", false),
        ("prior to", false),
        ("since", true),
    ];
    let (end, forward) = whole(said, said.spaces(end), &ways)?;
    let base_at = said.spaces(end);
    let (end, base) = match one_of(said, base_at, &["now", "right now"]) {
        Some(end) if bound.is_some() => (end, Moment::At(frame.now, Grain::Second)),
        Some(_) => return None,
        None => date(said, base_at, frame).or_else(|| {
            hour(said, base_at, frame)
                .map(|(end, clock)| (end, on(Grain::Day.start(frame.now), clock, frame)))
        })?,
    };
    let moved = amount.moved(base.start(), forward);
    let fine = amount.grain() < Grain::Day || base.grain() < Grain::Day;
    let grain = if fine { amount.grain().min(Grain::Minute) } else { Grain::Day };
    let there = grain.start(moved);
    let found = match bound {
        Some((_, true)) if forward => Moment::After(there, grain),
        Some((_, true)) => Moment::Before(there, grain),
        Some((_, false)) if forward => Moment::Between(base.start(), grain.add(there, 1), grain),
        Some((_, false)) => Moment::Between(there, base.start(), grain),
        None => {
            return Some(
                timed_on(said, end, Moment::At(there, grain), &amount, frame)
                    .unwrap_or((end, Moment::At(there, grain))),
            );
        }
    };
    Some((end, found))
}

/// Reads `three fridays from now`, `2 thursdays ago`.
pub(super) fn weekdays_away(said: &Said, at: usize, frame: Frame) -> Timed {
    let (end, count) =
        cardinal(said, at).filter(|(_, count)| (1.0..100.0).contains(count) && count.fract() == 0.0)?;
    let start = said.spaces(end);
    let (end, weekday) = weekday_name(said, start).or_else(|| {
        (start..start + 10).find(|at| said.at(*at) == 's' && said.at(at + 1) == ' ').and_then(|last| {
            let name = super::date::WEEKDAYS.iter().find(|(name, _)| said.word(start, name) == Some(last))?;
            Some((last + 1, name.1))
        })
    })?;
    let ways = [
        ("from now", true),
        ("later", true),
        ("hence", true),
        ("from today", true),
        ("ago", false),
        ("back", false),
    ];
    let (end, forward) = whole(said, said.spaces(end), &ways)?;
    let first = next_weekday(frame.today(), weekday);
    let count = count as i64;
    let date = if forward {
        days(first, 7 * (count - 1))
    } else {
        days(next_weekday(days(frame.today(), -8), weekday), -7 * (count - 1))
    };
    Some((end, super::date::day(date)))
}

/// Reads `last two hours`, `the next 3 weeks`, `2 upcoming months`, `past fortnight`: see [`Rolling`].
pub(super) fn rolling(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = lead(said, at, &["in", "for", "during", "over", "within"]).unwrap_or(at);
    let (end, forward, amount, word) = sided(said, start)?;
    let [(count, grain)] = amount.parts[..] else {
        let there = amount.moved(frame.now, forward);
        let (from, to) = if forward { (frame.now, there) } else { (there, frame.now) };
        return Some((end, Moment::Between(from, to, amount.grain())));
    };
    if count.fract() != 0.0 {
        return None;
    }
    let count = count as i64;
    if word == "upcoming" && frame.conventions.upcoming_is_one {
        return Some((end, Moment::At(grain.add(grain.start(frame.now), count), grain)));
    }
    let days_too = frame.conventions.rolling == Rolling::Days && grain != Grain::Quarter;
    let base = if days_too && grain >= Grain::Day { Grain::Day } else { grain };
    let here = if days_too && grain < Grain::Day { frame.now } else { base.start(frame.now) };
    let moment = match forward {
        true if days_too && grain < Grain::Day => Moment::Between(here, grain.add(here, count), grain),
        true => {
            // Whole units begin with the next, days with tomorrow.
            let start = base.add(here, 1);
            Moment::Between(start, grain.add(start, count), base)
        }
        false => Moment::Between(grain.add(here, -count), here, base),
    };
    Some((end, moment))
}

/// Reads a length with the word that says which way it goes, in front of it or after its number.
fn sided(said: &Said, at: usize) -> Option<(usize, bool, Amount, String)> {
    if let Some((start, side)) = side(said, at).filter(|(_, side)| *side != 0) {
        let word =
            said.slice(at..start).trim().trim_start_matches("the ").trim_start_matches("this ").to_owned();
        if let Some((end, amount)) = duration(said, start) {
            let one = said.slice(start..end).starts_with('a');
            return (!one).then_some((end, side > 0, amount, word));
        }
        let single = [
            ("minute", Grain::Minute),
            ("hour", Grain::Hour),
            ("second", Grain::Second),
            ("fortnight", Grain::Week),
        ];
        let (end, grain) = whole(said, start, &single)?;
        let count = if grain == Grain::Week { 2.0 } else { 1.0 };
        let fits = grain != Grain::Second || side < 0;
        return fits.then(|| (end, side > 0, Amount::of(count, grain), word));
    }
    let (end, count) = cardinal(said, skip(said, at, &["the"]))?;
    let (start, side) = side(said, said.spaces(end)).filter(|(_, side)| *side != 0)?;
    let word = said.slice(said.spaces(end)..start).trim().to_owned();
    // Only three next week is no three weeks.
    let (end, grain) =
        whole(said, start, UNITS).filter(|(end, _)| said.before(*end) == 's' || word == "upcoming")?;
    Some((end, side > 0, Amount::of(count, grain), word))
}

const UNITS: &[(&str, Grain)] = &[
    ("second", Grain::Second),
    ("seconds", Grain::Second),
    ("minute", Grain::Minute),
    ("minutes", Grain::Minute),
    ("hour", Grain::Hour),
    ("hours", Grain::Hour),
    ("day", Grain::Day),
    ("days", Grain::Day),
    ("week", Grain::Week),
    ("weeks", Grain::Week),
    ("month", Grain::Month),
    ("months", Grain::Month),
    ("quarter", Grain::Quarter),
    ("quarters", Grain::Quarter),
    ("year", Grain::Year),
    ("years", Grain::Year),
];
