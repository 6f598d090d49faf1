//! Events as Kafka records: the CloudEvents Kafka binding, written in structured mode, read in both modes.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>

use ieum_core::{Timestamp, describe};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::event::envelope::{is_json, json_type};
use crate::storage::{Delivery, Entry, Garbage};
use crate::{Event, EventError, LONGEST_KEY, LONGEST_NAME};

const CONTENT_TYPE: &str = "content-type";
const STRUCTURED: &str = "application/cloudevents+json";
const PREFIX: &str = "ce_";
const TRACEPARENT: &str = "traceparent";
/// What a batch holds beside its records, in bytes.
const BATCH_FRAME: usize = 61;
/// A record's attributes, and its distance in time and offset from the first of the batch, in bytes.
const RECORD_FRAME: usize = 3;
/// More than a batch of one takes beside key and body, in bytes.
const MOST_FRAME: usize = 256;
const PARTITION_KEY: &str = "partitionkey";

/// A record as it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub at: Timestamp,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What is read of an event that is on its way out.
#[derive(Deserialize, Default)]
pub(super) struct Traced {
    pub traceparent: Option<String>,
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// Returns the headers of an event in structured mode, given its body.
pub(super) fn headers(body: &str) -> OwnedHeaders {
    let headers = OwnedHeaders::new().insert(Header { key: CONTENT_TYPE, value: Some(STRUCTURED) });
    match Traced::of(body).traceparent {
        Some(trace) => headers.insert(Header { key: TRACEPARENT, value: Some(trace.as_str()) }),
        None => headers,
    }
}

/// Returns the size of an entry's record where it is above `limit`, in bytes: a batch that holds it alone, without
/// compression, which is what brokers compare (<https://kafka.apache.org/documentation/#recordbatch>).
pub(super) fn size_above(entry: &Entry, limit: usize) -> Option<usize> {
    let content = entry.key.len() + entry.body.len();
    if content + MOST_FRAME <= limit {
        return None;
    }
    let trace = Traced::of(&entry.body).traceparent;
    let headers = [Some((CONTENT_TYPE, STRUCTURED)), trace.as_deref().map(|trace| (TRACEPARENT, trace))];
    let with_length = |text: &str| length_of(text.len()) + text.len();
    let mut record = RECORD_FRAME + with_length(&entry.key) + with_length(&entry.body) + 1;
    for (name, value) in headers.into_iter().flatten() {
        record += with_length(name) + with_length(value);
    }
    Some(BATCH_FRAME + length_of(record) + record).filter(|size| *size > limit)
}

/// Returns how many bytes a length takes: seven bits each, of which zigzag takes one.
const fn length_of(length: usize) -> usize {
    let bits = (usize::BITS - length.leading_zeros()) as usize + 1;
    bits.div_ceil(7)
}

// === Traced ===

impl Traced {
    pub(super) fn of(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }
}

// === Record ===

impl Record {
    /// Copies a message; `now` stands in where it has no time.
    pub(super) fn of(message: &BorrowedMessage<'_>, now: Timestamp) -> Self {
        let mut headers = Vec::new();
        for header in message.headers().iter().flat_map(|headers| headers.iter()) {
            headers.push((header.key.to_owned(), header.value.unwrap_or_default().to_vec()));
        }
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            at: message.timestamp().to_millis().map_or(now, Timestamp::from_millis),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
        }
    }

    /// Returns about how much memory it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let of = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        of(&self.key) + of(&self.value) + headers + size_of::<Self>()
    }

    /// Returns the record as the worker takes it. Its position is the offset that comes next, so that
    /// position 0 is before the first record.
    pub(super) fn delivery(&self) -> Delivery {
        let content = self.event().map_err(|error| self.garbage(&error));
        Delivery { position: self.offset + 1, content }
    }

    fn event(&self) -> Result<Event, EventError> {
        let mut attributes = if self.is_binary()? { self.binary()? } else { self.structured()? };
        if attributes.get(PARTITION_KEY).is_none_or(Value::is_null)
            && let Some(key) = self.key_text()
        {
            attributes.insert(PARTITION_KEY.to_owned(), key.into());
        }
        if attributes.get(TRACEPARENT).is_none_or(Value::is_null)
            && let Some(trace) = self.text(TRACEPARENT).filter(|text| is_trace(text))
        {
            attributes.insert(TRACEPARENT.to_owned(), trace.into());
        }
        Event::from_object(attributes, self.at)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// Tells the mode (binding §3): a CloudEvents media type is structured, `ce_` headers are binary. Neither
    /// may still be an event in JSON from a producer that writes no headers.
    fn is_binary(&self) -> Result<bool, EventError> {
        let media_type = self.text(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        if media_type.starts_with(STRUCTURED) {
            return Ok(false);
        }
        if media_type.starts_with("application/cloudevents") {
            let problem = format!("is {media_type:?}; this bus reads {STRUCTURED:?}");
            return Err(EventError::invalid(CONTENT_TYPE, problem));
        }
        Ok(self.headers.iter().any(|(name, _)| name.starts_with(PREFIX)))
    }

    fn structured(&self) -> Result<Map<String, Value>, EventError> {
        let value = self.value.as_deref().unwrap_or_default();
        match serde_json::from_slice(value).map_err(EventError::Json)? {
            Value::Object(object) => Ok(object),
            other => Err(EventError::NotAnObject { found: json_type(&other) }),
        }
    }

    fn binary(&self) -> Result<Map<String, Value>, EventError> {
        let mut object = Map::new();
        for (name, value) in &self.headers {
            let Some(attribute) = name.strip_prefix(PREFIX) else { continue };
            let text = std::str::from_utf8(value);
            let text = text.map_err(|_| EventError::invalid(attribute, "is no UTF-8 text"))?;
            object.insert(attribute.to_owned(), text.into());
        }
        let media_type = self.text(CONTENT_TYPE);
        if let Some(media_type) = media_type {
            object.insert("datacontenttype".to_owned(), media_type.into());
        }
        let value = self.value.as_deref().unwrap_or_default();
        // Data of another media type is refused by name when the attributes are read.
        if !value.is_empty() && media_type.is_none_or(is_json) {
            object.insert("data".to_owned(), serde_json::from_slice(value).map_err(EventError::Json)?);
        }
        Ok(object)
    }

    /// Returns the record's key as an event's key: as it is where it is short text, else a hash of it.
    fn key_text(&self) -> Option<String> {
        let key = self.key.as_ref().filter(|key| !key.is_empty())?;
        let text = std::str::from_utf8(key).ok();
        let fits = |text: &&str| text.chars().count() <= LONGEST_KEY && !text.contains('\0');
        Some(text.filter(fits).map_or_else(|| hex::encode(Sha256::digest(key)), str::to_owned))
    }

    fn garbage(&self, error: &EventError) -> Garbage {
        let place = format!("{}/{}/{}", self.topic, self.partition, self.offset);
        let body = String::from_utf8_lossy(self.value.as_deref().unwrap_or_default());
        Garbage {
            key: self.key_text().unwrap_or_else(|| place.clone()),
            // The topic's name may fill the room; partition and offset are what tells records apart.
            event_id: place.chars().skip(place.len().saturating_sub(LONGEST_NAME)).collect(),
            body: body.replace('\0', "\u{fffd}"),
            problem: format!(
                "{} (topic {}, partition {}, offset {})",
                describe(error),
                self.topic,
                self.partition,
                self.offset
            ),
        }
    }
}

fn is_trace(text: &str) -> bool {
    text.parse::<ieum_core::TraceContext>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn record(headers: &[(&str, &str)], value: &[u8]) -> Record {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Record {
            topic: "cups".to_owned(),
            partition: 3,
            offset: 41,
            key: Some(b"a".to_vec()),
            value: Some(value.to_vec()),
            headers: headers.collect(),
            at: Timestamp::from_seconds(1_000),
        }
    }

    fn binary() -> Vec<(&'static str, &'static str)> {
        vec![
            ("ce_specversion", "1.0"),
            ("ce_id", "7"),
            ("ce_source", "/elsewhere"),
            ("ce_type", "cup.filled.v1"),
            ("ce_colour", "green"),
            ("content-type", "application/json; charset=utf-8"),
            ("traceparent", TRACE),
        ]
    }

    #[test]
    fn a_record_in_binary_mode_is_an_event() {
        let delivery = record(&binary(), b"{\"number\": 1}").delivery();
        let event = delivery.content.expect("is an event");
        assert_eq!(delivery.position, 42);
        assert_eq!((event.id.as_str(), event.source.as_str(), event.key.as_str()), ("7", "/elsewhere", "a"));
        assert_eq!((event.time, event.traceparent.as_deref()), (Timestamp::from_seconds(1_000), Some(TRACE)));
        assert_eq!((&event.data["number"], &event.extensions["colour"]), (&1.into(), &"green".into()));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let cx = ieum_core::Cx::root();
        let event = Event::new(&cx, "/test", "cup.filled.v1", "a", 1).expect("is JSON");
        let body = event.to_cloud_event_json();
        let written = headers(&body);
        let found: Vec<(&str, &str)> = written
            .iter()
            .map(|header| {
                (header.key, std::str::from_utf8(header.value.unwrap_or_default()).expect("is text"))
            })
            .collect();
        let trace = event.traceparent.clone().expect("has a trace");
        assert_eq!(found, [("content-type", STRUCTURED), ("traceparent", trace.as_str())]);
        assert_eq!(record(&found, body.as_bytes()).delivery().content.expect("is an event"), event);
    }

    #[test]
    fn garbage_is_named_after_where_it_was_found() {
        for (headers, value) in [
            (vec![], &b"\xff\0no event"[..]),
            (vec![("content-type", "application/cloudevents-batch+json")], b"[]"),
            (binary(), b"{"),
            (binary()[1..].to_vec(), b"{}"),
        ] {
            let garbage = record(&headers, value).delivery().content.expect_err("is no event");
            assert_eq!((garbage.event_id.as_str(), garbage.key.as_str()), ("cups/3/41", "a"));
            assert!(garbage.problem.ends_with("(topic cups, partition 3, offset 41)"), "{}", garbage.problem);
            assert!(!garbage.body.contains('\0'));
        }
    }

    #[test]
    fn a_long_or_unreadable_key_still_keeps_its_events_together() {
        let with_key = |key: &[u8]| Record { key: Some(key.to_vec()), ..record(&[], b"") }.key_text();
        assert_eq!(with_key(b"seat 7").as_deref(), Some("seat 7"));
        assert_eq!(with_key(&[0xff, 1]).map(|key| key.len()), Some(64));
        assert_eq!(with_key(&[b'k'; 500]).map(|key| key.len()), Some(64));
        assert_ne!(with_key(&[0xff, 1]), with_key(&[0xff, 2]));
        assert_eq!(with_key(b""), None);
    }
}
