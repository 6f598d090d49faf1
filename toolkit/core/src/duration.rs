//! Durations as people write them in settings: `"800ms"`, `"5s"`, `"30m"`, `"2h"`, `"7d"`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Says why a text is no duration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{text:?} is no duration; write a number and a unit, such as \"800ms\", \"5s\", \"30m\", \"2h\" or \"7d\""
)]
pub struct DurationError {
    text: String,
}

/// A duration that settings show with its unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct HumanDuration(pub Duration);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a whole number and a unit. Fails on anything else, negative numbers and overflow included.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError { text: text.to_owned() };
    let trimmed = text.trim();
    let digits = trimmed.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = trimmed.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, millis)| *millis);
    let total = millis.and_then(|millis| number.checked_mul(millis)).ok_or_else(wrong)?;
    Ok(Duration::from_millis(total))
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (unit, size) = UNITS
            .iter()
            .rev()
            .find(|(_, size)| millis != 0 && millis.is_multiple_of(u128::from(*size)))
            .unwrap_or(&UNITS[0]);
        write!(out, "{}{unit}", millis / u128::from(*size))
    }
}

impl From<HumanDuration> for Duration {
    fn from(value: HumanDuration) -> Self {
        value.0
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["800ms", "5s", "30m", "2h", "7d", "0ms"] {
            let span = parse_duration(text).expect("is a duration");
            assert_eq!(HumanDuration(span).to_string(), text);
        }
    }

    #[test]
    fn a_bare_number_a_sign_and_a_strange_unit_are_refused() {
        for text in ["5", "-5s", "5 weeks", "", "s", "99999999999999999999s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
