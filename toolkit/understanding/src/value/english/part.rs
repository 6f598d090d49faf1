//! Parts of the day in English: `morning`, `late in the evening`, `after lunch`, and what they make of an hour.

use super::words::{is_closed, one_of, skip, whole};
use crate::value::conventions::PartsOfDay;
use crate::value::frame::Frame;
use crate::value::said::Said;

/// How a part of the day reads an hour from one to twelve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Half {
    /// Twelve is midnight.
    Morning,
    /// Twelve is noon.
    Noon,
    /// Twelve is midnight, the others are after noon.
    Evening,
    /// As the evening, but the hours after twelve are the next day's.
    Night,
}

/// A part of the day: its first hour, the one it ends before, and what it makes of hours.
pub(super) type Part = ((i64, i64), Half);

type Hours = fn(&PartsOfDay) -> (i64, i64);

const PARTS: &[(&str, (Half, Hours))] = &[
    ("morning", (Half::Morning, |parts| parts.morning)),
    ("mornings", (Half::Morning, |parts| parts.morning)),
    ("early hours of the morning", (Half::Morning, |parts| parts.early_morning)),
    ("lunch", (Half::Noon, |parts| parts.lunch)),
    ("lunchtime", (Half::Noon, |parts| parts.lunch)),
    ("lunch time", (Half::Noon, |parts| parts.lunch)),
    ("daytime", (Half::Noon, |parts| parts.daytime)),
    ("afternoon", (Half::Noon, |parts| parts.afternoon)),
    ("afternoons", (Half::Noon, |parts| parts.afternoon)),
    ("afternoonish", (Half::Noon, |parts| parts.afternoon)),
    ("evening", (Half::Evening, |parts| parts.evening)),
    ("evenings", (Half::Evening, |parts| parts.evening)),
    ("night", (Half::Night, |parts| parts.night)),
    ("nights", (Half::Night, |parts| parts.night)),
    ("business hours", (Half::Noon, |parts| parts.work)),
    ("working hours", (Half::Noon, |parts| parts.work)),
];
/// Times after something that has its hour.
const AFTER: &[(&str, (i64, i64))] = &[
    ("after lunch", (13, 17)),
    ("after school", (15, 21)),
    ("after work", (17, 21)),
    ("after hours", (17, 21)),
];
const HALVES: &[(&str, Half)] = &[
    ("am", Half::Morning),
    ("a.m.", Half::Morning),
    ("a.m", Half::Morning),
    ("a m", Half::Morning),
    ("a. m.", Half::Morning),
    ("pm", Half::Noon),
    ("p.m.", Half::Noon),
    ("p.m", Half::Noon),
    ("p m", Half::Noon),
    ("p. m.", Half::Noon),
    ("in the am", Half::Morning),
    ("in the pm", Half::Noon),
    ("in the morning", Half::Morning),
    ("in morning", Half::Morning),
    ("this morning", Half::Morning),
    ("in the afternoon", Half::Noon),
    ("in afternoon", Half::Noon),
    ("this afternoon", Half::Noon),
    ("afternoon", Half::Noon),
    ("lunchtime", Half::Noon),
    ("in the evening", Half::Evening),
    ("in evening", Half::Evening),
    ("this evening", Half::Evening),
    ("in the night", Half::Evening),
    ("at night", Half::Night),
    ("tonight", Half::Night),
    ("tonite", Half::Night),
];

/// Reads the half of the day after an hour; as one letter only where `letter` allows it.
pub(super) fn half_of_day(said: &Said, end: usize, letter: bool) -> Option<(usize, Half)> {
    let start = said.one_of(end, &[" , ", " "]).unwrap_or(end);
    if let Some(found) = whole(said, start, HALVES) {
        return Some(found);
    }
    let letters = [("a", Half::Morning), ("p", Half::Noon)];
    whole(said, end, &letters).filter(|_| letter && said.before(end).is_ascii_digit())
}

/// Reads a part of the day as its first hour, the one it ends before, and what it makes of hours.
pub(super) fn part(said: &Said, at: usize, frame: Frame) -> Option<(usize, Part)> {
    let parts = &frame.conventions.parts;
    if let Some((end, hours)) = whole(said, at, AFTER) {
        return Some((end, (hours, Half::Noon)));
    }
    let edges = [
        ("early", false),
        ("early-", false),
        ("early in the", false),
        ("earlier in the", false),
        ("late", true),
        ("late-", true),
        ("late in the", true),
        ("later in the", true),
    ];
    if let Some((end, (half, hours))) = whole(said, at, PARTS) {
        return Some((end, (hours(parts), half)));
    }
    let edge = whole(said, at, &edges)
        .map(|(end, late)| (said.spaces(if said.at(end) == '-' { end + 1 } else { end }), late));
    let (start, edge) = edge.map_or((at, None), |(start, late)| (start, Some(late)));
    let (end, (half, hours)) = whole(said, start, PARTS)?;
    let hours = match (edge, said.at(start)) {
        (Some(false), 'm') => parts.early_morning,
        (Some(late), _) => half_of(hours(parts), late),
        (None, _) => hours(parts),
    };
    Some((end, (hours, half)))
}

/// Reads a part of the day after a date: `in the morning`, `evening`, `am`.
pub(super) fn part_of_date(said: &Said, at: usize, frame: Frame) -> Option<(usize, Part)> {
    let start = skip(said, at, &["in the", "in", "at", "during the", "the"]);
    let parts = &frame.conventions.parts;
    let halves = [("am", (parts.forenoon, Half::Morning)), ("pm", (parts.afternoon, Half::Noon))];
    part(said, start, frame).or_else(|| whole(said, start, &halves))
}

/// Reads tonight as the hours it has; late tonight is its second half.
pub(super) fn tonight(said: &Said, at: usize, frame: Frame) -> Option<(usize, (i64, i64))> {
    let start = skip(said, at, &["late"]);
    let end =
        one_of(said, start, &["tonight", "tonite", "this night"]).filter(|end| is_closed(said, *end))?;
    let hours = frame.conventions.parts.night;
    Some((end, if start > at { half_of(hours, true) } else { hours }))
}

pub(super) fn half_of((start, end): (i64, i64), late: bool) -> (i64, i64) {
    if late { (start + (end - start + 1) / 2, end) } else { (start, start + (end - start) / 2) }
}

// === Half ===

impl Half {
    /// Returns the hour of the day of an hour as said; 24 and more are the next day's.
    pub(super) fn hour(self, hour: i64) -> i64 {
        match (self, hour) {
            (Self::Morning, 12) => 0,
            (Self::Evening | Self::Night, 12) => 24,
            (Self::Night, 1..5) => hour + 24,
            (Self::Morning, _) | (_, 12..) => hour,
            _ => hour + 12,
        }
    }
}
