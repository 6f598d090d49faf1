//! What a sentence is read against, the same in both languages.

use jiff::civil::{Date, DateTime};

use super::calendar::{Amount, Grain, Moment};
use super::conventions::{Away, Conventions};

/// What a sentence is read against.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// The reference moment.
    pub now: DateTime,
    /// How many seconds the reference's zone is ahead of UTC then.
    pub offset: i64,
    /// What words mean.
    pub conventions: &'a Conventions,
}

/// A moment with where it ends.
pub(crate) type Timed = Option<(usize, Moment)>;

// === Frame ===

impl<'a> Frame<'a> {
    /// Returns the day of the reference moment.
    pub(crate) fn today(self) -> Date {
        self.now.date()
    }

    /// Returns how fine a moment so far away is known: see [`Away`]; a broken length to the second.
    pub(crate) fn grain_away(self, amount: &Amount) -> Grain {
        match (amount.is_broken(), self.conventions.away) {
            (true, _) => Grain::Second,
            (false, Away::Day) if amount.grain() >= Grain::Day => Grain::Day,
            _ => amount.grain().finer(),
        }
    }

    /// Returns the same against another moment.
    pub(crate) fn at(self, now: DateTime) -> Self {
        Self { now, ..self }
    }
}

/// Returns the hours of a part of a day.
pub(crate) fn part_of(day: DateTime, (start, end): (i64, i64)) -> Moment {
    Moment::Between(Grain::Hour.add(day, start), Grain::Hour.add(day, end), Grain::Hour)
}
