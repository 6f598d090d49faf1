//! The small storage that publishing and consuming stand on, so that a simulation can take the database's place.

use std::collections::BTreeSet;

use async_trait::async_trait;
use ieum_core::{Timestamp, describe};

use crate::{Event, EventError};

/// Over how many parts a topic's keys are spread. A key stays in its part for ever.
pub(crate) const PARTS: i64 = 16;

/// One event on its way into the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub topic: String,
    pub part: i64,
    pub key: String,
    pub event_id: String,
    pub source: String,
    /// The event in CloudEvents structured mode.
    pub body: String,
}

/// One group's view of one part of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub group: String,
    pub topic: String,
    pub part: i64,
}

/// The right to work on a slot. Whoever takes the slot over raises `epoch`, which fences the former owner.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub slot: Slot,
    pub owner: String,
    pub epoch: i64,
    /// Position of the last event that is done or has moved into the lane.
    pub position: i64,
}

/// Something read from a log at `position`.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub position: i64,
    pub content: Result<Event, Garbage>,
}

/// A body that is no event.
#[derive(Clone, Debug)]
pub(crate) struct Garbage {
    pub key: String,
    /// A name for it: the log's, or one made from where it was found.
    pub event_id: String,
    pub body: String,
    pub problem: String,
}

/// An event that waits in a retry lane: for its time, or behind an earlier one of its key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LaneRow {
    pub position: i64,
    pub key: String,
    pub event_id: String,
    pub source: String,
    pub body: String,
    /// How often it was handled, each time failing.
    pub attempts: u32,
    /// When it is to be handled again; `None` while it waits behind another of its key.
    pub due_at: Option<Timestamp>,
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    pub reason: String,
    pub message: String,
    /// The dead letter that this is a replay of.
    pub dead_id: Option<String>,
}

/// An event that failed for good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grave {
    pub id: String,
    pub row: LaneRow,
    pub code: String,
    pub traceparent: Option<String>,
}

/// A storage step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub struct Failure {
    /// What was tried.
    pub(crate) step: &'static str,
    pub(crate) retryable: bool,
    #[source]
    pub(crate) cause: Box<dyn std::error::Error + Send + Sync>,
}

/// What a database has to do for the bus.
///
/// Every method that takes a transaction takes effect with it. A claimed slot has one live owner, and only
/// the owner writes the slot's lane.
#[async_trait]
pub(crate) trait Storage: Send + Sync + 'static {
    /// A transaction. Dropping it undoes it.
    type Tx: Send;

    async fn begin(&self) -> Result<Self::Tx, Failure>;
    /// Returns only once the transaction is durable.
    async fn commit(&self, tx: Self::Tx) -> Result<(), Failure>;

    /// Appends entries in order, leaving out those the topic has. Readers see positions in growing order:
    /// none becomes visible below one that is visible already.
    async fn append(&self, tx: &mut Self::Tx, entries: &[Entry], now: Timestamp) -> Result<(), Failure>;
    /// Moves the oldest entries of the outbox into the log and returns how many.
    async fn move_outbox(&self, tx: &mut Self::Tx, limit: usize, now: Timestamp) -> Result<usize, Failure>;
    async fn outbox_waits(&self) -> Result<bool, Failure>;
    /// A number that grows with every append and every asked replay.
    async fn head(&self) -> Result<i64, Failure>;
    async fn read(&self, slot: &Slot, after: i64, limit: usize) -> Result<Vec<Delivery>, Failure>;

    /// Tells that `owner` lives and returns how many members the group has.
    async fn heartbeat(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<i64, Failure>;
    /// Takes the slot where nobody else holds it at `now`, or in any case where `forced`.
    async fn claim(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        forced: bool,
    ) -> Result<Option<Lease>, Failure>;
    /// Extends the leases `owner` still has in the slot's group and topic; returns their parts.
    async fn renew(&self, slot: &Slot, owner: &str, until: Timestamp) -> Result<BTreeSet<i64>, Failure>;
    async fn release(&self, lease: &Lease) -> Result<(), Failure>;
    /// Leaves the group.
    async fn leave(&self, slot: &Slot, owner: &str) -> Result<(), Failure>;
    /// Moves the position and extends the lease; `false` where somebody else took the slot.
    async fn advance(
        &self,
        tx: &mut Self::Tx,
        lease: &Lease,
        position: i64,
        until: Timestamp,
    ) -> Result<bool, Failure>;

    /// Marks events as handled by the slot's group; returns for each whether this was the first time.
    async fn mark(
        &self,
        tx: &mut Self::Tx,
        slot: &Slot,
        events: &[(String, String)],
        now: Timestamp,
    ) -> Result<Vec<bool>, Failure>;

    /// Returns the keys with something in the slot's lane.
    async fn blocked(&self, slot: &Slot) -> Result<BTreeSet<String>, Failure>;
    /// Returns what is due, at most one of each key, and when the next one after these is.
    async fn due(
        &self,
        slot: &Slot,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<LaneRow>, Option<Timestamp>), Failure>;
    /// Puts a row into the lane, or changes the one at its key and position.
    async fn park(&self, tx: &mut Self::Tx, slot: &Slot, row: &LaneRow) -> Result<(), Failure>;
    /// Takes a row out of the lane; the next of its key is due at `now`.
    async fn unpark(
        &self,
        tx: &mut Self::Tx,
        slot: &Slot,
        row: &LaneRow,
        now: Timestamp,
    ) -> Result<(), Failure>;

    /// Adds a dead letter, or parks again the one this was a replay of.
    async fn bury(
        &self,
        tx: &mut Self::Tx,
        slot: &Slot,
        grave: &Grave,
        now: Timestamp,
    ) -> Result<(), Failure>;
    /// Returns the parts of the slot's group and topic in which a replay was asked.
    async fn asked(&self, slot: &Slot) -> Result<BTreeSet<i64>, Failure>;
    /// Moves dead letters whose replay was asked into the lane, ahead of their key; returns how many.
    async fn revive(
        &self,
        tx: &mut Self::Tx,
        slot: &Slot,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, Failure>;
    /// Tells that a replayed dead letter was handled.
    async fn resolve(&self, tx: &mut Self::Tx, dead_id: &str, now: Timestamp) -> Result<(), Failure>;
}

/// Returns the part of `key`: its 64-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>) by parts.
pub(crate) fn part_of(key: &str) -> i64 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::try_from(hash % PARTS.unsigned_abs()).unwrap_or(0)
}

// === Entry ===

impl Entry {
    /// Makes an entry of a checked event.
    pub(crate) fn new(topic: &str, event: &Event) -> Result<Self, EventError> {
        event.check()?;
        Ok(Self {
            topic: topic.to_owned(),
            part: part_of(&event.key),
            key: event.key.clone(),
            event_id: event.id.clone(),
            source: event.source.clone(),
            body: event.to_cloud_event_json(),
        })
    }
}

// === Delivery ===

impl Delivery {
    /// Reads the body of an entry of the log.
    pub(crate) fn read(position: i64, key: &str, event_id: &str, body: &str, at: Timestamp) -> Self {
        let content = Event::from_cloud_event_json(body.as_bytes(), at).map_err(|error| Garbage {
            key: key.to_owned(),
            event_id: event_id.to_owned(),
            body: body.to_owned(),
            problem: describe(&error),
        });
        Self { position, content }
    }
}

// === LaneRow ===

impl LaneRow {
    /// Makes the row of an event that was not handled yet.
    pub(crate) fn untried(position: i64, event: &Event) -> Self {
        Self {
            position,
            key: event.key.clone(),
            event_id: event.id.clone(),
            source: event.source.clone(),
            body: event.to_cloud_event_json(),
            ..Self::default()
        }
    }

    /// Makes the row of an event that was not sent yet.
    #[cfg(feature = "kafka")]
    pub(crate) fn unsent(position: i64, entry: Entry) -> Self {
        Self {
            position,
            key: entry.key,
            event_id: entry.event_id,
            source: entry.source,
            body: entry.body,
            ..Self::default()
        }
    }

    /// Makes the row under which garbage is buried.
    pub(crate) fn of_garbage(position: i64, garbage: &Garbage) -> Self {
        Self {
            position,
            key: garbage.key.clone(),
            event_id: garbage.event_id.clone(),
            body: garbage.body.clone(),
            ..Self::default()
        }
    }
}
