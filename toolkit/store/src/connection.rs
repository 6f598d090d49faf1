//! Runs a statement on a connection of any backend.

use sqlx::{AssertSqlSafe, MySqlConnection, PgConnection, SqliteConnection};

use crate::columns::{self, Column};
use crate::placeholder::{Prepared, prepare};
use crate::{Dialect, Row, StoreError, Value, row, value};

/// A borrowed connection of any backend.
pub(crate) enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
    MySql(&'a mut MySqlConnection),
}

/// How many rows a caller wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    First,
}

macro_rules! on_each {
    ($self:ident, |$connection:ident, $arguments:ident, $rows:ident| $run:expr) => {
        match $self {
            Connection::Sqlite($connection) => {
                let ($rows, $arguments) = (row::sqlite_rows, value::sqlite_arguments);
                $run
            }
            Connection::Postgres($connection) => {
                let ($rows, $arguments) = (row::postgres_rows, value::postgres_arguments);
                $run
            }
            Connection::MySql($connection) => {
                let ($rows, $arguments) = (row::mysql_rows, value::mysql_arguments);
                $run
            }
        }
    };
}

impl<'a> Connection<'a> {
    fn postgres(self) -> Result<&'a mut PgConnection, StoreError> {
        match self {
            Self::Postgres(connection) => Ok(connection),
            _ => Err(StoreError::Value("only PostgreSQL takes columns as parameters".into())),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
            Self::MySql(_) => Dialect::MySql,
        }
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(self, url: &str, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        let dialect = self.dialect();
        let text = checked(dialect, sql, values)?;
        let failed = |error| StoreError::from_driver(dialect, url, error);
        on_each!(self, |connection, arguments, _rows| {
            let arguments = arguments(values).map_err(StoreError::Value)?;
            let query = sqlx::query_with(AssertSqlSafe(text), arguments);
            Ok(query.execute(connection).await.map_err(failed)?.rows_affected())
        })
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn fetch(
        self,
        url: &str,
        sql: &str,
        values: &[Value],
        wanted: Wanted,
    ) -> Result<Vec<Row>, StoreError> {
        let dialect = self.dialect();
        let text = checked(dialect, sql, values)?;
        let failed = |error| StoreError::from_driver(dialect, url, error);
        on_each!(self, |connection, arguments, rows| {
            let arguments = arguments(values).map_err(StoreError::Value)?;
            let query = sqlx::query_with(AssertSqlSafe(text), arguments);
            match wanted {
                Wanted::All => rows(&query.fetch_all(connection).await.map_err(failed)?),
                Wanted::First => {
                    let first = query.fetch_optional(connection).await.map_err(failed)?;
                    rows(first.as_slice())
                }
            }
        })
    }

    /// Runs a statement that takes columns, which PostgreSQL alone does, and returns how many rows it changed.
    pub(crate) async fn execute_columns(
        self,
        url: &str,
        sql: String,
        given: Vec<Column>,
    ) -> Result<u64, StoreError> {
        let (dialect, connection) = (self.dialect(), self.postgres()?);
        let query =
            sqlx::query_with(AssertSqlSafe(sql), columns::arguments(given).map_err(StoreError::Value)?);
        let done = query.execute(connection).await;
        Ok(done.map_err(|error| StoreError::from_driver(dialect, url, error))?.rows_affected())
    }

    /// Runs a statement that takes columns, which PostgreSQL alone does, and returns its rows.
    pub(crate) async fn fetch_columns(
        self,
        url: &str,
        sql: String,
        given: Vec<Column>,
    ) -> Result<Vec<Row>, StoreError> {
        let (dialect, connection) = (self.dialect(), self.postgres()?);
        let query =
            sqlx::query_with(AssertSqlSafe(sql), columns::arguments(given).map_err(StoreError::Value)?);
        let rows = query.fetch_all(connection).await;
        row::postgres_rows(&rows.map_err(|error| StoreError::from_driver(dialect, url, error))?)
    }

    /// Runs a statement without preparing it: some that change the schema cannot be prepared.
    pub(crate) async fn execute_raw(self, url: &str, sql: &str) -> Result<(), StoreError> {
        let dialect = self.dialect();
        let failed = |error| StoreError::from_driver(dialect, url, error);
        on_each!(self, |connection, _arguments, _rows| {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map_err(failed)?;
            Ok(())
        })
    }
}

fn checked(dialect: Dialect, sql: &str, values: &[Value]) -> Result<String, StoreError> {
    let Prepared { sql, holes } = prepare(dialect, sql, values);
    if holes != values.len() {
        return Err(StoreError::Parameters { holes, values: values.len() });
    }
    Ok(sql)
}
