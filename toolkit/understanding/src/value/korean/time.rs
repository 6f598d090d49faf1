//! Times of the day in Korean: `오후 세 시 반`, `15:23`, `3:20pm`, `정오`, `네 시 십오 분 전`.

use crate::value::calendar::Grain;
use crate::value::conventions::PartsOfDay;
use crate::value::korean::number::cardinal;
use crate::value::korean::{Frame, ends_word};
use crate::value::said::{Said, is_hangul};

/// A time of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// Seconds since midnight; may be more than 24 hours.
    pub seconds: i64,
    /// How fine it was said.
    pub grain: Grain,
    /// Whether the half of the day was not said and is not clear.
    pub open: bool,
}

/// How a part of the day reads an hour from one to twelve.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Half {
    Morning,
    /// One to six are after noon, eleven is before.
    Noon,
    Afternoon,
    /// Twelve and the hours after it are the next day's.
    Night,
}

type Hours = fn(&PartsOfDay) -> (i64, i64);

const PARTS: &[(&str, (Half, Hours))] = &[
    ("새벽", (Half::Morning, |parts| parts.dawn)),
    ("새벽녘", (Half::Morning, |parts| parts.dawn)),
    ("해 뜰 무렵", (Half::Morning, |_| (5, 7))),
    ("이른 아침", (Half::Morning, |parts| parts.early_morning)),
    ("아침 일찍", (Half::Morning, |parts| parts.early_morning)),
    ("아침", (Half::Morning, |parts| parts.morning)),
    ("오전", (Half::Morning, |parts| parts.forenoon)),
    ("점심", (Half::Noon, |parts| parts.lunch)),
    ("낮", (Half::Noon, |parts| parts.daytime)),
    ("대낮", (Half::Noon, |parts| parts.daytime)),
    ("오후", (Half::Afternoon, |parts| parts.afternoon)),
    ("해 질 녘", (Half::Afternoon, |_| (17, 19))),
    ("해 질 무렵", (Half::Afternoon, |_| (17, 19))),
    ("저녁", (Half::Night, |parts| parts.evening)),
    ("퇴근하고", (Half::Night, |parts| parts.evening)),
    ("퇴근 후", (Half::Night, |parts| parts.evening)),
    ("밤", (Half::Night, |parts| parts.night)),
    ("한밤", (Half::Night, |parts| parts.night)),
    ("밤늦게", (Half::Night, |parts| second(parts.night))),
    ("심야", (Half::Night, |parts| parts.late_night)),
    ("업무 시간", (Half::Afternoon, |parts| parts.work)),
    ("근무 시간", (Half::Afternoon, |parts| parts.work)),
    ("am", (Half::Morning, |parts| parts.forenoon)),
    ("pm", (Half::Afternoon, |parts| parts.afternoon)),
];

fn first((start, end): (i64, i64)) -> (i64, i64) {
    (start, start + (end - start) / 2)
}

fn second((start, end): (i64, i64)) -> (i64, i64) {
    (start + (end - start + 1) / 2, end)
}

fn named(said: &Said, at: usize) -> Option<(usize, (Half, Hours))> {
    // 낮은 is low.
    said.any(at, PARTS)
        .filter(|(end, _)| said.before(*end) != '낮' || !matches!(said.at(*end), '은' | '아' | '추'))
}

/// Reads a part of the day as its first hour and the one it ends before.
pub(crate) fn part(said: &Said, at: usize, frame: Frame) -> Option<(usize, (i64, i64))> {
    let parts = &frame.conventions.parts;
    let half = said.any(at, &[("이른 ", false), ("늦은 ", true)]);
    let whole = named(said, at);
    let (end, hours) = match (whole, half) {
        (Some((end, (_, hours))), _) => (end, hours(parts)),
        (None, Some((start, late))) => {
            let (end, (_, hours)) = named(said, start)?;
            (end, if late { second(hours(parts)) } else { first(hours(parts)) })
        }
        _ => return None,
    };
    if let Some(end) = said.word(end, " 중간") {
        let middle = (hours.0 + hours.1) / 2;
        return Some((end, (middle, middle + 1)));
    }
    let more = said.one_of(end, &[" 시간", " 때", " 무렵", " 즈음", "마다"]);
    Some((more.filter(|end| ends_word(said, *end)).unwrap_or(end), hours))
}

/// Reads a time of the day, with the part of the day in front or behind.
pub(crate) fn clock(said: &Said, at: usize) -> Option<(usize, Clock)> {
    let (end, clock) = plain_clock(said, at)?;
    Some(shifted(said, end, clock).unwrap_or((end, clock)))
}

/// Reads `자정 10분 전`, `세 시 십 분 뒤`.
fn shifted(said: &Said, at: usize, clock: Clock) -> Option<(usize, Clock)> {
    let (end, count) = cardinal(said, said.spaces(at)).filter(|_| at < said.len())?;
    let (end, unit, grain) = match said.word(end, " 분") {
        Some(end) => (end, 60, Grain::Minute),
        None => (said.word(end, " 시간")?, 3600, Grain::Minute),
    };
    let (end, sign) = said.any(end, &[(" 전", -1), (" 후", 1), (" 뒤", 1)])?;
    if count.fract() != 0.0 || count > 1440.0 || clock.grain < Grain::Hour || said.at(end) == '까' && sign > 0
    {
        return None;
    }
    Some((end, Clock { seconds: clock.seconds + sign * unit * count as i64, grain, ..clock }))
}

fn plain_clock(said: &Said, at: usize) -> Option<(usize, Clock)> {
    if let Some((end, hour)) = said.any(at, &[("정오", 12), ("한낮", 12), ("자정", 24), ("한밤중", 24)])
    {
        return Some((end, Clock { seconds: hour * 3600, grain: Grain::Hour, open: false }));
    }
    let part = named(said, at);
    let start = part.map_or(at, |(end, _)| said.spaces(end));
    let (mut end, hour, rest, grain) = digital(said, start).or_else(|| spoken(said, start))?;
    let mut half = part.map(|(_, (half, _))| half);
    let behind = [
        (" am", Half::Morning),
        (" pm", Half::Afternoon),
        (" a.m.", Half::Morning),
        (" p.m.", Half::Afternoon),
        ("a", Half::Morning),
        ("p", Half::Afternoon),
        (" 오전", Half::Morning),
        (" 오후", Half::Afternoon),
    ];
    if half.is_none()
        && let Some((after, behind)) = said.any(end, &behind)
        && !said.at(after).is_ascii_alphanumeric()
    {
        (end, half) = (after, Some(behind));
    } else if half.is_none() && grain == Grain::Hour && said.at(end - 1).is_ascii_digit() {
        return None;
    }
    if half.is_none() && is_adverb(said, start, end) {
        return None;
    }
    let open = half.is_none() && (1..=12).contains(&hour) && said.at(start) != '0';
    let hour = half.map_or(hour, |half| half.hour(hour));
    Some((end, Clock { seconds: hour * 3600 + rest, grain, open }))
}

/// Returns whether `한시`, written as one word and not followed by a particle, is "for a time" and no hour.
fn is_adverb(said: &Said, start: usize, end: usize) -> bool {
    said.slice(start..end) == "한시"
        && (said.at(end) == ' ' && is_hangul(said.at(end + 1)) || said.at(end) == '적')
}

type Read = Option<(usize, i64, i64, Grain)>;

/// Reads `15:20`, `15:23:24` and, before `am` or `pm`, `3`.
fn digital(said: &Said, at: usize) -> Read {
    let (end, hour, digits) = said.digits(at)?;
    if digits > 2 || hour > 24 {
        return None;
    }
    let two = |at: usize| said.digits(at).filter(|(_, value, digits)| *digits == 2 && *value < 60);
    let Some((end, minute, _)) = two(end + 1).filter(|_| said.at(end) == ':') else {
        let half = said.one_of(end, &[" am", " pm", " a.m.", " p.m.", "am", "pm"]).is_some();
        return half.then_some((end, hour, 0, Grain::Hour));
    };
    match two(end + 1).filter(|_| said.at(end) == ':') {
        Some((end, second, _)) => Some((end, hour, minute * 60 + second, Grain::Second)),
        None => Some((end, hour, minute * 60, Grain::Minute)),
    }
}

/// Reads `세 시 이십 분 삼 초`, `세 시 반`, `네 시 십오 분 전`.
fn spoken(said: &Said, at: usize) -> Read {
    let (end, hour) = cardinal(said, at)?;
    // Hours below ten have native numbers: 삼시 and 공시 are other words.
    let native = !matches!(said.at(at), '일' | '이' | '삼' | '사' | '오' | '육' | '칠' | '팔' | '구' | '공')
        || hour >= 10.0
        || said.slice(at..end).chars().count() > 1;
    let mut end = said.word(end, " 시")?;
    if hour > 24.0 || hour.fract() != 0.0 || !native || said.word(end, "간").is_some() {
        return None;
    }
    let hour = hour as i64;
    if let Some(after) = said.word(end, " 반") {
        return Some((after, hour, 1800, Grain::Minute));
    }
    if let Some(after) = said.word(end, " 정각") {
        return Some((after, hour, 0, Grain::Hour));
    }
    if let Some((after, seconds)) = counted(said, end, " 초", 60.0) {
        return Some((after, hour, seconds, Grain::Second));
    }
    let Some((after, minutes)) = counted(said, end, " 분", 60.0) else {
        return Some((end, hour, 0, Grain::Hour));
    };
    end = after;
    if let Some(after) = said.word(end, " 전") {
        return Some((after, (hour + 23) % 24, 3600 - minutes * 60, Grain::Minute));
    }
    match counted(said, end, " 초", 60.0) {
        Some((end, seconds)) => Some((end, hour, minutes * 60 + seconds, Grain::Second)),
        None => Some((end, hour, minutes * 60, Grain::Minute)),
    }
}

fn counted(said: &Said, at: usize, unit: &str, below: f64) -> Option<(usize, i64)> {
    let (end, count) = cardinal(said, said.spaces(at))?;
    let end = said.word(end, unit)?;
    (count < below && count.fract() == 0.0).then_some((end, count as i64))
}

// === Half ===

impl Half {
    /// Returns the hour of the day of an hour as said; 24 and more are the next day's.
    fn hour(self, hour: i64) -> i64 {
        match (self, hour) {
            (Self::Morning, 12) => 0,
            (Self::Noon, 11..) => hour,
            (Self::Afternoon, ..12) | (Self::Noon, ..11) => hour + 12,
            (Self::Night, 12) => 24,
            (Self::Night, ..5) => hour + 24,
            (Self::Night, 5..12) => hour + 12,
            _ => hour,
        }
    }
}
