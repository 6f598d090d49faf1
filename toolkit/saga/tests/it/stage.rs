//! A registration in three steps whose answers a test scripts, and a bell that rings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Fault, ManualClock, Timestamp};
use ieum_saga::{Due, Ended, Next, OnDue, Saga, SagaOptions, Sagas, Schedule, Schedules, migrations};
use ieum_store::{Store, StoreOptions, Synchronous, Transaction, migrate};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub struct Stage {
    pub store: Store,
    pub clock: ManualClock,
    pub script: Arc<Script>,
    pub sagas: Sagas,
    pub schedules: Schedules,
}

/// What steps are answered, and what was asked.
#[derive(Default)]
pub struct Script {
    /// Each asked step as `quota run`, with its idempotency key.
    pub asked: Mutex<Vec<(String, String)>>,
    /// Answers by `quota run`, used up from the front; `Ok` where there is none.
    pub answers: Mutex<Vec<(&'static str, Fault)>>,
    /// Whether telling the end fails.
    pub mute: Mutex<bool>,
    /// Answers of the bell, used up from the front; `Done` where there is none.
    pub bell: Mutex<VecDeque<Result<Next, Fault>>>,
    /// What the bell rang, in order.
    pub rung: Mutex<Vec<String>>,
    /// Held while a step is asked, to keep it from ending.
    pub gate: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy)]
pub enum Step {
    Quota,
    Registry,
    Billing,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub device: String,
    pub done: Vec<String>,
}

pub struct Registration(pub Arc<Script>);

impl Script {
    fn answer(&self, cx: &Cx, what: &str) -> Result<(), Fault> {
        let key = cx.idempotency_key().unwrap_or_default().to_owned();
        self.asked.lock().push((what.to_owned(), key));
        let mut answers = self.answers.lock();
        match answers.iter().position(|(step, _)| *step == what) {
            Some(place) => Err(answers.remove(place).1),
            None => Ok(()),
        }
    }

    pub fn steps(&self) -> Vec<String> {
        self.asked.lock().iter().map(|(step, _)| step.clone()).collect()
    }
}

#[async_trait::async_trait]
impl Saga for Registration {
    const NAME: &'static str = "test.registration";
    type State = State;
    type Step = Step;
    const STEPS: &'static [(&'static str, Step)] =
        &[("quota", Step::Quota), ("registry", Step::Registry), ("billing", Step::Billing)];

    async fn run(&self, cx: &Cx, step: Step, state: &mut State) -> Result<(), Fault> {
        drop(self.0.gate.lock().await);
        let name = name(step);
        self.0.answer(cx, &format!("{name} run"))?;
        state.done.push(name.to_owned());
        Ok(())
    }

    async fn undo(&self, cx: &Cx, step: Step, state: &mut State) -> Result<(), Fault> {
        let name = name(step);
        self.0.answer(cx, &format!("{name} undo"))?;
        state.done.retain(|done| done != name);
        Ok(())
    }

    async fn ended(&self, tx: &mut Transaction, id: &str, ended: &Ended, state: &State) -> Result<(), Fault> {
        let word = if *ended == Ended::Done { "done" } else { "undone" };
        told(tx, &format!("{word} {id} {}", state.device)).await?;
        if *self.0.mute.lock() {
            return Err(Fault::unavailable("test.mute", "telling the end"));
        }
        Ok(())
    }
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Quota => "quota",
        Step::Registry => "registry",
        Step::Billing => "billing",
    }
}

/// Writes a row that tells what happened; it is there only if the transaction commits.
pub async fn told(tx: &mut Transaction, what: &str) -> Result<(), Fault> {
    tx.execute("INSERT INTO told (what) VALUES (?)", &[what.into()]).await?;
    Ok(())
}

pub struct Bell(pub Arc<Script>);

#[async_trait::async_trait]
impl OnDue for Bell {
    async fn due(&self, _cx: &Cx, tx: &mut Transaction, due: &Due) -> Result<Next, Fault> {
        self.0.rung.lock().push(due.schedule.id.clone());
        told(tx, &format!("{} rang {}", due.schedule.id, due.schedule.payload["label"])).await?;
        self.0.bell.lock().pop_front().unwrap_or(Ok(Next::Done))
    }
}

pub fn cx() -> Cx {
    Cx::root()
}

pub fn noon() -> Timestamp {
    Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time")
}

pub fn device(name: &str) -> State {
    State { device: name.to_owned(), done: Vec::new() }
}

pub fn ring(id: &str, after: Duration) -> Schedule {
    let payload = json!({ "label": "tea" });
    Schedule { id: id.into(), name: "test.bell".into(), owner: "kitchen".into(), at: noon() + after, payload }
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        migrate(&store, &migrations(), |_| {}).await.expect("makes the tables");
        let key = store.dialect().types().text;
        store.execute(&format!("CREATE TABLE told (what {key} NOT NULL)"), &[]).await.expect("makes a table");
        let clock = ManualClock::at(noon());
        let script = Arc::new(Script::default());
        let (sagas, schedules) = wired(&store, &clock, &script);
        Self { store, clock, script, sagas, schedules }
    }

    /// Returns another process over the same store and clock.
    pub fn another(&self) -> (Sagas, Schedules) {
        wired(&self.store, &self.clock, &self.script)
    }

    pub async fn told(&self) -> Vec<String> {
        let rows = self.store.fetch_all("SELECT what FROM told ORDER BY what", &[]).await.expect("reads");
        rows.iter().map(|row| row.text("what").expect("is text")).collect()
    }
}

fn wired(store: &Store, clock: &ManualClock, script: &Arc<Script>) -> (Sagas, Schedules) {
    let sagas = Sagas::builder(store.clone(), clock.shared(), SagaOptions::default());
    let sagas = sagas.with(Registration(script.clone())).build();
    let bell: Arc<dyn OnDue> = Arc::new(Bell(script.clone()));
    (sagas, Schedules::new(store.clone(), clock.shared(), [("test.bell", bell)]))
}
