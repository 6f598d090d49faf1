//! Each event's last known state in the tables.

use ieum_contracts::events::NormalizedEventData;
use ieum_core::Fault;
use ieum_store::{Row, Transaction};

use crate::store::{EventsStore, broken};

impl EventsStore {
    /// Returns the last known states, ordered by event id.
    pub async fn states(&self) -> Result<Vec<NormalizedEventData>, Fault> {
        let sql = "SELECT t.data FROM ieum_events_state t JOIN ieum_events_source s ON s.event_id = t.event_id \
                   WHERE s.removed = ? ORDER BY t.event_id";
        let rows = self.sql().fetch_all(sql, &[false.into()]).await?;
        rows.iter().map(read_state).collect()
    }

    /// Returns an event's last known state.
    pub async fn state(&self, event_id: &str) -> Result<Option<NormalizedEventData>, Fault> {
        let sql = "SELECT t.data FROM ieum_events_state t JOIN ieum_events_source s ON s.event_id = t.event_id \
                   WHERE s.removed = ? AND t.event_id = ?";
        let row = self.sql().fetch_optional(sql, &[false.into(), event_id.into()]).await?;
        row.as_ref().map(read_state).transpose()
    }
}

/// Returns an event's last known state within the transaction.
pub async fn fetch_state(tx: &mut Transaction, event_id: &str) -> Result<Option<NormalizedEventData>, Fault> {
    let sql = "SELECT data FROM ieum_events_state WHERE event_id = ?";
    tx.fetch_optional(sql, &[event_id.into()]).await?.as_ref().map(read_state).transpose()
}

/// Writes an event's state; `changed_at` is when its figures last changed.
pub async fn save_state(
    tx: &mut Transaction,
    data: &NormalizedEventData,
    is_news: bool,
) -> Result<(), Fault> {
    let json = serde_json::to_string(data).map_err(|error| broken("state", &error))?;
    let event_id = data.event_id.as_str();
    if is_news {
        let sql = tx.dialect().upsert("ieum_events_state", &["event_id"], &["data", "read_at", "changed_at"]);
        let values = [event_id.into(), json.into(), data.timestamp.into(), data.timestamp.into()];
        tx.execute(&sql, &values).await?;
    } else {
        let sql = "UPDATE ieum_events_state SET data = ?, read_at = ? WHERE event_id = ?";
        tx.execute(sql, &[json.into(), data.timestamp.into(), event_id.into()]).await?;
    }
    Ok(())
}

fn read_state(row: &Row) -> Result<NormalizedEventData, Fault> {
    serde_json::from_str(&row.text("data")?).map_err(|error| broken("state", &error))
}
