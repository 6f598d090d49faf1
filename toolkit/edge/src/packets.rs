//! Packets of MQTT 5 as a client writes and reads them, by `mqtt-protocol-core`.
//!
//! Its connection machine is not used: what it remembers ends with the process, while here a message is forgotten once
//! the broker has it, and no sooner.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ieum_device::{FrameError, cut_frame};
use mqtt_protocol_core::mqtt::packet::{
    Properties, Property, Qos, ReceiveMaximum, RetainHandling, SessionExpiryInterval, SubEntry, SubOpts, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{DisconnectReasonCode, MqttError};

use crate::connection::Hello;
use crate::{ConnectError, Refusal};

/// The most bytes of a packet that is read.
const MOST: usize = 16 * 1024 * 1024;

/// A packet from the broker.
pub(crate) enum Packet {
    Welcome { present: bool, code: u8, properties: Terms },
    Message { topic: String, payload: Bytes, retain: bool, again: bool, id: Option<u16> },
    Taken { id: u16, code: u8 },
    Subscribed { id: u16, codes: Vec<u8> },
    Pong,
    Leave(Refusal),
}

/// What the broker grants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The most messages it takes before it acknowledges the first.
    pub receive: u16,
    /// The most bytes of one packet.
    pub packet: u32,
    /// After how many seconds of silence it ends the connection, where it says so.
    pub keep_alive: Option<u16>,
}

fn unwritable(what: &'static str) -> impl Fn(MqttError) -> ConnectError {
    move |error| ConnectError::Unwritable { what, problem: format!("{error:?}") }
}

/// Writes CONNECT.
pub(crate) fn write_connect(hello: &Hello) -> Result<Vec<u8>, ConnectError> {
    let failed = unwritable("a CONNECT");
    let expiry = SessionExpiryInterval::new(hello.session_seconds).map_err(&failed)?;
    let receive = ReceiveMaximum::new(hello.receive.max(1)).map_err(&failed)?;
    let properties: Properties = vec![expiry.into(), receive.into()];
    let mut builder = v5_0::Connect::builder()
        .client_id(hello.client.as_str())
        .map_err(&failed)?
        .clean_start(false)
        .keep_alive(hello.keep_alive)
        .props(properties);
    if let Some((user, password)) = &hello.credentials {
        builder = builder.user_name(user.as_str()).map_err(&failed)?;
        builder = builder.password(password.expose()).map_err(&failed)?;
    }
    Ok(builder.build().map_err(&failed)?.to_continuous_buffer())
}

/// Writes SUBSCRIBE with quality 1; what this client publishes itself does not come back. What the broker keeps comes once,
/// with a subscription that it did not know: told again at every connection it would be done again.
pub(crate) fn write_subscribe(id: u16, filter: &str) -> Result<Vec<u8>, ConnectError> {
    let failed = unwritable("a SUBSCRIBE");
    let options = SubOpts::new().set_qos(Qos::AtLeastOnce).set_nl(true).set_rap(true);
    let options = options.set_rh(RetainHandling::SendRetainedIfNotExists);
    let entry = SubEntry::new(filter, options).map_err(&failed)?;
    let packet = v5_0::Subscribe::builder().packet_id(id).entries(vec![entry]).build();
    Ok(packet.map_err(&failed)?.to_continuous_buffer())
}

/// Writes PUBLISH with quality 1.
pub(crate) fn write_publish(
    id: u16,
    topic: &str,
    payload: &[u8],
    (retain, again): (bool, bool),
) -> Result<Vec<u8>, ConnectError> {
    let failed = unwritable("a PUBLISH");
    let builder = v5_0::Publish::builder().topic_name(topic).map_err(&failed)?;
    let builder = builder.qos(Qos::AtLeastOnce).packet_id(id).retain(retain).dup(again).payload(payload);
    Ok(builder.build().map_err(&failed)?.to_continuous_buffer())
}

/// Writes PUBACK: done (MQTT 5 §3.4.2.1).
pub(crate) fn write_puback(id: u16) -> [u8; 4] {
    let [high, low] = id.to_be_bytes();
    [0x40, 2, high, low]
}

/// PINGREQ.
pub(crate) const PING: [u8; 2] = [0xC0, 0];

/// Writes DISCONNECT.
pub(crate) fn write_disconnect() -> Vec<u8> {
    let packet = v5_0::Disconnect::builder().reason_code(DisconnectReasonCode::NormalDisconnection).build();
    packet.map(|packet| packet.to_continuous_buffer()).unwrap_or_else(|_| vec![0xE0, 0])
}

/// Cuts the next packet out of `buffer` and reads it; `None` where bytes are missing.
pub(crate) fn next(buffer: &mut BytesMut) -> Result<Option<Packet>, ConnectError> {
    // What is counted there has the fixed header's five bytes besides.
    let frame = cut_frame(buffer, MOST + 5).map_err(|error| match error {
        FrameError::TooLarge => ConnectError::Garbled("a packet of more than 16 MiB"),
        FrameError::Endless => ConnectError::Garbled("a length that never ends"),
    })?;
    frame.map(|frame| read(frame.first, &frame.body)).transpose()
}

fn read(first: u8, body: &Bytes) -> Result<Packet, ConnectError> {
    let garbled = |what| move |_: MqttError| ConnectError::Garbled(what);
    match first >> 4 {
        2 => {
            let (packet, _) = v5_0::Connack::parse(body).map_err(garbled("its CONNACK"))?;
            let code = body.get(1).copied().unwrap_or(0x82);
            Ok(Packet::Welcome {
                present: packet.session_present(),
                code,
                properties: Terms::of(packet.props()),
            })
        }
        3 => {
            let shared: Arc<[u8]> = Arc::from(&body[..]);
            let (packet, _) = v5_0::Publish::parse(first & 0x0F, shared).map_err(garbled("its PUBLISH"))?;
            Ok(Packet::Message {
                topic: packet.topic_name().to_owned(),
                payload: Bytes::copy_from_slice(packet.payload().as_slice()),
                retain: packet.retain(),
                again: packet.dup(),
                id: packet.packet_id(),
            })
        }
        4 => {
            let (packet, _) = v5_0::Puback::parse(body).map_err(garbled("its PUBACK"))?;
            let code = packet.reason_code().map_or(0, |code| code as u8);
            Ok(Packet::Taken { id: packet.packet_id(), code })
        }
        9 => {
            let (packet, _) = v5_0::Suback::parse(body).map_err(garbled("its SUBACK"))?;
            let codes = packet.reason_codes().iter().map(|code| *code as u8).collect();
            Ok(Packet::Subscribed { id: packet.packet_id(), codes })
        }
        13 => Ok(Packet::Pong),
        14 => Ok(Packet::Leave(Refusal(body.first().copied().unwrap_or(0)))),
        _ => Err(ConnectError::Garbled("a packet that no broker sends to quality 1")),
    }
}

impl Terms {
    fn of(properties: &Properties) -> Self {
        let mut terms = Self { receive: u16::MAX, packet: u32::MAX, keep_alive: None };
        for property in properties {
            match property {
                Property::ReceiveMaximum(most) => terms.receive = most.val(),
                Property::MaximumPacketSize(most) => terms.packet = most.val(),
                Property::ServerKeepAlive(seconds) => terms.keep_alive = Some(seconds.val()),
                _ => {}
            }
        }
        terms
    }
}
