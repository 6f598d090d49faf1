//! A message on its way: the value itself in process, JSON on a far wire.

use std::any::{Any, type_name};
use std::sync::Arc;

use bytes::Bytes;
use ieum_core::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What may cross a link: data that can be encoded, decoded and copied, and that borrows nothing.
pub trait Message: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Message for T {}

/// A message that is encoded only when a far wire asks for it.
pub struct Payload(Form);

enum Form {
    /// Shared with the copies kept for a second send; whoever takes the value out of the last one copies nothing.
    Value(Arc<dyn Value>),
    Json(Bytes),
}

trait Value: Send + Sync {
    fn to_json(&self) -> Result<Bytes, Fault>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

// === Payload ===

impl Payload {
    /// Wraps a value without encoding it.
    pub fn value<T: Message>(value: T) -> Self {
        Self(Form::Value(Arc::new(value)))
    }

    /// Wraps JSON text.
    pub fn json(bytes: Bytes) -> Self {
        Self(Form::Json(bytes))
    }

    /// Returns the value as a `T`. Fails with `link.message` where the JSON does not fit the type, naming
    /// the field, line and column, and with `link.type` where another type was put in (a mistake in the program).
    pub fn into_value<T: Message>(self) -> Result<T, Fault> {
        match self.0 {
            Form::Value(value) => value.into_any().downcast::<T>().map(Arc::unwrap_or_clone).map_err(|_| {
                Fault::internal("link.type", format!("a message that is no {}", type_name::<T>()))
            }),
            Form::Json(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                let place = misfit::<T>(&bytes);
                Fault::invalid_argument("link.message", format!("reading the message: {place}"))
            }),
        }
    }

    /// Returns an answer as a `T`. Fails with `link.answer` where its JSON does not fit the type: then it is
    /// the answerer who said something strange, and the caller's request was not wrong.
    pub fn into_answer<T: Message>(self, path: &str) -> Result<T, Fault> {
        match self.0 {
            Form::Value(_) => self.into_value(),
            Form::Json(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                let place = misfit::<T>(&bytes);
                Fault::internal("link.answer", format!("reading the answer of {path}: {place}"))
            }),
        }
    }

    /// Returns the message as JSON. Fails with `link.encode` where the value has no JSON form.
    pub fn to_json(&self) -> Result<Bytes, Fault> {
        match &self.0 {
            Form::Value(value) => value.to_json(),
            Form::Json(bytes) => Ok(bytes.clone()),
        }
    }

    /// Returns the message once more. A value is not copied before both are taken out.
    pub fn copy(&self) -> Self {
        match &self.0 {
            Form::Value(value) => Self(Form::Value(Arc::clone(value))),
            Form::Json(bytes) => Self(Form::Json(bytes.clone())),
        }
    }
}

/// Says where `json` is no `T`: `orders[2].amount: invalid type …, expected u64 at line 1 column 30`. It reads
/// a second time, so that a message that fits costs no tracking of its path.
fn misfit<T: Message>(json: &[u8]) -> String {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize::<_, T>(&mut reader).map_err(|error| error.to_string());
    match read.and_then(|_| reader.end().map_err(|error| error.to_string())) {
        Ok(()) => "it reads differently each time".to_owned(),
        Err(place) => place,
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The content may be personal: a log line says only which form it has.
        out.write_str(match self.0 {
            Form::Value(_) => "Payload(value)",
            Form::Json(_) => "Payload(json)",
        })
    }
}

// === Value ===

impl<T: Message> Value for T {
    fn to_json(&self) -> Result<Bytes, Fault> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| {
            Fault::internal("link.encode", format!("writing a {}: {error}", type_name::<T>()))
        })
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
