//! Korean moments at a distance: this long from now or from a day, the last so many days, the rest of today.

use crate::value::calendar::{Grain, Moment, days};
use crate::value::conventions::{Rolling, Within};
use crate::value::frame::part_of;
use crate::value::korean::duration::duration;
use crate::value::korean::period::on;
use crate::value::korean::time::{clock, part};
use crate::value::korean::{Frame, Timed};
use crate::value::said::Said;

/// Reads a period up to today: `올해 현재까지`.
pub(super) fn so_far(said: &Said, day: Timed, frame: Frame) -> Timed {
    let (end, period) = day?;
    let end = said.one_of(end, &[" 현재까지", " 지금까지", " 들어 지금까지", " 오늘까지"])?;
    let tomorrow = days(frame.today(), 1).at(0, 0, 0, 0);
    (period.start() < frame.now).then(|| (end, Moment::Between(period.start(), tomorrow, Grain::Day)))
}

/// Reads the rest of today: `남은 하루`, `오늘 남은 하루`.
pub(super) fn rest(said: &Said, at: usize, frame: Frame) -> Timed {
    let end = said.one_of(at, &["오늘 남은 하루", "남은 하루", "오늘 하루 남은 시간"])?;
    let tomorrow = days(frame.today(), 1).at(0, 0, 0, 0);
    Some((end, Moment::Between(frame.now, tomorrow, Grain::Minute)))
}

/// Reads `어제로부터 4일 후`, `오늘부터 2주 뒤`, `지금으로부터 한 시간 뒤`, `크리스마스 3일 전`, `세 시부터 30분 뒤까지`.
pub(super) fn from_base(said: &Said, at: usize, base: Timed, frame: Frame) -> Timed {
    let (end, base) = match said.one_of(at, &["지금", "현재"]) {
        Some(end) => (end, Moment::At(frame.now, Grain::Second)),
        None => base?,
    };
    let joint = said.one_of(end, &["으로부터", "로부터", "부터", " 이후로", "에서"]);
    let beside = said.word(end, " ").filter(|start| *start > end && base.grain() == Grain::Day);
    let (end, amount) = duration(said, said.spaces(joint.or(beside)?))?;
    if joint.is_none() && amount.grain() < Grain::Day {
        return None;
    }
    let ways = [
        (" 뒤", 1),
        (" 후", 1),
        (" 전", -1),
        (" 있다가", 1),
        (" 있다", 1),
        (" 이내", 2),
        (" 안", 2),
        (" 동안", 2),
    ];
    // 내일부터 3주간 ends where its length does.
    let lasting = said.before(end) == '간' && amount.grain() >= Grain::Day && joint.is_some();
    if lasting && said.any(end, &ways).is_none() {
        return Some((end, Moment::Between(base.start(), amount.moved(base.start(), true), Grain::Day)));
    }
    let (end, way) = said.any(end, &ways)?;
    let moved = amount.moved(base.start(), way > 0);
    let fine = amount.grain() < Grain::Day || base.grain() < Grain::Day;
    let grain = if fine { frame.grain_away(&amount).min(Grain::Minute) } else { Grain::Day };
    let there = Moment::At(grain.start(moved), grain);
    if let Some(end) = said.one_of(end, &["까지", "에까지"]).filter(|_| joint.is_some()) {
        let last = if grain < Grain::Day { there.start() } else { there.end() };
        return (last > base.start()).then(|| (end, Moment::Between(base.start(), last, grain)));
    }
    if way == 2 {
        let end = said.word(end, "에").unwrap_or(end);
        return Some((end, Moment::Between(base.start(), moved, Grain::Day)));
    }
    Some((said.word(end, "에").unwrap_or(end), there))
}

/// Reads `삼십 분 뒤`, `2주 전`, `한 시간 안에`, `3일 뒤 오전 열 시`.
pub(super) fn from_now(said: &Said, at: usize, frame: Frame) -> Timed {
    let words = ["약 ", "대략 ", "앞으로 ", "다음 ", "지금부터 "];
    let start = said.one_of(at, &words).filter(|start| *start > at).unwrap_or(at);
    let (end, amount) = duration(said, start)?;
    let ways = [
        (" 뒤", 1),
        (" 후", 1),
        (" 있다가", 1),
        (" 이따가", 1),
        (" 이후", 2),
        (" 안", 3),
        (" 내", 3),
        (" 이내", 3),
        (" 전", -1),
        (" 이전", -1),
        (" 지나서", 1),
        ("뒤에", 1),
    ];
    if said.word(end, " 내내").is_some() || said.one_of(end, &[" 전날", " 후반", " 안되", " 전체"]).is_some()
    {
        return None;
    }
    let (end, way) = said.any(end, &ways)?;
    // 2018년 이후 is after that year.
    if matches!(amount.parts[..], [(1000.0.., Grain::Year)]) {
        return None;
    }
    let end = said.word(end, "에").unwrap_or(end);
    let moved = amount.moved(frame.now, way > 0);
    let grain = frame.grain_away(&amount);
    let there = Moment::At(grain.start(moved), grain);
    match (way, frame.conventions.within) {
        (2, _) => Some((end, Moment::After(there.start(), grain))),
        (3, Within::Nothing) => None,
        (3, Within::Period) if amount.grain() < Grain::Day => {
            Some((end, Moment::Between(frame.now, moved, grain)))
        }
        (3, Within::Period) => {
            let today = Grain::Day.start(frame.now);
            Some((end, Moment::Between(today, Grain::Day.add(Grain::Day.start(moved), 1), Grain::Day)))
        }
        _ => Some(timed_on(said, end, there, amount.grain(), frame).unwrap_or((end, there))),
    }
}

/// Reads the time of a day that is so many days away.
fn timed_on(said: &Said, at: usize, there: Moment, said_in: Grain, frame: Frame) -> Timed {
    if said_in < Grain::Day {
        return None;
    }
    let day = Grain::Day.start(there.start());
    let next = said.spaces(at);
    if let Some(end) = said.one_of(next, &["이 시각", "이 시간", "같은 시각", "같은 시간"]) {
        return Some((end, Moment::At(day.date().to_datetime(frame.now.time()), Grain::Minute)));
    }
    if let Some((end, clock)) = clock(said, next) {
        return Some((end, on(day, clock, frame)));
    }
    part(said, next, frame).map(|(end, hours)| (end, part_of(day, hours)))
}

/// Reads `지난 두 시간`, `다음 3주`: see [`Rolling`].
pub(super) fn rolling(said: &Said, at: usize, frame: Frame) -> Timed {
    let words = [
        ("지난", false),
        ("최근", false),
        ("다음", true),
        ("향후", true),
        ("다가오는", true),
        ("과거", false),
        ("앞으로", true),
        ("저번", false),
    ];
    let (after, forward) = said.any(at, &words)?;
    let (end, amount) = duration(said, said.spaces(after))?;
    let [(count, grain)] = amount.parts[..] else { return None };
    let length = said.one_of(end, &[" 동안", "간", " 내내"]).is_some() || said.before(end) == '간';
    let dated = said.before(end) == '일' && frame.conventions.last_day_is_a_date && !length;
    let within = said.one_of(end, &[" 이내", " 안에", " 내에"]).is_some();
    if count.fract() != 0.0 || dated || within && forward && grain < Grain::Day {
        return None;
    }
    let days_too = frame.conventions.rolling == Rolling::Days;
    let base = if days_too && grain >= Grain::Day { Grain::Day } else { grain };
    let here = if days_too && grain < Grain::Day { frame.now } else { base.start(frame.now) };
    let count = count as i64;
    let moment = match forward {
        true if days_too && grain < Grain::Day => Moment::Between(here, grain.add(here, count), grain),
        true => {
            // Whole units begin with the next, days with tomorrow.
            let start = base.add(here, 1);
            Moment::Between(start, grain.add(start, count), base)
        }
        false => Moment::Between(grain.add(here, -count), here, base),
    };
    Some((end, moment))
}
