//! Writes what a client is sent.

use bytes::{BufMut, BytesMut};

use super::{Ack, Reason, Version};
use crate::Message;

/// A message on its way to one client.
pub(crate) struct Outgoing<'a> {
    pub message: &'a Message,
    pub quality: u8,
    pub retain: bool,
    /// Was sent before.
    pub again: bool,
    /// The packet identifier, for quality 1 and 2.
    pub id: u16,
    /// The alias, and whether the topic is told with it.
    pub alias: Option<(u16, bool)>,
    pub identifiers: &'a [u32],
    /// For how many seconds it is worth delivering yet.
    pub seconds_left: Option<u32>,
}

/// Returns how many bytes the properties take, without the length before them.
fn encoded_properties(outgoing: &Outgoing<'_>) -> usize {
    let alias = outgoing.alias.map_or(0, |_| 3);
    let expiry = outgoing.seconds_left.map_or(0, |_| 5);
    let identifiers: usize = outgoing.identifiers.iter().map(|id| 1 + length_of_varint(*id as usize)).sum();
    outgoing.message.properties.len() + alias + expiry + identifiers
}

fn topic_of<'a>(outgoing: &Outgoing<'a>) -> &'a str {
    match outgoing.alias {
        Some((_, false)) => "",
        _ => &outgoing.message.topic,
    }
}

fn length_of_body(version: Version, outgoing: &Outgoing<'_>) -> usize {
    let id = if outgoing.quality > 0 { 2 } else { 0 };
    let mut length = 2 + topic_of(outgoing).len() + id + outgoing.message.payload.len();
    if version == Version::V5 {
        let properties = encoded_properties(outgoing);
        length += length_of_varint(properties) + properties;
    }
    length
}

/// Returns how many bytes the whole PUBLISH takes.
pub(crate) fn size_of_publish(version: Version, outgoing: &Outgoing<'_>) -> usize {
    let body = length_of_body(version, outgoing);
    1 + length_of_varint(body) + body
}

/// Writes a PUBLISH.
pub(crate) fn write_publish(version: Version, outgoing: &Outgoing<'_>, out: &mut BytesMut) {
    let body = length_of_body(version, outgoing);
    out.reserve(5 + body);
    let again = u8::from(outgoing.again && outgoing.quality > 0) << 3;
    out.put_u8(0x30 | again | outgoing.quality << 1 | u8::from(outgoing.retain));
    put_varint(out, body);
    let topic = topic_of(outgoing);
    // A topic that was read fits into its two bytes of length.
    out.put_u16(u16::try_from(topic.len()).unwrap_or(u16::MAX));
    out.put_slice(topic.as_bytes());
    if outgoing.quality > 0 {
        out.put_u16(outgoing.id);
    }
    if version == Version::V5 {
        put_varint(out, encoded_properties(outgoing));
        if let Some((alias, _)) = outgoing.alias {
            out.put_u8(0x23);
            out.put_u16(alias);
        }
        if let Some(seconds) = outgoing.seconds_left {
            out.put_u8(0x02);
            out.put_u32(seconds);
        }
        for identifier in outgoing.identifiers {
            out.put_u8(0x0B);
            put_varint(out, *identifier as usize);
        }
        out.put_slice(&outgoing.message.properties);
    }
    out.put_slice(&outgoing.message.payload);
}

/// Writes one of the four answers; a reason other than success is told in MQTT 5 alone.
pub(crate) fn write_ack(version: Version, kind: Ack, id: u16, reason: Option<u8>, out: &mut BytesMut) {
    let first = match kind {
        Ack::Puback => 0x40,
        Ack::Pubrec => 0x50,
        Ack::Pubrel => 0x62,
        Ack::Pubcomp => 0x70,
    };
    out.put_u8(first);
    match reason.filter(|_| version == Version::V5) {
        None => {
            out.put_u8(2);
            out.put_u16(id);
        }
        Some(code) => {
            out.put_u8(3);
            out.put_u16(id);
            out.put_u8(code);
        }
    }
}

/// Writes a SUBACK (`first` 0x90) or UNSUBACK (0xB0).
pub(crate) fn write_acks(version: Version, first: u8, id: u16, codes: &[u8], out: &mut BytesMut) {
    out.put_u8(first);
    match version {
        Version::V4 => {
            // An UNSUBACK of 3.1.1 says nothing for each filter, a SUBACK knows one failure.
            let codes = if first == 0xB0 { &[] } else { codes };
            put_varint(out, 2 + codes.len());
            out.put_u16(id);
            for code in codes {
                out.put_u8(if *code >= 0x80 { 0x80 } else { *code });
            }
        }
        Version::V5 => {
            put_varint(out, 3 + codes.len());
            out.put_u16(id);
            out.put_u8(0);
            out.put_slice(codes);
        }
    }
}

/// Writes a DISCONNECT; MQTT 3.1.1 has none from a server.
pub(crate) fn write_disconnect(version: Version, reason: Reason, out: &mut BytesMut) {
    if version == Version::V5 {
        out.put_slice(&[0xE0, 1, reason.code()]);
    }
}

/// Writes a PINGRESP.
pub(crate) fn write_ping_answer(out: &mut BytesMut) {
    out.put_slice(&[0xD0, 0]);
}

const fn length_of_varint(value: usize) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

fn put_varint(out: &mut BytesMut, mut value: usize) {
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            out.put_u8(byte);
            return;
        }
        out.put_u8(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use mqtt_protocol_core::mqtt::packet::v5_0;

    use super::*;

    #[test]
    fn a_publish_is_read_back_by_the_protocol_crate_as_it_was_written() {
        let message = Message::new("a/b", vec![7; 300]).with_property("k", "v");
        let outgoing = Outgoing {
            message: &message,
            quality: 2,
            retain: true,
            again: true,
            id: 700,
            alias: Some((3, true)),
            identifiers: &[1, 456_789],
            seconds_left: Some(9),
        };
        let mut out = BytesMut::new();
        write_publish(Version::V5, &outgoing, &mut out);
        assert_eq!(out.len(), size_of_publish(Version::V5, &outgoing));
        let (read, length) = v5_0::Publish::parse(out[0] & 0x0F, out[3..].into()).expect("is well formed");
        assert_eq!(length, out.len() - 3);
        assert_eq!((read.topic_name(), read.packet_id()), ("a/b", Some(700)));
        assert!(read.dup() && read.retain());
        assert_eq!(read.payload().as_slice(), &[7; 300]);
        assert_eq!(read.props().len(), 5);
    }
}
