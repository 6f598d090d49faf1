//! What must survive the process: changes in their order, numbered, until a sync holds them.

use std::sync::Arc;

use ieum_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Message;

/// One change of what is durable.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A session is as told.
    Session(Arc<str>, Box<SessionRecord>),
    /// A session and all that belongs to it is gone.
    SessionGone(Arc<str>),
    /// A message waits for a session.
    Queued(Box<QueuedRecord>),
    /// A message is under way to its session.
    Moved { position: i64, packet: u16, released: bool },
    /// A message has arrived, or is given up.
    Dequeued(i64),
    /// A message of quality 2 was taken from a session and must not be taken again.
    Received(Arc<str>, u16),
    /// The session has let go of it.
    Released(Arc<str>, u16),
    /// A topic's message is kept.
    Retained(Arc<Message>),
    /// A topic's message is no longer kept.
    Forgotten(Arc<str>),
    /// A device was there.
    Seen(Arc<str>, Timestamp),
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    /// Who owns the session.
    pub owner: String,
    /// The client identifier.
    pub client: String,
    /// For how many seconds the session outlives its connection; `u32::MAX` for ever.
    pub expiry: u32,
    /// When the connection ended; `None` while there is one.
    pub gone_at: Option<i64>,
    /// Filter, options (the byte of a SUBSCRIBE) and identifier.
    pub subscriptions: Vec<(String, u8, u32)>,
    /// What is published when the client is gone.
    pub will: Option<WillRecord>,
}

/// A will as it is stored, its payload and properties in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WillRecord {
    pub topic: String,
    pub payload: String,
    pub properties: String,
    pub quality: u8,
    pub retain: bool,
    pub delay: u32,
    pub expiry: Option<u32>,
}

/// A message that waits for a session, as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct QueuedRecord {
    /// Its place among all that wait, over all sessions.
    pub position: i64,
    pub session: Arc<str>,
    pub message: Arc<Message>,
    pub quality: u8,
    pub retain: bool,
    pub identifiers: Vec<u32>,
    /// The packet identifier, once it is under way.
    pub packet: Option<u16>,
    /// The receiver has it (PUBREC) and is to let go of it.
    pub released: bool,
}

/// The changes that no sync holds yet.
pub(crate) struct Journal {
    /// Without a store nothing is noted, and everything counts as durable at once.
    active: bool,
    pending: Vec<Change>,
    noted: u64,
    durable: u64,
}

impl Journal {
    /// Begins; where it is not `active`, nothing is noted.
    pub fn new(active: bool) -> Self {
        Self { active, pending: Vec::new(), noted: 0, durable: 0 }
    }

    /// Notes a change and returns the number that [`Journal::durable`] reaches once a sync holds it.
    pub fn note(&mut self, change: Change) -> u64 {
        if self.active {
            self.pending.push(change);
            self.noted += 1;
        }
        self.noted
    }

    /// Tells whether changes are noted at all.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// Tells whether changes wait for the writer.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes all changes that wait, and the number of the last.
    pub fn take(&mut self) -> (Vec<Change>, u64) {
        (std::mem::take(&mut self.pending), self.noted)
    }

    /// Returns the number of the last change noted.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    /// Returns the number of the last change that a sync holds.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Tells that a sync holds all changes up to `number`.
    pub fn settle(&mut self, number: u64) {
        self.durable = self.durable.max(number);
    }
}
