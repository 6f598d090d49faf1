//! Migrations: each applied once, in order, by one process at a time, and never changed afterwards.

use std::time::Duration;

use crate::insert::check_identifier;
use crate::journal::{
    Applied, Journal, READ_JOURNAL, checksum, journal_exists, make_journal, note_begin, note_done,
    read_applied, read_journal,
};
use crate::{Dialect, Store, StoreError, Transaction, Value};

/// One step of a schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The name; sorts in the order of application, such as `0001_outbox`.
    pub name: &'static str,
    /// The part that owns the tables, such as `bus`.
    pub owner: &'static str,
    /// Returns the statements. They must stay the same for ever: a change is a new migration.
    pub up: fn(Dialect) -> Vec<String>,
}

/// How far a migration run is, as told to the progress callback before each migration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MigrationStep {
    /// The migration's owner.
    pub owner: &'static str,
    /// The migration's name.
    pub name: &'static str,
    /// Its position among those to apply, from 1.
    pub position: usize,
    /// How many there are to apply.
    pub total: usize,
}

/// What a migration run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MigrationReport {
    /// What was applied now.
    pub applied: Vec<AppliedMigration>,
    /// How many were applied before.
    pub present: usize,
    /// Migrations in the store, as `owner/name`, that this build does not know: a newer build was here.
    pub unknown: Vec<String>,
}

/// A migration that was applied now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppliedMigration {
    /// The migration's owner.
    pub owner: &'static str,
    /// The migration's name.
    pub name: &'static str,
    /// How long it took.
    pub elapsed: Duration,
}

/// A migration that is still to be applied, with what it would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingMigration {
    /// The migration's owner.
    pub owner: &'static str,
    /// The migration's name.
    pub name: &'static str,
    /// The statements it would run.
    pub statements: Vec<String>,
}

/// Why migrations could not be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The text of an applied migration is another one now.
    #[error(
        "migration {owner}/{name} was applied with another content (checksum {applied:.12}, now {now:.12}); \
         restore it and put the change into a new migration"
    )]
    Changed {
        /// The migration's owner.
        owner: String,
        /// The migration's name.
        name: String,
        /// The checksum it was applied with.
        applied: String,
        /// The checksum it has now.
        now: String,
    },
    /// Two migrations have the same owner and name.
    #[error("migration {owner}/{name} is listed twice")]
    Twice {
        /// The migration's owner.
        owner: String,
        /// The migration's name.
        name: String,
    },
    /// Another process holds the migration lock for too long.
    #[error("waited {waited:?} for another process that migrates the same store")]
    Locked {
        /// How long we waited.
        waited: Duration,
    },
    /// The list of applied migrations cannot be read or written.
    #[error("reading which migrations were applied")]
    Journal(#[source] StoreError),
    /// A statement of a migration failed.
    #[error("migration {owner}/{name}, statement {statement}")]
    Statement {
        /// The migration's owner.
        owner: String,
        /// The migration's name.
        name: String,
        /// The statement's number, from 1.
        statement: usize,
        /// What the store said.
        #[source]
        source: Box<StoreError>,
    },
}

/// How long one process waits for another that migrates.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// The key of PostgreSQL's advisory lock: "ieum_mig" in ASCII.
const POSTGRES_LOCK: i64 = 0x6965_756d_5f6d_6967;

/// Applies what is not yet applied, in the order given, and calls `progress` before each one.
///
/// On SQLite and PostgreSQL a migration applies whole or not at all. MySQL commits at each statement that
/// changes the schema; there a failed migration continues at the failed statement next time. Where another
/// process migrates, this waits for it and then finds nothing left to do.
///
/// # Errors
/// See [`MigrationError`]. What was applied before the error stays.
pub async fn migrate(
    store: &Store,
    migrations: &[Migration],
    mut progress: impl FnMut(&MigrationStep) + Send,
) -> Result<MigrationReport, MigrationError> {
    check_list(migrations)?;
    make_journal(store).await?;
    let known = read_journal(store).await?;
    let todo = unapplied(store.dialect(), migrations, &known)?;
    let total = todo.len();
    let mut report = MigrationReport {
        present: migrations.len() - total,
        unknown: unknown(migrations, &known),
        ..MigrationReport::default()
    };
    for (i, migration) in todo.into_iter().enumerate() {
        let (owner, name) = (migration.owner, migration.name);
        progress(&MigrationStep { owner, name, position: i + 1, total });
        let begun = store.0.clock().moment();
        if apply(store, migration).await? {
            let elapsed = store.0.clock().moment().since(begun);
            report.applied.push(AppliedMigration { owner, name, elapsed });
        } else {
            report.present += 1;
        }
    }
    Ok(report)
}

/// Returns what [`migrate`] would apply, changing nothing.
///
/// # Errors
/// See [`MigrationError`].
pub async fn pending(
    store: &Store,
    migrations: &[Migration],
) -> Result<Vec<PendingMigration>, MigrationError> {
    check_list(migrations)?;
    let dialect = store.dialect();
    let known = if journal_exists(store).await? { read_journal(store).await? } else { Journal::new() };
    let todo = unapplied(dialect, migrations, &known)?;
    Ok(todo
        .into_iter()
        .map(|migration| PendingMigration {
            owner: migration.owner,
            name: migration.name,
            statements: (migration.up)(dialect),
        })
        .collect())
}

fn check_list(migrations: &[Migration]) -> Result<(), MigrationError> {
    let mut seen = std::collections::HashSet::new();
    for migration in migrations {
        if !seen.insert((migration.owner, migration.name)) {
            let (owner, name) = (migration.owner.to_owned(), migration.name.to_owned());
            return Err(MigrationError::Twice { owner, name });
        }
        check_identifier(migration.owner).map_err(MigrationError::Journal)?;
    }
    Ok(())
}

fn unapplied<'a>(
    dialect: Dialect,
    migrations: &'a [Migration],
    known: &Journal,
) -> Result<Vec<&'a Migration>, MigrationError> {
    let mut todo = Vec::new();
    for migration in migrations {
        match known.get(&(migration.owner.to_owned(), migration.name.to_owned())) {
            Some(applied) => {
                check_unchanged(dialect, migration, applied)?;
                if applied.steps_done < applied.steps {
                    todo.push(migration);
                }
            }
            None => todo.push(migration),
        }
    }
    Ok(todo)
}

fn check_unchanged(dialect: Dialect, migration: &Migration, applied: &Applied) -> Result<(), MigrationError> {
    let now = checksum(dialect, migration);
    if now == applied.checksum {
        return Ok(());
    }
    Err(MigrationError::Changed {
        owner: migration.owner.to_owned(),
        name: migration.name.to_owned(),
        applied: applied.checksum.clone(),
        now,
    })
}

fn unknown(migrations: &[Migration], known: &Journal) -> Vec<String> {
    let mut unknown: Vec<String> = known
        .keys()
        .filter(|(owner, name)| {
            let owned = migrations.iter().any(|migration| migration.owner == owner);
            owned && !migrations.iter().any(|migration| migration.owner == owner && migration.name == name)
        })
        .map(|(owner, name)| format!("{owner}/{name}"))
        .collect();
    unknown.sort();
    unknown
}

/// Applies one migration under the lock; returns false where another process was faster.
async fn apply(store: &Store, migration: &Migration) -> Result<bool, MigrationError> {
    let mut transaction = store.begin().await.map_err(MigrationError::Journal)?;
    match store.dialect() {
        // BEGIN IMMEDIATE is the lock.
        Dialect::Sqlite => apply_locked(store, &mut transaction, migration).await.finish(transaction).await,
        Dialect::Postgres => {
            let key = [Value::Int(POSTGRES_LOCK)];
            transaction
                .fetch_optional("SELECT pg_advisory_xact_lock(?)", &key)
                .await
                .map_err(MigrationError::Journal)?;
            apply_locked(store, &mut transaction, migration).await.finish(transaction).await
        }
        Dialect::MySql => {
            lock_mysql(&mut transaction).await?;
            let outcome = apply_locked(store, &mut transaction, migration).await;
            transaction.release_named_lock(MYSQL_UNLOCK).await;
            outcome.finish(transaction).await
        }
    }
}

const MYSQL_LOCK: &str = "SELECT GET_LOCK(CONCAT('ieum_', MD5(DATABASE())), ?) AS locked";
const MYSQL_UNLOCK: &str = "SELECT RELEASE_LOCK(CONCAT('ieum_', MD5(DATABASE()))) AS unlocked";

async fn lock_mysql(transaction: &mut Transaction) -> Result<(), MigrationError> {
    let seconds = Value::Int(i64::try_from(LOCK_WAIT.as_secs()).unwrap_or(i64::MAX));
    let row = transaction.fetch_one(MYSQL_LOCK, &[seconds]).await.map_err(MigrationError::Journal)?;
    match row.opt_int("locked").map_err(MigrationError::Journal)? {
        Some(1) => Ok(()),
        _ => Err(MigrationError::Locked { waited: LOCK_WAIT }),
    }
}

trait Finish {
    async fn finish(self, transaction: Transaction) -> Result<bool, MigrationError>;
}

impl Finish for Result<bool, MigrationError> {
    async fn finish(self, transaction: Transaction) -> Result<bool, MigrationError> {
        match self {
            Ok(applied) => transaction.commit().await.map(|()| applied).map_err(MigrationError::Journal),
            Err(error) => {
                // The first error says what went wrong; dropping the connection undoes the rest as well.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }
}

async fn apply_locked(
    store: &Store,
    transaction: &mut Transaction,
    migration: &Migration,
) -> Result<bool, MigrationError> {
    let journal = MigrationError::Journal;
    let key: [Value; 2] = [migration.owner.into(), migration.name.into()];
    let row = transaction
        .fetch_optional(&format!("{READ_JOURNAL} WHERE owner = ? AND name = ?"), &key)
        .await
        .map_err(journal)?;
    let statements = (migration.up)(store.dialect());
    let done = match row.as_ref().map(read_applied).transpose().map_err(journal)? {
        Some((_, applied)) => {
            check_unchanged(store.dialect(), migration, &applied)?;
            if applied.steps_done >= applied.steps {
                return Ok(false);
            }
            applied.steps_done
        }
        None => {
            note_begin(store, transaction, migration, statements.len()).await.map_err(journal)?;
            0
        }
    };
    for (i, statement) in statements.iter().enumerate().skip(done) {
        transaction.execute_raw(statement).await.map_err(|source| MigrationError::Statement {
            owner: migration.owner.to_owned(),
            name: migration.name.to_owned(),
            statement: i + 1,
            source: Box::new(source),
        })?;
        note_done(transaction, &key, i + 1).await.map_err(journal)?;
    }
    Ok(true)
}
