//! Periods of two moments or dates, each read by itself: `monday to friday`, `from may to oct 2020`, `from now until 5pm`.

use jiff::civil::{Date, DateTime};

use super::days::same_month;
use super::{Opening, joint, opening};
use crate::value::calendar::{Grain, Moment};
use crate::value::conventions::Away;
use crate::value::english::date::{NEAR, date, side, weekday_name};
use crate::value::english::period::single;
use crate::value::english::words::{one_of, whole};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads a period of two moments or dates: `monday to friday`, `from may to oct 2020`, `2014-2018`, `from now until 5pm`.
pub(super) fn dates(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
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

/// Words that say themselves when they are.
fn counts_from_now(said: &Said, at: usize) -> bool {
    whole(said, at, NEAR).is_some()
        || side(said, at).is_some()
        || one_of(said, at, &["now", "tonight"]).is_some()
}
