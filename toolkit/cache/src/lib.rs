//! Keys with a lifetime, rankings, locks and exact rate limits, behind one trait.
//!
//! | URL | where | for |
//! |---|---|---|
//! | `memory:` | this process | one process; nothing to install |
//! | `sql:` | the SQL store | several processes that share only the store |
//! | `redis://…` | Redis | many processes, many requests |
//!
//! What a backend cannot do is in [`Capabilities`].

mod error;
mod lock;
mod memory;
mod open;
mod redis;
mod sql;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::Timestamp;
use ieum_policy::{Decision, Gcra};

pub use error::CacheError;
pub use lock::LockGuard;
pub use memory::{MemoryCache, MemoryOptions};
pub use open::{open_cache, open_cache_on};
pub use redis::RedisCache;
pub use sql::SqlCache;

/// Keys with a lifetime, rankings, locks and rate limits. Each kind has its own key space.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// Returns what this backend gives and lacks.
    fn capabilities(&self) -> Capabilities;

    /// Asks the backend for an answer.
    async fn ping(&self) -> Result<(), CacheError>;

    /// Returns the value under `key`, if it is there and its lifetime has not passed.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError>;

    /// Keeps `value` under `key` for `ttl`, to the millisecond. A `ttl` of zero deletes the key.
    async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError>;

    /// Deletes `key`; returns whether it was there.
    async fn delete(&self, key: &str) -> Result<bool, CacheError>;

    /// Returns how long `key` will still be there.
    async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError>;

    /// Gives `member` of the ranking `set` a score, replacing an earlier one. NaN is refused.
    async fn rank_add(&self, set: &str, member: &str, score: f64) -> Result<(), CacheError>;

    /// Returns the `count` members with the highest scores; among equals the later name comes first, by
    /// bytes.
    async fn rank_top(&self, set: &str, count: usize) -> Result<Vec<Ranked>, CacheError>;

    /// Returns the place of `member` in the ranking, 0 for the first.
    async fn rank_of(&self, set: &str, member: &str) -> Result<Option<u64>, CacheError>;

    /// Takes `member` out of the ranking; returns whether it was in.
    async fn rank_remove(&self, set: &str, member: &str) -> Result<bool, CacheError>;

    /// Takes the lock `key` for at most `ttl`, or returns `None` where somebody has it.
    async fn lock(&self, key: &str, ttl: Duration) -> Result<Option<LockGuard>, CacheError>;

    /// Decides on one request under the rate limit `key`, atomically among everybody who shares the backend.
    ///
    /// `now` is the caller's time. Only the memory backend uses it; the others take the time of what is
    /// shared (Redis' or the database server's clock, or for SQLite the machine's, read under the lock).
    async fn gcra(&self, key: &str, limit: &Gcra, now: Timestamp) -> Result<Decision, CacheError>;
}

/// One member of a ranking.
#[derive(Clone, PartialEq, Debug)]
pub struct Ranked {
    /// The member's name.
    pub member: String,
    /// Its score.
    pub score: f64,
}

/// What a cache gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Several processes see the same keys, locks and limits.
    pub shared: bool,
    /// Keys survive a restart of this process.
    pub survives_restart: bool,
    /// A rate limit costs no disk write.
    pub fast_limits: bool,
}

impl Capabilities {
    /// Returns one sentence per property, for `ieum doctor`.
    pub fn sentences(&self) -> Vec<&'static str> {
        let pick = |given: bool, yes: &'static str, no: &'static str| if given { yes } else { no };
        vec![
            pick(
                self.shared,
                "gives all processes the same keys, locks and limits",
                "lacks sharing: each process has its own keys, locks and limits",
            ),
            pick(
                self.survives_restart,
                "gives keys that outlive this process",
                "lacks memory over a restart: keys are gone with the process",
            ),
            pick(
                self.fast_limits,
                "gives rate limits without a disk write",
                "lacks fast rate limits: each decision is a transaction in the SQL store",
            ),
        ]
    }
}
