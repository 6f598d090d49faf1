//! The cache in the SQL store, for processes that share nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{SharedClock, Timestamp, new_id};
use ieum_policy::{Decision, Gcra};
use ieum_store::{Dialect, Insert, Migration, MigrationError, Store, StoreError, Value, migrate};

use crate::error::check_key;
use crate::lock::LockKeeper;
use crate::{Cache, CacheError, Capabilities, LockGuard, Ranked};

/// A cache in the tables `ieum_cache…` of a SQL store.
#[derive(Clone)]
pub struct SqlCache {
    store: Store,
    clock: SharedClock,
    writes: Arc<AtomicU64>,
}

/// Every so many writes, what is over is deleted.
const SWEEP_EVERY: u64 = 256;
/// How often a decision is tried again after a concurrent change won.
const TRIES: usize = 5;

const MIGRATION: Migration = Migration { name: "0001_cache", owner: "cache", up: tables };

fn tables(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    let (key, time) = (types.key, types.timestamp);
    vec![
        format!(
            "CREATE TABLE ieum_cache (name {key} NOT NULL PRIMARY KEY, content {} NOT NULL, \
             until_micros {time} NOT NULL)",
            types.bytes
        ),
        "CREATE INDEX ieum_cache_until ON ieum_cache (until_micros)".to_owned(),
        format!(
            "CREATE TABLE ieum_cache_lock (name {key} NOT NULL PRIMARY KEY, token {key} NOT NULL, \
             until_micros {time} NOT NULL)"
        ),
        format!("CREATE TABLE ieum_cache_limit (name {key} NOT NULL PRIMARY KEY, arrival {time} NOT NULL)"),
        format!(
            "CREATE TABLE ieum_cache_rank (ranking {key} NOT NULL, member {key} NOT NULL, score {} NOT NULL, \
             PRIMARY KEY (ranking, member))",
            types.float
        ),
        "CREATE INDEX ieum_cache_rank_score ON ieum_cache_rank (ranking, score)".to_owned(),
    ]
}

/// The time of what is shared, as SQL text with its values.
struct Now {
    sql: &'static str,
    values: Vec<Value>,
}

fn failed(step: &'static str) -> impl Fn(StoreError) -> CacheError {
    move |source| CacheError::Store { step, source }
}

impl SqlCache {
    /// Makes the tables where they are missing.
    ///
    /// # Errors
    /// A store that cannot be reached or has other tables of the same names.
    pub async fn open(store: Store, clock: SharedClock) -> Result<Self, CacheError> {
        match migrate(&store, &[MIGRATION], |_| {}).await {
            Ok(_) => Ok(Self { store, clock, writes: Arc::default() }),
            Err(MigrationError::Journal(source)) => {
                Err(CacheError::Store { step: "making the tables", source })
            }
            Err(MigrationError::Statement { source, .. }) => {
                Err(CacheError::Store { step: "making the tables", source: *source })
            }
            Err(other) => Err(CacheError::Url { url: "sql:".to_owned(), problem: other.to_string() }),
        }
    }

    /// Returns the migrations, for who applies all of a process at once.
    pub fn migrations() -> Vec<Migration> {
        vec![MIGRATION]
    }

    fn now(&self) -> Now {
        match self.store.dialect() {
            Dialect::Sqlite => Now { sql: "?", values: vec![self.clock.now().into()] },
            Dialect::Postgres => Now {
                sql: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
                values: Vec::new(),
            },
            Dialect::MySql => {
                Now { sql: "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)", values: Vec::new() }
            }
        }
    }

    async fn sweep(&self) -> Result<(), CacheError> {
        if !self.writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            return Ok(());
        }
        for (table, column) in [
            ("ieum_cache", "until_micros"),
            ("ieum_cache_lock", "until_micros"),
            ("ieum_cache_limit", "arrival"),
        ] {
            let now = self.now();
            let sql = format!("DELETE FROM {table} WHERE {column} < {}", now.sql);
            match self.store.execute(&sql, &now.values).await {
                Ok(_) => {}
                // Somebody else sweeps or writes the same rows; the next sweep will do.
                Err(error) if error.is_retryable() => return Ok(()),
                Err(error) => return Err(failed("deleting what is over")(error)),
            }
        }
        Ok(())
    }

    /// Locks the limit's row, reads the time under the lock, decides, and keeps the arrival.
    async fn decide(&self, key: &str, limit: &Gcra) -> Result<Decision, StoreError> {
        let mut transaction = self.store.begin().await?;
        let insert = Insert::into("ieum_cache_limit")
            .columns(["name", "arrival"])
            .rows([vec![key.into(), Value::Int(0)]])
            .or_ignore(["name"]);
        insert.run_in(&mut transaction).await?;
        let lock = self.store.dialect().for_update();
        let sql = format!("SELECT arrival FROM ieum_cache_limit WHERE name = ?{lock}");
        let before = transaction.fetch_one(&sql, &[key.into()]).await?.int("arrival")?;
        let now = self.now();
        let row = transaction.fetch_one(&format!("SELECT {} AS now_micros", now.sql), &now.values).await?;
        let decision = limit.check(before, row.int("now_micros")?);
        if decision.new_arrival == before {
            transaction.rollback().await?;
            return Ok(decision);
        }
        let keep = "UPDATE ieum_cache_limit SET arrival = ? WHERE name = ?";
        transaction.execute(keep, &[decision.new_arrival.into(), key.into()]).await?;
        transaction.commit().await?;
        Ok(decision)
    }
}

fn micros(span: Duration) -> Value {
    Value::Int(i64::try_from(span.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4))
}

#[async_trait]
impl Cache for SqlCache {
    fn capabilities(&self) -> Capabilities {
        let store = self.store.capabilities();
        Capabilities {
            shared: store.multi_process,
            survives_restart: store.multi_process,
            fast_limits: false,
        }
    }

    async fn ping(&self) -> Result<(), CacheError> {
        self.store.ping().await.map_err(failed("asking for an answer"))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        check_key(key)?;
        let now = self.now();
        let sql = format!("SELECT content FROM ieum_cache WHERE name = ? AND until_micros > {}", now.sql);
        let values: Vec<Value> = std::iter::once(key.into()).chain(now.values).collect();
        let read = failed("reading a value");
        let row = self.store.fetch_optional(&sql, &values).await.map_err(&read)?;
        row.map(|row| row.bytes("content").map(Bytes::from).map_err(&read)).transpose()
    }

    async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        check_key(key)?;
        if ttl.is_zero() {
            return self.delete(key).await.map(drop);
        }
        self.sweep().await?;
        let now = self.now();
        let upsert = self.store.dialect().upsert("ieum_cache", &["name"], &["content", "until_micros"]);
        let sql = upsert.replacen("(?, ?, ?)", &format!("(?, ?, {} + ?)", now.sql), 1);
        let values: Vec<Value> =
            [key.into(), value.into()].into_iter().chain(now.values).chain([micros(ttl)]).collect();
        self.store.execute(&sql, &values).await.map(drop).map_err(failed("keeping a value"))
    }

    async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        let there = self.get(key).await?.is_some();
        let deleted = self.store.execute("DELETE FROM ieum_cache WHERE name = ?", &[key.into()]).await;
        Ok(deleted.map_err(failed("deleting a value"))? > 0 && there)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        check_key(key)?;
        let now = self.now();
        let sql = format!("SELECT until_micros - {} AS remaining FROM ieum_cache WHERE name = ?", now.sql);
        let values: Vec<Value> = now.values.into_iter().chain([key.into()]).collect();
        let read = failed("reading a lifetime");
        let Some(row) = self.store.fetch_optional(&sql, &values).await.map_err(&read)? else {
            return Ok(None);
        };
        let remaining = u64::try_from(row.int("remaining").map_err(&read)?).unwrap_or(0);
        Ok((remaining > 0).then(|| Duration::from_micros(remaining)))
    }

    async fn rank_add(&self, set: &str, member: &str, score: f64) -> Result<(), CacheError> {
        check_key(set)?;
        check_key(member)?;
        if score.is_nan() {
            return Err(CacheError::Score { member: member.to_owned() });
        }
        let sql = self.store.dialect().upsert("ieum_cache_rank", &["ranking", "member"], &["score"]);
        let values = [set.into(), member.into(), score.into()];
        self.store.execute(&sql, &values).await.map(drop).map_err(failed("keeping a score"))
    }

    async fn rank_top(&self, set: &str, count: usize) -> Result<Vec<Ranked>, CacheError> {
        check_key(set)?;
        let sql = "SELECT member, score FROM ieum_cache_rank WHERE ranking = ? \
                   ORDER BY score DESC, member DESC LIMIT ?";
        let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let read = failed("reading a ranking");
        let rows = self.store.fetch_all(sql, &[set.into(), count]).await.map_err(&read)?;
        rows.iter()
            .map(|row| Ok(Ranked { member: row.text("member")?, score: row.float("score")? }))
            .collect::<Result<_, StoreError>>()
            .map_err(&read)
    }

    async fn rank_of(&self, set: &str, member: &str) -> Result<Option<u64>, CacheError> {
        check_key(set)?;
        let sql = "SELECT (SELECT COUNT(*) FROM ieum_cache_rank above WHERE above.ranking = own.ranking AND \
                   (above.score > own.score OR (above.score = own.score AND above.member > own.member))) \
                   AS place FROM ieum_cache_rank own WHERE own.ranking = ? AND own.member = ?";
        let read = failed("reading a place");
        let row = self.store.fetch_optional(sql, &[set.into(), member.into()]).await.map_err(&read)?;
        let place = row.map(|row| row.int("place")).transpose().map_err(&read)?;
        Ok(place.and_then(|place| u64::try_from(place).ok()))
    }

    async fn rank_remove(&self, set: &str, member: &str) -> Result<bool, CacheError> {
        check_key(set)?;
        let sql = "DELETE FROM ieum_cache_rank WHERE ranking = ? AND member = ?";
        let removed = self.store.execute(sql, &[set.into(), member.into()]).await;
        Ok(removed.map_err(failed("removing a member"))? > 0)
    }

    async fn lock(&self, key: &str, ttl: Duration) -> Result<Option<LockGuard>, CacheError> {
        check_key(key)?;
        self.sweep().await?;
        let token = new_id().to_string();
        // Takes the row over where its time has passed; else it must not be there yet.
        let (now, later) = (self.now(), self.now());
        let sql = format!(
            "UPDATE ieum_cache_lock SET token = ?, until_micros = {} + ? WHERE name = ? AND until_micros <= {}",
            now.sql, later.sql
        );
        let mut values: Vec<Value> = vec![token.as_str().into()];
        values.extend(now.values.into_iter().chain([micros(ttl), key.into()]).chain(later.values));
        let taking = failed("taking a lock");
        if self.store.execute(&sql, &values).await.map_err(&taking)? == 0 {
            let now = self.now();
            let sql = format!(
                "INSERT INTO ieum_cache_lock (name, token, until_micros) VALUES (?, ?, {} + ?)",
                now.sql
            );
            let mut values: Vec<Value> = vec![key.into(), token.as_str().into()];
            values.extend(now.values.into_iter().chain([micros(ttl)]));
            match self.store.execute(&sql, &values).await {
                Ok(_) => {}
                Err(error) if error.is_unique_violation() => return Ok(None),
                Err(error) => return Err(taking(error)),
            }
        }
        Ok(Some(LockGuard::new(Arc::new(self.clone()), key, token)))
    }

    async fn gcra(&self, key: &str, limit: &Gcra, _now: Timestamp) -> Result<Decision, CacheError> {
        check_key(key)?;
        self.sweep().await?;
        let mut tries = 1;
        loop {
            match self.decide(key, limit).await {
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries += 1,
                // A sweep took the row between its making and its locking.
                Err(StoreError::NoRow) if tries < TRIES => tries += 1,
                result => return result.map_err(failed("deciding on a rate limit")),
            }
        }
    }
}

#[async_trait]
impl LockKeeper for SqlCache {
    async fn release(&self, key: &str, token: &str) -> Result<bool, CacheError> {
        let now = self.now();
        let releasing = failed("giving a lock back");
        let sql = format!(
            "DELETE FROM ieum_cache_lock WHERE name = ? AND token = ? AND until_micros > {}",
            now.sql
        );
        let values: Vec<Value> = [key.into(), token.into()].into_iter().chain(now.values).collect();
        Ok(self.store.execute(&sql, &values).await.map_err(releasing)? > 0)
    }

    async fn extend(&self, key: &str, token: &str, ttl: Duration) -> Result<bool, CacheError> {
        let (now, later) = (self.now(), self.now());
        let sql = format!(
            "UPDATE ieum_cache_lock SET until_micros = {} + ? WHERE name = ? AND token = ? AND until_micros > {}",
            now.sql, later.sql
        );
        let mut values = now.values;
        values.extend([micros(ttl), key.into(), token.into()]);
        values.extend(later.values);
        Ok(self.store.execute(&sql, &values).await.map_err(failed("extending a lock"))? > 0)
    }
}
