//! Where published events go: into the storage's own log, or to a broker.

use async_trait::async_trait;
use ieum_core::Timestamp;

use crate::Refusal;
use crate::storage::{Entry, Failure, Storage};

/// The side of a log on which events come in.
#[async_trait]
pub(crate) trait Log: Send + Sync + 'static {
    /// Makes entries durable, those of one key in order. Returns which of them, by index, the log refuses for
    /// good; all others are durable. After a failure some of them may be durable; doing it again is harmless,
    /// for the first copy of each stands in order and the inbox leaves out the others.
    async fn write(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<(usize, Refusal)>, Failure>;
    /// Moves the oldest entries of the outbox into the log and returns how many left it. What the log refuses
    /// becomes a dead letter.
    async fn empty_outbox(&self, limit: usize, now: Timestamp) -> Result<usize, Failure>;
    async fn is_outbox_waiting(&self) -> Result<bool, Failure>;
}

/// The storage's own log: outbox and log change in one transaction, and nothing is refused.
#[async_trait]
impl<S: Storage> Log for S {
    async fn write(&self, entries: &[Entry], now: Timestamp) -> Result<Vec<(usize, Refusal)>, Failure> {
        let mut tx = self.begin().await?;
        self.append(&mut tx, entries, now).await?;
        self.commit(tx).await?;
        Ok(Vec::new())
    }

    async fn empty_outbox(&self, limit: usize, now: Timestamp) -> Result<usize, Failure> {
        let mut tx = self.begin().await?;
        let count = self.move_outbox(&mut tx, limit, now).await?;
        self.commit(tx).await?;
        Ok(count)
    }

    async fn is_outbox_waiting(&self) -> Result<bool, Failure> {
        self.outbox_waits().await
    }
}
