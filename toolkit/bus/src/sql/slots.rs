//! Who works on which slot, and how far each is.

use std::collections::BTreeSet;

use ieum_core::Timestamp;
use ieum_store::{Insert, Store, StoreError, Transaction};

use super::lane::slot_values;
use crate::storage::{Lease, Slot};

const COLUMNS: [&str; 7] = ["group_name", "topic", "part", "position", "owner", "epoch", "lease_until"];
const KEY: [&str; 3] = ["group_name", "topic", "part"];
const OF_SLOT: &str = "group_name = ? AND topic = ? AND part = ?";

pub(super) async fn heartbeat(
    store: &Store,
    slot: &Slot,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<i64, StoreError> {
    let key = ["group_name", "topic", "owner"];
    let upsert = store.dialect().upsert("ieum_bus_member", &key, &["alive_until"]);
    let (group, topic) = (slot.group.as_str(), slot.topic.as_str());
    store.execute(&upsert, &[group.into(), topic.into(), owner.into(), until.into()]).await?;
    let count = "SELECT COUNT(*) AS members FROM ieum_bus_member \
                 WHERE group_name = ? AND topic = ? AND alive_until > ?";
    store.fetch_one(count, &[group.into(), topic.into(), now.into()]).await?.int("members")
}

pub(super) async fn leave(store: &Store, slot: &Slot, owner: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM ieum_bus_member WHERE group_name = ? AND topic = ? AND owner = ?";
    store
        .execute(sql, &[slot.group.as_str().into(), slot.topic.as_str().into(), owner.into()])
        .await
        .map(drop)
}

pub(super) async fn claim(
    store: &Store,
    slot: &Slot,
    owner: &str,
    (now, until): (Timestamp, Timestamp),
    forced: bool,
) -> Result<Option<Lease>, StoreError> {
    let select = format!("SELECT owner, epoch, lease_until FROM ieum_bus_slot WHERE {OF_SLOT}");
    let row = match store.fetch_optional(&select, &slot_values(slot)).await? {
        Some(row) => row,
        None => {
            let mut values = slot_values(slot);
            values.extend([0_i64.into(), "".into(), 0_i64.into(), 0_i64.into()]);
            let insert = Insert::into("ieum_bus_slot").columns(COLUMNS).rows([values]).or_ignore(KEY);
            insert.run(store).await?;
            store.fetch_one(&select, &slot_values(slot)).await?
        }
    };
    let holder = row.text("owner")?;
    let free = holder.is_empty() || holder == owner || row.timestamp("lease_until")? <= now;
    if !free && !forced {
        return Ok(None);
    }
    let epoch = row.int("epoch")?;
    let take = format!(
        "UPDATE ieum_bus_slot SET owner = ?, epoch = ?, lease_until = ? WHERE {OF_SLOT} AND epoch = ?"
    );
    let mut values = vec![owner.into(), (epoch + 1).into(), until.into()];
    values.extend(slot_values(slot));
    values.push(epoch.into());
    if store.execute(&take, &values).await? != 1 {
        return Ok(None);
    }
    // Only now: until the epoch rose the former owner could still move the position.
    let select = format!("SELECT position FROM ieum_bus_slot WHERE {OF_SLOT}");
    let position = store.fetch_one(&select, &slot_values(slot)).await?.int("position")?;
    Ok(Some(Lease { slot: slot.clone(), owner: owner.to_owned(), epoch: epoch + 1, position }))
}

pub(super) async fn renew(
    store: &Store,
    slot: &Slot,
    owner: &str,
    until: Timestamp,
) -> Result<BTreeSet<i64>, StoreError> {
    let (group, topic) = (slot.group.as_str(), slot.topic.as_str());
    let update = "UPDATE ieum_bus_slot SET lease_until = ? WHERE group_name = ? AND topic = ? AND owner = ?";
    store.execute(update, &[until.into(), group.into(), topic.into(), owner.into()]).await?;
    let select = "SELECT part FROM ieum_bus_slot WHERE group_name = ? AND topic = ? AND owner = ?";
    let rows = store.fetch_all(select, &[group.into(), topic.into(), owner.into()]).await?;
    rows.iter().map(|row| row.int("part")).collect()
}

pub(super) async fn release(store: &Store, lease: &Lease) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE ieum_bus_slot SET owner = '', lease_until = 0 WHERE {OF_SLOT} AND owner = ? AND epoch = ?"
    );
    let mut values = slot_values(&lease.slot);
    values.extend([lease.owner.as_str().into(), lease.epoch.into()]);
    store.execute(&sql, &values).await.map(drop)
}

pub(super) async fn advance(
    tx: &mut Transaction,
    lease: &Lease,
    position: i64,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE ieum_bus_slot SET position = ?, lease_until = ? WHERE {OF_SLOT} AND owner = ? AND epoch = ?"
    );
    let mut values = vec![position.into(), until.into()];
    values.extend(slot_values(&lease.slot));
    values.extend([lease.owner.as_str().into(), lease.epoch.into()]);
    Ok(tx.execute(&sql, &values).await? == 1)
}
