//! Durable publishing: events acknowledged per second beside one commit per event, on the same disk.
//!
//! An event counts once its publisher has the acknowledgement, which comes after the commit that holds it
//! (SQLite in WAL mode with `synchronous=FULL`). `IEUM_BENCH_STORE` names another store, such as
//! `postgres://…`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ieum_bus::{Bus, BusOptions, Event, EventError, open_bus};
use ieum_core::{Cx, Fault, system_clock};
use ieum_store::{Store, StoreOptions, Value, migrate};

use crate::measure::{Cost, cost, print_ratio, spread};

const PUBLISHERS: usize = 512;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.bus", format!("{step}: {error}"))
}

fn event(number: u64) -> Result<Event, EventError> {
    let data = serde_json::json!({ "eventId": format!("event-{}", number % 64), "currentAttendees": number });
    Event::new(&Cx::root(), "bench", "bench.event.updated.v1", format!("event-{}", number % 64), data)
}

/// Publishes one event at a time from each of `PUBLISHERS` tasks for `ROUND`.
async fn publish(bus: &Bus) -> Cost {
    let next = Arc::new(AtomicU64::new(0));
    cost(async {
        let until = Instant::now() + ROUND;
        let publishers = (0..PUBLISHERS).map(|_| {
            let (bus, next) = (bus.clone(), next.clone());
            tokio::spawn(async move {
                let mut acknowledged = 0;
                while Instant::now() < until {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Ok(event) = event(number) else { continue };
                    acknowledged += u64::from(bus.publish("bench", event).await.is_ok());
                }
                acknowledged
            })
        });
        let mut acknowledged = 0;
        for publisher in publishers.collect::<Vec<_>>() {
            acknowledged += publisher.await.unwrap_or(0);
        }
        acknowledged
    })
    .await
}

/// Commits one row at a time, as a bus without group commit would.
async fn commit_each(store: &Store) -> Cost {
    cost(async {
        let until = Instant::now() + ROUND;
        let mut done = 0;
        while Instant::now() < until {
            let row = [Value::from(ieum_core::new_id().to_string()), Value::from("x".repeat(300))];
            if store.execute("INSERT INTO bench_rows (id, body) VALUES (?, ?)", &row).await.is_ok() {
                done += 1;
            }
        }
        done
    })
    .await
}

/// Prints the bus's figures.
#[allow(clippy::disallowed_methods, reason = "a benchmark has no settings file")]
pub async fn run() -> Result<(), Fault> {
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    let url = std::env::var("IEUM_BENCH_STORE")
        .unwrap_or_else(|_| format!("sqlite:{}", folder.path().join("bench.db").display()));
    let store =
        Store::open(&url, &StoreOptions::default()).await.map_err(|error| failed("opening", &error))?;
    migrate(&store, &ieum_bus::migrations(), |_| {}).await.map_err(|error| failed("migrating", &error))?;
    let table = "CREATE TABLE IF NOT EXISTS bench_rows (id VARCHAR(40) PRIMARY KEY, body TEXT)";
    store.execute(table, &[]).await.map_err(|error| failed("making a table", &error))?;
    let bus = open_bus("local:", store.clone(), system_clock(), BusOptions::default())
        .await
        .map_err(|error| failed("opening the bus", &error))?;
    let (mut rates, mut ratios, mut cpus) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let peer = commit_each(&store).await;
        let ours = publish(&bus).await;
        rates.push(ours.rate());
        ratios.push(ours.rate() / peer.rate());
        cpus.push(ours.cpu_micros());
    }
    let (rate, lowest, highest) = spread(rates);
    println!("store: {}", store.url_redacted().split(':').next().unwrap_or_default());
    println!(
        "acknowledged durable events a second, {PUBLISHERS} publishers: {rate:.0} (lowest {lowest:.0}, highest \
         {highest:.0}; wanted >= 5000, aim 20000)"
    );
    print_ratio("against one commit per event on the same disk", ratios);
    println!("CPU microseconds per event: {:.1}", spread(cpus).0);
    Ok(())
}
