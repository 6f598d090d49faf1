//! Publishing: one task that makes whatever waits durable in one commit, and one that empties the outbox.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::Refusal;
use crate::log::Log;
use crate::storage::{Entry, Failure};

/// The most events in one commit.
const MOST_IN_COMMIT: usize = 1_024;
/// The first and the longest wait between looks into the outbox, and between tries after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// What one publisher waits for.
pub(crate) struct Waiting {
    pub entries: Vec<Entry>,
    pub done: oneshot::Sender<Result<(), Unpublished>>,
}

/// Why a publisher's events are not all durable.
#[derive(Debug)]
pub(crate) enum Unpublished {
    Failed(Arc<Failure>),
    Refused(Refusal),
}

/// The one task through which a process publishes.
pub(crate) struct Writer<L> {
    pub storage: Arc<L>,
    pub clock: SharedClock,
    pub waiting: mpsc::Receiver<Waiting>,
    pub changed: watch::Sender<u64>,
    /// For how long a failure that may pass is tried again before the publishers are told.
    pub patience: Duration,
}

/// The task that moves what committed transactions left in the outbox.
pub(crate) struct Relay<L> {
    pub storage: Arc<L>,
    pub clock: SharedClock,
    pub wanted: Arc<Notify>,
    pub changed: watch::Sender<u64>,
}

// === Writer ===

impl<L: Log> Writer<L> {
    /// Runs until every sender of `waiting` is gone and what waited is done.
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.waiting.recv().await {
            let mut batch = vec![first];
            let mut count = batch[0].entries.len();
            let mut seen = 0;
            while count < MOST_IN_COMMIT {
                match self.waiting.try_recv() {
                    Ok(next) => {
                        count += next.entries.len();
                        batch.push(next);
                    }
                    // Whoever was just told publishes again at once and should not miss this commit by a hair.
                    Err(_) if count > seen => {
                        seen = count;
                        tokio::task::yield_now().await;
                    }
                    Err(_) => break,
                }
            }
            self.write(batch).await;
        }
    }

    async fn write(&self, batch: Vec<Waiting>) {
        let mut entries: Vec<Entry> = Vec::new();
        let mut publishers = Vec::with_capacity(batch.len());
        for waiting in batch {
            let first = entries.len();
            entries.extend(waiting.entries);
            publishers.push((first..entries.len(), waiting.done));
        }
        let result = self.persist(&entries).await.map_err(Arc::new);
        metrics::counter!("ieum_bus_commits_total").increment(1);
        if let Ok(refused) = &result {
            metrics::counter!("ieum_bus_published_total").increment((entries.len() - refused.len()) as u64);
            self.changed.send_modify(|number| *number += 1);
        }
        for (range, done) in publishers {
            let answer = match &result {
                Err(failure) => Err(Unpublished::Failed(Arc::clone(failure))),
                Ok(refused) => refused
                    .iter()
                    .find(|(index, _)| range.contains(index))
                    .map_or(Ok(()), |(_, refusal)| Err(Unpublished::Refused(refusal.clone()))),
            };
            // A publisher that no longer waits does not want to know.
            let _ = done.send(answer);
        }
    }

    /// Appends durably; tries again while the failure may pass, which is harmless since the log leaves out
    /// what it has.
    async fn persist(&self, entries: &[Entry]) -> Result<Vec<(usize, Refusal)>, Failure> {
        let give_up = self.clock.moment() + self.patience;
        let mut wait = FIRST_WAIT;
        loop {
            let failure = match self.storage.write(entries, self.clock.now()).await {
                Ok(refused) => return Ok(refused),
                Err(failure) => failure,
            };
            if !failure.retryable || self.clock.moment() + wait >= give_up {
                return Err(failure);
            }
            tracing::debug!(error = %failure, events = entries.len(), "publishing again");
            self.clock.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

// === Relay ===

impl<L: Log> Relay<L> {
    /// Runs until it is dropped. Looks often after [`Relay::wanted`] was told, for the asking transaction
    /// commits a little later, and now and then for what other processes left.
    pub(crate) async fn run(self) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.move_all().await {
                Ok(0) => wait = (wait * 2).min(LONGEST_WAIT),
                Ok(_) => wait = FIRST_WAIT,
                Err(failure) => {
                    tracing::warn!(error = %ieum_core::describe(&failure), "moving the outbox failed");
                    wait = LONGEST_WAIT;
                }
            }
            tokio::select! {
                biased;
                () = self.wanted.notified() => wait = FIRST_WAIT,
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    async fn move_all(&self) -> Result<usize, Failure> {
        let mut moved = 0;
        while self.storage.is_outbox_waiting().await? {
            let count = self.storage.empty_outbox(MOST_IN_COMMIT, self.clock.now()).await?;
            moved += count;
            self.changed.send_modify(|number| *number += 1);
            if count == 0 {
                break;
            }
        }
        Ok(moved)
    }
}
