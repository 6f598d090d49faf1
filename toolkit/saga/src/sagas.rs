//! Runs sagas: starts them, asks their steps under a lease, keeps where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Fault, SharedClock, Timestamp, TraceContext, new_id};
use ieum_policy::{Backoff, Jitter};
use ieum_store::{Store, Transaction};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::definition::{AnySaga, Ended, Saga, Typed, Way};
use crate::error::{SagaError, check_id};
use crate::rules::{Patience, Phase, Place};
use crate::store::{self, Kept, New};

/// Sagas whose steps are asked at once.
const AT_ONCE: usize = 16;
/// How often it is looked for what is due where nobody says so: what another process started or left.
const LOOK: Duration = Duration::from_secs(2);
/// The shortest wait between two looks: what is due may be in the hands of another process this moment.
const BREATH: Duration = Duration::from_millis(10);

/// How sagas behave.
#[derive(Clone, Copy, Debug)]
pub struct SagaOptions {
    /// How long a step may take. Default 30 s.
    pub step_timeout: Duration,
    /// How much longer than that a process keeps a saga to itself: clocks differ, and the end has to be written.
    /// After a kill the saga stands still for both together. Default 15 s.
    pub spare: Duration,
    /// The waits before a step is asked again. Default 1 s, doubling up to 5 min.
    pub backoff: Backoff,
    /// Attempts to do a step before the saga turns around. Default 5.
    pub run_attempts: u32,
    /// Attempts to undo a step before the saga is stuck. Default 20, which takes over an hour.
    pub undo_attempts: u32,
    /// How long sagas stay that are over and not stuck. Default 30 days.
    pub keep: Duration,
}

/// Where a saga stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SagaStatus {
    /// Its id.
    pub id: String,
    /// What it is.
    pub name: String,
    /// Where it stands.
    pub phase: Phase,
    /// The step that is asked next, or was asked last.
    pub step: String,
    /// How often that step was asked without success.
    pub attempts: u32,
    /// Why it turned around, why it is stuck, or why the last attempt failed.
    pub fault: Option<Fault>,
    /// What its steps know of each other.
    pub state: serde_json::Value,
    /// When the next step is asked.
    pub due: Timestamp,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// Which sagas.
#[derive(Clone, Debug, Default)]
pub struct ListSagas {
    /// Of this name only.
    pub name: Option<String>,
    /// In this phase only.
    pub phase: Option<Phase>,
    /// At most so many, 1 to 200; 50 where nothing is said.
    pub limit: Option<u32>,
}

/// Every saga of a process. Clones share it.
#[derive(Clone)]
pub struct Sagas(Arc<Inner>);

struct Inner {
    store: Store,
    clock: SharedClock,
    options: SagaOptions,
    known: BTreeMap<&'static str, Arc<dyn AnySaga>>,
    owner: String,
    due: Notify,
    ended: Notify,
    running: Background,
}

/// Collects what this process knows to do; see [`Sagas::builder`].
pub struct SagasBuilder {
    store: Store,
    clock: SharedClock,
    options: SagaOptions,
    known: BTreeMap<&'static str, Arc<dyn AnySaga>>,
}

impl Default for SagaOptions {
    fn default() -> Self {
        Self {
            step_timeout: Duration::from_secs(30),
            spare: Duration::from_secs(15),
            backoff: Backoff {
                first: Duration::from_secs(1),
                factor: 2.0,
                most: Duration::from_secs(300),
                jitter: Jitter::Equal,
            },
            run_attempts: 5,
            undo_attempts: 20,
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

impl SagasBuilder {
    /// Adds a saga.
    #[must_use]
    pub fn with<S: Saga>(mut self, saga: S) -> Self {
        self.known.insert(S::NAME, Arc::new(Typed(saga)));
        self
    }

    /// Makes the sagas. Nothing runs until [`Sagas::start`] or [`Sagas::run_due`].
    pub fn build(self) -> Sagas {
        let Self { store, clock, options, known } = self;
        let owner = new_id().to_string();
        let (due, ended, running) = (Notify::new(), Notify::new(), Background::default());
        Sagas(Arc::new(Inner { store, clock, options, known, owner, due, ended, running }))
    }
}

impl Sagas {
    /// Begins to collect sagas over a store whose [migrations](crate::migrations) are applied.
    pub fn builder(store: Store, clock: SharedClock, options: SagaOptions) -> SagasBuilder {
        SagasBuilder { store, clock, options, known: BTreeMap::new() }
    }

    /// Begins a saga within the caller's transaction; under an id that is there already nothing begins. Returns
    /// whether it is new. Call [`Sagas::wake`] after the commit.
    ///
    /// # Errors
    /// Where the saga is not known here, the id cannot be kept, the state has no JSON form, or the store fails.
    pub async fn begin_in<S: Saga>(
        &self,
        tx: &mut Transaction,
        cx: &Cx,
        id: &str,
        state: &S::State,
    ) -> Result<bool, SagaError> {
        check_id(id)?;
        let first = self.known(S::NAME)?.steps().first().copied().unwrap_or_default();
        let state = serde_json::to_string(state)
            .map_err(|error| SagaError::State { id: id.to_owned(), message: error.to_string() })?;
        let (trace, now) = (cx.trace().to_string(), self.0.clock.now());
        Ok(store::insert(tx, &New { id, name: S::NAME, state: &state, step: first, trace: &trace, now })
            .await?)
    }

    /// Begins a saga in a transaction of its own; see [`Sagas::begin_in`].
    ///
    /// # Errors
    /// See [`Sagas::begin_in`].
    pub async fn begin<S: Saga>(&self, cx: &Cx, id: &str, state: &S::State) -> Result<bool, SagaError> {
        let mut tx = self.0.store.begin_write().await?;
        let new = self.begin_in::<S>(&mut tx, cx, id, state).await?;
        tx.commit().await?;
        self.wake();
        Ok(new)
    }

    /// Says that something may be due.
    pub fn wake(&self) {
        self.0.due.notify_one();
    }

    /// Returns where a saga stands.
    ///
    /// # Errors
    /// Where there is none, or the store fails.
    pub async fn status(&self, id: &str) -> Result<SagaStatus, SagaError> {
        let kept = store::get(&self.0.store, id).await?;
        kept.map(status).ok_or_else(|| SagaError::UnknownId { id: id.to_owned() })
    }

    /// Waits until a saga is over, whichever process runs it.
    ///
    /// # Errors
    /// Where there is none, it is not over after `patience` (it goes on), or the store fails.
    pub async fn finish(&self, id: &str, patience: Duration) -> Result<SagaStatus, SagaError> {
        let end = self.0.clock.moment() + patience;
        loop {
            let ended = self.0.ended.notified();
            let status = self.status(id).await?;
            if status.phase.is_over() {
                return Ok(status);
            }
            let left = end.since(self.0.clock.moment());
            if left.is_zero() {
                return Err(SagaError::StillRunning { id: id.to_owned(), phase: status.phase.name() });
            }
            tokio::select! {
                () = ended => {}
                // Another process may end it.
                () = self.0.clock.sleep(left.min(Duration::from_millis(250))) => {}
            }
        }
    }

    /// Returns sagas, the newest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, ask: &ListSagas) -> Result<Vec<SagaStatus>, SagaError> {
        let most = ask.limit.unwrap_or(50).clamp(1, 200);
        let kept = store::list(&self.0.store, ask.name.as_deref(), ask.phase, most).await?;
        Ok(kept.into_iter().map(status).collect())
    }

    /// Lets a stuck saga try to undo again.
    ///
    /// # Errors
    /// Where there is none, it is not stuck, or the store fails.
    pub async fn resume(&self, id: &str) -> Result<SagaStatus, SagaError> {
        if !store::resume(&self.0.store, id, self.0.clock.now()).await? {
            let status = self.status(id).await?;
            return Err(SagaError::NotStuck { id: id.to_owned(), phase: status.phase.name() });
        }
        self.wake();
        self.status(id).await
    }

    /// Removes sagas that have been over for as long as the options say; returns how many.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn purge(&self) -> Result<u64, SagaError> {
        Ok(store::purge(&self.0.store, self.0.clock.now() - self.0.options.keep).await?)
    }

    /// Runs what is due as far as it goes without waiting; returns how many sagas there were.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn run_due(&self) -> Result<usize, SagaError> {
        let names: Vec<&str> = self.0.known.keys().copied().collect();
        let (lease, now) = (self.0.options.step_timeout + self.0.options.spare, self.0.clock.now());
        let claimed = store::claim(&self.0.store, &names, &self.0.owner, AT_ONCE, lease, now).await?;
        let count = claimed.len();
        let mut going = JoinSet::new();
        for kept in claimed {
            let inner = self.0.clone();
            going.spawn(async move { inner.go(kept).await });
        }
        let mut failed = None;
        while let Some(gone) = going.join_next().await {
            match gone {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed = Some(error),
                Err(error) => {
                    tracing::error!(error = %error, "a saga's step ended by a panic; it is asked again")
                }
            }
        }
        failed.map_or(Ok(count), Err)
    }

    /// Begins to run what is due, until [`Sagas::drain`]. Starting twice changes nothing.
    pub fn start(&self) {
        self.0.running.start(|stop| self.clone().run(stop));
    }

    /// Begins no further step and waits for those that are asked.
    pub async fn drain(&self) {
        self.0.running.drain("running sagas").await;
    }

    async fn run(self, stop: CancellationToken) {
        let mut purged = None;
        while !stop.is_cancelled() {
            let now = self.0.clock.moment();
            if purged.is_none_or(|purged| now.since(purged) >= Duration::from_secs(3_600)) {
                purged = Some(now);
                if let Err(error) = self.purge().await {
                    tracing::warn!(error = %ieum_core::describe(&error), "purging old sagas failed");
                }
            }
            let mut wait = LOOK;
            match self.run_due().await {
                Ok(count) if count > 0 => continue,
                Ok(_) => wait = self.0.until_next().await,
                Err(error) => {
                    tracing::warn!(error = %ieum_core::describe(&error), "running sagas failed; trying again");
                }
            }
            tokio::select! {
                () = self.0.due.notified() => {}
                () = self.0.clock.sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn known(&self, name: &str) -> Result<&Arc<dyn AnySaga>, SagaError> {
        self.0.known.get(name).ok_or_else(|| SagaError::UnknownName {
            name: name.to_owned(),
            known: self.0.known.keys().copied().collect::<Vec<_>>().join(", "),
        })
    }
}

impl Inner {
    /// Returns how long to wait for the next step: until it is due, [`LOOK`] at most, for another process may begin
    /// one meanwhile.
    async fn until_next(&self) -> Duration {
        let names: Vec<&str> = self.known.keys().copied().collect();
        match store::next_due(&self.store, &names).await {
            Ok(Some(due)) => due.since(self.clock.now()).clamp(BREATH, LOOK),
            Ok(None) => LOOK,
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "looking for the next step failed");
                LOOK
            }
        }
    }

    /// Asks step after step until the saga ends, waits, or is somebody else's.
    async fn go(&self, mut kept: Kept) -> Result<(), SagaError> {
        let Some(saga) = self.known.get(kept.name.as_str()) else { return Ok(()) };
        let steps = saga.steps();
        let Some(step) = steps.iter().position(|name| *name == kept.step) else {
            tracing::error!(
                saga = kept.name,
                id = kept.id,
                step = kept.step,
                "a saga stands at a step nobody knows"
            );
            return Ok(());
        };
        let mut place = Place {
            phase: kept.phase,
            step,
            attempts: kept.attempts,
            due: kept.due,
            fault: kept.fault.clone(),
        };
        loop {
            let lease = self.options.step_timeout + self.options.spare;
            let before = self.clock.now();
            if !store::extend(&self.store, &kept.id, &self.owner, before + lease, before).await? {
                return Ok(());
            }
            let (state, asked) = self.ask(saga, &kept, &place, steps[place.step]).await;
            kept.state = state;
            let now = self.clock.now();
            let next = self.patience().after(&place, asked, steps.len(), now, rand::random());
            let goes_on = !next.phase.is_over() && next.due <= now;
            let mut tx = self.store.begin_write().await?;
            let until = goes_on.then(|| now + lease);
            if !store::save(&mut tx, &kept, (&next, steps[next.step]), &self.owner, until, now).await? {
                return Ok(());
            }
            if let Err(fault) = self.tell_end(&mut tx, saga, &kept, &next).await {
                // The end is not kept, so the last step is asked again, under the same key.
                tracing::warn!(saga = kept.name, id = kept.id, error = %fault, "telling a saga's end failed");
                return Ok(());
            }
            tx.commit().await?;
            self.note(&kept, &next);
            if !goes_on {
                return Ok(());
            }
            place = next;
        }
    }

    async fn ask(
        &self,
        saga: &Arc<dyn AnySaga>,
        kept: &Kept,
        place: &Place,
        step: &str,
    ) -> (serde_json::Value, Result<(), Fault>) {
        let way = if place.phase == Phase::Running { Way::Run } else { Way::Undo };
        let trace =
            kept.trace.parse::<TraceContext>().map_or_else(|_| TraceContext::root(), TraceContext::child);
        let limit = self.options.step_timeout;
        let cx = Cx::with_trace(trace)
            .with_idempotency_key(&format!("{}:{step}:{way}", kept.id))
            .with_timeout(self.clock.moment(), limit);
        tokio::select! {
            asked = saga.ask(&cx, way, place.step, kept.state.clone()) => asked,
            () = self.clock.sleep(limit) => {
                let message = format!("{way} {step} of {}: no answer within {} s", kept.name, limit.as_secs());
                (kept.state.clone(), Err(Fault::deadline_exceeded("saga.step_timeout", message)))
            }
        }
    }

    async fn tell_end(
        &self,
        tx: &mut Transaction,
        saga: &Arc<dyn AnySaga>,
        kept: &Kept,
        next: &Place,
    ) -> Result<(), Fault> {
        let ended = match next.phase {
            Phase::Done => Ended::Done,
            Phase::Undone => Ended::Undone(next.fault.clone().unwrap_or_else(unknown_cause)),
            Phase::Running | Phase::Undoing | Phase::Stuck => return Ok(()),
        };
        saga.ended(tx, &kept.id, &ended, kept.state.clone()).await
    }

    fn patience(&self) -> Patience {
        let SagaOptions { backoff, run_attempts, undo_attempts, .. } = self.options;
        Patience { backoff, run_attempts, undo_attempts }
    }

    fn note(&self, kept: &Kept, next: &Place) {
        if let (Phase::Stuck, Some(fault)) = (next.phase, &next.fault) {
            tracing::error!(saga = kept.name, id = kept.id, error = %fault, "a saga is stuck; a person must look at it");
        }
        if next.phase.is_over() {
            metrics::counter!("ieum_saga_ended_total", "saga" => kept.name.clone(), "end" => next.phase.name())
                .increment(1);
            self.ended.notify_waiters();
        }
    }
}

fn unknown_cause() -> Fault {
    Fault::internal("saga.cause", "the cause of a saga's turn is not known")
}

fn status(kept: Kept) -> SagaStatus {
    let Kept { id, name, state, phase, step, attempts, fault, due, created, finished, .. } = kept;
    SagaStatus { id, name, phase, step, attempts, fault, state, due, created, finished }
}
