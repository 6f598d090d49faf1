//! `[device]`: where devices come, who is let in, how much waits for them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;
use super::{BridgeSettings, bridge};

/// `[device]`
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// Where to listen for MQTT; `None` for WebSocket alone.
    pub listen: Option<SocketAddr>,
    /// Certificate and private key; `None` for plain connections.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether devices without credentials are let in.
    pub anonymous: bool,
    /// The most bytes of a packet.
    pub most_packet: u32,
    /// The most messages that wait for one device.
    pub most_queued: usize,
    /// How long a session waits for its device.
    pub keep_session: Duration,
    /// The outside broker that it is joined with; `None` for none.
    pub bridge: Option<BridgeSettings>,
}

/// Reads the section.
pub fn device(reader: &mut Reader<'_>) -> DeviceSettings {
    let listen = (!reader.text("device.listen").is_empty()).then(|| reader.address("device.listen"));
    let [certificate, key] = ["device.certificate", "device.key"].map(|key| reader.text(key));
    if certificate.is_empty() != key.is_empty() {
        let lacking = if key.is_empty() { "device.key" } else { "device.certificate" };
        reader.wrong(lacking, "is empty, but certificate and key are needed together");
    }
    let tls = !certificate.is_empty() && !key.is_empty();
    let anonymous = reader.flag("device.anonymous");
    DeviceSettings {
        listen,
        tls: tls.then(|| (PathBuf::from(certificate), PathBuf::from(key))),
        anonymous,
        most_packet: reader.number("device.most_packet", 1_024, 1 << 28),
        most_queued: reader.number("device.most_queued", 1, 1_000_000) as usize,
        keep_session: reader.duration("device.keep_session"),
        bridge: bridge::bridge(reader.table, reader.mistakes),
    }
}
