//! Where a group's events come from, and who decides which parts a member works on.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ieum_core::{Moment, Timestamp};

use crate::storage::{Delivery, Failure, Lease, PARTS, Slot, Storage};
use crate::worker::Worker;

/// The side of a log on which events go out to the members of a group.
#[async_trait]
pub(crate) trait Feed<S: Storage>: Send + Sync + 'static {
    /// Brings `held` in line with what the member is to work on. Nothing is in hand meanwhile. Returns
    /// whether every part should be looked at.
    async fn share(
        &mut self,
        member: &Member<'_, S>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<bool, Failure>;
    /// Returns the events of the slot after a position, in order and at most `limit`. Fewer than `limit`
    /// says that there are no more for now.
    async fn read(
        &self,
        storage: &S,
        slot: &Slot,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Failure>;
    /// Says that something failed, so that what is believed to be held must be asked again.
    fn doubt(&mut self);
    /// Says that another member took a part although it was held.
    fn fenced(&mut self, part: i64, now: Moment);
    /// Waits until there may be something to read.
    async fn arrived(&self);
    /// Leaves the group; `held` are the parts given back just before.
    async fn leave(&mut self, member: &Member<'_, S>, held: Vec<Lease>) -> Result<(), Failure>;
}

/// A member of a group as a feed sees it.
pub(crate) struct Member<'a, S: Storage> {
    pub worker: &'a Worker<S>,
    pub group: &'a str,
    pub topic: &'a str,
    /// Names the member; unique.
    pub owner: &'a str,
}

/// A held slot between passes.
pub(crate) struct Held {
    pub lease: Lease,
    pub next_due: Option<Timestamp>,
    /// Whether the last pass ended with events left.
    pub busy: bool,
}

/// The storage's own log: the members share its parts by leases.
pub(crate) struct Leases {
    next_beat: Moment,
}

// === Member ===

impl<S: Storage> Member<'_, S> {
    pub(crate) fn slot(&self, part: i64) -> Slot {
        Slot { group: self.group.to_owned(), topic: self.topic.to_owned(), part }
    }
}

// === Held ===

impl Held {
    /// Makes a slot that was just taken: its log and its lane may both have something.
    pub(crate) fn taken(lease: Lease) -> Self {
        Self { lease, next_due: Some(Timestamp::default()), busy: true }
    }
}

// === Leases ===

impl Leases {
    pub(crate) fn new() -> Self {
        Self { next_beat: Moment::START }
    }

    /// Says that this member lives, and takes or gives slots until it holds its share. Returns whether it
    /// took any.
    async fn beat<S: Storage>(
        member: &Member<'_, S>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<bool, Failure> {
        let storage = &member.worker.storage;
        let now = member.worker.clock.now();
        let until = now + member.worker.lease_span;
        let members = storage.heartbeat(&member.slot(0), member.owner, now, until).await?.max(1);
        let share = usize::try_from((PARTS + members - 1) / members).unwrap_or(1);
        let ours = storage.renew(&member.slot(0), member.owner, until).await?;
        held.retain(|part, _| ours.contains(part));
        while held.len() > share {
            if let Some((_, given)) = held.pop_last() {
                storage.release(&given.lease).await?;
            }
        }
        let mut took = false;
        // Those first that the storage counts as ours although we do not hold them, for the answer to a
        // claim got lost: else they would be renewed for ever and worked on by nobody.
        let (lost, others): (Vec<i64>, Vec<i64>) =
            (0..PARTS).filter(|part| !held.contains_key(part)).partition(|part| ours.contains(part));
        for part in lost.into_iter().chain(others) {
            let is_ours = ours.contains(&part);
            if held.len() >= share && !is_ours {
                break;
            }
            let claimed = storage.claim(&member.slot(part), member.owner, now, until, false).await?;
            let Some(lease) = claimed else { continue };
            if held.len() >= share {
                storage.release(&lease).await?;
                continue;
            }
            held.insert(part, Held::taken(lease));
            took = true;
        }
        Ok(took)
    }
}

#[async_trait]
impl<S: Storage> Feed<S> for Leases {
    async fn share(
        &mut self,
        member: &Member<'_, S>,
        held: &mut BTreeMap<i64, Held>,
    ) -> Result<bool, Failure> {
        let now = member.worker.clock.moment();
        if now < self.next_beat {
            return Ok(false);
        }
        let took = Self::beat(member, held).await?;
        self.next_beat = now + member.worker.lease_span / 3;
        Ok(took)
    }

    async fn read(
        &self,
        storage: &S,
        slot: &Slot,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Failure> {
        storage.read(slot, after, limit).await
    }

    /// Whether the leases are still ours shows at the next heartbeat.
    fn doubt(&mut self) {
        self.next_beat = Moment::START;
    }

    fn fenced(&mut self, _part: i64, _now: Moment) {}

    /// Other processes' events are found by polling, those of this one are told otherwise.
    async fn arrived(&self) {
        std::future::pending().await
    }

    async fn leave(&mut self, member: &Member<'_, S>, _held: Vec<Lease>) -> Result<(), Failure> {
        member.worker.storage.leave(&member.slot(0), member.owner).await
    }
}
