//! Times of the day in Korean: `오후 세 시 반`, `15:23`, `3:20pm`, `정오`, `네 시 십오 분 전`.

use crate::value::calendar::Grain;
use crate::value::korean::number::cardinal;
use crate::value::said::Said;

/// A time of the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// Seconds since midnight; may be 24 hours.
    pub seconds: i64,
    /// How fine it was said.
    pub grain: Grain,
    /// Whether the half of the day was not said and is not clear.
    pub open: bool,
}

/// A part of the day: its first and last hour, and whether hours in it lie after noon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub start: i64,
    pub end: i64,
    pub afternoon: bool,
}

const PARTS: &[(&str, Part)] = &[
    ("새벽", Part { start: 0, end: 6, afternoon: false }),
    ("이른 아침", Part { start: 4, end: 9, afternoon: false }),
    ("아침", Part { start: 4, end: 12, afternoon: false }),
    ("오전", Part { start: 0, end: 12, afternoon: false }),
    ("점심", Part { start: 12, end: 14, afternoon: true }),
    ("점심 시간", Part { start: 12, end: 14, afternoon: true }),
    ("낮", Part { start: 12, end: 18, afternoon: true }),
    ("대낮", Part { start: 12, end: 15, afternoon: true }),
    ("오후", Part { start: 12, end: 19, afternoon: true }),
    ("저녁", Part { start: 18, end: 24, afternoon: true }),
    ("밤", Part { start: 18, end: 24, afternoon: true }),
    ("한밤", Part { start: 18, end: 24, afternoon: true }),
    ("am", Part { start: 0, end: 12, afternoon: false }),
    ("pm", Part { start: 12, end: 19, afternoon: true }),
];

/// Reads a part of the day.
pub(crate) fn part(said: &Said, at: usize) -> Option<(usize, Part)> {
    said.any(at, PARTS)
}

/// Reads a time of the day, with the part of the day in front or behind.
pub(crate) fn clock(said: &Said, at: usize) -> Option<(usize, Clock)> {
    if let Some((end, hour)) = said.any(at, &[("정오", 12), ("한낮", 12), ("자정", 24), ("한밤중", 24)])
    {
        return Some((end, Clock { seconds: hour * 3600, grain: Grain::Hour, open: false }));
    }
    let named = part(said, at);
    let start = named.map_or(at, |(end, _)| said.spaces(end));
    let (mut end, hour, rest, grain) = digital(said, start).or_else(|| spoken(said, start))?;
    let mut half = named.map(|(_, part)| (part, said.at(at)));
    if half.is_none()
        && let Some((after, afternoon)) = said.any(
            end,
            &[
                (" am", false),
                (" pm", true),
                (" a.m.", false),
                (" p.m.", true),
                ("a", false),
                ("p", true),
                (" 오전", false),
                (" 오후", true),
            ],
        )
        && !said.at(after).is_ascii_alphanumeric()
    {
        end = after;
        half = Some((Part { start: 0, end: 12, afternoon }, 'm'));
    } else if half.is_none() && grain == Grain::Hour && said.at(end - 1).is_ascii_digit() {
        return None;
    }
    let hour = match half {
        Some((part, _))
            if part.afternoon
                && hour < 12
                && !(hour < 5 && part.start == 18)
                && !(hour == 11 && part.end == 14) =>
        {
            hour + 12
        }
        Some((part, _)) if part.start == 18 && (hour == 12 || hour < 5) => {
            if hour == 12 {
                24
            } else {
                hour + 24
            }
        }
        Some((part, _)) if !part.afternoon && hour == 12 && part.end <= 12 => 0,
        _ => hour,
    };
    let open = half.is_none() && (1..=12).contains(&hour) && said.at(start) != '0';
    Some((end, Clock { seconds: hour * 3600 + rest, grain, open }))
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
    let mut end = said.word(end, " 시")?;
    if hour > 24.0 || hour.fract() != 0.0 || said.word(end, "간").is_some() {
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
