//! The standard reports as the SQL store answers them: cells and days of attendance, one event's figures.

use std::collections::BTreeSet;

use ieum_contracts::analytics::{
    AttendanceRange, BusyHour, GateFlow, OverallPerformance, PerformanceMetrics, UNTYPED,
};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, StoreError, Value};

use crate::history::rate;
use crate::report::{Cell, Days, Span};
use crate::store::{AnalyticsStore, Known, any_of};

/// The type of an event as reports name it. `NULL`, which no group may hide in, is a type of its own.
fn type_of(event: &str) -> String {
    format!("COALESCE({event}.event_type, '{UNTYPED}')")
}

impl AnalyticsStore {
    /// Returns the sums over hours by type, weekday and hour of the day.
    ///
    /// One sample is one local hour of one event. Its rate is the highest told in it; an hour whose event has
    /// nobody registered has none (`NULL`), which no sum and no count takes.
    pub async fn cells(&self, ask: &AttendanceRange, span: Span) -> Result<Vec<Cell>, Fault> {
        let kind = type_of("e");
        let (within, outside, values) = chosen(ask, span, &kind);
        let sql = format!(
            "SELECT {kind} AS kind, h.local_weekday, h.local_hour, SUM(h.came) AS came, \
             SUM(h.came * h.came) AS came_squared, COUNT(h.rate) AS rated, SUM(h.rate) AS rates, \
             SUM(h.rate * h.rate) AS rates_squared FROM (SELECT event_id, local_day, local_weekday, local_hour, \
             SUM(arrivals) AS came, MAX(rate) AS rate FROM ieum_analytics_slot WHERE {within} \
             GROUP BY event_id, local_day, local_weekday, local_hour) h \
             JOIN ieum_analytics_event e ON e.event_id = h.event_id WHERE {outside} \
             GROUP BY {kind}, h.local_weekday, h.local_hour ORDER BY 1, 2, 3"
        );
        let cell = |row: &Row| {
            Ok::<_, Fault>(Cell {
                event_type: row.text("kind")?,
                weekday: small(row, "local_weekday")?,
                hour: small(row, "local_hour")?,
                came: row.float("came")?,
                came_squared: row.float("came_squared")?,
                rated: count(row, "rated")?,
                rates: row.opt_float("rates")?.unwrap_or(0.0),
                rates_squared: row.opt_float("rates_squared")?.unwrap_or(0.0),
            })
        };
        self.sql().fetch_all(&sql, &values).await?.iter().map(cell).collect()
    }

    /// Returns the sums over event days by type, weekday and half of the range.
    pub async fn days(&self, ask: &AttendanceRange, span: Span) -> Result<Vec<Days>, Fault> {
        let kind = type_of("e");
        let (within, outside, mut values) = chosen(ask, span, &kind);
        values.insert(0, span.middle().into());
        let sql = format!(
            "SELECT {kind} AS kind, d.local_weekday, d.later, COUNT(*) AS days, SUM(d.came) AS came, \
             SUM(d.came * d.came) AS came_squared FROM (SELECT event_id, local_day, local_weekday, \
             CASE WHEN MIN(slot_at) < ? THEN 0 ELSE 1 END AS later, SUM(arrivals) AS came \
             FROM ieum_analytics_slot WHERE {within} GROUP BY event_id, local_day, local_weekday) d \
             JOIN ieum_analytics_event e ON e.event_id = d.event_id WHERE {outside} \
             GROUP BY {kind}, d.local_weekday, d.later ORDER BY 1, 2, 3"
        );
        let days = |row: &Row| {
            Ok::<_, Fault>(Days {
                event_type: row.text("kind")?,
                weekday: small(row, "local_weekday")?,
                later: row.int("later")? == 1,
                days: count(row, "days")?,
                came: row.float("came")?,
                came_squared: row.float("came_squared")?,
            })
        };
        self.sql().fetch_all(&sql, &values).await?.iter().map(days).collect()
    }

    /// Returns how many events have history in the range.
    pub async fn events_within(&self, ask: &AttendanceRange, span: Span) -> Result<u64, Fault> {
        let (within, outside, values) = chosen(ask, span, &type_of("e"));
        let sql = format!(
            "SELECT COUNT(*) AS events FROM (SELECT DISTINCT event_id FROM ieum_analytics_slot \
             WHERE {within}) s JOIN ieum_analytics_event e ON e.event_id = s.event_id WHERE {outside}"
        );
        Ok(count(&self.sql().fetch_one(&sql, &values).await?, "events")?)
    }

    /// Returns the figures of all events that have history in the range.
    pub async fn overall(&self, ask: &AttendanceRange, span: Span) -> Result<OverallPerformance, Fault> {
        let (within, outside, values) = chosen(ask, span, &type_of("e"));
        let sql = format!(
            "SELECT s.event_id, s.days, s.most FROM (SELECT event_id, COUNT(DISTINCT local_day) AS days, \
             MAX(most_inside) AS most FROM ieum_analytics_slot WHERE {within} GROUP BY event_id) s \
             JOIN ieum_analytics_event e ON e.event_id = s.event_id WHERE {outside} ORDER BY s.event_id"
        );
        let mut all = OverallPerformance::default();
        let mut within = BTreeSet::new();
        for row in self.sql().fetch_all(&sql, &values).await? {
            let (event_id, most) = (row.text("event_id")?, count(&row, "most")?);
            all.event_days += count(&row, "days")?;
            if most > all.most_inside {
                (all.most_inside, all.most_inside_event_id) = (most, Some(event_id.clone()));
            }
            within.insert(event_id);
        }
        for known in self.events(ask.event_ids.as_deref()).await? {
            if let Some(seen) = known.seen.filter(|_| within.contains(&known.profile.event_id)) {
                all.total_registered += seen.registered;
                all.checked_in += seen.checked_in;
            }
        }
        all.attendance_rate = rate(all.checked_in, all.total_registered);
        all.no_show_rate = all.attendance_rate.map(|rate| 1.0 - rate);
        all.busiest_hour = self.busiest_hour_of_all(ask, span).await?;
        Ok(all)
    }

    async fn busiest_hour_of_all(
        &self,
        ask: &AttendanceRange,
        span: Span,
    ) -> Result<Option<BusyHour>, Fault> {
        let (within, outside, values) = chosen(ask, span, &type_of("e"));
        let sql = format!(
            "SELECT h.begun, SUM(h.came) AS total FROM (SELECT event_id, slot_at - (slot_at % 3600000000) AS begun, \
             SUM(arrivals) AS came FROM ieum_analytics_slot WHERE {within} \
             GROUP BY event_id, slot_at - (slot_at % 3600000000)) h \
             JOIN ieum_analytics_event e ON e.event_id = h.event_id WHERE {outside} \
             GROUP BY h.begun ORDER BY total DESC, h.begun LIMIT 1"
        );
        let Some(row) = self.sql().fetch_optional(&sql, &values).await? else { return Ok(None) };
        let (at, arrivals) = (time(&row, "begun")?, row.float("total")?);
        Ok((arrivals > 0.0).then_some(BusyHour { at, arrivals }))
    }

    /// Returns an event's figures over all its history.
    pub async fn performance(&self, known: &Known) -> Result<PerformanceMetrics, Fault> {
        let event_id = known.profile.event_id.as_str();
        let seen = known.seen.clone().unwrap_or_default();
        let sql = "SELECT slot_at, most_inside FROM ieum_analytics_slot WHERE event_id = ? \
                   ORDER BY most_inside DESC, slot_at LIMIT 1";
        let most = self.sql().fetch_optional(sql, &[event_id.into()]).await?;
        let most_inside = most.as_ref().map_or(Ok(0), |row| count(row, "most_inside"))?;
        let sql = "SELECT COUNT(DISTINCT local_day) AS days FROM ieum_analytics_slot WHERE event_id = ?";
        let days = self.sql().fetch_one(sql, &[event_id.into()]).await?;
        let rate = rate(seen.checked_in, seen.registered);
        let capacity = known.profile.capacity;
        Ok(PerformanceMetrics {
            total_registered: seen.registered,
            checked_in: seen.checked_in,
            checked_in_before: known.came_before,
            attendance_rate: rate,
            no_show_rate: rate.map(|rate| 1.0 - rate),
            most_inside,
            most_inside_at: most.map(|row| time(&row, "slot_at")).transpose()?,
            capacity,
            highest_occupancy: capacity
                .filter(|capacity| *capacity > 0)
                .map(|capacity| most_inside as f64 / capacity as f64),
            busiest_hour: self.busiest_hour(event_id).await?,
            event_days: count(&days, "days")?,
            gates: self.gates(event_id).await?,
        })
    }

    async fn busiest_hour(&self, event_id: &str) -> Result<Option<BusyHour>, Fault> {
        let sql = "SELECT MIN(slot_at) AS begun, SUM(arrivals) AS came FROM ieum_analytics_slot \
                   WHERE event_id = ? GROUP BY local_day, local_hour ORDER BY came DESC, begun LIMIT 1";
        let Some(row) = self.sql().fetch_optional(sql, &[event_id.into()]).await? else { return Ok(None) };
        let (begun, arrivals) = (time(&row, "begun")?, row.float("came")?);
        let hour = Timestamp::from_seconds(begun.as_seconds() - begun.as_seconds().rem_euclid(3_600));
        Ok((arrivals > 0.0).then_some(BusyHour { at: hour, arrivals }))
    }

    async fn gates(&self, event_id: &str) -> Result<Vec<GateFlow>, Fault> {
        let sql = "SELECT h.gate_id, SUM(h.people) AS total, MAX(h.people) AS most FROM (SELECT gate_id, \
                   slot_at - (slot_at % 3600000000) AS begun, SUM(people) AS people FROM ieum_analytics_gate \
                   WHERE event_id = ? GROUP BY gate_id, slot_at - (slot_at % 3600000000)) h \
                   GROUP BY h.gate_id ORDER BY total DESC, h.gate_id";
        let rows = self.sql().fetch_all(sql, &[event_id.into()]).await?;
        let mut gates = Vec::new();
        for row in &rows {
            gates.push(GateFlow {
                gate_id: row.text("gate_id")?,
                people: row.float("total")?,
                share: 0.0,
                most_per_hour: row.float("most")?,
            });
        }
        let all: f64 = gates.iter().map(|gate| gate.people).sum();
        for gate in &mut gates {
            gate.share = if all > 0.0 { gate.people / all } else { 0.0 };
        }
        Ok(gates)
    }
}

/// The conditions that choose slots and events, and their values in this order.
fn chosen(ask: &AttendanceRange, span: Span, kind: &str) -> (String, String, Vec<Value>) {
    let (events, event_values) = any_of("event_id", ask.event_ids.as_deref());
    let (types, type_values) = any_of(kind, ask.event_types.as_deref());
    let mut values: Vec<Value> = vec![span.from.into(), span.until.into()];
    values.extend(event_values);
    values.extend(type_values);
    (format!("slot_at >= ? AND slot_at < ? AND {events}"), types, values)
}

fn small(row: &Row, column: &str) -> Result<u8, StoreError> {
    Ok(u8::try_from(row.int(column)?).unwrap_or(0))
}

fn count(row: &Row, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.int(column)?).unwrap_or(0))
}

fn time(row: &Row, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_micros(row.int(column)?))
}
