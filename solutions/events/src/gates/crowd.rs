//! How many people are inside, out of the ledger.

use std::time::Duration;

use ieum_contracts::events::{GateActivity, GateNow, Occupancy, OccupancyMethod};
use ieum_core::{Fault, Timestamp};
use ieum_store::{StoreError, Transaction};

use super::book::name_of;
use super::ledger::{MINUTE, minute_of};
use super::occupancy::estimate;
use super::tally::{self, Tally};
use crate::facts::Profile;

/// A gate's throughput is its mean over the present minute and this many before.
const MINUTES_BEFORE: i64 = 4;

/// A gate without a scan for this long counts as idle.
const IDLE_AFTER: Duration = Duration::from_secs(900);

/// Returns the occupancy, without a capacity.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "people"
)]
pub async fn occupancy(
    tx: &mut Transaction,
    event_id: &str,
    profile: &Profile,
    tally: &Tally,
    grace_minutes: u32,
    now: Timestamp,
) -> Result<Occupancy, Fault> {
    let counted = tally.entered - tally.left;
    let entered = u64::try_from(tally.entered).unwrap_or(0);
    let plain = |people: u64, method| Occupancy {
        counted,
        estimated: people,
        low: 0,
        high: if method == OccupancyMethod::Ended { 0 } else { entered },
        capacity: None,
        share: None,
        checkout_rate: None,
        method,
    };
    let grace = Duration::from_secs(u64::from(grace_minutes) * 60);
    if profile.ends_at.is_some_and(|end| end + grace < now) {
        return Ok(plain(0, OccupancyMethod::Ended));
    }
    let stays = tally::stays(tx, event_id, now).await?;
    let open: f64 = stays.open.iter().sum();
    let matched = stays.closed.iter().chain(&stays.open).chain(&stays.missed).sum::<f64>();
    if matched <= 0.0 && entered > 0 {
        let people = u64::try_from(counted).unwrap_or(0).min(entered);
        return Ok(plain(people, OccupancyMethod::Counted));
    }
    let found = estimate(&stays);
    // Heads that name no ticket join in as entries minus exits.
    let heads = if tally.basis.pushed { (tally.totals.inside as f64 - open).max(0.0) } else { 0.0 };
    let people = |number: f64| ((number + heads).round() as u64).min(entered);
    Ok(Occupancy {
        counted,
        estimated: people(found.inside),
        low: people(found.low),
        high: people(found.high),
        capacity: None,
        share: None,
        checkout_rate: found.checkout_rate.map(|rate| (rate * 1_000.0).round() / 1_000.0),
        method: found.method,
    })
}

/// Puts a capacity beside an occupancy.
#[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
pub fn with_capacity(mut occupancy: Occupancy, capacity: Option<u64>) -> Occupancy {
    occupancy.capacity = capacity;
    occupancy.share = capacity.filter(|capacity| *capacity > 0).map(|capacity| {
        let share = occupancy.estimated as f64 / capacity as f64;
        (share * 10_000.0).round() / 10_000.0
    });
    occupancy
}

/// Returns every gate as it stands, ordered by its name.
pub async fn gates(
    tx: &mut Transaction,
    event_id: &str,
    profile: &Profile,
    now: Timestamp,
) -> Result<Vec<GateNow>, StoreError> {
    let present = minute_of(now);
    let first = present - MINUTES_BEFORE;
    let recent = tally::minutes(tx, event_id, first, present + 1).await?;
    #[allow(clippy::cast_precision_loss, reason = "a few minutes")]
    let span = (now.as_micros() - first * MINUTE) as f64 / MINUTE as f64;
    #[allow(clippy::cast_precision_loss, reason = "people per minute stay far below 2^52")]
    let rate = |people: i64| (people as f64 / span * 10.0).round() / 10.0;
    let totals = tally::totals(tx, event_id).await?;
    let gate = |total: &tally::GateTotal| {
        let own = || recent.iter().filter(|row| row.gate == total.gate);
        let idle = now.since(total.last_at) >= IDLE_AFTER;
        GateNow {
            gate_id: name_of(total, profile),
            status: if idle { "idle" } else { "open" }.to_owned(),
            entered: u64::try_from(total.entered).unwrap_or(0),
            left: u64::try_from(total.left).unwrap_or(0),
            in_per_minute: rate(own().map(|row| row.entered).sum()),
            out_per_minute: rate(own().map(|row| row.left).sum()),
            last_scan_at: Some(total.last_at),
        }
    };
    Ok(totals.iter().map(gate).collect())
}

/// Returns a gate in the short form of the live state.
pub fn activity(gate: GateNow) -> GateActivity {
    let throughput = ((gate.in_per_minute + gate.out_per_minute) * 10.0).round() / 10.0;
    GateActivity { gate_id: gate.gate_id, status: gate.status, throughput }
}
