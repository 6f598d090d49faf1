//! Periods in Korean by their bounds: `세 시부터 다섯 시까지`, `3~5시`, `월요일 이후`, `내일까지`.

use jiff::civil::DateTime;

use crate::value::calendar::{Grain, Moment};
use crate::value::korean::date::date;
use crate::value::korean::date::relative::{ahead, whole};
use crate::value::korean::period::dated;
use crate::value::korean::time::clock;
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

/// Reads the bound that makes a moment an open period: `이후`, `까지`, `전`.
pub(super) fn bounded(said: &Said, end: usize, first: Moment) -> (usize, Moment) {
    let bounds = [
        (" 이후로", true),
        (" 이후", true),
        (" 이래", true),
        (" 지나서", true),
        (" 이전", false),
        (" 이전에", false),
        (" 전에", false),
        (" 전까지", false),
        (" 전", false),
        ("까지", false),
        (" 까지", false),
        (" 후", true),
        (" 넘어서", true),
    ];
    let (bound_end, after) = match said.any(end, &bounds) {
        // 후반 is the second half of something and no bound.
        Some(bound) if !matches!(said.at(bound.0), '반' | '보' | '날' | '체') => bound,
        _ => return (end, first),
    };
    let grain = first.grain();
    let including = said.slice(end..bound_end).contains("까지") && !said.slice(end..bound_end).contains('전');
    match (first, after) {
        // After 2018 begins with 2019, after the third of May with that day.
        (moment @ Moment::At(_, Grain::Month | Grain::Quarter | Grain::Year), true) => {
            (bound_end, Moment::After(moment.end(), grain))
        }
        (moment @ Moment::Between(..), true)
            if grain >= Grain::Day && !said.slice(end..bound_end).contains("이래") =>
        {
            (bound_end, Moment::After(moment.end(), grain))
        }
        (Moment::At(at, _) | Moment::Between(at, _, _), true) => (bound_end, Moment::After(at, grain)),
        // Until Sunday has Sunday in it, before Sunday has not.
        (moment @ Moment::At(..), false) if grain >= Grain::Day && including => {
            (bound_end, Moment::Before(moment.end(), grain))
        }
        (Moment::At(at, _), false) => (bound_end, Moment::Before(at, grain)),
        _ => (end, first),
    }
}

/// Reads the end of a period that starts with `first`: `부터 … 까지`, `에서 …`, `~`, `-`.
pub(super) fn until(said: &Said, at: usize, end: usize, first: Moment, frame: Frame) -> Timed {
    let found = closed(said, at, end, first, frame)?;
    Some(running(said, at, found.1, frame).map_or(found, |running| (found.0, running)))
}

/// From August to October is, in September, that which runs and not next year's.
fn running(said: &Said, at: usize, found: Moment, frame: Frame) -> Option<Moment> {
    let Moment::Between(from, to, grain @ (Grain::Day | Grain::Month)) = found else { return None };
    let (before, until) = (Grain::Year.add(from, -1), Grain::Year.add(to, -1));
    if from <= frame.now || before > frame.now || until <= frame.now || counts_from_now(said, at) {
        return None;
    }
    // A start that has its own year stays what it is.
    let then = frame.at(before);
    let (end, first) = date(said, at, then)?;
    let running = Moment::Between(before, until, grain);
    closed(said, at, end, first, then).filter(|(_, found)| *found == running).map(|_| running)
}

fn closed(said: &Said, at: usize, end: usize, first: Moment, frame: Frame) -> Timed {
    let joints = ["부터", " 부터", "에서", " 에서", " ~ ", "~", " - ", "-", "과", "와", " 에서 "];
    let joint = said.one_of(end, &joints)?;
    let start = said.spaces(joint);
    let grain = first.grain();
    let base = first.start();
    let (last_end, last) = match grain >= Grain::Day {
        true => last_day(said, start, base, frame)?,
        false => later(said, start, base, frame)?,
    };
    let mark = said.one_of(last_end, &["까지", " 까지", " 사이에", " 사이", "의 사이"]);
    let soft = matches!(said.before(joint), '과' | '와') || said.slice(end..joint).contains('에');
    if mark.is_none()
        && soft
        && !(grain == Grain::Year
            && last.grain() <= Grain::Year
            && !matches!(said.before(joint), '과' | '와'))
    {
        return None;
    }
    // From two to four ends at four; from Monday to Friday ends with Friday.
    let to = if last.grain() < Grain::Day { last.start() } else { last.end() };
    let base = half_of(said, at, start, base, to);
    let turned = is_turned(first, last);
    (to > base && !turned)
        .then(|| (mark.unwrap_or(last_end), Moment::Between(base, to, last.grain().min(grain))))
}

/// From 5 October to 3 October is no year long but a slip.
fn is_turned(first: Moment, last: Moment) -> bool {
    let (from, to) = (first.start().date(), last.start().date());
    first.grain() == Grain::Day
        && last.grain() == Grain::Day
        && from.month() == to.month()
        && to.year() == from.year() + 1
        && to.day() < from.day()
}

/// Reads the last day: by itself where it says so, else after the first.
fn last_day(said: &Said, at: usize, base: DateTime, frame: Frame) -> Timed {
    if let Some(found) = same_month(said, at, base) {
        return Some(found);
    }
    let after = frame.at(Grain::Second.add(base, 1));
    match counts_from_now(said, at) {
        true => date(said, at, frame).filter(|(_, last)| last.end() > base).or_else(|| date(said, at, after)),
        false => date(said, at, after).or_else(|| date(said, at, frame)),
    }
}

/// Returns whether what stands at `at` says itself when it is: `모레`, `다음 달`, `내년`.
fn counts_from_now(said: &Said, at: usize) -> bool {
    let near = ["오늘", "내일", "모레", "글피", "그글피", "어제", "그제", "금일", "명일"];
    said.one_of(at, &near).is_some() || whole(said, at).is_some() || ahead(said, at).is_some()
}

/// `11시부터 오후 3시까지`: a start whose half of the day was not said is the last such time before the end.
fn half_of(said: &Said, at: usize, last_at: usize, base: DateTime, to: DateTime) -> DateTime {
    let (Some((_, first)), Some((_, last))) = (clock(said, at), clock(said, last_at)) else { return base };
    if !first.open || last.open {
        return base;
    }
    let early = Grain::Second.add(Grain::Day.start(to), first.seconds);
    [12, 0, -12].iter().map(|hours| Grain::Hour.add(early, *hours)).find(|at| *at < to).unwrap_or(base)
}

/// Reads a bare day of the month after a date: `7월 13일부터 15일`.
fn same_month(said: &Said, at: usize, base: DateTime) -> Timed {
    let (end, number, _) = said.digits(at)?;
    let end = said.word(end, " 일")?;
    let date = base.date().with().day(i8::try_from(number).ok()?).build().ok()?;
    (date > base.date()).then(|| (end, Moment::At(date.at(0, 0, 0, 0), Grain::Day)))
}

/// Reads a time after `base`: with its own date, or the next such time.
fn later(said: &Said, at: usize, base: DateTime, frame: Frame) -> Timed {
    if let Some((end, clock)) = clock(said, at) {
        let mut moment = Grain::Second.add(Grain::Day.start(base), clock.seconds);
        let step = if clock.open { 12 } else { 24 };
        while moment <= base {
            moment = Grain::Hour.add(moment, step);
        }
        return Some((end, Moment::At(moment, clock.grain)));
    }
    if let Some(start) = said.one_of(at, &["그 다음 "]) {
        return dated(said, start, frame.at(base));
    }
    let after = if counts_from_now(said, at) { frame } else { frame.at(base) };
    dated(said, at, after)
}

/// Reads a period whose first hour has its unit behind the last: `3~5시`, `오전 11부터 11시 50분까지`.
pub(super) fn shared_unit(said: &Said, at: usize, frame: Frame) -> Timed {
    let part = said.any(at, &[("오전 ", 0), ("오후 ", 12)]);
    let start = part.map_or(at, |(end, _)| end);
    let (end, hour, width) = said.digits(start)?;
    let joint = said.one_of(end, &["~", " ~ ", "-", "부터 ", "에서 "])?;
    let (last_end, last) =
        clock(said, said.spaces(joint)).filter(|_| width <= 2 && (1..=12).contains(&hour))?;
    let today = Grain::Day.start(frame.now);
    let mut from = Grain::Hour.add(today, hour % 12 + part.map_or(0, |(_, shift)| shift));
    while from < frame.now {
        from = Grain::Hour.add(from, if part.is_some() { 24 } else { 12 });
    }
    let mut to = Grain::Second.add(Grain::Day.start(from), last.seconds);
    while to <= from {
        to = Grain::Hour.add(to, if last.open { 12 } else { 24 });
    }
    let end = said.one_of(last_end, &["까지", " 까지", " 사이에", " 사이"]).unwrap_or(last_end);
    Some((end, Moment::Between(from, to, last.grain)))
}
