//! Dates in Korean: `모레`, `3월 5일`, `다음 주 화요일`, `이번 달`, `크리스마스 전날`.

mod barred;
mod holiday;
mod lunar;
mod numeric;
pub(crate) mod relative;
mod weeks;
mod written;
mod year;

use jiff::civil::Date;

pub(crate) use barred::barred;
pub(crate) use lunar::solar;
pub(crate) use written::day_number;

use crate::value::calendar::{Grain, Moment, days};
use crate::value::korean::number::cardinal;
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

/// Reads a day, or a period of whole days.
pub(crate) fn date(said: &Said, at: usize, frame: Frame) -> Timed {
    let start = said.one_of(at, EVERY).unwrap_or(at);
    let readings = [
        century(said, start),
        relative::near(said, start, frame),
        holiday::holiday(said, start, frame),
        numeric::numeric(said, start, frame),
        written::written(said, start, frame),
        weeks::weekday(said, start, frame),
        weeks::parts(said, start, frame),
        relative::relative(said, start, frame),
        relative::bare_season(said, start, frame.today()),
    ];
    let (mut end, mut found) = readings.into_iter().flatten().max_by_key(|(end, _)| *end)?;
    while let Some(next) = beside(said, end, found) {
        (end, found) = next;
    }
    Some((end, found))
}

/// What happens again and again is read as its next time.
const EVERY: &[&str] =
    &["매달 ", "매월 ", "매주 ", "매년 ", "다가오는 매월 ", "다가오는 매달 ", "오는 매월 "];

/// Reads the day before or after another: `화요일의 전날`, `추석 다음 날`.
fn beside(said: &Said, at: usize, found: Moment) -> Timed {
    if let Some(end) = said.one_of(at, &["이 있는 주", "이 속한 주", "이 든 주", "이 포함된 주"])
    {
        return Some((end, Moment::At(Grain::Week.start(found.start()), Grain::Week)));
    }
    let start = said.spaces(said.word(at, "의").unwrap_or(at));
    let before = said.one_of(start, &["전날", "하루 전날"]);
    if start == at || found.grain() < Grain::Day {
        return None;
    }
    if let Some(end) = before {
        return Some((end, day(days(found.start().date(), -1))));
    }
    let end = said.one_of(start, &["다음 날", "그 다음 날", "이튿날"])?;
    Some((end, day(found.end().date())))
}

/// Reads `21세기` as the hundred years that begin with its number less one.
fn century(said: &Said, at: usize) -> Timed {
    let (end, number) = cardinal(said, at).filter(|(_, number)| (1.0..99.0).contains(number))?;
    let end = said.word(end, " 세기")?;
    let start = Date::new(((number as i16) - 1) * 100, 1, 1).ok()?.at(0, 0, 0, 0);
    Some((end, Moment::Between(start, Grain::Year.add(start, 100), Grain::Year)))
}

/// Returns whether the number between `start` and `end` is the month or the day of a date: `5월 4일` holds no numbers.
pub(crate) fn is_part(said: &Said, start: usize, end: usize) -> bool {
    let day =
        |at: usize| cardinal(said, said.spaces(at)).is_some_and(|(end, _)| said.word(end, " 일").is_some());
    let month = said.word(end, " 월").is_some_and(day);
    let before = if said.before(start) == ' ' { said.before(start - 1) } else { said.before(start) };
    month || before == '월' && said.word(end, " 일").is_some()
}

fn day(date: Date) -> Moment {
    Moment::At(date.at(0, 0, 0, 0), Grain::Day)
}
