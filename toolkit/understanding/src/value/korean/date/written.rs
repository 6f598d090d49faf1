//! Dates with months and days in Korean: `2015년 3월 3일`, `10월 첫째 화요일`, `15일`, `월말`.

use jiff::civil::Date;

use super::relative::{ahead, is_past, whole, whole_year};
use super::weeks::{next_placed, placed, weekday_name, with_weekday};
use super::year::{bare_year, in_year, part_of_year, quarter, year};
use crate::value::calendar::{Grain, Moment, days, next_date};
use crate::value::conventions::Edges;
use crate::value::korean::number::cardinal;
use crate::value::korean::{Frame, Timed};
use crate::value::said::{Said, is_hangul};

/// Reads a date that is written out.
pub(super) fn written(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let year = year(said, at).or_else(|| whole_year(said, at, today)).or_else(|| bare_year(said, at));
    let start = year.map_or(at, |(end, _)| said.spaces(end));
    if let Some(found) = quarter(said, start, year.map(|(_, year)| year), today) {
        return Some(found);
    }
    if let Some((end, month)) = month_number(said, start) {
        return in_month(said, end, month, year.map(|(_, year)| year), frame);
    }
    if let Some((end, (ahead, Grain::Month))) = whole(said, at) {
        let month = Grain::Month.add(today.first_of_month().at(0, 0, 0, 0), ahead).date();
        return in_month(said, end, month.month(), Some(month.year()), frame);
    }
    if let Some((end, year)) = year {
        return in_year(said, end, year, said.at(at).is_ascii_digit() || is_number(said, at), frame)
            .or_else(|| Some((end, Moment::At(Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0), Grain::Year))));
    }
    edge(said, at, frame).or_else(|| next_placed(said, at, frame)).or_else(|| day_of_month(said, at, frame))
}

fn is_number(said: &Said, at: usize) -> bool {
    cardinal(said, at).is_some()
}

/// Reads `15일`, `지난 31일`, `오는 15일`: the next such day, or the last.
fn day_of_month(said: &Said, at: usize, frame: Frame) -> Timed {
    let side = ahead(said, at).filter(|(end, ahead)| {
        let past = is_past(*ahead);
        (past && frame.conventions.last_day_is_a_date || said.before(*end) == '는') && said.at(*end) == ' '
    });
    let (end, number) = day_number(said, side.map_or(at, |(end, _)| end), false)?;
    let today = frame.today();
    // 오일 may be oil and 일일 each day; such days are said with their month.
    if is_hangul(said.at(at)) && number < 10 && side.is_none() {
        return None;
    }
    let this = today.first_of_month().at(0, 0, 0, 0);
    let on = |ahead: i64| {
        let month = Grain::Month.add(this, ahead).date();
        Date::new(month.year(), month.month(), number).ok()
    };
    let date = match side {
        Some((_, ahead)) if is_past(ahead) => (-12..1).rev().filter_map(on).find(|date| *date < today)?,
        _ => {
            // The 21st that is a Monday may be months away.
            let weekday = weekday_name(said, said.spaces(end)).map(|(_, weekday)| weekday);
            let on_weekday =
                (0..24).filter_map(on).find(|date| *date >= today && Some(date.weekday()) == weekday);
            on_weekday.or_else(|| (0..13).filter_map(on).find(|date| *date >= today))?
        }
    };
    Some((with_weekday(said, end), super::day(date)))
}

/// Reads `월말`, `연말`, `말일`, `월초`, `연초`: those of this month and year.
fn edge(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let month = today.first_of_month();
    if let Some(end) = said.word(at, "말일") {
        return Some((end, super::day(today.last_of_month())));
    }
    let (end, late) =
        said.any(at, &[("월말", true), ("월 말", true), ("월초", false)]).unwrap_or((at, false));
    if end > at {
        return part_of_month(month, if late { "말" } else { "초" }, frame).map(|part| (end, part));
    }
    let (end, late) = said.any(at, &[("연말", true), ("연초", false)])?;
    part_of_year(today.year(), late, frame).map(|part| (end, part))
}

/// Reads a month.
pub(crate) fn month_number(said: &Said, at: usize) -> Option<(usize, i8)> {
    if let Some((end, month)) =
        said.any(at, &[("유월", 6_i8), ("시월", 10), ("동짓달", 11), ("섣달", 12), ("정월", 1)])
    {
        return Some((end, month));
    }
    let (end, month) = cardinal(said, at)?;
    let end = said.word(end, " 월")?;
    if said.at(end) == '요' || !(1.0..=12.0).contains(&month) || month.fract() != 0.0 {
        return None;
    }
    Some((said.word(end, " 달").unwrap_or(end), month as i8))
}

/// Reads a day of a month. `leaning`: right after its month, where no length of time can stand.
pub(crate) fn day_number(said: &Said, at: usize, leaning: bool) -> Option<(usize, i8)> {
    let (end, number) = cardinal(said, said.spaces(at))?;
    let (end, number) = match said.word(end, " 일") {
        Some(after) => (after, number),
        // The last syllable of 십일 may be the day itself.
        None if leaning && said.before(end) == '일' && number > 10.0 && number % 10.0 == 1.0 => {
            (end, number - 1.0)
        }
        None => return None,
    };
    let counted = [
        " 전", " 뒤", " 후", " 안", " 내", " 이내", " 이상", " 미만", " 연속", " 있다", " 만에", "마다",
        "씩", " 1식",
    ];
    let other = said.one_of(end, &["요일", "간", " 동안", "째"]).is_some()
        || !leaning && said.one_of(end, &counted).is_some();
    ((1.0..=31.0).contains(&number) && number.fract() == 0.0 && !other).then_some((end, number as i8))
}

/// Reads what follows a month. Without a year, days lie ahead and the month is this one or the next to come.
pub(super) fn in_month(said: &Said, at: usize, month: i8, year: Option<i16>, frame: Frame) -> Timed {
    let today = frame.today();
    let first = Date::new(today.year(), month, 1).ok()?;
    let year_of =
        year.unwrap_or(if first < today.first_of_month() { today.year() + 1 } else { today.year() });
    if let Some((end, number)) = day_number(said, said.word(at, "의").unwrap_or(at), true) {
        let end_of_day = with_weekday(said, end);
        if let Some((end, year)) = year_behind(said, end_of_day).filter(|_| year.is_none()) {
            return Some((end, super::day(Date::new(year, month, number).ok()?)));
        }
        let date = match year {
            Some(year) => Date::new(year, month, number).ok()?,
            None => next_date(today, month, number)?,
        };
        return Some((end_of_day, super::day(date)));
    }
    let of = Date::new(year_of, month, 1).ok()?;
    let start = said.spaces(said.word(at, "의").unwrap_or(at));
    if let Some(end) = said.one_of(start, &["마지막 날", "말일"]) {
        return Some((end, super::day(of.last_of_month())));
    }
    if let Some(end) = said.word(start, "첫 날") {
        return Some((end, super::day(of)));
    }
    if let Some(found) = placed(said, start, of, frame) {
        // A week of a month without a year that is over is that of the next year.
        let over = year.is_none() && found.1.end().date() <= today;
        return if over {
            placed(said, start, Date::new(year_of + 1, month, 1).ok()?, frame)
        } else {
            Some(found)
        };
    }
    // A weekday of a month is its first.
    if let Some((end, weekday)) = weekday_name(said, start).filter(|_| start > at) {
        return Some((end, super::day(of.nth_weekday_of_month(1, weekday).ok()?)));
    }
    let parts = [(" 초", "초"), (" 중순", "중순"), (" 초순", "초순"), (" 하순", "하순"), (" 말", "말")];
    if let Some((end, part)) = said.any(at, &parts).filter(|(end, _)| {
        !is_hangul(said.at(*end)) || matches!(said.at(*end), '에' | '까' | '부' | '의' | '이')
    }) {
        return part_of_month(of, part, frame).map(|part| (end, part));
    }
    Some((at, Moment::At(of.at(0, 0, 0, 0), Grain::Month)))
}

fn part_of_month(of: Date, part: &str, frame: Frame) -> Option<Moment> {
    let (from, to) = match (part, frame.conventions.edges) {
        ("초", Edges::Halves) => (1, 16),
        ("말", Edges::Halves) => (16, 0),
        ("중순", Edges::Halves) => (10, 21),
        ("초" | "초순", _) => (1, 11),
        ("중순", _) => (11, 21),
        _ => (21, 0),
    };
    let until = if to == 0 { days(of.last_of_month(), 1) } else { of.with().day(to).build().ok()? };
    let from = of.with().day(from).build().ok()?;
    Some(Moment::Between(from.at(0, 0, 0, 0), until.at(0, 0, 0, 0), Grain::Day))
}

/// Reads a year that stands behind the day: `9월 21일 1978`, `1월 12일, 2016년`.
fn year_behind(said: &Said, at: usize) -> Option<(usize, i16)> {
    let start = said.spaces(said.word(at, ",").unwrap_or(at));
    if let Some((end, year, 4)) = said.digits(start).filter(|_| start > at) {
        let end = said.word(end, "년").unwrap_or(end);
        return (1_000..3_000).contains(&year).then_some((end, year as i16));
    }
    year(said, start).filter(|(end, _)| start > at && *end >= start + 5)
}
