//! Packets on the wire: frames cut out of bytes, read by the protocol crate, and written.
//!
//! `mqtt-protocol-core` reads and checks every packet. Its connection machine is not used: what it remembers ends
//! with a connection, while here the state of a message outlives connections and processes and an acknowledgement
//! waits for the disk. The body of a PUBLISH is passed on as shared bytes and never copied through the crate.

mod connect;
mod frame;
mod read;
mod reason;
mod write;

pub(crate) use connect::{Connect, Greeting, Will, read_connect, write_connack};
pub(crate) use frame::next_frame;
pub use frame::{Frame, FrameError, cut_frame};
pub(crate) use read::{Ack, Packet, Publish, Requested, read};
pub(crate) use reason::Reason;
pub(crate) use write::{
    Outgoing, size_of_publish, write_ack, write_acks, write_disconnect, write_ping_answer, write_publish,
};

/// The protocol's version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Version {
    /// MQTT 3.1.1.
    V4,
    /// MQTT 5.
    V5,
}
