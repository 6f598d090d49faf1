//! Points of attendance, kept in the transaction of their state until the time series has them.

use std::collections::HashMap;
use std::sync::Arc;

use ieum_contracts::events::NormalizedEventData;
use ieum_core::{Fault, Timestamp};
use ieum_data::{Point, TimeSeries};
use ieum_store::{Row, Store, StoreError, Transaction};
use parking_lot::Mutex;

/// The measurement under which attendance goes into the time series.
pub const MEASUREMENT: &str = "event_attendance";

/// Points handed over at once.
const MOST_AT_ONCE: usize = 1_000;

/// The fields of a point, as columns and as fields of the series.
const FIELDS: [&str; 3] = ["current_attendees", "checked_in", "total_registered"];

/// The way of points into the time series. A point is written again after a crash or a failure of the
/// series; the series keeps one per event and time, so that a repeat changes nothing.
pub struct PointLog {
    store: Store,
    series: Arc<dyn TimeSeries>,
    /// Up to where each event's points are in the series for sure.
    written: Mutex<HashMap<String, Timestamp>>,
}

impl PointLog {
    /// Makes the way from the tables into a series.
    pub fn new(store: Store, series: Arc<dyn TimeSeries>) -> Self {
        Self { store, series, written: Mutex::default() }
    }

    /// Returns the series that the points go to.
    pub fn series(&self) -> &dyn TimeSeries {
        &*self.series
    }

    /// Keeps a state's point together with the state, and drops those that the series has.
    pub async fn keep(&self, tx: &mut Transaction, data: &NormalizedEventData) -> Result<(), StoreError> {
        let event_id = data.event_id.as_str();
        let written = {
            let mut written = self.written.lock();
            // A clock that was set back: what is known of later points says nothing of this one.
            if written.get(event_id).is_some_and(|until| *until >= data.timestamp) {
                written.remove(event_id);
            }
            written.get(event_id).copied()
        };
        if let Some(until) = written {
            let sql = "DELETE FROM ieum_events_point WHERE event_id = ? AND at_micros <= ?";
            tx.execute(sql, &[event_id.into(), until.into()]).await?;
        }
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let metrics = &data.metrics;
        let values = [
            event_id.into(),
            data.timestamp.into(),
            whole(metrics.current_attendees).into(),
            whole(metrics.checked_in).into(),
            whole(metrics.total_registered).into(),
        ];
        let sql = tx.dialect().upsert("ieum_events_point", &["event_id", "at_micros"], &FIELDS);
        tx.execute(&sql, &values).await?;
        Ok(())
    }

    /// Writes the points of an event that the series may not have. What fails is written next time.
    pub async fn hand_over(&self, event_id: &str) -> Result<(), Fault> {
        let sql = format!(
            "SELECT * FROM ieum_events_point WHERE event_id = ? AND at_micros > ? ORDER BY at_micros \
             LIMIT {MOST_AT_ONCE}"
        );
        loop {
            let after = self.written.lock().get(event_id).copied();
            let after = after.map_or(i64::MIN, Timestamp::as_micros);
            let rows = self.store.fetch_all(&sql, &[event_id.into(), after.into()]).await?;
            let points = rows.iter().map(read_point).collect::<Result<Vec<_>, _>>()?;
            let Some(last) = points.last().map(|point| point.at) else { return Ok(()) };
            self.series.write(&points).await?;
            self.written.lock().insert(event_id.to_owned(), last);
            if points.len() < MOST_AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Writes whatever a process before this one left behind.
    pub async fn hand_over_all(&self) -> Result<(), Fault> {
        let sql = "SELECT DISTINCT event_id FROM ieum_events_point ORDER BY event_id";
        for row in self.store.fetch_all(sql, &[]).await? {
            self.hand_over(&row.text("event_id")?).await?;
        }
        Ok(())
    }
}

fn read_point(row: &Row) -> Result<Point, StoreError> {
    let at = Timestamp::from_micros(row.int("at_micros")?);
    let mut point = Point::new(MEASUREMENT, at).tag("event", &row.text("event_id")?);
    for field in FIELDS {
        #[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
        let number = row.int(field)? as f64;
        point = point.field(field, number);
    }
    Ok(point)
}
