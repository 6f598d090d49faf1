//! Events: CloudEvents 1.0 envelopes with JSON data and the sender's context.

use std::collections::BTreeMap;

use ieum_core::{Cx, Fault, Moment, Timestamp, header, new_id, system_clock};
use serde::Serialize;
use serde_json::{Map, Value};

pub(crate) mod envelope;

#[cfg(test)]
mod tests;

/// The longest `id`, topic and group, in characters.
pub const LONGEST_NAME: usize = 128;
/// The longest `source` and key, in characters.
pub const LONGEST_KEY: usize = 190;

/// One fact: a CloudEvents 1.0 event (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>)
/// with JSON data.
///
/// `source` and `id` together name the event: publishing the pair twice to one topic is harmless.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// The event's id, unique within `source`; at most [`LONGEST_NAME`] characters.
    pub id: String,
    /// Who tells the fact, a URI reference; at most [`LONGEST_KEY`] characters.
    pub source: String,
    /// The CloudEvents `type`, such as `coffee.order.paid.v1`.
    pub kind: String,
    /// What the fact is about within `source`.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Timestamp,
    /// The `partitionkey` extension: events of one key are handled in order.
    pub key: String,
    /// The JSON payload.
    pub data: Value,
    /// The `traceparent` extension: the sender's W3C trace position.
    pub traceparent: Option<String>,
    /// The `ieumtenant` extension: for which tenant.
    pub tenant: Option<String>,
    /// The `ieumcaller` extension: who caused it.
    pub caller: Option<String>,
    /// The `idempotencykey` extension: under which command key it was caused.
    pub idempotency_key: Option<String>,
    /// Further extension attributes: text, whole numbers or booleans.
    pub extensions: BTreeMap<String, Value>,
}

/// Says why something is no event; names the attribute.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The text is no JSON.
    #[error("reading an event: the text is no JSON")]
    Json(#[source] serde_json::Error),
    /// The JSON is no object.
    #[error("reading an event: expected a JSON object, found {found}")]
    NotAnObject {
        /// The JSON type found.
        found: &'static str,
    },
    /// A required attribute is missing.
    #[error("reading an event: attribute \"{attribute}\" is missing")]
    Missing {
        /// The CloudEvents attribute.
        attribute: &'static str,
    },
    /// An attribute has a value that the specification or a limit forbids.
    #[error("reading an event: attribute \"{attribute}\" {problem}")]
    Invalid {
        /// The CloudEvents attribute.
        attribute: String,
        /// What is wrong with its value.
        problem: String,
    },
    /// The payload cannot be written as JSON.
    #[error("making an event of type {kind}: the data cannot be written as JSON")]
    Data {
        /// The event's type.
        kind: String,
        /// What the serialiser said.
        #[source]
        source: serde_json::Error,
    },
}

// === Event ===

impl Event {
    /// Makes an event that happens now, with a new id and the context's trace, tenant, caller and
    /// idempotency key.
    ///
    /// # Errors
    /// Fails where `data` cannot be written as JSON.
    pub fn new(
        cx: &Cx,
        source: impl Into<String>,
        kind: impl Into<String>,
        key: impl Into<String>,
        data: impl Serialize,
    ) -> Result<Self, EventError> {
        let kind = kind.into();
        let data =
            serde_json::to_value(data).map_err(|source| EventError::Data { kind: kind.clone(), source })?;
        Ok(Self {
            id: new_id().to_string(),
            source: source.into(),
            kind,
            subject: None,
            time: system_clock().now(),
            key: key.into(),
            data,
            traceparent: Some(cx.trace().to_string()),
            tenant: cx.tenant().map(str::to_owned),
            caller: cx.caller().map(|caller| caller.name().to_owned()),
            idempotency_key: cx.idempotency_key().map(str::to_owned),
            extensions: BTreeMap::new(),
        })
    }

    /// Returns the event with `id` in place of its own, so that a repeat of the same fact is recognised.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Returns the event about `subject`.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Returns the event as it happened at `time`.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = time;
        self
    }

    /// Returns the context in which a consumer handles this event for the `attempt`-th time (0 is the first):
    /// a child span of the sender's trace, with the sender's tenant, caller and idempotency key.
    pub fn context(&self, attempt: u32) -> Cx {
        let lookup = |name: &str| match name {
            header::TRACEPARENT => self.traceparent.as_deref(),
            header::TENANT => self.tenant.as_deref(),
            header::CALLER => self.caller.as_deref(),
            header::IDEMPOTENCY_KEY => self.idempotency_key.as_deref(),
            _ => None,
        };
        Cx::from_pairs(lookup, Moment::START).child().with_attempt(attempt)
    }

    /// Checks what a bus demands beyond the envelope's syntax.
    ///
    /// # Errors
    /// Names the attribute that is empty, over-long or badly named.
    pub fn check(&self) -> Result<(), EventError> {
        within("id", &self.id, LONGEST_NAME)?;
        within("source", &self.source, LONGEST_KEY)?;
        within("type", &self.kind, LONGEST_KEY)?;
        within("partitionkey", &self.key, LONGEST_KEY)?;
        if self.subject.as_deref() == Some("") {
            return Err(EventError::invalid("subject", "is empty"));
        }
        self.extensions.iter().try_for_each(|(name, value)| envelope::check_extension(name, value))
    }

    /// Returns the event in CloudEvents JSON structured mode, media type `application/cloudevents+json`
    /// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>).
    pub fn to_cloud_event_json(&self) -> String {
        Value::Object(self.to_object()).to_string()
    }

    /// Returns the event in structured mode as a JSON object.
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = self.attributes();
        object.insert("data".into(), self.data.clone());
        object
    }

    /// Reads an event from CloudEvents JSON structured mode. `received` stands in for an absent `time`, and
    /// `source` and `id` for an absent `partitionkey`.
    ///
    /// # Errors
    /// Names the attribute that is missing, of the wrong type or against the specification.
    pub fn from_cloud_event_json(text: &[u8], received: Timestamp) -> Result<Self, EventError> {
        let value: Value = serde_json::from_slice(text).map_err(EventError::Json)?;
        match value {
            Value::Object(object) => Self::from_object(object, received),
            other => Err(EventError::NotAnObject { found: envelope::json_type(&other) }),
        }
    }
}

fn within(attribute: &'static str, text: &str, longest: usize) -> Result<(), EventError> {
    if text.is_empty() {
        return Err(EventError::invalid(attribute, "is empty"));
    }
    let length = text.chars().count();
    if length > longest {
        let problem = format!("is {length} characters long; at most {longest} are kept");
        return Err(EventError::invalid(attribute, problem));
    }
    if text.contains('\0') {
        return Err(EventError::invalid(attribute, "contains the character U+0000"));
    }
    Ok(())
}

// === EventError ===

impl EventError {
    pub(crate) fn invalid(attribute: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { attribute: attribute.into(), problem: problem.into() }
    }
}

impl From<EventError> for Fault {
    fn from(error: EventError) -> Self {
        Self::invalid_argument("bus.bad_event", error.to_string())
    }
}
