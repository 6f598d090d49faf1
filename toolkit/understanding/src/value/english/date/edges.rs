//! Beginnings, middles and ends in English: `end of next month`, `early march`, `mid 1989`, `eod`, `later this week`.

use super::relative::side;
use super::whole_date;
use crate::value::calendar::{Grain, Moment};
use crate::value::conventions::Edges;
use crate::value::english::words::{lead, one_of, skip, whole};
use crate::value::frame::{Frame, Timed};
use crate::value::said::Said;

/// Which part of something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Edge {
    Start,
    Middle,
    End,
    /// From now to its end.
    Rest,
    /// From its beginning to now.
    SoFar,
}

const EDGES: &[(&str, Edge)] = &[
    ("beginning of", Edge::Start),
    ("start of", Edge::Start),
    ("early", Edge::Start),
    ("early in", Edge::Start),
    ("middle of", Edge::Middle),
    ("mid", Edge::Middle),
    ("mid-", Edge::Middle),
    ("end of", Edge::End),
    ("late", Edge::End),
    ("late in", Edge::End),
    ("rest of", Edge::Rest),
    ("rest", Edge::Rest),
    ("remainder of", Edge::Rest),
    ("later", Edge::Rest),
    ("later in", Edge::Rest),
    ("earlier", Edge::SoFar),
    ("earlier in", Edge::SoFar),
];
/// Short for the edge of what is.
const SHORT: &[(&str, (Edge, Grain))] = &[
    ("eod", (Edge::End, Grain::Day)),
    ("eow", (Edge::End, Grain::Week)),
    ("eom", (Edge::End, Grain::Month)),
    ("eoy", (Edge::End, Grain::Year)),
    ("bom", (Edge::Start, Grain::Month)),
];
const UNITS: &[(&str, Grain)] = &[
    ("day", Grain::Day),
    ("week", Grain::Week),
    ("month", Grain::Month),
    ("quarter", Grain::Quarter),
    ("year", Grain::Year),
];

/// Reads an edge of a day, week, month or year.
pub(super) fn edge(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = skip(said, at, &["the", "at the", "at"]);
    if let Some((end, (edge, grain))) = whole(said, start, SHORT) {
        let found = Moment::At(grain.start(frame.now), grain);
        return Some((end, part(edge, found, frame)?));
    }
    if let Some(end) = one_of(said, start, &["year to date", "ytd"]) {
        return Some((end, part(Edge::SoFar, Moment::At(Grain::Year.start(frame.now), Grain::Year), frame)?));
    }
    let (after, edge) = whole(said, start, EDGES)?;
    let next = skip(said, said.spaces(after), &["around"]);
    let midday = edge == Edge::Middle && one_of(said, next, &["day"]).is_some();
    let (end, found) =
        unit(said, next, frame).filter(|_| !midday).or_else(|| whole_date(said, next, frame))?;
    let adverb = said.before(after) != 'f' && said.before(after) != 'n';
    if adverb && edge != Edge::Middle && found.grain() < Grain::Week && edge != Edge::Rest {
        return None;
    }
    Some((end, part(edge, found, frame)?))
}

/// Reads `the week`, `month`, `my day`, `current day`.
fn unit(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = side(said, at).filter(|(_, side)| *side == 0).map(|(start, _)| start);
    let start = start.or_else(|| lead(said, at, &["the", "my"])).unwrap_or(at);
    let (end, grain) = whole(said, start, UNITS)?;
    Some((end, Moment::At(grain.start(frame.now), grain)))
}

fn part(edge: Edge, whole: Moment, frame: Frame) -> Option<Moment> {
    let (start, end) = (whole.start(), whole.end());
    let today = Grain::Day.start(frame.now);
    let between = |from, to, grain| Some(Moment::Between(from, to, grain));
    let halves = frame.conventions.edges == Edges::Halves;
    match (edge, whole.grain()) {
        (Edge::Rest, Grain::Day) => between(frame.now, end, Grain::Second),
        (Edge::Rest, _) => (today < end).then_some(Moment::Between(today, end, Grain::Day)),
        (Edge::SoFar, grain) if grain >= Grain::Week => {
            between(start, Grain::Day.add(today, 1).min(end), Grain::Day)
        }
        (Edge::End, Grain::Day) => between(Grain::Hour.add(start, 17), end, Grain::Hour),
        (Edge::Start, Grain::Day) => between(start, Grain::Hour.add(start, 9), Grain::Hour),
        (Edge::Middle, Grain::Day) => {
            between(Grain::Hour.add(start, 10), Grain::Hour.add(start, 14), Grain::Hour)
        }
        (edge, Grain::Week) => {
            let (from, to) = match (edge, halves) {
                (Edge::Start, _) => (0, 3),
                (Edge::Middle, _) => (1, 5),
                (_, true) => (3, 7),
                _ => (4, 7),
            };
            between(Grain::Day.add(start, from), Grain::Day.add(start, to), Grain::Day)
        }
        (edge, Grain::Month) => {
            let (from, to) = match (edge, halves) {
                (Edge::Start, true) => (0, Some(15)),
                (Edge::Start, false) => (0, Some(10)),
                (Edge::Middle, _) => (10, Some(20)),
                (_, true) => (15, None),
                _ => (20, None),
            };
            between(Grain::Day.add(start, from), to.map_or(end, |to| Grain::Day.add(start, to)), Grain::Day)
        }
        (edge, Grain::Year) => {
            let (from, to) = match (edge, halves) {
                (Edge::Start, true) => (0, 6),
                (Edge::Start, false) => (0, 3),
                (Edge::Middle, _) => (4, 8),
                (_, true) => (6, 12),
                _ => (8, 12),
            };
            between(Grain::Month.add(start, from), Grain::Month.add(start, to), Grain::Month)
        }
        _ => None,
    }
}
