//! Times, dates and lengths of time in English: `half past three`, `next tuesday at 5pm`, `in two and a half hours`.

use jiff::civil::{Date, DateTime, Weekday};

use crate::value::calendar::{
    Amount, Grain, Moment, days, full_year, monday, next_date, next_weekday, nth_weekday,
};
use crate::value::english::number::{cardinal, number, place, whole};
use crate::value::said::Said;

type Timed = Option<(usize, Moment)>;

const UNITS: &[(&str, Grain)] = &[
    ("seconds", Grain::Second),
    ("second", Grain::Second),
    ("secs", Grain::Second),
    ("sec", Grain::Second),
    ("s", Grain::Second),
    ("minutes", Grain::Minute),
    ("minute", Grain::Minute),
    ("mins", Grain::Minute),
    ("min", Grain::Minute),
    ("hours", Grain::Hour),
    ("hour", Grain::Hour),
    ("hrs", Grain::Hour),
    ("hr", Grain::Hour),
    ("h", Grain::Hour),
    ("days", Grain::Day),
    ("day", Grain::Day),
    ("weeks", Grain::Week),
    ("week", Grain::Week),
    ("months", Grain::Month),
    ("month", Grain::Month),
    ("quarters", Grain::Quarter),
    ("years", Grain::Year),
    ("year", Grain::Year),
];
const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("mon", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("tues", Weekday::Tuesday),
    ("tue", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("wed", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("thurs", Weekday::Thursday),
    ("thu", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("fri", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sat", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
    ("sun", Weekday::Sunday),
];
const MONTHS: &[(&str, i8)] = &[
    ("january", 1),
    ("jan", 1),
    ("february", 2),
    ("feb", 2),
    ("march", 3),
    ("mar", 3),
    ("april", 4),
    ("apr", 4),
    ("may", 5),
    ("june", 6),
    ("jun", 6),
    ("july", 7),
    ("jul", 7),
    ("august", 8),
    ("aug", 8),
    ("september", 9),
    ("sept", 9),
    ("sep", 9),
    ("october", 10),
    ("oct", 10),
    ("november", 11),
    ("nov", 11),
    ("december", 12),
    ("dec", 12),
];
const NEAR: &[(&str, i64)] = &[
    ("today", 0),
    ("tomorrow", 1),
    ("yesterday", -1),
    ("the day after tomorrow", 2),
    ("day after tomorrow", 2),
    ("the day before yesterday", -2),
    ("day before yesterday", -2),
    ("tonight", 0),
];
const RELATIVE: &[(&str, i64)] = &[
    ("this", 0),
    ("the current", 0),
    ("next", 1),
    ("the next", 1),
    ("the following", 1),
    ("coming", 1),
    ("last", -1),
    ("past", -1),
    ("previous", -1),
    ("the last", -1),
];
const HOLIDAYS: &[(&str, (i8, i8))] = &[
    ("christmas", (12, 25)),
    ("christmas day", (12, 25)),
    ("xmas", (12, 25)),
    ("christmas eve", (12, 24)),
    ("new year's eve", (12, 31)),
    ("new years eve", (12, 31)),
    ("new year's day", (1, 1)),
    ("new years day", (1, 1)),
    ("halloween", (10, 31)),
    ("valentine's day", (2, 14)),
    ("valentine day", (2, 14)),
];
const PARTS: &[(&str, (i64, i64))] = &[
    ("morning", (4, 12)),
    ("afternoon", (12, 19)),
    ("evening", (18, 24)),
    ("night", (18, 24)),
    ("lunch", (12, 14)),
];

/// Reads a length of time: `an hour and a half`, `two and a half hours`, `1 hour 30 minutes`.
pub(crate) fn duration(said: &Said, at: usize) -> Option<(usize, Amount)> {
    let (mut end, first) = length(said, at)?;
    let mut parts = vec![first];
    loop {
        let joint = said.one_of(end, &[", and ", " and ", ", ", " "]).unwrap_or(end);
        let last = parts.len() - 1;
        if let Some((after, ())) =
            whole(said, joint, &[("a half", ()), ("half", ())]).filter(|_| parts[last].0.fract() == 0.0)
        {
            parts[last].0 += 0.5;
            end = after;
            continue;
        }
        match length(said, joint) {
            Some((after, next)) if next.1 < parts[last].1 => {
                parts.push(next);
                end = after;
            }
            _ => break,
        }
    }
    Some((end, Amount { parts }))
}

fn length(said: &Said, at: usize) -> Option<(usize, (f64, Grain))> {
    let special = [
        ("a fortnight", (2.0, Grain::Week)),
        ("a quarter of an hour", (15.0, Grain::Minute)),
        ("quarter of an hour", (15.0, Grain::Minute)),
        ("three quarters of an hour", (45.0, Grain::Minute)),
        ("half an hour", (0.5, Grain::Hour)),
        ("half hour", (0.5, Grain::Hour)),
        ("a half hour", (0.5, Grain::Hour)),
    ];
    if let Some(found) = whole(said, at, &special) {
        return Some(found);
    }
    let (end, count) = whole(said, at, &[("a", 1.0), ("an", 1.0)])
        .filter(|(end, _)| whole(said, said.spaces(*end), UNITS).is_some())
        .or_else(|| number(said, at))?;
    let start = said.spaces(if said.at(end) == '-' { end + 1 } else { end });
    let (end, grain) = whole(said, start, UNITS)?;
    (said.word(end, " old").is_none()).then_some((end, (count, grain)))
}

/// A time of the day: seconds since midnight, grain, and whether the half of the day is open.
type Clock = (i64, Grain, bool);

fn clock(said: &Said, at: usize) -> Option<(usize, Clock)> {
    let at = said.one_of(at, &["at ", "around ", "about ", "@ ", "@"]).unwrap_or(at);
    if let Some((end, hour)) =
        whole(said, at, &[("noon", 12), ("midday", 12), ("midnight", 24), ("12 noon", 12)])
    {
        return Some((end, (hour * 3600, Grain::Hour, false)));
    }
    let (end, hour, rest, grain, sure) =
        past(said, at).or_else(|| digital(said, at)).or_else(|| hours(said, at))?;
    let (end, half) = half_of_day(said, end).map_or((end, None), |(end, half)| (end, Some(half)));
    if !sure && half.is_none() {
        return None;
    }
    let hour = match half {
        Some(true) if hour < 12 => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    let open = half.is_none() && (1..=12).contains(&hour);
    Some((end, (hour * 3600 + rest, grain, open)))
}

fn half_of_day(said: &Said, at: usize) -> Option<(usize, bool)> {
    let words = [
        ("am", false),
        ("a.m.", false),
        ("a.m", false),
        ("pm", true),
        ("p.m.", true),
        ("p.m", true),
        ("a", false),
        ("p", true),
        ("in the morning", false),
        ("in the afternoon", true),
        ("in the evening", true),
        ("at night", true),
        ("this morning", false),
        ("this afternoon", true),
        ("tonight", true),
        ("o'clock", false),
    ];
    let (end, half) = whole(said, said.spaces(at), &words)?;
    let oclock = said.before(end) == 'k';
    let single = end - said.spaces(at) == 1 && said.at(at) == ' ';
    if single {
        None
    } else if oclock {
        half_of_day(said, end)
    } else {
        Some((end, half))
    }
}

type Hours = Option<(usize, i64, i64, Grain, bool)>;

/// Reads `half past three`, `quarter to five`, `ten past six`.
fn past(said: &Said, at: usize) -> Hours {
    let (end, minutes) = match whole(said, at, &[("half", 30.0), ("a quarter", 15.0), ("quarter", 15.0)]) {
        Some(found) => found,
        None => cardinal(said, at)?,
    };
    let end = said.one_of(end, &[" minutes", " mins", " min"]).unwrap_or(end);
    let (end, before) = whole(
        said,
        said.spaces(end),
        &[("past", false), ("after", false), ("to", true), ("of", true), ("til", true), ("before", true)],
    )?;
    let start = said.spaces(end);
    let (end, hour) =
        whole(said, start, &[("noon", 12.0), ("midnight", 24.0)]).or_else(|| cardinal(said, start))?;
    if !(1.0..=24.0).contains(&hour) || hour.fract() != 0.0 || !(0.0..60.0).contains(&minutes) {
        return None;
    }
    let (hour, minutes) = (hour as i64, minutes as i64);
    Some(if before {
        (end, (hour + 23) % 24, 3600 - minutes * 60, Grain::Minute, true)
    } else {
        (end, hour, minutes * 60, Grain::Minute, true)
    })
}

fn digital(said: &Said, at: usize) -> Hours {
    let (end, hour, digits) = said.digits(at).filter(|(_, hour, digits)| *digits <= 2 && *hour <= 24)?;
    let _ = digits;
    let two = |at: usize| said.digits(at).filter(|(_, value, digits)| *digits == 2 && *value < 60);
    if matches!(said.at(end), ':' | 'h')
        && let Some((end, minute, _)) = two(end + 1)
    {
        return Some(match two(end + 1).filter(|_| said.at(end) == ':') {
            Some((end, second, _)) => (end, hour, minute * 60 + second, Grain::Second, true),
            None => (end, hour, minute * 60, Grain::Minute, true),
        });
    }
    None
}

fn hours(said: &Said, at: usize) -> Hours {
    let led = said.before(at) == ' ' && at >= 3 && (said.word(at - 3, "at ").is_some());
    let (end, hour) =
        cardinal(said, at).filter(|(_, hour)| hour.fract() == 0.0 && (0.0..=24.0).contains(hour))?;
    let oclock = said.one_of(end, &[" o'clock", " oclock", "o'clock"]);
    if let Some((after, minutes)) = cardinal(said, said.spaces(end)).filter(|(after, minutes)| {
        *after > end && (1.0..60.0).contains(minutes) && oclock.is_none() && !said.at(at).is_ascii_digit()
    }) && *TENS_START < minutes
    {
        return Some((after, hour as i64, minutes as i64 * 60, Grain::Minute, led));
    }
    Some((oclock.unwrap_or(end), hour as i64, 0, Grain::Hour, oclock.is_some() || led))
}

/// Minutes said in words without `past` start at ten: `three thirty`.
const TENS_START: &f64 = &9.0;

fn day(date: Date) -> Moment {
    Moment::At(date.at(0, 0, 0, 0), Grain::Day)
}

/// Reads a day or a period of whole days.
fn date(said: &Said, at: usize, now: DateTime) -> Timed {
    let today = now.date();
    let at = said.one_of(at, &["on ", "on the "]).unwrap_or(at);
    let near = whole(said, at, NEAR).map(|(end, ahead)| (end, day(days(today, ahead))));
    let holiday = whole(said, at, HOLIDAYS)
        .and_then(|(end, (month, number))| Some((end, day(next_date(today, month, number)?))));
    let readings = [
        near,
        holiday,
        numeric(said, at, today),
        written(said, at, today),
        weekday(said, at, today),
        nth(said, at, today),
        relative(said, at, now),
    ];
    readings.into_iter().flatten().max_by_key(|(end, _)| *end)
}

fn numeric(said: &Said, at: usize, today: Date) -> Timed {
    let (end, first, digits) = said.digits(at)?;
    let separator = said.at(end);
    if !matches!(separator, '/' | '-' | '.') {
        return None;
    }
    let (end, second, _) = said.digits(end + 1).filter(|(_, _, digits)| *digits <= 2)?;
    let third = (said.at(end) == separator).then(|| said.digits(end + 1)).flatten();
    let (end, date) = match third {
        Some((end, third, 1 | 2)) if digits == 4 => {
            (end, Date::new(first as i16, second as i8, third as i8).ok()?)
        }
        Some((end, year, count @ (2 | 4))) if digits <= 2 => {
            (end, Date::new(full_year(year, count)?, first as i8, second as i8).ok()?)
        }
        None if separator == '/' && digits <= 2 => (end, next_date(today, first as i8, second as i8)?),
        _ => return None,
    };
    (!said.at(end).is_alphanumeric()).then_some((end, day(date)))
}

/// Reads `march 5`, `5th of march 2015`, `the 5th`, `march 2015`, `march`.
fn written(said: &Said, at: usize, today: Date) -> Timed {
    let (start, weekday) = whole(said, at, WEEKDAYS)
        .map_or((at, false), |(end, _)| (said.spaces(said.one_of(end, &[", ", ","]).unwrap_or(end)), true));
    let start = said.one_of(start, &["the "]).unwrap_or(start);
    let numbered = place(said, start)
        .or_else(|| {
            said.digits(start).filter(|(_, _, digits)| *digits <= 2).map(|(end, number, _)| (end, number))
        })
        .filter(|(_, number)| (1..=31).contains(number));
    if let Some((end, number)) = numbered {
        let of = said.spaces(said.word(end, " of ").unwrap_or(end));
        let of = if said.at(end) == '-' { end + 1 } else { of };
        if let Some((end, month)) = whole(said, of, MONTHS) {
            return finish(said, end, month, Some(number as i8), today);
        }
        let named = said.before(start) == ' ' && start > at && (said.at(at) == 't' || weekday);
        let suffix = !said.at(end - 1).is_ascii_digit();
        return (named && suffix)
            .then(|| this_or_next_month(today, number as i8))
            .flatten()
            .map(|date| (end, day(date)));
    }
    let (end, month) = whole(said, start, MONTHS)?;
    let after = said.spaces(said.one_of(end, &[" the ", "."]).unwrap_or(end));
    let after = if said.at(end) == '-' { end + 1 } else { after };
    let number = place(said, after).or_else(|| {
        said.digits(after).filter(|(_, _, digits)| *digits <= 2).map(|(end, number, _)| (end, number))
    });
    match number.filter(|(end, number)| (1..=31).contains(number) && said.at(*end) != ':') {
        Some((end, number)) => finish(said, end, month, Some(number as i8), today),
        None => finish(said, end, month, None, today),
    }
}

fn this_or_next_month(today: Date, number: i8) -> Option<Date> {
    let months = (0..13).map(|ahead| Grain::Month.add(today.first_of_month().at(0, 0, 0, 0), ahead).date());
    months.filter_map(|month| Date::new(month.year(), month.month(), number).ok()).find(|date| *date >= today)
}

fn finish(said: &Said, at: usize, month: i8, number: Option<i8>, today: Date) -> Timed {
    let start = said.spaces(said.one_of(at, &[", ", ",", " of ", "-", "/"]).unwrap_or(at));
    let year = said
        .digits(start)
        .filter(|(_, _, digits)| *digits == 4)
        .and_then(|(end, year, _)| Some((end, i16::try_from(year).ok()?)));
    let end = year.map_or(at, |(end, _)| end);
    match (number, year) {
        (Some(number), Some((_, year))) => Some((end, day(Date::new(year, month, number).ok()?))),
        (Some(number), None) => Some((end, day(next_date(today, month, number)?))),
        (None, year) => {
            let this = Date::new(today.year(), month, 1).ok()?;
            let year = year.map_or(
                if this < today.first_of_month() { today.year() + 1 } else { today.year() },
                |(_, year)| year,
            );
            Some((end, Moment::At(Date::new(year, month, 1).ok()?.at(0, 0, 0, 0), Grain::Month)))
        }
    }
}

fn weekday(said: &Said, at: usize, today: Date) -> Timed {
    if let Some((end, weekday)) = whole(said, at, WEEKDAYS) {
        return (end > at + 3).then(|| (end, day(next_weekday(today, weekday))));
    }
    let (after, ahead) = whole(said, at, RELATIVE)?;
    let (end, weekday) = whole(said, said.spaces(after), WEEKDAYS)?;
    let date = match ahead {
        0 => next_weekday(days(today, -1), weekday),
        1 => days(monday(today), 7 + i64::from(weekday.to_monday_zero_offset())),
        _ => days(next_weekday(days(today, -1), weekday), -7),
    };
    Some((end, day(date)))
}

/// Reads `the last monday of march`, `first tuesday of october 2014`.
fn nth(said: &Said, at: usize, today: Date) -> Timed {
    let at = said.word(at, "the ").unwrap_or(at);
    let (after, nth) = whole(said, at, &[("last", -1)]).or_else(|| place(said, at))?;
    let (after, weekday) = whole(said, said.spaces(after), WEEKDAYS)?;
    let start = said.one_of(after, &[" of ", " in "])?;
    let (end, month) = whole(said, start, MONTHS)?;
    let (end, moment) = finish(said, end, month, None, today)?;
    Some((end, day(nth_weekday(moment.start().year(), month, nth, weekday)?)))
}

fn relative(said: &Said, at: usize, now: DateTime) -> Timed {
    let (after, ahead) = whole(said, at, RELATIVE)?;
    let start = said.spaces(after);
    if let Some((end, ())) = whole(said, start, &[("weekend", ())]) {
        let saturday = days(monday(now.date()), 5 + 7 * ahead).at(0, 0, 0, 0);
        return Some((end, Moment::Between(saturday, Grain::Day.add(saturday, 2), Grain::Day)));
    }
    if let Some((end, month)) = whole(said, start, MONTHS) {
        let this = Date::new(now.date().year(), month, 1).ok()?;
        let late = this <= now.date().first_of_month();
        let year = this.year()
            + match ahead {
                0 => 0,
                1 => i16::from(late),
                _ => -i16::from(!late),
            };
        return Some((end, Moment::At(Date::new(year, month, 1).ok()?.at(0, 0, 0, 0), Grain::Month)));
    }
    let grains =
        [("week", Grain::Week), ("month", Grain::Month), ("quarter", Grain::Quarter), ("year", Grain::Year)];
    let (end, grain) = whole(said, start, &grains)?;
    Some((end, Moment::At(grain.add(grain.start(now), ahead), grain)))
}

/// Reads a moment or a period.
pub(crate) fn moment(said: &Said, at: usize, now: DateTime) -> Timed {
    if let Some((start, after)) = whole(
        said,
        at,
        &[("after", true), ("since", true), ("before", false), ("until", false), ("by", false)],
    ) {
        let (end, moment) = single(said, said.spaces(start), now)?;
        let (at, grain) = (moment.start(), moment.grain());
        return Some((end, if after { Moment::After(at, grain) } else { Moment::Before(at, grain) }));
    }
    let start = said.one_of(at, &["from ", "between "]).unwrap_or(at);
    let (end, first) = single(said, start, now)?;
    let joint = said.one_of(end, &[" to ", " until ", " till ", " - ", "-", " and "]);
    let joined =
        joint.filter(|_| said.slice(end..end + 1) != " " || start > at || said.word(end, " and ").is_none());
    if let Some(joint) = joined
        && let Some((end, last)) = following(said, joint, first, now)
        && last.end() > first.start()
    {
        return Some((end, Moment::Between(first.start(), end_of(last), last.grain().min(first.grain()))));
    }
    (start == at).then_some((end, first))
}

/// From two to four ends at four; from Monday to Friday ends with Friday.
fn end_of(last: Moment) -> DateTime {
    if last.grain() < Grain::Day { last.start() } else { last.end() }
}

fn following(said: &Said, at: usize, first: Moment, now: DateTime) -> Timed {
    if first.grain() >= Grain::Day {
        let same = said.digits(at).filter(|(end, _, digits)| *digits <= 2 && said.at(*end) != ':');
        let date_of = date(said, at, now).or_else(|| {
            let (end, number, _) = same?;
            Some((end, day(first.start().date().with().day(number as i8).build().ok()?)))
        });
        return date_of;
    }
    let (end, (seconds, grain, open)) = clock(said, at)?;
    let mut moment = Grain::Second.add(Grain::Day.start(first.start()), seconds);
    while moment <= first.start() {
        moment = Grain::Hour.add(moment, if open { 12 } else { 24 });
    }
    Some((end, Moment::At(moment, grain)))
}

fn single(said: &Said, at: usize, now: DateTime) -> Timed {
    if let Some((end, ())) =
        whole(said, at, &[("right now", ()), ("now", ()), ("just now", ()), ("at the moment", ())])
    {
        return Some((end, Moment::At(now, Grain::Second)));
    }
    from_now(said, at, now)
        .or_else(|| rolling(said, at, now))
        .or_else(|| dated(said, at, now))
        .or_else(|| timed(said, at, now))
}

fn from_now(said: &Said, at: usize, now: DateTime) -> Timed {
    let inside = whole(said, at, &[("in", ()), ("within", ()), ("in about", ())]);
    let start = inside.map_or(at, |(end, ())| said.spaces(end));
    let (end, amount) = duration(said, start)?;
    let grain = if amount.is_broken() { Grain::Second } else { amount.grain().finer() };
    let behind = whole(
        said,
        said.spaces(end),
        &[("ago", false), ("from now", true), ("later", true), ("from today", true), ("hence", true)],
    );
    let (end, forward) = match (behind, inside) {
        (Some(found), _) => found,
        (None, Some(_)) => (end, true),
        (None, None) => return None,
    };
    Some((end, Moment::At(grain.start(amount.moved(now, forward)), grain)))
}

fn rolling(said: &Said, at: usize, now: DateTime) -> Timed {
    let words = [
        ("last", false),
        ("the last", false),
        ("past", false),
        ("the past", false),
        ("next", true),
        ("the next", true),
        ("coming", true),
    ];
    let (after, forward) = whole(said, at, &words)?;
    let (end, amount) = duration(said, said.spaces(after))?;
    let [(count, grain)] = amount.parts[..] else { return None };
    let here = grain.start(now);
    let count = count as i64;
    Some((
        end,
        match forward {
            true => Moment::Between(grain.add(here, 1), grain.add(here, 1 + count), grain),
            false => Moment::Between(grain.add(here, -count), here, grain),
        },
    ))
}

fn dated(said: &Said, at: usize, now: DateTime) -> Timed {
    if let Some((end, (from, to))) = this_part(said, at) {
        let today = Grain::Day.start(now);
        return Some((
            end,
            Moment::Between(Grain::Hour.add(today, from), Grain::Hour.add(today, to), Grain::Hour),
        ));
    }
    if let Some((end, clocked)) = clock(said, at)
        && let Some((end, found)) =
            date(said, said.spaces(end), now).filter(|(_, found)| found.grain() == Grain::Day)
    {
        let _ = end;
        return Some((end, on(found.start(), clocked, now)));
    }
    let (end, found) = date(said, at, now)?;
    let Moment::At(start, Grain::Day) = found else { return Some((end, found)) };
    let night = said.slice(at..end).contains("tonight");
    let next = said.spaces(said.one_of(end, &[","]).unwrap_or(end));
    if let Some((end, clocked)) = clock(said, next) {
        let clocked =
            if night && clocked.2 { (clocked.0 % 43_200 + 43_200, clocked.1, false) } else { clocked };
        return Some((end, on(start, clocked, now)));
    }
    let next = said.word(next, "in the ").unwrap_or(next);
    let part = whole(said, next, PARTS).or(night.then_some((end, (18, 24))));
    match part {
        Some((end, (from, to))) => Some((
            end,
            Moment::Between(Grain::Hour.add(start, from), Grain::Hour.add(start, to), Grain::Hour),
        )),
        None => Some((end, found)),
    }
}

fn this_part(said: &Said, at: usize) -> Option<(usize, (i64, i64))> {
    let (start, ()) = whole(said, at, &[("this", ()), ("in the", ())])?;
    whole(said, said.spaces(start), PARTS)
}

fn on(day: DateTime, (seconds, grain, open): Clock, now: DateTime) -> Moment {
    let mut at = Grain::Second.add(day, seconds);
    if open && day.date() == now.date() && at <= now {
        at = Grain::Hour.add(at, 12);
    }
    Moment::At(at, grain)
}

fn timed(said: &Said, at: usize, now: DateTime) -> Timed {
    let (end, (seconds, grain, open)) = clock(said, at)?;
    let mut moment = Grain::Second.add(Grain::Day.start(now), seconds);
    while moment <= now {
        moment = Grain::Hour.add(moment, if open { 12 } else { 24 });
    }
    Some((end, Moment::At(moment, grain)))
}
