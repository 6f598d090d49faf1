//! Reads sources page by page. A page is taken in by one transaction ([`crate::intake`]), so that a crash at
//! any moment loses and doubles nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ieum_bus::Bus;
use ieum_client::OutboundPolicy;
use ieum_contracts::events::{EventServiceConfig, SourcePhase};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use parking_lot::Mutex;

use crate::connector::{self, Connector, Hint, pretix::MOST_HINTED_ORDERS};
use crate::exporter::Exporter;
use crate::facts::{Batch, Next};
use crate::realtime::Realtime;
use crate::reconcile::Sweep;
use crate::store::{self, EventsStore, Source};

/// More pages than this in one read mean that the source never ends.
const MOST_PAGES: u32 = 50_000;

/// How long followed hints are remembered, so that a repeat is recognised. pretix repeats for three days.
const HINT_MEMORY: Duration = Duration::from_secs(4 * 24 * 3_600);

/// How long a slot is told as gone that its source no longer names.
const SLOT_MEMORY: Duration = Duration::from_secs(90 * 24 * 3_600);

/// Reads sources.
pub struct Collector {
    pub(crate) store: EventsStore,
    pub(crate) bus: Bus,
    pub(crate) realtime: Arc<Realtime>,
    outbound: OutboundPolicy,
    pub(crate) clock: SharedClock,
    pub(crate) reconcile_every: Duration,
    pub(crate) sweep: Sweep,
    pub(crate) vanished_every: Duration,
    opened: Mutex<HashMap<String, Opened>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    stopping: AtomicBool,
    pub(crate) exporter: Arc<Exporter>,
}

struct Opened {
    config: EventServiceConfig,
    connector: Arc<dyn Connector>,
}

/// One source while it is read.
pub(crate) struct Reading {
    pub(crate) config: EventServiceConfig,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) created_at: Timestamp,
}

impl Collector {
    /// Makes a collector. The last argument says how often totals are compared while nothing changes, what is done
    /// where they differ for good, and how often a source is looked through for what vanished.
    pub fn new(
        store: EventsStore,
        bus: Bus,
        realtime: Arc<Realtime>,
        outbound: OutboundPolicy,
        clock: SharedClock,
        (reconcile_every, sweep, vanished_every): (Duration, Sweep, Duration),
    ) -> Self {
        let exporter = Arc::new(Exporter::new(clock.clone()));
        Self {
            store,
            bus,
            realtime,
            outbound,
            clock,
            reconcile_every,
            sweep,
            vanished_every,
            opened: Mutex::default(),
            turns: Mutex::default(),
            stopping: AtomicBool::new(false),
            exporter,
        }
    }

    /// Returns what may be called outside.
    pub fn outbound(&self) -> &OutboundPolicy {
        &self.outbound
    }

    /// Makes reads end after their present page.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Tells whether reads are to end.
    pub(crate) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Returns the connector of a source, the same as long as its configuration stays.
    pub fn connector(&self, config: &EventServiceConfig) -> Result<Arc<dyn Connector>, Fault> {
        let mut opened = self.opened.lock();
        if let Some(present) = opened.get(&config.event_id).filter(|present| present.config == *config) {
            return Ok(present.connector.clone());
        }
        let connector = connector::open(config, &self.outbound, &self.clock)?;
        let fresh = Opened { config: config.clone(), connector: connector.clone() };
        opened.insert(config.event_id.clone(), fresh);
        Ok(connector)
    }

    /// Forgets a source's connection.
    pub fn forget(&self, event_id: &str) {
        self.opened.lock().remove(event_id);
        self.turns.lock().remove(event_id);
    }

    /// Reads a source until it is in step, and compares totals where that is due.
    ///
    /// Fails with whatever the source failed with; what was read before stays, and the next read goes on
    /// there.
    pub async fn read(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        let turn = self.turn(event_id);
        let _turn = turn.lock().await;
        let reading = self.reading(event_id).await?;
        let news = self.catch_up(cx, &reading).await?;
        self.reconcile(cx, &reading, news).await?;
        self.store.note_success(event_id, self.clock.now()).await?;
        self.store.drop_gone_slots(event_id, self.clock.now() - SLOT_MEMORY).await?;
        self.store.drop_old_hints(event_id, self.clock.now() - HINT_MEMORY).await
    }

    /// Follows the hints that wait for a source. During a first sync they wait on. Returns whether the
    /// source was asked for anything. Where one order cannot be read, the others are and its hints wait on.
    pub async fn follow_hints(&self, cx: &Cx, event_id: &str) -> Result<bool, Fault> {
        let mut asked = false;
        let turn = self.turn(event_id);
        let _turn = turn.lock().await;
        loop {
            let hints = self.store.open_hints(event_id, 500).await?;
            if hints.is_empty() || self.stopping.load(Ordering::Acquire) {
                return Ok(asked);
            }
            let reading = self.reading(event_id).await?;
            let cursor = self.store.cursor(event_id).await?;
            if cursor.phase != SourcePhase::Live {
                return Ok(asked);
            }
            asked = true;
            let mut orders: BTreeMap<Option<String>, Vec<Hint>> = BTreeMap::new();
            for hint in hints {
                orders.entry(hint.order_code.clone()).or_default().push(hint);
            }
            if orders.len() > MOST_HINTED_ORDERS {
                // So many at once are cheaper to read as one list of changes.
                self.catch_up(cx, &reading).await?;
                let hints: Vec<Hint> = orders.into_values().flatten().collect();
                self.take(cx, &reading, Batch::default(), &hints).await?;
                continue;
            }
            let mut failed = None;
            for hints in orders.into_values() {
                let followed = async {
                    let batch = reading.connector.hinted(cx, &hints).await?;
                    self.take(cx, &reading, batch, &hints).await
                };
                if let Err(fault) = followed.await {
                    failed = Some(fault);
                }
            }
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
    }

    /// Asks a source's health and notes it.
    pub async fn watch(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        let reading = self.reading(event_id).await?;
        let health = reading.connector.health(cx).await;
        self.store.note_health(event_id, health.is_ok(), self.clock.now()).await?;
        health
    }

    pub(crate) fn turn(&self, event_id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.lock().entry(event_id.to_owned()).or_default().clone()
    }

    pub(crate) async fn reading(&self, event_id: &str) -> Result<Reading, Fault> {
        let Source { config, created_at, .. } = self.store.source(event_id).await?;
        let connector = self.connector(&config)?;
        Ok(Reading { config, connector, created_at })
    }

    /// Reads page by page until the source has no more. Returns whether the state changed.
    pub(crate) async fn catch_up(&self, cx: &Cx, reading: &Reading) -> Result<bool, Fault> {
        let event_id = &reading.config.event_id;
        let mut news = false;
        for page in 0..MOST_PAGES {
            let cursor = self.store.cursor(event_id).await?;
            let connector = &reading.connector;
            let batch = match (cursor.phase, cursor.text.as_deref()) {
                (SourcePhase::Removed, _) => return Err(store::unknown_source(event_id)),
                (SourcePhase::Live, Some(text)) => connector.incremental(cx, text).await,
                (_, text) => connector.initial(cx, text).await,
            };
            if batch.is_err() && page > 0 {
                // It answered a moment ago and what it said is kept: no reason to wait ever longer.
                self.store.note_progress(event_id).await?;
            }
            let batch = batch?;
            let done = matches!(batch.next, Next::Done(_));
            let taken = self.take_at(cx, reading, batch, &[], Some(cursor.version)).await?;
            news |= taken.is_news;
            if done {
                return Ok(news);
            }
            if self.stopping.load(Ordering::Acquire) {
                return Err(Fault::cancelled(
                    "events.stopping",
                    format!("reading {event_id}: the hub stops"),
                ));
            }
        }
        let message = format!("reading {event_id}: no end after {MOST_PAGES} pages");
        Err(Fault::failed_precondition("events.source.endless", message))
    }
}
