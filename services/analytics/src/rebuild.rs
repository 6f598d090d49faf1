//! Makes the history of events anew from the hub's own, which reaches further back than the bus.

use std::time::Duration;

use ieum_contracts::analytics::{HistoryRebuilt, RebuildHistory};
use ieum_contracts::events::{EventState, HistoryRange, ListEvents, LiveEvent};
use ieum_core::{Cx, Fault, Timestamp};

use crate::history::{Change, Seen, advance};
use crate::store::{AnalyticsStore, status_word};

/// How far back is looked where nothing is asked for.
const USUAL: Duration = Duration::from_secs(366 * 86_400);
/// How fine the hub is asked: what came within the first step of all is nobody's arrival.
const STEP_SECONDS: u32 = 60;
/// What is asked of the hub at once: at most 2880 rows.
const PAGE: Duration = Duration::from_secs(2 * 86_400);
/// How often an event is tried whose history went on meanwhile.
const TRIES: usize = 5;

impl AnalyticsStore {
    /// Makes the history anew of the events asked for.
    ///
    /// # Errors
    /// Those of `events.state` and of the store; `analytics.rebuild.busy`.
    pub async fn rebuild(
        &self,
        cx: &Cx,
        events: &dyn EventState,
        ask: &RebuildHistory,
        now: Timestamp,
    ) -> Result<HistoryRebuilt, Fault> {
        let from = ask.from.unwrap_or(now - USUAL);
        let listed = events.list(cx, ListEvents { event_ids: ask.event_ids.clone() }).await?;
        let mut rebuilt = HistoryRebuilt::default();
        for event in &listed.events {
            rebuilt.slots += self.rebuild_one(cx, events, event, from, now).await?;
            rebuilt.events += 1;
        }
        Ok(rebuilt)
    }

    async fn rebuild_one(
        &self,
        cx: &Cx,
        events: &dyn EventState,
        event: &LiveEvent,
        from: Timestamp,
        now: Timestamp,
    ) -> Result<u64, Fault> {
        let event_id = event.data.event_id.as_str();
        for _ in 0..TRIES {
            let version =
                self.events(Some(&[event_id.to_owned()])).await?.first().map_or(0, |known| known.version);
            let (slots, first, last) = read(cx, events, event_id, from, now).await?;
            let (Some(first), Some(mut last)) = (first, last) else { return Ok(0) };
            let mut tx = self.sql().begin_write().await?;
            let before = self.lock(&mut tx, event_id).await?;
            if before.version != version {
                // News came while the hub was read, and would be lost.
                tx.rollback().await?;
                continue;
            }
            // Gates go on from where they were.
            last.gates = before.seen.as_ref().map(|seen| seen.gates.clone()).unwrap_or_default();
            let zone = self.zone(&before.profile);
            self.replace(&mut tx, event_id, &zone, &slots).await?;
            let mut as_before = before.clone();
            as_before.came_before = first.checked_in;
            as_before.seen = Some(first);
            self.note_seen(&mut tx, &as_before, &event.data.event_name, status_word(&event.data), &last)
                .await?;
            tx.commit().await?;
            return Ok(slots.len() as u64);
        }
        let message =
            format!("making the history of {event_id} anew: news came in between {TRIES} times; ask again");
        Err(Fault::aborted("analytics.rebuild.busy", message))
    }
}

/// Reads the hub's rows as changes, with the first and the last state.
async fn read(
    cx: &Cx,
    events: &dyn EventState,
    event_id: &str,
    from: Timestamp,
    until: Timestamp,
) -> Result<(Vec<Change>, Option<Seen>, Option<Seen>), Fault> {
    let (mut slots, mut first, mut last): (Vec<Change>, Option<Seen>, Option<Seen>) =
        (Vec::new(), None, None);
    let mut page = from;
    while page < until {
        let end = until.min(page + PAGE);
        let ask = HistoryRange {
            event_id: event_id.to_owned(),
            from: Some(page),
            until: Some(end),
            step_seconds: Some(STEP_SECONDS),
        };
        for row in events.history(cx, ask).await?.rows {
            let seen = Seen {
                at: row.at,
                registered: row.total_registered.max(0.0) as u64,
                checked_in: row.checked_in.max(0.0) as u64,
                inside: row.current_attendees.max(0.0) as u64,
                ..Seen::default()
            };
            let Some(change) = advance(last.as_ref(), &seen) else { continue };
            first.get_or_insert_with(|| seen.clone());
            last = Some(seen);
            match slots.last_mut().filter(|slot| slot.slot_at == change.slot_at) {
                Some(slot) => *slot = joined(slot, change),
                None => slots.push(change),
            }
        }
        page = end;
    }
    Ok((slots, first, last))
}

fn joined(slot: &Change, change: Change) -> Change {
    Change { arrivals: slot.arrivals + change.arrivals, inside: slot.inside.max(change.inside), ..change }
}
