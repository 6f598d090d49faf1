//! What happens to a device, as its listener is told.

use std::time::Duration;

use crate::{ConnectError, Kind, Refusal, Why};

/// What happens to a device, for people and logs.
#[derive(Debug)]
pub enum Notice {
    /// It is connected; whether the broker still knew its session.
    Connected {
        /// It did.
        resumed: bool,
    },
    /// It is not, or no longer; it is tried again.
    Away {
        /// Why.
        error: ConnectError,
        /// When.
        again_in: Duration,
    },
    /// The broker has a message.
    Delivered {
        /// Its number.
        number: i64,
        /// Its kind.
        kind: Kind,
    },
    /// The broker will never take a message; it is given up.
    Refused {
        /// Its number.
        number: i64,
        /// Its kind.
        kind: Kind,
        /// Why.
        refusal: Refusal,
    },
    /// Messages were given up.
    GivenUp {
        /// Of this kind.
        kind: Kind,
        /// Why.
        why: Why,
        /// So many.
        count: u64,
    },
    /// The disk below the queue takes nothing: what is said is not kept, and what was delivered stays on it.
    Unkept {
        /// What is wrong, and what to do.
        problem: String,
    },
    /// What a message that is kept says cannot be read now; it is tried again.
    Unread {
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The disk takes what it is given again.
    KeptAgain,
}
