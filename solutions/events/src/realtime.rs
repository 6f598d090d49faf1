//! The live picture: the cache before the tables, listeners, and history out of the time series.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_cache::Cache;
use ieum_contracts::events::{
    EventId, EventState, EventStates, History, HistoryRange, HistoryRow, ListEvents, LiveEvent,
    NormalizedEventData, Summary,
};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_data::{Aggregate, Point, Range};
use tokio::sync::broadcast;

use crate::points::{MEASUREMENT, PointLog};
use crate::rules::{FRESH_FOR, live, summarise};
use crate::store::EventsStore;

/// How many changes a slow listener may lag behind before it misses some and reads the whole again.
const LISTENER_LAG: usize = 256;

/// The longest history in one answer.
const MOST_ROWS: i64 = 10_000;

/// Serves and renews the live picture.
pub struct Realtime {
    store: EventsStore,
    cache: Arc<dyn Cache>,
    points: Arc<PointLog>,
    clock: SharedClock,
    changes: broadcast::Sender<String>,
}

impl Realtime {
    /// Makes the live picture over the tables, a cache and the points of history.
    pub fn new(store: EventsStore, cache: Arc<dyn Cache>, points: Arc<PointLog>, clock: SharedClock) -> Self {
        Self { store, cache, points, clock, changes: broadcast::channel(LISTENER_LAG).0 }
    }

    /// Returns the way of points into the time series.
    pub fn points(&self) -> &PointLog {
        &self.points
    }

    /// Follows the ids of events whose state was renewed.
    pub fn changes(&self) -> broadcast::Receiver<String> {
        self.changes.subscribe()
    }

    /// Shows a state that is saved already. Where the cache fails, the tables still answer; where the time
    /// series fails, its points wait in the tables.
    pub async fn show(&self, data: &NormalizedEventData) {
        let event_id = &data.event_id;
        match serde_json::to_vec(data) {
            Ok(json) => {
                if let Err(error) = self.cache.set(&key(event_id), Bytes::from(json), FRESH_FOR).await {
                    tracing::warn!(event_id, error = %error, "caching a live state failed");
                }
            }
            Err(error) => tracing::warn!(event_id, error = %error, "encoding a live state failed"),
        }
        // Nobody listening is fine. Whoever listens need not wait until history is written.
        let _ = self.changes.send(event_id.clone());
        if let Err(error) = self.points.hand_over(event_id).await {
            tracing::warn!(event_id, error = %error, "writing attendance into the time series failed; it is written again");
        }
    }

    /// Forgets what the cache holds of an event and tells listeners.
    pub async fn hide(&self, event_id: &str) {
        if let Err(error) = self.cache.delete(&key(event_id)).await {
            tracing::warn!(event_id, error = %error, "dropping a cached live state failed");
        }
        let _ = self.changes.send(event_id.to_owned());
    }

    async fn cached(&self, event_id: &str) -> Option<NormalizedEventData> {
        let json = match self.cache.get(&key(event_id)).await {
            Ok(json) => json?,
            Err(error) => {
                tracing::warn!(event_id, error = %error, "reading a cached live state failed");
                return None;
            }
        };
        serde_json::from_slice(&json).ok()
    }

    async fn rows(
        &self,
        event_id: &str,
        from: Timestamp,
        until: Timestamp,
        step_seconds: i64,
    ) -> Result<Vec<HistoryRow>, Fault> {
        let step = Duration::from_secs(step_seconds.unsigned_abs());
        // A range ends before its last time; what was read just now belongs to it.
        let range = Range::new(MEASUREMENT, from, until + Duration::from_micros(1))
            .tag("event", event_id)
            .step(step, Aggregate::Last);
        let points = self.points.series().query(&range).await?;
        let number = |point: &Point, field| point.number(field).unwrap_or(0.0);
        let row = |point: &Point| HistoryRow {
            at: point.at,
            current_attendees: number(point, "current_attendees"),
            checked_in: number(point, "checked_in"),
            total_registered: number(point, "total_registered"),
        };
        Ok(points.iter().map(row).collect())
    }
}

#[async_trait]
impl EventState for Realtime {
    async fn list(&self, _: &Cx, ask: ListEvents) -> Result<EventStates, Fault> {
        let now = self.clock.now();
        let wanted = |data: &NormalizedEventData| {
            ask.event_ids.as_ref().is_none_or(|ids| ids.contains(&data.event_id))
        };
        let states = self.store.states().await?;
        let events = states.into_iter().filter(wanted).map(|data| live(data, now)).collect();
        Ok(EventStates { events })
    }

    async fn get(&self, _: &Cx, ask: EventId) -> Result<LiveEvent, Fault> {
        let data = match self.cached(&ask.event_id).await {
            Some(data) => Some(data),
            None => self.store.state(&ask.event_id).await?,
        };
        data.map(|data| live(data, self.clock.now())).ok_or_else(|| unknown_event(&ask.event_id))
    }

    async fn history(&self, _: &Cx, ask: HistoryRange) -> Result<History, Fault> {
        if self.store.state(&ask.event_id).await?.is_none() {
            return Err(unknown_event(&ask.event_id));
        }
        let until = ask.until.unwrap_or_else(|| self.clock.now());
        let from = ask.from.unwrap_or(until - Duration::from_secs(24 * 3_600));
        let step = i64::from(ask.step_seconds.unwrap_or(60));
        if !(1..=86_400).contains(&step) {
            return Err(wrong_range("stepSeconds is not between 1 and 86400"));
        }
        if from > until {
            return Err(wrong_range("from is later than until"));
        }
        if (until.as_seconds() - from.as_seconds()) / step > MOST_ROWS {
            return Err(wrong_range("the range holds more than 10000 steps; ask for a longer stepSeconds"));
        }
        let rows = self.rows(&ask.event_id, from, until, step).await?;
        Ok(History { event_id: ask.event_id, rows })
    }

    async fn summary(&self, cx: &Cx, ask: ListEvents) -> Result<Summary, Fault> {
        Ok(summarise(&self.list(cx, ask).await?.events))
    }
}

fn key(event_id: &str) -> String {
    format!("realtime:{event_id}")
}

/// Makes the fault for an event that nobody told of.
pub fn unknown_event(event_id: &str) -> Fault {
    let shown: String = event_id.chars().take(64).collect();
    Fault::not_found("events.event.unknown", format!("looking for event {shown:?}: no source tells of it"))
}

fn wrong_range(problem: &str) -> Fault {
    Fault::invalid_argument("events.history.range", format!("reading an event's history: {problem}"))
}
