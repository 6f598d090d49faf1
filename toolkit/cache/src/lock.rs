//! A lock that is held: given back by hand, when dropped, or by time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::CacheError;

/// What a backend does for a lock that it gave out under `token`.
#[async_trait]
pub(crate) trait LockKeeper: Send + Sync {
    /// Gives the lock back; returns whether it was still held under `token`.
    async fn release(&self, key: &str, token: &str) -> Result<bool, CacheError>;
    /// Holds the lock for `ttl` from now; returns whether it was still held under `token`.
    async fn extend(&self, key: &str, token: &str, ttl: Duration) -> Result<bool, CacheError>;
}

/// A held lock. It ends when its time has passed, whoever holds it: what it protects must bear a second
/// holder then.
#[must_use = "a lock that is not kept is given back at once"]
pub struct LockGuard {
    keeper: Arc<dyn LockKeeper>,
    key: String,
    token: String,
    held: bool,
}

impl LockGuard {
    pub(crate) fn new(keeper: Arc<dyn LockKeeper>, key: &str, token: String) -> Self {
        Self { keeper, key: key.to_owned(), token, held: true }
    }

    /// Returns the lock's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Gives the lock back; returns false where its time had passed and somebody else may have had it.
    ///
    /// # Errors
    /// A backend that cannot be reached; the lock then ends by time.
    pub async fn release(mut self) -> Result<bool, CacheError> {
        self.held = false;
        self.keeper.release(&self.key, &self.token).await
    }

    /// Holds the lock for `ttl` from now; returns false where its time had passed.
    ///
    /// # Errors
    /// A backend that cannot be reached.
    pub async fn extend(&self, ttl: Duration) -> Result<bool, CacheError> {
        self.keeper.extend(&self.key, &self.token, ttl).await
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.held {
            return;
        }
        let (keeper, key, token) =
            (Arc::clone(&self.keeper), std::mem::take(&mut self.key), std::mem::take(&mut self.token));
        runtime.spawn(async move {
            if let Err(error) = keeper.release(&key, &token).await {
                tracing::warn!(key, %error, "a dropped lock is left to end by time");
            }
        });
    }
}

impl std::fmt::Debug for LockGuard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("LockGuard").field("key", &self.key).finish_non_exhaustive()
    }
}
