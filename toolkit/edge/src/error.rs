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

impl ConnectError {
    /// Says what a bridge is to do where an outside broker does not let it in, which knows nothing of our devices; `None`
    /// where that is as with a device.
    pub(crate) fn told_of_a_bridge(&self) -> Option<String> {
        match self {
            Self::Refused { client, address, refusal: Refusal(0x86) } => Some(format!(
                "introducing {client:?} to {address}: the broker refuses it: wrong user or password; name those that it \
                 knows in device.bridge, as in mqtt://user:password@host"
            )),
            Self::Refused { client, address, refusal: Refusal(0x87) } => Some(format!(
                "introducing {client:?} to {address}: the broker refuses it: not allowed; name a user that it lets in, and \
                 the password, in device.bridge, as in mqtt://user:password@host"
            )),
            Self::Subscribe { filter, refusal: Refusal(0x87) } => Some(format!(
                "subscribing to {filter:?}: the broker refuses it: not allowed; let the user in device.bridge read it there, \
                 or take it out of device.bridge_in"
            )),
            _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_told_of_the_user_in_its_setting_and_of_no_secret_of_a_device() {
        let refused = |code| ConnectError::Refused {
            client: "ieum".to_owned(),
            address: "mqtt://there:1883".to_owned(),
            refusal: Refusal(code),
        };
        let told = refused(0x86).told_of_a_bridge().expect("is told");
        assert_eq!(
            told,
            "introducing \"ieum\" to mqtt://there:1883: the broker refuses it: wrong user or password; name those that it \
             knows in device.bridge, as in mqtt://user:password@host"
        );
        let barred = refused(0x87).told_of_a_bridge().expect("is told");
        let mute = ConnectError::Subscribe { filter: "home/#".to_owned(), refusal: Refusal(0x87) };
        let mute = mute.told_of_a_bridge().expect("is told");
        for told in [told, barred, mute] {
            assert!(told.contains("device.bridge") && !told.contains("ieum device"), "{told}");
        }
        assert_eq!(refused(0x88).told_of_a_bridge(), None, "busy is busy");
    }
}
