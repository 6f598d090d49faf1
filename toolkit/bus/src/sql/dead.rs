//! Dead letters as the consuming side writes and revives them.

use std::collections::BTreeSet;

use ieum_core::Timestamp;
use ieum_store::{Insert, Row, Store, StoreError, Transaction, Value};
use sha2::{Digest, Sha256};

use super::lane::{lower_head, make_head, park, slot_values};
use super::storable;
#[cfg(feature = "kafka")]
use crate::OUTBOX_GROUP;
use crate::storage::{Grave, LaneRow, Slot};

const COLUMNS: [&str; 19] = [
    "id",
    "group_name",
    "topic",
    "part",
    "lane_key",
    "position",
    "event_id",
    "source",
    "body",
    "code",
    "reason",
    "message",
    "attempts",
    "first_at",
    "last_at",
    "traceparent",
    "payload_hash",
    "state",
    "changed_at",
];

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 190;

pub(crate) async fn bury(
    tx: &mut Transaction,
    slot: &Slot,
    grave: &Grave,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = &grave.row;
    let reason: String = storable(&row.reason).chars().take(LONGEST_REASON).collect();
    let message = storable(&row.message);
    let attempts = i64::from(row.attempts);
    if row.dead_id.is_some() {
        let sql = "UPDATE ieum_bus_dead SET state = 'parked', code = ?, reason = ?, message = ?, \
                   attempts = attempts + ?, last_at = ?, changed_at = ? WHERE id = ?";
        let values: [Value; 7] = [
            grave.code.as_str().into(),
            reason.into(),
            message.into(),
            attempts.into(),
            row.last_at.unwrap_or(now).into(),
            now.into(),
            grave.id.as_str().into(),
        ];
        return tx.execute(sql, &values).await.map(drop);
    }
    let mut values = vec![grave.id.as_str().into()];
    values.extend(slot_values(slot));
    values.extend([
        row.key.as_str().into(),
        row.position.into(),
        row.event_id.as_str().into(),
        row.source.as_str().into(),
        row.body.as_str().into(),
        grave.code.as_str().into(),
        reason.into(),
        message.into(),
        attempts.into(),
        row.first_at.unwrap_or(now).into(),
        row.last_at.unwrap_or(now).into(),
        grave.traceparent.clone().into(),
        hex::encode(Sha256::digest(row.body.as_bytes())).into(),
        "parked".into(),
        now.into(),
    ]);
    Insert::into("ieum_bus_dead").columns(COLUMNS).rows([values]).run_in(tx).await.map(drop)
}

pub(super) async fn asked(store: &Store, slot: &Slot) -> Result<BTreeSet<i64>, StoreError> {
    let sql = "SELECT DISTINCT part FROM ieum_bus_dead \
               WHERE state = 'replaying' AND group_name = ? AND topic = ?";
    let rows = store.fetch_all(sql, &[slot.group.as_str().into(), slot.topic.as_str().into()]).await?;
    rows.iter().map(|row| row.int("part")).collect()
}

pub(super) async fn revive(
    tx: &mut Transaction,
    slot: &Slot,
    limit: usize,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = format!(
        "SELECT id, lane_key, position, event_id, source, body, first_at FROM ieum_bus_dead \
         WHERE state = 'replaying' AND group_name = ? AND topic = ? AND part = ? \
         ORDER BY position LIMIT {limit}"
    );
    let mut keys = BTreeSet::new();
    let rows = tx.fetch_all(&sql, &slot_values(slot)).await?;
    for row in &rows {
        let row = revived(row)?;
        park(tx, slot, &row).await?;
        set_state(tx, row.dead_id.as_deref().unwrap_or_default(), "in_lane", now).await?;
        keys.insert(row.key);
    }
    for key in keys {
        // Earlier positions go first; whatever was due of the key waits behind them.
        lower_head(tx, slot, &key).await?;
        make_head(tx, slot, &key, now).await?;
    }
    Ok(rows.len())
}

/// Tells whether a replay of something that the log refused was asked.
#[cfg(feature = "kafka")]
pub(crate) async fn is_outbox_asked(store: &Store) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM ieum_bus_dead WHERE state = 'replaying' AND group_name = ? LIMIT 1";
    Ok(store.fetch_optional(sql, &[OUTBOX_GROUP.into()]).await?.is_some())
}

/// Returns what the log refused and is to be sent to it again, the oldest first.
#[cfg(feature = "kafka")]
pub(crate) async fn asked_of_outbox(
    tx: &mut Transaction,
    limit: usize,
) -> Result<Vec<(Slot, LaneRow)>, StoreError> {
    let sql = format!(
        "SELECT id, topic, part, lane_key, position, event_id, source, body, first_at FROM ieum_bus_dead \
         WHERE state = 'replaying' AND group_name = ? ORDER BY position LIMIT {limit}"
    );
    let rows = tx.fetch_all(&sql, &[OUTBOX_GROUP.into()]).await?;
    let read = |row: &Row| {
        let (group, topic) = (OUTBOX_GROUP.to_owned(), row.text("topic")?);
        Ok((Slot { group, topic, part: row.int("part")? }, revived(row)?))
    };
    rows.iter().map(read).collect()
}

fn revived(row: &Row) -> Result<LaneRow, StoreError> {
    Ok(LaneRow {
        position: row.int("position")?,
        key: row.text("lane_key")?,
        event_id: row.text("event_id")?,
        source: row.text("source")?,
        body: row.text("body")?,
        attempts: 0,
        due_at: None,
        first_at: row.opt_timestamp("first_at")?,
        last_at: None,
        reason: String::new(),
        message: String::new(),
        dead_id: Some(row.text("id")?),
    })
}

pub(crate) async fn resolve(tx: &mut Transaction, dead_id: &str, now: Timestamp) -> Result<(), StoreError> {
    set_state(tx, dead_id, "resolved", now).await
}

async fn set_state(
    tx: &mut Transaction,
    dead_id: &str,
    state: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE ieum_bus_dead SET state = ?, changed_at = ? WHERE id = ?";
    tx.execute(sql, &[state.into(), now.into(), dead_id.into()]).await.map(drop)
}
