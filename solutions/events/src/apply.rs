//! Takes a page of facts into the tables, and counts people from what the tables then hold.

use std::collections::{BTreeMap, BTreeSet};

use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, StoreError, Transaction, Value};

use crate::facts::{Batch, CheckinFact, OrderFacts, Profile, Totals};
use crate::gates::book::{self, Look};
use crate::gates::{crowd, tally};
use crate::rules::Figures;

/// Ids per `IN (…)`.
const MOST_IDS: usize = 500;

/// Returns how many rows a page holds.
pub fn rows(batch: &Batch) -> u64 {
    let positions: usize = batch.orders.iter().map(|order| order.positions.len()).sum();
    let figures = usize::from(batch.figures.is_some());
    let slots = batch.programme.as_ref().map_or(0, |programme| programme.slots.len());
    (batch.orders.len() + positions + batch.checkins.len() + batch.void_checkins.len() + figures + slots)
        as u64
}

/// Returns how many of the page's scans are not in the tables yet.
pub async fn new_scans(tx: &mut Transaction, event_id: &str, batch: &Batch) -> Result<u64, StoreError> {
    let positions = batch.orders.iter().flat_map(|order| &order.positions);
    let within = positions.flat_map(|position| &position.checkins);
    let ids: BTreeSet<i64> = within.chain(&batch.checkins).map(|checkin| checkin.id).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut new = ids.len() as u64;
    for ids in ids.chunks(MOST_IDS) {
        let holes = vec!["?"; ids.len()].join(", ");
        let sql = format!(
            "SELECT COUNT(*) AS known FROM ieum_events_checkin WHERE event_id = ? AND checkin_id IN ({holes})"
        );
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(ids.iter().map(|id| Value::from(*id)));
        let known = tx.fetch_one(&sql, &values).await?.int("known")?;
        new = new.saturating_sub(u64::try_from(known).unwrap_or(0));
    }
    Ok(new)
}

/// Takes the page's facts into the tables, and books what they change. The same page twice changes nothing.
pub async fn apply(
    tx: &mut Transaction,
    event_id: &str,
    generation: i64,
    batch: &Batch,
) -> Result<(), Fault> {
    let look = Look::before(tx, event_id, batch).await?;
    replace_orders(tx, event_id, generation, batch).await?;
    for code in batch.leaving() {
        drop_order(tx, event_id, code).await?;
    }
    insert_checkins(tx, event_id, generation, &batch.checkins).await?;
    delete_ids(tx, "ieum_events_checkin", "checkin_id", event_id, &batch.void_checkins).await?;
    match look {
        Some(look) => look.settle(tx, event_id).await,
        None => Ok(()),
    }
}

/// Drops facts that a complete sync of `generation` did not find.
pub async fn drop_older(tx: &mut Transaction, event_id: &str, generation: i64) -> Result<u64, StoreError> {
    let mut dropped = 0;
    for table in ["ieum_events_order_position", "ieum_events_checkin"] {
        let sql = format!("DELETE FROM {table} WHERE event_id = ? AND generation < ?");
        dropped += tx.execute(&sql, &[event_id.into(), generation.into()]).await?;
    }
    if dropped > 0 {
        tally::forget(tx, event_id).await?;
    }
    Ok(dropped)
}

/// Counts people as the check-in list's own status does; with `only`, those tickets alone.
pub async fn count(
    tx: &mut Transaction,
    event_id: &str,
    profile: &Profile,
    only: Option<&[i64]>,
) -> Result<Totals, StoreError> {
    let mut values: Vec<Value> = vec![false.into(), true.into(), event_id.into(), profile.list_id.into()];
    let mut counts = "p.event_id = ? AND p.canceled = ?".to_owned();
    let mut scanned = String::new();
    let holes = only.map(|only| vec!["?"; only.len()].join(", "));
    if let (Some(only), Some(holes)) = (only, &holes) {
        scanned = format!(" AND position_id IN ({holes})");
        values.extend(only.iter().map(|position| Value::from(*position)));
    }
    values.extend([event_id.into(), false.into()]);
    if let (Some(only), Some(holes)) = (only, &holes) {
        counts += &format!(" AND p.position_id IN ({holes})");
        values.extend(only.iter().map(|position| Value::from(*position)));
    }
    counts += if profile.include_pending {
        " AND p.order_status IN ('p', 'n')"
    } else {
        values.push(true.into());
        " AND (p.order_status = 'p' OR (p.order_status = 'n' AND p.valid_if_pending = ?))"
    };
    if let Some(subevent) = profile.subevent {
        counts += " AND p.subevent = ?";
        values.push(subevent.into());
    }
    if let Some(items) = &profile.items {
        // An empty list of products counts nobody; no product has the id -1.
        counts += &format!(" AND p.item IN ({})", vec!["?"; items.len().max(1)].join(", "));
        values.extend(items.iter().map(|item| Value::from(*item)));
        if items.is_empty() {
            values.push((-1_i64).into());
        }
    }
    let sql = format!(
        "SELECT COUNT(*) AS registered, COUNT(c.last_entry) AS checked_in, COUNT(CASE WHEN c.last_entry IS NOT NULL \
         AND (c.last_exit IS NULL OR c.last_exit < c.last_entry) THEN 1 END) AS inside \
         FROM ieum_events_order_position p LEFT JOIN (SELECT position_id, \
         MAX(CASE WHEN is_exit = ? THEN scanned_at END) AS last_entry, \
         MAX(CASE WHEN is_exit = ? THEN scanned_at END) AS last_exit \
         FROM ieum_events_checkin WHERE event_id = ? AND list_id = ?{scanned} GROUP BY position_id) c \
         ON c.position_id = p.position_id WHERE {counts}"
    );
    let row = tx.fetch_one(&sql, &values).await?;
    let number = |name: &str| Ok::<_, StoreError>(u64::try_from(row.int(name)?).unwrap_or(0));
    Ok(Totals {
        registered: number("registered")?,
        checked_in: number("checked_in")?,
        inside: number("inside")?,
    })
}

/// Returns the event's figures from the ledger, or from `override_totals` where the facts are known to differ.
pub async fn figures(
    tx: &mut Transaction,
    event_id: &str,
    profile: &Profile,
    override_totals: Option<Totals>,
    now: Timestamp,
) -> Result<(Figures, tally::Tally), Fault> {
    let tally = book::current(tx, event_id, profile).await?;
    let totals = override_totals.unwrap_or(tally.totals);
    let gates = crowd::gates(tx, event_id, profile, now).await?;
    let figures = Figures {
        event_name: Some(profile.event_name.clone()).filter(|name| !name.is_empty()),
        total_registered: totals.registered,
        checked_in: totals.checked_in,
        current_attendees: totals.inside,
        gates: gates.into_iter().map(crowd::activity).collect(),
        alerts: Vec::new(),
        status: profile.status(totals.inside, now),
    };
    Ok((figures, tally))
}

async fn replace_orders(
    tx: &mut Transaction,
    event_id: &str,
    generation: i64,
    batch: &Batch,
) -> Result<(), StoreError> {
    let orders: Vec<&OrderFacts> = batch.standing().collect();
    // A ticket stands once even where a split order shows it twice on a page: the later order has it.
    let mut positions = BTreeMap::new();
    let mut checkins = Vec::new();
    for order in &orders {
        for position in &order.positions {
            positions.insert(position.id, (*order, position));
            checkins.extend(position.checkins.iter().cloned());
        }
    }
    for codes in orders.chunks(MOST_IDS) {
        let holes = vec!["?"; codes.len()].join(", ");
        let sql =
            format!("DELETE FROM ieum_events_order_position WHERE event_id = ? AND order_code IN ({holes})");
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(codes.iter().map(|order| Value::from(&order.code)));
        tx.execute(&sql, &values).await?;
    }
    let ids: Vec<i64> = positions.keys().copied().collect();
    if !batch.scans_apart {
        delete_ids(tx, "ieum_events_checkin", "position_id", event_id, &ids).await?;
    }
    let rows = positions.values().map(|(order, position)| {
        vec![
            event_id.into(),
            position.id.into(),
            (&order.code).into(),
            (&order.status).into(),
            order.valid_if_pending.into(),
            position.item.into(),
            position.subevent.into(),
            position.canceled.into(),
            generation.into(),
        ]
    });
    let columns = [
        "event_id",
        "position_id",
        "order_code",
        "order_status",
        "valid_if_pending",
        "item",
        "subevent",
        "canceled",
        "generation",
    ];
    if !ids.is_empty() {
        let insert =
            Insert::into("ieum_events_order_position").columns(columns).rows(rows.collect::<Vec<_>>());
        insert.or_update(["event_id", "position_id"]).run_in(tx).await?;
    }
    insert_checkins(tx, event_id, generation, &checkins).await
}

async fn insert_checkins(
    tx: &mut Transaction,
    event_id: &str,
    generation: i64,
    checkins: &[CheckinFact],
) -> Result<(), StoreError> {
    if checkins.is_empty() {
        return Ok(());
    }
    let unique: BTreeMap<i64, &CheckinFact> = checkins.iter().map(|checkin| (checkin.id, checkin)).collect();
    let rows = unique.values().map(|checkin| {
        vec![
            event_id.into(),
            checkin.id.into(),
            checkin.position_id.into(),
            checkin.list_id.into(),
            checkin.is_exit.into(),
            checkin.scanned_at.into(),
            checkin.gate.clone().into(),
            generation.into(),
        ]
    });
    let columns =
        ["event_id", "checkin_id", "position_id", "list_id", "is_exit", "scanned_at", "gate", "generation"];
    let insert = Insert::into("ieum_events_checkin").columns(columns).rows(rows.collect::<Vec<_>>());
    insert.or_update(["event_id", "checkin_id"]).run_in(tx).await?;
    Ok(())
}

async fn drop_order(tx: &mut Transaction, event_id: &str, code: &str) -> Result<(), StoreError> {
    let sql = "SELECT position_id FROM ieum_events_order_position WHERE event_id = ? AND order_code = ?";
    let rows = tx.fetch_all(sql, &[event_id.into(), code.into()]).await?;
    let ids = rows.iter().map(|row| row.int("position_id")).collect::<Result<Vec<_>, _>>()?;
    delete_ids(tx, "ieum_events_checkin", "position_id", event_id, &ids).await?;
    delete_ids(tx, "ieum_events_order_position", "position_id", event_id, &ids).await
}

async fn delete_ids(
    tx: &mut Transaction,
    table: &str,
    column: &str,
    event_id: &str,
    ids: &[i64],
) -> Result<(), StoreError> {
    for ids in ids.chunks(MOST_IDS) {
        let holes = vec!["?"; ids.len()].join(", ");
        let sql = format!("DELETE FROM {table} WHERE event_id = ? AND {column} IN ({holes})");
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(ids.iter().map(|id| Value::from(*id)));
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}
