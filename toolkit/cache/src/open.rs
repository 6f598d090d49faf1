//! The one table from URL to cache backend.

use std::sync::Arc;

use ieum_core::{SharedClock, redact_url};
use ieum_store::Store;

use crate::{Cache, CacheError, MemoryCache, MemoryOptions, RedisCache, SqlCache};

/// Opens the cache at `url`: `memory:` or `redis://…`.
///
/// # Errors
/// A URL that cannot be read, or a server that cannot be reached.
pub async fn open_cache(url: &str, clock: SharedClock) -> Result<Arc<dyn Cache>, CacheError> {
    open_cache_on(url, clock, None).await
}

/// Opens the cache at `url`: `memory:`, `redis://…`, or `sql:` on `store`.
///
/// # Errors
/// A URL that cannot be read, a server that cannot be reached, or `sql:` without a store.
pub async fn open_cache_on(
    url: &str,
    clock: SharedClock,
    store: Option<Store>,
) -> Result<Arc<dyn Cache>, CacheError> {
    let wrong = |problem: &str| CacheError::Url { url: redact_url(url), problem: problem.to_owned() };
    match (url.split_once(':').map(|(scheme, _)| scheme), store) {
        (Some("memory"), _) => Ok(Arc::new(MemoryCache::new(clock, MemoryOptions::default()))),
        (Some("redis"), _) => Ok(Arc::new(RedisCache::open(url).await?)),
        (Some("rediss"), _) => {
            Err(wrong("this build has no TLS to redis; use redis:// in a private network"))
        }
        (Some("sql"), Some(store)) => Ok(Arc::new(SqlCache::open(store, clock).await?)),
        (Some("sql"), None) => Err(wrong("it needs the sql store, which is not open here")),
        (Some(other), _) => {
            Err(wrong(&format!("{other:?} is no scheme of a cache; expected memory, sql or redis")))
        }
        (None, _) => Err(wrong("it has no scheme; expected memory:, sql: or redis://")),
    }
}
