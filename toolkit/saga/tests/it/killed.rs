//! Kills a process between a timer's setting and its ringing, and in the midst of sagas: each rings once, each step
//! has its effect once.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Fault, Timestamp, system_clock};
use ieum_policy::{Backoff, Jitter};
use ieum_saga::{Due, Ended, Next, OnDue, Phase, Saga, SagaOptions, Sagas, Schedule, Schedules, migrations};
use ieum_store::{Store, StoreOptions, Transaction, migrate};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const STORE: &str = "IEUM_SAGA_CHILD_STORE";
const SAGAS: usize = 40;
const TIMERS: usize = 200;

#[allow(clippy::disallowed_methods, reason = "how the parent talks to its child, and a seed given by hand")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Each step writes its effect under its idempotency key, as an answerer does that is asked twice.
struct Ledger(Store);

#[async_trait::async_trait]
impl Saga for Ledger {
    const NAME: &'static str = "test.ledger";
    type State = u32;
    type Step = u32;
    const STEPS: &'static [(&'static str, u32)] = &[("one", 1), ("two", 2), ("three", 3), ("four", 4)];

    async fn run(&self, cx: &Cx, step: u32, state: &mut u32) -> Result<(), Fault> {
        self.write(cx, i64::from(step)).await?;
        // Every third saga is refused at its last step, so that undoing is killed as well.
        if step == 4 && state.is_multiple_of(3) {
            return Err(Fault::failed_precondition("test.refused", "the last step"));
        }
        Ok(())
    }

    async fn undo(&self, cx: &Cx, step: u32, _: &mut u32) -> Result<(), Fault> {
        self.write(cx, -i64::from(step)).await
    }

    async fn ended(&self, tx: &mut Transaction, id: &str, _: &Ended, _: &u32) -> Result<(), Fault> {
        tx.execute("INSERT INTO rang (what) VALUES (?)", &[id.into()]).await?;
        Ok(())
    }
}

impl Ledger {
    async fn write(&self, cx: &Cx, amount: i64) -> Result<(), Fault> {
        let key = cx.idempotency_key().unwrap_or_default();
        let sql = "INSERT INTO effect (id, amount) VALUES (?, ?) ON CONFLICT (id) DO NOTHING";
        self.0.execute(sql, &[key.into(), amount.into()]).await?;
        Ok(())
    }
}

struct Bell;

#[async_trait::async_trait]
impl OnDue for Bell {
    async fn due(&self, _: &Cx, tx: &mut Transaction, due: &Due) -> Result<Next, Fault> {
        tx.execute("INSERT INTO rang (what) VALUES (?)", &[due.schedule.id.as_str().into()]).await?;
        Ok(Next::Done)
    }
}

async fn open(url: &str) -> (Store, Sagas, Schedules) {
    let options = StoreOptions { acquire_timeout: Duration::from_secs(20), ..StoreOptions::default() };
    let store = Store::open(url, &options).await.expect("opens the store");
    let short = Duration::from_millis(200);
    // A busy machine may not even write a step's effect in so short a time: it is then asked for as often as it takes.
    let backoff = Backoff { first: short / 10, factor: 2.0, most: short, jitter: Jitter::Equal };
    let (step_timeout, spare, attempts) = (short, short, 1_000_000);
    let options = SagaOptions {
        step_timeout,
        spare,
        backoff,
        run_attempts: attempts,
        undo_attempts: attempts,
        ..SagaOptions::default()
    };
    let sagas = Sagas::builder(store.clone(), system_clock(), options).with(Ledger(store.clone())).build();
    let bell: Arc<dyn OnDue> = Arc::new(Bell);
    let schedules = Schedules::new(store.clone(), system_clock(), [("test.bell", bell)]);
    (store, sagas, schedules)
}

/// Runs sagas and rings timers until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the kill test"]
async fn child() {
    let Some(url) = variable(STORE) else { return };
    let (_store, sagas, schedules) = open(&url).await;
    sagas.start();
    schedules.start();
    std::future::pending::<()>().await;
}

fn start(url: &str) -> Child {
    let this = std::env::current_exe().expect("has a path");
    let mut command = Command::new(this);
    command.args(["--exact", "killed::child", "--include-ignored", "--quiet"]).env(STORE, url);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts the child")
}

async fn count(store: &Store, sql: &str) -> usize {
    let row = store.fetch_one(sql, &[]).await.expect("counts");
    usize::try_from(row.int("n").expect("is a number")).expect("is small")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_set_before_a_kill_happens_once_after_it() {
    let kills: u64 = if ieum_testkit::server::long_faults() { 100 } else { 12 };
    let seed = variable("IEUM_TEST_SEED").and_then(|text| text.parse().ok()).unwrap_or(7);
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = ieum_testkit::temp::folder();
    let url = ieum_testkit::temp::sqlite_url(&folder, "saga");
    let (store, sagas, schedules) = open(&url).await;
    migrate(&store, &migrations(), |_| {}).await.expect("makes the tables");
    for sql in ["CREATE TABLE rang (what TEXT)", "CREATE TABLE effect (id TEXT PRIMARY KEY, amount INTEGER)"]
    {
        store.execute(sql, &[]).await.expect("makes a table");
    }
    let begun = system_clock().now();
    for number in 0..SAGAS {
        let (id, state) = (format!("saga-{number:03}"), u32::try_from(number).expect("is small"));
        sagas.begin::<Ledger>(&Cx::root(), &id, &state).await.expect("begins");
    }
    for number in 0..TIMERS {
        let at = begun + Duration::from_millis(random.random_range(0..kills * 120));
        schedules.set(&Cx::root(), &timer(number, at)).await.expect("is kept");
    }
    for _ in 0..kills {
        let mut child = start(&url);
        system_clock().sleep(Duration::from_millis(random.random_range(20..250))).await;
        child.kill().expect("kills the child");
        child.wait().expect("reaps the child");
    }
    // Here it goes on: leases of the dead end, and everything comes to its end.
    sagas.start();
    schedules.start();
    ieum_testkit::wait::until("everything to end", Duration::from_secs(300), async || {
        count(&store, "SELECT COUNT(*) AS n FROM rang").await >= SAGAS + TIMERS
    })
    .await
    .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    sagas.drain().await;
    schedules.drain().await;
    let doubled =
        "SELECT COUNT(*) AS n FROM (SELECT what FROM rang GROUP BY what HAVING COUNT(*) > 1) AS twice";
    assert_eq!(count(&store, doubled).await, 0, "seed {seed}");
    assert_eq!(count(&store, "SELECT COUNT(*) AS n FROM rang").await, SAGAS + TIMERS, "seed {seed}");
    for number in 0..SAGAS {
        let id = format!("saga-{number:03}");
        let phase = if number.is_multiple_of(3) { Phase::Undone } else { Phase::Done };
        assert_eq!(sagas.status(&id).await.expect("is there").phase, phase, "seed {seed}, {id}");
        let sum = format!("SELECT COALESCE(SUM(amount), 0) AS n FROM effect WHERE id LIKE '{id}:%'");
        assert_eq!(
            count(&store, &sum).await,
            if number.is_multiple_of(3) { 0 } else { 10 },
            "seed {seed}, {id}"
        );
    }
}

fn timer(number: usize, at: Timestamp) -> Schedule {
    let payload = serde_json::json!({});
    Schedule {
        id: format!("timer-{number:03}"),
        name: "test.bell".into(),
        owner: "kitchen".into(),
        at,
        payload,
    }
}
