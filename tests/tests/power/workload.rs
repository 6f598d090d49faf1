//! What the watched process does: publish, consume, write rows with their events, checkpoint, reopen, and mark
//! whatever it was told is durable.

use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{Bus, BusOptions, Consumer, Event, Subscription, open_bus};
use ieum_core::{Cx, Fault, system_clock};
use ieum_store::{Insert, Store, StoreOptions, Synchronous, Transaction, migrate};
use ieum_testkit::power::Rig;
use parking_lot::Mutex;
use serde_json::json;

use crate::schema::{ROUNDS, migrations};

pub const TOPIC: &str = "cups";
pub const GROUP: &str = "readers";
const PUBLISHERS: usize = 4;

/// What a run is told in its environment.
#[derive(Clone)]
pub struct Plan {
    pub folder: String,
    pub marks: String,
    /// Whether SQLite syncs.
    pub synchronous: Synchronous,
    /// A planted bug: rows are acknowledged before their commit.
    pub hasty: bool,
    /// Events of each publisher in each round, or failures of the disk in each round.
    pub events: usize,
    /// Draws the disk's failures, where there are any.
    pub seed: u64,
}

const FOLDER: &str = "IEUM_POWER_CHILD_FOLDER";
const MARKS: &str = "IEUM_POWER_CHILD_MARKS";
const SYNCHRONOUS: &str = "IEUM_POWER_CHILD_SYNCHRONOUS";
const HASTY: &str = "IEUM_POWER_CHILD_HASTY";
const EVENTS: &str = "IEUM_POWER_CHILD_EVENTS";
const SEED: &str = "IEUM_POWER_CHILD_SEED";

/// The file that the shim takes marks from.
#[derive(Clone)]
pub struct Marks(Arc<Mutex<std::fs::File>>);

/// Writes each event it handles into a table.
struct Effects;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the power cuts"]
async fn child() {
    let Some(plan) = Plan::read() else { return };
    let marks = Marks::open(Path::new(&plan.marks));
    for round in 0..ROUNDS {
        work(&plan, &marks, round).await;
    }
}

/// Returns the URL of the workload's store in `folder`. The store makes the folders in between.
pub fn store_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("data/shop/main.db").display())
}

async fn work(plan: &Plan, marks: &Marks, round: usize) {
    let options = StoreOptions {
        sqlite_synchronous: plan.synchronous,
        acquire_timeout: Duration::from_secs(120),
        ..StoreOptions::default()
    };
    let store = Store::open(&store_url(Path::new(&plan.folder)), &options).await.expect("opens the store");
    // Of the one connection that writes: a checkpoint about every fourth commit.
    store.execute("PRAGMA wal_autocheckpoint = 24", &[]).await.expect("sets the checkpoints");
    migrate(&store, &migrations(round), |_| {}).await.expect("migrates");
    marks.set(&format!("migrated {round}"));
    let options = BusOptions { poll: Duration::from_millis(20), ..BusOptions::default() };
    let bus = open_bus("local:", store.clone(), system_clock(), options).await.expect("opens the bus");
    let subscribed =
        bus.subscribe(Subscription::new(TOPIC, GROUP), Arc::new(Effects)).await.expect("subscribes");
    let mut tasks = tokio::task::JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let (bus, marks, events) = (bus.clone(), marks.clone(), plan.events);
        tasks.spawn(async move { publish(&bus, &marks, &format!("p{round}{publisher}"), events).await });
    }
    tasks.spawn({
        let (store, bus, marks, plan) = (store.clone(), bus.clone(), marks.clone(), plan.clone());
        async move { write_rows(&store, &bus, &marks, &format!("r{round}"), &plan).await }
    });
    let wanted = (round + 1) * plan.events * (PUBLISHERS + 1);
    watch_effects(&store, marks, wanted).await;
    while let Some(done) = tasks.join_next().await {
        done.expect("comes to its end");
    }
    subscribed.drain().await;
    drop(bus);
    store.close().await;
    marks.set(&format!("closed {round}"));
}

async fn publish(bus: &Bus, marks: &Marks, key: &str, events: usize) {
    for number in 0..events {
        let id = format!("{key}-{number}");
        bus.publish(TOPIC, event(key, &id)).await.expect("publishes");
        marks.set(&format!("published {id}"));
    }
}

async fn write_rows(store: &Store, bus: &Bus, marks: &Marks, key: &str, plan: &Plan) {
    for number in 0..plan.events {
        let id = format!("{key}-{number}");
        let mut tx = store.begin().await.expect("begins");
        Insert::into("cup")
            .columns(["id"])
            .rows([vec![id.as_str().into()]])
            .run_in(&mut tx)
            .await
            .expect("inserts");
        bus.outbox(&mut tx, TOPIC, &event(key, &id)).await.expect("writes the event");
        if plan.hasty {
            marks.set(&format!("row {id}"));
        }
        tx.commit().await.expect("commits");
        if !plan.hasty {
            marks.set(&format!("row {id}"));
        }
        // Checkpoints that wait for readers and empty the log, beside those that SQLite makes by itself.
        let manner = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"][number / 5 % 4];
        if number % 5 == 4 {
            let checkpoint = format!("PRAGMA wal_checkpoint({manner})");
            store.execute(&checkpoint, &[]).await.expect("checkpoints");
        }
    }
}

/// Marks each effect that another connection sees, for what is seen must last.
async fn watch_effects(store: &Store, marks: &Marks, wanted: usize) {
    let (last, seen) = (Cell::new(0), Cell::new(0));
    ieum_testkit::wait::until("all effects", Duration::from_secs(300), async || {
        let sql = "SELECT id, event_id FROM effect WHERE id > ? ORDER BY id";
        for row in store.fetch_all(sql, &[last.get().into()]).await.expect("reads effects") {
            last.set(row.int("id").expect("is a number"));
            seen.set(seen.get() + 1);
            marks.set(&format!("effect {}", row.text("event_id").expect("is text")));
        }
        seen.get() >= wanted
    })
    .await
    .expect("comes to its end");
}

/// Makes an event with the id `id`, as long as real ones are.
pub fn event(key: &str, id: &str) -> Event {
    let data = json!({ "cup": id, "note": "a cup as full as it was yesterday, ".repeat(8) });
    Event::new(&Cx::root(), "/power", "cup.filled.v1", key, data).expect("is JSON").with_id(id.to_owned())
}

// === Effects ===

#[async_trait]
impl Consumer for Effects {
    async fn handle(&self, _: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        let row = vec![event.id.as_str().into()];
        Insert::into("effect").columns(["event_id"]).rows([row]).run_in(tx).await?;
        Ok(())
    }
}

/// Returns the workload's consumer.
pub fn consumer() -> Arc<dyn Consumer> {
    Arc::new(Effects)
}

// === Marks ===

impl Marks {
    pub fn open(path: &Path) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(path).expect("opens the marks");
        Self(Arc::new(Mutex::new(file)))
    }

    pub fn set(&self, text: &str) {
        self.0.lock().write_all(format!("{text}\n").as_bytes()).expect("sets a mark");
    }
}

// === Plan ===

impl Plan {
    /// A run without mistakes.
    pub fn of(rig: &Rig, events: usize) -> Self {
        let path = |path: PathBuf| path.to_str().expect("is text").to_owned();
        let (folder, marks) = (path(rig.folder()), path(rig.marks()));
        Self { folder, marks, synchronous: Synchronous::Full, hasty: false, events, seed: 0 }
    }

    pub fn tell(&self, command: &mut std::process::Command) {
        let off = self.synchronous == Synchronous::Off;
        command
            .env(FOLDER, &self.folder)
            .env(MARKS, &self.marks)
            .env(SYNCHRONOUS, if off { "off" } else { "full" })
            .env(HASTY, if self.hasty { "yes" } else { "no" })
            .env(EVENTS, self.events.to_string())
            .env(SEED, self.seed.to_string());
    }

    pub fn read() -> Option<Self> {
        let off = variable(SYNCHRONOUS)? == "off";
        Some(Self {
            folder: variable(FOLDER)?,
            marks: variable(MARKS)?,
            synchronous: if off { Synchronous::Off } else { Synchronous::Full },
            hasty: variable(HASTY)? == "yes",
            events: variable(EVENTS)?.parse().ok()?,
            seed: variable(SEED)?.parse().ok()?,
        })
    }
}

#[allow(clippy::disallowed_methods, reason = "how the parent talks to its child")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
