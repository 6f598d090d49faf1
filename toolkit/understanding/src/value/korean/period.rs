//! Moments in Korean put together: a date with a time, this long from now, one that corrects another.

use jiff::civil::DateTime;

use crate::value::calendar::{Grain, Moment, days};
use crate::value::conventions::Hours;
use crate::value::frame::part_of;
use crate::value::korean::away::{from_base, from_now, rest, rolling, so_far};
use crate::value::korean::date::date;
use crate::value::korean::date::relative::same;
use crate::value::korean::range::{bounded, shared_unit, until};
use crate::value::korean::time::{Clock, clock, part};
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

/// Reads a moment or a period.
pub(crate) fn moment(said: &Said, at: usize, frame: Frame) -> Timed {
    if let Some(found) = shared_unit(said, at, frame) {
        return Some(found);
    }
    let (end, first) = single(said, at, frame)?;
    if let Some(found) = until(said, at, end, first, frame) {
        return Some(found);
    }
    Some(corrected(said, end, first, frame).unwrap_or_else(|| bounded(said, end, first)))
}

/// Reads what is meant after what is not: `내일이 아니라 모레`, `세 시 말고 다섯 시`. What it leaves out the first one has.
fn corrected(said: &Said, at: usize, first: Moment, frame: Frame) -> Timed {
    let not = ["이 아니라", "가 아니라", " 아니라", "이 아니고", "가 아니고", " 아니고", " 말고"];
    let start = said.spaces(said.one_of(at, &not)?);
    let day = Grain::Day.start(first.start());
    match clock(said, start) {
        Some((end, clock)) if first.grain() < Grain::Day => Some((end, on(day, clock, frame))),
        _ => moment(said, start, frame),
    }
}

/// Reads one moment: now, this long from now, a date, a time, both.
pub(super) fn single(said: &Said, at: usize, frame: Frame) -> Timed {
    let day = date(said, at, frame);
    let whole = day.map(|day| dated_from(said, at, day, frame)).or_else(|| timed(said, at, frame));
    if let Some(found) = from_base(said, at, whole, frame) {
        return Some(found);
    }
    if let Some(end) = said.one_of(at, &["지금", "방금", "현재", "지금 당장", "이 순간"]) {
        return Some((end, Moment::At(frame.now, Grain::Second)));
    }
    let soon = said.one_of(at, &["당장 ", "이따 ", "이따가 ", "있다가 ", "좀 있다가 ", "조금 있다가 "]);
    if let Some(start) = soon.filter(|start| *start > at) {
        return single(said, start, frame)
            .filter(|(_, found)| found.grain() < Grain::Day || said.at(at) == '당');
    }
    last_night(said, at, frame)
        .or_else(|| rolling(said, at, frame))
        .or_else(|| from_now(said, at, frame))
        .or_else(|| rest(said, at, frame))
        .or_else(|| so_far(said, day, frame))
        .or(whole)
}

/// Reads `어젯밤`, `간밤`, `지난 저녁`: of yesterday.
fn last_night(said: &Said, at: usize, frame: Frame) -> Timed {
    let yesterday = days(frame.today(), -1).at(0, 0, 0, 0);
    if let Some(end) = said.one_of(at, &["어젯밤", "간밤", "지난밤", "엊저녁"]) {
        let parts = &frame.conventions.parts;
        let hours = if said.at(at) == '엊' { parts.evening } else { parts.night };
        return Some((end, part_of(yesterday, hours)));
    }
    let start = said.one_of(at, &["지난 ", "지난"])?;
    let (end, hours) = part(said, start, frame)?;
    Some((end, part_of(yesterday, hours)))
}

/// Reads a date and what stands after it: a time, a part of the day. A week's or weekend's time is that of its first day.
pub(super) fn dated(said: &Said, at: usize, frame: Frame) -> Timed {
    date(said, at, frame).map(|day| dated_from(said, at, day, frame))
}

fn dated_from(said: &Said, at: usize, (end, day): (usize, Moment), frame: Frame) -> (usize, Moment) {
    let start = Grain::Day.start(day.start());
    let week = matches!(day, Moment::At(_, Grain::Week) | Moment::Between(_, _, Grain::Day));
    if day.grain() != Grain::Day && !week {
        return (end, day);
    }
    if let Some((end, Moment::At(at, grain))) = same(said, end, frame, Grain::Day, 0) {
        return (end, Moment::At(start.date().to_datetime(at.time()), grain));
    }
    // As in 2026-10-05T14:00.
    let joined = said.word(end, "t").filter(|end| said.at(*end).is_ascii_digit());
    let next = joined.unwrap_or_else(|| said.spaces(said.one_of(end, &["에", "의", ","]).unwrap_or(end)));
    if let Some((end, clock)) = clock(said, next).filter(|_| !week || next > end) {
        let found = on(start, clock, frame);
        return (end, later_cycle(said, at, found, frame).unwrap_or(found));
    }
    let late = [(" 늦게", (12, 24)), (" 중간", (10, 14))];
    if let Some((end, hours)) = said.any(end, &late).filter(|_| !week) {
        return (end, part_of(start, hours));
    }
    match part(said, next, frame).filter(|_| !week) {
        Some((end, hours)) => (end, part_of(start, hours)),
        None => (end, day),
    }
}

/// `다가오는 31일 오전 9시` on such a day at ten is the next one's.
fn later_cycle(said: &Said, at: usize, found: Moment, frame: Frame) -> Option<Moment> {
    let start = said.one_of(at, &["다가오는 ", "오는 ", "돌아오는 ", "매달 ", "매월 ", "매주 ", "매년 "])?;
    if found.start() >= frame.now || start == at {
        return None;
    }
    let tomorrow = frame.at(days(frame.today(), 1).at(0, 0, 0, 0));
    dated(said, at, tomorrow).map(|(_, found)| found)
}

/// Puts a time on a day; what an open half of the day is says [`Hours`], but today it is the next to come.
pub(super) fn on(day: DateTime, clock: Clock, frame: Frame) -> Moment {
    let at = Grain::Second.add(day, clock.seconds);
    let afternoon = Grain::Hour.add(at, 12);
    let hours = frame.conventions.hours;
    let today = day.date() == frame.today() && hours != Hours::Literal;
    let waking = hours == Hours::Waking && clock.seconds < 7 * 3600;
    let late = match (clock.open, today) {
        (false, _) => false,
        (true, true) if at >= frame.now => false,
        (true, true) if afternoon >= frame.now => true,
        (true, true) => waking || hours != Hours::Waking,
        (true, false) => waking,
    };
    Moment::At(if late { afternoon } else { at }, clock.grain)
}

/// Reads a time of the day without a date: the next to come.
pub(super) fn timed(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = Grain::Day.start(frame.now);
    let start = said.one_of(at, &["매일 ", "다가오는 ", "오는 "]).unwrap_or(at);
    if let Some((end, clock)) = clock(said, start) {
        let step = if clock.open && frame.conventions.hours != Hours::Literal { 12 } else { 24 };
        let mut moment = Grain::Second.add(today, clock.seconds);
        while moment < frame.now {
            moment = Grain::Hour.add(moment, step);
        }
        return Some((end, Moment::At(moment, clock.grain)));
    }
    let this = said.one_of(start, &["이번 ", "이번"]).unwrap_or(start);
    let (end, hours) = part(said, this, frame)?;
    let found = part_of(today, hours);
    let over = frame.conventions.parts_ahead && found.end() <= frame.now && this == start;
    Some((end, if over { part_of(Grain::Day.add(today, 1), hours) } else { found }))
}
