//! What looks like a Korean date and is none: `2월 30일`, `13월 1일`, `그날 오전 9시`, `3영업일 이내`.

use jiff::civil::Date;

use super::relative::{whole, whole_year};
use super::weeks::{place, weekday_name};
use super::written::month_number;
use super::year::year;
use crate::value::calendar::Grain;
use crate::value::korean::duration::duration;
use crate::value::korean::number::cardinal;
use crate::value::korean::time::{clock, part};
use crate::value::korean::{Frame, starts_word};
use crate::value::said::Said;

/// Returns where something ends that is to be passed over in search of times.
pub(crate) fn barred(said: &Said, at: usize, frame: Frame) -> Option<usize> {
    if !starts_word(said, at) {
        return None;
    }
    let end = impossible(said, at, frame)
        .or_else(|| missing(said, at, frame))
        .or_else(|| numeric(said, at))
        .or_else(|| office(said, at))
        .or_else(|| if frame.conventions.pointing { None } else { pointing(said, at) })?;
    // What stands right after it belongs to it.
    let next = said.spaces(said.one_of(end, &["의", "에", "과", "와"]).unwrap_or(end));
    let timed = clock(said, next).map(|(end, _)| end).or_else(|| part(said, next, frame).map(|(end, _)| end));
    Some(timed.unwrap_or(end))
}

/// Reads a day that no calendar has. A day without a year waits for a month or year that has it.
fn impossible(said: &Said, at: usize, frame: Frame) -> Option<usize> {
    let today = frame.today();
    let named = year(said, at).or_else(|| whole_year(said, at, today));
    let start = named.map_or(at, |(end, _)| said.spaces(end));
    if let Some((end, (ahead, Grain::Month))) = whole(said, at) {
        let month = Grain::Month.add(today.first_of_month().at(0, 0, 0, 0), ahead).date();
        let (end, number) = counted(said, said.spaces(end), " 일")?;
        return (number > f64::from(month.days_in_month())).then_some(end);
    }
    // The fifth Friday of a year is of no month.
    if let Some((after, 5)) = named.and_then(|_| place(said, start)) {
        return weekday_name(said, said.spaces(after)).map(|(end, _)| end);
    }
    let (end, month) = counted(said, start, " 월").filter(|(end, _)| said.at(*end) != '요')?;
    if !(1.0..=12.0).contains(&month) {
        return Some(counted(said, said.spaces(end), " 일").map_or(end, |(end, _)| end));
    }
    let (end, number) = counted(said, said.spaces(end), " 일")?;
    let year = named.map_or(2000, |(_, year)| year);
    let there = number < 32.0 && Date::new(year, month as i8, number as i8).is_ok();
    (!there).then_some(end)
}

/// Reads a fifth weekday that its month has not.
fn missing(said: &Said, at: usize, frame: Frame) -> Option<usize> {
    let month = whole(said, at).map(|(end, _)| end).or_else(|| month_number(said, at).map(|(end, _)| end));
    let (after, _) = place(said, said.spaces(month.unwrap_or(at))).filter(|(_, nth)| *nth == 5)?;
    let after = said.spaces(after);
    let week = said.one_of(after, &["주", "주의"]).unwrap_or(after);
    let (end, _) = weekday_name(said, said.spaces(week))?;
    super::date(said, at, frame).is_none_or(|(read, _)| read < end).then_some(end)
}

fn counted(said: &Said, at: usize, unit: &str) -> Option<(usize, f64)> {
    let (end, number) = cardinal(said, at)?;
    Some((said.word(end, unit)?, number))
}

/// Reads digits in the shape of a date that no calendar has.
fn numeric(said: &Said, at: usize) -> Option<usize> {
    let (end, year, 4) = said.digits(at)? else { return None };
    let separator = said.at(end);
    let (end, month, _) = said.digits(end + 1).filter(|_| matches!(separator, '-' | '/' | '.'))?;
    let (end, day, _) = said.digits(end + 1).filter(|_| said.at(end) == separator)?;
    let date = Date::new(year as i16, month.min(99) as i8, day.min(99) as i8);
    date.is_err().then_some(end)
}

/// Reads days that only the calendar of an office knows.
fn office(said: &Said, at: usize) -> Option<usize> {
    let mut start = at;
    if let Some((end, _)) = whole(said, start) {
        start = said.spaces(end);
    }
    if let Some((end, _)) = place(said, start).or_else(|| cardinal(said, start).map(|(end, _)| (end, 0))) {
        start = said.spaces(end);
    }
    if start == at {
        return None;
    }
    said.one_of(start, &["영업일", "근무일", "업무일", "휴무일"])
}

/// Reads what leans on something said before.
fn pointing(said: &Said, at: usize) -> Option<usize> {
    let next = said.one_of(at, &["그 다음 주", "그 다음 달", "그 다음 해"]);
    if let Some(end) = next {
        return Some(weekday_name(said, said.spaces(end)).map_or(end, |(end, _)| end));
    }
    if let Some(start) = said.word(at, "거기서 ") {
        return duration(said, start).map(|(end, _)| end);
    }
    if let Some((end, _)) = duration(said, at) {
        return said.word(end, " 전날");
    }
    said.one_of(at, &["그 날", "그 전날", "바로 전날", "전날", "그 다음 날", "다음 날", "이튿날", "그 해"])
}
