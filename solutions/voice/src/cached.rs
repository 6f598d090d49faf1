//! A context engine behind a cache: what another process keeps is asked for once an hour at most.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_cache::Cache;
use ieum_contracts::voice::{Context, ContextEngine, ForgetPerson, GetContext, RecordTurn};
use ieum_core::{Cx, Fault};
use sha2::{Digest, Sha256};

/// A context engine whose answers are kept for a while. Every turn replaces what is kept, so that only turns that
/// went past this cache are seen late.
pub struct CachedContexts {
    inner: Arc<dyn ContextEngine>,
    cache: Arc<dyn Cache>,
    keep: Duration,
}

impl CachedContexts {
    /// Keeps what `inner` answers for `keep`.
    pub fn new(inner: Arc<dyn ContextEngine>, cache: Arc<dyn Cache>, keep: Duration) -> Self {
        Self { inner, cache, keep }
    }

    /// Tells whether a person was forgotten lately: what is kept of one may be older.
    async fn is_gone(&self, user: &str) -> bool {
        self.cache.get(&gone(user)).await.is_ok_and(|mark| mark.is_some())
    }

    async fn put(&self, context: &Context) {
        let key = key(&context.user_id, &context.session_id);
        let kept = match serde_json::to_vec(context) {
            Ok(bytes) => {
                self.cache.set(&key, bytes.into(), self.keep).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!(error, "keeping a context in the cache failed");
            // An old one would be worse than none.
            let _ = self.cache.delete(&key).await;
        }
    }
}

fn gone(user: &str) -> String {
    format!("contexts:gone:{}", hex::encode(Sha256::digest(user)))
}

/// Names may hold any letter, keys should not.
fn key(user: &str, session: &str) -> String {
    let digest = Sha256::new().chain_update(user).chain_update([0]).chain_update(session).finalize();
    format!("contexts:{}", hex::encode(digest))
}

#[async_trait]
impl ContextEngine for CachedContexts {
    async fn get(&self, cx: &Cx, ask: GetContext) -> Result<Context, Fault> {
        let kept = self.cache.get(&key(&ask.user_id, &ask.session_id)).await.unwrap_or_default();
        if let Some(context) = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok())
            && !self.is_gone(&ask.user_id).await
        {
            return Ok(context);
        }
        let context = self.inner.get(cx, ask).await?;
        self.put(&context).await;
        Ok(context)
    }

    async fn record(&self, cx: &Cx, turn: RecordTurn) -> Result<Context, Fault> {
        let gone = key(&turn.user_id, &turn.session_id);
        match self.inner.record(cx, turn).await {
            Ok(context) => {
                self.put(&context).await;
                Ok(context)
            }
            Err(fault) => {
                // It may have been recorded nevertheless.
                let _ = self.cache.delete(&gone).await;
                Err(fault)
            }
        }
    }

    async fn forget(&self, cx: &Cx, ask: ForgetPerson) -> Result<ForgetPerson, Fault> {
        // Before and after: what is put meanwhile is of somebody who is being forgotten.
        let key = gone(&ask.user_id);
        let mark = || self.cache.set(&key, Bytes::from_static(b"1"), self.keep);
        let unmarked =
            |error| Fault::unavailable("voice.context.cache", format!("forgetting a person: {error}"));
        mark().await.map_err(unmarked)?;
        let forgotten = self.inner.forget(cx, ask.clone()).await?;
        mark().await.map_err(unmarked)?;
        Ok(forgotten)
    }
}
