//! Dates in Korean: `모레`, `3월 5일`, `다음 주 화요일`, `보름 뒤`, `이번 달`, `크리스마스`.

use jiff::civil::{Date, DateTime, Weekday};

use crate::value::calendar::{Grain, Moment, days, full_year, monday, next_date, next_weekday, nth_weekday};
use crate::value::korean::Timed;
use crate::value::korean::number::cardinal;
use crate::value::said::{Said, is_hangul};

const NEAR: &[(&str, i64)] = &[
    ("오늘", 0),
    ("그 날", 0),
    ("이 날", 0),
    ("지난 날", -1),
    ("바로 전날", -1),
    ("금일", 0),
    ("당일", 0),
    ("내일", 1),
    ("명일", 1),
    ("익일", 1),
    ("다음 날", 1),
    ("모레", 2),
    ("내일모레", 2),
    ("내일 모레", 2),
    ("글피", 3),
    ("그글피", 4),
    ("어제", -1),
    ("작일", -1),
    ("전날", -1),
    ("그제", -2),
    ("그저께", -2),
    ("엊그제", -2),
    ("엊그저께", -2),
    ("어제 그제", -2),
    ("그끄저께", -3),
];
const WEEKDAYS: &[(&str, Weekday)] = &[
    ("월요일", Weekday::Monday),
    ("화요일", Weekday::Tuesday),
    ("수요일", Weekday::Wednesday),
    ("목요일", Weekday::Thursday),
    ("금요일", Weekday::Friday),
    ("토요일", Weekday::Saturday),
    ("일요일", Weekday::Sunday),
];
const RELATIVE: &[(&str, i64)] = &[
    ("이번", 0),
    ("이", 0),
    ("금", 0),
    ("다음", 1),
    ("오는", 1),
    ("다가오는", 1),
    ("돌아오는", 1),
    ("내", 1),
    ("차", 1),
    ("담", 1),
    ("다다음", 2),
    ("지난", -1),
    ("저번", -1),
    ("전", -1),
    ("작", -1),
    ("지지난", -2),
    ("저저번", -2),
    ("올", 0),
];
const PERIODS: &[(&str, Grain)] = &[
    (" 주", Grain::Week),
    (" 달", Grain::Month),
    (" 월", Grain::Month),
    (" 분기", Grain::Quarter),
    (" 해", Grain::Year),
    (" 년", Grain::Year),
    (" 년도", Grain::Year),
    (" 연도", Grain::Year),
];
const WHOLE: &[(&str, (i64, Grain))] = &[
    ("올해", (0, Grain::Year)),
    ("금년", (0, Grain::Year)),
    ("내년", (1, Grain::Year)),
    ("명년", (1, Grain::Year)),
    ("후년", (2, Grain::Year)),
    ("내후년", (2, Grain::Year)),
    ("작년", (-1, Grain::Year)),
    ("지난해", (-1, Grain::Year)),
    ("재작년", (-2, Grain::Year)),
    ("금주", (0, Grain::Week)),
    ("전주", (-1, Grain::Week)),
    ("차주", (1, Grain::Week)),
    ("금월", (0, Grain::Month)),
    ("내달", (1, Grain::Month)),
    ("익월", (1, Grain::Month)),
    ("전월", (-1, Grain::Month)),
    ("이달", (0, Grain::Month)),
];
/// Holidays with a fixed date of the solar calendar.
const HOLIDAYS: &[(&str, (i8, i8))] = &[
    ("크리스마스", (12, 25)),
    ("성탄절", (12, 25)),
    ("크리스마스이브", (12, 24)),
    ("크리스마스 이브", (12, 24)),
    ("신정", (1, 1)),
    ("새해", (1, 1)),
    ("새해 첫날", (1, 1)),
    ("설날", (1, 1)),
    ("삼일절", (3, 1)),
    ("식목일", (4, 5)),
    ("노동절", (5, 1)),
    ("근로자의 날", (5, 1)),
    ("어린이날", (5, 5)),
    ("어버이날", (5, 8)),
    ("스승의 날", (5, 15)),
    ("현충일", (6, 6)),
    ("메이데이", (5, 1)),
    ("국제 노동자의 날", (5, 1)),
    ("독립 기념일", (7, 4)),
    ("제헌절", (7, 17)),
    ("광복절", (8, 15)),
    ("개천절", (10, 3)),
    ("한글날", (10, 9)),
    ("국군의 날", (10, 1)),
    ("발렌타인데이", (2, 14)),
    ("밸런타인데이", (2, 14)),
    ("화이트데이", (3, 14)),
    ("만우절", (4, 1)),
    ("할로윈", (10, 31)),
    ("핼러윈", (10, 31)),
    ("섣달그믐날", (12, 31)),
];
const SEASONS: &[(&str, [(i8, i8); 2])] = &[
    ("봄", [(3, 20), (6, 21)]),
    ("여름", [(6, 21), (9, 24)]),
    ("가을", [(9, 23), (12, 22)]),
    ("겨울", [(12, 21), (3, 21)]),
];

/// Reads a day, or a period of whole days.
pub(crate) fn date(said: &Said, at: usize, now: DateTime) -> Timed {
    let today = now.date();
    let readings = [
        century(said, at),
        near(said, at, today),
        holiday(said, at, today),
        numeric(said, at, today),
        written(said, at, today),
        weekday(said, at, today),
        relative(said, at, now),
    ];
    readings.into_iter().flatten().max_by_key(|(end, _)| *end)
}

/// Reads `21세기` as the hundred years that begin with its number less one.
fn century(said: &Said, at: usize) -> Timed {
    let (end, number) = cardinal(said, at).filter(|(_, number)| (1.0..99.0).contains(number))?;
    let end = said.word(end, " 세기")?;
    let start = Date::new(((number as i16) - 1) * 100, 1, 1).ok()?.at(0, 0, 0, 0);
    Some((end, Moment::Between(start, Grain::Year.add(start, 100), Grain::Year)))
}

fn day(date: Date) -> Moment {
    Moment::At(date.at(0, 0, 0, 0), Grain::Day)
}

fn near(said: &Said, at: usize, today: Date) -> Timed {
    let (end, ahead) = said.any(at, NEAR)?;
    Some((end, day(days(today, ahead))))
}

fn holiday(said: &Said, at: usize, today: Date) -> Timed {
    let (start, year) = match year(said, at).or_else(|| whole_year(said, at, today)) {
        Some((end, year)) => (said.spaces(end), Some(year)),
        None => (at, None),
    };
    if let Some(found) = moving_holiday(said, start, year, today) {
        return Some(found);
    }
    let (end, (month, day_of)) = said.any(start, HOLIDAYS)?;
    let date = match year {
        Some(year) => Date::new(year, month, day_of).ok()?,
        None => next_date(today, month, day_of)?,
    };
    Some((end, day(date)))
}

/// Holidays on the nth weekday of a month.
const MOVING: &[(&str, (i8, i64, Weekday))] = &[
    ("추수감사절", (11, 4, Weekday::Thursday)),
    ("아버지의 날", (6, 3, Weekday::Sunday)),
    ("어머니의 날", (5, 2, Weekday::Sunday)),
    ("마틴 루터 킹 데이", (1, 3, Weekday::Monday)),
    ("블랙 프라이데이", (11, 4, Weekday::Friday)),
];

fn moving_holiday(said: &Said, at: usize, year: Option<i16>, today: Date) -> Timed {
    let (end, (month, nth, weekday)) = said.any(at, MOVING)?;
    let of = |year| nth_weekday(year, month, nth, weekday);
    let date = match year {
        Some(year) => of(year)?,
        None => of(today.year()).filter(|date| *date >= today).or_else(|| of(today.year() + 1))?,
    };
    Some((end, day(date)))
}

/// Reads `2015년`, `이천십오년`, `12년` as a year.
fn year(said: &Said, at: usize) -> Option<(usize, i16)> {
    let (end, value) = cardinal(said, at)?;
    let end = said.word(end, " 년")?;
    if said.one_of(end, &["간", " 전", " 뒤", " 후", " 반", " 안", " 내", " 동안", " 이내"]).is_some()
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

/// Reads `올해`, `내년` as a year.
fn whole_year(said: &Said, at: usize, today: Date) -> Option<(usize, i16)> {
    let (end, (ahead, grain)) = said.any(at, WHOLE)?;
    (grain == Grain::Year).then(|| (end, today.year() + ahead as i16))
}

fn numeric(said: &Said, at: usize, today: Date) -> Timed {
    let (end, first, digits) = said.digits(at)?;
    let separator = said.at(end);
    if !matches!(separator, '/' | '-' | '.') || said.before(at) == separator {
        return None;
    }
    let (end, second, _) = said.digits(said.spaces(end + 1)).filter(|(_, _, digits)| *digits <= 2)?;
    let third = (said.at(end) == separator).then(|| said.digits(said.spaces(end + 1))).flatten();
    let date = match third {
        Some((end, third, count @ (1 | 2))) => {
            let year_first = Date::new(full_year(first, digits)?, second as i8, third as i8).ok();
            let date =
                year_first.or_else(|| Date::new(full_year(third, count)?, first as i8, second as i8).ok())?;
            Some((end, date))
        }
        Some((end, year, 4)) if digits <= 2 => {
            let of = |month: i64, day: i64| Date::new(year as i16, month as i8, day as i8).ok();
            of(first, second).or_else(|| of(second, first)).map(|date| (end, date))
        }
        _ if separator == '/' && digits <= 2 => Some((end, next_date(today, first as i8, second as i8)?)),
        _ => None,
    };
    let (end, date) = date?;
    (!said.at(end).is_ascii_digit()).then(|| (with_weekday(said, end), day(date)))
}

/// Reads a weekday that only repeats the date: `2월 18일 월요일`, `3월 5일(화)`.
fn with_weekday(said: &Said, at: usize) -> usize {
    let plain = said.any(said.spaces(at), WEEKDAYS).map(|(end, _)| end);
    let short = ["(월)", "(화)", "(수)", "(목)", "(금)", "(토)", "(일)"];
    plain.or_else(|| said.one_of(said.spaces(at), &short)).unwrap_or(at)
}

fn month_number(said: &Said, at: usize) -> Option<(usize, i8)> {
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

fn day_number(said: &Said, at: usize, leaning: bool) -> Option<(usize, i8)> {
    let (end, number) = cardinal(said, said.spaces(at))?;
    let (end, number) = match said.word(end, " 일") {
        Some(after) => (after, number),
        // The last syllable of 십일 may be the day itself.
        None if leaning && said.before(end) == '일' && number > 10.0 && number % 10.0 == 1.0 => {
            (end, number - 1.0)
        }
        None => return None,
    };
    let other = ["요일", "간", " 전", " 뒤", " 후", " 안", " 내", " 동안", "째", " 이내"];
    let fits = (1.0..=31.0).contains(&number) && number.fract() == 0.0 && said.one_of(end, &other).is_none();
    fits.then_some((end, number as i8))
}

/// Reads `2015년 3월 3일`, `10월 첫째 화요일`, `2014년 10월`, `15일`, `2018년 4분기`, `12년`.
fn written(said: &Said, at: usize, today: Date) -> Timed {
    let year =
        year(said, at).or_else(|| whole_year(said, at, today)).or_else(|| relative_year(said, at, today));
    let start = year.map_or(at, |(end, _)| said.spaces(end));
    if let Some(found) = quarter(said, start, year.map(|(_, year)| year), today) {
        return Some(found);
    }
    if let Some((end, month)) = month_number(said, start) {
        return in_month(said, end, month, year.map(|(_, year)| year), today);
    }
    if let Some((end, month)) = relative_month(said, at, today) {
        return in_month(said, end, month.month(), Some(month.year()), today);
    }
    if let Some((end, year)) = year {
        if let Some(found) = in_year(said, end, year) {
            return Some(found);
        }
        return Some((end, Moment::At(Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0), Grain::Year)));
    }
    if let Some(found) = placed(said, at, today.first_of_month()) {
        return Some(found);
    }
    let (end, number) = day_number(said, at, false)?;
    let this = (0..13).map(|ahead| Grain::Month.add(Grain::Month.start(today.at(0, 0, 0, 0)), ahead).date());
    let date = this
        .filter_map(|month| Date::new(month.year(), month.month(), number).ok())
        .find(|date| *date >= today)?;
    Some((with_weekday(said, end), day(date)))
}

fn relative_year(said: &Said, at: usize, today: Date) -> Option<(usize, i16)> {
    let (end, ahead) = said.any(at, RELATIVE)?;
    let end = said.one_of(end, &[" 해", " 년"])?;
    Some((end, today.year() + ahead as i16))
}

/// Reads `이번 달`, `다음 달`.
fn relative_month(said: &Said, at: usize, today: Date) -> Option<(usize, Date)> {
    let (end, ahead) = said.any(at, RELATIVE)?;
    let end = said.word(end, " 달")?;
    Some((end, Grain::Month.add(today.first_of_month().at(0, 0, 0, 0), ahead).date()))
}

/// Reads what follows a year: `2000년대`, `2015년 첫 번째 주`, `2016년 여름`.
fn in_year(said: &Said, at: usize, year: i16) -> Timed {
    if let Some(end) = said.word(at, "대") {
        let start = Date::new(year - year.rem_euclid(10), 1, 1).ok()?.at(0, 0, 0, 0);
        return Some((end, Moment::Between(start, Grain::Year.add(start, 10), Grain::Year)));
    }
    let start = said.spaces(at);
    if let Some((end, [from, to])) = said.any(start, SEASONS) {
        let from = Date::new(year, from.0, from.1).ok()?.at(0, 0, 0, 0);
        let to =
            Date::new(if to.0 < from.month() { year + 1 } else { year }, to.0, to.1).ok()?.at(0, 0, 0, 0);
        return Some((end, Moment::Between(from, to, Grain::Day)));
    }
    let (after, nth) = said.any(start, PLACES)?;
    let end = said.one_of(said.spaces(after), &["주", "주일", "주간"])?;
    // The first week of a year is the one with its fourth of January (ISO 8601).
    let week = match nth {
        -1 => monday(Date::new(year, 12, 28).ok()?),
        nth => days(monday(Date::new(year, 1, 4).ok()?), 7 * (nth - 1)),
    };
    Some((end, Moment::At(week.at(0, 0, 0, 0), Grain::Week)))
}

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

/// Reads `첫째 화요일`, `둘째 주 일요일`, `셋째 주` of a month.
fn placed(said: &Said, at: usize, of: Date) -> Timed {
    let (after, nth) = said.any(at, PLACES)?;
    let after = said.spaces(after);
    let week = said.one_of(after, &["주", "주일", "주간"]);
    if let Some((end, weekday)) = said.any(said.spaces(week.unwrap_or(after)), WEEKDAYS) {
        return Some((end, day(nth_weekday(of.year(), of.month(), nth, weekday)?)));
    }
    Some((week?, nth_week(of, nth)))
}

fn in_month(said: &Said, at: usize, month: i8, year: Option<i16>, today: Date) -> Timed {
    let first = Date::new(today.year(), month, 1).ok()?;
    // A month without a year is this one or the next to come.
    let year_of =
        year.unwrap_or(if first < today.first_of_month() { today.year() + 1 } else { today.year() });
    if let Some((end, number)) = day_number(said, at, true) {
        let date = match year {
            Some(year) => Date::new(year, month, number).ok()?,
            None => next_date(today, month, number)?,
        };
        let end = with_weekday(said, end);
        if let Some((end, year)) = year_behind(said, end).filter(|_| year.is_none()) {
            return Some((end, day(Date::new(year, month, number).ok()?)));
        }
        return Some((end, day(date)));
    }
    let of = Date::new(year_of, month, 1).ok()?;
    let start = said.spaces(said.word(at, "의").unwrap_or(at));
    if let Some(end) = said.one_of(start, &["마지막 날", "말일"]) {
        return Some((end, day(of.last_of_month())));
    }
    if let Some(found) = placed(said, start, of) {
        return Some(found);
    }
    let parts = [
        (" 초", (1_i8, 11_i8)),
        (" 중순", (11, 21)),
        (" 초순", (1, 11)),
        (" 하순", (21, 0)),
        (" 말", (21, 0)),
    ];
    if let Some((end, (from, to))) =
        said.any(at, &parts).filter(|(end, _)| !is_hangul(said.at(*end)) || said.at(*end) == '에')
    {
        let until = if to == 0 { days(of.last_of_month(), 1) } else { Date::new(year_of, month, to).ok()? };
        let from = Date::new(year_of, month, from).ok()?;
        return Some((end, Moment::Between(from.at(0, 0, 0, 0), until.at(0, 0, 0, 0), Grain::Day)));
    }
    Some((at, Moment::At(of.at(0, 0, 0, 0), Grain::Month)))
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

/// A week belongs to the month that has most of its days, so the first of a month is the one with its fourth day.
fn nth_week(of: Date, nth: i64) -> Moment {
    let start = match nth {
        -1 => monday(days(of.last_of_month(), -3)),
        nth => days(monday(days(of, 3)), 7 * (nth - 1)),
    };
    Moment::At(start.at(0, 0, 0, 0), Grain::Week)
}

fn quarter(said: &Said, at: usize, year: Option<i16>, today: Date) -> Timed {
    let start = said.word(at, "제").unwrap_or(at);
    let halves = [("상반기", 1), ("하반기", 7)];
    if let Some((end, month)) = said.any(at, &halves) {
        let from = Date::new(year.unwrap_or(today.year()), month, 1).ok()?.at(0, 0, 0, 0);
        return Some((end, Moment::Between(from, Grain::Month.add(from, 6), Grain::Month)));
    }
    let (end, number) = cardinal(said, start)?;
    let end = said.one_of(end, &[" 분기", " 사분기", "/4분기", "사분기"])?;
    if !(1.0..=4.0).contains(&number) {
        return None;
    }
    let first = Date::new(year.unwrap_or(today.year()), number as i8 * 3 - 2, 1).ok()?;
    Some((end, Moment::At(first.at(0, 0, 0, 0), Grain::Quarter)))
}

/// Reads `화요일`, `이번 주 화요일`, `다음 화요일`, `지난주 일요일`.
fn weekday(said: &Said, at: usize, today: Date) -> Timed {
    if let Some((end, weekday)) = said.any(at, WEEKDAYS) {
        // A weekday in front of a date only repeats it.
        let next = said.spaces(said.word(end, ",").unwrap_or(end));
        let dated = written(said, next, today).filter(|(_, found)| next > end && found.grain() == Grain::Day);
        return dated.or_else(|| Some((end, day(next_weekday(today, weekday)))));
    }
    let (after, ahead) = said.any(at, RELATIVE)?;
    let week = said.one_of(after, &[" 주의", " 주", " 주간"]);
    let (end, weekday) = said.any(said.spaces(week.unwrap_or(after)), WEEKDAYS)?;
    let offset = i64::from(weekday.to_monday_zero_offset());
    let date = match (ahead, week) {
        (0, None) => next_weekday(days(today, -1), weekday),
        (ahead, _) => days(monday(today), 7 * ahead + offset),
    };
    Some((end, day(date)))
}

/// Reads `이번 주`, `다음 달`, `올해`, `지난 주말`, `이번 여름`, `다음 3월`.
fn relative(said: &Said, at: usize, now: DateTime) -> Timed {
    if let Some((end, (ahead, grain))) = said.any(at, WHOLE) {
        return Some((end, Moment::At(grain.add(grain.start(now), ahead), grain)));
    }
    let today = now.date();
    if let Some(end) = said.word(at, "주말") {
        return Some((end, weekend(today, 0)));
    }
    let (after, ahead) = said.any(at, RELATIVE)?;
    if let Some(end) = said.word(after, " 주말").or_else(|| said.word(said.word(after, " 주")?, " 주말"))
    {
        return Some((end, weekend(today, ahead)));
    }
    if let Some((end, [from, to])) = said.any(said.spaces(after), SEASONS) {
        return season(today, ahead, from, to).map(|season| (end, season));
    }
    if let Some((end, month)) = month_number(said, said.spaces(after)).filter(|_| after > at + 1) {
        let first = Date::new(today.year(), month, 1).ok()?;
        let late = first <= today.first_of_month();
        let year = today.year()
            + match ahead {
                0 => 0,
                1 => i16::from(late),
                _ => -i16::from(!late),
            };
        return in_month(said, end, month, Some(year), today);
    }
    let (end, grain) = said.any(after, PERIODS)?;
    let single = after == at + 1 && said.at(after) != ' ' && grain != Grain::Month && said.at(at) != '이';
    (!single || said.at(at) == '전').then(|| (end, Moment::At(grain.add(grain.start(now), ahead), grain)))
}

fn weekend(today: Date, ahead: i64) -> Moment {
    let saturday = days(monday(today), 5 + 7 * ahead).at(0, 0, 0, 0);
    Moment::Between(saturday, Grain::Day.add(saturday, 2), Grain::Day)
}

fn season(today: Date, ahead: i64, from: (i8, i8), to: (i8, i8)) -> Option<Moment> {
    let mut year = today.year() + ahead as i16;
    // In January and February this winter began last year.
    if from.0 == 12 && today.month() < 4 {
        year -= 1;
    }
    let start = Date::new(year, from.0, from.1).ok()?;
    let end = Date::new(if to.0 < from.0 { year + 1 } else { year }, to.0, to.1).ok()?;
    Some(Moment::Between(start.at(0, 0, 0, 0), end.at(0, 0, 0, 0), Grain::Day))
}
