//! Takes a page of facts in: facts, sync position, state, news and the point of history in one transaction.

use ieum_bus::Event;
use ieum_contracts::events::{
    EVENT_ALERT_CLEARED, EVENT_ALERT_RAISED, EVENT_ALERTS, EVENT_DATA_UPDATED, EVENT_DATA_UPDATES,
    EVENT_PROGRAMME_UPDATED, EVENT_PROGRAMME_UPDATES, NormalizedEventData, ScanCounts, SourcePhase,
};
use ieum_core::{Cx, Fault};
use ieum_store::{Transaction, Value};

use crate::apply;
use crate::collector::{Collector, Reading};
use crate::connector::Hint;
use crate::cursor::{self, Cursor};
use crate::facts::{Batch, Next};
use crate::gates::watch::{self, Told};
use crate::programme::facts::ProgrammeFacts;
use crate::programme::{self, rules::is_change};
use crate::rules::{Figures, date_alerts, is_news, normalise};
use crate::store::EventsStore;
use crate::{hints as kept_hints, states, store, sweep};

/// How a scan came in first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the first sync.
    FirstSync,
    /// By reading what changed.
    Poll,
    /// By following a hint.
    Hook,
    /// By reading everything anew, since totals differed for good.
    Sweep,
    /// By gates that push.
    Push,
}

/// What a page changed besides facts.
pub(crate) struct Taken {
    state: Option<NormalizedEventData>,
    pub(crate) is_news: bool,
}

impl Collector {
    /// Takes in what came out of order: the sync position stays.
    pub(crate) async fn take(
        &self,
        cx: &Cx,
        reading: &Reading,
        batch: Batch,
        hints: &[Hint],
    ) -> Result<Taken, Fault> {
        self.take_at(cx, reading, batch, hints, None).await
    }

    /// Takes one page in: facts, position, state, news, its point and followed hints in one transaction.
    pub(crate) async fn take_at(
        &self,
        cx: &Cx,
        reading: &Reading,
        batch: Batch,
        hints: &[Hint],
        version: Option<i64>,
    ) -> Result<Taken, Fault> {
        let event_id = &reading.config.event_id;
        let mut tx = self.store.sql().begin_write().await?;
        let present = cursor::fetch_cursor(&mut tx, event_id).await?;
        let present = present.ok_or_else(|| store::unknown_source(event_id))?;
        if version.is_some_and(|version| version != present.version) || present.phase == SourcePhase::Removed
        {
            let message = format!("reading {event_id}: somebody else changed its sync position meanwhile");
            return Err(Fault::aborted("events.sync.moved", message));
        }
        let way = Way::of(&present, version.is_none());
        let scans = apply::new_scans(&mut tx, event_id, &batch).await?;
        count_scans(&mut tx, event_id, way, scans).await?;
        sweep::bury(&mut tx, event_id, &batch, self.clock.now()).await?;
        apply::apply(&mut tx, event_id, present.generation, &batch).await?;
        if let Some(lists) = &batch.lists {
            programme::store::replace_lists(&mut tx, event_id, lists).await?;
        }
        if let Some(facts) = &batch.programme {
            self.take_programme(cx, &mut tx, event_id, facts).await?;
        }
        let cursor = advance(&present, &batch);
        if present.phase == SourcePhase::InitialSync && cursor.phase == SourcePhase::Live {
            sweep::bury_older(&mut tx, event_id, present.generation, self.clock.now()).await?;
            let dropped = apply::drop_older(&mut tx, event_id, present.generation).await?;
            tracing::info!(event_id, rows = cursor.synced_rows, dropped, "full sync is complete");
        }
        cursor::insert_cursor(&mut tx, event_id, &cursor).await?;
        kept_hints::close_hints(&mut tx, event_id, hints).await?;
        let complete = !matches!(batch.next, Next::Page(_));
        let taken = if complete && cursor.phase == SourcePhase::Live {
            self.renew(cx, &mut tx, reading, &cursor, batch.figures).await?
        } else {
            Taken { state: None, is_news: false }
        };
        tx.commit().await?;
        self.show(&taken).await;
        Ok(taken)
    }

    /// Shows a state that was committed.
    pub(crate) async fn show(&self, taken: &Taken) {
        if let Some(state) = &taken.state {
            self.realtime.show(state).await;
        }
    }

    /// Takes a whole programme in, and tells the bus which slots changed.
    async fn take_programme(
        &self,
        cx: &Cx,
        tx: &mut Transaction,
        event_id: &str,
        facts: &ProgrammeFacts,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let change = programme::store::apply(tx, event_id, facts, now).await?;
        if is_change(&change) {
            let source = format!("/events/{event_id}/programme");
            let event = Event::new(cx, source, EVENT_PROGRAMME_UPDATED, event_id, &change)
                .map_err(|error| Fault::internal("events.news", error.to_string()))?
                .with_subject(event_id)
                .at(now);
            self.bus.outbox(tx, EVENT_PROGRAMME_UPDATES, &event).await?;
        }
        Ok(())
    }

    /// Counts anew, saves the state, and tells the bus where anything changed.
    pub(crate) async fn renew(
        &self,
        cx: &Cx,
        tx: &mut Transaction,
        reading: &Reading,
        cursor: &Cursor,
        figures: Option<Figures>,
    ) -> Result<Taken, Fault> {
        let event_id = &reading.config.event_id;
        let now = self.clock.now();
        let (figures, tally) = match (figures, &cursor.profile) {
            (Some(figures), _) => (figures, None),
            (None, Some(profile)) => {
                let (figures, tally) =
                    apply::figures(tx, event_id, profile, cursor.override_totals, now).await?;
                (figures, Some(tally))
            }
            (None, None) => return Ok(Taken { state: None, is_news: false }),
        };
        let mut state = normalise(event_id, &reading.config.service_name, figures, now);
        let counted = cursor.profile.as_ref().zip(tally.as_ref());
        let told = watch::watch(tx, &reading.config, counted, &mut state, now).await?;
        self.tell_alerts(cx, tx, event_id, &told).await?;
        if let Some(occupancy) = told.occupancy {
            self.exporter.note(event_id, occupancy, told.newest, now);
        }
        let before = states::fetch_state(tx, event_id).await?;
        date_alerts(before.as_ref(), &mut state);
        let is_news = is_news(before.as_ref(), &state);
        states::save_state(tx, &state, is_news).await?;
        self.realtime.points().keep(tx, &state).await?;
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

    /// Renews a state from what is in the tables.
    pub(crate) async fn renew_now(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        // A read under way would find its position moved.
        let turn = self.turn(event_id);
        let _turn = turn.lock().await;
        let reading = self.reading(event_id).await?;
        self.take(cx, &reading, Batch::default(), &[]).await.map(drop)
    }

    /// Tells the bus which alerts begin and end.
    async fn tell_alerts(
        &self,
        cx: &Cx,
        tx: &mut Transaction,
        event_id: &str,
        told: &Told,
    ) -> Result<(), Fault> {
        let cleared = told.cleared.iter().map(|alert| (EVENT_ALERT_CLEARED, alert));
        for (kind, alert) in told.raised.iter().map(|alert| (EVENT_ALERT_RAISED, alert)).chain(cleared) {
            let source = format!("/events/{event_id}/alerts");
            let event = Event::new(cx, source, kind, event_id, alert)
                .map_err(|error| Fault::internal("events.news", error.to_string()))?
                .with_subject(event_id)
                .at(alert.at);
            self.bus.outbox(tx, EVENT_ALERTS, &event).await?;
        }
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

/// Adds to how many scans came this way. Kept in the tables, since processes come and go.
pub(crate) async fn count_scans(
    tx: &mut Transaction,
    event_id: &str,
    way: Way,
    scans: u64,
) -> Result<(), Fault> {
    if scans == 0 {
        return Ok(());
    }
    metrics::counter!("ieum_events_scans_total", "way" => way.name()).increment(scans);
    let scans = Value::Int(i64::try_from(scans).unwrap_or(i64::MAX));
    let sql = "UPDATE ieum_events_intake SET scans = scans + ? WHERE event_id = ? AND way = ?";
    let values = [scans.clone(), event_id.into(), way.name().into()];
    if tx.execute(sql, &values).await? == 0 {
        // Nobody else adds the row meanwhile: the sync position is held.
        let sql = "INSERT INTO ieum_events_intake (event_id, way, scans) VALUES (?, ?, ?)";
        tx.execute(sql, &[event_id.into(), way.name().into(), scans]).await?;
    }
    Ok(())
}

impl EventsStore {
    /// Returns how an event's scans came in.
    pub async fn scan_counts(&self, event_id: &str) -> Result<ScanCounts, Fault> {
        let sql = "SELECT way, scans FROM ieum_events_intake WHERE event_id = ?";
        let mut counts = ScanCounts::default();
        for row in self.sql().fetch_all(sql, &[event_id.into()]).await? {
            let scans = u64::try_from(row.int("scans")?).unwrap_or(0);
            match row.text("way")?.as_str() {
                "first_sync" => counts.first_sync = scans,
                "poll" => counts.poll = scans,
                "hook" => counts.hook = scans,
                "push" => counts.push = scans,
                _ => counts.sweep = scans,
            }
        }
        Ok(counts)
    }
}

impl Way {
    fn of(cursor: &Cursor, out_of_order: bool) -> Self {
        match cursor.phase {
            _ if out_of_order => Self::Hook,
            SourcePhase::InitialSync if cursor.resynced_at.is_some() => Self::Sweep,
            SourcePhase::InitialSync => Self::FirstSync,
            SourcePhase::Live | SourcePhase::Removed => Self::Poll,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::FirstSync => "first_sync",
            Self::Poll => "poll",
            Self::Hook => "hook",
            Self::Sweep => "sweep",
            Self::Push => "push",
        }
    }
}
