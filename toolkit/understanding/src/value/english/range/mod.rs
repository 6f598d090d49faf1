//! Periods in English by their bounds: `from 9 to 11 tomorrow`, `3-4pm`, `july 13 through 15`, `4pm for thirty minutes`.

mod dates;
mod days;
mod hours;
mod lasting;

use super::date::date;
use super::period::longest;
use super::words::{lead, skip};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;
pub(super) use lasting::lasting;

const JOINTS: &[&str] =
    &["to", "until", "untill", "till", "til", "through", "thru", "up to", "-", "–", "~", "but before"];
const FROM: &[&str] =
    &["from", "between", "in between", "later than", "in", "on", "at", "around", "during from"];

/// Reads a period by its two bounds; `one` is what stands at `at` by itself.
pub(super) fn range(said: &Said, at: usize, one: Timed, frame: Frame) -> Timed {
    let day = one.and_then(|_| date(said, at, frame));
    longest([
        days::of_week(said, day),
        hours::hours(said, at, day, frame),
        days::numbered(said, at, frame),
        dates::dates(said, at, one, frame),
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
