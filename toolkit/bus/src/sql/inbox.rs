//! Which events a group has handled.

use std::collections::HashSet;

use ieum_core::Timestamp;
use ieum_store::{Insert, Row, StoreError, Transaction, Value};

use crate::storage::Slot;

const COLUMNS: [&str; 5] = ["event_id", "source", "topic", "group_name", "handled_at"];
const KEY: [&str; 4] = ["event_id", "source", "topic", "group_name"];
const IDENTITY: [&str; 2] = ["event_id", "source"];

/// What the inbox knows an event by: id and source.
type Identity = (String, String);

/// Marks events (id, source); returns for each whether this was the first time.
pub(super) async fn mark(
    tx: &mut Transaction,
    slot: &Slot,
    events: &[(String, String)],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let mut unique = HashSet::new();
    let wanted: Vec<&Identity> = events.iter().filter(|event| unique.insert(*event)).collect();
    let mut added = if tx.dialect().returns_inserted() {
        // One statement that the unique key alone decides. A look first would be planned once for a small table
        // and kept: PostgreSQL then reads the whole inbox for every batch (PREPARE, "generic plan").
        let rows = inserting(slot, &wanted, now).or_ignore(KEY).run_returning(tx, &IDENTITY).await?;
        identities(&rows)?
    } else {
        let known = known(tx, slot, &wanted).await?;
        let wanted: Vec<&Identity> = wanted.into_iter().filter(|event| !known.contains(*event)).collect();
        // Plain, not "or ignore": the slot has one owner, so a mark that appears meanwhile is a fenced owner's
        // and the failure is the right end.
        inserting(slot, &wanted, now).run_in(tx).await?;
        wanted.into_iter().cloned().collect()
    };
    Ok(events.iter().map(|event| added.remove(event)).collect())
}

fn inserting(slot: &Slot, events: &[&Identity], now: Timestamp) -> Insert {
    let rows = events.iter().map(|(id, source)| {
        vec![
            id.as_str().into(),
            source.as_str().into(),
            slot.topic.as_str().into(),
            slot.group.as_str().into(),
            now.into(),
        ]
    });
    Insert::into("ieum_bus_inbox").columns(COLUMNS).rows(rows)
}

async fn known(
    tx: &mut Transaction,
    slot: &Slot,
    events: &[&Identity],
) -> Result<HashSet<Identity>, StoreError> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let holes = vec!["?"; events.len()].join(", ");
    let sql = format!(
        "SELECT event_id, source FROM ieum_bus_inbox \
         WHERE event_id IN ({holes}) AND topic = ? AND group_name = ?"
    );
    let mut values: Vec<Value> = events.iter().map(|(id, _)| id.as_str().into()).collect();
    values.extend([slot.topic.as_str().into(), slot.group.as_str().into()]);
    identities(&tx.fetch_all(&sql, &values).await?)
}

fn identities(rows: &[Row]) -> Result<HashSet<Identity>, StoreError> {
    rows.iter().map(|row| Ok((row.text("event_id")?, row.text("source")?))).collect()
}
