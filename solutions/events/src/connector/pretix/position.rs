//! Where a read of pretix stands: which step, which page, and since when. Pure.

use std::time::Duration;

use ieum_core::{Code, Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::facts::{Batch, Next};

/// How far a cursor is set back that turned out to lie in the server's future.
const SET_BACK: Duration = Duration::from_secs(3_600);

/// Where a read stands. Saved as JSON beside the facts read so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// What is read next.
    pub step: Step,
    /// The check-in list that is read.
    #[serde(default)]
    pub list: i64,
    /// Orders modified since then are read; `None` for all.
    #[serde(default)]
    pub orders_since: Option<Timestamp>,
    /// Scans created since then are read; `None` for all.
    #[serde(default)]
    pub checkins_since: Option<Timestamp>,
    /// What `orders_since` becomes once this round is complete: the time of its first page.
    #[serde(default)]
    pub orders_next: Option<Timestamp>,
    /// What `checkins_since` becomes.
    #[serde(default)]
    pub checkins_next: Option<Timestamp>,
}

/// The steps of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The event and its check-in list.
    #[default]
    Begin,
    /// A page of orders, from 1.
    Orders {
        /// The page.
        page: u32,
    },
    /// A page of scans, from 1.
    Checkins {
        /// The page.
        page: u32,
    },
}

impl Position {
    /// Reads a saved position. Fails with `events.pretix.position`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| {
            Fault::data_loss("events.pretix.position", format!("reading the saved sync position: {error}"))
        })
    }

    /// Returns the position as a sync saves it.
    pub fn to_next(&self) -> Next {
        let text = serde_json::to_string(self).unwrap_or_default();
        if self.step == Step::Begin { Next::Done(text) } else { Next::Page(text) }
    }

    /// Moves on to the first page of orders. Another list than before is read from its beginning.
    pub fn begin(mut self, list: i64) -> Self {
        if self.list != list {
            self.checkins_since = None;
        }
        Self { step: Step::Orders { page: 1 }, list, orders_next: None, checkins_next: None, ..self }
    }

    /// Moves on after a page of orders that was generated at `generated_at`.
    pub fn after_orders(mut self, page: u32, more: bool, generated_at: Timestamp) -> Self {
        self.orders_next = self.orders_next.or(Some(generated_at));
        self.step = if more { Step::Orders { page: page + 1 } } else { Step::Checkins { page: 1 } };
        self
    }

    /// Moves on after a page of scans; after the last one the round is complete.
    pub fn after_checkins(mut self, page: u32, more: bool, generated_at: Timestamp) -> Self {
        self.checkins_next = self.checkins_next.or(Some(generated_at));
        if more {
            self.step = Step::Checkins { page: page + 1 };
            return self;
        }
        Self {
            step: Step::Begin,
            list: self.list,
            orders_since: self.orders_next.max(self.orders_since),
            checkins_since: self.checkins_next.max(self.checkins_since),
            orders_next: None,
            checkins_next: None,
        }
    }

    /// Begins the present list of rows again: rows vanished and the page asked for is past the end.
    pub fn restart(mut self) -> Batch {
        self.step = match self.step {
            Step::Checkins { .. } => Step::Checkins { page: 1 },
            _ => Step::Orders { page: 1 },
        };
        Batch { next: self.to_next(), ..Batch::default() }
    }

    /// Tells whether a cursor lies in the server's future, as after its clock was set back.
    pub fn is_ahead_of(&self, server_now: Option<Timestamp>) -> bool {
        let Some(server_now) = server_now else { return false };
        [self.orders_since, self.checkins_since].into_iter().flatten().any(|since| since > server_now)
    }

    /// Sets cursors that lie in the server's future back and begins the round again.
    pub fn set_back(mut self, server_now: Option<Timestamp>) -> Batch {
        if let Some(server_now) = server_now {
            let back = |since: Option<Timestamp>| since.map(|since| since.min(server_now - SET_BACK));
            self.orders_since = back(self.orders_since);
            self.checkins_since = back(self.checkins_since);
        }
        (self.orders_next, self.checkins_next) = (None, None);
        self.step = Step::Orders { page: 1 };
        Batch { next: self.to_next(), ..Batch::default() }
    }
}

/// Returns a query parameter with the time `overlap` before `since`; empty without one.
pub fn since_parameter(name: &str, since: Option<Timestamp>, overlap: Duration) -> String {
    since.map_or_else(String::new, |since| format!("&{name}={}", since - overlap))
}

/// Tells whether pretix says that there is no such page.
pub fn is_past_the_end(fault: &Fault) -> bool {
    fault.code == Code::NotFound
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn a_round_ends_at_the_time_of_its_first_pages() {
        let position = Position::default().begin(3);
        let position = position.after_orders(1, true, at(10)).after_orders(2, false, at(20));
        assert_eq!(position.step, Step::Checkins { page: 1 });
        let position = position.after_checkins(1, true, at(30)).after_checkins(2, false, at(40));
        assert_eq!((position.orders_since, position.checkins_since), (Some(at(10)), Some(at(30))));
        assert!(matches!(position.to_next(), Next::Done(_)));
    }

    #[test]
    fn a_cursor_never_goes_back_by_itself_and_survives_saving() {
        let known = Position { orders_since: Some(at(50)), list: 3, ..Position::default() };
        let next = known.begin(3).after_orders(1, false, at(10)).after_checkins(1, false, at(10));
        assert_eq!(next.orders_since, Some(at(50)));
        let Next::Done(text) = next.to_next() else { panic!("the round is complete") };
        assert_eq!(Position::parse(&text), Ok(next));
    }

    #[test]
    fn a_cursor_in_the_servers_future_is_set_back() {
        let ahead = Position { orders_since: Some(at(9_000)), ..Position::default() }.begin(1);
        assert!(ahead.is_ahead_of(Some(at(0))));
        assert!(!ahead.is_ahead_of(None));
        let Next::Page(text) = ahead.set_back(Some(at(0))).next else { panic!("goes on") };
        assert_eq!(Position::parse(&text).expect("reads back").orders_since, Some(at(-3_600)));
    }

    #[test]
    fn another_list_is_read_from_its_beginning() {
        let known = Position { checkins_since: Some(at(1)), list: 3, ..Position::default() };
        assert_eq!(known.clone().begin(3).checkins_since, Some(at(1)));
        assert_eq!(known.begin(4).checkins_since, None);
    }

    #[test]
    fn a_read_begins_before_its_cursor() {
        let since =
            since_parameter("modified_since", Some(Timestamp::from_seconds(90)), Duration::from_secs(30));
        assert_eq!(since, "&modified_since=1970-01-01T00:01:00.000Z");
    }

    proptest! {
        /// Orders become visible up to the overlap later than their time says, many at one instant.
        #[test]
        fn no_order_is_lost_through_ties_late_rows_and_pages(
            orders in prop::collection::vec((0_i64..600, 0_i64..=30), 0..60),
            mut polls in prop::collection::vec(0_i64..700, 1..25),
        ) {
            let overlap = Duration::from_secs(30);
            polls.sort_unstable();
            polls.push(1_000);
            let (mut position, mut held) = (Position::default(), BTreeSet::new());
            for now in polls {
                position = position.begin(1);
                let since = position.orders_since.map(|since| since - overlap);
                let visible = orders.iter().enumerate().filter(|(_, (modified, lag))| {
                    modified + lag <= now && since.is_none_or(|since| at(*modified) >= since)
                });
                let rows: Vec<usize> = visible.map(|(id, _)| id).collect();
                let pages = rows.chunks(4).count().max(1);
                for page in 1..=pages {
                    held.extend(rows.chunks(4).nth(page - 1).unwrap_or_default());
                    let number = u32::try_from(page).expect("fits");
                    // Later pages are generated later; the round's time is its first page's.
                    position = position.after_orders(number, page < pages, at(now + page as i64 - 1));
                }
                position = position.after_checkins(1, false, at(now));
                prop_assert_eq!(position.orders_since, Some(at(now)));
            }
            prop_assert_eq!(held, (0..orders.len()).collect::<BTreeSet<_>>());
        }
    }
}
