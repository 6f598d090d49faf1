//! Moments, periods and lengths of time, and the arithmetic between them.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time, Weekday};

/// How fine a time was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks, from Monday.
    Week,
    /// Months.
    Month,
    /// Quarters of a year.
    Quarter,
    /// Years.
    Year,
}

/// A moment or a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// One unit of the grain that starts here: the hour 15:00, the day, the month.
    At(DateTime, Grain),
    /// From here to there, which is no longer part of it.
    Between(DateTime, DateTime, Grain),
    /// From here on.
    After(DateTime, Grain),
    /// Until here.
    Before(DateTime, Grain),
}

/// A length of time as it was said: an hour and thirty minutes are two parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount {
    /// How many of which.
    pub parts: Vec<(f64, Grain)>,
}

// === Grain ===

impl Grain {
    /// Returns its length in seconds; months have 30 days and years 365.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3_600.0,
            Self::Day => 86_400.0,
            Self::Week => 604_800.0,
            Self::Month => 2_592_000.0,
            Self::Quarter => 7_776_000.0,
            Self::Year => 31_536_000.0,
        }
    }

    /// Returns the start of the unit that `at` lies in.
    pub fn start(self, at: DateTime) -> DateTime {
        let (date, hour, minute) = (at.date(), at.hour(), at.minute());
        let day = |date: Date| date.to_datetime(Time::midnight());
        let of = |month: i8| day(Date::new(date.year(), month, 1).unwrap_or(date));
        match self {
            Self::Second => at.with().subsec_nanosecond(0).build().unwrap_or(at),
            Self::Minute => date.at(hour, minute, 0, 0),
            Self::Hour => date.at(hour, 0, 0, 0),
            Self::Day => day(date),
            Self::Week => day(monday(date)),
            Self::Month => of(date.month()),
            Self::Quarter => of((date.month() - 1) / 3 * 3 + 1),
            Self::Year => of(1),
        }
    }

    /// Returns `at` moved by `count` units; the day of a month that has too few is its last.
    pub fn add(self, at: DateTime, count: i64) -> DateTime {
        let count = count.clamp(-200_000_000, 200_000_000);
        let span = match self {
            Self::Second => Span::new().try_seconds(count),
            Self::Minute => Span::new().try_minutes(count),
            Self::Hour => Span::new().try_hours(count),
            Self::Day => Span::new().try_days(count),
            Self::Week => Span::new().try_weeks(count),
            Self::Month => Span::new().try_months(count),
            Self::Quarter => Span::new().try_months(count * 3),
            Self::Year => Span::new().try_years(count),
        };
        span.ok().and_then(|span| at.checked_add(span).ok()).unwrap_or(at)
    }

    /// Returns the next finer grain that a moment "in three of these" is known to.
    pub fn finer(self) -> Self {
        match self {
            Self::Second | Self::Minute => Self::Second,
            Self::Hour => Self::Minute,
            Self::Day => Self::Hour,
            Self::Week | Self::Month => Self::Day,
            Self::Quarter | Self::Year => Self::Month,
        }
    }
}

// === Amount ===

impl Amount {
    /// Makes an amount of one part.
    pub fn of(count: f64, grain: Grain) -> Self {
        Self { parts: vec![(count, grain)] }
    }

    /// Returns the length in seconds; months have 30 days and years 365.
    pub fn seconds(&self) -> f64 {
        self.parts.iter().map(|(count, grain)| count * grain.seconds()).sum()
    }

    /// Returns the finest grain said.
    pub fn grain(&self) -> Grain {
        self.parts.iter().map(|(_, grain)| *grain).min().unwrap_or(Grain::Second)
    }

    /// Returns `at` moved by this much, forward or back; halves of a unit move by the finer one.
    pub fn moved(&self, at: DateTime, forward: bool) -> DateTime {
        let sign = if forward { 1.0 } else { -1.0 };
        // Years and months move together: the last day of a short month is met once.
        let months = |(count, grain): &(f64, Grain)| match grain {
            Grain::Year => count.trunc() * 12.0,
            Grain::Quarter => count.trunc() * 3.0,
            Grain::Month => count.trunc(),
            _ => 0.0,
        };
        let at = Grain::Month.add(at, (sign * self.parts.iter().map(months).sum::<f64>()) as i64);
        self.parts.iter().fold(at, |at, (count, grain)| {
            let whole = count.trunc();
            let moved = if *grain >= Grain::Month { at } else { grain.add(at, (sign * whole) as i64) };
            match (count - whole, grain) {
                (0.0, _) => moved,
                (part, Grain::Year) => Grain::Month.add(moved, (sign * part * 12.0).round() as i64),
                (part, grain) => Grain::Second.add(moved, (sign * part * grain.seconds()).round() as i64),
            }
        })
    }

    /// Returns whether some part is not whole.
    pub fn is_broken(&self) -> bool {
        self.parts.iter().any(|(count, _)| count.fract() != 0.0)
    }
}

// === Moment ===

impl Moment {
    /// Returns where it starts; without a start, where it ends.
    pub fn start(&self) -> DateTime {
        match self {
            Self::At(at, _) | Self::Between(at, _, _) | Self::After(at, _) | Self::Before(at, _) => *at,
        }
    }

    /// Returns where it ends: the first moment that is no longer part of it.
    pub fn end(&self) -> DateTime {
        match self {
            Self::At(at, grain) => grain.add(*at, 1),
            Self::Between(_, end, _) => *end,
            Self::After(at, _) | Self::Before(at, _) => *at,
        }
    }

    /// Returns how fine it was said.
    pub fn grain(&self) -> Grain {
        match self {
            Self::At(_, grain)
            | Self::Between(_, _, grain)
            | Self::After(_, grain)
            | Self::Before(_, grain) => *grain,
        }
    }
}

/// Returns the Monday of the week of `date`.
pub fn monday(date: Date) -> Date {
    back(date, i64::from(date.weekday().to_monday_zero_offset()))
}

/// Returns `date` moved by whole days.
pub fn days(date: Date, count: i64) -> Date {
    Grain::Day.add(date.to_datetime(Time::midnight()), count).date()
}

fn back(date: Date, count: i64) -> Date {
    days(date, -count)
}

/// Returns the first `weekday` after `date`; `date` itself does not count.
pub fn next_weekday(date: Date, weekday: Weekday) -> Date {
    let ahead =
        i64::from(weekday.to_monday_zero_offset()) - i64::from(date.weekday().to_monday_zero_offset());
    days(date, if ahead <= 0 { ahead + 7 } else { ahead })
}

/// Returns the `nth` weekday of a month, counted from one; `-1`: the last.
pub fn nth_weekday(year: i16, month: i8, nth: i64, weekday: Weekday) -> Option<Date> {
    Date::new(year, month, 1).ok()?.nth_weekday_of_month(i8::try_from(nth).ok()?, weekday).ok()
}

/// Returns the next date with this month and day that does not lie before `today`; 29 February waits for its year.
pub fn next_date(today: Date, month: i8, day: i8) -> Option<Date> {
    (0..9).filter_map(|ahead| Date::new(today.year() + ahead, month, day).ok()).find(|date| *date >= today)
}

/// Returns the full year of two digits: 74 is 1974, 15 is 2015.
pub fn full_year(year: i64, digits: usize) -> Option<i16> {
    let year = match (digits, year) {
        (1 | 2, 0..=49) => 2000 + year,
        (1 | 2, _) => 1900 + year,
        _ => year,
    };
    i16::try_from(year).ok().filter(|year| (1..9_990).contains(year))
}
