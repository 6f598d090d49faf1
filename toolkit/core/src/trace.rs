//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): `traceparent` and `tracestate`.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

/// A trace's id: 16 bytes, not zero, 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// A span's id: 8 bytes, not zero, 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

/// Where in which trace a send stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TraceContext {
    /// The whole trace.
    pub trace_id: TraceId,
    /// The sender's span: the parent of what the receiver does.
    pub span_id: SpanId,
    /// Whether somebody upstream records this trace.
    pub sampled: bool,
}

/// Says why a text is no `traceparent`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{text:?} is no traceparent; expected 00-<32 hex>-<16 hex>-<2 hex>")]
pub struct TraceError {
    text: String,
}

impl TraceId {
    /// Makes the id from its number, or `None` for zero.
    pub const fn from_u128(number: u128) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// Returns the number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl SpanId {
    /// Makes the id from its number, or `None` for zero.
    pub const fn from_u64(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// Returns the number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl TraceContext {
    /// Begins a new trace.
    pub fn root() -> Self {
        let mut random = rand::rng();
        Self {
            trace_id: TraceId(random.random_range(1..=u128::MAX)),
            span_id: SpanId(random.random_range(1..=u64::MAX)),
            sampled: true,
        }
    }

    /// Returns the same trace with a new span id.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: SpanId(rand::rng().random_range(1..=u64::MAX)), ..self }
    }
}

fn lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

impl FromStr for TraceContext {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        let wrong = || TraceError { text: text.chars().take(80).collect() };
        let mut fields = text.split('-');
        let (version, trace, span, flags) = match (fields.next(), fields.next(), fields.next(), fields.next())
        {
            (Some(version), Some(trace), Some(span), Some(flags)) => (version, trace, span, flags),
            _ => return Err(wrong()),
        };
        // §3.2.2.1: version ff is forbidden; version 00 has no further field, later ones may.
        let extra = fields.next().is_some();
        if !lower_hex(version, 2) || version == "ff" || (version == "00" && extra) {
            return Err(wrong());
        }
        if !lower_hex(trace, 32) || !lower_hex(span, 16) || !lower_hex(flags, 2) {
            return Err(wrong());
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().and_then(TraceId::from_u128).ok_or_else(wrong)?;
        let span_id = u64::from_str_radix(span, 16).ok().and_then(SpanId::from_u64).ok_or_else(wrong)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| wrong())?;
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

macro_rules! hex_text {
    ($type:ty, $format:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, $format, self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }
    };
}

hex_text!(TraceId, "{:032x}");
hex_text!(SpanId, "{:016x}");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_reads_back_as_written() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace: TraceContext = text.parse().expect("is a traceparent");
        assert_eq!(trace.to_string(), text);
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-is-this";
        assert!(later.parse::<TraceContext>().is_ok(), "a later version may say more");
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        for text in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "",
        ] {
            assert!(text.parse::<TraceContext>().is_err(), "{text}");
        }
    }
}
