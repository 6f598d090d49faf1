//! The latest measurement of every device, and how turns went by day: what is kept for an operator to look at.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::voice::DeviceMeasurement;
use ieum_core::{Fault, Timestamp};
use ieum_store::{Transaction, Value};
use serde::Serialize;

use crate::store::VoiceStore;
use crate::trail::Trail;
use crate::zone::{here, zone};

/// The longest measurement that is kept, bytes of JSON; a longer one is told on the bus alone.
const LONGEST: usize = 16 * 1024;
/// How long a device's latest measurement is kept.
const KEEP_MEASUREMENT: Duration = Duration::from_secs(30 * 86_400);
/// How long it is kept how many turns there were, who spoke last, and which rule spoke up.
const KEEP_COUNTS: Duration = Duration::from_secs(400 * 86_400);
/// The most people that are shown.
const MOST_PEOPLE: usize = 200;

/// What a device measured last.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// When, by the device's own clock where that is within a day of ours.
    pub at: Timestamp,
    /// What.
    pub data: serde_json::Value,
}

/// How many turns went how on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// The day in the platform's zone, such as `2026-05-01`.
    pub day: String,
    /// What was meant first.
    pub intent: String,
    /// What became of it, such as `answered`.
    pub outcome: String,
    /// How many.
    pub turns: i64,
}

/// What somebody said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastSaid {
    /// The person; `device:{id}` for a device that is nobody's.
    pub user_id: String,
    /// How many turns there were since they are counted.
    pub turns: i64,
    /// When the last one was.
    pub at: Timestamp,
    /// What was meant by it.
    pub intent: String,
}

/// Keeps a measurement as the latest of its device, unless it is of before the one that is.
pub async fn keep_measurement(tx: &mut Transaction, measured: &DeviceMeasurement) -> Result<(), Fault> {
    let data = measured.data.to_string();
    if data.len() > LONGEST {
        return Ok(());
    }
    let (table, columns) = ("ieum_voice_measured", ["device", "data", "at"]);
    let sql = format!("SELECT at FROM {table} WHERE device = ?{}", tx.dialect().for_update());
    let known = tx.fetch_optional(&sql, &[measured.device_id.as_str().into()]).await?;
    if let Some(row) = known
        && row.timestamp("at")? > measured.at
    {
        return Ok(());
    }
    let sql = tx.dialect().upsert(table, &["device"], &columns);
    tx.execute(&sql, &[measured.device_id.as_str().into(), data.into(), measured.at.into()]).await?;
    Ok(())
}

impl VoiceStore {
    /// Lets go of measurements and counts that are old.
    pub async fn purge_counts(&self, now: Timestamp, zone_name: &str) -> Result<(), Fault> {
        let before: Value = (now - KEEP_COUNTS).into();
        let day = here(&zone(zone_name), now - KEEP_COUNTS).date().to_string();
        for (sql, until) in [
            ("DELETE FROM ieum_voice_measured WHERE at < ?", (now - KEEP_MEASUREMENT).into()),
            ("DELETE FROM ieum_voice_tally WHERE day < ?", day.into()),
            ("DELETE FROM ieum_voice_activity WHERE last_at < ?", before.clone()),
            ("DELETE FROM ieum_voice_nudge WHERE at < ?", before.clone()),
            ("DELETE FROM ieum_voice_zone WHERE at < ?", before),
        ] {
            self.sql.execute(sql, &[until]).await?;
        }
        Ok(())
    }
}

impl Trail {
    /// Returns what each device measured last.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn measured(&self) -> Result<BTreeMap<String, Measured>, Fault> {
        let rows = self.store.sql.fetch_all("SELECT device, data, at FROM ieum_voice_measured", &[]).await?;
        let read = |row: &ieum_store::Row| {
            let data = serde_json::from_str(&row.text("data")?).unwrap_or_default();
            Ok((row.text("device")?, Measured { at: row.timestamp("at")?, data }))
        };
        rows.iter().map(read).collect()
    }

    /// Returns the day that turns are counted on now, such as `2026-05-01`.
    pub fn today(&self) -> String {
        here(&zone(&self.zone), self.clock.now()).date().to_string()
    }

    /// Returns how turns went on each of the last `days`, today among them, the latest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn tallies(&self, days: u32) -> Result<Vec<Tally>, Fault> {
        let back = Duration::from_secs(86_400 * u64::from(days.saturating_sub(1)));
        let first = here(&zone(&self.zone), self.clock.now() - back).date().to_string();
        let sql = "SELECT day, intent, outcome, turns FROM ieum_voice_tally WHERE day >= ? \
                   ORDER BY day DESC, turns DESC, intent, outcome";
        let rows = self.store.sql.fetch_all(sql, &[first.into()]).await?;
        let read = |row: &ieum_store::Row| {
            let (day, intent) = (row.text("day")?, row.text("intent")?);
            Ok(Tally { day, intent, outcome: row.text("outcome")?, turns: row.int("turns")? })
        };
        rows.iter().map(read).collect()
    }

    /// Returns who spoke last, the latest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn people(&self) -> Result<Vec<LastSaid>, Fault> {
        let sql = format!(
            "SELECT user_id, turns, last_at, last_intent FROM ieum_voice_activity \
             ORDER BY last_at DESC, user_id LIMIT {MOST_PEOPLE}"
        );
        let rows = self.store.sql.fetch_all(&sql, &[]).await?;
        let read = |row: &ieum_store::Row| {
            let (user_id, turns) = (row.text("user_id")?, row.int("turns")?);
            Ok(LastSaid { user_id, turns, at: row.timestamp("last_at")?, intent: row.text("last_intent")? })
        };
        rows.iter().map(read).collect()
    }
}
