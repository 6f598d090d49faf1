//! `MLService` (`contracts/proto/ieum/ml/ml.proto`): what a sentence wants, and text of sound, over gRPC both ways.

mod client;
mod server;

use serde_json::Value;

pub use client::{MlClient, MlError, MlOptions};
pub use server::MlServer;

/// Returns a text as it is and anything else as JSON: values travel as text.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Returns the value that a text is: a value of several parts travels as JSON, anything else is text.
fn value_of(text: String) -> Value {
    let parts = text.starts_with(['{', '[']).then(|| serde_json::from_str(&text).ok()).flatten();
    parts.unwrap_or(Value::String(text))
}
