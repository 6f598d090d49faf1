//! pretix's webhooks: unsigned and thin, so each is only a hint at an order to look at again.

use ieum_core::Fault;
use serde_json::Value;

use crate::connector::Hint;

/// Reads a webhook's body. Returns `None` for what concerns another event.
pub fn read(body: &[u8], organizer: &str, event: &str) -> Result<Option<Hint>, Fault> {
    let body: Value = serde_json::from_slice(body).map_err(|_| wrong("the body is no JSON"))?;
    let text = |field: &str| {
        let found = body.get(field).and_then(Value::as_str).filter(|text| text.len() <= 200);
        found.ok_or_else(|| wrong(&format!("field {field} is missing or no text")))
    };
    let notification = body.get("notification_id").and_then(Value::as_u64);
    let notification_id =
        notification.ok_or_else(|| wrong("field notification_id is missing or no number"))?.to_string();
    if text("organizer")? != organizer || body.get("event").and_then(Value::as_str) != Some(event) {
        return Ok(None);
    }
    let order_code = match body.get("code") {
        None | Some(Value::Null) => None,
        Some(Value::String(code)) if is_code(code) => Some(code.clone()),
        Some(_) => return Err(wrong("field code is no order code")),
    };
    Ok(Some(Hint { notification_id, action: text("action")?.to_owned(), order_code }))
}

/// The code goes into a path, and anybody may have written it.
fn is_code(code: &str) -> bool {
    (1..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn wrong(problem: &str) -> Fault {
    Fault::invalid_argument("events.hook.body", format!("reading a webhook: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(code: &str, event: &str) -> Vec<u8> {
        format!(
            r#"{{"notification_id":7,"organizer":"acme","event":"{event}","code":"{code}","action":"pretix.event.checkin"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_hint_names_the_order_of_our_event_alone() {
        let hint = read(&body("ABC12", "expo"), "acme", "expo").expect("is a hint").expect("is ours");
        assert_eq!((hint.notification_id.as_str(), hint.order_code.as_deref()), ("7", Some("ABC12")));
        assert_eq!(read(&body("ABC12", "other"), "acme", "expo"), Ok(None));
    }

    #[test]
    fn a_code_that_would_leave_the_path_is_refused() {
        for code in ["../..", "A/B", "A?x", ""] {
            let fault = read(&body(code, "expo"), "acme", "expo").expect_err("is no code");
            assert!(fault.message.contains("field code"), "{}", fault.message);
        }
        assert!(read(b"[]", "acme", "expo").expect_err("is no object").message.contains("notification_id"));
    }
}
