//! One task that makes whatever waits durable in one commit: many publishers share a sync.

use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::state::State;
use crate::store::{DeviceStore, DeviceStoreError};

/// The first and the longest wait between tries after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Writes changes as they come, until another broker has taken over the tables. Nobody is answered before a commit
/// holds what the answer promises; a commit that fails is tried again.
pub(crate) async fn run(state: Arc<State>, store: DeviceStore) {
    while state.synced.borrow().is_some() {
        state.noted.notified().await;
        // Whoever was just told goes on at once and should not miss this commit by a hair.
        tokio::task::yield_now().await;
        write_all(&state, &store).await;
    }
}

/// Writes until nothing waits, or nothing may be written any more.
pub(crate) async fn write_all(state: &State, store: &DeviceStore) {
    while state.synced.borrow().is_some() {
        let (changes, number) = state.with(|hub| hub.journal.take());
        if changes.is_empty() {
            return;
        }
        if write(state, store, &Batch::of(changes)).await.is_err() {
            tracing::error!(error = %DeviceStoreError::TakenOver, "this broker answers no more");
            state.synced.send_replace(None);
            return;
        }
        metrics::counter!("ieum_device_commits_total").increment(1);
        state.with(|hub| hub.settle(number));
        state.synced.send_replace(Some(number));
    }
}

/// The tables belong to another broker.
struct TakenOver;

/// Writes one batch, again and again until it is durable.
async fn write(state: &State, store: &DeviceStore, batch: &Batch) -> Result<(), TakenOver> {
    let mut wait = FIRST_WAIT;
    loop {
        match store.write(batch).await {
            Ok(()) => return Ok(()),
            Err(DeviceStoreError::TakenOver) => return Err(TakenOver),
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "writing sessions of devices again");
                metrics::counter!("ieum_device_write_failures_total").increment(1);
                state.clock.sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}
