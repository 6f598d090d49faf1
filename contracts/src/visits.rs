//! Who visited what, person by person and without names: what patterns of behaviour are made of.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};

/// The most people that one answer holds.
pub const MOST_VISITORS: u32 = 2_000;

/// Tells the visits of an event to other parts. What it tells is about single people: nobody passes it on as it is.
#[contract("events.visits")]
pub trait EventVisits {
    /// Returns the visits of people whose tickets count, in an order that stays. Fails with `events.event.unknown`.
    #[query]
    async fn list(&self, cx: &Cx, ask: VisitsAsk) -> Result<VisitsPage, Fault>;
}

/// Asks for visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitsAsk {
    /// The event.
    pub event_id: String,
    /// Scans before this time; now where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Goes on after a page; its `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many people; [`MOST_VISITORS`] where left out or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

/// One page of visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitsPage {
    /// The event.
    pub event_id: String,
    /// When it begins, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<Timestamp>,
    /// One entry per person who came.
    pub people: Vec<PersonVisits>,
    /// What to ask for next; left out at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The visits of one person, ordered by when they began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonVisits {
    /// At least one.
    pub visits: Vec<RoomVisit>,
}

/// One stay of a person behind one door.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomVisit {
    /// The check-in list or gate; the event's own entrance is empty.
    pub room: String,
    /// When the person came in.
    pub entered_at: Timestamp,
    /// When the person went, where a scan tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}
