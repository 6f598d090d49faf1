//! Queries over sources, sync positions, states and hints.

use ieum_contracts::events::{EventServiceConfig, NormalizedEventData, SourcePhase};
use ieum_core::{Fault, Secret, Timestamp};
use ieum_store::{Row, Store, StoreError, Transaction, Value};

use crate::connector::Hint;
use crate::facts::{Profile, Totals};

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
    /// When it was last read with success.
    pub last_success_at: Option<Timestamp>,
}

/// Where a source's sync stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// Whether the first sync is complete.
    pub phase: SourcePhase,
    /// The connector's position.
    pub text: Option<String>,
    /// How the event's people are counted.
    pub profile: Option<Profile>,
    /// Counts changes; whoever writes over another's change is refused.
    pub version: i64,
    /// Facts of a lower generation are dropped once a full sync completes.
    pub generation: i64,
    /// Rows read by the present full sync.
    pub synced_rows: u64,
    /// How often in a row the source's own totals differed from ours.
    pub mismatches: u32,
    /// The source's totals where a full sync could not explain ours.
    pub override_totals: Option<Totals>,
    /// When totals were last compared.
    pub reconciled_at: Option<Timestamp>,
    /// When a full sync was last begun because totals differed.
    pub resynced_at: Option<Timestamp>,
}

/// The hub's tables.
#[derive(Clone)]
pub struct EventsStore {
    store: Store,
}

impl EventsStore {
    /// Makes the queries over `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the store itself.
    pub fn sql(&self) -> &Store {
        &self.store
    }

    /// Saves a source and, where it is new, its sync position at the beginning. Returns whether it was known.
    pub async fn save_source(
        &self,
        config: &EventServiceConfig,
        hook_secret: &Secret,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let dialect = self.store.dialect();
        let event_id = config.event_id.as_str();
        let json = serde_json::to_string(config).map_err(|error| broken("config", &error))?;
        let mut tx = self.store.begin_write().await?;
        let known = fetch_cursor(&mut tx, event_id).await?;
        let columns = [
            "config",
            "hook_secret",
            "webhook_id",
            "removed",
            "healthy",
            "failures",
            "last_error",
            "last_success_at",
            "created_at",
        ];
        let values: [Value; 10] = [
            event_id.into(),
            json.into(),
            hook_secret.expose().into(),
            Value::Null,
            false.into(),
            true.into(),
            0_i64.into(),
            Value::Null,
            Value::Null,
            now.into(),
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
        };
        insert_cursor(&mut tx, event_id, &cursor).await?;
        tx.commit().await?;
        Ok(known.is_some_and(|cursor| cursor.phase != SourcePhase::Removed))
    }

    /// Notes the source's own id of our webhook.
    pub async fn set_webhook(&self, event_id: &str, webhook_id: &str) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET webhook_id = ? WHERE event_id = ?";
        self.store.execute(sql, &[webhook_id.into(), event_id.into()]).await?;
        Ok(())
    }

    /// Marks a source as removed and forgets its credentials. Its state and history stay.
    pub async fn remove_source(&self, event_id: &str) -> Result<(), Fault> {
        let mut tx = self.store.begin_write().await?;
        let row = tx
            .fetch_optional("SELECT config FROM ieum_events_source WHERE event_id = ?", &[event_id.into()])
            .await?;
        if let Some(row) = row {
            let mut config = read_config(&row)?;
            config.authentication.credentials.clear();
            let json = serde_json::to_string(&config).map_err(|error| broken("config", &error))?;
            let sql =
                "UPDATE ieum_events_source SET removed = ?, config = ?, hook_secret = '' WHERE event_id = ?";
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
        self.store.fetch_all(sql, &[false.into()]).await?.iter().map(read_source).collect()
    }

    /// Returns one source. Fails with `events.source.unknown`.
    pub async fn source(&self, event_id: &str) -> Result<Source, Fault> {
        let sql = "SELECT * FROM ieum_events_source WHERE removed = ? AND event_id = ?";
        let row = self.store.fetch_optional(sql, &[false.into(), event_id.into()]).await?;
        row.as_ref().map_or_else(|| Err(unknown_source(event_id)), read_source)
    }

    /// Returns where a source's sync stands. Fails with `events.source.unknown`.
    pub async fn cursor(&self, event_id: &str) -> Result<Cursor, Fault> {
        let row = self.store.fetch_optional(CURSOR, &[event_id.into()]).await?;
        row.as_ref().map_or_else(|| Err(unknown_source(event_id)), read_cursor)
    }

    /// Notes a read that succeeded.
    pub async fn note_success(&self, event_id: &str, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET failures = 0, last_error = NULL, last_success_at = ? WHERE event_id = ?";
        self.store.execute(sql, &[now.into(), event_id.into()]).await?;
        Ok(())
    }

    /// Notes a read that failed and returns how many failed in a row.
    pub async fn note_failure(&self, event_id: &str, error: &str) -> Result<u32, Fault> {
        let sql = "UPDATE ieum_events_source SET failures = failures + 1, last_error = ? WHERE event_id = ?";
        self.store.execute(sql, &[error.into(), event_id.into()]).await?;
        Ok(self.source(event_id).await?.failures)
    }

    /// Notes whether a health check passed.
    pub async fn note_health(&self, event_id: &str, healthy: bool) -> Result<(), Fault> {
        let sql = "UPDATE ieum_events_source SET healthy = ? WHERE event_id = ?";
        self.store.execute(sql, &[healthy.into(), event_id.into()]).await?;
        Ok(())
    }

    /// Returns the last known states, ordered by event id.
    pub async fn states(&self) -> Result<Vec<NormalizedEventData>, Fault> {
        let sql = "SELECT t.data FROM ieum_events_state t JOIN ieum_events_source s ON s.event_id = t.event_id \
                   WHERE s.removed = ? ORDER BY t.event_id";
        let rows = self.store.fetch_all(sql, &[false.into()]).await?;
        rows.iter().map(read_state).collect()
    }

    /// Returns an event's last known state.
    pub async fn state(&self, event_id: &str) -> Result<Option<NormalizedEventData>, Fault> {
        let sql = "SELECT t.data FROM ieum_events_state t JOIN ieum_events_source s ON s.event_id = t.event_id \
                   WHERE s.removed = ? AND t.event_id = ?";
        let row = self.store.fetch_optional(sql, &[false.into(), event_id.into()]).await?;
        row.as_ref().map(read_state).transpose()
    }

    /// Keeps a hint. Returns whether it is new.
    pub async fn save_hint(&self, event_id: &str, hint: &Hint, now: Timestamp) -> Result<bool, Fault> {
        let sql = "INSERT INTO ieum_events_hint (event_id, notification_id, action, order_code, received_at, done) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let action: String = hint.action.chars().take(190).collect();
        let code = hint.order_code.clone();
        let values = [
            event_id.into(),
            (&hint.notification_id).into(),
            action.into(),
            code.into(),
            now.into(),
            false.into(),
        ];
        match self.store.execute(sql, &values).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the hints that were not followed yet, the oldest first, at most `most`.
    pub async fn open_hints(&self, event_id: &str, most: u32) -> Result<Vec<Hint>, Fault> {
        let sql = format!(
            "SELECT notification_id, action, order_code FROM ieum_events_hint WHERE event_id = ? AND done = ? \
             ORDER BY received_at, notification_id LIMIT {most}"
        );
        let rows = self.store.fetch_all(&sql, &[event_id.into(), false.into()]).await?;
        rows.iter().map(|row| Ok(read_hint(row)?)).collect()
    }

    /// Forgets hints that were followed before `before`; a repeat after that is read again and changes nothing.
    pub async fn drop_old_hints(&self, event_id: &str, before: Timestamp) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_events_hint WHERE event_id = ? AND done = ? AND received_at < ?";
        self.store.execute(sql, &[event_id.into(), true.into(), before.into()]).await?;
        Ok(())
    }
}

const CURSOR: &str = "SELECT * FROM ieum_events_cursor WHERE event_id = ?";

/// Marks hints as followed.
pub async fn close_hints(tx: &mut Transaction, event_id: &str, hints: &[Hint]) -> Result<(), StoreError> {
    let sql = "UPDATE ieum_events_hint SET done = ? WHERE event_id = ? AND notification_id = ?";
    for hint in hints {
        tx.execute(sql, &[true.into(), event_id.into(), (&hint.notification_id).into()]).await?;
    }
    Ok(())
}

/// Returns where a source's sync stands and, where the dialect can, keeps others from changing it.
pub async fn fetch_cursor(tx: &mut Transaction, event_id: &str) -> Result<Option<Cursor>, Fault> {
    let sql = format!("{CURSOR}{}", tx.dialect().for_update());
    tx.fetch_optional(&sql, &[event_id.into()]).await?.as_ref().map(read_cursor).transpose()
}

/// Writes where a source's sync stands.
pub async fn insert_cursor(tx: &mut Transaction, event_id: &str, cursor: &Cursor) -> Result<(), Fault> {
    let json = |value: Option<serde_json::Result<String>>| {
        value.transpose().map_err(|error| broken("cursor", &error))
    };
    let profile = json(cursor.profile.as_ref().map(serde_json::to_string))?;
    let totals = json(cursor.override_totals.as_ref().map(serde_json::to_string))?;
    let columns = [
        "phase",
        "cursor_text",
        "profile",
        "version",
        "generation",
        "synced_rows",
        "mismatches",
        "override_totals",
        "reconciled_at",
        "resynced_at",
    ];
    let values: [Value; 11] = [
        event_id.into(),
        phase_name(cursor.phase).into(),
        cursor.text.clone().into(),
        profile.into(),
        cursor.version.into(),
        cursor.generation.into(),
        i64::try_from(cursor.synced_rows).unwrap_or(i64::MAX).into(),
        cursor.mismatches.into(),
        totals.into(),
        cursor.reconciled_at.into(),
        cursor.resynced_at.into(),
    ];
    let sql = tx.dialect().upsert("ieum_events_cursor", &["event_id"], &columns);
    tx.execute(&sql, &values).await?;
    Ok(())
}

/// Returns an event's last known state within the transaction.
pub async fn fetch_state(tx: &mut Transaction, event_id: &str) -> Result<Option<NormalizedEventData>, Fault> {
    let sql = "SELECT data FROM ieum_events_state WHERE event_id = ?";
    tx.fetch_optional(sql, &[event_id.into()]).await?.as_ref().map(read_state).transpose()
}

/// Writes an event's state; `changed_at` is when its figures last changed.
pub async fn save_state(
    tx: &mut Transaction,
    data: &NormalizedEventData,
    is_news: bool,
) -> Result<(), Fault> {
    let json = serde_json::to_string(data).map_err(|error| broken("state", &error))?;
    let event_id = data.event_id.as_str();
    if is_news {
        let sql = tx.dialect().upsert("ieum_events_state", &["event_id"], &["data", "read_at", "changed_at"]);
        let values = [event_id.into(), json.into(), data.timestamp.into(), data.timestamp.into()];
        tx.execute(&sql, &values).await?;
    } else {
        let sql = "UPDATE ieum_events_state SET data = ?, read_at = ? WHERE event_id = ?";
        tx.execute(sql, &[json.into(), data.timestamp.into(), event_id.into()]).await?;
    }
    Ok(())
}

fn read_config(row: &Row) -> Result<EventServiceConfig, Fault> {
    serde_json::from_str(&row.text("config")?).map_err(|error| broken("config", &error))
}

fn read_source(row: &Row) -> Result<Source, Fault> {
    Ok(Source {
        config: read_config(row)?,
        hook_secret: Secret::new(row.text("hook_secret")?),
        webhook_id: row.opt_text("webhook_id")?,
        healthy: row.bool("healthy")?,
        failures: u32::try_from(row.int("failures")?).unwrap_or(u32::MAX),
        last_error: row.opt_text("last_error")?,
        last_success_at: row.opt_int("last_success_at")?.map(Timestamp::from_micros),
    })
}

fn read_cursor(row: &Row) -> Result<Cursor, Fault> {
    let phase = match row.text("phase")?.as_str() {
        "live" => SourcePhase::Live,
        "removed" => SourcePhase::Removed,
        _ => SourcePhase::InitialSync,
    };
    let profile = row.opt_text("profile")?.map(|text| serde_json::from_str(&text)).transpose();
    let totals = row.opt_text("override_totals")?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Cursor {
        phase,
        text: row.opt_text("cursor_text")?,
        profile: profile.map_err(|error| broken("profile", &error))?,
        version: row.int("version")?,
        generation: row.int("generation")?,
        synced_rows: u64::try_from(row.int("synced_rows")?).unwrap_or(0),
        mismatches: u32::try_from(row.int("mismatches")?).unwrap_or(u32::MAX),
        override_totals: totals.map_err(|error| broken("override_totals", &error))?,
        reconciled_at: row.opt_int("reconciled_at")?.map(Timestamp::from_micros),
        resynced_at: row.opt_int("resynced_at")?.map(Timestamp::from_micros),
    })
}

fn read_state(row: &Row) -> Result<NormalizedEventData, Fault> {
    serde_json::from_str(&row.text("data")?).map_err(|error| broken("state", &error))
}

fn read_hint(row: &Row) -> Result<Hint, StoreError> {
    Ok(Hint {
        notification_id: row.text("notification_id")?,
        action: row.text("action")?,
        order_code: row.opt_text("order_code")?,
    })
}

fn phase_name(phase: SourcePhase) -> &'static str {
    match phase {
        SourcePhase::InitialSync => "initial_sync",
        SourcePhase::Live => "live",
        SourcePhase::Removed => "removed",
    }
}

fn broken(what: &str, error: &serde_json::Error) -> Fault {
    // The text itself may hold credentials.
    Fault::data_loss("events.store.json", format!("reading or writing the saved {what}: {error}"))
}

/// Makes the fault for a source that is not registered.
pub fn unknown_source(event_id: &str) -> Fault {
    let shown: String = event_id.chars().take(64).collect();
    Fault::not_found("events.source.unknown", format!("looking for source {shown:?}: it is not registered"))
}
