//! Moments in Korean put together: a date with a time, from here to there, this long from now.

use jiff::civil::DateTime;

use crate::value::calendar::{Amount, Grain, Moment};
use crate::value::korean::Timed;
use crate::value::korean::date::date;
use crate::value::korean::duration::duration;
use crate::value::korean::time::{Clock, Part, clock, part};
use crate::value::said::Said;

/// Reads a moment or a period.
pub(crate) fn moment(said: &Said, at: usize, now: DateTime) -> Timed {
    let (end, first) = single(said, at, now)?;
    if let Some(found) = until(said, at, end, first, now) {
        return Some(found);
    }
    let bounds = [
        (" 이후로", true),
        (" 이후", true),
        (" 지나서", true),
        (" 이전", false),
        (" 이전에", false),
        (" 전에", false),
        (" 전", false),
        ("까지", false),
        (" 까지", false),
        (" 후", true),
        (" 넘어서", true),
    ];
    let (bound_end, after) = match said.any(end, &bounds) {
        // 후반 is the second half of something and no bound.
        Some(bound) if !matches!(said.at(bound.0), '반' | '보') => bound,
        _ => return Some((end, first)),
    };
    let grain = first.grain();
    match (first, after) {
        (Moment::At(at, _) | Moment::Between(at, _, _), true) => Some((bound_end, Moment::After(at, grain))),
        // Until Sunday has Sunday in it, before Sunday has not.
        (moment @ Moment::At(..), false)
            if grain >= Grain::Day && said.slice(end..bound_end).contains("까지") =>
        {
            Some((bound_end, Moment::Before(moment.end(), grain)))
        }
        (Moment::At(at, _), false) => Some((bound_end, Moment::Before(at, grain))),
        _ => Some((end, first)),
    }
}

/// Reads one moment: now, this long from now, a date, a time, both.
fn single(said: &Said, at: usize, now: DateTime) -> Timed {
    if let Some(found) = from_base(said, at, now) {
        return Some(found);
    }
    if let Some(end) = said.one_of(at, &["지금", "방금", "현재", "지금 당장", "당장", "이 순간"])
    {
        return Some((end, Moment::At(now, Grain::Second)));
    }
    from_now(said, at, now)
        .or_else(|| rolling(said, at, now))
        .or_else(|| dated(said, at, now))
        .or_else(|| timed(said, at, now))
}

/// Reads `어제로부터 4일 후`, `오늘부터 2주 뒤`, `지금으로부터 한 시간 뒤`.
fn from_base(said: &Said, at: usize, now: DateTime) -> Timed {
    let (end, base) = match said.one_of(at, &["지금", "현재"]) {
        Some(end) => (end, Moment::At(now, Grain::Second)),
        None => date(said, at, now)?,
    };
    let start = said.one_of(end, &["으로부터", "로부터", "부터", " 이후로", "에서"])?;
    let (end, amount) = duration(said, said.spaces(start))?;
    let (end, forward) = said.any(end, &[(" 뒤", true), (" 후", true), (" 전", false), (" 있다가", true)])?;
    let grain = if base.grain() == Grain::Second { shown(&amount) } else { Grain::Day };
    let end = said.word(end, "에").unwrap_or(end);
    Some((end, Moment::At(grain.start(amount.moved(base.start(), forward)), grain)))
}

/// Reads `삼십 분 뒤`, `2주 전`, `한 시간 안에`.
fn from_now(said: &Said, at: usize, now: DateTime) -> Timed {
    let start =
        said.one_of(at, &["약 ", "대략 ", "앞으로 ", "지금부터 "]).filter(|start| *start > at).unwrap_or(at);
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
    if said.word(end, " 내내").is_some() {
        return None;
    }
    let (end, way) = said.any(end, &ways)?;
    let end = said.word(end, "에").unwrap_or(end);
    let moved = amount.moved(now, way > 0);
    let grain = shown(&amount);
    let at = grain.start(moved);
    Some((end, if way == 2 { Moment::After(at, grain) } else { Moment::At(at, grain) }))
}

/// A moment so many days away is known to the hour, so many hours away to the minute; a broken one to the second.
fn shown(amount: &Amount) -> Grain {
    if amount.is_broken() { Grain::Second } else { amount.grain().finer() }
}

/// Reads `지난 두 시간`, `다음 3주`: so many whole units up to now or from now.
fn rolling(said: &Said, at: usize, now: DateTime) -> Timed {
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
    if count.fract() != 0.0 {
        return None;
    }
    let here = grain.start(now);
    let count = count as i64;
    let moment = match forward {
        true => Moment::Between(grain.add(here, 1), grain.add(here, 1 + count), grain),
        false => Moment::Between(grain.add(here, -count), here, grain),
    };
    Some((end, moment))
}

/// Reads a date and what stands after it: a time, a part of the day.
fn dated(said: &Said, at: usize, now: DateTime) -> Timed {
    let (end, day) = date(said, at, now)?;
    let Moment::At(start, Grain::Day) = day else { return Some((end, day)) };
    let next = said.spaces(said.one_of(end, &["에", "의", ","]).unwrap_or(end));
    if let Some((end, clock)) = clock(said, next) {
        let today = start.date() == now.date();
        return Some((end, on(start, clock, today.then_some(now))));
    }
    match part(said, next) {
        Some((end, part)) => Some((end, part_of(start, part))),
        None => Some((end, day)),
    }
}

/// Puts a time on a day; an open half of the day is the next to come today, and as said on any other day.
fn on(day: DateTime, clock: Clock, now: Option<DateTime>) -> Moment {
    let mut at = Grain::Second.add(day, clock.seconds);
    if clock.open
        && let Some(now) = now
        && at <= now
    {
        at = Grain::Hour.add(at, 12);
    }
    Moment::At(at, clock.grain)
}

fn part_of(day: DateTime, part: Part) -> Moment {
    Moment::Between(Grain::Hour.add(day, part.start), Grain::Hour.add(day, part.end), Grain::Hour)
}

/// Reads a time of the day without a date: the next to come.
fn timed(said: &Said, at: usize, now: DateTime) -> Timed {
    let today = Grain::Day.start(now);
    if let Some((end, clock)) = clock(said, at) {
        let step = if clock.open { 12 } else { 24 };
        let mut moment = Grain::Second.add(today, clock.seconds);
        while moment <= now {
            moment = Grain::Hour.add(moment, step);
        }
        return Some((end, Moment::At(moment, clock.grain)));
    }
    let this = said.one_of(at, &["이번 ", "이번"]).unwrap_or(at);
    let (end, part) = part(said, this)?;
    Some((end, part_of(today, part)))
}

/// Reads the end of a period that starts with `first`: `부터 … 까지`, `에서 …`, `~`, `-`.
fn until(said: &Said, at: usize, end: usize, first: Moment, now: DateTime) -> Timed {
    let joints = ["부터", " 부터", "에서", " 에서", " ~ ", "~", " - ", "-", "과", "와", " 에서 "];
    let joint = said.one_of(end, &joints)?;
    let start = said.spaces(joint);
    let grain = first.grain();
    let base = first.start();
    let (last_end, last) = match grain >= Grain::Day {
        true => same_month(said, start, base)
            .or_else(|| date(said, start, Grain::Second.add(base, 1)).or_else(|| date(said, start, now)))?,
        false => later(said, start, base, now)?,
    };
    let closed = said.one_of(last_end, &["까지", " 까지", " 사이에", " 사이", "의 사이"]);
    let soft = matches!(said.before(joint), '과' | '와') || said.slice(end..joint).contains('에');
    if closed.is_none() && soft {
        return None;
    }
    // From two to four ends at four; from Monday to Friday ends with Friday.
    let to = if last.grain() < Grain::Day { last.start() } else { last.end() };
    let base = half_of(said, at, start, base, to);
    (to > base).then(|| (closed.unwrap_or(last_end), Moment::Between(base, to, last.grain().min(grain))))
}

/// `11시부터 오후 3시까지`: a start whose half of the day was not said is the last such time before the end.
fn half_of(said: &Said, at: usize, last_at: usize, base: DateTime, to: DateTime) -> DateTime {
    let (Some((_, first)), Some((_, last))) = (clock(said, at), clock(said, last_at)) else { return base };
    if !first.open || last.open {
        return base;
    }
    let early = Grain::Second.add(Grain::Day.start(to), first.seconds);
    let late = Grain::Hour.add(early, 12);
    if late < to {
        late
    } else if early < to {
        early
    } else {
        base
    }
}

/// Reads a bare day of the month after a date: `7월 13일부터 15일`.
fn same_month(said: &Said, at: usize, base: DateTime) -> Timed {
    let (end, number, _) = said.digits(at)?;
    let end = said.word(end, " 일")?;
    let date = base.date().with().day(i8::try_from(number).ok()?).build().ok()?;
    (date > base.date()).then(|| (end, Moment::At(date.at(0, 0, 0, 0), Grain::Day)))
}

/// Reads a time after `base`: with its own date, or the next such time.
fn later(said: &Said, at: usize, base: DateTime, now: DateTime) -> Timed {
    if let Some((end, clock)) = clock(said, at) {
        let mut moment = Grain::Second.add(Grain::Day.start(base), clock.seconds);
        let step = if clock.open { 12 } else { 24 };
        while moment <= base {
            moment = Grain::Hour.add(moment, step);
        }
        return Some((end, Moment::At(moment, clock.grain)));
    }
    dated(said, at, now)
}
