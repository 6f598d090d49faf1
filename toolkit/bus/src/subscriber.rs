//! One member of a group: works on the parts that its feed gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use ieum_core::{Timestamp, describe};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::feed::{Feed, Held, Leases, Member};
use crate::storage::{Failure, Lease, Storage};
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

/// What one pass over a slot is to do.
#[derive(Clone, Copy)]
struct Pass {
    read: bool,
    revive: bool,
}

impl<S: Storage> Subscriber<S> {
    /// Consumes the storage's own log; see [`Subscriber::run_on`].
    pub(crate) async fn run(self) {
        self.run_on(Leases::new()).await;
    }

    /// Runs until stopped; then finishes the events in hand and gives the slots back.
    pub(crate) async fn run_on(mut self, mut feed: impl Feed<S>) {
        let mut held: BTreeMap<i64, Held> = BTreeMap::new();
        let mut seen_head = -1;
        while !self.stop.is_cancelled() {
            self.changed.borrow_and_update();
            let pause = match self.round(&mut feed, &mut held, &mut seen_head).await {
                Ok(true) => continue,
                Ok(false) => self.pause(&held),
                Err(failure) => {
                    tracing::warn!(
                        group = self.group, topic = self.topic, error = %describe(&failure),
                        "consuming pauses"
                    );
                    feed.doubt();
                    seen_head = -1;
                    self.poll * 2
                }
            };
            self.wait(&feed, pause).await;
        }
        self.leave(feed, held).await;
    }

    /// Does one round; returns whether there is more to do at once.
    async fn round(
        &self,
        feed: &mut impl Feed<S>,
        held: &mut BTreeMap<i64, Held>,
        seen_head: &mut i64,
    ) -> Result<bool, Failure> {
        let mut all = feed.share(&self.member(), held).await?;
        let head = self.worker.storage.head().await?;
        // In a slot that was just taken a replay may have been asked while its former owner was gone.
        let asked = if head == *seen_head && !all {
            BTreeSet::new()
        } else {
            all = true;
            self.worker.storage.asked(&self.member().slot(0)).await?
        };
        let more_asked = self.work(feed, held, all, &asked).await?;
        // Where replays are left for the next round the head counts as unseen.
        *seen_head = if more_asked { -1 } else { head };
        Ok(held.values().any(|held| held.busy))
    }

    fn member(&self) -> Member<'_, S> {
        Member { worker: &self.worker, group: &self.group, topic: &self.topic, owner: &self.owner }
    }

    /// Works on every held slot that may have something; returns whether asked replays are left.
    async fn work(
        &self,
        feed: &mut impl Feed<S>,
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
        let reading = &*feed;
        let mut running = FuturesUnordered::new();
        let mut todo = todo.into_iter();
        let (mut lost, mut unsure) = (Vec::new(), Vec::new());
        let mut failed = None;
        let mut more_asked = false;
        loop {
            while running.len() < self.concurrency.max(1) {
                let Some((part, slot, pass)) = todo.next() else { break };
                running.push(async move { (part, self.pass(reading, slot, pass).await) });
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
            feed.fenced(part, self.worker.clock.moment());
        }
        // A commit whose answer got lost may have moved the position: claiming again reads it.
        held.retain(|part, _| !unsure.contains(part));
        failed.map_or(Ok(more_asked), Err)
    }

    /// Works on one slot for some turns; returns whether asked replays are left.
    async fn pass(&self, feed: &impl Feed<S>, held: &mut Held, pass: Pass) -> Result<bool, StepError> {
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
                let lease = &held.lease;
                let found = feed.read(&worker.storage, &lease.slot, lease.position, BATCH).await?;
                held.busy = found.len() == BATCH;
                if !found.is_empty() {
                    if worker.absorb(&mut held.lease, found).await? {
                        held.next_due = Some(Timestamp::default());
                    }
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

    async fn wait(&mut self, feed: &impl Feed<S>, pause: Duration) {
        let clock = self.worker.clock.clone();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            changed = self.changed.changed() => {
                if changed.is_err() {
                    clock.sleep(pause).await;
                }
            }
            () = feed.arrived() => {}
            () = clock.sleep(pause) => {}
        }
    }

    async fn leave(&self, mut feed: impl Feed<S>, held: BTreeMap<i64, Held>) {
        let storage = &self.worker.storage;
        let leases: Vec<Lease> = held.into_values().map(|held| held.lease).collect();
        for lease in &leases {
            if let Err(failure) = storage.release(lease).await {
                tracing::warn!(error = %describe(&failure), "a slot stays taken until its lease ends");
                return;
            }
        }
        if let Err(failure) = feed.leave(&self.member(), leases).await {
            tracing::warn!(error = %describe(&failure), "a member stays counted until its lease ends");
        }
    }
}

/// Shares a number source between workers.
pub(crate) fn thread_random() -> Arc<dyn Fn() -> f64 + Send + Sync> {
    Arc::new(rand::random::<f64>)
}
