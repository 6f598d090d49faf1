//! The parts of pretix's answers that the hub reads.

use std::collections::BTreeMap;

use ieum_core::{Fault, Timestamp};
use serde::Deserialize;

use crate::facts::{CheckinFact, OrderFacts, PositionFact, Profile};
use crate::rules::garbage;

/// A page of rows (<https://docs.pretix.eu/dev/api/fundamentals.html#pagination>).
#[derive(Debug, Deserialize)]
pub struct List<T> {
    /// The address of the next page; only whether there is one is used.
    #[serde(default)]
    pub next: Option<String>,
    /// The rows.
    pub results: Vec<T>,
}

/// An event.
#[derive(Debug, Deserialize)]
pub struct Event {
    name: BTreeMap<String, String>,
    #[serde(default)]
    date_from: Option<Timestamp>,
    #[serde(default)]
    date_to: Option<Timestamp>,
}

/// A check-in list.
#[derive(Debug, Deserialize)]
pub struct CheckinList {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    all_products: bool,
    #[serde(default)]
    limit_products: Vec<i64>,
    #[serde(default)]
    subevent: Option<i64>,
    include_pending: bool,
    /// Whether it is a side list, such as for a cloakroom.
    #[serde(default)]
    pub ignore_in_statistics: bool,
}

/// A check-in list's own totals.
#[derive(Debug, Deserialize)]
pub struct Status {
    /// Tickets that came at least once.
    pub checkin_count: u64,
    /// Tickets that count.
    pub position_count: u64,
    /// Tickets inside now.
    pub inside_count: u64,
}

/// An order.
#[derive(Debug, Deserialize)]
pub struct Order {
    code: String,
    status: String,
    #[serde(default)]
    valid_if_pending: Option<bool>,
    positions: Vec<Position>,
}

#[derive(Debug, Deserialize)]
struct Position {
    id: i64,
    item: i64,
    #[serde(default)]
    subevent: Option<i64>,
    #[serde(default)]
    canceled: bool,
    #[serde(default)]
    checkins: Vec<Checkin>,
}

/// A scan, alone or within its order. Within an order only those that count are listed.
#[derive(Debug, Deserialize)]
pub struct Checkin {
    id: i64,
    #[serde(default)]
    successful: Option<bool>,
    #[serde(default)]
    position: Option<i64>,
    list: i64,
    datetime: Timestamp,
    #[serde(default)]
    gate: Option<i64>,
    #[serde(default)]
    device_id: Option<i64>,
    #[serde(rename = "type")]
    kind: String,
}

/// A webhook's registration.
#[derive(Debug, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: i64,
    /// Where it sends.
    pub target_url: String,
}

impl Event {
    /// Returns the event's name in the first of its languages.
    pub fn name(&self) -> &str {
        let preferred = self.name.get("en").or_else(|| self.name.values().next());
        preferred.map_or("", String::as_str)
    }
}

/// Joins what is known of an event and of the list that counts.
pub fn profile(event: Event, list: CheckinList) -> Profile {
    Profile {
        event_name: event.name().to_owned(),
        begins_at: event.date_from,
        ends_at: event.date_to,
        list_id: list.id,
        list_name: list.name,
        include_pending: list.include_pending,
        subevent: list.subevent,
        items: (!list.all_products).then(|| list.limit_products.into_iter().collect()),
        pushed: None,
    }
}

impl Order {
    /// Returns the order as facts. Fails with `events.source.garbage`, naming the field.
    pub fn into_facts(self) -> Result<OrderFacts, Fault> {
        if self.code.is_empty() || self.code.len() > 64 {
            return Err(garbage("code", "is no order code"));
        }
        if !matches!(self.status.as_str(), "n" | "p" | "e" | "c") {
            return Err(garbage(&format!("status of order {}", self.code), "is none of n, p, e, c"));
        }
        let positions = self.positions.into_iter().map(Position::into_fact).collect::<Result<_, _>>()?;
        let valid_if_pending = self.valid_if_pending.unwrap_or(false);
        Ok(OrderFacts { code: self.code, status: self.status, valid_if_pending, positions })
    }
}

impl Position {
    fn into_fact(self) -> Result<PositionFact, Fault> {
        let scan = |checkin: Checkin| checkin.into_fact(Some(self.id));
        let checkins = self.checkins.into_iter().map(scan).collect::<Result<Vec<_>, _>>()?;
        Ok(PositionFact {
            id: self.id,
            item: self.item,
            subevent: self.subevent,
            canceled: self.canceled,
            checkins: checkins.into_iter().flatten().collect(),
        })
    }
}

impl Checkin {
    /// Returns the scan as a fact, or `None` where it does not count: refused, annulled, or of no ticket.
    fn into_fact(self, position: Option<i64>) -> Result<Option<CheckinFact>, Fault> {
        let is_exit = match self.kind.as_str() {
            "entry" => false,
            "exit" => true,
            _ => return Err(garbage(&format!("type of check-in {}", self.id), "is neither entry nor exit")),
        };
        let Some(position_id) = position.or(self.position).filter(|_| self.successful != Some(false)) else {
            return Ok(None);
        };
        let gate = self.gate.map(|gate| format!("gate-{gate}"));
        let gate = gate.or_else(|| self.device_id.map(|device| format!("device-{device}")));
        Ok(Some(CheckinFact {
            id: self.id,
            position_id,
            list_id: self.list,
            is_exit,
            scanned_at: self.datetime,
            gate,
        }))
    }
}

/// Parts scans that count from the ids of those that do not.
pub fn split(rows: Vec<Checkin>) -> Result<(Vec<CheckinFact>, Vec<i64>), Fault> {
    let (mut facts, mut void) = (Vec::new(), Vec::new());
    for row in rows {
        let id = row.id;
        match row.into_fact(None)? {
            Some(fact) => facts.push(fact),
            None => void.push(id),
        }
    }
    Ok((facts, void))
}
