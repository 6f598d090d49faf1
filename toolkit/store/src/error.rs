//! Why a store could not do what it was asked, and whether trying again can help.

use std::time::Duration;

use ieum_core::Fault;
use sqlx::error::ErrorKind;
use sqlx::mysql::MySqlDatabaseError;

use crate::Dialect;

/// Which kind of constraint a change broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConstraintKind {
    /// A primary key or unique index.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A column that must hold something.
    NotNull,
    /// A check or exclusion constraint.
    Check,
}

/// Why a store could not do what it was asked. Messages name the store without its password; the cause
/// stands in the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no store that can be opened.
    #[error("reading the store url {url}: {problem}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database file, server or folder cannot be reached now.
    #[error("reaching the store {url}")]
    Unreachable {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// The server does not let us in: user, password or database name.
    #[error("signing in to the store {url}")]
    Refused {
        /// The URL without its password.
        url: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// All connections were in use for as long as we may wait.
    #[error(
        "waited {waited:?} for one of {size} connections to {url}; ask less at once or raise the pool size"
    )]
    PoolExhausted {
        /// The URL without its password.
        url: String,
        /// How many connections the pool has.
        size: u32,
        /// How long we waited.
        waited: Duration,
    },
    /// The store was closed in this process.
    #[error("using the store {url} after it was closed")]
    Closed {
        /// The URL without its password.
        url: String,
    },
    /// A change broke a constraint.
    #[error("a {kind:?} constraint refused the change{}", name.as_deref().map(|name| format!(": {name}")).unwrap_or_default())]
    Constraint {
        /// Which kind.
        kind: ConstraintKind,
        /// The constraint's or index's name, where the database tells.
        name: Option<String>,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A concurrent change won: serialization failure, deadlock, lock timeout or busy file. The whole
    /// transaction may be tried again.
    #[error("a concurrent change won in {url}")]
    Conflict {
        /// The URL without its password.
        url: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The disk, quota or table space is full.
    #[error("no space left in the store {url}; nothing was saved, make room and try again")]
    DiskFull {
        /// The URL without its password.
        url: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Reading, writing or syncing the database file failed, as the system's log tells. The transaction is undone;
    /// where the commit's sync failed, a crash before the next commit may bring it back.
    #[error("the disk failed under the store {url}; look into the system's log, then try again")]
    Disk {
        /// The URL without its password.
        url: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The database file or a page of it is damaged.
    #[error("the store {url} is damaged")]
    Damaged {
        /// The URL without its password.
        url: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The connection broke while committing: the change may or may not be there.
    #[error("the connection to {url} broke during commit; whether the change is saved is unknown")]
    CommitUnknown {
        /// The URL without its password.
        url: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// An earlier statement of the transaction failed, so that it can only be undone.
    #[error("using a transaction in {url} after one of its statements failed; begin a new one")]
    TransactionFailed {
        /// The URL without its password.
        url: String,
    },
    /// The statement is wrong for this database.
    #[error("running a statement on {url}")]
    Statement {
        /// The URL without its password.
        url: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The statement has another number of placeholders than values.
    #[error("the statement has {holes} placeholders and was given {values} values")]
    Parameters {
        /// Placeholders in the text.
        holes: usize,
        /// Values given.
        values: usize,
    },
    /// A value cannot be handed to the database.
    #[error("handing a value to the database")]
    Value(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A column cannot be read as asked.
    #[error("column {column} {problem}")]
    Column {
        /// The column's name.
        column: String,
        /// What is wrong.
        problem: String,
    },
    /// A statement that had to return a row returned none.
    #[error("the statement returned no row")]
    NoRow,
    /// A table or column name that is no plain identifier.
    #[error("{name:?} is no identifier; expected a letter or _, then letters, digits or _, at most 63")]
    Identifier {
        /// The name.
        name: String,
    },
    /// A row with another number of values than there are columns.
    #[error("row {row} has {values} values for {columns} columns")]
    RowLength {
        /// The row's number, from 0.
        row: usize,
        /// Values in the row.
        values: usize,
        /// Columns asked for.
        columns: usize,
    },
    /// The folder of the database file cannot be made.
    #[error("making the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// Tells whether the same transaction may succeed later without anybody changing it.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::PoolExhausted { .. } | Self::Conflict { .. } | Self::Disk { .. }
        )
    }

    /// Tells whether a row with the same key is there already.
    pub const fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Constraint { kind: ConstraintKind::Unique, .. })
    }

    /// Tells whether the store has no space left.
    pub const fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }

    /// Tells whether the database saw the statement, so that a transaction cannot go on after it.
    pub(crate) const fn ends_transaction(&self) -> bool {
        !matches!(
            self,
            Self::Parameters { .. }
                | Self::Value(_)
                | Self::Column { .. }
                | Self::NoRow
                | Self::Identifier { .. }
        )
    }

    /// Sorts what the driver said about the store at `url`.
    pub(crate) fn from_driver(dialect: Dialect, url: &str, source: sqlx::Error) -> Self {
        let url = url.to_owned();
        match &source {
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                Self::DiskFull { url, source }
            }
            // What is no answer of the protocol comes from a connection that broke within one.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Unreachable { url, source: Some(source) },
            sqlx::Error::PoolClosed => Self::Closed { url },
            sqlx::Error::RowNotFound => Self::NoRow,
            sqlx::Error::Database(error) => match classify(dialect, error.as_ref()) {
                Class::Constraint(kind) => {
                    let name = error.constraint().map(str::to_owned);
                    Self::Constraint { kind, name, source }
                }
                Class::Conflict => Self::Conflict { url, source },
                Class::DiskFull => Self::DiskFull { url, source },
                Class::Disk => Self::Disk { url, source },
                Class::Unreachable => Self::Unreachable { url, source: Some(source) },
                Class::Refused => Self::Refused { url, source },
                Class::Damaged => Self::Damaged { url, source },
                Class::Statement => Self::Statement { url, source },
            },
            _ => Self::Statement { url, source },
        }
    }
}

enum Class {
    Constraint(ConstraintKind),
    Conflict,
    DiskFull,
    Disk,
    Unreachable,
    Refused,
    Damaged,
    Statement,
}

fn classify(dialect: Dialect, error: &dyn sqlx::error::DatabaseError) -> Class {
    match error.kind() {
        ErrorKind::UniqueViolation => return Class::Constraint(ConstraintKind::Unique),
        ErrorKind::ForeignKeyViolation => return Class::Constraint(ConstraintKind::ForeignKey),
        ErrorKind::NotNullViolation => return Class::Constraint(ConstraintKind::NotNull),
        ErrorKind::CheckViolation | ErrorKind::ExclusionViolation => {
            return Class::Constraint(ConstraintKind::Check);
        }
        _ => {}
    }
    let code = error.code().unwrap_or_default();
    match dialect {
        Dialect::Sqlite => classify_sqlite(&code),
        Dialect::Postgres => classify_postgres(&code),
        Dialect::MySql => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => classify_mysql(error.number()),
            None => Class::Statement,
        },
    }
}

/// Result codes: <https://www.sqlite.org/rescode.html>. The low byte is the primary code.
fn classify_sqlite(code: &str) -> Class {
    /// The log's index cannot grow: as a rule the disk is full.
    const IOERR_SHMSIZE: u32 = 4874;
    match code.parse::<u32>().map(|number| if number == IOERR_SHMSIZE { 13 } else { number & 0xff }) {
        Ok(5 | 6) => Class::Conflict,
        Ok(13) => Class::DiskFull,
        Ok(10) => Class::Disk,
        Ok(14) => Class::Unreachable,
        Ok(3 | 8 | 23) => Class::Refused,
        Ok(11 | 26) => Class::Damaged,
        _ => Class::Statement,
    }
}

/// SQLSTATE classes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn classify_postgres(code: &str) -> Class {
    match code {
        "55P03" | "55006" => Class::Conflict,
        "53100" => Class::DiskFull,
        "58030" => Class::Disk,
        "53200" | "53300" | "57P01" | "57P02" | "57P03" => Class::Unreachable,
        "XX001" | "XX002" => Class::Damaged,
        "42501" | "3D000" => Class::Refused,
        _ if code.starts_with("40") => Class::Conflict,
        _ if code.starts_with("08") => Class::Unreachable,
        _ if code.starts_with("28") => Class::Refused,
        _ => Class::Statement,
    }
}

/// Error numbers: <https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-code-reference/> (1020: a row changed since it was read).
fn classify_mysql(number: u16) -> Class {
    match number {
        1020 | 1205 | 1213 | 3572 => Class::Conflict,
        1021 | 1114 => Class::DiskFull,
        1040 | 1041 | 1053 | 1077 | 1152 | 1184 | 1203 | 3159 => Class::Unreachable,
        1044 | 1045 | 1049 | 1142 | 1290 | 1698 => Class::Refused,
        1034 | 1194 | 1195 => Class::Damaged,
        _ => Class::Statement,
    }
}

impl From<StoreError> for Fault {
    /// Keeps the kind and drops SQL, values and addresses; those belong into the log of who held the error.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreachable { .. } | StoreError::Closed { .. } => {
                Self::unavailable("store.unreachable", "the store cannot be reached now")
            }
            StoreError::PoolExhausted { .. } => {
                Self::unavailable("store.pool_exhausted", "all connections to the store are in use")
            }
            StoreError::Conflict { .. } => {
                Self::aborted("store.conflict", "a concurrent change of the same rows won")
            }
            StoreError::CommitUnknown { .. } => {
                Self::unavailable("store.commit_unknown", "the connection to the store broke during commit")
            }
            StoreError::DiskFull { .. } => {
                Self::resource_exhausted("store.disk_full", "the store has no space left")
            }
            StoreError::Disk { .. } => Self::unavailable("store.disk_failed", "the store's disk failed"),
            StoreError::Constraint { kind: ConstraintKind::Unique, .. } => {
                Self::already_exists("store.duplicate", "a row with the same key is there already")
            }
            StoreError::Constraint { .. } => {
                Self::failed_precondition("store.constraint", "the change breaks a constraint of the store")
            }
            StoreError::Damaged { .. } => Self::data_loss("store.damaged", "the store is damaged"),
            _ => Self::internal("store.failed", "the store could not run a statement"),
        }
    }
}
