//! An application message as it is published, kept and passed on.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use ieum_core::Timestamp;
use mqtt_protocol_core::mqtt::packet::Property;

/// How surely a message arrives (MQTT 5 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub enum Quality {
    /// Once or not at all.
    #[default]
    AtMostOnce,
    /// Once or more.
    AtLeastOnce,
    /// Exactly once.
    ExactlyOnce,
}

/// An application message. Cloning shares the payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Where it is published.
    pub topic: Arc<str>,
    /// What is said.
    pub payload: Bytes,
    /// How surely it arrives.
    pub quality: Quality,
    /// Whether it is kept for who subscribes later.
    pub retain: bool,
    /// When it is no longer worth delivering.
    pub expires_at: Option<Timestamp>,
    /// The properties that are passed on unaltered (MQTT 5 §3.3.2.3), encoded.
    pub(crate) properties: Bytes,
}

/// Identifiers of the properties that a message carries (MQTT 5 §2.2.2.2).
mod property {
    pub const CONTENT_TYPE: u8 = 0x03;
    pub const RESPONSE_TOPIC: u8 = 0x08;
    pub const CORRELATION_DATA: u8 = 0x09;
    pub const USER: u8 = 0x26;
}

// === Quality ===

impl Quality {
    /// Returns the number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// Returns the quality of a number on the wire, 0 to 2.
    pub const fn of(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

// === Message ===

impl Message {
    /// Makes a message that arrives at least once.
    pub fn new(topic: &str, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            quality: Quality::AtLeastOnce,
            retain: false,
            expires_at: None,
            properties: Bytes::new(),
        }
    }

    /// Sets how surely it arrives.
    #[must_use]
    pub fn with_quality(mut self, quality: Quality) -> Self {
        self.quality = quality;
        self
    }

    /// Has it kept for who subscribes later.
    #[must_use]
    pub fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// Adds a user property. A name or value beyond 65,535 bytes is cut.
    #[must_use]
    pub fn with_property(mut self, name: &str, value: &str) -> Self {
        self.append(property::USER, &[name.as_bytes(), value.as_bytes()]);
        self
    }

    /// Names the topic that an answer goes to, and what tells answers apart.
    #[must_use]
    pub fn with_response_topic(mut self, topic: &str, correlation: &[u8]) -> Self {
        self.append(property::RESPONSE_TOPIC, &[topic.as_bytes()]);
        self.append(property::CORRELATION_DATA, &[correlation]);
        self
    }

    /// Says what kind of payload it is.
    #[must_use]
    pub fn with_content_type(mut self, kind: &str) -> Self {
        self.append(property::CONTENT_TYPE, &[kind.as_bytes()]);
        self
    }

    fn append(&mut self, identifier: u8, parts: &[&[u8]]) {
        let mut encoded = BytesMut::from(&self.properties[..]);
        encoded.put_u8(identifier);
        for part in parts {
            let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
            encoded.put_u16(length);
            encoded.put_slice(&part[..usize::from(length)]);
        }
        self.properties = encoded.freeze();
    }

    /// Returns the user properties in their order.
    pub fn user_properties(&self) -> Vec<(String, String)> {
        let pair = |property| match property {
            Property::UserProperty(pair) => Some((pair.key().to_owned(), pair.val().to_owned())),
            _ => None,
        };
        self.read_properties().into_iter().filter_map(pair).collect()
    }

    /// Returns the topic that an answer goes to.
    pub fn response_topic(&self) -> Option<String> {
        self.read_properties().into_iter().find_map(|property| match property {
            Property::ResponseTopic(topic) => Some(topic.val().to_owned()),
            _ => None,
        })
    }

    /// Returns what tells answers apart.
    pub fn correlation(&self) -> Option<Bytes> {
        self.read_properties().into_iter().find_map(|property| match property {
            Property::CorrelationData(data) => Some(Bytes::copy_from_slice(data.val())),
            _ => None,
        })
    }

    /// Returns what kind of payload it is.
    pub fn content_type(&self) -> Option<String> {
        self.read_properties().into_iter().find_map(|property| match property {
            Property::ContentType(kind) => Some(kind.val().to_owned()),
            _ => None,
        })
    }

    fn read_properties(&self) -> Vec<Property> {
        let mut rest = &self.properties[..];
        let mut found = Vec::new();
        while let Ok((property, length)) = Property::parse(rest) {
            found.push(property);
            rest = rest.get(length..).unwrap_or_default();
        }
        found
    }

    /// Tells whether it is no longer worth delivering at `now`.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns the seconds that are left at `now`, rounded up.
    pub(crate) fn seconds_left(&self, now: Timestamp) -> Option<u32> {
        let left = self.expires_at?.since(now) + Duration::from_micros(999_999);
        Some(u32::try_from(left.as_secs()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_back_as_they_were_set() {
        let message = Message::new("a", "x")
            .with_property("trace", "1")
            .with_property("trace", "2")
            .with_response_topic("answers", b"7")
            .with_content_type("text/plain");
        let pair = |value: &str| ("trace".to_owned(), value.to_owned());
        assert_eq!(message.user_properties(), [pair("1"), pair("2")]);
        assert_eq!(message.response_topic().as_deref(), Some("answers"));
        assert_eq!(message.correlation().as_deref(), Some(&b"7"[..]));
        assert_eq!(message.content_type().as_deref(), Some("text/plain"));
    }
}
