//! The `grpc-timeout` header: at most eight digits and a unit
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Timeout").

use std::time::Duration;

pub(crate) const HEADER: &str = "grpc-timeout";

const MOST: u128 = 99_999_999;

/// Writes `left` in the finest unit that fits, rounded down: the server must not wait longer than we do.
pub(crate) fn write(left: Duration) -> String {
    let units = [
        (left.as_nanos(), 'n'),
        (left.as_micros(), 'u'),
        (left.as_millis(), 'm'),
        (u128::from(left.as_secs()), 'S'),
    ];
    let fitting = units.into_iter().find(|(number, _)| *number <= MOST);
    let (number, unit) = fitting.unwrap_or((u128::from(left.as_secs() / 60).min(MOST), 'M'));
    format!("{number}{unit}")
}

/// Reads the header, or returns `None` where it is malformed.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reads_back_and_never_grows() {
        for span in [0, 999, 1_000_000, 99_999_999, 100_000_001, 5_000_000_000, 90_000_000_000_123] {
            let span = Duration::from_nanos(span);
            let text = write(span);
            let back = read(&text).expect("was written here");
            assert!(text.len() <= 9 && back <= span && back * 1_001 >= span * 1_000, "{span:?} {text}");
        }
        assert_eq!(write(Duration::from_secs(u64::MAX)), "99999999M");
    }

    #[test]
    fn a_malformed_timeout_is_none() {
        for text in ["", "S", "5", "5x", "123456789S", "-1S", "1.5S", "5초"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
