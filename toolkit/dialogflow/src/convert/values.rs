//! Named values as a `Struct`, and back.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::Value;

use crate::Values;

/// How deep values may nest.
const DEEPEST: usize = 32;

/// Returns named values as a `Struct`. Whole numbers become floating-point ones, as everything does in a `Struct`.
pub fn struct_of(values: &Values) -> Struct {
    let fields: BTreeMap<String, ProtoValue> =
        values.iter().map(|(name, value)| (name.clone(), value_of(value))).collect();
    Struct { fields }
}

fn value_of(value: &Value) -> ProtoValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(value_of).collect() }),
        Value::Object(values) => Kind::StructValue(struct_of(values)),
    };
    ProtoValue { kind: Some(kind) }
}

/// Returns a `Struct` as named values; numbers without a fraction are whole ones again.
pub fn values_of(given: Option<Struct>) -> Values {
    given.map(|given| fields(given, 0)).unwrap_or_default()
}

fn fields(given: Struct, depth: usize) -> Values {
    given.fields.into_iter().map(|(name, value)| (name, plain(value, depth + 1))).collect()
}

fn plain(value: ProtoValue, depth: usize) -> Value {
    match value.kind {
        _ if depth > DEEPEST => Value::Null,
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::NumberValue(number)) => number_of(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(|value| plain(value, depth + 1)).collect(),
        Some(Kind::StructValue(inner)) => Value::Object(fields(inner, depth + 1)),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "only whole numbers that a double holds exactly are taken"
)]
fn number_of(number: f64) -> Value {
    let exact = 2_f64.powi(53);
    if number.fract() == 0.0 && number.abs() <= exact {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}
