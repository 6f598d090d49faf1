//! A transaction: several statements that take effect together or not at all.

use std::sync::Arc;

use sqlx::{MySql, Postgres, Sqlite};

use crate::connection::{Connection, Wanted};
use crate::insert::{Given, Step};
use crate::store::{Inner, Loan, Purpose};
use crate::{Dialect, Row, StoreError, Value};

/// A transaction on one connection. Dropping it undoes it.
pub struct Transaction {
    store: Arc<Inner>,
    open: Open,
    /// A statement failed: nothing but undoing is left.
    failed: bool,
}

enum Open {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
    MySql(sqlx::Transaction<'static, MySql>),
}

impl Transaction {
    pub(crate) async fn begin(store: Arc<Inner>, purpose: Purpose) -> Result<Self, StoreError> {
        let loan = store.acquire(purpose).await?;
        let failed = |error| StoreError::from_driver(store.dialect(), store.url(), error);
        let open = match loan {
            Loan::Sqlite(connection) => {
                let statement = match purpose {
                    Purpose::Read => "BEGIN DEFERRED",
                    Purpose::Write => "BEGIN IMMEDIATE",
                };
                Open::Sqlite(begin_on(connection, statement).await.map_err(failed)?)
            }
            Loan::Postgres(connection) => {
                let statement = match purpose {
                    Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    Purpose::Write => "BEGIN",
                };
                Open::Postgres(begin_on(connection, statement).await.map_err(failed)?)
            }
            Loan::MySql(mut connection) => {
                if purpose == Purpose::Read {
                    // Holds for the next transaction alone; under READ COMMITTED there is no snapshot.
                    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                        .execute(&mut *connection)
                        .await
                        .map_err(failed)?;
                }
                let statement = match purpose {
                    Purpose::Read => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                    Purpose::Write => "START TRANSACTION",
                };
                Open::MySql(begin_on(connection, statement).await.map_err(failed)?)
            }
        };
        Ok(Self { store, open, failed: false })
    }

    /// Returns which SQL the store speaks.
    pub fn dialect(&self) -> Dialect {
        self.store.dialect()
    }

    fn connection(&mut self) -> Connection<'_> {
        match &mut self.open {
            Open::Sqlite(open) => Connection::Sqlite(open),
            Open::Postgres(open) => Connection::Postgres(open),
            Open::MySql(open) => Connection::MySql(open),
        }
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// See [`StoreError`]. After an error of the database the transaction can only be undone, whatever the
    /// backend: PostgreSQL refuses further statements, SQLite may have undone the ones before.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let store = self.usable()?;
        let result = store.watched(sql, self.connection().execute(store.url(), sql, values)).await;
        self.note(result)
    }

    /// Runs a statement and returns all its rows.
    ///
    /// # Errors
    /// See [`Transaction::execute`].
    pub async fn fetch_all(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.fetch(sql, values, Wanted::All).await
    }

    /// Runs a statement and returns its first row, if any.
    ///
    /// # Errors
    /// See [`Transaction::execute`].
    pub async fn fetch_optional(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, values, Wanted::First).await?.into_iter().next())
    }

    /// Runs a statement and returns its first row.
    ///
    /// # Errors
    /// [`StoreError::NoRow`] where there is none; see [`Transaction::execute`].
    pub async fn fetch_one(&mut self, sql: &str, values: &[Value]) -> Result<Row, StoreError> {
        self.fetch_optional(sql, values).await?.ok_or(StoreError::NoRow)
    }

    async fn fetch(&mut self, sql: &str, values: &[Value], wanted: Wanted) -> Result<Vec<Row>, StoreError> {
        let store = self.usable()?;
        let result = store.watched(sql, self.connection().fetch(store.url(), sql, values, wanted)).await;
        self.note(result)
    }

    /// Runs one statement of an insert and returns how many rows it added or changed.
    pub(crate) async fn execute_step(&mut self, step: Step) -> Result<u64, StoreError> {
        let columns = match step.given {
            Given::Values(values) => return self.execute(&step.sql, &values).await,
            Given::Columns(columns) => columns,
        };
        let (store, sql) = (self.usable()?, step.sql);
        let run = self.connection().execute_columns(store.url(), sql.clone(), columns);
        let result = store.watched(&sql, run).await;
        self.note(result)
    }

    /// Runs one statement of an insert and returns its rows.
    pub(crate) async fn fetch_step(&mut self, step: Step) -> Result<Vec<Row>, StoreError> {
        let columns = match step.given {
            Given::Values(values) => return self.fetch_all(&step.sql, &values).await,
            Given::Columns(columns) => columns,
        };
        let (store, sql) = (self.usable()?, step.sql);
        let run = self.connection().fetch_columns(store.url(), sql.clone(), columns);
        let result = store.watched(&sql, run).await;
        self.note(result)
    }

    /// Runs a statement without preparing it.
    pub(crate) async fn execute_raw(&mut self, sql: &str) -> Result<(), StoreError> {
        let store = self.usable()?;
        let result = store.watched(sql, self.connection().execute_raw(store.url(), sql)).await;
        self.note(result)
    }

    /// Runs a statement even after a failure, for what belongs to the connection and not to the transaction.
    pub(crate) async fn release_named_lock(&mut self, sql: &str) {
        let store = Arc::clone(&self.store);
        if let Err(error) = self.connection().fetch(store.url(), sql, &[], Wanted::First).await {
            // A broken connection has lost its locks with it.
            tracing::warn!(store = store.url(), %error, "a lock of the store could not be given back");
        }
    }

    fn usable(&self) -> Result<Arc<Inner>, StoreError> {
        if self.failed {
            return Err(StoreError::TransactionFailed { url: self.store.url().to_owned() });
        }
        Ok(Arc::clone(&self.store))
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.as_ref().is_err_and(StoreError::ends_transaction) {
            self.failed = true;
        }
        result
    }

    /// Makes everything in the transaction take effect. Where the store is durable, returns only once it
    /// is on disk.
    ///
    /// # Errors
    /// [`StoreError::CommitUnknown`] where the connection broke meanwhile; after any other error, such as
    /// [`StoreError::TransactionFailed`], nothing has taken effect (but see [`StoreError::Disk`]).
    pub async fn commit(self) -> Result<(), StoreError> {
        self.usable()?;
        let Self { store, open, .. } = self;
        let result = match open {
            Open::Sqlite(open) => open.commit().await,
            Open::Postgres(open) => open.commit().await,
            Open::MySql(open) => open.commit().await,
        };
        result.map_err(|error| match StoreError::from_driver(store.dialect(), store.url(), error) {
            StoreError::Unreachable { url, source: Some(source) } if store.dialect() != Dialect::Sqlite => {
                StoreError::CommitUnknown { url, source }
            }
            other => other,
        })
    }

    /// Undoes everything in the transaction.
    ///
    /// # Errors
    /// A connection that broke; the transaction is undone all the same.
    pub async fn rollback(self) -> Result<(), StoreError> {
        let Self { store, open, .. } = self;
        let result = match open {
            Open::Sqlite(open) => open.rollback().await,
            Open::Postgres(open) => open.rollback().await,
            Open::MySql(open) => open.rollback().await,
        };
        result.map_err(|error| StoreError::from_driver(store.dialect(), store.url(), error))
    }
}

async fn begin_on<D: sqlx::Database>(
    connection: sqlx::pool::PoolConnection<D>,
    statement: &'static str,
) -> Result<sqlx::Transaction<'static, D>, sqlx::Error> {
    use sqlx::SqlSafeStr as _;
    sqlx::Transaction::begin(connection, Some(statement.into_sql_str())).await
}
