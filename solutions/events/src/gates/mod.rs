//! Gates: who went in and out where, how many are inside, and which alerts follow from that.
//!
//! Scans are booked in a ledger (`ledger`, `tally`), so that one more scan costs the same however many there
//! are. The estimate of people inside ([`occupancy`]) and the alerts ([`alerts`]) read the ledger and no scans.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_contracts::events::{
    ConnectorKind, EventGates, EventGatesNow, EventId, EventServiceConfig, GateFlow, GateFlowRange,
    GateFlowRow, GateNow, GateScans, GateScansTaken, SourcePhase,
};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_store::Transaction;

use self::ledger::{MINUTE, minute_of};
use self::renewals::Renewals;
use self::tally::{Basis, Tally};
use crate::collector::Reading;
use crate::connector::invalid;
use crate::facts::Profile;
use crate::intake::{Way, count_scans};
use crate::realtime::unknown_event;
use crate::store::{EventsStore, Source, unknown_source};
use crate::{cursor, states};

pub mod alerts;
pub(crate) mod book;
pub(crate) mod crowd;
pub mod ledger;
pub mod occupancy;
mod post;
pub(crate) mod renewals;
pub(crate) mod scans;
pub(crate) mod tables;
pub(crate) mod tally;
pub(crate) mod watch;
pub(crate) mod web;

/// The option that says how many people fit in.
pub const CAPACITY: &str = "capacity";

/// The option that says for how long after the end people may still be inside, minutes.
pub const GRACE_MINUTES: &str = "graceMinutes";

/// The longest flow in one answer.
const MOST_STEPS: i64 = 10_000;
const LONGEST_RANGE: Duration = Duration::from_secs(31 * 86_400);

/// Answers `events.gates`.
pub struct Gates {
    store: EventsStore,
    renewals: Arc<Renewals>,
    clock: SharedClock,
}

impl Gates {
    /// Makes the gates over the hub's tables.
    pub(crate) fn new(store: EventsStore, renewals: Arc<Renewals>, clock: SharedClock) -> Self {
        Self { store, renewals, clock }
    }

    async fn source(&self, event_id: &str) -> Result<Source, Fault> {
        self.store.source(event_id).await.map_err(|fault| {
            if fault.reason == "events.source.unknown" { unknown_event(event_id) } else { fault }
        })
    }

    /// Counts what the ledger holds; made first where it is not there.
    async fn counted(&self, config: &EventServiceConfig, profile: &Profile) -> Result<EventGatesNow, Fault> {
        let event_id = config.event_id.as_str();
        let mut tx = self.store.sql().begin_read().await?;
        let there = tally::fetch(&mut tx, event_id).await?;
        if there.is_none_or(|tally| tally.basis != Basis::of(profile)) {
            tx.rollback().await?;
            tx = self.store.sql().begin_write().await?;
            cursor::fetch_cursor(&mut tx, event_id).await?;
        }
        let tally = book::current(&mut tx, event_id, profile).await?;
        let now = self.look(&mut tx, config, profile, &tally).await?;
        tx.commit().await?;
        Ok(now)
    }

    async fn look(
        &self,
        tx: &mut Transaction,
        config: &EventServiceConfig,
        profile: &Profile,
        tally: &Tally,
    ) -> Result<EventGatesNow, Fault> {
        let (event_id, at) = (config.event_id.as_str(), self.clock.now());
        let gates = crowd::gates(tx, event_id, profile, at).await?;
        let occupancy = crowd::occupancy(tx, event_id, profile, tally, watch::grace(config), at).await?;
        let occupancy = crowd::with_capacity(occupancy, watch::capacity(tx, config).await?);
        Ok(EventGatesNow { event_id: event_id.to_owned(), at, gates, occupancy })
    }

    /// What a source tells that counts its people itself.
    async fn told(&self, config: &EventServiceConfig) -> Result<EventGatesNow, Fault> {
        let event_id = config.event_id.as_str();
        let mut tx = self.store.sql().begin_read().await?;
        let state = states::fetch_state(&mut tx, event_id).await?.ok_or_else(|| unknown_event(event_id))?;
        let capacity = watch::capacity(&mut tx, config).await?;
        tx.rollback().await?;
        let occupancy = crowd::with_capacity(watch::told_by(&state), capacity);
        let gate = |gate: ieum_contracts::events::GateActivity| GateNow {
            gate_id: gate.gate_id,
            status: gate.status,
            entered: 0,
            left: 0,
            in_per_minute: gate.throughput,
            out_per_minute: 0.0,
            last_scan_at: None,
        };
        let gates = state.metrics.gate_activity.into_iter().map(gate).collect();
        Ok(EventGatesNow { event_id: event_id.to_owned(), at: state.timestamp, gates, occupancy })
    }
}

#[async_trait]
impl EventGates for Gates {
    async fn get(&self, _: &Cx, ask: EventId) -> Result<EventGatesNow, Fault> {
        let source = self.source(&ask.event_id).await?;
        match self.store.cursor(&ask.event_id).await?.profile {
            Some(profile) => self.counted(&source.config, &profile).await,
            None => self.told(&source.config).await,
        }
    }

    async fn flow(&self, _: &Cx, ask: GateFlowRange) -> Result<GateFlow, Fault> {
        let range = Range::of(&ask, self.clock.now())?;
        let source = self.source(&ask.event_id).await?;
        let profile = self.store.cursor(&ask.event_id).await?.profile.unwrap_or_default();
        let mut tx = self.store.sql().begin_read().await?;
        let minutes = tally::minutes(&mut tx, &source.config.event_id, range.from, range.until).await?;
        tx.rollback().await?;
        let mut steps: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
        for row in minutes {
            let gate = if row.gate.is_empty() { profile.list_name.clone() } else { row.gate };
            let step = steps.entry((row.minute.div_euclid(range.step) * range.step, gate)).or_default();
            step.0 += row.entered;
            step.1 += row.left;
        }
        let people = |number: i64| u64::try_from(number).unwrap_or(0);
        let row = |((minute, gate_id), (entered, left)): ((i64, String), (i64, i64))| GateFlowRow {
            at: Timestamp::from_micros(minute * MINUTE),
            gate_id,
            entered: people(entered),
            left: people(left),
        };
        let step_seconds = u32::try_from(range.step * 60).unwrap_or(u32::MAX);
        Ok(GateFlow { event_id: ask.event_id, step_seconds, rows: steps.into_iter().map(row).collect() })
    }

    async fn record(&self, cx: &Cx, scans: GateScans) -> Result<GateScansTaken, Fault> {
        scans::check(&scans, self.clock.now())?;
        let event_id = scans.event_id.as_str();
        let source = self.store.source(event_id).await?;
        if source.config.connector != ConnectorKind::Push {
            let message = format!("taking scans of gates: the source of {event_id} is read and pushes none");
            return Err(Fault::failed_precondition("events.scan.not_pushed", message));
        }
        let mut tx = self.store.sql().begin_write().await?;
        let cursor = cursor::fetch_cursor(&mut tx, event_id).await?;
        let cursor = cursor.filter(|cursor| cursor.phase != SourcePhase::Removed);
        let cursor = cursor.ok_or_else(|| unknown_source(event_id))?;
        let taken = scans::take(&mut tx, event_id, &scans.scans).await?;
        count_scans(&mut tx, event_id, Way::Push, taken.accepted).await?;
        let collector = self.renewals.collector();
        let renews = taken.accepted > 0 && cursor.phase == SourcePhase::Live && self.renewals.take(event_id);
        let renewed = if renews {
            let connector = collector.connector(&source.config)?;
            let reading = Reading { config: source.config, connector, created_at: source.created_at };
            Some(collector.renew(cx, &mut tx, &reading, &cursor, None).await?)
        } else {
            None
        };
        tx.commit().await?;
        match renewed {
            Some(renewed) => collector.show(&renewed).await,
            None if taken.accepted > 0 => self.renewals.ask(event_id),
            None => {}
        }
        Ok(taken)
    }
}

/// A range of minutes since the Unix epoch, and a step of minutes.
struct Range {
    from: i64,
    until: i64,
    step: i64,
}

impl Range {
    fn of(ask: &GateFlowRange, now: Timestamp) -> Result<Self, Fault> {
        let wrong = |problem: &str| {
            Fault::invalid_argument("events.gates.range", format!("reading an event's gates: {problem}"))
        };
        let until = ask.until.unwrap_or(now);
        let from = ask.from.unwrap_or(until - Duration::from_secs(86_400));
        let seconds = ask.step_seconds.unwrap_or(300);
        if !seconds.is_multiple_of(60) || !(60..=86_400).contains(&seconds) {
            return Err(wrong("stepSeconds is no whole minutes from 60 to 86400"));
        }
        if from > until {
            return Err(wrong("from is later than until"));
        }
        if until.since(from) > LONGEST_RANGE {
            return Err(wrong("from and until are more than 31 days apart"));
        }
        let step = i64::from(seconds / 60);
        // A step begun counts whole, as its row says.
        let from = minute_of(from).div_euclid(step) * step;
        let until = minute_of(until) + 1;
        if (until - from) / step > MOST_STEPS {
            return Err(wrong("the range holds more than 10000 steps; ask for a longer stepSeconds"));
        }
        Ok(Self { from, until, step })
    }
}

/// Fails with `events.source.invalid` where an option about gates can never work.
pub fn check_options(config: &EventServiceConfig) -> Result<(), Fault> {
    let number = |name: &str, most: u64| match config.options.get(name) {
        Some(text) if !text.parse::<u64>().is_ok_and(|number| (1..=most).contains(&number)) => {
            let shown: String = text.chars().take(40).collect();
            Err(invalid(
                &format!("options.{name}"),
                format!("is {shown:?}, no whole number from 1 to {most}"),
            ))
        }
        _ => Ok(()),
    };
    number(CAPACITY, 10_000_000)?;
    number(GRACE_MINUTES, 7 * 24 * 60)
}
