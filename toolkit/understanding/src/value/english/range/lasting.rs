//! Periods by where they begin and how long they last: `4pm for thirty minutes`, `3 days starting next monday`.

use crate::value::calendar::{Grain, Moment};
use crate::value::english::duration::duration;
use crate::value::english::period::single;
use crate::value::english::time::hour;
use crate::value::english::words::{lead, skip};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads `4pm for thirty minutes`, `for 10 days from 18th dec`, `3 days starting next monday`.
pub(in crate::value::english) fn lasting(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
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
