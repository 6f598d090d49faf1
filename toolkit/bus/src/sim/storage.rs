//! A database in memory whose unsynced commits a power cut loses, and whose answers get lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{Clock, ManualClock, Timestamp};
use parking_lot::Mutex;
use rand::Rng;
use tokio::sync::OwnedMutexGuard;

use super::{Plant, Random};
use crate::storage::{Delivery, Entry, Failure, Grave, LaneRow, Lease, Slot, Storage};

#[derive(Clone, Default)]
pub(super) struct Tables {
    pub log: BTreeMap<i64, Entry>,
    pub known: BTreeSet<(String, String, String)>,
    pub next_seq: i64,
    pub outbox: BTreeMap<i64, Entry>,
    pub next_outbox: i64,
    pub slots: BTreeMap<Slot, Held>,
    pub members: BTreeMap<String, Timestamp>,
    pub inbox: BTreeSet<(String, String)>,
    pub lane: BTreeMap<(Slot, String, i64), LaneRow>,
    pub dead: BTreeMap<String, (Slot, Grave)>,
    pub effects: Vec<String>,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Held {
    position: i64,
    owner: String,
    epoch: i64,
    until: Timestamp,
}

/// What the machine has: the state programs see, and what of it is on the platter.
pub(super) struct Disk {
    random: Random,
    clock: ManualClock,
    plant: Plant,
    writer: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: Tables,
    durable: Tables,
    /// The state after each commit that is not synced, the earliest first.
    unsynced: Vec<Tables>,
    healed: bool,
    /// Counts power cuts: connections do not outlive one.
    cuts: u64,
}

/// One process's way to the disk.
pub(super) struct SimStorage {
    pub disk: Arc<Disk>,
    /// Whether the process is cut off from the disk.
    pub cut: Arc<Mutex<bool>>,
}

pub(super) struct SimTx {
    pub tables: Tables,
    cuts: u64,
    _alone: OwnedMutexGuard<()>,
}

impl Disk {
    pub(super) fn new(random: Random, clock: ManualClock, plant: Plant) -> Arc<Self> {
        Arc::new(Self { random, clock, plant, writer: Arc::default(), state: Mutex::default() })
    }

    /// Loses what is not synced. Some of it may have reached the platter all the same, the earliest first;
    /// a torn commit fails its checksum and is lost.
    pub(super) fn cut_power(&self) {
        let mut state = self.state.lock();
        let kept = self.random.lock().random_range(0..=state.unsynced.len());
        if kept > 0 {
            state.durable = state.unsynced[kept - 1].clone();
        }
        state.unsynced.clear();
        state.seen = state.durable.clone();
        state.cuts += 1;
    }

    /// Ends all random failures; what programs see is then on the platter in the end.
    pub(super) fn heal(&self) {
        self.state.lock().healed = true;
    }

    /// How many events have had their effect or are dead.
    pub(super) fn settled(&self) -> usize {
        let state = self.state.lock();
        state.durable.effects.len().max(state.seen.effects.len()) + state.seen.dead.len()
    }

    pub(super) fn durable(&self) -> Tables {
        self.state.lock().seen.clone()
    }

    async fn pause(&self) {
        let wait = {
            let mut random = self.random.lock();
            if random.random_bool(0.5) { 0 } else { random.random_range(1..20) }
        };
        self.clock.sleep(Duration::from_millis(wait)).await;
    }

    fn fails(&self, probability: f64) -> bool {
        !self.state.lock().healed && self.random.lock().random_bool(probability)
    }

    fn sync(&self) {
        let dropped = self.plant == Plant::DroppedSync && self.random.lock().random_bool(0.5);
        let mut state = self.state.lock();
        if !dropped {
            state.durable = state.seen.clone();
            state.unsynced.clear();
        }
    }
}

fn failure(step: &'static str) -> Failure {
    Failure { step, retryable: true, cause: "the answer got lost".into() }
}

impl SimStorage {
    fn reach(&self, step: &'static str) -> Result<(), Failure> {
        if *self.cut.lock() || self.disk.fails(0.01) { Err(failure(step)) } else { Ok(()) }
    }

    async fn look<T>(
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

fn head_of(tables: &mut Tables, slot: &Slot, key: &str, now: Timestamp) {
    let from = (slot.clone(), key.to_owned(), i64::MIN);
    let to = (slot.clone(), key.to_owned(), i64::MAX);
    if let Some((_, row)) = tables.lane.range_mut(from..=to).next() {
        row.due_at = row.due_at.or(Some(now));
    }
}

#[async_trait]
impl Storage for SimStorage {
    type Tx = SimTx;

    async fn begin(&self) -> Result<SimTx, Failure> {
        self.disk.pause().await;
        self.reach("beginning")?;
        let alone = Arc::clone(&self.disk.writer).lock_owned().await;
        let state = self.disk.state.lock();
        Ok(SimTx { tables: state.seen.clone(), cuts: state.cuts, _alone: alone })
    }

    async fn commit(&self, tx: SimTx) -> Result<(), Failure> {
        self.disk.pause().await;
        self.reach("committing")?;
        {
            let mut state = self.disk.state.lock();
            if state.cuts != tx.cuts {
                return Err(failure("committing"));
            }
            state.seen = tx.tables.clone();
            state.unsynced.push(tx.tables);
        }
        self.disk.pause().await;
        if self.disk.state.lock().cuts != tx.cuts {
            return Err(failure("committing"));
        }
        self.disk.sync();
        self.disk.pause().await;
        if *self.cut.lock() || self.disk.fails(0.03) { Err(failure("committing")) } else { Ok(()) }
    }

    async fn append(&self, tx: &mut SimTx, entries: &[Entry], _now: Timestamp) -> Result<(), Failure> {
        self.disk.pause().await;
        for entry in entries {
            let identity = (entry.topic.clone(), entry.event_id.clone(), entry.source.clone());
            if tx.tables.known.insert(identity) || self.disk.plant == Plant::NoDedupe {
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
        self.look("looking", |tables| !tables.outbox.is_empty()).await
    }

    async fn head(&self) -> Result<i64, Failure> {
        self.look("reading the head", |tables| tables.next_seq).await
    }

    async fn read(&self, slot: &Slot, after: i64, limit: usize) -> Result<Vec<Delivery>, Failure> {
        self.look("reading", |tables| {
            let entries =
                tables.log.range(after + 1..).filter(|(_, entry)| entry.part == slot.part).take(limit);
            let read = |(seq, entry): (&i64, &Entry)| {
                Delivery::read(*seq, &entry.key, &entry.event_id, &entry.body, Timestamp::default())
            };
            entries.map(read).collect()
        })
        .await
    }

    async fn heartbeat(
        &self,
        _slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<i64, Failure> {
        self.change(|tables| {
            tables.members.insert(owner.to_owned(), until);
            let alive = tables.members.values().filter(|until| **until > now).count();
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
        if !self.look("claiming", |tables| tables.slots.get(slot).is_none_or(free)).await? {
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

    async fn renew(&self, _slot: &Slot, owner: &str, until: Timestamp) -> Result<BTreeSet<i64>, Failure> {
        self.change(|tables| {
            let ours = tables.slots.iter_mut().filter(|(_, held)| held.owner == owner);
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

    async fn leave(&self, _slot: &Slot, owner: &str) -> Result<(), Failure> {
        self.change(|tables| {
            tables.members.remove(owner);
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
        if held.owner != lease.owner || held.epoch != lease.epoch {
            return Ok(false);
        }
        (held.position, held.until) = (position, until);
        Ok(true)
    }

    async fn mark(
        &self,
        tx: &mut SimTx,
        _slot: &Slot,
        events: &[(String, String)],
        _now: Timestamp,
    ) -> Result<Vec<bool>, Failure> {
        let forgetful = self.disk.plant == Plant::NoDedupe;
        Ok(events.iter().map(|event| tx.tables.inbox.insert(event.clone()) || forgetful).collect())
    }

    async fn blocked(&self, slot: &Slot) -> Result<BTreeSet<String>, Failure> {
        self.look("reading a lane", |tables| {
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
        self.look("reading what is due", |tables| {
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
        if self.disk.plant == Plant::LostTimer && self.disk.random.lock().random_bool(0.05) {
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
        head_of(&mut tx.tables, slot, &row.key, now);
        Ok(())
    }

    async fn bury(&self, tx: &mut SimTx, slot: &Slot, grave: &Grave, _now: Timestamp) -> Result<(), Failure> {
        tx.tables.dead.insert(grave.id.clone(), (slot.clone(), grave.clone()));
        Ok(())
    }

    async fn asked(&self, _slot: &Slot) -> Result<BTreeSet<i64>, Failure> {
        Ok(BTreeSet::new())
    }

    async fn revive(
        &self,
        _tx: &mut SimTx,
        _slot: &Slot,
        _limit: usize,
        _now: Timestamp,
    ) -> Result<usize, Failure> {
        Ok(0)
    }

    async fn resolve(&self, _tx: &mut SimTx, _dead_id: &str, _now: Timestamp) -> Result<(), Failure> {
        Ok(())
    }
}
