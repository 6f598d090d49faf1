//! Holidays in English: which year's one is meant, by what stands around its name.

use jiff::civil::Date;

use super::holidays::{HOLIDAYS, On};
use super::{day, year};
use crate::value::calendar::{Grain, Moment, days};
use crate::value::english::duration::duration;
use crate::value::english::words::{is_closed, lead, one_of};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Reads `thanksgiving`, `last christmas`, `easter 2018`, `labor day of next year`: bare the next to come.
pub(super) fn holiday(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let side = super::side(said, at);
    let (end, (on, length)) = name(said, side.map_or(at, |(start, _)| start))?;
    let next = |from: Date| (-1..9).filter_map(|ahead| on.of(from.year() + ahead)).find(|date| *date >= from);
    let (end, date) = match (year_behind(said, end, frame), side) {
        (Some((end, When::Year(year))), _) => (end, on.of(year)?),
        (Some((end, When::From(from))), _) => (end, next(from)?),
        (None, Some((_, -1))) => {
            (end, (-2..=0).rev().filter_map(|back| on.of(today.year() + back)).find(|date| *date < today)?)
        }
        _ => (end, next(today)?),
    };
    if let Some(end) = one_of(said, said.spaces(end), &["weekend"]) {
        let friday = days(date, -i64::from((date.weekday().to_monday_zero_offset() + 2) % 7));
        let (from, to) =
            if date.weekday().to_monday_zero_offset() == 0 { (days(date, -2), 3) } else { (friday, 2) };
        let start = from.at(0, 0, 0, 0);
        return Some((end, Moment::Between(start, Grain::Day.add(start, to), Grain::Day)));
    }
    let found = match length {
        1 => day(date),
        _ => Moment::Between(date.at(0, 0, 0, 0), days(date, length).at(0, 0, 0, 0), Grain::Day),
    };
    Some((end, found))
}

/// Returns the longest name at `at`; apostrophes and full stops in it may be there or not, a hyphen is a space.
fn name(said: &Said, at: usize) -> Option<(usize, (On, i64))> {
    let first = said.at(at);
    let names = HOLIDAYS.iter().filter(|(name, ..)| name.starts_with(first));
    let fitting = names.filter_map(|(name, on, length)| {
        let mut here = at;
        for wanted in name.chars() {
            while said.at(here) == '\'' {
                here += 1;
            }
            here = match wanted {
                ' ' => said.spaces(if matches!(said.at(here), '.' | '-') { here + 1 } else { here }),
                _ if said.at(here) == wanted => here + 1,
                _ => return None,
            };
        }
        let here =
            if said.at(here) == '\'' && !said.at(here + 1).is_alphanumeric() { here + 1 } else { here };
        is_closed(said, here).then_some((here, (*on, *length)))
    });
    fitting.max_by_key(|(end, _)| *end)
}

/// Which year's holiday.
enum When {
    Year(i16),
    From(Date),
}

fn year_behind(said: &Said, at: usize, frame: Frame) -> Option<(usize, When)> {
    let start = said.spaces(if said.at(at) == ',' { at + 1 } else { at });
    let of = lead(said, start, &["of", "in"]);
    if let Some((end, year)) = year::named(said, of.unwrap_or(start)).filter(|(end, _)| said.at(*end) != ':')
    {
        return Some((end, When::Year(year)));
    }
    if let Some((start, side)) = super::side(said, of.unwrap_or(start))
        && let Some(end) = one_of(said, start, &["year"])
    {
        return Some((end, When::Year(frame.today().year() + side as i16)));
    }
    let inside = lead(said, start, &["in"]);
    let (end, amount) = duration(said, inside.unwrap_or(start)).filter(|_| start > at)?;
    let behind = lead(said, said.spaces(end), &["from now", "later"]).map(|end| (end, true));
    let behind = behind.or_else(|| lead(said, said.spaces(end), &["ago"]).map(|end| (end, false)));
    let (end, forward) = match (behind, inside) {
        (Some((next, forward)), None) => (if said.before(next) == ' ' { next - 1 } else { next }, forward),
        (None, Some(_)) => (end, true),
        _ => return None,
    };
    (amount.grain() >= Grain::Month).then(|| (end, When::From(amount.moved(frame.now, forward).date())))
}
