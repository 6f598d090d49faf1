//! What connectors hand over: pages of raw facts or whole figures, with the position after them.

use std::collections::BTreeSet;

use ieum_contracts::events::EventStatus;
use ieum_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::programme::facts::{ListFact, ProgrammeFacts};
use crate::rules::Figures;

/// One page of a sync.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Figures of a source that counts itself.
    pub figures: Option<Figures>,
    /// Orders as they are now, whole: what they no longer hold is gone.
    pub orders: Vec<OrderFacts>,
    /// Codes of orders that no longer exist.
    pub gone_orders: Vec<String>,
    /// Single scans.
    pub checkins: Vec<CheckinFact>,
    /// Whether orders are told without their scans, so that those in the tables stay.
    pub scans_apart: bool,
    /// Scans that no longer count.
    pub void_checkins: Vec<i64>,
    /// What is known of the event and how its people are counted.
    pub profile: Option<Profile>,
    /// All of the event's check-in lists; `None` where they were not asked for.
    pub lists: Option<Vec<ListFact>>,
    /// The whole programme; `None` where it was not asked for or is as it was.
    pub programme: Option<ProgrammeFacts>,
    /// Where to go on.
    pub next: Next,
    /// The source's clock minus ours, microseconds, where it told the time.
    pub clock_skew_micros: Option<i64>,
}

impl Batch {
    /// Orders that hold tickets.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &OrderFacts> {
        self.orders.iter().filter(|order| !order.positions.is_empty())
    }

    /// Codes of orders that go: those that no longer exist, and those told without a ticket. A system that reads the
    /// tickets of an order in a query of their own shows it like that while it is deleted, and since none of its rows
    /// would be left, no sweep would ask for it again.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = &String> {
        let emptied = self.orders.iter().filter(|order| order.positions.is_empty());
        self.gone_orders.iter().chain(emptied.map(|order| &order.code))
    }
}

/// Where a sync stands after a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Where it stood: the page came out of order.
    #[default]
    Unchanged,
    /// More pages follow this checkpoint.
    Page(String),
    /// All is read; the next incremental read begins at this cursor.
    Done(String),
}

/// One order with its tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFacts {
    /// The order's code, unique within the event.
    pub code: String,
    /// The source's word for its state; pretix: `p` paid, `n` pending, `e` expired, `c` cancelled.
    pub status: String,
    /// Whether its tickets are valid although it is not paid.
    pub valid_if_pending: bool,
    /// Its tickets.
    pub positions: Vec<PositionFact>,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionFact {
    /// The source's id.
    pub id: i64,
    /// The product.
    pub item: i64,
    /// The date within a series.
    pub subevent: Option<i64>,
    /// Whether the ticket was cancelled.
    pub canceled: bool,
    /// Its scans that count.
    pub checkins: Vec<CheckinFact>,
}

/// One scan that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckinFact {
    /// The source's id.
    pub id: i64,
    /// The ticket.
    pub position_id: i64,
    /// The check-in list.
    pub list_id: i64,
    /// Whether somebody left; otherwise somebody came.
    pub is_exit: bool,
    /// When the ticket was scanned, by the scanner's clock.
    pub scanned_at: Timestamp,
    /// Which gate or device scanned it.
    pub gate: Option<String>,
}

/// What a source says about an event, and how its people are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The event's name.
    pub event_name: String,
    /// When it begins.
    pub begins_at: Option<Timestamp>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// The check-in list that counts.
    pub list_id: i64,
    /// The list's name.
    pub list_name: String,
    /// Whether tickets of pending orders count.
    pub include_pending: bool,
    /// Only this date of a series.
    pub subevent: Option<i64>,
    /// Only these products; `None` for all.
    pub items: Option<BTreeSet<i64>>,
    /// People registered, where gates push their scans and no tickets are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<u64>,
}

/// A source's own totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Tickets that count.
    pub registered: u64,
    /// Tickets that came at least once.
    pub checked_in: u64,
    /// Tickets inside now.
    pub inside: u64,
}

impl Profile {
    /// Tells whether the event runs at `now`, going by its dates and by whether people are inside.
    pub fn status(&self, inside: u64, now: Timestamp) -> Option<EventStatus> {
        if inside > 0 {
            return Some(EventStatus::Active);
        }
        let ended = self.ends_at.is_some_and(|end| end < now);
        let begun = self.begins_at.is_some_and(|begin| begin <= now);
        match (begun, ended) {
            (_, true) => Some(EventStatus::Ended),
            (true, false) => Some(EventStatus::Active),
            (false, false) if self.begins_at.is_some() => Some(EventStatus::Upcoming),
            _ => None,
        }
    }
}
