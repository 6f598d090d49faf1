//! When keys were last used: collected in memory and written in batches.

use std::collections::HashMap;
use std::time::Duration;

use ieum_core::{BoxFuture, Timestamp};
use parking_lot::Mutex;

use super::{KeyError, Keys};

/// Uses since the last write. At most one entry per key that verified, so bounded by the keys there are.
#[derive(Default)]
pub(super) struct Usage {
    last: Mutex<HashMap<String, Timestamp>>,
}

impl Usage {
    pub fn note(&self, id: &str, now: Timestamp) {
        let mut last = self.last.lock();
        match last.get_mut(id) {
            Some(at) => *at = now.max(*at),
            None => {
                last.insert(id.to_owned(), now);
            }
        }
    }
}

impl Keys {
    /// Writes when keys were last used, in one transaction; returns how many keys that were. What could
    /// not be written is kept for the next time. Fails where the store fails.
    pub async fn flush_usage(&self) -> Result<usize, KeyError> {
        let uses = std::mem::take(&mut *self.0.usage.last.lock());
        if uses.is_empty() {
            return Ok(0);
        }
        let written = self.write_usage(&uses).await;
        if written.is_err() {
            uses.iter().for_each(|(id, at)| self.0.usage.note(id, *at));
        }
        written.map(|()| uses.len())
    }

    async fn write_usage(&self, uses: &HashMap<String, Timestamp>) -> Result<(), KeyError> {
        let mut sorted: Vec<_> = uses.iter().collect();
        // The same order everywhere: two processes that write at once cannot wait for each other.
        sorted.sort();
        let mut transaction = self.0.store.begin_write().await?;
        let sql = "UPDATE api_keys SET last_used_at = ? WHERE id = ? \
                   AND (last_used_at IS NULL OR last_used_at < ?)";
        for (id, at) in sorted {
            transaction.execute(sql, &[(*at).into(), id.into(), (*at).into()]).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes the uses every `span` until dropped. To be spawned; a failure is logged and made up for.
    pub fn flush_usage_every(&self, span: Duration) -> BoxFuture<'static, ()> {
        let keys = self.clone();
        Box::pin(async move {
            loop {
                keys.0.clock.sleep(span).await;
                if let Err(error) = keys.flush_usage().await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "writing the last use of API keys"
                    );
                }
            }
        })
    }
}
