//! Full disks, and failures of the n-th operation: nothing acknowledged is lost, the error says what was tried, and
//! everything goes on once the disk is right again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ieum_bus::{Bus, BusOptions, Subscription, open_bus};
use ieum_core::system_clock;
use ieum_store::{Insert, Store, StoreError, StoreOptions, Transaction, migrate};
use ieum_testkit::power::{Rig, seed};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::check::{Acknowledged, describe, problem, texts};
use crate::cut::{history_of, must_last, replay, rig, run};
use crate::schema::{ROUNDS, migrations};
use crate::workload::{GROUP, Marks, Plan, TOPIC, consumer, event, store_url};

/// The numbers of two failures on Linux (errno(3)).
const INPUT_OUTPUT: i32 = 5;
const NO_SPACE: i32 = 28;
/// The longest runs of operations that go well before a failure: while a store is opened and migrated, and while
/// an event and a row are written.
const OPENING: u32 = 160;
const WRITING: u32 = 34;
/// How many writes a full disk must refuse. The log has room left from earlier commits, so it takes some writes
/// until the disk is needed.
const REFUSALS: usize = 6;

/// What the watched process works with.
struct Desk {
    store: Store,
    bus: Bus,
    marks: Marks,
    /// What was acknowledged, and what a full disk refused.
    told: Mutex<BTreeSet<String>>,
    refused: Mutex<BTreeSet<String>>,
    hasty: bool,
}

/// Draws what fails, by a seed.
struct Trouble {
    random: SmallRng,
    marks: Marks,
}

impl Trouble {
    /// Lets the disk fail soon: which operation, how and how often is drawn.
    fn begin(&mut self, most: u32) {
        let number = if self.random.random() { INPUT_OUTPUT } else { NO_SPACE };
        let (after, times) = (self.random.random_range(0..most), self.random.random_range(1..4));
        self.marks.set(&format!("!fail {number} {after} {times}"));
    }

    fn end(&self) {
        self.marks.set("!fail 5 0 0");
    }
}

async fn open(plan: &Plan, round: usize) -> Result<Store, String> {
    let options = StoreOptions { acquire_timeout: Duration::from_secs(120), ..StoreOptions::default() };
    let url = store_url(Path::new(&plan.folder));
    let store = Store::open(&url, &options).await.map_err(|error| describe(&error))?;
    // Of the one connection that writes: a checkpoint about every fourth commit.
    let checkpoints = store.execute("PRAGMA wal_autocheckpoint = 24", &[]).await;
    checkpoints.map_err(|error| describe(&error))?;
    migrate(&store, &migrations(round), |_| {}).await.map_err(|error| describe(&error))?;
    Ok(store)
}

impl Desk {
    async fn open(plan: &Plan, marks: &Marks, trouble: &mut Trouble, round: usize) -> Self {
        trouble.begin(OPENING);
        let opened = open(plan, round).await;
        trouble.end();
        let store = match opened {
            Ok(store) => store,
            Err(failure) => {
                check_words(&failure);
                open(plan, round).await.expect("opens and migrates once the disk is right again")
            }
        };
        marks.set(&format!("migrated {round}"));
        let options =
            BusOptions { poll: Duration::from_millis(20), patience: Duration::ZERO, ..BusOptions::default() };
        let bus = open_bus("local:", store.clone(), system_clock(), options).await.expect("opens the bus");
        let (told, refused) = Default::default();
        Self { store, bus, marks: marks.clone(), told, refused, hasty: plan.hasty }
    }

    /// Publishes an event and marks it where the bus says that it is durable.
    async fn publish(&self, name: &str) -> Result<(), String> {
        let id = format!("p-{name}");
        match self.bus.publish(TOPIC, event("p", &id)).await {
            Ok(()) => self.acknowledge("published", &id),
            Err(error) => return Err(self.refuse(id, &describe(&error))),
        }
        Ok(())
    }

    /// Writes a row with its event and marks it where the commit says that it is durable.
    async fn write(&self, name: &str) -> Result<(), String> {
        let id = format!("r-{name}");
        let mut tx = self.store.begin().await.map_err(|error| describe(&error))?;
        if let Err(error) = self.write_in(&mut tx, &id).await {
            return Err(self.refuse(id, &error));
        }
        if self.hasty {
            self.marks.set(&format!("row {id}"));
        }
        match tx.commit().await {
            Ok(()) => self.acknowledge("row", &id),
            Err(error) => return Err(self.refuse(id, &describe(&error))),
        }
        Ok(())
    }

    async fn write_in(&self, tx: &mut Transaction, id: &str) -> Result<(), String> {
        let insert = Insert::into("cup").columns(["id"]).rows([vec![id.into()]]);
        insert.run_in(tx).await.map_err(|error: StoreError| describe(&error))?;
        self.bus.outbox(tx, TOPIC, &event("r", id)).await.map_err(|error| describe(&error))
    }

    fn acknowledge(&self, what: &str, id: &str) {
        self.marks.set(&format!("{what} {id}"));
        self.told.lock().insert(id.to_owned());
    }

    /// Remembers what must not be there, and checks what is said about it.
    fn refuse(&self, id: String, failure: &str) -> String {
        check_words(failure);
        if failure.contains("nothing was saved") {
            self.refused.lock().insert(id);
        }
        failure.to_owned()
    }

    async fn fails_now_and_then(&self, trouble: &mut Trouble, failures: usize, round: usize) {
        let mut told = 0;
        for number in 0..failures {
            let name = format!("{round}-{number}");
            trouble.begin(WRITING);
            let (published, written) = tokio::join!(self.publish(&name), self.write(&name));
            told += usize::from(published.is_err()) + usize::from(written.is_err());
            trouble.end();
            self.goes_on(&name).await;
        }
        assert!(told > 0, "some of {failures} failures reach who asked");
    }

    async fn is_full_for_a_while(&self, round: usize) {
        self.marks.set("!full 1");
        let mut refused = 0;
        for number in 0..60 {
            let name = format!("{round}-full-{number}");
            let results = [self.publish(&name).await, self.write(&name).await];
            for failure in results.iter().filter_map(|result| result.as_ref().err()) {
                assert!(failure.contains("make room"), "says what to do: {failure}");
                refused += 1;
            }
            if refused > REFUSALS {
                break;
            }
        }
        assert!(refused > REFUSALS, "a full disk is told");
        self.marks.set("!full 0");
        self.goes_on(&format!("{round}-full")).await;
    }

    async fn goes_on(&self, name: &str) {
        self.publish(&format!("{name}-after")).await.expect("publishes again");
        self.write(&format!("{name}-after")).await.expect("writes again");
    }

    /// All that was acknowledged has its effect once, what a full disk refused is not there.
    async fn settles(&self) {
        let told = self.told.lock().clone();
        let found = async |sql: &str, column: &str| -> BTreeSet<String> {
            texts(&self.store, sql, column).await.expect("reads").into_iter().collect()
        };
        ieum_testkit::wait::until("all effects", Duration::from_secs(300), async || {
            found("SELECT event_id FROM effect", "event_id").await.is_superset(&told)
        })
        .await
        .expect("the consumer goes on");
        let mut there = found("SELECT event_id FROM ieum_bus_log", "event_id").await;
        there.append(&mut found("SELECT id FROM cup", "id").await);
        let refused = self.refused.lock().clone();
        let half_saved: Vec<&String> = refused.intersection(&there).collect();
        assert!(half_saved.is_empty(), "refused and saved all the same: {half_saved:?}");
    }
}

/// A failure names the store and says what to do.
fn check_words(failure: &str) {
    assert!(failure.contains("data/shop"), "names the store: {failure}");
    let advises = ["make room", "system's log", "making the folder", "unable to open", "using a transaction"];
    assert!(advises.iter().any(|advice| failure.contains(advice)), "says what to do: {failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the broken disks"]
async fn child() {
    let Some(plan) = Plan::read() else { return };
    let marks = Marks::open(Path::new(&plan.marks));
    let mut trouble = Trouble { random: SmallRng::seed_from_u64(plan.seed), marks: marks.clone() };
    for round in 0..ROUNDS {
        let desk = Desk::open(&plan, &marks, &mut trouble, round).await;
        let subscribed = desk.bus.subscribe(Subscription::new(TOPIC, GROUP), consumer()).await;
        desk.goes_on(&format!("{round}-before")).await;
        desk.fails_now_and_then(&mut trouble, plan.events, round).await;
        desk.is_full_for_a_while(round).await;
        desk.settles().await;
        subscribed.expect("subscribes").drain().await;
        desk.bus.close();
        desk.store.close().await;
        marks.set(&format!("closed {round}"));
    }
}

/// Checks the folder as it lies now: what a process finds that starts again without a power cut.
async fn left_behind(rig: &Rig) -> Result<(), String> {
    let history = rig.history().expect("reads the journal");
    let told = Acknowledged::read(history.marks_before(history.len()));
    problem(&rig.folder(), &told, true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_or_failing_disk_loses_nothing_acknowledged_and_work_goes_on_after_it() {
    let (seeds, failures, moments) =
        if ieum_testkit::server::long_faults() { (12, 40, 120) } else { (2, 10, 24) };
    let chosen: BTreeSet<u64> = (0..seeds).map(|number| seed(7 + number)).collect();
    for seed in chosen {
        let Some(rig) = rig() else { return };
        let plan = Plan { seed, ..Plan::of(&rig, failures) };
        let history = history_of(&rig, "broken::child", &plan);
        assert!(history.failures() > failures, "seed {seed}: the disk failed {} times", history.failures());
        println!("seed {seed}: {} operations failed", history.failures());
        must_last(&rig, &history, seed, moments).await;
        if rig.folder().join("data").exists() {
            let found = left_behind(&rig).await;
            assert_eq!(found, Ok(()), "replay the run with {}", replay(seed));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_a_failing_disk_belies_is_found() {
    let Some(rig) = rig() else { return };
    run(&rig, "broken::child", &Plan { seed: 7, hasty: true, ..Plan::of(&rig, 10) });
    let found = left_behind(&rig).await.expect_err("rows were acknowledged that the disk refused");
    assert!(found.contains("rows are lost"), "{found}");
}
