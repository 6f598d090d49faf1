//! What the headers of a source's answers tell: its time, and how much it lets us ask.

use http::HeaderMap;
use ieum_core::Timestamp;

/// The spellings of how much may be asked, in the order in which they are looked for.
const LIMITS: [&str; 6] = [
    "ratelimit-policy",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
];

/// Returns the source's time, whole seconds.
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(headers.get(http::header::DATE)?.to_str().ok()?)
}

/// Reads an HTTP date (RFC 9110 §5.6.7), as the `Date` header has it.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let epoch = Timestamp::default();
    // A date as a span from the epoch is the date itself.
    let since_epoch = ieum_core::parse_retry_after(text, epoch)?;
    text.contains("GMT").then_some(epoch + since_epoch)
}

/// Returns what the headers say of limits, name and value, or nothing.
pub fn limits(headers: &HeaderMap) -> Option<String> {
    let told = LIMITS.into_iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(format!("{name}: {}", value.chars().take(100).collect::<String>()))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_is_read_and_seconds_are_not_one() {
        assert_eq!(parse_date("Thu, 01 Jan 1970 00:01:00 GMT"), Some(Timestamp::from_seconds(60)));
        assert_eq!(parse_date("120"), None);
    }
}
