//! Values in Korean and English speech: numbers, ordinals, percentages, durations, times, money, measures.
//!
//! [`find`] reads a sentence against a reference moment and returns what it holds with the bytes it stands in. Two
//! rules decide where people differ: what has no year, week or half of the day lies in the future, and a period ends
//! where the next begins (the end is not part of it).

mod calendar;
mod conventions;
mod easter;
mod english;
mod frame;
mod hebrew;
mod islamic;
mod korean;
mod number;
pub(crate) mod said;
pub mod spell;
mod units;

use std::ops::Range;

use jiff::Zoned;

pub use calendar::{Amount, Grain, Moment};
pub use conventions::{Away, Conventions, Edges, Hours, PartsOfDay, Rolling, Weekdays, Weeks, Within};

use frame::Frame;
use said::Said;

/// A value found in a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is.
    pub value: Value,
    /// Where it stands, in bytes of the sentence.
    pub span: Range<usize>,
}

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number; fractions and decimals too.
    Number(f64),
    /// A place in a row, counted from one; negative: from the end, the last one is -1.
    Ordinal(i64),
    /// A percentage: `20.0` for twenty percent.
    Percent(f64),
    /// A length of time.
    Duration(Amount),
    /// A moment or a period of the calendar, in the reference's time zone.
    Time(Moment),
    /// An amount of money; the currency by its ISO 4217 code, or by its name where several countries share that name.
    Money {
        /// How much.
        amount: f64,
        /// Of what.
        currency: &'static str,
    },
    /// Money between two amounts, or from one on, or up to one.
    MoneyRange {
        /// The least.
        from: Option<f64>,
        /// The most.
        to: Option<f64>,
        /// Of what, as in [`Value::Money`].
        currency: &'static str,
    },
    /// An amount of something measured.
    Measure {
        /// How much.
        amount: f64,
        /// The unit's English name in lower case: `kilometre`, `celsius`, `year of age`.
        unit: &'static str,
    },
    /// A measure between two amounts, or from one on, or up to one.
    MeasureRange {
        /// The least.
        from: Option<f64>,
        /// The most.
        to: Option<f64>,
        /// Of what, as in [`Value::Measure`].
        unit: &'static str,
    },
}

/// The kinds of values, for callers that look for some of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number,
    /// Places in a row.
    Ordinal,
    /// Percentages.
    Percent,
    /// Lengths of time.
    Duration,
    /// Moments and periods.
    Time,
    /// Money.
    Money,
    /// Measures.
    Measure,
}

/// All kinds.
pub const ALL: [Kind; 7] =
    [Kind::Time, Kind::Duration, Kind::Money, Kind::Measure, Kind::Percent, Kind::Ordinal, Kind::Number];

/// The languages values are known in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Korean.
    Korean,
    /// English.
    English,
}

// === Language ===

impl Language {
    /// Returns the language of a code such as `ko` or `en-US`.
    pub fn of(code: &str) -> Option<Self> {
        match code.split(['-', '_']).next() {
            Some("ko") => Some(Self::Korean),
            Some("en") => Some(Self::English),
            _ => None,
        }
    }
}

/// Longer sentences than this nobody says; what stands after is not read.
const MOST_CHARACTERS: usize = 2_000;

/// Returns the values of `text` from left to right, none within another; of several that start at the same place the
/// longest.
pub fn find(text: &str, language: Language, now: &Zoned) -> Vec<Found> {
    find_kinds(text, language, now, &ALL)
}

/// Does the same for some kinds: to someone who looks for numbers, `세 시` holds a three.
pub fn find_kinds(text: &str, language: Language, now: &Zoned, kinds: &[Kind]) -> Vec<Found> {
    find_with(text, language, now, kinds, &Conventions::of(language))
}

/// Does the same where words mean what `conventions` say.
pub fn find_with(
    text: &str,
    language: Language,
    now: &Zoned,
    kinds: &[Kind],
    conventions: &Conventions,
) -> Vec<Found> {
    let said = Said::new(text);
    let frame = Frame { now: now.datetime(), offset: i64::from(now.offset().seconds()), conventions };
    let timeless: Vec<Kind> =
        kinds.iter().copied().filter(|kind| !matches!(kind, Kind::Time | Kind::Duration)).collect();
    let mut found = Vec::new();
    let (mut at, mut barred) = (0, 0);
    while at < said.len().min(MOST_CHARACTERS) {
        if language == Language::Korean && kinds.contains(&Kind::Time) && at >= barred {
            barred = korean::barred(&said, at, frame).unwrap_or(at);
        }
        let kinds = if at < barred { &timeless } else { kinds };
        let value = match language {
            Language::Korean => korean::value(&said, at, frame, kinds),
            Language::English => english::value(&said, at, frame, kinds),
        };
        match value {
            Some((end, value)) if end > at => {
                found.push(Found { value, span: said.span(at..end) });
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// Returns the longest of the readings, the first of several that are equally long.
fn longest(readings: impl Iterator<Item = Option<(usize, Value)>>) -> Option<(usize, Value)> {
    readings.flatten().fold(None, |best: Option<(usize, Value)>, reading| match best {
        Some(best) if best.0 >= reading.0 => Some(best),
        _ => Some(reading),
    })
}

#[cfg(test)]
mod tests;
