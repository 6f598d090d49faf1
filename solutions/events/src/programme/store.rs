//! Programmes in the tables: what changed is written, what vanished keeps its row and the time it was missed.

use std::collections::BTreeMap;

use ieum_contracts::events::{ProgrammeChange, RoomState, SlotState, SlotStatus};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, StoreError, Transaction};

use super::facts::{ListFact, ProgrammeFacts, hash_of};
use super::rules::{Scan, compare};
use crate::store::EventsStore;

/// Takes a whole programme in. The same one twice changes nothing.
pub async fn apply(
    tx: &mut Transaction,
    event_id: &str,
    facts: &ProgrammeFacts,
    now: Timestamp,
) -> Result<ProgrammeChange, StoreError> {
    replace_rooms(tx, event_id, facts).await?;
    let before = known_slots(tx, event_id).await?;
    let told: BTreeMap<String, String> =
        facts.slots.iter().map(|slot| (slot.id.clone(), hash_of(slot))).collect();
    let change = compare(event_id, &before, &told);
    let fresh = |id: &String| change.added.contains(id) || change.changed.contains(id);
    let rows: Vec<_> = facts
        .slots
        .iter()
        .filter(|slot| fresh(&slot.id))
        .map(|slot| {
            vec![
                event_id.into(),
                (&slot.id).into(),
                slot.room_id.clone().into(),
                (&slot.title).into(),
                slot.begins_at.into(),
                slot.ends_at.into(),
                slot.time_zone.clone().into(),
                slot.url.clone().into(),
                slot.cancelled.into(),
                told.get(&slot.id).cloned().into(),
                ieum_store::Value::Null,
            ]
        })
        .collect();
    let columns = [
        "event_id",
        "slot_id",
        "room_id",
        "title",
        "begins_at",
        "ends_at",
        "time_zone",
        "url",
        "cancelled",
        "hash",
        "gone_at",
    ];
    if !rows.is_empty() {
        let insert = Insert::into("ieum_events_slot").columns(columns).rows(rows);
        insert.or_update(["event_id", "slot_id"]).run_in(tx).await?;
    }
    for id in &change.gone {
        let sql = "UPDATE ieum_events_slot SET gone_at = ? WHERE event_id = ? AND slot_id = ?";
        tx.execute(sql, &[now.into(), event_id.into(), id.into()]).await?;
    }
    Ok(change)
}

/// Takes an event's check-in lists in, whole.
pub async fn replace_lists(
    tx: &mut Transaction,
    event_id: &str,
    lists: &[ListFact],
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM ieum_events_list WHERE event_id = ?", &[event_id.into()]).await?;
    let lists: BTreeMap<i64, &ListFact> = lists.iter().map(|list| (list.id, list)).collect();
    let rows: Vec<_> =
        lists.values().map(|list| vec![event_id.into(), list.id.into(), (&list.name).into()]).collect();
    if !rows.is_empty() {
        let insert = Insert::into("ieum_events_list").columns(["event_id", "list_id", "name"]).rows(rows);
        insert.run_in(tx).await?;
    }
    Ok(())
}

async fn replace_rooms(
    tx: &mut Transaction,
    event_id: &str,
    facts: &ProgrammeFacts,
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM ieum_events_room WHERE event_id = ?", &[event_id.into()]).await?;
    let rows: Vec<_> = facts
        .rooms
        .iter()
        .zip(0_i64..)
        .map(|(room, place)| {
            let capacity = room.capacity.map(i64::from);
            vec![event_id.into(), (&room.id).into(), (&room.name).into(), capacity.into(), place.into()]
        })
        .collect();
    if !rows.is_empty() {
        let columns = ["event_id", "room_id", "name", "capacity", "place"];
        Insert::into("ieum_events_room").columns(columns).rows(rows).run_in(tx).await?;
    }
    Ok(())
}

async fn known_slots(
    tx: &mut Transaction,
    event_id: &str,
) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    let sql = "SELECT slot_id, hash, gone_at FROM ieum_events_slot WHERE event_id = ?";
    let rows = tx.fetch_all(sql, &[event_id.into()]).await?;
    let slot = |row: &Row| {
        let standing = row.opt_int("gone_at")?.is_none();
        Ok((row.text("slot_id")?, Some(row.text("hash")?).filter(|_| standing)))
    };
    rows.iter().map(slot).collect()
}

impl EventsStore {
    /// Returns an event's rooms in the source's order, without attendance.
    pub async fn rooms(&self, event_id: &str) -> Result<Vec<RoomState>, Fault> {
        let sql = "SELECT room_id, name, capacity FROM ieum_events_room WHERE event_id = ? ORDER BY place";
        let rows = self.sql().fetch_all(sql, &[event_id.into()]).await?;
        rows.iter().map(|row| Ok(read_room(row)?)).collect()
    }

    /// Returns an event's slots by their beginning, without attendance; those gone are among them.
    pub async fn slots(&self, event_id: &str) -> Result<Vec<SlotState>, Fault> {
        let sql = "SELECT * FROM ieum_events_slot WHERE event_id = ? ORDER BY begins_at, slot_id";
        let rows = self.sql().fetch_all(sql, &[event_id.into()]).await?;
        rows.iter().map(|row| Ok(read_slot(row)?)).collect()
    }

    /// Returns an event's check-in lists, id and name.
    pub async fn lists(&self, event_id: &str) -> Result<Vec<(i64, String)>, Fault> {
        let sql = "SELECT list_id, name FROM ieum_events_list WHERE event_id = ? ORDER BY list_id";
        let rows = self.sql().fetch_all(sql, &[event_id.into()]).await?;
        rows.iter().map(|row| Ok((row.int("list_id")?, row.text("name")?))).collect()
    }

    /// Returns the scans of one check-in list that count: of tickets that are paid, or pass as if they were, and not
    /// cancelled. Those of others the source does not count at that list either.
    pub async fn scans(&self, event_id: &str, list_id: i64) -> Result<Vec<Scan>, Fault> {
        let sql = "SELECT c.position_id, c.scanned_at, c.is_exit FROM ieum_events_checkin c \
                   JOIN ieum_events_order_position p ON p.event_id = c.event_id AND p.position_id = c.position_id \
                   WHERE c.event_id = ? AND c.list_id = ? AND p.canceled = ? \
                   AND (p.order_status = 'p' OR (p.order_status = 'n' AND p.valid_if_pending = ?))";
        let values = [event_id.into(), list_id.into(), false.into(), true.into()];
        let rows = self.sql().fetch_all(sql, &values).await?;
        let scan = |row: &Row| {
            Ok(Scan {
                position_id: row.int("position_id")?,
                at: Timestamp::from_micros(row.int("scanned_at")?),
                is_exit: row.bool("is_exit")?,
            })
        };
        rows.iter().map(scan).collect()
    }

    /// Forgets slots that were missed before `before`.
    pub async fn drop_gone_slots(&self, event_id: &str, before: Timestamp) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_events_slot WHERE event_id = ? AND gone_at < ?";
        self.sql().execute(sql, &[event_id.into(), before.into()]).await?;
        Ok(())
    }
}

fn read_room(row: &Row) -> Result<RoomState, StoreError> {
    Ok(RoomState {
        room_id: row.text("room_id")?,
        name: row.text("name")?,
        capacity: row.opt_int("capacity")?.and_then(|capacity| u32::try_from(capacity).ok()),
        checkin_list: None,
        inside: None,
        checked_in: None,
    })
}

fn read_slot(row: &Row) -> Result<SlotState, StoreError> {
    let status = match (row.opt_int("gone_at")?, row.bool("cancelled")?) {
        (Some(_), _) => SlotStatus::Gone,
        (None, true) => SlotStatus::Cancelled,
        (None, false) => SlotStatus::Planned,
    };
    Ok(SlotState {
        slot_id: row.text("slot_id")?,
        room_id: row.opt_text("room_id")?,
        title: row.text("title")?,
        begins_at: Timestamp::from_micros(row.int("begins_at")?),
        ends_at: Timestamp::from_micros(row.int("ends_at")?),
        time_zone: row.opt_text("time_zone")?,
        status,
        url: row.opt_text("url")?,
        attended: None,
        fill: None,
    })
}
