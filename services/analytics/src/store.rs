//! The queries of analytics over events and their history.

use ieum_contracts::analytics::EventProfile;
use ieum_contracts::events::NormalizedEventData;
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, Store, StoreError, Transaction, Value};

use crate::history::{Change, Seen};
use crate::zone::{UnknownZone, Zone};

/// What is known of an event.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is.
    pub profile: EventProfile,
    /// Its name, once it was seen.
    pub name: Option<String>,
    /// The source's word for whether it runs.
    pub status: Option<String>,
    /// Its last state.
    pub seen: Option<Seen>,
    /// Who had come before its first state.
    pub came_before: u64,
    /// How often its history changed.
    pub version: i64,
}

/// The tables of analytics.
#[derive(Clone)]
pub struct AnalyticsStore {
    sql: Store,
    usual_zone: Zone,
}

const EVENT: &str = "SELECT * FROM ieum_analytics_event WHERE event_id = ?";
const EVENT_COLUMNS: [&str; 5] = ["event_name", "status", "last_seen", "came_before", "version"];
const SLOT_COLUMNS: [&str; 10] = [
    "event_id",
    "slot_at",
    "local_day",
    "local_hour",
    "local_weekday",
    "arrivals",
    "most_inside",
    "registered",
    "checked_in",
    "rate",
];

// === Known ===

impl Known {
    /// Returns the name, or the id where none is known.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.profile.event_id.clone())
    }
}

// === AnalyticsStore ===

impl AnalyticsStore {
    /// Makes the queries over `sql`. Events that tell no time zone are in `usual_zone`.
    pub fn new(sql: Store, usual_zone: Zone) -> Self {
        Self { sql, usual_zone }
    }

    /// Returns the store itself.
    pub fn sql(&self) -> &Store {
        &self.sql
    }

    /// Returns an event's time zone.
    pub fn zone(&self, profile: &EventProfile) -> Zone {
        let named = profile.time_zone.as_deref().map(Zone::named);
        named.and_then(Result::ok).unwrap_or_else(|| self.usual_zone.clone())
    }

    /// Returns one event. Fails with `analytics.event.unknown`.
    pub async fn event(&self, event_id: &str) -> Result<Known, Fault> {
        let row = self.sql.fetch_optional(EVENT, &[event_id.into()]).await?;
        row.as_ref().map_or_else(|| Err(unknown_event(event_id)), read_known)
    }

    /// Returns every event, or those asked for, ordered by id.
    pub async fn events(&self, only: Option<&[String]>) -> Result<Vec<Known>, Fault> {
        let (condition, values) = any_of("event_id", only);
        let sql = format!("SELECT * FROM ieum_analytics_event WHERE {condition} ORDER BY event_id");
        self.sql.fetch_all(&sql, &values).await?.iter().map(read_known).collect()
    }

    /// Says what an event is, and brings the local columns of its history to its time zone.
    pub async fn describe(&self, profile: &EventProfile) -> Result<(), Fault> {
        let mut tx = self.sql.begin_write().await?;
        let before = locked(&mut tx, &profile.event_id).await?;
        let capacity = profile.capacity.and_then(|capacity| i64::try_from(capacity).ok());
        let sql =
            "UPDATE ieum_analytics_event SET event_type = ?, time_zone = ?, capacity = ? WHERE event_id = ?";
        let values = [
            profile.event_type.clone().map_or(Value::Null, Value::Text),
            profile.time_zone.clone().map_or(Value::Null, Value::Text),
            capacity.map_or(Value::Null, Value::Int),
            profile.event_id.as_str().into(),
        ];
        tx.execute(sql, &values).await?;
        let zone = self.zone(profile);
        if self.zone(&before.profile).name() != zone.name() {
            move_to_zone(&mut tx, &profile.event_id, &zone).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Reads an event within a transaction that will change its history; nobody else does until it ends. Makes
    /// the event where there is none.
    pub async fn lock(&self, tx: &mut Transaction, event_id: &str) -> Result<Known, Fault> {
        locked(tx, event_id).await
    }

    /// Notes the state that an event is in.
    pub async fn note_seen(
        &self,
        tx: &mut Transaction,
        before: &Known,
        name: &str,
        status: &str,
        seen: &Seen,
    ) -> Result<(), Fault> {
        let came_before = if before.seen.is_some() { before.came_before } else { seen.checked_in };
        let json = serde_json::to_string(seen).map_err(|error| broken("state", &error))?;
        let sql = tx.dialect().upsert("ieum_analytics_event", &["event_id"], &EVENT_COLUMNS);
        let values = [
            before.profile.event_id.as_str().into(),
            name.into(),
            status.into(),
            json.into(),
            whole(came_before).into(),
            (before.version + 1).into(),
        ];
        tx.execute(&sql, &values).await?;
        Ok(())
    }

    /// Adds a change to an event's history.
    pub async fn add(
        &self,
        tx: &mut Transaction,
        event_id: &str,
        zone: &Zone,
        change: &Change,
    ) -> Result<(), Fault> {
        let sql = "SELECT arrivals, most_inside FROM ieum_analytics_slot WHERE event_id = ? AND slot_at = ?";
        let there = tx.fetch_optional(sql, &[event_id.into(), change.slot_at.into()]).await?;
        let (arrivals, inside) = match there {
            Some(row) => (row.float("arrivals")?, row.int("most_inside")?),
            None => (0.0, 0),
        };
        let inside = inside.max(whole(change.inside));
        let sql = tx.dialect().upsert("ieum_analytics_slot", &["event_id", "slot_at"], &SLOT_COLUMNS[2..]);
        tx.execute(&sql, &slot_row(event_id, zone, change, arrivals + change.arrivals, inside)).await?;
        for ((gate, slot), people) in &change.gates {
            add_flow(tx, event_id, gate, *slot, *people).await?;
        }
        Ok(())
    }

    /// Replaces an event's history but for its gates.
    pub async fn replace(
        &self,
        tx: &mut Transaction,
        event_id: &str,
        zone: &Zone,
        slots: &[Change],
    ) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_analytics_slot WHERE event_id = ?";
        tx.execute(sql, &[event_id.into()]).await?;
        let row = |slot: &Change| slot_row(event_id, zone, slot, slot.arrivals, whole(slot.inside)).to_vec();
        let rows = slots.iter().map(row);
        Insert::into("ieum_analytics_slot").columns(SLOT_COLUMNS).rows(rows).run_in(tx).await?;
        Ok(())
    }
}

fn slot_row(event_id: &str, zone: &Zone, change: &Change, arrivals: f64, inside: i64) -> [Value; 10] {
    let local = zone.local(change.slot_at);
    [
        event_id.into(),
        change.slot_at.into(),
        local.day_number().into(),
        i64::from(local.hour).into(),
        i64::from(local.weekday).into(),
        Value::Float(arrivals),
        inside.into(),
        whole(change.registered).into(),
        whole(change.checked_in).into(),
        change.rate.map_or(Value::Null, Value::Float),
    ]
}

async fn add_flow(
    tx: &mut Transaction,
    event_id: &str,
    gate_id: &str,
    slot: Timestamp,
    people: f64,
) -> Result<(), StoreError> {
    let keys = ["event_id", "gate_id", "slot_at"];
    let sql = "SELECT people FROM ieum_analytics_gate WHERE event_id = ? AND gate_id = ? AND slot_at = ?";
    let there = tx.fetch_optional(sql, &[event_id.into(), gate_id.into(), slot.into()]).await?;
    let before = there.map_or(Ok(0.0), |row| row.float("people"))?;
    let sql = tx.dialect().upsert("ieum_analytics_gate", &keys, &["people"]);
    let values = [event_id.into(), gate_id.into(), slot.into(), Value::Float(before + people)];
    tx.execute(&sql, &values).await?;
    Ok(())
}

async fn locked(tx: &mut Transaction, event_id: &str) -> Result<Known, Fault> {
    let sql = format!("{EVENT}{}", tx.dialect().for_update());
    if let Some(row) = tx.fetch_optional(&sql, &[event_id.into()]).await? {
        return read_known(&row);
    }
    let make = tx.dialect().upsert("ieum_analytics_event", &["event_id"], &[]);
    tx.execute(&make, &[event_id.into()]).await?;
    read_known(&tx.fetch_one(&sql, &[event_id.into()]).await?)
}

/// Writes the local columns of an event's history anew.
async fn move_to_zone(tx: &mut Transaction, event_id: &str, zone: &Zone) -> Result<(), Fault> {
    let sql = "SELECT * FROM ieum_analytics_slot WHERE event_id = ?";
    let mut rows = Vec::new();
    for row in tx.fetch_all(sql, &[event_id.into()]).await? {
        let local = zone.local(Timestamp::from_micros(row.int("slot_at")?));
        let mut values =
            SLOT_COLUMNS.iter().map(|name| row.value(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        values[2] = local.day_number().into();
        values[3] = i64::from(local.hour).into();
        values[4] = i64::from(local.weekday).into();
        rows.push(values);
    }
    let insert = Insert::into("ieum_analytics_slot").columns(SLOT_COLUMNS).rows(rows);
    insert.or_update(["event_id", "slot_at"]).run_in(tx).await?;
    Ok(())
}

fn read_known(row: &Row) -> Result<Known, Fault> {
    let seen = row.opt_text("last_seen")?.map(|json| serde_json::from_str(&json));
    let count = |name: &str| Ok::<_, StoreError>(row.opt_int(name)?.and_then(|n| u64::try_from(n).ok()));
    Ok(Known {
        profile: EventProfile {
            event_id: row.text("event_id")?,
            event_type: row.opt_text("event_type")?,
            time_zone: row.opt_text("time_zone")?,
            capacity: count("capacity")?,
        },
        name: row.opt_text("event_name")?,
        status: row.opt_text("status")?,
        seen: seen.transpose().map_err(|error| broken("state", &error))?,
        came_before: count("came_before")?.unwrap_or(0),
        version: row.opt_int("version")?.unwrap_or(0),
    })
}

/// Returns the word that the tables keep for whether an event runs.
pub fn status_word(data: &NormalizedEventData) -> &'static str {
    use ieum_contracts::events::EventStatus;
    match data.status {
        EventStatus::Upcoming => "upcoming",
        EventStatus::Active => "active",
        EventStatus::Ended => ENDED,
        EventStatus::Unknown => "unknown",
    }
}

/// The word of an event that is over.
pub const ENDED: &str = "ended";

/// Returns a condition that a column has one of the values, or any where there are none to choose from.
pub fn any_of(column: &str, only: Option<&[String]>) -> (String, Vec<Value>) {
    match only {
        None => ("1 = 1".to_owned(), Vec::new()),
        Some([]) => ("1 = 0".to_owned(), Vec::new()),
        Some(only) => {
            let holes = vec!["?"; only.len()].join(", ");
            (format!("{column} IN ({holes})"), only.iter().map(|one| one.as_str().into()).collect())
        }
    }
}

/// Returns a count as the tables keep it.
pub fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Makes the fault for a saved text that is no longer what was saved.
pub fn broken(what: &str, error: &serde_json::Error) -> Fault {
    Fault::data_loss("analytics.store.json", format!("reading or writing the saved {what}: {error}"))
}

/// Makes the fault for an event without history.
pub fn unknown_event(event_id: &str) -> Fault {
    let shown: String = event_id.chars().take(64).collect();
    let message = format!("looking for event {shown:?}: nothing was told of it yet");
    Fault::not_found("analytics.event.unknown", message)
}

impl From<UnknownZone> for Fault {
    fn from(unknown: UnknownZone) -> Self {
        Self::invalid_argument("analytics.profile.invalid", format!("field timeZone: {unknown}"))
    }
}
