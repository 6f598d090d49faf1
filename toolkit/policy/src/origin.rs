//! Where a reply came from, so that a fallback never passes for the live answer.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where a reply came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The answerer itself, for this very request.
    #[default]
    Live,
    /// Something that stands in for the answerer.
    Fallback(FallbackKind),
}

/// What stood in for the answerer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FallbackKind {
    /// A value from the settings or the caller.
    Value,
    /// A remembered reply that is still fresh enough to count as an answer.
    Cache,
    /// The last good reply to the same request, however stale.
    LastGood {
        /// How long ago the reply was live.
        age: Duration,
    },
    /// Another link that offers the same contract.
    OtherLink,
}

/// A value together with where it came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guarded<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Says why a text is no origin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is no origin; expected live, value, cache, last-good;age_ms=<number> or other-link")]
pub struct OriginError {
    text: String,
}

// === Origin ===

impl Origin {
    /// Tells whether the answerer itself replied.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => out.write_str("live"),
            Self::Fallback(FallbackKind::Value) => out.write_str("value"),
            Self::Fallback(FallbackKind::Cache) => out.write_str("cache"),
            Self::Fallback(FallbackKind::LastGood { age }) => {
                write!(out, "last-good;age_ms={}", age.as_millis())
            }
            Self::Fallback(FallbackKind::OtherLink) => out.write_str("other-link"),
        }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "live" => Ok(Self::Live),
            "value" => Ok(Self::Fallback(FallbackKind::Value)),
            "cache" => Ok(Self::Fallback(FallbackKind::Cache)),
            "other-link" => Ok(Self::Fallback(FallbackKind::OtherLink)),
            _ => {
                let millis = text.strip_prefix("last-good;age_ms=").and_then(|age| age.parse().ok());
                let wrong = || OriginError { text: text.chars().take(80).collect() };
                let age = millis.map(Duration::from_millis).ok_or_else(wrong)?;
                Ok(Self::Fallback(FallbackKind::LastGood { age }))
            }
        }
    }
}

// === Guarded ===

impl<T> Guarded<T> {
    /// Marks `value` as live.
    pub const fn live(value: T) -> Self {
        Self { value, origin: Origin::Live }
    }

    /// Marks `value` as what stood in for the answerer.
    pub const fn fallback(value: T, kind: FallbackKind) -> Self {
        Self { value, origin: Origin::Fallback(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_back_as_written() {
        let kinds = [
            FallbackKind::Value,
            FallbackKind::Cache,
            FallbackKind::LastGood { age: Duration::from_millis(1500) },
            FallbackKind::OtherLink,
        ];
        for origin in kinds.map(Origin::Fallback).into_iter().chain([Origin::Live]) {
            assert_eq!(origin.to_string().parse(), Ok(origin));
        }
        assert!("last-good".parse::<Origin>().is_err());
    }
}
