//! Which events a group has handled.

use std::collections::HashSet;

use ieum_core::Timestamp;
use ieum_store::{Insert, StoreError, Transaction, Value};

use crate::storage::Slot;

const COLUMNS: [&str; 5] = ["event_id", "source", "topic", "group_name", "handled_at"];

/// Marks events (id, source); returns for each whether this was the first time.
pub(super) async fn mark(
    tx: &mut Transaction,
    slot: &Slot,
    events: &[(String, String)],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen = known(tx, slot, events).await?;
    let fresh: Vec<bool> = events.iter().map(|event| seen.insert(event.clone())).collect();
    let rows = events.iter().zip(&fresh).filter(|(_, fresh)| **fresh).map(|((id, source), _)| {
        vec![
            id.as_str().into(),
            source.as_str().into(),
            slot.topic.as_str().into(),
            slot.group.as_str().into(),
            now.into(),
        ]
    });
    // Plain, not "or ignore": the slot has one owner, so a mark that appears meanwhile is a fenced owner's
    // and the failure is the right end.
    Insert::into("ieum_bus_inbox").columns(COLUMNS).rows(rows).run_in(tx).await?;
    Ok(fresh)
}

async fn known(
    tx: &mut Transaction,
    slot: &Slot,
    events: &[(String, String)],
) -> Result<HashSet<(String, String)>, StoreError> {
    let holes = vec!["?"; events.len()].join(", ");
    let sql = format!(
        "SELECT event_id, source FROM ieum_bus_inbox \
         WHERE event_id IN ({holes}) AND topic = ? AND group_name = ?"
    );
    let mut values: Vec<Value> = events.iter().map(|(id, _)| id.as_str().into()).collect();
    values.extend([slot.topic.as_str().into(), slot.group.as_str().into()]);
    let rows = tx.fetch_all(&sql, &values).await?;
    rows.iter().map(|row| Ok((row.text("event_id")?, row.text("source")?))).collect()
}
