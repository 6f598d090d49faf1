//! A bus on one store, with what its database server costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ieum_bus::{Bus, BusOptions, open_bus};
use ieum_core::{Fault, system_clock};
use ieum_store::{Dialect, Store, StoreOptions, migrate};

use super::{event, failed};
use crate::measure::{Cost, cost};
use crate::processes::tree_cpu;

/// A bus to measure.
pub struct Subject {
    pub name: &'static str,
    pub store: Store,
    pub bus: Bus,
    /// The process of the database server.
    server: Option<u32>,
}

impl Subject {
    /// Opens the bus in the store at `url` and makes sure that an acknowledgement means a sync.
    pub async fn open(name: &'static str, url: &str, server: Option<u32>) -> Result<Self, Fault> {
        let store =
            Store::open(url, &StoreOptions::default()).await.map_err(|error| failed("opening", &error))?;
        if store.dialect() == Dialect::Postgres {
            for setting in ["fsync", "synchronous_commit"] {
                let sql = format!("SELECT current_setting('{setting}') AS value");
                let row = store.fetch_one(&sql, &[]).await.map_err(|error| failed("asking", &error))?;
                let value = row.text("value").map_err(|error| failed("asking", &error))?;
                if value != "on" {
                    return Err(failed("measuring PostgreSQL", &format!("{setting} is {value}, not on")));
                }
            }
        }
        migrate(&store, &ieum_bus::migrations(), |_| {})
            .await
            .map_err(|error| failed("migrating", &error))?;
        let table = "CREATE TABLE IF NOT EXISTS bench_rows (id VARCHAR(40) PRIMARY KEY, body TEXT)";
        store.execute(table, &[]).await.map_err(|error| failed("making a table", &error))?;
        let bus = open_bus("local:", store.clone(), system_clock(), BusOptions::default())
            .await
            .map_err(|error| failed("opening the bus", &error))?;
        Ok(Self { name, store, bus, server })
    }

    /// Publishes one event at a time from each of `publishers` tasks for `round`.
    pub async fn publish(&self, publishers: usize, round: Duration) -> Cost {
        let server = || self.server.map(tree_cpu).unwrap_or_default();
        let before = server();
        let mut cost = cost(publish(&self.bus, "bench", publishers, round)).await;
        cost.cpu += server().saturating_sub(before);
        cost
    }
}

/// Publishes as [`Subject::publish`] says; returns how many were acknowledged.
pub async fn publish(bus: &Bus, topic: &'static str, publishers: usize, round: Duration) -> u64 {
    let next = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + round;
    let publishers = (0..publishers).map(|_| {
        let (bus, next) = (bus.clone(), next.clone());
        tokio::spawn(async move {
            let mut acknowledged = 0;
            while Instant::now() < until {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Ok(event) = event(number) else { continue };
                acknowledged += u64::from(bus.publish(topic, event).await.is_ok());
            }
            acknowledged
        })
    });
    let mut acknowledged = 0;
    for publisher in publishers.collect::<Vec<_>>() {
        acknowledged += publisher.await.unwrap_or(0);
    }
    acknowledged
}
