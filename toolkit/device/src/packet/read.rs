//! Reads every packet that a client sends after its CONNECT.

use std::sync::Arc;

use bytes::Bytes;
use mqtt_protocol_core::mqtt::packet::{Property, RetainHandling, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use super::{Frame, Reason, Version};
use crate::Quality;
use crate::topic::{self, Options};

/// A packet from a client.
pub(crate) enum Packet {
    Publish(Publish),
    /// One of the four answers of a message under way.
    Acknowledge {
        kind: Ack,
        id: u16,
        /// The other side refuses the message.
        failed: bool,
    },
    Subscribe(Subscribe),
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Ping,
    Disconnect {
        /// The client asks for its will not to be published.
        without_will: bool,
        /// The session expiry in seconds, where it is changed.
        expiry: Option<u32>,
    },
}

/// The four answers of a message under way (MQTT 5 §3.4 to §3.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ack {
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
}

/// A PUBLISH.
pub(crate) struct Publish {
    /// The topic, empty where an alias stands for it.
    pub topic: Arc<str>,
    pub payload: Bytes,
    pub quality: Quality,
    pub retain: bool,
    /// The packet identifier, 0 for quality 0.
    pub id: u16,
    pub alias: Option<u16>,
    /// For how many seconds it is worth delivering.
    pub expiry: Option<u32>,
    /// The properties that are passed on unaltered.
    pub properties: Bytes,
}

/// A SUBSCRIBE.
pub(crate) struct Subscribe {
    pub id: u16,
    pub entries: Vec<Requested>,
}

/// One subscription that is asked for.
pub(crate) struct Requested {
    pub filter: String,
    pub options: Options,
    /// When messages that are kept are sent.
    pub retained: RetainHandling,
}

/// A payload of fewer bytes is copied, so that a small message that waits long does not hold a large read buffer.
const SHARED_FROM: usize = 16 * 1024;

/// Reads a packet other than CONNECT.
pub(crate) fn read(version: Version, frame: &Frame) -> Result<Packet, Reason> {
    let (kind, flags) = (frame.first >> 4, frame.first & 0x0F);
    if kind == 3 {
        return read_publish(version, frame).map(Packet::Publish);
    }
    // MQTT 5 §2.1.3: every other kind has one value of its flags.
    let wanted = if matches!(kind, 6 | 8 | 10) { 0b0010 } else { 0 };
    if flags != wanted {
        return Err(Reason::Malformed);
    }
    match kind {
        4 => read_ack(version, Ack::Puback, &frame.body),
        5 => read_ack(version, Ack::Pubrec, &frame.body),
        6 => read_ack(version, Ack::Pubrel, &frame.body),
        7 => read_ack(version, Ack::Pubcomp, &frame.body),
        8 => read_subscribe(version, &frame.body).map(Packet::Subscribe),
        10 => read_unsubscribe(version, &frame.body),
        12 if frame.body.is_empty() => Ok(Packet::Ping),
        12 => Err(Reason::Malformed),
        14 => read_disconnect(version, &frame.body),
        // CONNECT again, AUTH without an agreed method, and what only a server sends.
        _ => Err(Reason::ProtocolError),
    }
}

fn read_publish(version: Version, frame: &Frame) -> Result<Publish, Reason> {
    let flags = frame.first & 0x0F;
    let quality = Quality::of((flags >> 1) & 3).ok_or(Reason::Malformed)?;
    if quality == Quality::AtMostOnce && flags & 0b1000 != 0 {
        return Err(Reason::Malformed);
    }
    let body = &frame.body[..];
    let topic_length = usize::from(u16_at(body, 0)?);
    let topic = body.get(2..2 + topic_length).ok_or(Reason::Malformed)?;
    let topic = std::str::from_utf8(topic).map_err(|_| Reason::Malformed)?;
    let mut at = 2 + topic_length;
    let mut id = 0;
    if quality > Quality::AtMostOnce {
        id = u16_at(body, at)?;
        if id == 0 {
            return Err(Reason::ProtocolError);
        }
        at += 2;
    }
    let mut extras = Extras::default();
    if version == Version::V5 {
        let (start, length) = property_length(body, at)?;
        at = start + length;
        let head = body.get(..at).ok_or(Reason::Malformed)?;
        if length > 0 {
            extras = read_extras(flags, head, &head[start..])?;
        }
    }
    if !(topic::is_name(topic) || topic.is_empty() && extras.alias.is_some()) {
        return Err(if topic.is_empty() { Reason::ProtocolError } else { Reason::TopicInvalid });
    }
    if body.len() < at {
        return Err(Reason::Malformed);
    }
    let payload = if body.len() - at < SHARED_FROM {
        Bytes::copy_from_slice(&body[at..])
    } else {
        frame.body.slice(at..)
    };
    let Extras { alias, expiry, properties } = extras;
    Ok(Publish {
        topic: topic.into(),
        payload,
        quality,
        retain: flags & 1 != 0,
        id,
        alias,
        expiry,
        properties,
    })
}

/// The properties of a PUBLISH.
#[derive(Default)]
struct Extras {
    alias: Option<u16>,
    expiry: Option<u32>,
    properties: Bytes,
}

/// Reads and checks the properties of the PUBLISH whose bytes up to its payload are `head`, those of the
/// properties at its end.
fn read_extras(flags: u8, head: &[u8], properties: &[u8]) -> Result<Extras, Reason> {
    let parsed = v5_0::Publish::parse(flags, Arc::from(head));
    let (packet, _) = parsed.map_err(|error| refusal_of(properties, error))?;
    let mut extras = Extras::default();
    let mut kept = Vec::new();
    for property in packet.props() {
        match property {
            Property::TopicAlias(alias) => extras.alias = Some(alias.val()),
            Property::MessageExpiryInterval(expiry) => extras.expiry = Some(expiry.val()),
            // MQTT 5 §3.3.4: only a server may send it.
            Property::SubscriptionIdentifier(_) => return Err(Reason::ProtocolError),
            Property::ResponseTopic(topic) if !topic::is_name(topic.val()) => {
                return Err(Reason::ProtocolError);
            }
            other => kept.extend_from_slice(&other.to_continuous_buffer()),
        }
    }
    extras.properties = kept.into();
    Ok(extras)
}

/// The crate calls an alias of 0 a protocol error like any other; it has a reason code of its own.
fn refusal_of(mut properties: &[u8], error: MqttError) -> Reason {
    while let Ok((_, length)) = Property::parse(properties) {
        properties = properties.get(length..).unwrap_or_default();
    }
    if properties.starts_with(&[0x23, 0, 0]) { Reason::TopicAliasInvalid } else { error.into() }
}

/// Returns where the properties begin and how long they are.
fn property_length(body: &[u8], at: usize) -> Result<(usize, usize), Reason> {
    let mut length = 0;
    for index in 0..4 {
        let byte = *body.get(at + index).ok_or(Reason::Malformed)?;
        length |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((at + index + 1, length));
        }
    }
    Err(Reason::Malformed)
}

fn u16_at(body: &[u8], at: usize) -> Result<u16, Reason> {
    match body.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Reason::Malformed),
    }
}

/// Returns what `parse` reads where it reads `body` to its end.
pub(super) fn whole<T, E: Into<Reason>>(
    body: &[u8],
    parse: impl FnOnce(&[u8]) -> Result<(T, usize), E>,
) -> Result<T, Reason> {
    let (packet, length) = parse(body).map_err(Into::into)?;
    if length == body.len() { Ok(packet) } else { Err(Reason::Malformed) }
}

fn read_ack(version: Version, kind: Ack, body: &[u8]) -> Result<Packet, Reason> {
    let id = u16_at(body, 0)?;
    if id == 0 {
        return Err(Reason::ProtocolError);
    }
    if body.len() == 2 {
        return Ok(Packet::Acknowledge { kind, id, failed: false });
    }
    if version == Version::V4 {
        return Err(Reason::Malformed);
    }
    let code = match kind {
        Ack::Puback => whole(body, v5_0::Puback::parse)?.reason_code().map(|code| code as u8),
        Ack::Pubrec => whole(body, v5_0::Pubrec::parse)?.reason_code().map(|code| code as u8),
        Ack::Pubrel => whole(body, v5_0::Pubrel::parse)?.reason_code().map(|code| code as u8),
        Ack::Pubcomp => whole(body, v5_0::Pubcomp::parse)?.reason_code().map(|code| code as u8),
    };
    Ok(Packet::Acknowledge { kind, id, failed: code.is_some_and(|code| code >= 0x80) })
}

fn read_subscribe(version: Version, body: &[u8]) -> Result<Subscribe, Reason> {
    let (id, parsed, identifier) = match version {
        Version::V4 => {
            let packet = whole(body, v3_1_1::Subscribe::parse)?;
            (packet.packet_id(), packet.entries().clone(), 0)
        }
        Version::V5 => {
            let packet = whole(body, v5_0::Subscribe::parse)?;
            let identifier = packet.props().iter().find_map(|property| match property {
                Property::SubscriptionIdentifier(identifier) => Some(identifier.val()),
                _ => None,
            });
            if identifier == Some(0) {
                return Err(Reason::ProtocolError);
            }
            (packet.packet_id(), packet.entries().clone(), identifier.unwrap_or(0))
        }
    };
    if id == 0 {
        return Err(Reason::ProtocolError);
    }
    let mut entries = Vec::with_capacity(parsed.len());
    for entry in parsed {
        let wanted = entry.sub_opts();
        let filter = entry.topic_filter().to_owned();
        // MQTT 5 §3.8.3.1: no local is for subscriptions that are not shared.
        if wanted.nl() && filter.starts_with("$share/") {
            return Err(Reason::ProtocolError);
        }
        // MQTT 3.1.1 §3.8.3: what were reserved bits then are options now.
        if version == Version::V4 && (wanted.nl() || wanted.rap() || wanted.rh() as u8 != 0) {
            return Err(Reason::Malformed);
        }
        let options = Options {
            quality: Quality::of(wanted.qos() as u8).ok_or(Reason::Malformed)?,
            no_local: wanted.nl(),
            retain_as_published: wanted.rap(),
            identifier,
        };
        entries.push(Requested { filter, options, retained: wanted.rh() });
    }
    Ok(Subscribe { id, entries })
}

fn read_unsubscribe(version: Version, body: &[u8]) -> Result<Packet, Reason> {
    let (id, filters) = match version {
        Version::V4 => {
            let packet = whole(body, v3_1_1::Unsubscribe::parse)?;
            (packet.packet_id(), packet.entries().clone())
        }
        Version::V5 => {
            let packet = whole(body, v5_0::Unsubscribe::parse)?;
            (packet.packet_id(), packet.entries().clone())
        }
    };
    if id == 0 {
        return Err(Reason::ProtocolError);
    }
    Ok(Packet::Unsubscribe { id, filters: filters.iter().map(|filter| filter.as_str().to_owned()).collect() })
}

fn read_disconnect(version: Version, body: &[u8]) -> Result<Packet, Reason> {
    if body.is_empty() {
        return Ok(Packet::Disconnect { without_will: true, expiry: None });
    }
    if version == Version::V4 {
        return Err(Reason::Malformed);
    }
    let packet = whole(body, v5_0::Disconnect::parse)?;
    let expiry = packet.props().iter().flatten().find_map(|property| match property {
        Property::SessionExpiryInterval(expiry) => Some(expiry.val()),
        _ => None,
    });
    let without_will = packet.reason_code().is_none_or(|code| code as u8 == 0);
    Ok(Packet::Disconnect { without_will, expiry })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall_over(first: u8, body in prop::collection::vec(any::<u8>(), 0..80)) {
            for version in [Version::V4, Version::V5] {
                // Only that it returns matters.
                let _ = read(version, &Frame { first, body: body.clone().into() });
            }
            let _ = super::super::read_connect(&Frame { first: 0x10, body: body.into() });
        }
    }

    #[test]
    fn a_publish_that_breaks_the_rules_is_refused_with_its_reason() {
        let refused = |version, first, body: &[u8]| {
            read(version, &Frame { first, body: Bytes::copy_from_slice(body) }).err()
        };
        assert_eq!(refused(Version::V4, 0x36, b"\0\x01a\0\x01"), Some(Reason::Malformed), "quality 3");
        assert_eq!(refused(Version::V4, 0x32, b"\0\x01a\0\0"), Some(Reason::ProtocolError), "identifier 0");
        assert_eq!(refused(Version::V4, 0x30, b"\0\x01+"), Some(Reason::TopicInvalid), "a wildcard");
        assert_eq!(refused(Version::V5, 0x30, b"\0\0\0x"), Some(Reason::ProtocolError), "no topic, no alias");
        assert_eq!(refused(Version::V5, 0x30, b"\0\x01a\x03\x23\0\0"), Some(Reason::TopicAliasInvalid));
        assert_eq!(refused(Version::V5, 0x30, b"\0\x01a\x09\x23\0\0"), Some(Reason::Malformed), "cut short");
        assert_eq!(
            refused(Version::V4, 0x80, b"\0\x01\0\x01a\0"),
            Some(Reason::Malformed),
            "flags of SUBSCRIBE"
        );
        assert_eq!(refused(Version::V5, 0xF0, b""), Some(Reason::ProtocolError), "AUTH");
    }
}
