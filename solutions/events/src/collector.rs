//! Reads sources and takes what they say into the hub: facts, sync position, state and news in one
//! transaction, so that a crash at any moment loses and doubles nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ieum_bus::{Bus, Event};
use ieum_client::OutboundPolicy;
use ieum_contracts::events::{
    EVENT_DATA_UPDATED, EVENT_DATA_UPDATES, EventServiceConfig, NormalizedEventData, SourcePhase,
};
use ieum_core::{Cx, Fault, SharedClock};
use parking_lot::Mutex;

use crate::apply;
use crate::connector::{self, Connector, Hint, pretix::MOST_HINTED_ORDERS};
use crate::facts::{Batch, Next, Profile, Totals};
use crate::realtime::Realtime;
use crate::rules::{is_news, normalise};
use crate::store::{self, Cursor, EventsStore};

/// More pages than this in one read mean that the source never ends.
const MOST_PAGES: u32 = 50_000;

/// The shortest time between two full syncs that were begun because totals differed.
const RESYNC_GAP: Duration = Duration::from_secs(300);

/// How long followed hints are remembered, so that a repeat is recognised. pretix repeats for three days.
const HINT_MEMORY: Duration = Duration::from_secs(4 * 24 * 3_600);

/// Reads sources.
pub struct Collector {
    store: EventsStore,
    bus: Bus,
    realtime: Arc<Realtime>,
    outbound: OutboundPolicy,
    clock: SharedClock,
    reconcile_every: Duration,
    opened: Mutex<HashMap<String, Opened>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    stopping: AtomicBool,
}

struct Opened {
    config: EventServiceConfig,
    connector: Arc<dyn Connector>,
}

/// One source while it is read.
struct Reading {
    config: EventServiceConfig,
    connector: Arc<dyn Connector>,
}

/// What a page changed besides facts.
struct Taken {
    state: Option<NormalizedEventData>,
    is_news: bool,
}

impl Collector {
    /// Makes a collector. `reconcile_every` is how often totals are compared while nothing changes.
    pub fn new(
        store: EventsStore,
        bus: Bus,
        realtime: Arc<Realtime>,
        outbound: OutboundPolicy,
        clock: SharedClock,
        reconcile_every: Duration,
    ) -> Self {
        Self {
            store,
            bus,
            realtime,
            outbound,
            clock,
            reconcile_every,
            opened: Mutex::default(),
            turns: Mutex::default(),
            stopping: AtomicBool::new(false),
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
        self.store.drop_old_hints(event_id, self.clock.now() - HINT_MEMORY).await
    }

    /// Follows the hints that wait for a source. During a first sync they wait on.
    pub async fn follow_hints(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        let turn = self.turn(event_id);
        let _turn = turn.lock().await;
        loop {
            let hints = self.store.open_hints(event_id, 500).await?;
            if hints.is_empty() || self.stopping.load(Ordering::Acquire) {
                return Ok(());
            }
            let reading = self.reading(event_id).await?;
            let cursor = self.store.cursor(event_id).await?;
            if cursor.phase != SourcePhase::Live {
                return Ok(());
            }
            let mut codes: Vec<_> = hints.iter().filter_map(|hint| hint.order_code.as_ref()).collect();
            codes.sort_unstable();
            codes.dedup();
            if codes.len() > MOST_HINTED_ORDERS {
                // So many at once are cheaper to read as one list of changes.
                self.catch_up(cx, &reading).await?;
                self.take(cx, &reading, Batch::default(), &hints).await?;
            } else {
                let batch = reading.connector.hinted(cx, &hints).await?;
                self.take(cx, &reading, batch, &hints).await?;
            }
        }
    }

    /// Asks a source's health and notes it.
    pub async fn watch(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        let reading = self.reading(event_id).await?;
        let health = reading.connector.health(cx).await;
        self.store.note_health(event_id, health.is_ok()).await?;
        health
    }

    fn turn(&self, event_id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.lock().entry(event_id.to_owned()).or_default().clone()
    }

    async fn reading(&self, event_id: &str) -> Result<Reading, Fault> {
        let config = self.store.source(event_id).await?.config;
        let connector = self.connector(&config)?;
        Ok(Reading { config, connector })
    }

    /// Reads page by page until the source has no more. Returns whether the state changed.
    async fn catch_up(&self, cx: &Cx, reading: &Reading) -> Result<bool, Fault> {
        let event_id = &reading.config.event_id;
        let mut news = false;
        for _ in 0..MOST_PAGES {
            let cursor = self.store.cursor(event_id).await?;
            let connector = &reading.connector;
            let batch = match (cursor.phase, cursor.text.as_deref()) {
                (SourcePhase::Removed, _) => return Err(store::unknown_source(event_id)),
                (SourcePhase::Live, Some(text)) => connector.incremental(cx, text).await?,
                (_, text) => connector.initial(cx, text).await?,
            };
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

    async fn take(&self, cx: &Cx, reading: &Reading, batch: Batch, hints: &[Hint]) -> Result<Taken, Fault> {
        self.take_at(cx, reading, batch, hints, None).await
    }

    /// Takes one page in: facts, position, state, news and followed hints in one transaction.
    async fn take_at(
        &self,
        cx: &Cx,
        reading: &Reading,
        batch: Batch,
        hints: &[Hint],
        version: Option<i64>,
    ) -> Result<Taken, Fault> {
        let event_id = &reading.config.event_id;
        let mut tx = self.store.sql().begin_write().await?;
        let present = store::fetch_cursor(&mut tx, event_id).await?;
        let present = present.ok_or_else(|| store::unknown_source(event_id))?;
        if version.is_some_and(|version| version != present.version) || present.phase == SourcePhase::Removed
        {
            let message = format!("reading {event_id}: somebody else changed its sync position meanwhile");
            return Err(Fault::aborted("events.sync.moved", message));
        }
        apply::apply(&mut tx, event_id, present.generation, &batch).await?;
        let cursor = advance(&present, &batch);
        if present.phase == SourcePhase::InitialSync && cursor.phase == SourcePhase::Live {
            let dropped = apply::drop_older(&mut tx, event_id, present.generation).await?;
            tracing::info!(event_id, rows = cursor.synced_rows, dropped, "full sync is complete");
        }
        store::insert_cursor(&mut tx, event_id, &cursor).await?;
        store::close_hints(&mut tx, event_id, hints).await?;
        let complete = !matches!(batch.next, Next::Page(_));
        let taken = if complete && cursor.phase == SourcePhase::Live {
            self.renew(cx, &mut tx, reading, &cursor, batch.figures).await?
        } else {
            Taken { state: None, is_news: false }
        };
        tx.commit().await?;
        if let Some(state) = &taken.state {
            self.realtime.show(state).await;
        }
        Ok(taken)
    }

    /// Counts anew, saves the state, and tells the bus where anything changed.
    async fn renew(
        &self,
        cx: &Cx,
        tx: &mut ieum_store::Transaction,
        reading: &Reading,
        cursor: &Cursor,
        figures: Option<crate::rules::Figures>,
    ) -> Result<Taken, Fault> {
        let event_id = &reading.config.event_id;
        let now = self.clock.now();
        let figures = match (figures, &cursor.profile) {
            (Some(figures), _) => figures,
            (None, Some(profile)) => {
                apply::figures(tx, event_id, profile, cursor.override_totals, now).await?
            }
            (None, None) => return Ok(Taken { state: None, is_news: false }),
        };
        let state = normalise(event_id, &reading.config.service_name, figures, now);
        let before = store::fetch_state(tx, event_id).await?;
        let is_news = is_news(before.as_ref(), &state);
        store::save_state(tx, &state, is_news).await?;
        if is_news {
            let source = format!("/events/{event_id}");
            let event = Event::new(cx, source, EVENT_DATA_UPDATED, event_id.as_str(), &state)
                .map_err(|error| Fault::internal("events.news", error.to_string()))?
                .with_subject(event_id.as_str())
                .at(now);
            self.bus.outbox(tx, EVENT_DATA_UPDATES, &event).await?;
        }
        Ok(Taken { state: Some(state), is_news })
    }

    /// Compares our totals with the source's own. Ours differ for good only where the source's stood still
    /// while we read once more; then everything is read anew, and where that does not explain it either,
    /// the source's totals are shown.
    async fn reconcile(&self, cx: &Cx, reading: &Reading, news: bool) -> Result<(), Fault> {
        let event_id = &reading.config.event_id;
        let cursor = self.store.cursor(event_id).await?;
        let now = self.clock.now();
        let waited = cursor.reconciled_at.is_none_or(|at| now.since(at) >= self.reconcile_every);
        let Some(profile) = cursor.profile.clone() else { return Ok(()) };
        if !(news || waited || cursor.mismatches > 0) {
            return Ok(());
        }
        let Some(theirs) = reading.connector.totals(cx).await? else { return Ok(()) };
        if self.ours(event_id, &profile).await? == theirs {
            return self.agreed(cx, reading, cursor).await;
        }
        self.catch_up(cx, reading).await?;
        let again = reading.connector.totals(cx).await?;
        let ours = self.ours(event_id, &profile).await?;
        if again == Some(ours) {
            let cursor = self.store.cursor(event_id).await?;
            return self.agreed(cx, reading, cursor).await;
        }
        if again != Some(theirs) {
            // People were scanned meanwhile; the next read compares again.
            return Ok(());
        }
        self.disagreed(cx, reading, ours, theirs).await
    }

    async fn ours(&self, event_id: &str, profile: &Profile) -> Result<Totals, Fault> {
        let mut tx = self.store.sql().begin_read().await?;
        let totals = apply::count(&mut tx, event_id, profile).await?;
        tx.rollback().await?;
        Ok(totals)
    }

    async fn agreed(&self, cx: &Cx, reading: &Reading, cursor: Cursor) -> Result<(), Fault> {
        let was_overridden = cursor.override_totals.is_some();
        let agreed = Cursor {
            mismatches: 0,
            override_totals: None,
            reconciled_at: Some(self.clock.now()),
            version: cursor.version + 1,
            ..cursor
        };
        self.write_cursor(&reading.config.event_id, &agreed).await?;
        if was_overridden {
            self.take(cx, reading, Batch::default(), &[]).await?;
        }
        Ok(())
    }

    async fn disagreed(&self, cx: &Cx, reading: &Reading, ours: Totals, theirs: Totals) -> Result<(), Fault> {
        let event_id = &reading.config.event_id;
        let cursor = self.store.cursor(event_id).await?;
        let now = self.clock.now();
        let may_resync = cursor.resynced_at.is_none_or(|at| now.since(at) >= RESYNC_GAP);
        tracing::warn!(event_id, ?ours, ?theirs, resync = may_resync, "totals differ from the source's own");
        let mismatches = cursor.mismatches.saturating_add(1);
        let version = cursor.version + 1;
        if !may_resync {
            let shown = Cursor { mismatches, version, override_totals: Some(theirs), ..cursor };
            self.write_cursor(event_id, &shown).await?;
            self.take(cx, reading, Batch::default(), &[]).await?;
            return Ok(());
        }
        let resync = Cursor {
            phase: SourcePhase::InitialSync,
            text: None,
            generation: cursor.generation + 1,
            synced_rows: 0,
            mismatches,
            version,
            resynced_at: Some(now),
            ..cursor
        };
        self.write_cursor(event_id, &resync).await?;
        self.catch_up(cx, reading).await.map(drop)
    }

    /// Writes a sync position that was derived from the one with the version before.
    async fn write_cursor(&self, event_id: &str, cursor: &Cursor) -> Result<(), Fault> {
        let mut tx = self.store.sql().begin_write().await?;
        let present = store::fetch_cursor(&mut tx, event_id).await?;
        if present.is_none_or(|present| present.version + 1 != cursor.version) {
            let message = format!("comparing totals of {event_id}: its sync position moved meanwhile");
            return Err(Fault::aborted("events.sync.moved", message));
        }
        store::insert_cursor(&mut tx, event_id, cursor).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Returns where the sync stands after a page.
fn advance(present: &Cursor, batch: &Batch) -> Cursor {
    let mut cursor = present.clone();
    cursor.version += 1;
    if let Some(profile) = &batch.profile {
        cursor.profile = Some(profile.clone());
    }
    if cursor.phase == SourcePhase::InitialSync {
        cursor.synced_rows += apply::rows(batch);
    }
    match &batch.next {
        Next::Unchanged => {}
        Next::Page(text) => cursor.text = Some(text.clone()),
        Next::Done(text) => {
            cursor.text = Some(text.clone());
            cursor.phase = SourcePhase::Live;
        }
    }
    cursor
}
