//! Opens the pool of each backend with the settings that hold for every connection.

use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::{PoolConnectionMetadata, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Database, MySqlPool, PgPool, SqlitePool};

use crate::store_url::Place;
use crate::{StoreError, StoreOptions, Synchronous, private};

/// The pools of one store.
pub(crate) enum Pools {
    /// One writer, so that writers wait in line instead of meeting `SQLITE_BUSY`, and readers beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
    MySql(MySqlPool),
}

/// How many prepared statements a connection keeps.
const STATEMENT_CACHE: usize = 256;
/// What every MySQL connection is told first.
const MYSQL_SETTINGS: [&str; 2] = [
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
];
/// A connection that rested longer is tried before it is used.
const RESTED: Duration = Duration::from_secs(1);

pub(crate) async fn connect(place: &Place, url: &str, options: &StoreOptions) -> Result<Pools, StoreError> {
    match place {
        Place::SqliteFile(path) => sqlite_file(path, url, options).await,
        Place::SqliteMemory => {
            let connect = sqlite_options(options).in_memory(true);
            let writer = limits::<sqlx::Sqlite>(options, 1)
                .min_connections(1)
                .connect_with(connect)
                .await
                .map_err(|error| StoreError::from_driver(place.dialect(), url, error))?;
            Ok(Pools::Sqlite { readers: writer.clone(), writer })
        }
        Place::Postgres(text) => {
            let connect = PgConnectOptions::from_str(text)
                .map_err(|error| unreadable(url, &error))?
                .application_name("ieum")
                .statement_cache_capacity(STATEMENT_CACHE);
            try_once(place, url, options, &connect).await?;
            let pool: PgPoolOptions = limits(options, options.pool_size);
            Ok(Pools::Postgres(pool.connect_lazy_with(connect)))
        }
        Place::MySql(text) => {
            let connect = MySqlConnectOptions::from_str(text)
                .map_err(|error| unreadable(url, &error))?
                .charset("utf8mb4")
                .statement_cache_capacity(STATEMENT_CACHE);
            try_once(place, url, options, &connect).await?;
            let pool: MySqlPoolOptions = limits(options, options.pool_size);
            let pool = pool.after_connect(|connection, _| {
                Box::pin(async move {
                    // As in PostgreSQL: each statement sees what is committed; and no value is cut silently.
                    for setting in MYSQL_SETTINGS {
                        sqlx::raw_sql(setting).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            });
            Ok(Pools::MySql(pool.connect_lazy_with(connect)))
        }
    }
}

async fn sqlite_file(path: &Path, url: &str, options: &StoreOptions) -> Result<Pools, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    private::make_folder(folder)
        .await
        .map_err(|source| StoreError::Folder { folder: folder.display().to_string(), source })?;
    private::make_database(path).await;
    let failed = |error| StoreError::from_driver(crate::Dialect::Sqlite, url, error);
    let connect = sqlite_options(options)
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match options.sqlite_synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Off => SqliteSynchronous::Off,
        });
    let writer = limits::<sqlx::Sqlite>(options, 1)
        .min_connections(1)
        .connect_with(connect.clone())
        .await
        .map_err(failed)?;
    if options.sqlite_synchronous == Synchronous::Full {
        sync_names(folder).await?;
        sync_what_is_left(&writer).await.map_err(failed)?;
    }
    // A reader that writes by mistake is told so instead of meeting SQLITE_BUSY.
    let readers = limits::<sqlx::Sqlite>(options, options.pool_size)
        .connect_lazy_with(connect.create_if_missing(false).pragma("query_only", "ON"));
    Ok(Pools::Sqlite { writer, readers })
}

/// Makes the names of the folder and of all above it last: a new folder is on disk only once the one above it
/// was synced (fsync(2)), and SQLite syncs no folder but the database's own. Whether a folder is new nobody
/// knows: whoever made it may have been killed before the sync.
async fn sync_names(folder: &Path) -> Result<(), StoreError> {
    for folder in folder.ancestors() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let synced = async { tokio::fs::File::open(folder).await?.sync_all().await };
        match synced.await {
            Ok(()) => {}
            // Not ours to read, or a file system whose folders need no sync.
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) => {}
            Err(source) => {
                return Err(StoreError::Folder { folder: folder.display().to_string(), source });
            }
        }
    }
    Ok(())
}

/// Makes what a killed process left in the write-ahead log last before anybody reads it. SQLite takes over commits that
/// were written and not yet synced, and would show them although a power cut still takes them back; a checkpoint syncs
/// the log first (<https://www.sqlite.org/wal.html#checkpointing>). Whoever is at one already does the same.
async fn sync_what_is_left(writer: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(writer).await.map(drop)
}

fn sqlite_options(options: &StoreOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(STATEMENT_CACHE)
        .disable_statement_logging()
}

fn limits<D: Database>(options: &StoreOptions, size: u32) -> PoolOptions<D> {
    let server = D::NAME != "SQLite";
    PoolOptions::new()
        .max_connections(size.max(1))
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(server.then_some(options.idle_timeout))
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(move |connection: &mut D::Connection, meta: PoolConnectionMetadata| {
            Box::pin(async move {
                if server && meta.idle_for > RESTED {
                    return Ok(connection.ping().await.is_ok());
                }
                Ok(true)
            })
        })
        .after_release(move |connection: &mut D::Connection, _| {
            Box::pin(async move {
                if server {
                    return Ok(true);
                }
                // SQLite undoes a transaction by itself when the disk is full or fails; the driver then still
                // counts it as open, for ever. The ping lets a pending rollback pass first.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
}

/// Connects once by itself: the pool would repeat a refused connection until its time is up and then call
/// it exhausted.
async fn try_once<O: ConnectOptions>(
    place: &Place,
    url: &str,
    options: &StoreOptions,
    connect: &O,
) -> Result<(), StoreError>
where
    O::Connection: Sized,
{
    let failed = |error| StoreError::from_driver(place.dialect(), url, error);
    match tokio::time::timeout(options.acquire_timeout, connect.connect()).await {
        Ok(connection) => connection.map_err(failed)?.close().await.map_err(failed),
        Err(_) => Err(StoreError::Unreachable { url: url.to_owned(), source: None }),
    }
}

fn unreadable(url: &str, error: &sqlx::Error) -> StoreError {
    StoreError::Url { url: url.to_owned(), problem: error.to_string() }
}
