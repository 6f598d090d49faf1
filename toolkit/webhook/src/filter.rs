//! Payload filters: a small closed expression over a message's body that decides whether an endpoint wants it.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most filters of an endpoint.
const MOST_FILTERS: usize = 16;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 200;
/// The most steps of a path.
const MOST_STEPS: usize = 16;
/// The most values of a list.
const MOST_VALUES: usize = 100;
/// The longest text compared with, in bytes.
const LONGEST_TEXT: usize = 500;

/// One condition: the value at `field` stands to `value` as `operator` says. A field that is not there meets no
/// condition but `exists` with `false` and `ne`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// Names parted by dots from the body's root, such as `data.metrics.currentAttendees`; in a list a number is
    /// one of its elements and `*` any of them.
    pub field: String,
    /// How the two are compared.
    pub operator: Operator,
    /// What is compared with: a text, number or truth value; for `in` a list of them, for `exists` a truth value.
    pub value: Value,
}

/// How a field and a value are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal, or not there.
    Ne,
    /// A number less than the value.
    Lt,
    /// A number of at most the value.
    Le,
    /// A number greater than the value.
    Gt,
    /// A number of at least the value.
    Ge,
    /// Equal to one of a list.
    In,
    /// A text that begins so.
    StartsWith,
    /// There (`true`) or not there (`false`); null counts as not there.
    Exists,
}

/// Checks the form of all filters; fails with a sentence that names the one at fault.
pub(crate) fn check(filters: &[Filter]) -> Result<(), String> {
    if filters.len() > MOST_FILTERS {
        return Err(format!("has more than {MOST_FILTERS} conditions"));
    }
    filters.iter().enumerate().try_for_each(|(i, filter)| {
        filter.check().map_err(|problem| format!("condition {} of {}: {problem}", i + 1, filters.len()))
    })
}

/// A message's body, read once for all endpoints and only where one filters.
pub(crate) struct Body<'a> {
    text: &'a str,
    read: OnceCell<Option<Value>>,
}

// === Body ===

impl<'a> Body<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, read: OnceCell::new() }
    }

    /// Tells whether the body meets every filter. One that is no JSON meets none.
    pub fn meets(&self, filters: &[Filter]) -> bool {
        if filters.is_empty() {
            return true;
        }
        let read = self.read.get_or_init(|| serde_json::from_str(self.text).ok());
        read.as_ref().is_some_and(|body| filters.iter().all(|filter| filter.holds(body)))
    }
}

// === Filter ===

impl Filter {
    fn check(&self) -> Result<(), String> {
        let field = &self.field;
        if field.len() > LONGEST_PATH || field.split('.').count() > MOST_STEPS {
            return Err(format!("field is longer than {LONGEST_PATH} bytes or {MOST_STEPS} names"));
        }
        if field.split('.').any(|step| step.is_empty() || step.chars().any(char::is_control)) {
            return Err(format!("field {field:?} is no path such as data.metrics.currentAttendees"));
        }
        let fits = match self.operator {
            Operator::Eq | Operator::Ne => is_plain(&self.value),
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => self.value.is_number(),
            Operator::In => self.value.as_array().is_some_and(|list| {
                !list.is_empty() && list.len() <= MOST_VALUES && list.iter().all(is_plain)
            }),
            Operator::StartsWith => self.value.is_string() && is_plain(&self.value),
            Operator::Exists => self.value.is_boolean(),
        };
        match fits {
            true => Ok(()),
            false => Err(format!("value must be {}", self.operator.wants())),
        }
    }

    /// Tells whether a body meets the condition.
    pub fn holds(&self, body: &Value) -> bool {
        let steps: Vec<&str> = self.field.split('.').collect();
        let found = any_at(body, &steps, &|found| self.compares(found));
        match self.operator {
            Operator::Ne => !any_at(body, &steps, &|found| same(found, &self.value)),
            Operator::Exists => found == (self.value == Value::Bool(true)),
            _ => found,
        }
    }

    fn compares(&self, found: &Value) -> bool {
        let numbers = || found.as_f64().zip(self.value.as_f64());
        match self.operator {
            Operator::Eq | Operator::Ne => same(found, &self.value),
            Operator::Lt => numbers().is_some_and(|(found, value)| found < value),
            Operator::Le => numbers().is_some_and(|(found, value)| found <= value),
            Operator::Gt => numbers().is_some_and(|(found, value)| found > value),
            Operator::Ge => numbers().is_some_and(|(found, value)| found >= value),
            Operator::In => {
                self.value.as_array().is_some_and(|list| list.iter().any(|value| same(found, value)))
            }
            Operator::StartsWith => {
                found.as_str().zip(self.value.as_str()).is_some_and(|(found, value)| found.starts_with(value))
            }
            Operator::Exists => !found.is_null(),
        }
    }
}

// === Operator ===

impl Operator {
    fn wants(self) -> String {
        match self {
            Self::Eq | Self::Ne => {
                format!("a text of at most {LONGEST_TEXT} bytes, a number or a truth value")
            }
            Self::Lt | Self::Le | Self::Gt | Self::Ge => "a number".to_owned(),
            Self::In => format!("a list of 1 to {MOST_VALUES} texts, numbers or truth values"),
            Self::StartsWith => format!("a text of at most {LONGEST_TEXT} bytes"),
            Self::Exists => "true or false".to_owned(),
        }
    }
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= LONGEST_TEXT,
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Compares plain values; numbers by what they are, so that 1 is 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        // Written out since whole numbers beyond 2^53 are the same only as they are written.
        (Some(first), Some(second)) => one == other || (first == second && first.abs() < 9e15),
        _ => one == other,
    }
}

/// Tells whether any value that the steps lead to meets `test`.
fn any_at(value: &Value, steps: &[&str], test: &impl Fn(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return test(value) };
    match value {
        Value::Object(fields) => fields.get(*step).is_some_and(|field| any_at(field, rest, test)),
        Value::Array(list) if *step == "*" => list.iter().any(|element| any_at(element, rest, test)),
        Value::Array(list) => {
            let element = step.parse::<usize>().ok().and_then(|i| list.get(i));
            element.is_some_and(|element| any_at(element, rest, test))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(field: &str, operator: &str, value: Value) -> Filter {
        serde_json::from_value(json!({"field": field, "operator": operator, "value": value}))
            .expect("is a filter")
    }

    fn body() -> Value {
        json!({"event": "event.data.updated", "data": {"eventId": "e-1", "status": "active", "open": true,
            "none": null, "metrics": {"currentAttendees": 90}, "alerts": [{"kind": "capacity.75"}, {"kind": "capacity.90"}]}})
    }

    #[test]
    fn every_operator_holds_and_fails() {
        for (field, operator, yes, no) in [
            ("data.eventId", "eq", json!("e-1"), json!("e-2")),
            ("data.metrics.currentAttendees", "eq", json!(90.0), json!("90")),
            ("data.eventId", "ne", json!("e-2"), json!("e-1")),
            ("data.metrics.currentAttendees", "lt", json!(91), json!(90)),
            ("data.metrics.currentAttendees", "le", json!(90), json!(89)),
            ("data.metrics.currentAttendees", "gt", json!(89.5), json!(90)),
            ("data.metrics.currentAttendees", "ge", json!(90), json!(90.5)),
            ("data.status", "in", json!(["ended", "active"]), json!(["ended"])),
            ("data.alerts.*.kind", "starts_with", json!("capacity.9"), json!("capacity.5")),
            ("data.alerts.1.kind", "eq", json!("capacity.90"), json!("capacity.75")),
            ("data.open", "exists", json!(true), json!(false)),
            ("data.none", "exists", json!(false), json!(true)),
        ] {
            assert!(filter(field, operator, yes.clone()).holds(&body()), "{field} {operator} {yes}");
            assert!(!filter(field, operator, no.clone()).holds(&body()), "{field} {operator} {no}");
        }
    }

    #[test]
    fn a_field_that_is_not_there_meets_only_its_absence() {
        for (operator, value, holds) in [
            ("eq", json!("x"), false),
            ("ne", json!("x"), true),
            ("lt", json!(1), false),
            ("in", json!(["x"]), false),
            ("exists", json!(false), true),
        ] {
            assert_eq!(filter("data.no.such", operator, value).holds(&body()), holds, "{operator}");
        }
    }

    #[test]
    fn a_malformed_filter_is_refused_with_its_number() {
        let good = || filter("data.eventId", "eq", json!("e-1"));
        assert_eq!(check(&[good()]), Ok(()));
        for (wrong, part) in [
            (filter("", "eq", json!(1)), "field"),
            (filter("data..id", "eq", json!(1)), "field"),
            (filter(&"a.".repeat(40), "eq", json!(1)), "field"),
            (filter("data.a", "eq", json!(null)), "value"),
            (filter("data.a", "lt", json!("9")), "value"),
            (filter("data.a", "in", json!([])), "value"),
            (filter("data.a", "in", json!([[1]])), "value"),
            (filter("data.a", "starts_with", json!(1)), "value"),
            (filter("data.a", "exists", json!("yes")), "value"),
        ] {
            let problem = check(&[good(), wrong.clone()]).expect_err("is malformed");
            assert!(problem.starts_with(&format!("condition 2 of 2: {part}")), "{wrong:?}: {problem}");
        }
        assert!(check(&vec![good(); 17]).is_err());
        let unknown = json!({"field": "a", "operator": "regex", "value": "x"});
        assert!(serde_json::from_value::<Filter>(unknown).is_err());
    }

    #[test]
    fn all_filters_must_hold_and_no_json_meets_none() {
        let both = [filter("data.open", "eq", json!(true)), filter("data.eventId", "eq", json!("e-2"))];
        let text = body().to_string();
        assert!(!Body::new(&text).meets(&both) && Body::new(&text).meets(&both[..1]));
        assert!(Body::new("no json").meets(&[]) && !Body::new("no json").meets(&both[..1]));
    }
}
