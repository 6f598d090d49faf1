//! How far each group is behind.

use std::time::Duration;

use ieum_store::{Row, StoreError};
use serde::Serialize;

use crate::{Bus, BusError};

/// How far one group is behind on one topic.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// Events in the log that were not taken yet.
    pub unread: i64,
    /// Events in retry lanes.
    pub in_lane: i64,
    /// Dead letters that wait for a decision.
    pub dead: i64,
    /// The age of the oldest event not taken yet; zero where there is none.
    pub oldest: Duration,
}

const SQL: &str = "SELECT s.topic AS topic, s.group_name AS group_name, \
    COUNT(l.seq) AS unread, MIN(l.written_at) AS oldest, \
    (SELECT COUNT(*) FROM ieum_bus_lane n WHERE n.topic = s.topic AND n.group_name = s.group_name) AS in_lane, \
    (SELECT COUNT(*) FROM ieum_bus_dead d WHERE d.state = 'parked' AND d.topic = s.topic \
     AND d.group_name = s.group_name) AS dead \
    FROM ieum_bus_slot s LEFT JOIN ieum_bus_log l \
    ON l.topic = s.topic AND l.part = s.part AND l.seq > s.position \
    GROUP BY s.topic, s.group_name ORDER BY s.topic, s.group_name";

impl Bus {
    /// Returns how far each group is behind, and sets the metrics `ieum_bus_unread_events`,
    /// `ieum_bus_oldest_unread_seconds`, `ieum_bus_lane_events` and `ieum_bus_dead_letters`.
    ///
    /// # Errors
    /// Fails where the store or the broker does.
    pub async fn lag(&self) -> Result<Vec<Lag>, BusError> {
        let failed = || BusError::store("measuring the bus's lag");
        let now = self.inner.clock.now();
        let rows = self.inner.store.fetch_all(SQL, &[]).await.map_err(failed())?;
        let read = |row: &Row| -> Result<Lag, StoreError> {
            Ok(Lag {
                topic: row.text("topic")?,
                group: row.text("group_name")?,
                unread: row.int("unread")?,
                in_lane: row.int("in_lane")?,
                dead: row.int("dead")?,
                oldest: row.opt_timestamp("oldest")?.map_or(Duration::ZERO, |oldest| now.since(oldest)),
            })
        };
        let mut lags: Vec<Lag> = rows.iter().map(read).collect::<Result<_, _>>().map_err(failed())?;
        self.add_unread(&mut lags).await?;
        lags.iter().for_each(set_metrics);
        Ok(lags)
    }
}

#[allow(clippy::cast_precision_loss, reason = "gauges are floating point numbers")]
fn set_metrics(lag: &Lag) {
    let labels = [("topic", lag.topic.clone()), ("group", lag.group.clone())];
    metrics::gauge!("ieum_bus_unread_events", &labels).set(lag.unread as f64);
    metrics::gauge!("ieum_bus_oldest_unread_seconds", &labels).set(lag.oldest.as_secs_f64());
    metrics::gauge!("ieum_bus_lane_events", &labels).set(lag.in_lane as f64);
    metrics::gauge!("ieum_bus_dead_letters", &labels).set(lag.dead as f64);
}
