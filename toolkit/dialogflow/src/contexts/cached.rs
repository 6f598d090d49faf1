//! Contexts in a cache, so that several processes share them (`sql:`, `redis://…`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ieum_cache::{Cache, CacheError, LockGuard};
use ieum_core::{Fault, SharedClock};
use ring::digest::{SHA256, digest};

use super::{Change, ContextStore, Kept, checked};
use crate::{Context, SessionName};

/// How long a change may hold a session.
const HELD: Duration = Duration::from_secs(5);
/// The wait before asking for a session again that somebody changes.
const STEP: Duration = Duration::from_millis(10);
/// How often that is asked.
const TRIES: usize = 200;

/// Keeps contexts in a cache.
pub struct CacheContexts {
    cache: Arc<dyn Cache>,
    clock: SharedClock,
}

impl CacheContexts {
    /// Keeps contexts in `cache`, under keys that begin with `dialogflow:`.
    pub fn new(cache: Arc<dyn Cache>, clock: SharedClock) -> Self {
        Self { cache, clock }
    }

    async fn hold(&self, key: &str) -> Result<LockGuard, Fault> {
        for _ in 0..TRIES {
            if let Some(guard) = self.cache.lock(key, HELD).await.map_err(unreachable)? {
                return Ok(guard);
            }
            self.clock.sleep(STEP).await;
        }
        let message = "the session is being changed by somebody else all the time; try again";
        Err(Fault::aborted("dialogflow.session_busy", message))
    }

    async fn read(&self, key: &str) -> Result<Vec<Kept>, Fault> {
        let Some(bytes) = self.cache.get(key).await.map_err(unreachable)? else { return Ok(Vec::new()) };
        // What another version wrote is no reason to fail for twenty minutes.
        Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(key, %error, "contexts that cannot be read are forgotten");
            Vec::new()
        }))
    }
}

#[async_trait]
impl ContextStore for CacheContexts {
    async fn load(&self, session: &SessionName) -> Result<Vec<Kept>, Fault> {
        self.read(&key(session)).await
    }

    async fn change(&self, session: &SessionName, change: Change<'_>) -> Result<Vec<Kept>, Fault> {
        let key = key(session);
        let guard = self.hold(&key).await?;
        let kept = checked(change(self.read(&key).await?))?;
        let text = serde_json::to_vec(&kept).map_err(|error| {
            Fault::internal("dialogflow.context_json", format!("writing contexts as JSON: {error}"))
        })?;
        let lifetime = if kept.is_empty() { Duration::ZERO } else { Context::LONGEST };
        self.cache.set(&key, text.into(), lifetime).await.map_err(unreachable)?;
        guard.release().await.map_err(unreachable)?;
        Ok(kept)
    }
}

/// Names may be longer than a cache's keys.
fn key(session: &SessionName) -> String {
    let digest = digest(&SHA256, session.to_string().as_bytes());
    format!("dialogflow:{}", BASE64_URL_SAFE_NO_PAD.encode(digest))
}

fn unreachable(error: CacheError) -> Fault {
    Fault::unavailable("dialogflow.contexts", format!("keeping contexts in the cache: {error}"))
}
