//! A SQL store: pools, statements, transactions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Moment, SharedClock, system_clock};
use sqlx::pool::PoolConnection;
use sqlx::{MySql, Pool, Postgres, Sqlite};

use crate::connect::{Pools, connect};
use crate::connection::{Connection, Wanted};
use crate::statistics::Counters;
use crate::store_url::{self, Place};
use crate::{Capabilities, Dialect, Row, Statistics, StoreError, Transaction, Value};

/// A SQL store. Cloning shares the pool.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) pools: Pools,
    place: Place,
    url: String,
    options: StoreOptions,
    counters: Counters,
}

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// The most connections: to a server in all, to a SQLite file for reading (one more writes).
    pub pool_size: u32,
    /// How long to wait for a free connection, or for the first connection to a server.
    pub acquire_timeout: Duration,
    /// How long SQLite waits for another process that writes.
    pub busy_timeout: Duration,
    /// After how much rest a connection to a server is closed.
    pub idle_timeout: Duration,
    /// From which time on a statement counts as slow and is logged.
    pub slow_statement: Duration,
    /// Whether SQLite waits for the disk at each commit.
    pub sqlite_synchronous: Synchronous,
    /// The clock that measures waits and statements.
    pub clock: SharedClock,
}

/// Whether SQLite waits for the disk at each commit (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Synchronous {
    /// Waits: what was committed survives a power cut.
    #[default]
    Full,
    /// Does not wait: a power cut loses or damages data. For tests only.
    Off,
}

/// A connection on loan from a pool.
pub(crate) enum Loan {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    MySql(PoolConnection<MySql>),
}

/// What a connection is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            pool_size: 8,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(600),
            slow_statement: Duration::from_secs(1),
            sqlite_synchronous: Synchronous::Full,
            clock: system_clock(),
        }
    }
}

// === Store ===

impl Store {
    /// Opens the store at `url`: `sqlite:path`, `sqlite::memory:`, `postgres://…`, `mysql://…` or
    /// `mariadb://…`. A SQLite file is made with its folder; `sqlite::memory:` has one connection, so a
    /// transaction keeps everybody else waiting.
    ///
    /// # Errors
    /// A URL that cannot be read, or a server or file that cannot be reached.
    pub async fn open(url: &str, options: &StoreOptions) -> Result<Self, StoreError> {
        let place = store_url::read(url)?;
        let url = ieum_core::redact_url(url);
        let pools = connect(&place, &url, options).await?;
        let inner = Inner { pools, place, url, options: options.clone(), counters: Counters::default() };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns which SQL the store speaks.
    pub fn dialect(&self) -> Dialect {
        self.0.place.dialect()
    }

    /// Returns the URL without its password.
    pub fn url_redacted(&self) -> &str {
        &self.0.url
    }

    /// Returns what the store gives and lacks.
    pub fn capabilities(&self) -> Capabilities {
        let in_memory = self.0.place == Place::SqliteMemory;
        Capabilities::of(self.dialect(), in_memory, self.0.options.sqlite_synchronous)
    }

    /// Asks the store for an answer.
    ///
    /// # Errors
    /// A store that cannot be reached, or whose connections are all in use.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.fetch_one("SELECT 1 AS answer", &[]).await.map(drop)
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        match &self.0.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
            Pools::MySql(pool) => pool.close().await,
        }
    }

    /// Returns the counters.
    pub fn statistics(&self) -> Statistics {
        let (size, idle, most) = match &self.0.pools {
            Pools::Sqlite { writer, readers } if self.0.place == Place::SqliteMemory => {
                let _ = readers;
                (writer.size(), writer.num_idle(), 1)
            }
            Pools::Sqlite { writer, readers } => (
                writer.size() + readers.size(),
                writer.num_idle() + readers.num_idle(),
                1 + readers.options().get_max_connections(),
            ),
            Pools::Postgres(pool) => (pool.size(), pool.num_idle(), pool.options().get_max_connections()),
            Pools::MySql(pool) => (pool.size(), pool.num_idle(), pool.options().get_max_connections()),
        };
        Statistics {
            connections: size,
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            most_connections: most,
            ..self.0.counters.read()
        }
    }

    /// Runs a statement by itself and returns how many rows it changed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let mut loan = self.0.acquire(Purpose::Write).await?;
        self.0.watched(sql, loan.connection().execute(&self.0.url, sql, values)).await
    }

    /// Runs a statement by itself and returns all its rows.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fetch_all(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.fetch(sql, values, Wanted::All).await
    }

    /// Runs a statement by itself and returns its first row, if any.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fetch_optional(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, values, Wanted::First).await?.into_iter().next())
    }

    /// Runs a statement by itself and returns its first row.
    ///
    /// # Errors
    /// [`StoreError::NoRow`] where there is none; see [`StoreError`].
    pub async fn fetch_one(&self, sql: &str, values: &[Value]) -> Result<Row, StoreError> {
        self.fetch_optional(sql, values).await?.ok_or(StoreError::NoRow)
    }

    async fn fetch(&self, sql: &str, values: &[Value], wanted: Wanted) -> Result<Vec<Row>, StoreError> {
        let purpose = if only_reads(sql) { Purpose::Read } else { Purpose::Write };
        let mut loan = self.0.acquire(purpose).await?;
        self.0.watched(sql, loan.connection().fetch(&self.0.url, sql, values, wanted)).await
    }

    /// Begins a transaction that may write. On SQLite it is alone from the start (`BEGIN IMMEDIATE`), so a
    /// later write in it never meets a busy store. Dropping it undoes it.
    ///
    /// # Errors
    /// A store that cannot be reached, or whose connections are all in use.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(Arc::clone(&self.0), Purpose::Write).await
    }

    /// The same as [`Store::begin`].
    ///
    /// # Errors
    /// See [`Store::begin`].
    pub async fn begin_write(&self) -> Result<Transaction, StoreError> {
        self.begin().await
    }

    /// Begins a transaction that only reads. It sees one state of the store throughout and, on a SQLite
    /// file, does not wait for writers. Writing in it fails.
    ///
    /// # Errors
    /// A store that cannot be reached, or whose connections are all in use.
    pub async fn begin_read(&self) -> Result<Transaction, StoreError> {
        Transaction::begin(Arc::clone(&self.0), Purpose::Read).await
    }
}

/// Tells whether a statement can run on a reader. A wrong "no" only costs a wait; a wrong "yes" is refused
/// by the reader.
fn only_reads(sql: &str) -> bool {
    let mut words = sql.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    match words.next().map(str::to_ascii_uppercase).as_deref() {
        Some("SELECT" | "VALUES" | "EXPLAIN") => true,
        Some("WITH") => !words.any(|word| {
            ["INSERT", "UPDATE", "DELETE", "REPLACE"].iter().any(|verb| word.eq_ignore_ascii_case(verb))
        }),
        _ => false,
    }
}

// === Inner ===

impl Inner {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.place.dialect()
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.options.clock
    }

    pub(crate) async fn acquire(&self, purpose: Purpose) -> Result<Loan, StoreError> {
        Ok(match (&self.pools, purpose) {
            (Pools::Sqlite { readers, .. }, Purpose::Read) => Loan::Sqlite(self.acquire_from(readers).await?),
            (Pools::Sqlite { writer, .. }, Purpose::Write) => Loan::Sqlite(self.acquire_from(writer).await?),
            (Pools::Postgres(pool), _) => Loan::Postgres(self.acquire_from(pool).await?),
            (Pools::MySql(pool), _) => Loan::MySql(self.acquire_from(pool).await?),
        })
    }

    async fn acquire_from<D: sqlx::Database>(&self, pool: &Pool<D>) -> Result<PoolConnection<D>, StoreError> {
        let most = pool.options().get_max_connections();
        let must_wait = pool.num_idle() == 0 && pool.size() >= most;
        let begun = self.options.clock.moment();
        // What opens a connection fills kilobytes; unboxed, every future that may ask the store would hold it.
        let acquired = Box::pin(pool.acquire()).await;
        let waited = self.options.clock.moment().since(begun);
        let timed_out = matches!(acquired, Err(sqlx::Error::PoolTimedOut));
        if must_wait || timed_out {
            self.counters.wait(waited, timed_out);
        }
        acquired.map_err(|error| match error {
            // Without a single connection it is the server that is missing, not our patience.
            sqlx::Error::PoolTimedOut if pool.size() == 0 => {
                StoreError::Unreachable { url: self.url.clone(), source: Some(error) }
            }
            sqlx::Error::PoolTimedOut => {
                StoreError::PoolExhausted { url: self.url.clone(), size: most, waited }
            }
            other => StoreError::from_driver(self.dialect(), &self.url, other),
        })
    }

    /// Counts a statement and logs it where it is slow.
    pub(crate) async fn watched<T>(
        &self,
        sql: &str,
        run: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun: Moment = self.options.clock.moment();
        let result = run.await;
        let elapsed = self.options.clock.moment().since(begun);
        let slow = elapsed >= self.options.slow_statement;
        self.counters.statement(slow, result.is_err());
        if slow {
            let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(store = %self.url, elapsed_ms, sql, "slow statement");
        }
        result
    }
}

// === Loan ===

impl Loan {
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
            Self::MySql(connection) => Connection::MySql(connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_write_goes_to_the_writer() {
        assert!(only_reads("  select 1"));
        assert!(only_reads("WITH a AS (SELECT 1) SELECT * FROM a"));
        for sql in [
            "INSERT INTO a VALUES (1) RETURNING id",
            "PRAGMA max_page_count = 9",
            "",
            "UPDATE a SET b = 1",
            "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
