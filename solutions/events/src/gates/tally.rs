//! The ledger in the tables: what a page changes of it is read, added up and written, however long the ledger is.

use std::collections::BTreeSet;

use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, StoreError, Transaction, Value};
use serde::{Deserialize, Serialize};

use super::ledger::{Counts, Stay, minute_of};
use super::occupancy::{LONGEST_STAY, Stays};
use super::post;
use crate::facts::{Profile, Totals};
use crate::store::broken;

/// Values per `IN (…)`.
pub const MOST_VALUES: usize = 500;

/// What an event's scans come to, all together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Whose scans are counted.
    pub basis: Basis,
    /// Tickets that count, those that came, those inside.
    pub totals: Totals,
    /// Entries.
    pub entered: i64,
    /// Exits.
    pub left: i64,
}

/// Whose scans are counted. Under another basis the ledger is made anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The check-in list.
    pub list_id: i64,
    include_pending: bool,
    subevent: Option<i64>,
    items: Option<BTreeSet<i64>>,
    /// Whether gates push their scans.
    pub pushed: bool,
}

/// One gate, all together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateTotal {
    /// The gate; empty where the source names none.
    pub gate: String,
    /// People in.
    pub entered: i64,
    /// People out.
    pub left: i64,
    /// The last scan.
    pub last_at: Timestamp,
}

/// One gate within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinuteRow {
    /// The minute since the Unix epoch.
    pub minute: i64,
    /// The gate.
    pub gate: String,
    /// People in.
    pub entered: i64,
    /// People out.
    pub left: i64,
}

impl Basis {
    /// Returns the basis that a profile asks for.
    pub fn of(profile: &Profile) -> Self {
        Self {
            list_id: profile.list_id,
            include_pending: profile.include_pending,
            subevent: profile.subevent,
            items: profile.items.clone(),
            pushed: profile.pushed.is_some(),
        }
    }

    /// Returns a profile that counts the same people.
    pub fn profile(&self) -> Profile {
        Profile {
            list_id: self.list_id,
            include_pending: self.include_pending,
            subevent: self.subevent,
            items: self.items.clone(),
            ..Profile::default()
        }
    }
}

/// Returns an event's tally; `None` where it has to be made first.
pub async fn fetch(tx: &mut Transaction, event_id: &str) -> Result<Option<Tally>, Fault> {
    let sql = "SELECT * FROM ieum_events_tally WHERE event_id = ?";
    tx.fetch_optional(sql, &[event_id.into()]).await?.as_ref().map(read_tally).transpose()
}

fn read_tally(row: &Row) -> Result<Tally, Fault> {
    let basis = serde_json::from_str(&row.text("basis")?).map_err(|error| broken("basis", &error))?;
    let people = |name: &str| Ok::<_, StoreError>(u64::try_from(row.int(name)?).unwrap_or(0));
    Ok(Tally {
        basis,
        totals: Totals {
            registered: people("registered")?,
            checked_in: people("checked_in")?,
            inside: people("inside")?,
        },
        entered: row.int("entered")?,
        left: row.int("departed")?,
    })
}

/// Writes an event's tally.
pub async fn save(tx: &mut Transaction, event_id: &str, tally: &Tally) -> Result<(), Fault> {
    let basis = serde_json::to_string(&tally.basis).map_err(|error| broken("basis", &error))?;
    let whole = |people: u64| Value::Int(i64::try_from(people).unwrap_or(i64::MAX));
    let columns = ["basis", "registered", "checked_in", "inside", "entered", "departed"];
    let values = [
        event_id.into(),
        basis.into(),
        whole(tally.totals.registered),
        whole(tally.totals.checked_in),
        whole(tally.totals.inside),
        tally.entered.into(),
        tally.left.into(),
    ];
    let sql = tx.dialect().upsert("ieum_events_tally", &["event_id"], &columns);
    tx.execute(&sql, &values).await?;
    Ok(())
}

/// Drops an event's ledger; it is made anew when it is next asked for.
pub async fn forget(tx: &mut Transaction, event_id: &str) -> Result<(), StoreError> {
    for table in ["ieum_events_tally", "ieum_events_gate", "ieum_events_gate_minute", "ieum_events_stay"] {
        tx.execute(&format!("DELETE FROM {table} WHERE event_id = ?"), &[event_id.into()]).await?;
    }
    Ok(())
}

/// Adds a difference to an event's ledger and to `tally`, which the caller saves.
pub async fn add(
    tx: &mut Transaction,
    event_id: &str,
    tally: &mut Tally,
    change: &Counts,
) -> Result<(), StoreError> {
    let list = (!tally.basis.pushed).then_some(tally.basis.list_id);
    let minutes = post::minutes(tx, event_id, list, &change.gates).await?;
    post::gates(tx, event_id, &minutes, &change.gates).await?;
    post::stays(tx, event_id, &change.stays).await?;
    for minute in change.gates.values() {
        tally.entered += minute.entered;
        tally.left += minute.left;
    }
    Ok(())
}

/// Returns every gate, ordered by name.
pub async fn totals(tx: &mut Transaction, event_id: &str) -> Result<Vec<GateTotal>, StoreError> {
    let sql = "SELECT * FROM ieum_events_gate WHERE event_id = ? ORDER BY gate";
    let rows = tx.fetch_all(sql, &[event_id.into()]).await?;
    let gate = |row: &Row| {
        Ok(GateTotal {
            gate: row.text("gate")?,
            entered: row.int("entered")?,
            left: row.int("departed")?,
            last_at: Timestamp::from_micros(row.int("last_at")?),
        })
    };
    rows.iter().map(gate).collect()
}

/// Returns the rows per gate and minute from `from` on and before `until`, minutes since the Unix epoch.
pub async fn minutes(
    tx: &mut Transaction,
    event_id: &str,
    from: i64,
    until: i64,
) -> Result<Vec<MinuteRow>, StoreError> {
    let sql = "SELECT * FROM ieum_events_gate_minute WHERE event_id = ? AND at_minute >= ? AND at_minute < ? \
               ORDER BY at_minute, gate";
    let rows = tx.fetch_all(sql, &[event_id.into(), from.into(), until.into()]).await?;
    let minute = |row: &Row| {
        Ok(MinuteRow {
            minute: row.int("at_minute")?,
            gate: row.text("gate")?,
            entered: row.int("entered")?,
            left: row.int("departed")?,
        })
    };
    rows.iter().map(minute).collect()
}

/// Returns the stays as they are at `now`.
#[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
pub async fn stays(tx: &mut Transaction, event_id: &str, now: Timestamp) -> Result<Stays, StoreError> {
    let sql = "SELECT stay, at_minute, people FROM ieum_events_stay WHERE event_id = ? AND people > 0";
    let mut stays = Stays::default();
    for row in tx.fetch_all(sql, &[event_id.into()]).await? {
        let (kind, minute, people) = (row.text("stay")?, row.int("at_minute")?, row.int("people")? as f64);
        let Some(kind) = Stay::ALL.into_iter().find(|stay| stay.name() == kind) else { continue };
        let (people_by, minute) = match kind {
            Stay::Closed => (&mut stays.closed, minute),
            Stay::Missed => (&mut stays.missed, minute),
            Stay::Open => (&mut stays.open, minute_of(now) - minute),
        };
        let place = usize::try_from(minute).unwrap_or(0).min(LONGEST_STAY);
        if people_by.len() <= place {
            people_by.resize(place + 1, 0.0);
        }
        people_by[place] += people;
    }
    Ok(stays)
}
