//! What a device is sent, as whoever speaks for a device reads it: a satellite, a site.

use std::time::Duration;

use ieum_core::Timestamp;
use serde_json::Value;

/// How old something may be that is said without being asked: who was away is not told of yesterday.
const FRESH: Duration = Duration::from_secs(600);

/// Something that is to be said where a device stands, such as that a timer rang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The words.
    pub text: String,
    /// Their language, `ko` or `en`, where it is told.
    pub language: Option<String>,
}

impl Letter {
    /// Reads a message of `device/{id}/response`; `None` where nothing is to be said any more.
    pub fn of(payload: &[u8], now: Timestamp) -> Option<Self> {
        let message: Value = serde_json::from_slice(payload).ok()?;
        let at = Timestamp::from_millis(message["timestamp"].as_i64()?);
        if message["type"] != "DIALOG_RESPONSE" || now.since(at) > FRESH {
            return None;
        }
        let told = &message["payload"];
        let text = told["text"].as_str()?.to_owned();
        Some(Self { text, language: told["language"].as_str().map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_old_or_no_answer_is_not_said() {
        let now = Timestamp::from_seconds(1_777_604_700);
        let message = |kind: &str, seconds_ago: i64| {
            let at = Timestamp::from_seconds(1_777_604_700 - seconds_ago).as_millis();
            let payload = json!({ "text": "끝", "language": "ko" });
            json!({ "timestamp": at, "type": kind, "payload": payload }).to_string()
        };
        let read = |message: String| Letter::of(message.as_bytes(), now);
        let letter = read(message("DIALOG_RESPONSE", 5)).expect("is said");
        assert_eq!((letter.text.as_str(), letter.language.as_deref()), ("끝", Some("ko")));
        assert_eq!(read(message("DIALOG_RESPONSE", 3_600)), None);
        assert_eq!(read(message("DIALOG_AUDIO", 5)), None);
        assert_eq!(read("{".to_owned()), None);
    }
}
