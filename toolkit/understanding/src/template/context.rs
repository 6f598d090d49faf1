//! Conditions on the context of a sentence: what must hold, what must not, and what fills a slot from it.

use serde_json::Value;

use crate::template::file::Context;

/// Returns the value itself where it was written as `{value: …}`.
fn plain(value: &Value) -> Option<&Value> {
    let value = match value {
        Value::Object(object) => object.get("value")?,
        other => other,
    };
    (!value.is_null()).then_some(value)
}

fn is_one_of(wanted: &Value, actual: Option<&Value>) -> bool {
    match (wanted, actual) {
        (Value::Array(list), Some(actual)) => list.contains(actual),
        (Value::Array(_), None) => false,
        (wanted, Some(actual)) => wanted == actual,
        (_, None) => false,
    }
}

/// Returns whether nothing that is known contradicts `required`; what is not known may still come.
pub fn may_hold(required: &Context, known: &Context) -> bool {
    required.iter().all(|(key, wanted)| match (known.get(key), plain(wanted)) {
        (None, _) | (_, None) => true,
        (Some(actual), Some(wanted)) => is_one_of(wanted, plain(actual)),
    })
}

/// Returns whether nothing that is known is among `excluded`.
pub fn not_excluded(excluded: &Context, known: &Context) -> bool {
    excluded.iter().all(|(key, unwanted)| match (known.get(key), plain(unwanted)) {
        (None, _) => true,
        (Some(actual), Some(unwanted)) => !is_one_of(unwanted, plain(actual)),
        (Some(actual), None) => plain(actual).is_some(),
    })
}

/// Returns the slots that `required` fills from `known`, or `None` when something required does not hold.
pub fn fill(required: &Context, known: &Context) -> Option<Vec<(String, Value)>> {
    let mut slots = Vec::new();
    for (key, condition) in required {
        let actual = known.get(key).and_then(plain);
        let holds = match plain(condition) {
            None => actual.is_some(),
            Some(wanted) => is_one_of(wanted, actual),
        };
        let actual = actual.filter(|_| holds)?;
        let slot = match condition.get("slot") {
            Some(Value::String(name)) => Some(name.clone()),
            Some(Value::Bool(true)) => Some(key.clone()),
            _ => None,
        };
        slots.extend(slot.map(|slot| (slot, actual.clone())));
    }
    Some(slots)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context(value: Value) -> Context {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_required_value_is_one_of_its_list_and_fills_its_slot() {
        let required = context(json!({"domain": ["light", "fan"], "area": {"slot": true}}));
        let known = context(json!({"domain": "fan", "area": "거실"}));
        assert_eq!(fill(&required, &known), Some(vec![("area".to_owned(), json!("거실"))]));
        assert_eq!(fill(&required, &context(json!({"domain": "fan"}))), None);
    }

    #[test]
    fn what_is_not_known_neither_excludes_nor_contradicts() {
        let rule = context(json!({"domain": "light"}));
        assert!(may_hold(&rule, &Context::new()) && not_excluded(&rule, &Context::new()));
        let known = context(json!({"domain": {"value": "light"}}));
        assert!(may_hold(&rule, &known) && !not_excluded(&rule, &known));
    }
}
