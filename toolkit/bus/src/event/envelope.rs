//! The CloudEvents 1.0 attributes as JSON members and as text pairs, read strictly.

use ieum_core::Timestamp;
use serde_json::{Map, Value};

use super::{Event, EventError};

/// The only version of the specification that is spoken.
pub(crate) const SPEC_VERSION: &str = "1.0";
/// The media type of every event's data.
pub(crate) const JSON_MEDIA_TYPE: &str = "application/json";

const TRACEPARENT: &str = "traceparent";
const PARTITION_KEY: &str = "partitionkey";
const TENANT: &str = "ieumtenant";
const CALLER: &str = "ieumcaller";
const IDEMPOTENCY_KEY: &str = "idempotencykey";

/// The attributes one after the other, each taken once.
struct Reader {
    left: Map<String, Value>,
}

impl Event {
    /// Returns every attribute but `data`.
    pub(crate) fn attributes(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), Value::from(value));
            }
        };
        put("specversion", Some(SPEC_VERSION));
        put("id", Some(&self.id));
        put("source", Some(&self.source));
        put("type", Some(&self.kind));
        put("subject", self.subject.as_deref());
        put("time", Some(&exact_time(self.time)));
        put("datacontenttype", Some(JSON_MEDIA_TYPE));
        put(PARTITION_KEY, Some(&self.key));
        put(TRACEPARENT, self.traceparent.as_deref());
        put(TENANT, self.tenant.as_deref());
        put(CALLER, self.caller.as_deref());
        put(IDEMPOTENCY_KEY, self.idempotency_key.as_deref());
        for (name, value) in &self.extensions {
            object.insert(name.clone(), value.clone());
        }
        object
    }

    /// Reads an event from its attributes; `data` absent is `null`.
    pub(crate) fn from_object(object: Map<String, Value>, received: Timestamp) -> Result<Self, EventError> {
        let mut reader = Reader { left: object };
        let version = reader.required("specversion")?;
        if version != SPEC_VERSION {
            let problem = format!("is {version:?}; this bus speaks {SPEC_VERSION:?}");
            return Err(EventError::invalid("specversion", problem));
        }
        if reader.left.contains_key("data_base64") {
            return Err(EventError::invalid("data_base64", "is binary; this bus carries JSON in \"data\""));
        }
        reader.check_media_type()?;
        reader.text("dataschema")?;
        let id = reader.required("id")?;
        let source = reader.required("source")?;
        let key = reader.text(PARTITION_KEY)?.unwrap_or_else(|| format!("{source}/{id}"));
        let event = Self {
            kind: reader.required("type")?,
            subject: reader.text("subject")?,
            time: reader.time()?.unwrap_or(received),
            traceparent: reader.traceparent()?,
            tenant: reader.text(TENANT)?,
            caller: reader.text(CALLER)?,
            idempotency_key: reader.text(IDEMPOTENCY_KEY)?,
            data: reader.left.remove("data").unwrap_or(Value::Null),
            extensions: reader.left.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            id,
            source,
            key,
        };
        event.check()?;
        Ok(event)
    }
}

// === Reader ===

impl Reader {
    /// Takes a text attribute; `null` counts as absent (JSON format §2.2).
    fn text(&mut self, name: &str) -> Result<Option<String>, EventError> {
        match self.left.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => {
                Err(EventError::invalid(name, format!("must be text and is {}", json_type(&other))))
            }
        }
    }

    fn required(&mut self, name: &'static str) -> Result<String, EventError> {
        self.text(name)?.ok_or(EventError::Missing { attribute: name })
    }

    fn time(&mut self) -> Result<Option<Timestamp>, EventError> {
        let Some(text) = self.text("time")? else { return Ok(None) };
        Timestamp::parse(&text)
            .map(Some)
            .ok_or_else(|| EventError::invalid("time", format!("is {text:?}, which is no RFC 3339 time")))
    }

    fn traceparent(&mut self) -> Result<Option<String>, EventError> {
        let Some(text) = self.text(TRACEPARENT)? else { return Ok(None) };
        match text.parse::<ieum_core::TraceContext>() {
            Ok(_) => Ok(Some(text)),
            Err(error) => Err(EventError::invalid(TRACEPARENT, error.to_string())),
        }
    }

    fn check_media_type(&mut self) -> Result<(), EventError> {
        let Some(text) = self.text("datacontenttype")? else { return Ok(()) };
        if is_json(&text) {
            return Ok(());
        }
        Err(EventError::invalid("datacontenttype", format!("is {text:?}; this bus carries JSON")))
    }
}

/// Writes `time` with its microseconds, in UTC.
fn exact_time(time: Timestamp) -> String {
    let text = time.to_string();
    let micros = time.as_micros().rem_euclid(1_000_000);
    match text.rsplit_once('.') {
        Some((seconds, _)) => format!("{seconds}.{micros:06}Z"),
        None => text,
    }
}

/// Tells whether a media type is JSON: `application/json`, `text/json` or any `+json`, parameters aside.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == JSON_MEDIA_TYPE || essence == "text/json" || essence.ends_with("+json")
}

/// Checks an extension attribute's name and type (specification §3.1, §3.2).
pub(crate) fn check_extension(name: &str, value: &Value) -> Result<(), EventError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(EventError::invalid(name, "is no attribute name: only a-z and 0-9 are allowed"));
    }
    let whole = value.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
    if value.is_string() || value.is_boolean() || whole {
        return Ok(());
    }
    let found = json_type(value);
    Err(EventError::invalid(name, format!("must be text, a boolean or a 32-bit whole number and is {found}")))
}

pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
