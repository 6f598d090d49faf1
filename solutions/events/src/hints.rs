//! Hints that wait to be followed, each kept once.

use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, StoreError, Transaction};

use crate::connector::Hint;
use crate::store::EventsStore;

impl EventsStore {
    /// Keeps a hint. Returns whether it is new.
    pub async fn save_hint(&self, event_id: &str, hint: &Hint, now: Timestamp) -> Result<bool, Fault> {
        let sql = "INSERT INTO ieum_events_hint (event_id, notification_id, action, order_code, received_at, done) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let action: String = hint.action.chars().take(190).collect();
        let code = hint.order_code.clone();
        let values = [
            event_id.into(),
            (&hint.notification_id).into(),
            action.into(),
            code.into(),
            now.into(),
            false.into(),
        ];
        match self.sql().execute(sql, &values).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the hints that were not followed yet, the oldest first, at most `most`.
    pub async fn open_hints(&self, event_id: &str, most: u32) -> Result<Vec<Hint>, Fault> {
        let sql = format!(
            "SELECT notification_id, action, order_code FROM ieum_events_hint WHERE event_id = ? AND done = ? \
             ORDER BY received_at, notification_id LIMIT {most}"
        );
        let rows = self.sql().fetch_all(&sql, &[event_id.into(), false.into()]).await?;
        rows.iter().map(|row| Ok(read_hint(row)?)).collect()
    }

    /// Forgets hints that were followed before `before`; a repeat after that is read again and changes nothing.
    pub async fn drop_old_hints(&self, event_id: &str, before: Timestamp) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_events_hint WHERE event_id = ? AND done = ? AND received_at < ?";
        self.sql().execute(sql, &[event_id.into(), true.into(), before.into()]).await?;
        Ok(())
    }
}

/// Marks hints as followed.
pub async fn close_hints(tx: &mut Transaction, event_id: &str, hints: &[Hint]) -> Result<(), StoreError> {
    let sql = "UPDATE ieum_events_hint SET done = ? WHERE event_id = ? AND notification_id = ?";
    for hint in hints {
        tx.execute(sql, &[true.into(), event_id.into(), (&hint.notification_id).into()]).await?;
    }
    Ok(())
}

fn read_hint(row: &Row) -> Result<Hint, StoreError> {
    Ok(Hint {
        notification_id: row.text("notification_id")?,
        action: row.text("action")?,
        order_code: row.opt_text("order_code")?,
    })
}
