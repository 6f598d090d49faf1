//! Weekdays, parts of weeks and the nth week of a month in Korean: `다음 주 화요일`, `주말`, `셋째 주 토요일`, `둘째 주`.

use jiff::civil::{Date, Weekday};

use super::relative::{ahead, whole};
use super::written::written;
use crate::value::calendar::{Grain, Moment, days, monday, next_weekday, nth_weekday};
use crate::value::conventions::{Edges, Weekdays, Weeks};
use crate::value::korean::number::cardinal;
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("월요일", Weekday::Monday),
    ("화요일", Weekday::Tuesday),
    ("수요일", Weekday::Wednesday),
    ("목요일", Weekday::Thursday),
    ("금요일", Weekday::Friday),
    ("토요일", Weekday::Saturday),
    ("일요일", Weekday::Sunday),
    ("월욜", Weekday::Monday),
    ("화욜", Weekday::Tuesday),
    ("수욜", Weekday::Wednesday),
    ("목욜", Weekday::Thursday),
    ("금욜", Weekday::Friday),
    ("토욜", Weekday::Saturday),
    ("일욜", Weekday::Sunday),
];
const PLACES: &[(&str, i64)] = &[
    ("첫 번째", 1),
    ("첫째", 1),
    ("첫", 1),
    ("두 번째", 2),
    ("둘째", 2),
    ("세 번째", 3),
    ("셋째", 3),
    ("네 번째", 4),
    ("넷째", 4),
    ("다섯 번째", 5),
    ("다섯째", 5),
    ("마지막", -1),
];
const WEEK: &[&str] = &["주", "주일", "주간", "주의"];
const UPCOMING: &[&str] = &["오는 ", "다가오는 ", "돌아오는 "];

/// Reads the name of a weekday.
pub(super) fn weekday_name(said: &Said, at: usize) -> Option<(usize, Weekday)> {
    said.any(at, WEEKDAYS)
}

/// Reads a place in a row.
pub(super) fn place(said: &Said, at: usize) -> Option<(usize, i64)> {
    said.any(at, PLACES)
}

/// Reads a weekday that only repeats the date: `2월 18일 월요일`, `3월 5일(화)`.
pub(super) fn with_weekday(said: &Said, at: usize) -> usize {
    let plain = weekday_name(said, said.spaces(at)).map(|(end, _)| end);
    let short = ["(월)", "(화)", "(수)", "(목)", "(금)", "(토)", "(일)"];
    plain.or_else(|| said.one_of(said.spaces(at), &short)).unwrap_or(at)
}

/// Reads `화요일`, `이번 주 화요일`, `다음 화요일`, `지난주 일요일`.
pub(super) fn weekday(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    if let Some((end, weekday)) = weekday_name(said, at) {
        // A weekday in front of a date only repeats it.
        let next = said.spaces(said.word(end, ",").unwrap_or(end));
        let dated = written(said, next, frame).filter(|(_, found)| next > end && found.grain() == Grain::Day);
        return dated.or_else(|| Some((end, super::day(next_weekday(today, weekday)))));
    }
    if let Some((end, (ahead, Grain::Week))) = whole(said, at) {
        return in_week(said, end, ahead, today, frame);
    }
    let (after, ahead) = ahead(said, at)?;
    let (end, weekday) = weekday_name(said, said.spaces(after))?;
    let nearest = frame.conventions.weekdays == Weekdays::Nearest;
    let upcoming = said.one_of(at, UPCOMING).is_some();
    let of_week = |ahead: i64| days(monday(today), 7 * ahead + i64::from(weekday.to_monday_zero_offset()));
    let date = match ahead {
        0 if nearest => of_week(0),
        0 => next_weekday(days(today, -1), weekday),
        1 if nearest || upcoming => next_weekday(today, weekday),
        -1 if nearest => days(next_weekday(days(today, -1), weekday), -7),
        ahead => of_week(ahead),
    };
    Some((end, super::day(date)))
}

/// Reads what follows a week: a weekday, its weekend, its beginning.
fn in_week(said: &Said, at: usize, ahead: i64, today: Date, frame: Frame) -> Timed {
    let first = days(monday(today), 7 * ahead);
    let start = said.spaces(said.word(at, "의").unwrap_or(at));
    if let Some((end, weekday)) = weekday_name(said, start) {
        return Some((end, super::day(days(first, i64::from(weekday.to_monday_zero_offset())))));
    }
    let (end, (from, to)) = part_of_week(said, start, frame)?;
    Some((end, span(days(first, from), to - from)))
}

fn span(first: Date, count: i64) -> Moment {
    let start = first.at(0, 0, 0, 0);
    Moment::Between(start, Grain::Day.add(start, count), Grain::Day)
}

/// Reads a part of a week as its first day, counted from Monday, and the day it ends before.
fn part_of_week(said: &Said, at: usize, frame: Frame) -> Option<(usize, (i64, i64))> {
    let halves = frame.conventions.edges == Edges::Halves;
    let parts = [
        ("주말", (5, 7)),
        ("주중", (0, 5)),
        ("평일", (0, 5)),
        ("주초", (0, if halves { 3 } else { 2 })),
        ("초반", (0, 3)),
        ("초", (0, if halves { 3 } else { 2 })),
        ("후반", (3, 7)),
        ("말", (5, 7)),
    ];
    said.any(at, &parts)
}

/// Reads `주말`, `다음 주말`, `주중`, `평일`, `주초`: without a week the one that is not over.
pub(super) fn parts(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let halves = frame.conventions.edges == Edges::Halves;
    let early = if halves { 3 } else { 2 };
    let names = [("주말", (5, 7)), ("주중", (0, 5)), ("평일", (0, 5)), ("주 초", (0, early))];
    if let Some((end, (from, to))) = said.any(at, &names) {
        let over = frame.conventions.parts_ahead && days(monday(today), to) <= today;
        return Some((end, span(days(monday(today), from + if over { 7 } else { 0 }), to - from)));
    }
    let (after, ahead) = ahead(said, at)?;
    let (end, (from, to)) = said.any(said.spaces(after), &names)?;
    let monday = monday(today);
    // The weekend to come is that of this week until it is over.
    let ahead =
        if said.one_of(at, UPCOMING).is_some() { i64::from(days(monday, to) <= today) } else { ahead };
    Some((end, span(days(monday, 7 * ahead + from), to - from)))
}

/// Reads `첫째 화요일`, `둘째 주 일요일`, `셋째 주`, `셋째 주말` of the month that begins with `of`.
pub(super) fn placed(said: &Said, at: usize, of: Date, frame: Frame) -> Timed {
    let (after, nth) = place(said, at).or_else(|| counted(said, at))?;
    let after = said.spaces(after);
    if let Some(end) = said.word(after, "주말") {
        let saturday = nth_weekday(of.year(), of.month(), nth, Weekday::Saturday)?;
        return Some((end, span(saturday, 2)));
    }
    let week = said.one_of(after, WEEK);
    if let Some(end) = week {
        let monday = nth_week(of, nth, frame)?;
        if let Some(end) = said.word(said.spaces(end), "주말") {
            return Some((end, span(days(monday, 5), 2)));
        }
    }
    if let Some((end, weekday)) = weekday_name(said, said.spaces(week.unwrap_or(after))) {
        let rows = frame.conventions.weeks == Weeks::Rows && week.is_some();
        let date = if rows {
            in_row(of, nth, weekday, frame)?
        } else {
            nth_weekday(of.year(), of.month(), nth, weekday)?
        };
        return Some((end, super::day(date)));
    }
    Some((week?, Moment::At(nth_week(of, nth, frame)?.at(0, 0, 0, 0), Grain::Week)))
}

/// Reads the number of `2주차`.
fn counted(said: &Said, at: usize) -> Option<(usize, i64)> {
    let (end, number) = cardinal(said, at)?;
    let there = said.word(end, " 주차").is_some() && (1.0..=5.0).contains(&number) && number.fract() == 0.0;
    there.then_some((end, number as i64))
}

/// A day of a row of the calendar; a past one of the month before is a week later.
fn in_row(of: Date, nth: i64, weekday: Weekday, frame: Frame) -> Option<Date> {
    let date = days(nth_week(of, nth, frame)?, i64::from(weekday.to_monday_zero_offset()));
    Some(if date < of && date < frame.today() { days(date, 7) } else { date })
}

/// Returns the Monday of the nth week of the month that begins with `of`; -1: the last.
fn nth_week(of: Date, nth: i64, frame: Frame) -> Option<Date> {
    let last = of.last_of_month();
    // Most of a week's days are where its Thursday is.
    let (first, end) = match frame.conventions.weeks {
        Weeks::MostDays | Weeks::Within => (monday(days(of, 3)), monday(days(last, -3))),
        Weeks::Rows => (monday(of), monday(last)),
    };
    let week = if nth < 0 { end } else { days(first, 7 * (nth - 1)) };
    (week <= end).then_some(week)
}

/// Reads the nth week or weekday of the month that is or, when that is over, of a later one.
pub(super) fn next_placed(said: &Said, at: usize, frame: Frame) -> Timed {
    let this = frame.today().first_of_month().at(0, 0, 0, 0);
    // A fifth one that this month has not is none.
    placed(said, at, this.date(), frame)?;
    let mut months = (0..4).filter_map(|ahead| placed(said, at, Grain::Month.add(this, ahead).date(), frame));
    months.find(|(_, found)| found.end().date() > frame.today())
}
