//! Where is event X: every place where the bus has seen it.

use std::fmt;

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

/// Where an event was seen, and where it was looked for besides.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Located {
    /// Every place that has seen it, in the order of its way.
    pub sightings: Vec<Sighting>,
    /// What was searched of a log at a broker; `None` where the log is in the store.
    pub searched: Option<LogSearch>,
}

/// What was searched of a log at a broker. Its text is a sentence for people.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogSearch {
    /// The bus, with its brokers.
    pub bus: String,
    /// The topics: those that groups of this store listen to, and those that this process has used.
    pub topics: Vec<String>,
    /// How many records were read.
    pub records: u64,
    /// How many are read at most.
    pub limit: u64,
    /// From when on, where the event's id tells when it was made (UUID version 7, RFC 9562 §5.7); else the newest
    /// records were read.
    pub since: Option<Timestamp>,
    /// Whether all records from there on were read, or up to the event.
    pub whole: bool,
    /// Why the search ended early.
    pub problem: Option<String>,
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
    /// Returns everywhere the event with `event_id` was seen, in the order of its way. Nothing where the bus
    /// never had it or has let go of it (see [`Bus::purge`]). A log at a broker is searched within bounds:
    /// from the time on that the id tells, else the newest records, and not longer than 20 s;
    /// [`Located::searched`] says what that was.
    ///
    /// # Errors
    /// Fails where the store does. A broker that does not answer is no failure.
    pub async fn locate(&self, event_id: &str) -> Result<Located, BusError> {
        let failed = || BusError::store("looking for an event");
        let mut sightings = Vec::new();
        for place in &PLACES {
            let rows = self.inner.store.fetch_all(place.sql, &[event_id.into()]).await.map_err(failed())?;
            for row in &rows {
                sightings.push(place.sighting(row).map_err(failed())?);
            }
        }
        let (found, searched) = self.search_log(event_id).await.map_err(failed())?;
        sightings.extend(found);
        sightings.sort_by_key(|sighting| sighting.stage);
        Ok(Located { sightings, searched })
    }
}

/// Returns when an event was made whose id is a UUID of version 7: its first 48 bits are milliseconds since 1970.
#[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "only a log at a broker is searched by time"))]
pub(crate) fn made_at(event_id: &str) -> Option<Timestamp> {
    let digits: String = event_id.chars().filter(|letter| *letter != '-').collect();
    let is_uuid =
        event_id.len() == 36 && digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_uuid || digits.as_bytes()[12] != b'7' {
        return None;
    }
    i64::from_str_radix(&digits[..12], 16).ok().map(Timestamp::from_millis)
}

// === LogSearch ===

impl fmt::Display for LogSearch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bus, topics, records, limit, .. } = self;
        if let Some(problem) = &self.problem {
            return write!(out, "the log was not searched to the end: {problem}");
        }
        if topics.is_empty() {
            return write!(
                out,
                "the log of {bus} was not searched: no group of this store listens to a topic there"
            );
        }
        let topics = topics.join(", ");
        match (self.since, self.whole) {
            (Some(since), true) => {
                write!(out, "the log of {bus} was searched from {since} on: {records} records of {topics}")
            }
            (Some(since), false) => write!(
                out,
                "the log of {bus} was searched from {since} on, but no further than {records} records of {topics} \
                 (at most {limit}, and 20s)"
            ),
            (None, true) => write!(out, "the log of {bus} was searched: {records} records of {topics}"),
            (None, false) => write!(
                out,
                "the log of {bus} was searched, but only its newest {records} records of {topics} (at most {limit}, \
                 and 20s): the id does not tell when the event was made"
            ),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made_if_it_is_a_uuid_of_version_7() {
        let made = made_at("01890a5d-ac96-774b-bcce-b302099a8057").expect("is version 7");
        assert_eq!(made.as_millis(), 0x0189_0a5d_ac96);
        for id in ["a-1", "", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "01890a5d-ac96-774b-bcce-b302099a805é"]
        {
            assert_eq!(made_at(id), None, "{id}");
        }
    }

    #[test]
    fn a_search_says_what_it_left_out() {
        let (bus, topics) = ("kafka://a:1".to_owned(), vec!["cups".to_owned(), "lids".to_owned()]);
        let newest = LogSearch { bus, topics, records: 7, limit: 9, ..LogSearch::default() };
        assert!(newest.to_string().contains("only its newest 7 records of cups, lids (at most 9, and 20s)"));
        let since = Some(Timestamp::from_seconds(0));
        let whole = LogSearch { since, whole: true, ..newest };
        assert_eq!(
            whole.to_string(),
            format!(
                "the log of kafka://a:1 was searched from {} on: 7 records of cups, lids",
                Timestamp::from_seconds(0)
            )
        );
    }
}
