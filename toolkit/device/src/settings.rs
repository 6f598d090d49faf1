//! What an operator sets: limits, what happens when a queue is full, how durable acknowledgements are.

use std::time::Duration;

use crate::Quality;

/// The limits of a broker.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a client may take from the connection to the end of its CONNECT, TLS included.
    pub connect_timeout: Duration,
    /// The longest keep alive in seconds: who asks for more, or for none, gets this one. A silence of one and a
    /// half times as long ends the connection (MQTT 5 §3.1.2.10).
    pub keep_alive: u16,
    /// The most bytes of one packet.
    pub packet: u32,
    /// The most messages to one client that wait for its acknowledgement.
    pub inflight: u16,
    /// The most messages of one client that it may send before the first is acknowledged (receive maximum).
    pub receive: u16,
    /// The most messages that wait for one client.
    pub queued: usize,
    /// What happens to a message for whom as many wait.
    pub overflow: Overflow,
    /// The most topic aliases each way.
    pub aliases: u16,
    /// The longest a session waits for its client.
    pub session: Duration,
    /// The most subscriptions of one session.
    pub subscriptions: usize,
    /// The most messages kept for later subscribers.
    pub retained: usize,
    /// The most connections in all.
    pub connections: usize,
    /// The most connections from one address.
    pub connections_per_address: usize,
    /// The best quality that messages are delivered with.
    pub quality: Quality,
}

/// What happens to a message for a client that has as many waiting as it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overflow {
    /// The oldest message that waits makes room.
    #[default]
    DropOldest,
    /// The new message is not queued.
    DropNewest,
    /// Its publisher is refused (reason code 0x97; MQTT 3.1.1 knows none, so that the connection ends), and nobody
    /// gets it. For messages of quality 1 and 2: one of quality 0 is not queued.
    Refuse,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            keep_alive: 60,
            packet: 1024 * 1024,
            inflight: 100,
            receive: 100,
            queued: 1_000,
            overflow: Overflow::DropOldest,
            aliases: 16,
            session: Duration::from_secs(30 * 24 * 3_600),
            subscriptions: 1_000,
            retained: 100_000,
            connections: 20_000,
            connections_per_address: 20_000,
            quality: Quality::ExactlyOnce,
        }
    }
}
