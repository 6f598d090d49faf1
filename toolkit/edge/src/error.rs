//! What can go wrong between a device and its broker, each with what to do about it.

use std::fmt;
use std::io;

/// A broker's no (MQTT 5 §2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal(pub u8);

/// Why there is no connection to a broker, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name means nothing here.
    #[error("finding the broker {host:?}; check the name and this machine's network")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers there.
    #[error("connecting to {address}; check that the broker runs and that its port can be reached from here")]
    Dial {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No TLS with it.
    #[error(
        "agreeing on TLS with {address}; give the authority that signed its certificate, or use mqtt:// without TLS"
    )]
    Tls {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It lets nobody in who comes so.
    #[error("introducing {client:?} to {address}: the broker refuses it: {refusal}")]
    Refused {
        /// The client identifier.
        client: String,
        /// The address.
        address: String,
        /// Why.
        refusal: Refusal,
    },
    /// It does not let it listen.
    #[error("subscribing to {filter:?}: the broker refuses it: {refusal}")]
    Subscribe {
        /// The topic filter.
        filter: String,
        /// Why.
        refusal: Refusal,
    },
    /// What answers there speaks something else.
    #[error(
        "greeting {address}: what answers there is no MQTT broker; name the port for devices (device.listen, 1883), not the \
         one of pages and API"
    )]
    NoBroker {
        /// The address.
        address: String,
    },
    /// It said nothing in time.
    #[error("waiting for {what} from the broker: nothing came in time")]
    Silent {
        /// What was waited for.
        what: &'static str,
    },
    /// It closed, or the network is gone.
    #[error("speaking with the broker: the connection is gone")]
    Lost(#[source] io::Error),
    /// It took its leave.
    #[error("speaking with the broker: it ended the connection: {0}")]
    Ended(Refusal),
    /// What it says is no MQTT 5.
    #[error("reading what the broker says: {0}; it must speak MQTT 5")]
    Garbled(&'static str),
    /// What is to be said cannot be written.
    #[error("writing {what}: {problem}")]
    Unwritable {
        /// What.
        what: &'static str,
        /// Why.
        problem: String,
    },
}

impl ConnectError {
    /// Tells whether the same attempt can ever succeed: a wrong password stays wrong.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } | Self::Subscribe { refusal, .. } | Self::Ended(refusal) => {
                refusal.may_pass()
            }
            Self::Unwritable { .. } => false,
            _ => true,
        }
    }
}

impl Refusal {
    /// Tells whether trying again can help.
    pub fn may_pass(self) -> bool {
        !matches!(self.0, 0x81 | 0x82 | 0x84 | 0x85 | 0x86 | 0x87 | 0x8A | 0x8C | 0x90 | 0x95 | 0x99)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self.0 {
            0x84 => "it does not speak MQTT 5",
            0x85 => "the client identifier is not valid",
            0x86 => {
                "wrong device or secret; make a new one with `ieum device rotate` and give it to this device"
            }
            0x87 => {
                "not allowed; a device may use its own topics, device/{its id}/#, and needs a secret of its own"
            }
            0x88 | 0x89 => "it is not ready or too busy; it is tried again",
            0x8A => "it is banned",
            0x8B => "the broker is shutting down; it is tried again",
            0x8D => "it was silent for too long",
            0x8E => {
                "somebody else came with the same client identifier; let each device have an id of its own"
            }
            0x90 => "the topic is not valid",
            0x95 => "the packet is too large; raise device.most_packet or send less at once",
            0x97 => "no more room; it is tried again",
            0x98 => "an operator ended it, or its secret was revoked",
            code => return write!(out, "reason code 0x{code:02X} of MQTT 5"),
        };
        out.write_str(said)
    }
}
