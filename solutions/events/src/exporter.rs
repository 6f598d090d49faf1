//! What Prometheus may ask of every source: how stale, how late, how often it failed, its scans and its people.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::events::Occupancy;
use ieum_core::{Fault, SharedClock, Timestamp};
use ieum_telemetry::{Family, FamilyKind, Gather};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::store::EventsStore;

/// How often the tables are looked at. A scrape answers from what was seen then.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Sources with series of their own; the others share `other`.
const MOST_SOURCES: usize = 500;

/// The name of those beyond.
const OTHER: &str = "other";

/// Tells the metrics of every source.
pub struct Exporter {
    clock: SharedClock,
    seen: Mutex<Vec<Seen>>,
    noted: Mutex<HashMap<String, Noted>>,
}

/// A source as the tables had it.
#[derive(Clone, Debug, Default)]
struct Seen {
    source: String,
    healthy: bool,
    failures: f64,
    last_success_at: Option<Timestamp>,
    /// By the way they came in.
    scans: BTreeMap<String, f64>,
}

/// What was noted when a source's state was renewed here.
#[derive(Clone, Debug)]
struct Noted {
    counted: f64,
    estimated: f64,
    newest: Option<Timestamp>,
    lag: Option<Duration>,
}

impl Exporter {
    /// Makes it with nothing to tell.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, seen: Mutex::default(), noted: Mutex::default() }
    }

    /// Notes an event's people, and how old the newest scan was when it came.
    #[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
    pub fn note(&self, event_id: &str, occupancy: Occupancy, newest: Option<Timestamp>, now: Timestamp) {
        let mut noted = self.noted.lock();
        let before = noted.get(event_id);
        let is_new = newest.is_some() && newest > before.and_then(|before| before.newest);
        let lag = if is_new { newest.map(|at| now.since(at)) } else { before.and_then(|before| before.lag) };
        let (counted, estimated) = (occupancy.counted as f64, occupancy.estimated as f64);
        noted.insert(event_id.to_owned(), Noted { counted, estimated, newest, lag });
    }

    /// Looks into the tables again and again until `stopped`.
    pub async fn run(self: Arc<Self>, store: EventsStore, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            if let Err(fault) = self.look(&store).await {
                tracing::warn!(error = %fault, "looking after the sources' metrics failed");
            }
            tokio::select! {
                _ = stopped.changed() => {}
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Looks into the tables.
    #[allow(clippy::cast_precision_loss, reason = "scans and failures stay far below 2^52")]
    pub async fn look(&self, store: &EventsStore) -> Result<(), Fault> {
        let sql = "SELECT event_id, healthy, failures, last_success_at FROM ieum_events_source \
                   WHERE removed = ? ORDER BY event_id";
        let mut sources: BTreeMap<String, Seen> = BTreeMap::new();
        for row in store.sql().fetch_all(sql, &[false.into()]).await? {
            let source = row.text("event_id")?;
            let seen = Seen {
                source: source.clone(),
                healthy: row.bool("healthy")?,
                failures: row.int("failures")? as f64,
                last_success_at: row.opt_int("last_success_at")?.map(Timestamp::from_micros),
                scans: BTreeMap::new(),
            };
            sources.insert(source, seen);
        }
        for row in store.sql().fetch_all("SELECT * FROM ieum_events_intake", &[]).await? {
            if let Some(seen) = sources.get_mut(&row.text("event_id")?) {
                seen.scans.insert(row.text("way")?, row.int("scans")? as f64);
            }
        }
        self.noted.lock().retain(|source, _| sources.contains_key(source));
        *self.seen.lock() = sources.into_values().collect();
        Ok(())
    }
}

/// One family's series, those beyond the bound put together.
struct Series {
    family: Family,
    rest: Option<f64>,
}

impl Series {
    fn new(name: &'static str, kind: FamilyKind, help: &'static str) -> Self {
        Self { family: Family::new(name, kind, help), rest: None }
    }

    /// Adds a source's value; those beyond the bound are put together by `join`.
    fn add(&mut self, place: usize, source: &str, value: f64, join: fn(f64, f64) -> f64) {
        if place < MOST_SOURCES {
            self.family = self.family.clone().with(&[("source", source)], value);
        } else {
            self.rest = Some(self.rest.map_or(value, |rest| join(rest, value)));
        }
    }

    fn end(self) -> Family {
        match self.rest {
            Some(rest) => self.family.with(&[("source", OTHER)], rest),
            None => self.family,
        }
    }
}

fn sum(one: f64, other: f64) -> f64 {
    one + other
}

impl Gather for Exporter {
    fn gather(&self) -> Vec<Family> {
        use FamilyKind::{Counter, Gauge};
        let now = self.clock.now();
        let (seen, noted) = (self.seen.lock().clone(), self.noted.lock().clone());
        let mut healthy =
            Series::new("ieum_events_source_healthy", Gauge, "1 where the last health check passed.");
        let mut failures = Series::new("ieum_events_source_failures", Gauge, "Failed reads in a row.");
        let mut stale = Series::new(
            "ieum_events_source_staleness_seconds",
            Gauge,
            "Seconds since the source was last read with success.",
        );
        let mut lag = Series::new(
            "ieum_events_source_lag_seconds",
            Gauge,
            "How old the newest scan was when it was counted.",
        );
        let mut scans = Series::new("ieum_events_source_scans_total", Counter, "Scans taken in.");
        let mut counted = Series::new("ieum_events_source_counted", Gauge, "Entries minus exits.");
        let mut inside =
            Series::new("ieum_events_source_inside", Gauge, "People inside, corrected for missing exits.");
        for (place, Seen { source, healthy: is_healthy, failures: failed, last_success_at, scans: by_way }) in
            seen.iter().enumerate()
        {
            healthy.add(place, source, f64::from(u8::from(*is_healthy)), f64::min);
            failures.add(place, source, *failed, sum);
            if let Some(at) = last_success_at {
                stale.add(place, source, now.since(*at).as_secs_f64(), f64::max);
            }
            scans.add(place, source, by_way.values().sum(), sum);
            let Some(noted) = noted.get(source) else { continue };
            counted.add(place, source, noted.counted, sum);
            inside.add(place, source, noted.estimated, sum);
            if let Some(span) = noted.lag {
                lag.add(place, source, span.as_secs_f64(), f64::max);
            }
        }
        [healthy, failures, stale, lag, scans, counted, inside].map(Series::end).into()
    }
}

#[cfg(test)]
mod tests {
    use ieum_contracts::events::OccupancyMethod;
    use ieum_core::{Clock, ManualClock};

    use super::*;

    fn occupancy(counted: i64, estimated: u64) -> Occupancy {
        Occupancy {
            counted,
            estimated,
            low: 0,
            high: estimated,
            capacity: None,
            share: None,
            checkout_rate: None,
            method: OccupancyMethod::Survival,
        }
    }

    fn text(exporter: &Exporter) -> String {
        format!("{:?}", exporter.gather())
    }

    #[test]
    fn lag_is_the_age_of_a_new_scan_and_stays_while_none_comes() {
        let clock = ManualClock::default();
        clock.set_wall(Timestamp::from_seconds(1_000));
        let exporter = Exporter::new(clock.shared());
        *exporter.seen.lock() = vec![Seen { source: "expo".into(), ..Seen::default() }];
        exporter.note("expo", occupancy(9, 7), Some(Timestamp::from_seconds(990)), clock.now());
        clock.advance(Duration::from_secs(60));
        exporter.note("expo", occupancy(9, 7), Some(Timestamp::from_seconds(990)), clock.now());
        let told = text(&exporter);
        assert!(told.contains(r#"ieum_events_source_lag_seconds{source=\"expo\"} 10"#), "{told}");
        assert!(told.contains(r#"ieum_events_source_inside{source=\"expo\"} 7"#), "{told}");
    }

    #[test]
    fn sources_beyond_the_bound_share_one_series() {
        let exporter = Exporter::new(ManualClock::default().shared());
        let seen = |i: usize| Seen { source: format!("s{i:04}"), failures: 2.0, ..Seen::default() };
        *exporter.seen.lock() = (0..MOST_SOURCES + 3).map(seen).collect();
        let told = text(&exporter);
        assert!(told.contains(r#"ieum_events_source_failures{source=\"other\"} 6"#));
        assert!(!told.contains(&format!("s{MOST_SOURCES:04}")));
    }
}
