//! Webhooks of a mapped source: unsigned, so each is only a hint at a ticket to look at again.

use ieum_core::Fault;
use serde_json::Value;

use super::mapping::HookMap;
use crate::connector::Hint;

/// Reads a webhook's body. Fails with `events.hook.body`, naming the field.
pub fn read(body: &[u8], map: &HookMap) -> Result<Option<Hint>, Fault> {
    let body: Value = serde_json::from_slice(body).map_err(|_| wrong("the body is no JSON"))?;
    let id = |pointer: &str| match body.pointer(pointer) {
        Some(Value::String(id)) if (1..=100).contains(&id.len()) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let notification_id =
        id(&map.id).ok_or_else(|| wrong(&format!("{} is neither a text nor a number", map.id)))?;
    // Anybody may have written it, and it goes into a path.
    let plain =
        |code: &String| code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let code =
        id(&map.ticket).filter(plain).ok_or_else(|| wrong(&format!("{} is no ticket's id", map.ticket)))?;
    let action = map.action.as_ref().and_then(|pointer| body.pointer(pointer)).and_then(Value::as_str);
    let action = action.unwrap_or("changed").chars().take(100).collect();
    Ok(Some(Hint { notification_id, action, order_code: Some(code) }))
}

fn wrong(problem: &str) -> Fault {
    Fault::invalid_argument("events.hook.body", format!("reading a webhook: {problem}"))
}
