//! What a receiver's answer means for the delivery and for its endpoint.

use std::time::Duration;

use ieum_core::{Timestamp, parse_retry_after};

/// The longest part of a receiver's body that the delivery log keeps, in bytes.
pub const KEPT_BODY: usize = 1_024;

/// What a receiver answered, or why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiver answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After` header as it came.
        retry_after: Option<String>,
        /// The first bytes of the body, at most [`KEPT_BODY`].
        body: Vec<u8>,
    },
    /// No answer: connection refused, time limit, broken TLS. The text names what was tried.
    NoAnswer(String),
    /// The outbound rules refuse the address; nothing was sent.
    Refused(String),
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 2xx: it arrived.
    Delivered,
    /// 429, 502, 503 or 504: the receiver wants less for now.
    Throttled {
        /// The receiver's floor for the next attempt.
        retry_after: Option<Duration>,
    },
    /// Any other answer, a redirect included, or none.
    Failed {
        /// The receiver's floor for the next attempt.
        retry_after: Option<Duration>,
    },
    /// 410: the receiver does not want this any more.
    Gone,
}

impl Answer {
    /// Says what the answer means at `now` (needed where `Retry-After` is a date).
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        let Self::Status { status, retry_after, .. } = self else {
            return Verdict::Failed { retry_after: None };
        };
        let retry_after = retry_after.as_deref().and_then(|text| parse_retry_after(text, now));
        match status {
            200..=299 => Verdict::Delivered,
            410 => Verdict::Gone,
            429 | 502 | 503 | 504 => Verdict::Throttled { retry_after },
            _ => Verdict::Failed { retry_after },
        }
    }

    /// Returns the HTTP status where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::NoAnswer(_) | Self::Refused(_) => None,
        }
    }

    /// Returns the log's text: the body as far as it is kept, or why there was no answer.
    pub fn detail(&self) -> String {
        match self {
            Self::Status { body, .. } => kept_text(body),
            Self::NoAnswer(why) | Self::Refused(why) => kept_text(why.as_bytes()),
        }
    }
}

impl Verdict {
    /// Returns the word under which metrics count it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Throttled { .. } => "throttled",
            Self::Failed { .. } => "failed",
            Self::Gone => "gone",
        }
    }

    /// Tells whether the endpoint's breaker counts this as good.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Delivered)
    }
}

/// Returns at most [`KEPT_BODY`] bytes as text without NUL, which PostgreSQL does not store.
fn kept_text(bytes: &[u8]) -> String {
    let kept = &bytes[..bytes.len().min(KEPT_BODY)];
    let text = String::from_utf8_lossy(kept).replace('\0', "\u{fffd}");
    match text.char_indices().find(|(at, character)| at + character.len_utf8() > KEPT_BODY) {
        Some((at, _)) => text[..at].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16) -> Verdict {
        Answer::Status { status, retry_after: Some("7".into()), body: Vec::new() }
            .verdict(Timestamp::default())
    }

    #[test]
    fn every_class_of_status_has_its_meaning() {
        let seven = Some(Duration::from_secs(7));
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(status), Verdict::Delivered, "{status}");
        }
        for status in [429, 502, 503, 504] {
            assert_eq!(verdict(status), Verdict::Throttled { retry_after: seven }, "{status}");
        }
        for status in [101, 301, 302, 307, 308, 400, 401, 404, 409, 500, 501] {
            assert_eq!(verdict(status), Verdict::Failed { retry_after: seven }, "{status}");
        }
        assert_eq!(verdict(410), Verdict::Gone);
    }

    #[test]
    fn the_log_keeps_one_kibibyte_of_clean_text() {
        let mut body = vec![b'x'; 1_022];
        body.extend_from_slice("é\0éé".as_bytes());
        let detail = Answer::Status { status: 500, retry_after: None, body }.detail();
        assert!(detail.len() <= KEPT_BODY, "{}", detail.len());
        assert!(!detail.contains('\0'));
    }
}
