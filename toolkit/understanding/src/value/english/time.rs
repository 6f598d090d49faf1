//! Times of the day in English: `half past three`, `5pm`, `15:23`, `ten thirty a m`, `at 8 in the evening`, `noon`.

use super::number::small;
use super::part::{Half, half_of_day};
use super::words::{follows, is_alone, is_closed, lead, one_of, skip, whole};
use crate::value::calendar::Grain;
use crate::value::frame::Frame;
use crate::value::said::Said;

/// A time of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// Seconds since midnight; may be more than 24 hours or, through its zone, less than none.
    pub seconds: i64,
    /// How fine it was said.
    pub grain: Grain,
    /// Whether the half of the day was not said and is not clear.
    pub open: bool,
    /// How many seconds its zone moved it, where one was said.
    pub moved: Option<i64>,
}

/// An hour with its minutes as said, before its half of the day is known.
#[derive(Clone, Copy)]
struct Face {
    end: usize,
    hour: i64,
    rest: i64,
    grain: Grain,
    /// Whether it is a time by itself and not only where a time is looked for.
    sure: bool,
    /// Whether it is one on a clock of 24 hours: `07:30`.
    closed: bool,
}

const NAMED: &[(&str, i64)] = &[
    ("noon", 12),
    ("noonish", 12),
    ("12 noon", 12),
    ("midday", 12),
    ("mid day", 12),
    ("mid-day", 12),
    ("midnight", 24),
    ("mid night", 24),
    ("mid-night", 24),
    ("12 midnight", 24),
    ("midmorning", 10),
    ("mid morning", 10),
    ("mid-morning", 10),
    ("midafternoon", 14),
    ("mid afternoon", 14),
    ("mid-afternoon", 14),
];

/// Reads what is a time by itself.
pub(crate) fn clock(said: &Said, at: usize, frame: Frame) -> Option<(usize, Clock)> {
    read(said, at, false, true, frame)
}

/// Reads a time where one is looked for: a bare number is an hour.
pub(super) fn hour(said: &Said, at: usize, frame: Frame) -> Option<(usize, Clock)> {
    read(said, at, true, true, frame)
}

/// Reads the first time of a period, in which `five to seven` are two.
pub(super) fn first_hour(said: &Said, at: usize, frame: Frame) -> Option<(usize, Clock)> {
    read(said, at, true, false, frame)
}

fn read(said: &Said, at: usize, loose: bool, to: bool, frame: Frame) -> Option<(usize, Clock)> {
    let led = lead(said, at, &["at", "@"]).or_else(|| lead(said, at, &["at about", "at around"]));
    let loose = loose || led.is_some();
    let start = skip(said, led.unwrap_or(at), &["around", "about", "approximately", "exactly"]);
    // Around 1030 is a time where nothing is counted by it.
    let loose = loose
        || start > at
            && said.digits(start).is_some_and(|(end, _, count)| count == 4 && said.spaces(end) >= said.len());
    if let Some((end, hour)) = whole(said, start, NAMED) {
        let clock = Clock { seconds: hour * 3600, grain: Grain::Hour, open: false, moved: None };
        return Some(zoned(said, end, clock, frame));
    }
    let face = past(said, start, to)
        .or_else(|| digital(said, start, loose))
        .or_else(|| spoken(said, start, loose))?;
    let (mut end, mut sure) = (face.end, face.sure || loose);
    if let Some(after) = said.one_of(end, &["ish", "-ish", " ish"]).filter(|after| is_closed(said, *after)) {
        (end, sure) = (after, true);
    }
    let half = half_of_day(said, end, loose || face.grain < Grain::Hour);
    if !sure && half.is_none() {
        return None;
    }
    let (end, half) = half.map_or((end, None), |(end, half)| (end, Some(half)));
    if half.is_none() && !is_closed(said, end) {
        return None;
    }
    let hour = half.map_or(face.hour, |half| half.hour(face.hour));
    let open = half.is_none() && !face.closed && (1..=12).contains(&hour);
    let clock = Clock { seconds: hour * 3600 + face.rest, grain: face.grain, open, moved: None };
    Some(zoned(said, end, clock, frame))
}

/// Reads `half past three`, `quarter to five`, `ten past six`, `half three`, `three minutes to five thirty`.
fn past(said: &Said, at: usize, to: bool) -> Option<Face> {
    let shares = [
        ("half", 30),
        ("a quarter", 15),
        ("quarter", 15),
        ("one quarter", 15),
        ("three quarters", 45),
        ("half a", 30),
    ];
    let share = whole(said, at, &shares);
    let (end, minutes) = match share {
        Some(found) => found,
        None => said
            .digits(at)
            .map(|(end, value, _)| (end, value))
            .or_else(|| small(said, at).map(|(end, value)| (end, value as i64)))?,
    };
    if !(0..60).contains(&minutes) {
        return None;
    }
    let unit = lead(said, said.spaces(end), &["minutes", "minute", "mins", "min"]);
    let start = unit.unwrap_or(said.spaces(end));
    if said.at(at) == 'h'
        && let Some(hour) = spoken(said, start, true).filter(|hour| hour.grain == Grain::Hour)
    {
        return Some(Face {
            rest: 1800,
            grain: Grain::Minute,
            sure: follows_time(said, at, hour.end),
            ..hour
        });
    }
    let joints = [
        ("past", false),
        ("after", false),
        ("to", true),
        ("of", true),
        ("til", true),
        ("till", true),
        ("before", true),
    ];
    let (end, before) = whole(said, start, &joints)?;
    // Without its unit, only a round number of minutes is one: seven to five is a period.
    let named = whole(said, said.spaces(end), NAMED).is_some();
    let round = named || unit.is_some() || share.is_some() || !before && minutes > 0;
    let round = round || to && matches!(minutes, 5 | 10 | 20 | 25) && !said.at(at).is_ascii_digit();
    let start = said.spaces(end);
    let hour = whole(said, start, NAMED)
        .map(|(end, hour)| Face { end, hour, rest: 0, grain: Grain::Hour, sure: true, closed: true })
        .or_else(|| digital(said, start, true))
        .or_else(|| spoken(said, start, true))
        .filter(|_| round && said.slice(start - 1..start) == " ")?;
    let (rest, hour_of) = if before {
        (hour.rest + 3600 - minutes * 60, (hour.hour + 23) % 24)
    } else {
        (hour.rest + minutes * 60, hour.hour)
    };
    Some(Face { hour: hour_of, rest, grain: Grain::Minute, sure: true, ..hour })
}

/// Reads `15:20`, `15:23:24`, `9h30`, `8.30pm`, `at 1030`, and where an hour is looked for `8`, `15h`, `3 15`.
fn digital(said: &Said, at: usize, loose: bool) -> Option<Face> {
    let (end, number, digits) = said.digits(at)?;
    let end_of_hour = end;
    let face = |end, hour, rest, grain, sure| {
        let closed = hour > 12 || said.at(at) == '0' || said.at(end_of_hour) == 'h';
        (hour <= 24).then_some(Face { end, hour, rest, grain, sure, closed })
    };
    if digits > 2 {
        let (hour, minute) = (number / 100, number % 100);
        let half = half_of_day(said, end, false).is_some();
        let fits =
            digits <= 4 && minute < 60 && (half || loose) && !matches!(said.at(end), '.' | '-' | '/' | ',');
        return face(end, hour, minute * 60, Grain::Minute, half).filter(|_| fits);
    }
    let two = |at: usize| said.digits(at).filter(|(_, value, digits)| *digits == 2 && *value < 60);
    let minutes = two(end + 1);
    match (said.at(end), minutes) {
        (':' | 'h', Some((after, minute, _))) => match two(after + 1).filter(|_| said.at(after) == ':') {
            Some((end, second, _)) => face(end, number, minute * 60 + second, Grain::Second, true),
            None => face(after, number, minute * 60, Grain::Minute, true),
        },
        ('.' | ' ', Some((after, minute, _)))
            if half_of_day(said, after, false).is_some()
                || loose && !matches!(said.at(after), '.' | ',' | '/' | '-' | ':') =>
        {
            face(after, number, minute * 60, Grain::Minute, false)
        }
        ('h', None) if loose && is_closed(said, end + 1) => face(end + 1, number, 0, Grain::Minute, false),
        _ if matches!(said.at(end), '/' | '.') && said.at(end + 1).is_ascii_digit() => None,
        _ => {
            let oclock = one_of(said, said.spaces(end), &["o'clock", "oclock", "hours sharp"]);
            face(oclock.unwrap_or(end), number, 0, Grain::Hour, oclock.is_some())
        }
    }
}

/// Words after which an hour with its minutes is a time: set an alarm for eight forty.
const BEFORE_TIMES: &[&str] =
    &["for", "at", "by", "until", "till", "from", "to", "around", "about", "@", "of", "is", "p.m."];

/// Returns whether what stands from `at` to `end` is a time by what it follows, or by being all that is said.
fn follows_time(said: &Said, at: usize, end: usize) -> bool {
    follows(said, at, BEFORE_TIMES) || is_alone(said, at, end)
}

/// Reads `ten`, `ten o'clock`, `ten thirty`, `twelve oh five`.
fn spoken(said: &Said, at: usize, loose: bool) -> Option<Face> {
    let (end, hour) = small(said, at).filter(|(_, hour)| *hour <= 24.0)?;
    let hour = hour as i64;
    let closed = hour > 12;
    if let Some(end) = one_of(said, said.spaces(end), &["o'clock", "oclock", "o clock"]) {
        return Some(Face { end, hour, rest: 0, grain: Grain::Hour, sure: true, closed });
    }
    let start = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    let zero = lead(said, start, &["oh", "o", "ou", "zero", "oh-", "o-", "zero-"]);
    let minutes = small(said, zero.unwrap_or(start)).filter(|(_, minute)| match zero {
        Some(_) => (1.0..10.0).contains(minute),
        None => (10.0..60.0).contains(minute) || loose && *minute == 5.0,
    });
    match minutes.filter(|_| start > end) {
        Some((end, minute)) => {
            let sure = zero.is_some() && hour > 0 || follows_time(said, at, end);
            Some(Face { end, hour, rest: minute as i64 * 60, grain: Grain::Minute, sure, closed })
        }
        None => Some(Face { end, hour, rest: 0, grain: Grain::Hour, sure: false, closed }),
    }
}

/// Zones people name, in minutes ahead of UTC.
const ZONES: &[(&str, i64)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("bst", 60),
    ("cet", 60),
    ("cest", 120),
    ("ist", 330),
    ("jst", 540),
    ("kst", 540),
    ("aest", 600),
    ("aedt", 660),
    ("est", -300),
    ("edt", -240),
    ("cst", -360),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
];

/// Reads the zone after a time and moves it to the reference's.
fn zoned(said: &Said, end: usize, clock: Clock, frame: Frame) -> (usize, Clock) {
    let start = said.one_of(end, &[" (", " "]).unwrap_or(end);
    let Some((after, minutes)) = whole(said, start, ZONES) else { return (end, clock) };
    let after = if said.at(after) == ')' { after + 1 } else { after };
    let moved = frame.offset - minutes * 60;
    let clock = Clock {
        seconds: clock.seconds + moved,
        grain: clock.grain.min(Grain::Minute),
        open: false,
        moved: Some(moved),
    };
    (after, clock)
}

// === Clock ===

impl Clock {
    /// Returns the same in the half of the day that was said apart from it: `tomorrow evening at 5`.
    pub(super) fn in_half(self, half: Half) -> Self {
        if !self.open {
            return self;
        }
        let (hour, rest) = (self.seconds / 3600, self.seconds % 3600);
        Self { seconds: half.hour(hour) * 3600 + rest, open: false, ..self }
    }
}
