//! A message to partners: its checks and its one body, the same over all attempts and endpoints.

use ieum_core::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// The event of a trial that a partner asks for: sent to one endpoint, whatever it subscribes to.
pub const TEST_EVENT: &str = "webhook.test";

/// The longest id, in bytes.
const LONGEST_ID: usize = 128;
/// The longest event name, in bytes.
const LONGEST_EVENT: usize = 128;
/// The longest partner name, in bytes.
const LONGEST_PARTNER: usize = 128;
/// The longest key, in bytes.
const LONGEST_KEY: usize = 190;

/// A fact to be told to one partner's endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookMessage {
    /// Its id, such as the bus event's: sent as `webhook-id` and in the body, stable over attempts.
    /// Together with the partner it makes accepting repeatable: a known id is not accepted again.
    pub id: String,
    /// The event's name, such as `event.data.updated`.
    pub event: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    pub data: Value,
    /// What it is about; ordered endpoints get messages of one key one after the other.
    pub key: Option<String>,
    /// To whom.
    pub partner: String,
}

/// Says what is wrong with a message, by field.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {problem}")]
pub struct MessageError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    event: &'a str,
    timestamp: Timestamp,
    data: &'a Value,
}

impl WebhookMessage {
    /// Returns the body `{id, event, timestamp, data}` as it is signed and sent.
    /// Fails where a field is empty or over-long, or the body has more than `most` bytes.
    pub fn to_body(&self, most: usize) -> Result<String, MessageError> {
        bounded("id", &self.id, LONGEST_ID)?;
        bounded("event", &self.event, LONGEST_EVENT)?;
        bounded("partner", &self.partner, LONGEST_PARTNER)?;
        if let Some(key) = &self.key {
            bounded("key", key, LONGEST_KEY)?;
        }
        // The id becomes a header: what no header carries must not get that far (RFC 9110 §5.5).
        if !self.id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(MessageError { field: "id", problem: "has characters beyond visible ASCII".into() });
        }
        if !self.event.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(MessageError {
                field: "event",
                problem: "has characters beyond visible ASCII".into(),
            });
        }
        let body = Body { id: &self.id, event: &self.event, timestamp: self.timestamp, data: &self.data };
        let body = serde_json::to_string(&body)
            .map_err(|error| MessageError { field: "data", problem: format!("is not JSON: {error}") })?;
        if body.len() > most {
            let problem = format!("makes a body of {} bytes; at most {most} are sent", body.len());
            return Err(MessageError { field: "data", problem });
        }
        Ok(body)
    }
}

fn bounded(field: &'static str, text: &str, most: usize) -> Result<(), MessageError> {
    if text.is_empty() {
        return Err(MessageError { field, problem: "is empty".into() });
    }
    if text.len() > most {
        return Err(MessageError { field, problem: format!("is longer than {most} bytes") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> WebhookMessage {
        WebhookMessage {
            id: "0190".into(),
            event: "event.data.updated".into(),
            timestamp: Timestamp::parse("2026-05-01T01:00:00Z").expect("is a time"),
            data: json!({"eventId": "e-1"}),
            key: Some("e-1".into()),
            partner: "seoul".into(),
        }
    }

    #[test]
    fn the_body_has_the_four_fields_in_order() {
        let body = message().to_body(1_000).expect("is small");
        assert_eq!(
            body,
            r#"{"id":"0190","event":"event.data.updated","timestamp":"2026-05-01T01:00:00.000Z","data":{"eventId":"e-1"}}"#
        );
    }

    #[test]
    fn a_bad_message_names_its_field() {
        let field = |message: WebhookMessage| message.to_body(1_000).expect_err("is wrong").field;
        assert_eq!(field(WebhookMessage { id: String::new(), ..message() }), "id");
        assert_eq!(field(WebhookMessage { id: "a\r\nb".into(), ..message() }), "id");
        assert_eq!(field(WebhookMessage { partner: "x".repeat(200), ..message() }), "partner");
        assert_eq!(field(WebhookMessage { key: Some(String::new()), ..message() }), "key");
        assert_eq!(field(WebhookMessage { data: json!("x".repeat(2_000)), ..message() }), "data");
    }
}
