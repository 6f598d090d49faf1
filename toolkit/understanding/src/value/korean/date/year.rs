//! Years and their parts in Korean: `2015년`, `2000년대`, `내년 첫 월요일`, `2018년 4분기`, `올해 말`.

use jiff::civil::Date;

use super::relative::of_year;
use super::weeks::{place, placed, weekday_name};
use super::written::month_number;
use crate::value::calendar::{Grain, Moment, days, full_year, monday};
use crate::value::conventions::{Edges, Weeks};
use crate::value::korean::number::cardinal;
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

pub(super) fn part_of_year(year: i16, late: bool, frame: Frame) -> Option<Moment> {
    let (month, count) = match (frame.conventions.edges, late) {
        (Edges::Narrow, true) => (12, 1),
        (Edges::Narrow, false) => (1, 1),
        (Edges::Halves, true) => (7, 6),
        (Edges::Halves, false) => (1, 6),
    };
    let start = Date::new(year, month, 1).ok()?.at(0, 0, 0, 0);
    Some(Moment::Between(start, Grain::Month.add(start, count), Grain::Day))
}

/// Reads `2015년`, `이천십오년`, `12년` as a year.
pub(super) fn year(said: &Said, at: usize) -> Option<(usize, i16)> {
    let (end, value) = cardinal(said, at)?;
    let end = said.word(end, " 년")?;
    let counted = ["간", " 전", " 뒤", " 후", " 반", " 안", " 내", " 동안", " 이내"];
    // 2018년 이후 is after that year, 3년 이후 a length of time from now.
    let length = said.one_of(end, &counted).is_some() || said.word(end, " 이후").is_some() && value < 1000.0;
    if length && (value < 1000.0 || said.one_of(end, &[" 후", " 전", " 뒤"]).is_none())
        || value.fract() != 0.0
    {
        return None;
    }
    let digits = if value < 100.0 { 2 } else { 4 };
    if value < 10.0 && said.at(at) != '0' {
        return None;
    }
    Some((said.word(end, "도").unwrap_or(end), full_year(value as i64, digits)?))
}

/// Reads the year of `2026 유월 삼일`, which only a month after it makes one.
pub(super) fn bare_year(said: &Said, at: usize) -> Option<(usize, i16)> {
    let (end, value, 4) = said.digits(at)? else { return None };
    let month = month_number(said, said.spaces(end)).is_some() && said.at(end) == ' ';
    (month && (1900..2100).contains(&value)).then_some((end, value as i16))
}

/// Reads what follows a year: `2000년대`, `2015년 첫 번째 주`, `2016년 여름`, `올해 마지막 날`, `내년 첫 월요일`.
pub(super) fn in_year(said: &Said, at: usize, year: i16, numbered: bool, frame: Frame) -> Timed {
    if let Some(end) = said.word(at, "대").filter(|_| numbered) {
        let start = Date::new(year - year.rem_euclid(10), 1, 1).ok()?.at(0, 0, 0, 0);
        return Some((end, Moment::Between(start, Grain::Year.add(start, 10), Grain::Year)));
    }
    let start = said.spaces(said.word(at, "의").unwrap_or(at));
    if let Some(found) = of_year(said, start, year) {
        return Some(found);
    }
    let of = |month| Date::new(year, month, 1).ok();
    if let Some(end) = said.word(start, "마지막 날") {
        return Some((end, super::day(of(12)?.last_of_month())));
    }
    if let Some(end) = said.word(start, "첫 날") {
        return Some((end, super::day(of(1)?)));
    }
    if let Some((end, late)) = said.any(start, &[("말", true), ("초", false)]) {
        return part_of_year(year, late, frame).map(|part| (end, part));
    }
    let (after, nth) = place(said, start)?;
    let month = of(if nth < 0 { 12 } else { 1 })?;
    let week = said.one_of(said.spaces(after), &["주", "주일", "주간"]);
    let weekday = weekday_name(said, said.spaces(week.unwrap_or(after)));
    if weekday.is_some() || frame.conventions.weeks == Weeks::Rows {
        return placed(said, start, month, frame).filter(|_| nth < 5);
    }
    // The first week of a year is the one with its fourth of January (ISO 8601).
    let first = match nth {
        -1 => monday(Date::new(year, 12, 28).ok()?),
        nth => days(monday(Date::new(year, 1, 4).ok()?), 7 * (nth - 1)),
    };
    Some((week?, Moment::At(first.at(0, 0, 0, 0), Grain::Week)))
}

/// Reads quarters and halves; without a year the one that is or comes.
pub(super) fn quarter(said: &Said, at: usize, year: Option<i16>, today: Date) -> Timed {
    let of = |month: i8, count: i64| {
        let this = Date::new(year.unwrap_or(today.year()), month, 1).ok()?.at(0, 0, 0, 0);
        let over = year.is_none() && Grain::Month.add(this, count).date() <= today;
        Some(Grain::Year.add(this, i64::from(over)))
    };
    if let Some((end, month)) = said.any(at, &[("상반기", 1), ("하반기", 7)]) {
        let from = of(month, 6)?;
        return Some((end, Moment::Between(from, Grain::Month.add(from, 6), Grain::Month)));
    }
    let start = said.word(at, "제").unwrap_or(at);
    let (end, number) = cardinal(said, start)?;
    let end = said.one_of(end, &[" 분기", " 사분기", "/4분기", "사분기"])?;
    if !(1.0..=4.0).contains(&number) {
        return None;
    }
    Some((end, Moment::At(of(number as i8 * 3 - 2, 3)?, Grain::Quarter)))
}
