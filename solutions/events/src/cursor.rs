//! Where each source's sync stands: read and written by one reader at a time.

use ieum_contracts::events::SourcePhase;
use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, Transaction, Value};

use crate::facts::{Profile, Totals};
use crate::store::{EventsStore, broken, unknown_source};

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
    /// How far a sweep for what vanished is; `None` where none is under way.
    pub sweep_text: Option<String>,
    /// When a sweep was last complete.
    pub swept_at: Option<Timestamp>,
}

const CURSOR: &str = "SELECT * FROM ieum_events_cursor WHERE event_id = ?";

impl EventsStore {
    /// Returns where a source's sync stands. Fails with `events.source.unknown`.
    pub async fn cursor(&self, event_id: &str) -> Result<Cursor, Fault> {
        let row = self.sql().fetch_optional(CURSOR, &[event_id.into()]).await?;
        row.as_ref().map_or_else(|| Err(unknown_source(event_id)), read_cursor)
    }
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
        "sweep_text",
        "swept_at",
    ];
    let values: [Value; 13] = [
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
        cursor.sweep_text.clone().into(),
        cursor.swept_at.into(),
    ];
    let sql = tx.dialect().upsert("ieum_events_cursor", &["event_id"], &columns);
    tx.execute(&sql, &values).await?;
    Ok(())
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
        sweep_text: row.opt_text("sweep_text")?,
        swept_at: row.opt_int("swept_at")?.map(Timestamp::from_micros),
    })
}

fn phase_name(phase: SourcePhase) -> &'static str {
    match phase {
        SourcePhase::InitialSync => "initial_sync",
        SourcePhase::Live => "live",
        SourcePhase::Removed => "removed",
    }
}
