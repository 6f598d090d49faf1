//! The durable log and the outbox before it.
//!
//! Every append first raises the head row, whose lock it then holds until it commits. So positions are given
//! out in the order in which they become visible: a reader never passes one that appears later, which
//! a sequence or an identity column cannot promise on PostgreSQL and MySQL.

use ieum_core::Timestamp;
use ieum_store::{Dialect, Insert, Row, Store, StoreError, Transaction, Value};

use crate::storage::{Delivery, Entry, Slot};

const ENTRY: [&str; 7] = ["topic", "part", "lane_key", "event_id", "source", "body", "written_at"];
const COLUMNS: [&str; 8] = ["seq", "topic", "part", "lane_key", "event_id", "source", "body", "written_at"];
const IDENTITY: [&str; 3] = ["event_id", "source", "topic"];
/// Row counts of the statements that an append is cut into, so that few statements are prepared. PostgreSQL takes
/// any number of rows by one.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

pub(super) async fn append(
    tx: &mut Transaction,
    entries: &[Entry],
    now: Timestamp,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let mut seq = touch_head(tx, count).await?;
    let mut left = entries;
    while !left.is_empty() {
        let size = match tx.dialect() {
            Dialect::Postgres => left.len(),
            _ => CHUNKS.into_iter().find(|size| *size <= left.len()).unwrap_or(1),
        };
        let (chunk, rest) = left.split_at(size);
        let rows = chunk.iter().map(|entry| {
            seq += 1;
            let mut row = vec![Value::Int(seq - 1)];
            row.extend(entry_values(entry, now));
            row
        });
        Insert::into("ieum_bus_log").columns(COLUMNS).rows(rows).or_ignore(IDENTITY).run_in(tx).await?;
        left = rest;
    }
    Ok(())
}

/// Raises the head by `count`, locks it until the transaction ends, and returns what it was before.
pub(crate) async fn touch_head(tx: &mut Transaction, count: i64) -> Result<i64, StoreError> {
    let raise = "UPDATE ieum_bus_head SET next_seq = next_seq + ? WHERE name = 'log'";
    let row = if tx.dialect() == Dialect::MySql {
        tx.execute(raise, &[count.into()]).await?;
        tx.fetch_one("SELECT next_seq FROM ieum_bus_head WHERE name = 'log'", &[]).await?
    } else {
        tx.fetch_one(&format!("{raise} RETURNING next_seq"), &[count.into()]).await?
    };
    Ok(row.int("next_seq")? - count)
}

fn entry_values(entry: &Entry, now: Timestamp) -> [Value; 7] {
    [
        entry.topic.as_str().into(),
        entry.part.into(),
        entry.key.as_str().into(),
        entry.event_id.as_str().into(),
        entry.source.as_str().into(),
        entry.body.as_str().into(),
        now.into(),
    ]
}

/// Writes an entry into the outbox within the caller's transaction.
pub(crate) async fn write_outbox(
    tx: &mut Transaction,
    entry: &Entry,
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert = Insert::into("ieum_bus_outbox").columns(ENTRY).rows([entry_values(entry, now).to_vec()]);
    insert.run_in(tx).await.map(drop)
}

pub(crate) async fn outbox_waits(store: &Store) -> Result<bool, StoreError> {
    Ok(store.fetch_optional("SELECT id FROM ieum_bus_outbox LIMIT 1", &[]).await?.is_some())
}

/// Reads the oldest rows of the outbox.
pub(crate) async fn outbox_rows(tx: &mut Transaction, limit: usize) -> Result<Vec<(i64, Entry)>, StoreError> {
    let sql = format!("SELECT id, {} FROM ieum_bus_outbox ORDER BY id LIMIT {limit}", ENTRY.join(", "));
    let rows = tx.fetch_all(&sql, &[]).await?;
    rows.iter().map(|row| Ok((row.int("id")?, read_entry(row)?))).collect()
}

/// Removes rows of the outbox; returns how many there were.
pub(crate) async fn remove_outbox(tx: &mut Transaction, ids: &[i64]) -> Result<u64, StoreError> {
    let mut count = 0;
    for chunk in ids.chunks(256) {
        let holes = vec!["?"; chunk.len()].join(", ");
        let values: Vec<Value> = chunk.iter().map(|id| Value::Int(*id)).collect();
        count += tx.execute(&format!("DELETE FROM ieum_bus_outbox WHERE id IN ({holes})"), &values).await?;
    }
    Ok(count)
}

/// Moves the oldest rows in one step. The head's lock comes first: two relays never work at once, so no
/// key's events change places.
pub(super) async fn move_outbox(
    tx: &mut Transaction,
    limit: usize,
    now: Timestamp,
) -> Result<usize, StoreError> {
    touch_head(tx, 0).await?;
    let (ids, entries): (Vec<i64>, Vec<Entry>) = outbox_rows(tx, limit).await?.into_iter().unzip();
    append(tx, &entries, now).await?;
    remove_outbox(tx, &ids).await?;
    Ok(ids.len())
}

fn read_entry(row: &Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        topic: row.text("topic")?,
        part: row.int("part")?,
        key: row.text("lane_key")?,
        event_id: row.text("event_id")?,
        source: row.text("source")?,
        body: row.text("body")?,
    })
}

pub(super) async fn head(store: &Store) -> Result<i64, StoreError> {
    store.fetch_one("SELECT next_seq FROM ieum_bus_head WHERE name = 'log'", &[]).await?.int("next_seq")
}

pub(super) async fn read(
    store: &Store,
    slot: &Slot,
    after: i64,
    limit: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!(
        "SELECT seq, lane_key, event_id, body, written_at FROM ieum_bus_log \
         WHERE topic = ? AND part = ? AND seq > ? ORDER BY seq LIMIT {limit}"
    );
    let rows = store.fetch_all(&sql, &[slot.topic.as_str().into(), slot.part.into(), after.into()]).await?;
    rows.iter()
        .map(|row| {
            let (key, id, body) = (row.text("lane_key")?, row.text("event_id")?, row.text("body")?);
            Ok(Delivery::read(row.int("seq")?, &key, &id, &body, row.timestamp("written_at")?))
        })
        .collect()
}
