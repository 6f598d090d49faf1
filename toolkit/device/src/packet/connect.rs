//! CONNECT and CONNACK (MQTT 5 §3.1 and §3.2).

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ieum_core::Secret;
use mqtt_protocol_core::mqtt::packet::{Property, v3_1_1, v5_0};

use super::read::whole;
use super::{Frame, Reason, Version};
use crate::{Message, Quality, topic};

/// A CONNECT.
pub(crate) struct Connect {
    pub version: Version,
    pub client: String,
    pub clean_start: bool,
    /// The longest silence in seconds, 0 for any.
    pub keep_alive: u16,
    /// For how many seconds the session outlives the connection; `u32::MAX` for ever.
    pub expiry: u32,
    pub receive_maximum: u16,
    pub packet_maximum: u32,
    pub alias_maximum: u16,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub will: Option<Will>,
}

/// What is published when a client is gone without a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Will {
    pub message: Message,
    /// How many seconds after the connection ended.
    pub delay: u32,
    /// For how many seconds it is worth delivering once it is published.
    pub expiry: Option<u32>,
}

/// What a CONNACK tells a client of MQTT 5.
pub(crate) struct Greeting {
    pub session_present: bool,
    pub assigned_client: Option<String>,
    pub server_keep_alive: Option<u16>,
    pub receive_maximum: u16,
    pub packet_maximum: u32,
    pub alias_maximum: u16,
    /// The session expiry, where it is not what the client asked for.
    pub expiry: Option<u32>,
}

/// Reads a CONNECT. The version comes with a refusal, so that it can be answered in the client's own.
pub(crate) fn read_connect(frame: &Frame) -> Result<Connect, (Version, Reason)> {
    let body = &frame.body[..];
    if frame.first != 0x10 || body.get(..6) != Some(b"\0\x04MQTT") {
        return Err((Version::V4, Reason::ProtocolError));
    }
    let (version, flags) = match body.get(6..8) {
        Some(&[4, flags]) => (Version::V4, flags),
        Some(&[5, flags]) => (Version::V5, flags),
        Some(&[level, _]) if level > 5 => return Err((Version::V5, Reason::UnsupportedVersion)),
        Some(_) => return Err((Version::V4, Reason::UnsupportedVersion)),
        None => return Err((Version::V4, Reason::Malformed)),
    };
    check_flags(flags).and_then(|()| read_body(version, body)).map_err(|reason| (version, reason))
}

/// MQTT 5 §3.1.2.3 to §3.1.2.9: what the flags may not say together.
fn check_flags(flags: u8) -> Result<(), Reason> {
    let will = flags & 0b100 != 0;
    let will_quality = (flags >> 3) & 3;
    if flags & 1 != 0 || will_quality == 3 || !will && flags & 0b11_1000 != 0 {
        return Err(Reason::Malformed);
    }
    Ok(())
}

fn read_body(version: Version, body: &[u8]) -> Result<Connect, Reason> {
    match version {
        Version::V4 => {
            let packet = whole(body, v3_1_1::Connect::parse)?;
            let will = packet.will_topic().map(|topic| {
                let payload = packet.will_payload().unwrap_or_default();
                will_of(topic, payload, packet.will_qos() as u8, packet.will_retain(), &[])
            });
            Ok(Connect {
                version,
                client: packet.client_id().to_owned(),
                clean_start: packet.clean_session(),
                keep_alive: packet.keep_alive(),
                expiry: if packet.clean_session() { 0 } else { u32::MAX },
                receive_maximum: u16::MAX,
                packet_maximum: u32::MAX,
                alias_maximum: 0,
                user: packet.user_name().map(str::to_owned),
                password: packet.password().map(secret).transpose()?,
                will: will.transpose()?,
            })
        }
        Version::V5 => {
            let packet = whole(body, v5_0::Connect::parse)?;
            let will = packet.will_topic().map(|topic| {
                let payload = packet.will_payload().unwrap_or_default();
                will_of(topic, payload, packet.will_qos() as u8, packet.will_retain(), packet.will_props())
            });
            let mut connect = Connect {
                version,
                client: packet.client_id().to_owned(),
                clean_start: packet.clean_start(),
                keep_alive: packet.keep_alive(),
                expiry: 0,
                receive_maximum: u16::MAX,
                packet_maximum: u32::MAX,
                alias_maximum: 0,
                user: packet.user_name().map(str::to_owned),
                password: packet.password().map(secret).transpose()?,
                will: will.transpose()?,
            };
            for property in packet.props() {
                match property {
                    Property::SessionExpiryInterval(expiry) => connect.expiry = expiry.val(),
                    Property::ReceiveMaximum(most) => connect.receive_maximum = most.val(),
                    Property::MaximumPacketSize(most) => connect.packet_maximum = most.val(),
                    Property::TopicAliasMaximum(most) => connect.alias_maximum = most.val(),
                    Property::AuthenticationMethod(_) => return Err(Reason::BadAuthenticationMethod),
                    _ => {}
                }
            }
            Ok(connect)
        }
    }
}

fn secret(password: &[u8]) -> Result<Secret, Reason> {
    std::str::from_utf8(password).map(Secret::new).map_err(|_| Reason::BadCredentials)
}

fn will_of(
    topic: &str,
    payload: &[u8],
    quality: u8,
    retain: bool,
    properties: &[Property],
) -> Result<Will, Reason> {
    if !topic::is_name(topic) {
        return Err(Reason::TopicInvalid);
    }
    let mut will = Will {
        message: Message {
            topic: Arc::from(topic),
            payload: Bytes::copy_from_slice(payload),
            quality: Quality::of(quality).ok_or(Reason::Malformed)?,
            retain,
            expires_at: None,
            properties: Bytes::new(),
        },
        delay: 0,
        expiry: None,
    };
    let mut kept = Vec::new();
    for property in properties {
        match property {
            Property::WillDelayInterval(delay) => will.delay = delay.val(),
            Property::MessageExpiryInterval(expiry) => will.expiry = Some(expiry.val()),
            other => kept.extend_from_slice(&other.to_continuous_buffer()),
        }
    }
    will.message.properties = kept.into();
    Ok(will)
}

/// Writes a CONNACK that says yes.
pub(crate) fn write_connack(version: Version, greeting: &Greeting, out: &mut BytesMut) {
    let mut properties = BytesMut::new();
    if version == Version::V5 {
        if let Some(expiry) = greeting.expiry {
            properties.put_u8(0x11);
            properties.put_u32(expiry);
        }
        if let Some(client) = &greeting.assigned_client {
            properties.put_u8(0x12);
            properties.put_u16(u16::try_from(client.len()).unwrap_or(0));
            properties.put_slice(client.as_bytes());
        }
        if let Some(seconds) = greeting.server_keep_alive {
            properties.put_u8(0x13);
            properties.put_u16(seconds);
        }
        properties.put_u8(0x21);
        properties.put_u16(greeting.receive_maximum);
        properties.put_u8(0x22);
        properties.put_u16(greeting.alias_maximum);
        properties.put_u8(0x27);
        properties.put_u32(greeting.packet_maximum);
    }
    out.put_u8(0x20);
    let extra = if version == Version::V5 { 1 + properties.len() } else { 0 };
    // An assigned identifier is short: all stays far below the 127 bytes that one byte of length tells.
    out.put_u8(u8::try_from(2 + extra).unwrap_or(0x7F));
    out.put_u8(u8::from(greeting.session_present));
    out.put_u8(0);
    if version == Version::V5 {
        out.put_u8(u8::try_from(properties.len()).unwrap_or(0x7F));
        out.put_slice(&properties);
    }
}
