//! Letting go of what every group has handled, in small steps.

use std::time::Duration;

use ieum_core::Timestamp;
use ieum_store::{StoreError, Value};

use crate::{Bus, BusError};

/// How long things are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Events in the log after every group of their topic has taken them. Default 7 days.
    pub consumed: Duration,
    /// Events in the log of a topic that no group listens to. Default 30 days.
    pub unclaimed: Duration,
    /// Inbox marks: for so long a repeated event is recognised. Default 30 days.
    pub inbox: Duration,
    /// Dead letters that were resolved or discarded, with their trail. Parked ones stay. Default 90 days.
    pub decided: Duration,
}

/// How many rows were let go of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Purged {
    /// From the log.
    pub events: u64,
    /// From the inbox.
    pub marks: u64,
    /// Dead letters.
    pub dead: u64,
}

/// How many rows one transaction deletes, so that publishers hardly wait.
const STEP: usize = 500;

const CONSUMED: &str = "SELECT l.seq AS id FROM ieum_bus_log l WHERE l.written_at < ? \
    AND EXISTS (SELECT 1 FROM ieum_bus_slot s WHERE s.topic = l.topic) \
    AND NOT EXISTS (SELECT 1 FROM ieum_bus_slot s WHERE s.topic = l.topic AND s.part = l.part \
    AND s.position < l.seq) ORDER BY l.seq LIMIT 500";
const UNCLAIMED: &str = "SELECT l.seq AS id FROM ieum_bus_log l WHERE l.written_at < ? \
    AND NOT EXISTS (SELECT 1 FROM ieum_bus_slot s WHERE s.topic = l.topic) ORDER BY l.seq LIMIT 500";
const DECIDED: &str = "SELECT id FROM ieum_bus_dead WHERE state IN ('resolved', 'discarded') \
    AND changed_at < ? LIMIT 500";

impl Default for Retention {
    fn default() -> Self {
        let days = |count: u64| Duration::from_secs(count * 24 * 3_600);
        Self { consumed: days(7), unclaimed: days(30), inbox: days(30), decided: days(90) }
    }
}

impl Bus {
    /// Deletes what `retention` no longer keeps, in steps of 500 rows. An event that some group has not taken
    /// yet stays, however old. Where the log is at a broker (see [`BusCapabilities::purges_log`]) its events go
    /// by the broker's retention.
    ///
    /// [`BusCapabilities::purges_log`]: crate::BusCapabilities::purges_log
    ///
    /// # Errors
    /// Fails where the store does; what was deleted before stays deleted.
    pub async fn purge(&self, retention: &Retention) -> Result<Purged, BusError> {
        let now = self.inner.clock.now();
        let mut purged = Purged::default();
        let failed = || BusError::store("purging the bus");
        if self.capabilities().purges_log {
            let log = "DELETE FROM ieum_bus_log WHERE seq IN";
            purged.events +=
                self.purge_rows(CONSUMED, log, now - retention.consumed).await.map_err(failed())?;
            let unclaimed = now - retention.unclaimed;
            purged.events += self.purge_rows(UNCLAIMED, log, unclaimed).await.map_err(failed())?;
        }
        purged.marks = self.purge_marks(now - retention.inbox).await.map_err(failed())?;
        let trail = "DELETE FROM ieum_bus_dead_audit WHERE dead_id IN";
        let dead = "DELETE FROM ieum_bus_dead WHERE id IN";
        loop {
            let ids = self.ids(DECIDED, now - retention.decided).await.map_err(failed())?;
            if ids.is_empty() {
                return Ok(purged);
            }
            self.delete(trail, &ids).await.map_err(failed())?;
            purged.dead += self.delete(dead, &ids).await.map_err(failed())?;
        }
    }

    async fn purge_rows(&self, find: &str, delete: &str, before: Timestamp) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let ids = self.ids(find, before).await?;
            if ids.is_empty() {
                return Ok(count);
            }
            count += self.delete(delete, &ids).await?;
        }
    }

    async fn ids(&self, find: &str, before: Timestamp) -> Result<Vec<Value>, StoreError> {
        let rows = self.inner.store.fetch_all(find, &[before.into()]).await?;
        rows.iter().map(|row| row.value("id").cloned()).collect()
    }

    async fn delete(&self, delete: &str, ids: &[Value]) -> Result<u64, StoreError> {
        let holes = vec!["?"; ids.len()].join(", ");
        self.inner.store.execute(&format!("{delete} ({holes})"), ids).await
    }

    /// Inbox marks go by spans of time: the age at which about one step's worth of marks ends.
    async fn purge_marks(&self, before: Timestamp) -> Result<u64, StoreError> {
        let store = &self.inner.store;
        let mut count = 0;
        loop {
            let find = format!(
                "SELECT handled_at FROM ieum_bus_inbox WHERE handled_at < ? ORDER BY handled_at LIMIT {STEP}"
            );
            let rows = store.fetch_all(&find, &[before.into()]).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            let until = last.timestamp("handled_at")?;
            let delete = "DELETE FROM ieum_bus_inbox WHERE handled_at <= ?";
            count += store.execute(delete, &[until.into()]).await?;
        }
    }
}
