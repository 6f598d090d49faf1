//! The table that says which migrations were applied.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::migrate::{Migration, MigrationError};
use crate::{Dialect, Row, Store, StoreError, Transaction, Value};

/// An applied migration.
pub(crate) struct Applied {
    pub(crate) checksum: String,
    pub(crate) steps_done: usize,
    pub(crate) steps: usize,
}

/// Applied migrations by owner and name.
pub(crate) type Journal = HashMap<(String, String), Applied>;

/// Returns what identifies a migration's content in `dialect`.
pub(crate) fn checksum(dialect: Dialect, migration: &Migration) -> String {
    let mut hash = Sha256::new();
    for text in [dialect.name(), migration.owner, migration.name] {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    for statement in (migration.up)(dialect) {
        hash.update(statement.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize())
}

pub(crate) async fn make_journal(store: &Store) -> Result<(), MigrationError> {
    if journal_exists(store).await? {
        return Ok(());
    }
    let types = store.dialect().types();
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS ieum_migrations (\
         owner {key} NOT NULL, name {key} NOT NULL, checksum {key} NOT NULL, \
         steps {int} NOT NULL, steps_done {int} NOT NULL, applied_at {time} NOT NULL, \
         PRIMARY KEY (owner, name))",
        key = types.key,
        int = types.int,
        time = types.timestamp,
    );
    match store.execute(&sql, &[]).await {
        Ok(_) => Ok(()),
        // PostgreSQL checks "if not exists" before it locks: two at once collide in its catalogue.
        Err(_) if journal_exists(store).await? => Ok(()),
        Err(error) => Err(MigrationError::Journal(error)),
    }
}

pub(crate) async fn journal_exists(store: &Store) -> Result<bool, MigrationError> {
    let sql = match store.dialect() {
        Dialect::Sqlite => {
            "SELECT COUNT(*) AS found FROM sqlite_master WHERE type = 'table' AND name = 'ieum_migrations'"
        }
        Dialect::Postgres => {
            "SELECT CASE WHEN to_regclass('ieum_migrations') IS NULL THEN 0 ELSE 1 END AS found"
        }
        Dialect::MySql => {
            "SELECT COUNT(*) AS found FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'ieum_migrations'"
        }
    };
    let row = store.fetch_one(sql, &[]).await.map_err(MigrationError::Journal)?;
    Ok(row.int("found").map_err(MigrationError::Journal)? > 0)
}

pub(crate) const READ_JOURNAL: &str = "SELECT owner, name, checksum, steps, steps_done FROM ieum_migrations";

pub(crate) async fn read_journal(store: &Store) -> Result<Journal, MigrationError> {
    let rows = store.fetch_all(READ_JOURNAL, &[]).await.map_err(MigrationError::Journal)?;
    rows.iter().map(read_applied).collect::<Result<_, _>>().map_err(MigrationError::Journal)
}

pub(crate) fn read_applied(row: &Row) -> Result<((String, String), Applied), StoreError> {
    let count =
        |column: &str| -> Result<usize, StoreError> { Ok(usize::try_from(row.int(column)?).unwrap_or(0)) };
    let applied =
        Applied { checksum: row.text("checksum")?, steps: count("steps")?, steps_done: count("steps_done")? };
    Ok(((row.text("owner")?, row.text("name")?), applied))
}

pub(crate) async fn note_begin(
    store: &Store,
    transaction: &mut Transaction,
    migration: &Migration,
    steps: usize,
) -> Result<(), StoreError> {
    let values = [
        migration.owner.into(),
        migration.name.into(),
        checksum(store.dialect(), migration).into(),
        Value::Int(i64::try_from(steps).unwrap_or(i64::MAX)),
        store.0.clock().now().into(),
    ];
    let sql = "INSERT INTO ieum_migrations (owner, name, checksum, steps, steps_done, applied_at) \
               VALUES (?, ?, ?, ?, 0, ?)";
    transaction.execute(sql, &values).await.map(drop)
}

pub(crate) async fn note_done(
    transaction: &mut Transaction,
    key: &[Value; 2],
    done: usize,
) -> Result<(), StoreError> {
    let [owner, name] = key.clone();
    let values = [Value::Int(i64::try_from(done).unwrap_or(i64::MAX)), owner, name];
    let sql = "UPDATE ieum_migrations SET steps_done = ? WHERE owner = ? AND name = ?";
    transaction.execute(sql, &values).await.map(drop)
}
