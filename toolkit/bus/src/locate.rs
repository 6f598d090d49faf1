//! Where is event X: every place where the bus has seen it.

use ieum_core::Timestamp;
use ieum_store::{Row, StoreError};
use serde::Serialize;

use crate::{Bus, BusError};

/// One place where an event was seen.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// Where.
    pub stage: Stage,
    /// Since when, as far as it is known.
    pub at: Timestamp,
    /// For people: topic, group, attempts, reason.
    pub detail: String,
}

/// A place on an event's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits to be moved to the bus.
    Outbox,
    /// Is durable in the log.
    Log,
    /// Is in the log and a group has not taken it yet.
    Waiting,
    /// Waits in a group's retry lane.
    Lane,
    /// A group could not handle it.
    Dead,
    /// A group handled it.
    Handled,
}

struct Place {
    stage: Stage,
    sql: &'static str,
}

/// Each query answers `at` and `detail` for an event's id.
const PLACES: [Place; 6] = [
    Place {
        stage: Stage::Outbox,
        sql: "SELECT written_at AS at_time, topic, '' AS group_name, '' AS more FROM ieum_bus_outbox WHERE event_id = ?",
    },
    Place {
        stage: Stage::Log,
        sql: "SELECT written_at AS at_time, topic, '' AS group_name, '' AS more FROM ieum_bus_log WHERE event_id = ?",
    },
    Place {
        stage: Stage::Waiting,
        sql: "SELECT l.written_at AS at_time, l.topic AS topic, s.group_name AS group_name, '' AS more \
              FROM ieum_bus_log l JOIN ieum_bus_slot s ON s.topic = l.topic AND s.part = l.part \
              WHERE l.event_id = ? AND l.seq > s.position",
    },
    Place {
        stage: Stage::Lane,
        sql: "SELECT last_at AS at_time, topic, group_name, reason AS more, attempts FROM ieum_bus_lane WHERE event_id = ?",
    },
    Place {
        stage: Stage::Dead,
        sql: "SELECT last_at AS at_time, topic, group_name, reason AS more, attempts, state \
              FROM ieum_bus_dead WHERE event_id = ?",
    },
    Place {
        stage: Stage::Handled,
        sql: "SELECT handled_at AS at_time, topic, group_name, '' AS more FROM ieum_bus_inbox WHERE event_id = ?",
    },
];

impl Bus {
    /// Returns everywhere the event with `event_id` was seen, in the order of its way. Empty where the bus
    /// never had it or has let go of it (see [`Bus::purge`]). A log at a broker is not searched (see
    /// [`BusCapabilities::finds_in_log`]).
    ///
    /// [`BusCapabilities::finds_in_log`]: crate::BusCapabilities::finds_in_log
    ///
    /// # Errors
    /// Fails where the store does.
    pub async fn locate(&self, event_id: &str) -> Result<Vec<Sighting>, BusError> {
        let failed = || BusError::store("looking for an event");
        let mut sightings = Vec::new();
        for place in &PLACES {
            let rows = self.inner.store.fetch_all(place.sql, &[event_id.into()]).await.map_err(failed())?;
            for row in &rows {
                sightings.push(place.sighting(row).map_err(failed())?);
            }
        }
        Ok(sightings)
    }
}

// === Place ===

impl Place {
    fn sighting(&self, row: &Row) -> Result<Sighting, StoreError> {
        let (topic, group, more) = (row.text("topic")?, row.text("group_name")?, row.text("more")?);
        let mut detail = format!("topic {topic}");
        if !group.is_empty() {
            detail.push_str(&format!(", group {group}"));
        }
        if matches!(self.stage, Stage::Lane | Stage::Dead) {
            detail.push_str(&format!(", attempts {}", row.int("attempts")?));
        }
        if self.stage == Stage::Dead {
            detail.push_str(&format!(", {}", row.text("state")?));
        }
        if !more.is_empty() {
            detail.push_str(&format!(", {more}"));
        }
        Ok(Sighting { stage: self.stage, at: row.opt_timestamp("at_time")?.unwrap_or_default(), detail })
    }
}
