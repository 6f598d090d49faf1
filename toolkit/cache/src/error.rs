//! Why a cache could not do what it was asked.

use ieum_core::Fault;
use ieum_store::StoreError;

/// Why a cache could not do what it was asked. Messages name the cache without its password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The URL names no cache that can be opened.
    #[error("reading the cache url {url}: {problem}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The server cannot be reached now, or did not answer in time.
    #[error("reaching the cache {url}")]
    Unreachable {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        #[source]
        source: redis::RedisError,
    },
    /// The server refused a command.
    #[error("running {command} on the cache {url}")]
    Refused {
        /// The URL without its password.
        url: String,
        /// The command.
        command: &'static str,
        /// What the server said.
        #[source]
        source: redis::RedisError,
    },
    /// The SQL store failed.
    #[error("{step} in the sql cache")]
    Store {
        /// What was tried.
        step: &'static str,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// A bounded cache has no room for a thing that it must not forget.
    #[error("the cache holds {entries} {kind}, the most it may; raise the limit or use redis://")]
    Full {
        /// What it is full of.
        kind: &'static str,
        /// How many it holds.
        entries: usize,
    },
    /// A key that no backend could keep: empty, or longer than 190 characters.
    #[error("the key {key:?} is empty or longer than 190 characters")]
    Key {
        /// The beginning of the key.
        key: String,
    },
    /// A score that cannot be ordered.
    #[error("the score of {member:?} is not a number")]
    Score {
        /// The member.
        member: String,
    },
}

impl CacheError {
    /// Tells whether the same call may succeed later without anybody changing it.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Full { .. } => true,
            Self::Store { source, .. } => source.is_retryable(),
            _ => false,
        }
    }
}

impl From<CacheError> for Fault {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::Store { source, .. } => source.into(),
            CacheError::Unreachable { .. } => {
                Self::unavailable("cache.unreachable", "the cache cannot be reached now")
            }
            CacheError::Full { .. } => Self::resource_exhausted("cache.full", "the cache is full"),
            CacheError::Key { .. } | CacheError::Score { .. } => {
                Self::invalid_argument("cache.key", error.to_string())
            }
            CacheError::Url { .. } | CacheError::Refused { .. } => {
                Self::internal("cache.failed", "the cache could not run a command")
            }
        }
    }
}

/// Refuses keys that not every backend could keep.
pub(crate) fn check_key(key: &str) -> Result<(), CacheError> {
    if key.is_empty() || key.chars().count() > 190 {
        return Err(CacheError::Key { key: key.chars().take(40).collect() });
    }
    Ok(())
}
