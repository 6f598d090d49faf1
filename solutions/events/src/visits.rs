//! Visits of people, read out of their scans page by page: what patterns of behaviour are made of elsewhere.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ieum_contracts::events::{EventVisits, MOST_VISITORS, PersonVisits, RoomVisit, VisitsAsk, VisitsPage};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_store::{Row, StoreError, Value};

use crate::store::EventsStore;

/// Answers `events.visits` from the tables.
pub struct Visits {
    store: EventsStore,
    clock: SharedClock,
}

/// One scan of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Scan {
    at: Timestamp,
    is_exit: bool,
    room: String,
}

/// Scans by ticket, in the order of pages.
type Tickets<K> = BTreeMap<K, Vec<Scan>>;

impl Visits {
    /// Makes the visits over the hub's tables.
    pub fn new(store: EventsStore, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Reads a page of tickets that a source tells, which counts those that are paid and not cancelled.
    async fn told(
        &self,
        event_id: &str,
        entrance: i64,
        until: Timestamp,
        after: Option<i64>,
        most: u32,
    ) -> Result<Tickets<i64>, Fault> {
        let sql = format!(
            "SELECT c.position_id, c.list_id, c.is_exit, c.scanned_at, l.name FROM ieum_events_checkin c \
             JOIN (SELECT DISTINCT s.position_id FROM ieum_events_checkin s \
             JOIN ieum_events_order_position p ON p.event_id = s.event_id AND p.position_id = s.position_id \
             WHERE s.event_id = ? AND s.scanned_at < ? AND s.position_id > ? AND p.canceled = ? \
             AND (p.order_status = 'p' OR (p.order_status = 'n' AND p.valid_if_pending = ?)) \
             ORDER BY s.position_id LIMIT {most}) t ON t.position_id = c.position_id \
             LEFT JOIN ieum_events_list l ON l.event_id = c.event_id AND l.list_id = c.list_id \
             WHERE c.event_id = ? AND c.scanned_at < ?"
        );
        let after = after.unwrap_or(i64::MIN);
        let values: [Value; 7] = [
            event_id.into(),
            until.into(),
            after.into(),
            false.into(),
            true.into(),
            event_id.into(),
            until.into(),
        ];
        let mut tickets: Tickets<i64> = BTreeMap::new();
        for row in self.store.sql().fetch_all(&sql, &values).await? {
            let list = row.int("list_id")?;
            let name = row.opt_text("name")?.unwrap_or_else(|| list.to_string());
            let room = if list == entrance { String::new() } else { name };
            tickets.entry(row.int("position_id")?).or_default().push(scan(&row, room)?);
        }
        Ok(tickets)
    }

    /// Reads a page of tickets whose scans gates push.
    async fn pushed(
        &self,
        event_id: &str,
        until: Timestamp,
        after: Option<&str>,
        most: u32,
    ) -> Result<Tickets<String>, Fault> {
        let sql = format!(
            "SELECT c.ticket, c.is_exit, c.scanned_at FROM ieum_events_gate_scan c \
             JOIN (SELECT DISTINCT s.ticket FROM ieum_events_gate_scan s WHERE s.event_id = ? AND s.scanned_at < ? \
             AND s.ticket > ? ORDER BY s.ticket LIMIT {most}) t ON t.ticket = c.ticket \
             WHERE c.event_id = ? AND c.scanned_at < ?"
        );
        let values: [Value; 5] =
            [event_id.into(), until.into(), after.unwrap_or("").into(), event_id.into(), until.into()];
        let mut tickets: Tickets<String> = BTreeMap::new();
        for row in self.store.sql().fetch_all(&sql, &values).await? {
            // Gates that push are the event's own doors.
            tickets.entry(row.text("ticket")?).or_default().push(scan(&row, String::new())?);
        }
        Ok(tickets)
    }
}

fn scan(row: &Row, room: String) -> Result<Scan, StoreError> {
    let at = Timestamp::from_micros(row.int("scanned_at")?);
    Ok(Scan { at, is_exit: row.bool("is_exit")?, room })
}

/// Reads visits out of one person's scans: each entry begins one, which the next scan at the same door ends if it
/// is an exit. Of an exit without an entry nothing is told.
fn visits(mut scans: Vec<Scan>) -> Vec<RoomVisit> {
    scans.sort_unstable();
    let mut visits: Vec<RoomVisit> = Vec::new();
    for scan in scans {
        let open = visits.iter_mut().rev().find(|visit| visit.room == scan.room);
        match (scan.is_exit, open) {
            (false, _) => visits.push(RoomVisit { room: scan.room, entered_at: scan.at, left_at: None }),
            (true, Some(visit)) if visit.left_at.is_none() => visit.left_at = Some(scan.at),
            (true, _) => {}
        }
    }
    visits
}

fn page<K: ToString + Ord>(tickets: Tickets<K>, most: u32) -> (Vec<PersonVisits>, Option<String>) {
    let full = tickets.len() >= most as usize;
    let next = tickets.last_key_value().filter(|_| full).map(|(last, _)| last.to_string());
    let people = tickets.into_values().map(|scans| PersonVisits { visits: visits(scans) });
    (people.filter(|person| !person.visits.is_empty()).collect(), next)
}

#[async_trait]
impl EventVisits for Visits {
    async fn list(&self, _: &Cx, ask: VisitsAsk) -> Result<VisitsPage, Fault> {
        let unknown = |fault: Fault| match &*fault.reason {
            "events.source.unknown" => {
                Fault::not_found("events.event.unknown", format!("reading visits: {}", fault.message))
            }
            _ => fault,
        };
        self.store.source(&ask.event_id).await.map_err(unknown)?;
        let cursor = self.store.cursor(&ask.event_id).await?;
        let profile = cursor.profile.unwrap_or_default();
        let until = ask.until.unwrap_or_else(|| self.clock.now());
        let most = ask.most.unwrap_or(MOST_VISITORS).clamp(1, MOST_VISITORS);
        let (people, next) = if profile.pushed.is_some() {
            page(self.pushed(&ask.event_id, until, ask.after.as_deref(), most).await?, most)
        } else {
            let after = ask.after.as_deref().map(str::parse).transpose().map_err(|_| {
                Fault::invalid_argument("events.visits.page", "field after: is no page's next")
            })?;
            page(self.told(&ask.event_id, profile.list_id, until, after, most).await?, most)
        };
        Ok(VisitsPage { event_id: ask.event_id, begins_at: profile.begins_at, people, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(minute: i64, is_exit: bool, room: &str) -> Scan {
        Scan { at: Timestamp::from_seconds(minute * 60), is_exit, room: room.into() }
    }

    #[test]
    fn a_visit_is_an_entry_and_the_exit_after_it_at_the_same_door() {
        let scans =
            vec![scan(90, true, ""), scan(0, false, ""), scan(10, false, "hall"), scan(20, true, "hall")];
        let made = visits(scans);
        let minutes: Vec<_> = made
            .iter()
            .map(|visit| (visit.room.as_str(), visit.left_at.map(Timestamp::as_seconds)))
            .collect();
        assert_eq!(minutes, [("", Some(5_400)), ("hall", Some(1_200))]);
        assert_eq!(visits(vec![scan(5, true, "")]), [], "nobody knows when that one came");
        let twice = visits(vec![scan(0, false, ""), scan(5, false, ""), scan(9, true, "")]);
        assert_eq!((twice[0].left_at, twice[1].left_at.is_some()), (None, true));
    }
}
