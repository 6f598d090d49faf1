//! The ledger in the tables: what a page changes of it is read, added up and written, however long the ledger is.

use std::collections::{BTreeMap, BTreeSet};

use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, StoreError, Transaction, Value};
use serde::{Deserialize, Serialize};

use super::ledger::{Counts, GateMinute, MINUTE, Stay, minute_of};
use super::occupancy::{LONGEST_STAY, Stays};
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
    let minutes = add_minutes(tx, event_id, list, &change.gates).await?;
    add_gates(tx, event_id, &minutes, &change.gates).await?;
    add_stays(tx, event_id, &change.stays).await?;
    for minute in change.gates.values() {
        tally.entered += minute.entered;
        tally.left += minute.left;
    }
    Ok(())
}

/// Adds to the rows per gate and minute. Returns what they hold then.
async fn add_minutes(
    tx: &mut Transaction,
    event_id: &str,
    list: Option<i64>,
    change: &BTreeMap<(i64, String), GateMinute>,
) -> Result<BTreeMap<(i64, String), GateMinute>, StoreError> {
    let minutes: Vec<i64> =
        change.keys().map(|(minute, _)| *minute).collect::<BTreeSet<_>>().into_iter().collect();
    let mut after = BTreeMap::new();
    for minutes in minutes.chunks(MOST_VALUES) {
        let holes = vec!["?"; minutes.len()].join(", ");
        let sql =
            format!("SELECT * FROM ieum_events_gate_minute WHERE event_id = ? AND at_minute IN ({holes})");
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(minutes.iter().map(|minute| Value::from(*minute)));
        for row in tx.fetch_all(&sql, &values).await? {
            let key = (row.int("at_minute")?, row.text("gate")?);
            if change.contains_key(&key) {
                after.insert(key, read_minute(&row)?);
            }
        }
    }
    for (key, change) in change {
        let last = if change.shrunk { last_within(tx, event_id, list, key).await? } else { None };
        let minute: &mut GateMinute = after.entry(key.clone()).or_default();
        minute.entered += change.entered;
        minute.left += change.left;
        minute.last = match last {
            Some(last) => last,
            None => minute.last.max(change.last),
        };
    }
    let gone: Vec<_> = after.iter().filter(|(_, minute)| minute.entered + minute.left <= 0).collect();
    for ((at_minute, gate), _) in gone {
        let sql = "DELETE FROM ieum_events_gate_minute WHERE event_id = ? AND at_minute = ? AND gate = ?";
        tx.execute(sql, &[event_id.into(), (*at_minute).into(), gate.into()]).await?;
    }
    let rows: Vec<_> = after
        .iter()
        .filter(|(_, minute)| minute.entered + minute.left > 0)
        .map(|((at_minute, gate), minute)| {
            vec![
                event_id.into(),
                (*at_minute).into(),
                gate.into(),
                minute.entered.into(),
                minute.left.into(),
                minute.last.into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let columns = ["event_id", "at_minute", "gate", "entered", "departed", "last_at"];
        let insert = Insert::into("ieum_events_gate_minute").columns(columns).rows(rows);
        insert.or_update(["event_id", "at_minute", "gate"]).run_in(tx).await?;
    }
    Ok(after)
}

fn read_minute(row: &Row) -> Result<GateMinute, StoreError> {
    Ok(GateMinute {
        entered: row.int("entered")?,
        left: row.int("departed")?,
        last: row.int("last_at")?,
        shrunk: false,
    })
}

/// Looks the last scan of a gate's minute up, after one was taken back. Pushed scans never are.
async fn last_within(
    tx: &mut Transaction,
    event_id: &str,
    list: Option<i64>,
    (minute, gate): &(i64, String),
) -> Result<Option<i64>, StoreError> {
    let Some(list) = list else { return Ok(None) };
    let mut values: Vec<Value> =
        vec![event_id.into(), list.into(), (minute * MINUTE).into(), ((minute + 1) * MINUTE).into()];
    let named = if gate.is_empty() { "gate IS NULL" } else { "gate = ?" };
    if !gate.is_empty() {
        values.push(gate.into());
    }
    let sql = format!(
        "SELECT MAX(scanned_at) AS last_at FROM ieum_events_checkin \
         WHERE event_id = ? AND list_id = ? AND scanned_at >= ? AND scanned_at < ? AND {named}"
    );
    tx.fetch_one(&sql, &values).await?.opt_int("last_at")
}

/// Adds to the rows per gate.
async fn add_gates(
    tx: &mut Transaction,
    event_id: &str,
    minutes: &BTreeMap<(i64, String), GateMinute>,
    change: &BTreeMap<(i64, String), GateMinute>,
) -> Result<(), StoreError> {
    if change.is_empty() {
        return Ok(());
    }
    let mut gates: BTreeMap<&str, GateMinute> = BTreeMap::new();
    for (key, change) in change {
        let gate = gates.entry(&key.1).or_default();
        gate.entered += change.entered;
        gate.left += change.left;
        gate.shrunk |= change.shrunk;
        gate.last = gate.last.max(minutes.get(key).map_or(0, |minute| minute.last));
    }
    let known = totals(tx, event_id).await?;
    let mut rows = Vec::with_capacity(gates.len());
    for (gate, change) in gates {
        let before = known.iter().find(|known| known.gate == gate);
        let (entered, left) = before.map_or((0, 0), |before| (before.entered, before.left));
        let mut last = change.last.max(before.map_or(0, |before| before.last_at.as_micros()));
        if change.shrunk {
            let sql =
                "SELECT MAX(last_at) AS last_at FROM ieum_events_gate_minute WHERE event_id = ? AND gate = ?";
            last = tx.fetch_one(sql, &[event_id.into(), gate.into()]).await?.opt_int("last_at")?.unwrap_or(0);
        }
        let (entered, left) = (entered + change.entered, left + change.left);
        if entered + left <= 0 {
            let sql = "DELETE FROM ieum_events_gate WHERE event_id = ? AND gate = ?";
            tx.execute(sql, &[event_id.into(), gate.into()]).await?;
        } else {
            rows.push(vec![event_id.into(), gate.into(), entered.into(), left.into(), last.into()]);
        }
    }
    if !rows.is_empty() {
        let columns = ["event_id", "gate", "entered", "departed", "last_at"];
        let insert = Insert::into("ieum_events_gate").columns(columns).rows(rows);
        insert.or_update(["event_id", "gate"]).run_in(tx).await?;
    }
    Ok(())
}

/// Adds to the rows per length of stay.
async fn add_stays(
    tx: &mut Transaction,
    event_id: &str,
    change: &BTreeMap<(Stay, i64), i64>,
) -> Result<(), StoreError> {
    let minutes: Vec<i64> =
        change.keys().map(|(_, minute)| *minute).collect::<BTreeSet<_>>().into_iter().collect();
    let mut known: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for minutes in minutes.chunks(MOST_VALUES) {
        let holes = vec!["?"; minutes.len()].join(", ");
        let sql = format!("SELECT * FROM ieum_events_stay WHERE event_id = ? AND at_minute IN ({holes})");
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(minutes.iter().map(|minute| Value::from(*minute)));
        for row in tx.fetch_all(&sql, &values).await? {
            known.insert((row.text("stay")?, row.int("at_minute")?), row.int("people")?);
        }
    }
    let mut rows = Vec::with_capacity(change.len());
    for ((stay, minute), people) in change {
        let before = known.get(&(stay.name().to_owned(), *minute)).copied().unwrap_or(0);
        rows.push(vec![event_id.into(), stay.name().into(), (*minute).into(), (before + people).into()]);
    }
    if !rows.is_empty() {
        let columns = ["event_id", "stay", "at_minute", "people"];
        let insert = Insert::into("ieum_events_stay").columns(columns).rows(rows);
        insert.or_update(["event_id", "stay", "at_minute"]).run_in(tx).await?;
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
