//! Retry lanes: the head of each key has a time at which it is due, the others wait behind it.

use std::collections::BTreeSet;

use ieum_core::Timestamp;
use ieum_store::{Insert, Row, Store, StoreError, Transaction, Value};

use super::storable;
use crate::storage::{LaneRow, Slot};

const COLUMNS: [&str; 15] = [
    "group_name",
    "topic",
    "part",
    "lane_key",
    "position",
    "event_id",
    "source",
    "body",
    "attempts",
    "due_at",
    "first_at",
    "last_at",
    "reason",
    "message",
    "dead_id",
];
const KEY: [&str; 5] = ["group_name", "topic", "part", "lane_key", "position"];
const OF_SLOT: &str = "group_name = ? AND topic = ? AND part = ?";

/// Returns the values of [`OF_SLOT`].
pub(super) fn slot_values(slot: &Slot) -> Vec<Value> {
    vec![slot.group.as_str().into(), slot.topic.as_str().into(), slot.part.into()]
}

fn with(slot: &Slot, more: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut values = slot_values(slot);
    values.extend(more);
    values
}

pub(super) async fn blocked(store: &Store, slot: &Slot) -> Result<BTreeSet<String>, StoreError> {
    // Every key with something in the lane has a head, and only heads are due at a time.
    let sql = format!("SELECT lane_key FROM ieum_bus_lane WHERE {OF_SLOT} AND due_at IS NOT NULL");
    store.fetch_all(&sql, &slot_values(slot)).await?.iter().map(|row| row.text("lane_key")).collect()
}

pub(super) async fn due(
    store: &Store,
    slot: &Slot,
    now: Timestamp,
    limit: usize,
) -> Result<(Vec<LaneRow>, Option<Timestamp>), StoreError> {
    let sql = format!(
        "SELECT {} FROM ieum_bus_lane WHERE {OF_SLOT} AND due_at IS NOT NULL \
         ORDER BY due_at, position LIMIT {}",
        COLUMNS.join(", "),
        limit + 1
    );
    let mut rows = Vec::new();
    for row in store.fetch_all(&sql, &slot_values(slot)).await? {
        let row = row_of(&row)?;
        if rows.len() == limit || row.due_at.is_some_and(|due| due > now) {
            return Ok((rows, row.due_at));
        }
        rows.push(row);
    }
    Ok((rows, None))
}

pub(super) async fn park(tx: &mut Transaction, slot: &Slot, row: &LaneRow) -> Result<(), StoreError> {
    let values = with(
        slot,
        [
            row.key.as_str().into(),
            row.position.into(),
            row.event_id.as_str().into(),
            row.source.as_str().into(),
            row.body.as_str().into(),
            i64::from(row.attempts).into(),
            row.due_at.into(),
            row.first_at.into(),
            row.last_at.into(),
            storable(&row.reason).into(),
            storable(&row.message).into(),
            row.dead_id.clone().into(),
        ],
    );
    let insert = Insert::into("ieum_bus_lane").columns(COLUMNS).rows([values]).or_update(KEY);
    insert.run_in(tx).await.map(drop)
}

pub(super) async fn unpark(
    tx: &mut Transaction,
    slot: &Slot,
    row: &LaneRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM ieum_bus_lane WHERE {OF_SLOT} AND lane_key = ? AND position = ?");
    tx.execute(&sql, &with(slot, [row.key.as_str().into(), row.position.into()])).await?;
    make_head(tx, slot, &row.key, now).await
}

/// Makes the first row of `key` the one that is due, at `now` where it was not due at a time.
pub(super) async fn make_head(
    tx: &mut Transaction,
    slot: &Slot,
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = format!("SELECT MIN(position) AS first FROM ieum_bus_lane WHERE {OF_SLOT} AND lane_key = ?");
    let found = tx.fetch_one(&sql, &with(slot, [key.into()])).await?;
    let Some(first) = found.opt_int("first")? else { return Ok(()) };
    let sql = format!(
        "UPDATE ieum_bus_lane SET due_at = ? WHERE {OF_SLOT} AND lane_key = ? AND position = ? AND due_at IS NULL"
    );
    let mut values: Vec<Value> = vec![now.into()];
    values.extend(with(slot, [key.into(), first.into()]));
    tx.execute(&sql, &values).await.map(drop)
}

/// Lets every row of `key` wait; [`make_head`] then chooses anew.
pub(super) async fn lower_head(tx: &mut Transaction, slot: &Slot, key: &str) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE ieum_bus_lane SET due_at = NULL WHERE {OF_SLOT} AND lane_key = ? AND due_at IS NOT NULL"
    );
    tx.execute(&sql, &with(slot, [key.into()])).await.map(drop)
}

/// Reads a row of the lane.
pub(crate) fn row_of(row: &Row) -> Result<LaneRow, StoreError> {
    Ok(LaneRow {
        position: row.int("position")?,
        key: row.text("lane_key")?,
        event_id: row.text("event_id")?,
        source: row.text("source")?,
        body: row.text("body")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        due_at: row.opt_timestamp("due_at")?,
        first_at: row.opt_timestamp("first_at")?,
        last_at: row.opt_timestamp("last_at")?,
        reason: row.text("reason")?,
        message: row.text("message")?,
        dead_id: row.opt_text("dead_id")?,
    })
}
