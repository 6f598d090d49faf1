//! Where the sync of a mapped source stands: which list, which page, since when.

use ieum_core::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use super::mapping::TimeForm;
use crate::facts::Next;

/// Where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Position {
    /// What is read next.
    pub step: Step,
    /// The next page as the API names it; `None` for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Since when tickets are read; `None` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tickets_since: Option<Timestamp>,
    /// Since when scans are read; `None` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkins_since: Option<Timestamp>,
    /// The latest change seen in the present list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<Timestamp>,
}

/// The steps of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The event, and the first page of tickets.
    #[default]
    Begin,
    /// Pages of tickets.
    Tickets,
    /// Pages of scans.
    Checkins,
}

impl Position {
    /// Reads a saved position. Fails with `events.declarative.position`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| {
            Fault::data_loss(
                "events.declarative.position",
                format!("reading the saved sync position: {error}"),
            )
        })
    }

    /// Returns since when the present list is read.
    pub fn since(&self) -> Option<Timestamp> {
        if self.step == Step::Checkins { self.checkins_since } else { self.tickets_since }
    }

    /// Moves on after a page whose latest change was `latest`; `limit` is the source's present time, which no
    /// cursor passes: what changes at a time already passed would never be read.
    pub fn after(
        mut self,
        next_page: Option<String>,
        latest: Option<Timestamp>,
        limit: Timestamp,
        has_checkins: bool,
    ) -> Self {
        self.latest = self.latest.max(latest.map(|latest| latest.min(limit)));
        if next_page.is_some() {
            self.page = next_page;
            return self;
        }
        self.page = None;
        let seen = self.latest.take();
        if self.step == Step::Checkins {
            self.checkins_since = self.checkins_since.max(seen);
            self.step = Step::Begin;
        } else {
            self.tickets_since = self.tickets_since.max(seen);
            self.step = if has_checkins { Step::Checkins } else { Step::Begin };
        }
        self
    }

    /// Sets a cursor back that lies in the source's future, as after its clock was set back.
    pub fn not_after(mut self, limit: Timestamp) -> Self {
        let back = |since: Option<Timestamp>| since.map(|since| since.min(limit));
        self.tickets_since = back(self.tickets_since);
        self.checkins_since = back(self.checkins_since);
        self
    }

    /// Returns the position as a sync saves it.
    pub fn to_next(&self) -> Next {
        let text = serde_json::to_string(self).unwrap_or_default();
        if self.step == Step::Begin { Next::Done(text) } else { Next::Page(text) }
    }
}

/// Writes a time as the API reads it.
pub fn write_time(time: Timestamp, form: TimeForm) -> String {
    match form {
        // Whole seconds, rounded down: many APIs refuse a fraction.
        TimeForm::Rfc3339 => Timestamp::from_seconds(time.as_seconds()).to_string().replace(".000Z", "Z"),
        TimeForm::Seconds => time.as_seconds().to_string(),
        TimeForm::Millis => (time.as_micros() / 1_000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const OVERLAP: i64 = 60;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    /// One change: of which row, at which time it says, and how much later it can be seen.
    #[derive(Clone, Debug)]
    struct Change {
        id: u8,
        changed: i64,
        seen: i64,
    }

    /// Reads a round at a time of the source, three rows per page, and keeps the latest change of each row.
    fn read_round(
        changes: &[Change],
        now: i64,
        mut position: Position,
        held: &mut BTreeMap<u8, i64>,
    ) -> Position {
        position.step = Step::Tickets;
        let since = position.tickets_since.map(|since| since - Duration::from_secs(OVERLAP as u64));
        let mut rows: BTreeMap<u8, i64> = BTreeMap::new();
        for change in changes.iter().filter(|change| change.seen <= now) {
            let row = rows.entry(change.id).or_insert(change.changed);
            *row = (*row).max(change.changed);
        }
        rows.retain(|_, changed| since.is_none_or(|since| at(*changed) >= since));
        let rows: Vec<_> = rows.into_iter().collect();
        let pages: Vec<_> = rows.chunks(3).collect();
        for (i, page) in pages.iter().enumerate() {
            held.extend(page.iter().copied());
            let next = (i + 1 < pages.len()).then(|| i.to_string());
            let latest = page.iter().map(|(_, changed)| at(*changed)).max();
            // A crash between two pages goes on from what was saved.
            let saved = serde_json::to_string(&position).expect("is JSON");
            position = Position::parse(&saved).expect("reads back").after(next, latest, at(now), false);
        }
        if pages.is_empty() {
            position = position.after(None, None, at(now), false);
        }
        position.not_after(at(now))
    }

    proptest! {
        #[test]
        fn no_change_is_lost_through_ties_late_rows_and_clocks_ahead(
            changes in prop::collection::vec((0_u8..12, 0_i64..600, -30_i64..=OVERLAP), 0..60),
            mut polls in prop::collection::vec(0_i64..800, 1..25),
        ) {
            let changes: Vec<Change> =
                changes.into_iter().map(|(id, changed, lag)| Change { id, changed, seen: changed + lag }).collect();
            polls.sort_unstable();
            polls.push(1_000);
            let (mut position, mut held) = (Position::default(), BTreeMap::new());
            for now in polls {
                position = read_round(&changes, now, position, &mut held);
                prop_assert_eq!(position.step, Step::Begin);
                prop_assert!(position.tickets_since.is_none_or(|since| since <= at(now)), "no cursor in the future");
            }
            let mut truth: BTreeMap<u8, i64> = BTreeMap::new();
            for change in &changes {
                let row = truth.entry(change.id).or_insert(change.changed);
                *row = (*row).max(change.changed);
            }
            prop_assert_eq!(held, truth);
        }
    }

    #[test]
    fn a_time_is_written_as_the_api_reads_it() {
        let time = Timestamp::from_millis(1_800_000_000_750);
        assert_eq!(write_time(time, TimeForm::Rfc3339), "2027-01-15T08:00:00Z");
        assert_eq!(write_time(time, TimeForm::Seconds), "1800000000");
        assert_eq!(write_time(time, TimeForm::Millis), "1800000000750");
    }
}
