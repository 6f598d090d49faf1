//! Accepting messages in transactions of our own: callers at the same time share one commit.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::deliveries::{self, Acceptance, Accepted};
use crate::error::{WebhookError, at};
use crate::service::Shared;

/// The most messages in one commit.
const MOST_IN_COMMIT: usize = 1_024;

/// The messages that wait for a commit. Whoever finds no commit under way begins one for all who wait.
#[derive(Default)]
pub(crate) struct Gatherer(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    waiting: VecDeque<Waiting>,
    committing: bool,
}

/// Tells those who wait where the committing task ends early, as at shutdown.
struct Unfinished<'a>(&'a Gatherer);

struct Waiting {
    accepted: Accepted,
    done: oneshot::Sender<Result<(), Arc<WebhookError>>>,
}

/// Accepts one message durably. Fails for all who shared the commit.
pub(crate) async fn accept(shared: &Arc<Shared>, accepted: Accepted) -> Result<(), WebhookError> {
    let (done, outcome) = oneshot::channel();
    let first = {
        let mut gathered = shared.gatherer.0.lock();
        gathered.waiting.push_back(Waiting { accepted, done });
        !std::mem::replace(&mut gathered.committing, true)
    };
    if first {
        // A task of its own: whoever began the commit may stop waiting, the others still want it.
        tokio::spawn(commit_all(Arc::clone(shared)));
    }
    match outcome.await {
        Ok(outcome) => outcome.map_err(WebhookError::Shared),
        Err(_) => Err(WebhookError::Stopped),
    }
}

async fn commit_all(shared: Arc<Shared>) {
    let unfinished = Unfinished(&shared.gatherer);
    loop {
        let group: Vec<Waiting> = {
            let mut gathered = shared.gatherer.0.lock();
            let count = gathered.waiting.len().min(MOST_IN_COMMIT);
            if count == 0 {
                gathered.committing = false;
                std::mem::forget(unfinished);
                return;
            }
            gathered.waiting.drain(..count).collect()
        };
        let (accepted, done): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.accepted, waiting.done)).unzip();
        let outcome = commit(&shared, &accepted).await.map_err(Arc::new);
        for done in done {
            // A caller that no longer waits does not want to know.
            let _ = done.send(outcome.clone());
        }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let mut gathered = self.0.0.lock();
        gathered.committing = false;
        gathered.waiting.clear();
    }
}

async fn commit(shared: &Shared, accepted: &[Accepted]) -> Result<(), WebhookError> {
    let mut tx = shared.store.begin().await.map_err(at("beginning to accept messages"))?;
    let count = store(shared, &mut tx, accepted).await?;
    tx.commit().await.map_err(at("accepting messages"))?;
    if count > 0 {
        shared.accepted.notify_one();
    }
    Ok(())
}

/// Stores messages within a transaction and returns how many deliveries they make.
pub(crate) async fn store(
    shared: &Shared,
    tx: &mut ieum_store::Transaction,
    accepted: &[Accepted],
) -> Result<usize, WebhookError> {
    let now = shared.clock.now();
    let acceptance = Acceptance { now, due: shared.options.schedule.first(now) };
    let count = deliveries::accept(tx, accepted, acceptance).await?;
    if count > 0 {
        metrics::counter!("ieum_webhook_accepted_total").increment(count as u64);
    }
    Ok(count)
}
