//! Handling events: effect, mark and position in one transaction; what fails goes to the lane or dies.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use ieum_core::{Cx, Fault, SharedClock, Timestamp, describe};

use crate::storage::{Delivery, Failure, Lease, Storage};
use crate::{Event, RetryLanes};
use work::{What, Work};

mod verdict;
mod work;

/// How many events one transaction takes at most.
pub(crate) const BATCH: usize = 128;
/// From which time on a transaction is too long and the next ones take fewer events.
const LONGEST_BATCH: Duration = Duration::from_secs(1);

/// What a group does with an event, within a storage's transaction.
#[async_trait]
pub(crate) trait Handler<T>: Send + Sync {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut T) -> Result<(), Fault>;
}

/// Works on slots it is given leases of. Holds no state between steps but its pace.
pub(crate) struct Worker<S: Storage> {
    pub storage: Arc<S>,
    pub handler: Arc<dyn Handler<S::Tx>>,
    pub clock: SharedClock,
    pub lanes: RetryLanes,
    /// How long a lease lasts from its last sign of life.
    pub lease_span: Duration,
    /// How long one event may be handled.
    pub time_limit: Duration,
    /// Spreads retries: a number from 0 up to 1.
    pub random: Arc<dyn Fn() -> f64 + Send + Sync>,
    /// How many events the next transaction takes.
    pub pace: AtomicUsize,
}

/// Says why a step did not finish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("another consumer took the slot")]
    Fenced,
    #[error("working on a slot failed")]
    Storage(#[source] Failure),
}

/// How a transaction over several works ended.
enum Outcome {
    /// All are done and durable.
    Done,
    /// The handler failed at this index; nothing is done.
    Failed(usize, Fault),
    /// The storage refused something and nothing is done; which event it was for is not known.
    Refused(Fault),
    /// This many took too long already; nothing is done.
    TooLong(usize),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> Self {
        Self::Storage(failure)
    }
}

impl<S: Storage> Worker<S> {
    /// Does what a log delivered, in order. On return all of it is handled, in the lane or dead; tells whether the
    /// lane holds anything.
    pub(crate) async fn absorb(&self, lease: &mut Lease, found: Vec<Delivery>) -> Result<bool, StepError> {
        let mut blocked = self.storage.blocked(&lease.slot).await?;
        let works = found.into_iter().map(Work::from_log).collect();
        self.drive(lease, works, &mut blocked).await?;
        Ok(!blocked.is_empty())
    }

    /// Tries again what is due in the slot's lane; returns how many were tried and when the next one is due.
    pub(crate) async fn retry(&self, lease: &mut Lease) -> Result<(usize, Option<Timestamp>), StepError> {
        let now = self.clock.now();
        let (rows, next) = self.storage.due(&lease.slot, now, BATCH).await?;
        let count = rows.len();
        let works = rows.into_iter().map(|row| Work::from_lane(row, now)).collect();
        self.drive(lease, works, &mut BTreeSet::new()).await?;
        Ok((count, next))
    }

    /// Brings dead letters whose replay was asked back into the lane, at most `limit`.
    pub(crate) async fn revive(&self, lease: &Lease, limit: usize) -> Result<usize, StepError> {
        let mut tx = self.storage.begin().await?;
        let count = self.storage.revive(&mut tx, &lease.slot, limit, self.clock.now()).await?;
        if count > 0 {
            self.finish(lease, tx, lease.position).await?;
        }
        Ok(count)
    }

    /// Does the works in order: together where all succeed, else around what fails. Keys that have something in
    /// the lane stand in `blocked`; those that get something there join them.
    async fn drive(
        &self,
        lease: &mut Lease,
        mut works: Vec<Work>,
        blocked: &mut BTreeSet<String>,
    ) -> Result<(), StepError> {
        while !works.is_empty() {
            for work in &mut works {
                work.queue_behind(blocked);
            }
            let mut size = works.len().min(self.pace.load(Ordering::Relaxed).max(1));
            let mut failed = None;
            while size > 0 {
                match self.attempt(lease, &works[..size]).await? {
                    Outcome::Done => break,
                    Outcome::Failed(index, fault) => {
                        size = index;
                        failed = Some(fault);
                    }
                    Outcome::Refused(fault) if size == 1 => {
                        size = 0;
                        failed = Some(fault);
                    }
                    Outcome::Refused(_) => {
                        size /= 2;
                        failed = None;
                    }
                    Outcome::TooLong(count) => {
                        size = count;
                        failed = None;
                    }
                }
            }
            if let Some(fault) = failed {
                blocked.extend(self.park_or_bury(lease, &works[size], fault).await?);
                size += 1;
            }
            works.drain(..size);
        }
        Ok(())
    }

    /// Does all the works in one transaction.
    async fn attempt(&self, lease: &mut Lease, works: &[Work]) -> Result<Outcome, StepError> {
        let begun = self.clock.moment();
        let mut tx = self.storage.begin().await?;
        let position = works.iter().fold(lease.position, |position, work| work.moves_to(position));
        let refused = match self.perform_all(&mut tx, lease, works).await {
            Ok(Outcome::Done) => match self.finish(lease, tx, position).await {
                Ok(()) => {
                    lease.position = position;
                    self.adapt_pace(works.len(), self.clock.moment().since(begun));
                    return Ok(Outcome::Done);
                }
                Err(StepError::Storage(failure)) => failure,
                Err(fenced) => return Err(fenced),
            },
            Ok(other) => return Ok(other),
            Err(failure) => failure,
        };
        // The storage may refuse for what a handler did: a deferred constraint, or a statement whose
        // failure it did not pass on. Whether it is that or the storage shows when the event is parked.
        if refused.retryable {
            return Err(StepError::Storage(refused));
        }
        Ok(Outcome::Refused(Fault::unavailable("bus.commit_refused", describe(&refused))))
    }

    async fn perform_all(&self, tx: &mut S::Tx, lease: &Lease, works: &[Work]) -> Result<Outcome, Failure> {
        let begun = self.clock.moment();
        let fresh = self.mark(tx, lease, works).await?;
        for (i, (work, fresh)) in works.iter().zip(fresh).enumerate() {
            if let Err(fault) = self.perform(tx, lease, work, fresh).await? {
                return Ok(Outcome::Failed(i, fault));
            }
            if i + 1 < works.len() && self.clock.moment().since(begun) >= LONGEST_BATCH {
                self.pace.store(i + 1, Ordering::Relaxed);
                return Ok(Outcome::TooLong(i + 1));
            }
        }
        Ok(Outcome::Done)
    }

    fn adapt_pace(&self, done: usize, elapsed: Duration) {
        let pace = self.pace.load(Ordering::Relaxed);
        if done >= pace && elapsed < LONGEST_BATCH / 4 {
            self.pace.store((pace * 2).clamp(1, BATCH), Ordering::Relaxed);
        }
    }

    /// Marks what is to be handled; tells for each work whether this is its first time.
    async fn mark(&self, tx: &mut S::Tx, lease: &Lease, works: &[Work]) -> Result<Vec<bool>, Failure> {
        let events: Vec<(String, String)> =
            works.iter().filter(|work| work.is_handled()).map(Work::identity).collect();
        let marked = self.storage.mark(tx, &lease.slot, &events, self.clock.now()).await?;
        let mut marked = marked.into_iter();
        Ok(works.iter().map(|work| work.is_handled() && marked.next().unwrap_or(false)).collect())
    }

    /// Does one work. The inner result is the handler's.
    async fn perform(
        &self,
        tx: &mut S::Tx,
        lease: &Lease,
        work: &Work,
        fresh: bool,
    ) -> Result<Result<(), Fault>, Failure> {
        match &work.what {
            What::Queue => self.storage.park(tx, &lease.slot, &work.row).await?,
            What::Bury(problem) => {
                let fault = Fault::invalid_argument("bus.not_an_event", problem.clone());
                self.bury(tx, lease, work, &fault).await?;
            }
            What::Handle(event) => {
                if fresh && let Err(fault) = self.call(event, work.row.attempts, tx).await {
                    return Ok(Err(fault));
                }
                self.settle(tx, lease, work).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Ends the lane's side of an event that was handled.
    async fn settle(&self, tx: &mut S::Tx, lease: &Lease, work: &Work) -> Result<(), Failure> {
        if !work.in_lane {
            return Ok(());
        }
        let now = self.clock.now();
        self.storage.unpark(tx, &lease.slot, &work.row, now).await?;
        match &work.row.dead_id {
            Some(dead_id) => self.storage.resolve(tx, dead_id, now).await,
            None => Ok(()),
        }
    }

    async fn call(&self, event: &Event, attempts: u32, tx: &mut S::Tx) -> Result<(), Fault> {
        let cx = event.context(attempts).with_timeout(self.clock.moment(), self.time_limit);
        let handling = std::panic::AssertUnwindSafe(self.handler.handle(&cx, event, tx)).catch_unwind();
        tokio::select! {
            biased;
            result = handling => result.unwrap_or_else(|panic| Err(verdict::panic_fault(&*panic))),
            () = self.clock.sleep(self.time_limit) => Err(Fault::deadline_exceeded(
                "bus.handler_too_slow",
                format!("handling {} took longer than {:?}", event.kind, self.time_limit),
            )),
        }
    }

    /// Ends a transaction with the slot's position, fenced.
    async fn finish(&self, lease: &Lease, mut tx: S::Tx, position: i64) -> Result<(), StepError> {
        let until = self.clock.now() + self.lease_span;
        if !self.storage.advance(&mut tx, lease, position, until).await? {
            return Err(StepError::Fenced);
        }
        Ok(self.storage.commit(tx).await?)
    }
}
