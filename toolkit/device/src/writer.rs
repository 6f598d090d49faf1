//! One task that makes whatever waits durable in one commit: many publishers share a sync.

use std::sync::Arc;
use std::time::Duration;

use crate::batch::Batch;
use crate::state::State;
use crate::store::DeviceStore;

/// The first and the longest wait between tries after a failure.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Writes changes as they come, for ever. Nobody is answered before a commit holds what the answer promises; a
/// commit that fails is tried again.
pub(crate) async fn run(state: Arc<State>, store: DeviceStore) {
    loop {
        state.noted.notified().await;
        // Whoever was just told goes on at once and should not miss this commit by a hair.
        tokio::task::yield_now().await;
        write_all(&state, &store).await;
    }
}

/// Writes until nothing waits.
pub(crate) async fn write_all(state: &State, store: &DeviceStore) {
    loop {
        let (changes, number) = state.with(|hub| hub.journal.take());
        if changes.is_empty() {
            return;
        }
        let batch = Batch::of(changes);
        let mut wait = FIRST_WAIT;
        while let Err(error) = store.write(&batch).await {
            tracing::warn!(error = %ieum_core::describe(&error), "writing sessions of devices again");
            metrics::counter!("ieum_device_write_failures_total").increment(1);
            state.clock.sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        metrics::counter!("ieum_device_commits_total").increment(1);
        state.with(|hub| hub.settle(number));
        state.synced.send_replace(number);
    }
}
