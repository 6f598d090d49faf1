//! The registered sources, and the queries over them.

use ieum_contracts::events::{EventServiceConfig, SourcePhase};
use ieum_contracts::wording::Wording;
use ieum_core::{Fault, Secret, Timestamp};
use ieum_store::{Row, Sealer, Store, Value};

use crate::cursor::{Cursor, fetch_cursor, insert_cursor};

/// A registered source.
#[derive(Clone, Debug)]
pub struct Source {
    /// How it is reached. Its credentials do not print.
    pub config: EventServiceConfig,
    /// The last part of its webhook address.
    pub hook_secret: Secret,
    /// The source's own id of our webhook.
    pub webhook_id: Option<String>,
    /// Whether the last health check passed.
    pub healthy: bool,
    /// Failed reads in a row.
    pub failures: u32,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// What kind of failure it was and what to do about it.
    pub last_error_wording: Option<Wording>,
    /// When it was last read with success.
    pub last_success_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its health was last asked; `None` since it was registered.
    pub health_at: Option<Timestamp>,
}

/// The hub's tables.
#[derive(Clone)]
pub struct EventsStore {
    sql: Store,
    pub(crate) sealer: Sealer,
}

impl EventsStore {
    /// Makes the queries over `sql`, with secrets sealed by `sealer`.
    pub fn new(sql: Store, sealer: Sealer) -> Self {
        Self { sql, sealer }
    }

    /// Returns the store itself.
    pub fn sql(&self) -> &Store {
        &self.sql
    }

    /// Saves a source and, where it is new, its sync position at the beginning. Returns whether it was known.
    pub async fn save_source(
        &self,
        config: &EventServiceConfig,
        hook_secret: &Secret,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let dialect = self.sql.dialect();
        let event_id = config.event_id.as_str();
        let (json, secrets) = self.part_secrets(config, hook_secret)?;
        let mut tx = self.sql.begin_write().await?;
        let known = fetch_cursor(&mut tx, event_id).await?;
        let columns = [
            "config",
            "hook_secret",
            "secrets",
            "webhook_id",
            "removed",
            "healthy",
            "failures",
            "last_error",
            "last_error_wording",
            "last_success_at",
            "created_at",
            "health_at",
        ];
        let values: [Value; 13] = [
            event_id.into(),
            json.into(),
            "".into(),
            secrets.into(),
            Value::Null,
            false.into(),
            true.into(),
            0_i64.into(),
            Value::Null,
            Value::Null,
            Value::Null,
            now.into(),
            Value::Null,
        ];
        tx.execute(&dialect.upsert("ieum_events_source", &["event_id"], &columns), &values).await?;
        let cursor = Cursor {
            phase: SourcePhase::InitialSync,
            text: None,
            profile: None,
            version: known.as_ref().map_or(0, |cursor| cursor.version + 1),
            generation: known.as_ref().map_or(1, |cursor| cursor.generation + 1),
            synced_rows: 0,
            mismatches: 0,
            override_totals: None,
            reconciled_at: None,
            resynced_at: None,
            sweep_text: None,
            swept_at: None,
        };
        insert_cursor(&mut tx, event_id, &cursor).await?;
        tx.commit().await?;
        Ok(known.is_some_and(|cursor| cursor.phase != SourcePhase::Removed))
    }

    /// Notes the source's own id of our webhook.
    pub async fn set_webhook(&self, event_id: &str, webhook_id: &str) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET webhook_id = ? WHERE event_id = ?";
        self.sql.execute(sql, &[webhook_id.into(), event_id.into()]).await?;
        Ok(())
    }

    /// Marks a source as removed and forgets its secrets. Its state and history stay.
    pub async fn remove_source(&self, event_id: &str) -> Result<(), Fault> {
        let mut tx = self.sql.begin_write().await?;
        let row = tx
            .fetch_optional("SELECT config FROM ieum_events_source WHERE event_id = ?", &[event_id.into()])
            .await?;
        if let Some(row) = row {
            let mut config = read_config(&row)?;
            config.authentication.credentials.clear();
            let json = serde_json::to_string(&config).map_err(|error| broken("config", &error))?;
            let sql = "UPDATE ieum_events_source SET removed = ?, config = ?, hook_secret = '', secrets = NULL \
                       WHERE event_id = ?";
            tx.execute(sql, &[true.into(), json.into(), event_id.into()]).await?;
            let sql =
                "UPDATE ieum_events_cursor SET phase = 'removed', version = version + 1 WHERE event_id = ?";
            tx.execute(sql, &[event_id.into()]).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Returns every source that is not removed, ordered by event id.
    pub async fn sources(&self) -> Result<Vec<Source>, Fault> {
        let sql = "SELECT * FROM ieum_events_source WHERE removed = ? ORDER BY event_id";
        self.sql.fetch_all(sql, &[false.into()]).await?.iter().map(|row| self.read_source(row)).collect()
    }

    /// Returns one source. Fails with `events.source.unknown`.
    pub async fn source(&self, event_id: &str) -> Result<Source, Fault> {
        let sql = "SELECT * FROM ieum_events_source WHERE removed = ? AND event_id = ?";
        let row = self.sql.fetch_optional(sql, &[false.into(), event_id.into()]).await?;
        row.map_or_else(|| Err(unknown_source(event_id)), |row| self.read_source(&row))
    }

    /// Notes a read that succeeded.
    pub async fn note_success(&self, event_id: &str, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET failures = 0, last_error = NULL, last_error_wording = NULL, \
                   last_success_at = ? WHERE event_id = ?";
        self.sql.execute(sql, &[now.into(), event_id.into()]).await?;
        Ok(())
    }

    /// Notes that a read came forward, whatever becomes of it.
    pub async fn note_progress(&self, event_id: &str) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET failures = 0 WHERE event_id = ?";
        self.sql.execute(sql, &[event_id.into()]).await?;
        Ok(())
    }

    /// Notes a read that failed and returns how many failed in a row.
    pub async fn note_failure(&self, event_id: &str, error: &str, wording: &Wording) -> Result<u32, Fault> {
        let sql = "UPDATE ieum_events_source SET failures = failures + 1, last_error = ?, last_error_wording = ? \
                   WHERE event_id = ?";
        let wording = serde_json::to_string(wording).map_err(|error| broken("wording", &error))?;
        self.sql.execute(sql, &[error.into(), wording.into(), event_id.into()]).await?;
        Ok(self.source(event_id).await?.failures)
    }

    /// Notes whether a health check passed.
    pub async fn note_health(&self, event_id: &str, healthy: bool, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET healthy = ?, health_at = ? WHERE event_id = ?";
        self.sql.execute(sql, &[healthy.into(), now.into(), event_id.into()]).await?;
        Ok(())
    }
}

pub(crate) fn read_config(row: &Row) -> Result<EventServiceConfig, Fault> {
    serde_json::from_str(&row.text("config")?).map_err(|error| broken("config", &error))
}

/// Makes the fault for a saved text that is no longer what was saved.
pub fn broken(what: &str, error: &serde_json::Error) -> Fault {
    // The text itself may hold credentials.
    Fault::data_loss("events.store.json", format!("reading or writing the saved {what}: {error}"))
}

/// Makes the fault for a source that is not registered.
pub fn unknown_source(event_id: &str) -> Fault {
    let shown: String = event_id.chars().take(64).collect();
    Fault::not_found("events.source.unknown", format!("looking for source {shown:?}: it is not registered"))
}
