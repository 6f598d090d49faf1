//! Watches an event's crowd and gates whenever its state is renewed, and says which alerts begin and end.

use ieum_contracts::events::{
    EventAlert, EventServiceConfig, NormalizedEventData, Occupancy, OccupancyMethod,
};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, StoreError, Transaction};

use super::alerts::{Change, LOOK_BACK, Memory, Raised, anomalies};
use super::ledger::minute_of;
use super::tally::{self, Tally};
use super::{CAPACITY, GRACE_MINUTES, crowd};
use crate::facts::Profile;
use crate::programme::ATTENDED_BY;
use crate::store::{broken, read_config};

/// Alerts that begin or end, for the bus.
#[derive(Debug, Default)]
pub struct Told {
    /// Alerts that begin.
    pub raised: Vec<EventAlert>,
    /// Alerts that end.
    pub cleared: Vec<EventAlert>,
    /// People inside.
    pub occupancy: Option<Occupancy>,
    /// The newest scan.
    pub newest: Option<Timestamp>,
}

/// Puts the alerts that stand into `state`, and returns those that begin or end. What was raised is kept in the
/// same transaction.
pub async fn watch(
    tx: &mut Transaction,
    config: &EventServiceConfig,
    counted: Option<(&Profile, &Tally)>,
    state: &mut NormalizedEventData,
    now: Timestamp,
) -> Result<Told, Fault> {
    let event_id = config.event_id.as_str();
    let capacity = capacity(tx, config).await?;
    let mut memory = read_memory(tx, event_id).await?;
    let before = memory.clone();
    let mut newest = None;
    let (occupancy, found) = match counted {
        Some((profile, tally)) => {
            let occupancy = crowd::occupancy(tx, event_id, profile, tally, grace(config), now).await?;
            let gates = tally::totals(tx, event_id).await?;
            newest = gates.iter().map(|gate| gate.last_at).max();
            let present = minute_of(now);
            let found = match memory.found_in(present) {
                Some(found) => found,
                None => {
                    let minutes = tally::minutes(tx, event_id, present - LOOK_BACK, present + 1).await?;
                    memory.look(present);
                    anomalies(&gates, &minutes, now)
                }
            };
            (occupancy, found)
        }
        None => (told_by(state), Vec::new()),
    };
    let occupancy = crowd::with_capacity(occupancy, capacity);
    let share = occupancy.share;
    let Change { raised, cleared, shown } = memory.change(share, found, now);
    if memory != before {
        save_memory(tx, event_id, &memory).await?;
    }
    if share.is_some() {
        // With a capacity the share of people registered says nothing more.
        state.alerts.retain(|alert| !alert.kind.starts_with("capacity."));
    }
    state.alerts.extend(shown);
    let alert = |raised: Raised| EventAlert {
        event_id: event_id.to_owned(),
        alert: raised.alert,
        gate_id: raised.gate,
        at: now,
    };
    Ok(Told {
        raised: raised.into_iter().map(alert).collect(),
        cleared: cleared.into_iter().map(alert).collect(),
        occupancy: Some(occupancy),
        newest,
    })
}

/// The occupancy of a source that counts its people itself.
pub fn told_by(state: &NormalizedEventData) -> Occupancy {
    let inside = state.metrics.current_attendees;
    Occupancy {
        counted: i64::try_from(inside).unwrap_or(i64::MAX),
        estimated: inside,
        low: inside,
        high: inside,
        capacity: None,
        share: None,
        checkout_rate: None,
        method: OccupancyMethod::Told,
    }
}

/// Returns for how long after an event's end people may still be inside, minutes.
pub fn grace(config: &EventServiceConfig) -> u32 {
    config.options.get(GRACE_MINUTES).and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// Returns how many people fit in: as the options say, else as the rooms of the programme do together, where each
/// of them tells.
pub async fn capacity(tx: &mut Transaction, config: &EventServiceConfig) -> Result<Option<u64>, Fault> {
    if let Some(capacity) = config.options.get(CAPACITY).and_then(|text| text.parse().ok()) {
        return Ok(Some(capacity));
    }
    if let Some(capacity) = rooms(tx, &config.event_id).await? {
        return Ok(Some(capacity));
    }
    let pattern = format!("%\"{ATTENDED_BY}\":%");
    let sql = "SELECT config FROM ieum_events_source WHERE removed = ? AND config LIKE ?";
    for row in tx.fetch_all(sql, &[false.into(), pattern.into()]).await? {
        let other = read_config(&row)?;
        if other.options.get(ATTENDED_BY) == Some(&config.event_id) {
            return Ok(rooms(tx, &other.event_id).await?);
        }
    }
    Ok(None)
}

async fn rooms(tx: &mut Transaction, event_id: &str) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT capacity FROM ieum_events_room WHERE event_id = ?";
    let rows = tx.fetch_all(sql, &[event_id.into()]).await?;
    let seats = |row: &Row| Ok(row.opt_int("capacity")?.and_then(|seats| u64::try_from(seats).ok()));
    let seats = rows.iter().map(seats).collect::<Result<Option<Vec<u64>>, StoreError>>()?;
    Ok(seats.filter(|seats| !seats.is_empty()).map(|seats| seats.iter().sum()))
}

async fn read_memory(tx: &mut Transaction, event_id: &str) -> Result<Memory, Fault> {
    let sql = "SELECT memory FROM ieum_events_watch WHERE event_id = ?";
    let Some(row) = tx.fetch_optional(sql, &[event_id.into()]).await? else { return Ok(Memory::default()) };
    serde_json::from_str(&row.text("memory")?).map_err(|error| broken("memory", &error))
}

async fn save_memory(tx: &mut Transaction, event_id: &str, memory: &Memory) -> Result<(), Fault> {
    let json = serde_json::to_string(memory).map_err(|error| broken("memory", &error))?;
    let sql = tx.dialect().upsert("ieum_events_watch", &["event_id"], &["memory"]);
    tx.execute(&sql, &[event_id.into(), json.into()]).await?;
    Ok(())
}
