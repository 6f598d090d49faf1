//! Holidays in Korean: of the sun, of the moon, on the nth weekday of a month.

use jiff::civil::{Date, Weekday};

use super::lunar::solar;
use super::relative::{ahead, is_past, whole_year};
use super::year::year;
use crate::value::calendar::{Grain, Moment, days, nth_weekday};
use crate::value::easter::easter;
use crate::value::korean::{Frame, Timed, ends_word};
use crate::value::said::Said;

/// When in a year a holiday is.
#[derive(Clone, Copy)]
enum On {
    Sun(i8, i8),
    /// Month and day of the lunar calendar; the day may lie before the month.
    Moon(u32, i64),
    Nth(i8, i64, Weekday),
    Easter,
}

const HOLIDAYS: &[(&str, On)] = &[
    ("크리스마스", On::Sun(12, 25)),
    ("성탄절", On::Sun(12, 25)),
    ("크리스마스 이브", On::Sun(12, 24)),
    ("성탄 전야", On::Sun(12, 24)),
    ("신정", On::Sun(1, 1)),
    ("새해", On::Sun(1, 1)),
    ("새해 첫날", On::Sun(1, 1)),
    ("삼일절", On::Sun(3, 1)),
    ("식목일", On::Sun(4, 5)),
    ("노동절", On::Sun(5, 1)),
    ("근로자의 날", On::Sun(5, 1)),
    ("어린이날", On::Sun(5, 5)),
    ("어버이날", On::Sun(5, 8)),
    ("스승의 날", On::Sun(5, 15)),
    ("현충일", On::Sun(6, 6)),
    ("메이데이", On::Sun(5, 1)),
    ("국제 노동자의 날", On::Sun(5, 1)),
    ("독립 기념일", On::Sun(7, 4)),
    ("제헌절", On::Sun(7, 17)),
    ("광복절", On::Sun(8, 15)),
    ("개천절", On::Sun(10, 3)),
    ("한글날", On::Sun(10, 9)),
    ("국군의 날", On::Sun(10, 1)),
    ("발렌타인데이", On::Sun(2, 14)),
    ("밸런타인데이", On::Sun(2, 14)),
    ("화이트데이", On::Sun(3, 14)),
    ("만우절", On::Sun(4, 1)),
    ("할로윈", On::Sun(10, 31)),
    ("핼러윈", On::Sun(10, 31)),
    ("빼빼로데이", On::Sun(11, 11)),
    ("제야", On::Sun(12, 31)),
    ("설날", On::Moon(1, 1)),
    ("구정", On::Moon(1, 1)),
    ("섣달 그믐", On::Moon(1, 0)),
    ("섣달 그믐날", On::Moon(1, 0)),
    ("정월 대보름", On::Moon(1, 15)),
    ("대보름", On::Moon(1, 15)),
    ("부처님 오신 날", On::Moon(4, 8)),
    ("석가탄신일", On::Moon(4, 8)),
    ("초파일", On::Moon(4, 8)),
    ("단오", On::Moon(5, 5)),
    ("칠석", On::Moon(7, 7)),
    ("추석", On::Moon(8, 15)),
    ("한가위", On::Moon(8, 15)),
    ("추수감사절", On::Nth(11, 4, Weekday::Thursday)),
    ("블랙 프라이데이", On::Nth(11, 4, Weekday::Friday)),
    ("아버지의 날", On::Nth(6, 3, Weekday::Sunday)),
    ("어머니의 날", On::Nth(5, 2, Weekday::Sunday)),
    ("마틴 루터 킹 데이", On::Nth(1, 3, Weekday::Monday)),
    ("부활절", On::Easter),
];

/// Reads `추석`, `올해 설 연휴`, `지난 크리스마스`, `2019년 한글날`: without a year the next to come.
pub(super) fn holiday(said: &Said, at: usize, frame: Frame) -> Timed {
    let today = frame.today();
    let named = year(said, at).or_else(|| whole_year(said, at, today));
    let side = ahead(said, at).filter(|_| named.is_none());
    let start = named.map(|(end, _)| end).or(side.map(|(end, _)| end));
    let start = said.spaces(start.unwrap_or(at));
    let (end, on) = said
        .any(start, HOLIDAYS)
        .or_else(|| Some((said.word(start, "설")?, On::Moon(1, 1))).filter(alone(said)))?;
    let date = match (named, side) {
        (Some((_, year)), _) => on.of(year)?,
        _ if said.at(at) == '올' && start > at => on.of(today.year())?,
        (_, Some(side)) if is_past(side.1) => {
            (-1..=0).rev().filter_map(|back| on.of(today.year() + back)).find(|date| *date < today)?
        }
        _ => (0..9).filter_map(|ahead| on.of(today.year() + ahead)).find(|date| *date >= today)?,
    };
    match said.word(end, " 연휴").filter(|_| matches!(on, On::Moon(1 | 8, _))) {
        // The eve and the day after are holidays too.
        Some(end) => {
            let eve = days(date, -1).at(0, 0, 0, 0);
            Some((end, Moment::Between(eve, Grain::Day.add(eve, 3), Grain::Day)))
        }
        None => Some((said.word(end, " 당일").unwrap_or(end), super::day(date))),
    }
}

/// A new year of one syllable stands alone or before its days off: 설계 begins otherwise.
fn alone(said: &Said) -> impl Fn(&(usize, On)) -> bool {
    move |(end, _)| {
        ends_word(said, *end) && said.before(end - 1) != '건' || said.word(*end, " 연휴").is_some()
    }
}

// === On ===

impl On {
    fn of(self, year: i16) -> Option<Date> {
        match self {
            Self::Sun(month, day) => Date::new(year, month, day).ok(),
            Self::Moon(month, day) => solar(year, month, day),
            Self::Nth(month, nth, weekday) => nth_weekday(year, month, nth, weekday),
            Self::Easter => easter(year),
        }
    }
}
