//! Counters over a store's pool and statements.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A store's counters at one time. Counts go up since the store was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Open connections.
    pub connections: u32,
    /// Open connections nobody uses now.
    pub idle: u32,
    /// The most connections there may be.
    pub most_connections: u32,
    /// Statements run.
    pub statements: u64,
    /// Statements that took at least the threshold of `StoreOptions::slow_statement`.
    pub slow_statements: u64,
    /// Statements that failed.
    pub failed_statements: u64,
    /// Times a connection had to be waited for because all were in use.
    pub waits: u64,
    /// The time spent waiting for connections, in microseconds.
    pub waited_micros: u64,
    /// Times the wait ended without a connection.
    pub wait_timeouts: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    statements: AtomicU64,
    slow: AtomicU64,
    failed: AtomicU64,
    waits: AtomicU64,
    waited_micros: AtomicU64,
    wait_timeouts: AtomicU64,
}

impl Counters {
    pub(crate) fn statement(&self, slow: bool, failed: bool) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.slow.fetch_add(u64::from(slow), Ordering::Relaxed);
        self.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }

    pub(crate) fn wait(&self, waited: Duration, ended_without: bool) {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Ordering::Relaxed);
        self.wait_timeouts.fetch_add(u64::from(ended_without), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Statistics {
        Statistics {
            statements: self.statements.load(Ordering::Relaxed),
            slow_statements: self.slow.load(Ordering::Relaxed),
            failed_statements: self.failed.load(Ordering::Relaxed),
            waits: self.waits.load(Ordering::Relaxed),
            waited_micros: self.waited_micros.load(Ordering::Relaxed),
            wait_timeouts: self.wait_timeouts.load(Ordering::Relaxed),
            ..Statistics::default()
        }
    }
}
