//! Books a difference in the rows of the ledger: what is there is read, added to and written back. The caller holds
//! the event's sync position, so that nobody else writes meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use ieum_store::{Insert, Row, StoreError, Transaction, Value};

use super::ledger::{GateMinute, MINUTE, Stay};
use super::tally::{self, MOST_VALUES};

/// Adds to the rows per gate and minute. Returns what they hold then.
pub async fn minutes(
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
pub async fn gates(
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
    let known = tally::totals(tx, event_id).await?;
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
pub async fn stays(
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
