//! A process's way to the simulated database: slow, sometimes cut, and its answers get lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use ieum_core::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::tables::Held;
use super::{Disk, Plant, Tables};
use crate::storage::{Delivery, Entry, Failure, Grave, LaneRow, Lease, Slot, Storage};
use crate::{DeadState, Event, EventError};

/// One process's way to the disk. Cloning shares it.
#[derive(Clone)]
pub struct SimStorage {
    pub(super) disk: Arc<Disk>,
    node: Option<usize>,
    cut: Arc<AtomicBool>,
}

/// A write transaction; one at a time. Dropping it undoes it.
pub struct SimTx {
    pub(super) tables: Tables,
    cuts: u64,
    disk: Arc<Disk>,
    committing: bool,
    _alone: OwnedMutexGuard<()>,
}

impl SimTx {
    /// Returns a row of the world's own.
    pub fn row(&self, key: &str) -> Option<&str> {
        self.tables.row(key)
    }

    /// Writes a row of the world's own.
    pub fn put(&mut self, key: impl Into<String>, row: impl Into<String>) {
        self.tables.rows.insert(key.into(), row.into());
    }

    /// Records an effect.
    pub fn record(&mut self, effect: impl Into<String>) {
        self.tables.effects.push(effect.into());
    }

    /// Publishes an event with this transaction.
    ///
    /// # Errors
    /// Names the attribute that breaks a rule.
    pub fn outbox(&mut self, topic: &str, event: &Event) -> Result<(), EventError> {
        let entry = Entry::new(topic, event)?;
        self.tables.next_outbox += 1;
        self.tables.outbox.insert(self.tables.next_outbox, entry);
        Ok(())
    }
}

impl Drop for SimTx {
    fn drop(&mut self) {
        if !self.committing {
            self.disk.note_undone();
        }
        self.disk.set_writing(None);
    }
}

fn failure(step: &'static str) -> Failure {
    Failure { step, retryable: true, cause: "the answer got lost".into() }
}

impl SimStorage {
    /// Makes the way of `node` to `disk`.
    pub fn new(disk: &Arc<Disk>, node: Option<usize>) -> Self {
        Self { disk: Arc::clone(disk), node, cut: Arc::default() }
    }

    /// Cuts the process off from the disk, or joins them again.
    pub fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// Tells whether the process is cut off from the disk.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    /// Begins a write transaction once no other is open.
    ///
    /// # Errors
    /// The database cannot be reached; trying again may help.
    pub async fn begin(&self) -> Result<SimTx, Failure> {
        Storage::begin(self).await
    }

    /// Commits; returns only once the transaction is on the platter.
    ///
    /// # Errors
    /// The database cannot be reached, or its answer got lost: the transaction may have been committed.
    pub async fn commit(&self, tx: SimTx) -> Result<(), Failure> {
        Storage::commit(self, tx).await
    }

    /// Looks into the database without writing.
    ///
    /// # Errors
    /// The database cannot be reached; trying again may help.
    pub async fn look<T>(&self, look: impl FnOnce(&Tables) -> T + Send) -> Result<T, Failure> {
        self.reading("looking", look).await
    }

    /// Asks for a replay of a parked dead letter, as an operator does.
    ///
    /// # Errors
    /// The database cannot be reached; asking again is harmless.
    pub async fn replay(&self, dead_id: &str) -> Result<(), Failure> {
        self.change(|tables| {
            if let Some((.., state)) = tables.dead.get_mut(dead_id)
                && *state == DeadState::Parked
            {
                *state = DeadState::Replaying;
                tables.next_seq += 1;
            }
        })
        .await
    }

    fn reach(&self, step: &'static str) -> Result<(), Failure> {
        if self.is_cut() || self.disk.fails(0.01) { Err(failure(step)) } else { Ok(()) }
    }

    async fn reading<T>(
        &self,
        step: &'static str,
        look: impl FnOnce(&Tables) -> T + Send,
    ) -> Result<T, Failure> {
        self.disk.pause().await;
        self.reach(step)?;
        Ok(look(&self.disk.state.lock().seen))
    }

    async fn change<T: Send>(&self, change: impl FnOnce(&mut Tables) -> T + Send) -> Result<T, Failure> {
        let mut tx = self.begin().await?;
        let answer = change(&mut tx.tables);
        self.commit(tx).await?;
        Ok(answer)
    }
}

#[async_trait]
impl Storage for SimStorage {
    type Tx = SimTx;

    async fn begin(&self) -> Result<SimTx, Failure> {
        self.disk.pause().await;
        self.reach("beginning")?;
        let alone = Arc::clone(&self.disk.writer).lock_owned().await;
        self.disk.set_writing(self.node);
        self.disk.settle();
        let state = self.disk.state.lock();
        let disk = Arc::clone(&self.disk);
        Ok(SimTx { tables: state.seen.clone(), cuts: state.cuts, disk, committing: false, _alone: alone })
    }

    async fn commit(&self, mut tx: SimTx) -> Result<(), Failure> {
        tx.committing = true;
        self.disk.pause().await;
        self.reach("committing")?;
        let lost = |tx: &SimTx| self.disk.state.lock().cuts != tx.cuts;
        if lost(&tx) {
            return Err(failure("committing"));
        }
        self.disk.write(tx.tables.clone());
        self.disk.pause().await;
        if lost(&tx) {
            return Err(failure("committing"));
        }
        self.disk.sync();
        self.disk.pause().await;
        if self.is_cut() || self.disk.fails(0.03) { Err(failure("committing")) } else { Ok(()) }
    }

    async fn append(&self, tx: &mut SimTx, entries: &[Entry], _now: Timestamp) -> Result<(), Failure> {
        self.disk.pause().await;
        for entry in entries {
            let identity = (entry.topic.clone(), entry.event_id.clone(), entry.source.clone());
            let forgetful = !self.disk.log_dedupes || self.disk.plant == Plant::NoDedupe;
            if tx.tables.known.insert(identity) || forgetful {
                tx.tables.next_seq += 1;
                tx.tables.log.insert(tx.tables.next_seq, entry.clone());
            }
        }
        self.reach("appending")
    }

    async fn move_outbox(&self, tx: &mut SimTx, limit: usize, now: Timestamp) -> Result<usize, Failure> {
        let entries: Vec<Entry> = tx.tables.outbox.values().take(limit).cloned().collect();
        let ids: Vec<i64> = tx.tables.outbox.keys().take(limit).copied().collect();
        self.append(tx, &entries, now).await?;
        tx.tables.outbox.retain(|id, _| !ids.contains(id));
        Ok(ids.len())
    }

    async fn outbox_waits(&self) -> Result<bool, Failure> {
        self.reading("looking", |tables| !tables.outbox.is_empty()).await
    }

    async fn head(&self) -> Result<i64, Failure> {
        self.reading("reading the head", |tables| tables.next_seq).await
    }

    async fn read(&self, slot: &Slot, after: i64, limit: usize) -> Result<Vec<Delivery>, Failure> {
        self.reading("reading", |tables| {
            let entries = tables.log.range(after + 1..).filter(|(_, entry)| is_of(slot, entry)).take(limit);
            let read = |(seq, entry): (&i64, &Entry)| {
                Delivery::read(*seq, &entry.key, &entry.event_id, &entry.body, Timestamp::default())
            };
            entries.map(read).collect()
        })
        .await
    }

    async fn heartbeat(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<i64, Failure> {
        self.change(|tables| {
            tables.members.insert((slot.group.clone(), owner.to_owned()), until);
            let ours = tables.members.iter().filter(|((group, _), _)| *group == slot.group);
            let alive = ours.filter(|(_, until)| **until > now).count();
            i64::try_from(alive).unwrap_or(1)
        })
        .await
    }

    async fn claim(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        forced: bool,
    ) -> Result<Option<Lease>, Failure> {
        let free = |held: &Held| forced || held.owner.is_empty() || held.owner == owner || held.until <= now;
        if !self.reading("claiming", |tables| tables.slots.get(slot).is_none_or(free)).await? {
            return Ok(None);
        }
        self.change(|tables| {
            let held = tables.slots.entry(slot.clone()).or_default();
            if !free(held) {
                return None;
            }
            *held = Held { position: held.position, owner: owner.to_owned(), epoch: held.epoch + 1, until };
            let (epoch, position) = (held.epoch, held.position);
            Some(Lease { slot: slot.clone(), owner: owner.to_owned(), epoch, position })
        })
        .await
    }

    async fn renew(&self, of: &Slot, owner: &str, until: Timestamp) -> Result<BTreeSet<i64>, Failure> {
        self.change(|tables| {
            let is_ours = |(slot, held): &(&Slot, &mut Held)| {
                held.owner == owner && slot.group == of.group && slot.topic == of.topic
            };
            let ours = tables.slots.iter_mut().filter(is_ours);
            let renew = |(slot, held): (&Slot, &mut Held)| {
                held.until = until;
                slot.part
            };
            ours.map(renew).collect()
        })
        .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        self.change(|tables| {
            if let Some(held) = tables.slots.get_mut(&lease.slot)
                && held.epoch == lease.epoch
            {
                held.owner.clear();
            }
        })
        .await
    }

    async fn leave(&self, slot: &Slot, owner: &str) -> Result<(), Failure> {
        self.change(|tables| {
            tables.members.remove(&(slot.group.clone(), owner.to_owned()));
        })
        .await
    }

    async fn advance(
        &self,
        tx: &mut SimTx,
        lease: &Lease,
        position: i64,
        until: Timestamp,
    ) -> Result<bool, Failure> {
        self.disk.pause().await;
        self.reach("advancing")?;
        let Some(held) = tx.tables.slots.get_mut(&lease.slot) else { return Ok(false) };
        let is_owner = held.owner == lease.owner && held.epoch == lease.epoch;
        if !is_owner && self.disk.plant != Plant::NoFence {
            return Ok(false);
        }
        (held.position, held.until) = (position, until);
        if self.disk.plant == Plant::PositionFirst {
            self.disk.scribble(|tables| {
                if let Some(held) = tables.slots.get_mut(&lease.slot) {
                    held.position = position;
                }
            });
        }
        Ok(true)
    }

    async fn mark(
        &self,
        tx: &mut SimTx,
        slot: &Slot,
        events: &[(String, String)],
        _now: Timestamp,
    ) -> Result<Vec<bool>, Failure> {
        let forgetful = self.disk.plant == Plant::NoDedupe;
        let place = |(id, source): &(String, String)| (slot.group.clone(), id.clone(), source.clone());
        Ok(events.iter().map(|event| tx.tables.inbox.insert(place(event)) || forgetful).collect())
    }

    async fn blocked(&self, slot: &Slot) -> Result<BTreeSet<String>, Failure> {
        self.reading("reading a lane", |tables| {
            tables.lane.keys().filter(|(of, ..)| of == slot).map(|(_, key, _)| key.clone()).collect()
        })
        .await
    }

    async fn due(
        &self,
        slot: &Slot,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<LaneRow>, Option<Timestamp>), Failure> {
        self.reading("reading what is due", |tables| {
            let rows = tables.lane.iter().filter(|((of, ..), row)| of == slot && row.due_at.is_some());
            let mut rows: Vec<LaneRow> = rows.map(|(_, row)| row.clone()).collect();
            rows.sort_by_key(|row| (row.due_at, row.position));
            let next = rows.iter().filter_map(|row| row.due_at).find(|due| *due > now);
            rows.retain(|row| row.due_at.is_some_and(|due| due <= now));
            rows.truncate(limit);
            (rows, next)
        })
        .await
    }

    async fn park(&self, tx: &mut SimTx, slot: &Slot, row: &LaneRow) -> Result<(), Failure> {
        self.reach("parking")?;
        let mut row = row.clone();
        if self.disk.plant == Plant::LostTimer && self.disk.dice.chance(0.05) {
            row.due_at = None;
        }
        tx.tables.lane.insert((slot.clone(), row.key.clone(), row.position), row);
        Ok(())
    }

    async fn unpark(
        &self,
        tx: &mut SimTx,
        slot: &Slot,
        row: &LaneRow,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.reach("unparking")?;
        tx.tables.lane.remove(&(slot.clone(), row.key.clone(), row.position));
        tx.tables.raise_head(slot, &row.key, now);
        Ok(())
    }

    async fn bury(&self, tx: &mut SimTx, slot: &Slot, grave: &Grave, _now: Timestamp) -> Result<(), Failure> {
        let letter = (slot.clone(), grave.clone(), DeadState::Parked);
        tx.tables.dead.insert(grave.id.clone(), letter);
        Ok(())
    }

    async fn asked(&self, slot: &Slot) -> Result<BTreeSet<i64>, Failure> {
        self.reading("looking for asked replays", |tables| {
            let asked = tables.dead.values().filter(|(of, _, state)| {
                *state == DeadState::Replaying && of.group == slot.group && of.topic == slot.topic
            });
            asked.map(|(of, ..)| of.part).collect()
        })
        .await
    }

    async fn revive(
        &self,
        tx: &mut SimTx,
        slot: &Slot,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        let asked =
            tx.tables.dead.iter().filter(|(_, (of, _, state))| of == slot && *state == DeadState::Replaying);
        let mut rows: Vec<LaneRow> = asked
            .map(|(id, (_, grave, _))| LaneRow {
                attempts: 0,
                due_at: None,
                last_at: None,
                reason: String::new(),
                message: String::new(),
                dead_id: Some(id.clone()),
                ..grave.row.clone()
            })
            .collect();
        rows.sort_by_key(|row| row.position);
        rows.truncate(limit);
        for row in &rows {
            set_state(tx, row.dead_id.as_deref().unwrap_or_default(), DeadState::InLane);
            tx.tables.lane.insert((slot.clone(), row.key.clone(), row.position), row.clone());
        }
        for row in &rows {
            tx.tables.lower_heads(slot, &row.key);
            tx.tables.raise_head(slot, &row.key, now);
        }
        Ok(rows.len())
    }

    async fn resolve(&self, tx: &mut SimTx, dead_id: &str, _now: Timestamp) -> Result<(), Failure> {
        set_state(tx, dead_id, DeadState::Resolved);
        Ok(())
    }
}

fn is_of(slot: &Slot, entry: &Entry) -> bool {
    entry.part == slot.part && entry.topic == slot.topic
}

fn set_state(tx: &mut SimTx, dead_id: &str, state: DeadState) {
    if let Some((.., present)) = tx.tables.dead.get_mut(dead_id) {
        *present = state;
    }
}
