//! Keeps the ledger in step with the facts that pages bring: the tickets a page touches are looked at before and
//! after it, and the difference is booked.

use std::collections::{BTreeMap, BTreeSet};

use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, StoreError, Transaction, Value};

use super::ledger::{Counts, Pass};
use super::tally::{self, Basis, MOST_VALUES, Tally};
use super::{scans, tally::GateTotal};
use crate::apply;
use crate::facts::{Batch, CheckinFact, Profile, Totals};

/// Scans read at once while a ledger is made.
const PAGE: usize = 20_000;

/// The tickets that a page touches, as they were before it.
pub struct Look {
    tally: Tally,
    positions: Vec<i64>,
    totals: Totals,
    counts: Counts,
}

impl Look {
    /// Looks at what the page touches; `None` where there is no ledger to keep.
    pub async fn before(tx: &mut Transaction, event_id: &str, batch: &Batch) -> Result<Option<Self>, Fault> {
        let Some(tally) = tally::fetch(tx, event_id).await? else { return Ok(None) };
        if tally.basis.pushed {
            return Ok(None);
        }
        let positions: Vec<i64> = touched(tx, event_id, batch).await?.into_iter().collect();
        let (totals, counts) = look(tx, event_id, &tally.basis, &positions).await?;
        Ok(Some(Self { tally, positions, totals, counts }))
    }

    /// Books what the page changed. Called once it is in the tables.
    pub async fn settle(self, tx: &mut Transaction, event_id: &str) -> Result<(), Fault> {
        let Self { mut tally, positions, totals, counts } = self;
        let (after, counted) = look(tx, event_id, &tally.basis, &positions).await?;
        let change = counted.since(counts);
        if change.is_empty() && after == totals {
            return Ok(());
        }
        let moved = |all: u64, after: u64, before: u64| (all + after).saturating_sub(before);
        tally.totals = Totals {
            registered: moved(tally.totals.registered, after.registered, totals.registered),
            checked_in: moved(tally.totals.checked_in, after.checked_in, totals.checked_in),
            inside: moved(tally.totals.inside, after.inside, totals.inside),
        };
        tally::add(tx, event_id, &mut tally, &change).await?;
        tally::save(tx, event_id, &tally).await
    }
}

/// Returns an event's tally as `profile` counts, made anew where the one there counts otherwise.
pub async fn current(tx: &mut Transaction, event_id: &str, profile: &Profile) -> Result<Tally, Fault> {
    let basis = Basis::of(profile);
    let mut tally = match tally::fetch(tx, event_id).await? {
        Some(tally) if tally.basis == basis => tally,
        _ => make(tx, event_id, basis).await?,
    };
    if let Some(registered) = profile.pushed {
        tally.totals.registered = registered;
    }
    Ok(tally)
}

async fn make(tx: &mut Transaction, event_id: &str, basis: Basis) -> Result<Tally, Fault> {
    tally::forget(tx, event_id).await?;
    let mut tally = Tally { basis, totals: Totals::default(), entered: 0, left: 0 };
    let counts = if tally.basis.pushed {
        let counts = scans::count_all(tx, event_id).await?;
        tally.totals.checked_in = u64::try_from(counts.came).unwrap_or(0);
        tally.totals.inside = u64::try_from(counts.inside).unwrap_or(0);
        counts
    } else {
        tally.totals = apply::count(tx, event_id, &tally.basis.profile(), None).await?;
        count_all(tx, event_id, tally.basis.list_id).await?
    };
    tally::add(tx, event_id, &mut tally, &counts).await?;
    tally::save(tx, event_id, &tally).await?;
    tracing::debug!(
        event_id,
        entered = tally.entered,
        left = tally.left,
        "the ledger of the gates is made anew"
    );
    Ok(tally)
}

/// Returns the tickets that a page touches, those it takes scans or places from included.
async fn touched(tx: &mut Transaction, event_id: &str, batch: &Batch) -> Result<BTreeSet<i64>, StoreError> {
    let positions = || batch.orders.iter().flat_map(|order| &order.positions);
    let scans: Vec<&CheckinFact> =
        positions().flat_map(|position| &position.checkins).chain(&batch.checkins).collect();
    let mut touched: BTreeSet<i64> = positions().map(|position| position.id).collect();
    touched.extend(scans.iter().map(|scan| scan.position_id));
    let codes = batch.orders.iter().map(|order| &order.code).chain(&batch.gone_orders);
    let codes: Vec<Value> = codes.map(Value::from).collect();
    touched.extend(positions_of(tx, event_id, "ieum_events_order_position", "order_code", &codes).await?);
    let ids = scans.iter().map(|scan| scan.id).chain(batch.void_checkins.iter().copied());
    let ids: Vec<Value> = ids.map(Value::from).collect();
    touched.extend(positions_of(tx, event_id, "ieum_events_checkin", "checkin_id", &ids).await?);
    Ok(touched)
}

async fn positions_of(
    tx: &mut Transaction,
    event_id: &str,
    table: &str,
    column: &str,
    values: &[Value],
) -> Result<Vec<i64>, StoreError> {
    let mut positions = Vec::new();
    for values in values.chunks(MOST_VALUES) {
        let holes = vec!["?"; values.len()].join(", ");
        let sql = format!("SELECT position_id FROM {table} WHERE event_id = ? AND {column} IN ({holes})");
        let all: Vec<Value> = std::iter::once(event_id.into()).chain(values.iter().cloned()).collect();
        for row in tx.fetch_all(&sql, &all).await? {
            positions.push(row.int("position_id")?);
        }
    }
    Ok(positions)
}

/// Counts some tickets alone.
async fn look(
    tx: &mut Transaction,
    event_id: &str,
    basis: &Basis,
    positions: &[i64],
) -> Result<(Totals, Counts), Fault> {
    let profile = basis.profile();
    let (mut totals, mut counts) = (Totals::default(), Counts::default());
    for positions in positions.chunks(MOST_VALUES) {
        let part = apply::count(tx, event_id, &profile, Some(positions)).await?;
        totals.registered += part.registered;
        totals.checked_in += part.checked_in;
        totals.inside += part.inside;
        let holes = vec!["?"; positions.len()].join(", ");
        let sql = format!(
            "SELECT position_id, gate, is_exit, scanned_at FROM ieum_events_checkin \
             WHERE event_id = ? AND list_id = ? AND position_id IN ({holes})"
        );
        let mut values: Vec<Value> = vec![event_id.into(), basis.list_id.into()];
        values.extend(positions.iter().map(|position| Value::from(*position)));
        for passes in by_ticket(&tx.fetch_all(&sql, &values).await?)?.into_values() {
            counts.add_ticket(passes);
        }
    }
    Ok((totals, counts))
}

fn by_ticket(rows: &[Row]) -> Result<BTreeMap<i64, Vec<Pass>>, StoreError> {
    let mut tickets: BTreeMap<i64, Vec<Pass>> = BTreeMap::new();
    for row in rows {
        let pass = Pass {
            gate: row.opt_text("gate")?.unwrap_or_default(),
            is_exit: row.bool("is_exit")?,
            at: Timestamp::from_micros(row.int("scanned_at")?),
        };
        tickets.entry(row.int("position_id")?).or_default().push(pass);
    }
    Ok(tickets)
}

/// Counts every ticket of a list, some thousand scans at a time.
async fn count_all(tx: &mut Transaction, event_id: &str, list_id: i64) -> Result<Counts, StoreError> {
    let sql = format!(
        "SELECT position_id, gate, is_exit, scanned_at FROM ieum_events_checkin \
         WHERE event_id = ? AND list_id = ? AND position_id > ? ORDER BY position_id LIMIT {PAGE}"
    );
    let (mut counts, mut after) = (Counts::default(), i64::MIN);
    loop {
        let rows = tx.fetch_all(&sql, &[event_id.into(), list_id.into(), after.into()]).await?;
        let mut tickets = by_ticket(&rows)?;
        // The last ticket of a full page may go on beyond it.
        if rows.len() == PAGE && tickets.len() > 1 {
            tickets.pop_last();
        }
        let Some(last) = tickets.keys().next_back().copied() else { return Ok(counts) };
        for passes in tickets.into_values() {
            counts.add_ticket(passes);
        }
        after = last;
    }
}

/// Returns the gate's name for people.
pub fn name_of(gate: &GateTotal, profile: &Profile) -> String {
    if gate.gate.is_empty() { profile.list_name.clone() } else { gate.gate.clone() }
}

#[cfg(test)]
mod tests;
