//! One member of a group on the local log: shares the parts with the other members and works on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use ieum_core::{Moment, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::storage::{Failure, Lease, PARTS, Slot, Storage, describe};
use crate::worker::{BATCH, StepError, Worker};

/// How many batches a slot gets before the others have their turn.
const TURNS: usize = 8;

/// A member of a group.
pub(crate) struct Subscriber<S: Storage> {
    pub worker: Worker<S>,
    pub group: String,
    pub topic: String,
    /// Names this member; unique.
    pub owner: String,
    /// How many slots are worked on at once.
    pub concurrency: usize,
    /// How often other processes' events are looked for.
    pub poll: Duration,
    /// How many dead letters one slot replays per [`Subscriber::poll`].
    pub replays: usize,
    pub changed: watch::Receiver<u64>,
    pub stop: CancellationToken,
}

/// A held slot between passes.
struct Held {
    lease: Lease,
    next_due: Option<Timestamp>,
    /// Whether the last pass ended with events left.
    busy: bool,
}

/// What one pass over a slot is to do.
#[derive(Clone, Copy)]
struct Pass {
    read: bool,
    revive: bool,
}

impl<S: Storage> Subscriber<S> {
    /// Runs until stopped; then finishes the events in hand and gives the slots back.
    pub(crate) async fn run(mut self) {
        let mut held: BTreeMap<i64, Held> = BTreeMap::new();
        let mut next_beat = Moment::START;
        let mut seen_head = -1;
        while !self.stop.is_cancelled() {
            self.changed.borrow_and_update();
            let result = self.round(&mut held, &mut next_beat, &mut seen_head).await;
            let pause = match result {
                Ok(true) => continue,
                Ok(false) => self.pause(&held),
                Err(failure) => {
                    tracing::warn!(
                        group = self.group, topic = self.topic, error = %describe(&failure),
                        "consuming pauses"
                    );
                    // Whether the leases are still ours shows at the next heartbeat.
                    next_beat = Moment::START;
                    seen_head = -1;
                    self.poll * 2
                }
            };
            self.wait(pause).await;
        }
        self.leave(held).await;
    }

    /// Does one round; returns whether there is more to do at once.
    async fn round(
        &self,
        held: &mut BTreeMap<i64, Held>,
        next_beat: &mut Moment,
        seen_head: &mut i64,
    ) -> Result<bool, Failure> {
        let now = self.worker.clock.moment();
        let mut all = false;
        if now >= *next_beat {
            all = self.beat(held).await?;
            *next_beat = now + self.worker.lease_span / 3;
        }
        let head = self.worker.storage.head().await?;
        let asked = if head == *seen_head {
            BTreeSet::new()
        } else {
            all = true;
            self.worker.storage.asked(&self.slot(0)).await?
        };
        let more_asked = self.work(held, all, &asked).await?;
        // Where replays are left for the next round the head counts as unseen.
        *seen_head = if more_asked { -1 } else { head };
        Ok(held.values().any(|held| held.busy))
    }

    fn slot(&self, part: i64) -> Slot {
        Slot { group: self.group.clone(), topic: self.topic.clone(), part }
    }

    /// Says that this member lives, and takes or gives slots until it holds its share. Returns whether it
    /// took any.
    async fn beat(&self, held: &mut BTreeMap<i64, Held>) -> Result<bool, Failure> {
        let storage = &self.worker.storage;
        let now = self.worker.clock.now();
        let until = now + self.worker.lease_span;
        let members = storage.heartbeat(&self.slot(0), &self.owner, now, until).await?.max(1);
        let share = usize::try_from((PARTS + members - 1) / members).unwrap_or(1);
        let ours = storage.renew(&self.slot(0), &self.owner, until).await?;
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
            let claimed = storage.claim(&self.slot(part), &self.owner, now, until, false).await?;
            let Some(lease) = claimed else { continue };
            if held.len() >= share {
                storage.release(&lease).await?;
                continue;
            }
            held.insert(part, Held { lease, next_due: Some(Timestamp::default()), busy: true });
            took = true;
        }
        Ok(took)
    }

    /// Works on every held slot that may have something; returns whether asked replays are left.
    async fn work(
        &self,
        held: &mut BTreeMap<i64, Held>,
        all: bool,
        asked: &BTreeSet<i64>,
    ) -> Result<bool, Failure> {
        let now = self.worker.clock.now();
        let mut todo: Vec<(i64, &mut Held, Pass)> = Vec::new();
        for (part, slot) in held.iter_mut() {
            let pass = Pass { read: all || slot.busy, revive: asked.contains(part) };
            if pass.read || pass.revive || slot.next_due.is_some_and(|due| due <= now) {
                todo.push((*part, slot, pass));
            }
        }
        let mut running = FuturesUnordered::new();
        let mut todo = todo.into_iter();
        let (mut lost, mut unsure) = (Vec::new(), Vec::new());
        let mut failed = None;
        let mut more_asked = false;
        loop {
            while running.len() < self.concurrency.max(1) {
                let Some((part, slot, pass)) = todo.next() else { break };
                running.push(async move { (part, self.pass(slot, pass).await) });
            }
            match running.next().await {
                None => break,
                Some((_, Ok(more))) => more_asked |= more,
                Some((part, Err(StepError::Fenced))) => lost.push(part),
                Some((part, Err(StepError::Storage(failure)))) => {
                    unsure.push(part);
                    failed = Some(failure);
                }
            }
        }
        drop(running);
        for part in lost {
            tracing::info!(group = self.group, topic = self.topic, part, "another consumer took a slot");
            held.remove(&part);
        }
        // A commit whose answer got lost may have moved the position: claiming again reads it.
        held.retain(|part, _| !unsure.contains(part));
        failed.map_or(Ok(more_asked), Err)
    }

    /// Works on one slot for some turns; returns whether asked replays are left.
    async fn pass(&self, held: &mut Held, pass: Pass) -> Result<bool, StepError> {
        let worker = &self.worker;
        let mut more_asked = false;
        if pass.revive {
            more_asked = worker.revive(&held.lease, self.replays).await? >= self.replays;
            held.next_due = Some(Timestamp::default());
        }
        held.busy = pass.read;
        for _ in 0..TURNS {
            let mut idle = true;
            if held.busy && !self.stop.is_cancelled() {
                let found = worker.storage.read(&held.lease.slot, held.lease.position, BATCH).await?;
                held.busy = found.len() == BATCH;
                if !found.is_empty() {
                    worker.absorb(&mut held.lease, found).await?;
                    held.next_due = Some(Timestamp::default());
                    idle = !held.busy;
                }
            }
            if held.next_due.is_some_and(|due| due <= worker.clock.now()) && !self.stop.is_cancelled() {
                let (tried, next_due) = worker.retry(&mut held.lease).await?;
                held.next_due = if tried > 0 { Some(Timestamp::default()) } else { next_due };
                idle &= tried == 0;
            }
            if idle {
                break;
            }
        }
        Ok(more_asked)
    }

    /// Returns how long nothing can be due.
    fn pause(&self, held: &BTreeMap<i64, Held>) -> Duration {
        let now = self.worker.clock.now();
        let next = held.values().filter_map(|held| held.next_due).min();
        // A floor, for a wall clock that was set back must not make this loop spin.
        next.map_or(self.poll, |due| due.since(now).clamp(Duration::from_millis(1), self.poll))
    }

    async fn wait(&mut self, pause: Duration) {
        let clock = self.worker.clock.clone();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            changed = self.changed.changed() => {
                if changed.is_err() {
                    clock.sleep(pause).await;
                }
            }
            () = clock.sleep(pause) => {}
        }
    }

    async fn leave(&self, held: BTreeMap<i64, Held>) {
        let storage = &self.worker.storage;
        for held in held.into_values() {
            if let Err(failure) = storage.release(&held.lease).await {
                tracing::warn!(error = %describe(&failure), "a slot stays taken until its lease ends");
                return;
            }
        }
        if let Err(failure) = storage.leave(&self.slot(0), &self.owner).await {
            tracing::warn!(error = %describe(&failure), "a member stays counted until its lease ends");
        }
    }
}

/// Shares a number source between workers.
pub(crate) fn thread_random() -> Arc<dyn Fn() -> f64 + Send + Sync> {
    Arc::new(rand::random::<f64>)
}
