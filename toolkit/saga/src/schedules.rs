//! Keeps schedules and does what is due: each once, in one transaction with its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Fault, SharedClock, Timestamp, TraceContext};
use ieum_policy::{Backoff, Jitter};
use ieum_store::{Row, Store, Transaction, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::error::{SagaError, check_id};
use crate::schedule::{Due, Next, OnDue, Schedule};

const COLUMNS: &str = "id, name, owner, payload, due_at, asked_at, attempts, failed, fault, trace";
/// Schedules of another process are seen after this time at the latest.
const LOOK: Duration = Duration::from_secs(2);
/// Attempts before it is left for a person.
const ATTEMPTS: u32 = 12;
/// The waits between them: about an hour in all.
const WAITS: Backoff = Backoff {
    first: Duration::from_secs(1),
    factor: 2.5,
    most: Duration::from_secs(900),
    jitter: Jitter::Equal,
};

/// A schedule and what became of it so far.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleStatus {
    /// The schedule.
    pub schedule: Schedule,
    /// How often it was tried without success.
    pub attempts: u32,
    /// Whether it is given up, for a person to look at.
    pub failed: bool,
    /// Why the last attempt failed.
    pub fault: Option<Fault>,
}

/// The schedules of a process. Clones share them.
#[derive(Clone)]
pub struct Schedules(Arc<Inner>);

struct Inner {
    store: Store,
    clock: SharedClock,
    known: BTreeMap<&'static str, Arc<dyn OnDue>>,
    changed: Notify,
    running: Background,
}

impl Schedules {
    /// Makes schedules over a store whose [migrations](crate::migrations) are applied; `known` says who does what.
    /// Nothing happens until [`Schedules::start`] or [`Schedules::run_due`].
    pub fn new(
        store: Store,
        clock: SharedClock,
        known: impl IntoIterator<Item = (&'static str, Arc<dyn OnDue>)>,
    ) -> Self {
        let known = known.into_iter().collect();
        Self(Arc::new(Inner { store, clock, known, changed: Notify::new(), running: Background::default() }))
    }

    /// Keeps a schedule within the caller's transaction, in the place of one under the same id. Call
    /// [`Schedules::wake`] after the commit.
    ///
    /// # Errors
    /// Where nobody here does what it names, its id cannot be kept, or the store fails.
    pub async fn set_in(&self, tx: &mut Transaction, cx: &Cx, schedule: &Schedule) -> Result<(), SagaError> {
        check_id(&schedule.id)?;
        if !self.0.known.contains_key(schedule.name.as_str()) {
            let known = self.0.known.keys().copied().collect::<Vec<_>>().join(", ");
            return Err(SagaError::UnknownName { name: schedule.name.clone(), known });
        }
        let columns = [
            "id",
            "name",
            "owner",
            "payload",
            "due_at",
            "asked_at",
            "attempts",
            "failed",
            "fault",
            "trace",
            "created_at",
        ];
        let sql = tx.dialect().upsert("ieum_schedule", &["id"], &columns);
        let values: [Value; 11] = [
            schedule.id.as_str().into(),
            schedule.name.as_str().into(),
            schedule.owner.as_str().into(),
            schedule.payload.to_string().into(),
            schedule.at.into(),
            schedule.at.into(),
            0_i64.into(),
            0_i64.into(),
            None::<String>.into(),
            cx.trace().to_string().into(),
            self.0.clock.now().into(),
        ];
        tx.execute(&sql, &values).await?;
        Ok(())
    }

    /// Keeps a schedule in a transaction of its own; see [`Schedules::set_in`].
    ///
    /// # Errors
    /// See [`Schedules::set_in`].
    pub async fn set(&self, cx: &Cx, schedule: &Schedule) -> Result<(), SagaError> {
        let mut tx = self.0.store.begin_write().await?;
        self.set_in(&mut tx, cx, schedule).await?;
        tx.commit().await?;
        self.wake();
        Ok(())
    }

    /// Forgets a schedule within the caller's transaction; returns whether there was one.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn cancel_in(&self, tx: &mut Transaction, id: &str) -> Result<bool, SagaError> {
        Ok(tx.execute("DELETE FROM ieum_schedule WHERE id = ?", &[id.into()]).await? > 0)
    }

    /// Forgets all schedules of `owner` within the caller's transaction; returns how many there were.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn forget_in(&self, tx: &mut Transaction, owner: &str) -> Result<u64, SagaError> {
        Ok(tx.execute("DELETE FROM ieum_schedule WHERE owner = ?", &[owner.into()]).await?)
    }

    /// Forgets a schedule; returns whether there was one.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn cancel(&self, id: &str) -> Result<bool, SagaError> {
        Ok(self.0.store.execute("DELETE FROM ieum_schedule WHERE id = ?", &[id.into()]).await? > 0)
    }

    /// Returns the schedules of `owner`, the next first, and of one time the one first that was set first; 1,000 at most.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, owner: &str) -> Result<Vec<ScheduleStatus>, SagaError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_schedule WHERE owner = ? ORDER BY due_at, created_at, id LIMIT 1000"
        );
        self.0.store.fetch_all(&sql, &[owner.into()]).await?.iter().map(read).collect()
    }

    /// Says that something may be due earlier than before.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }

    /// Does everything that is due now; returns how much there was.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn run_due(&self) -> Result<usize, SagaError> {
        let mut count = 0;
        while self.0.next_due().await?.is_some_and(|due| due <= self.0.clock.now()) {
            if !self.0.do_one().await? {
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    /// Begins to do what is due, until [`Schedules::drain`]. Starting twice changes nothing.
    pub fn start(&self) {
        self.0.running.start(|stop| self.clone().run(stop));
    }

    /// Begins nothing more and finishes what is being done.
    pub async fn drain(&self) {
        self.0.running.drain("doing what is due").await;
    }

    async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let mut wait = LOOK;
            match self.run_due().await {
                Ok(_) => match self.0.next_due().await {
                    Ok(Some(due)) => wait = wait.min(due.since(self.0.clock.now())),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(error = %ieum_core::describe(&error), "looking for what is due failed")
                    }
                },
                Err(error) => {
                    tracing::warn!(error = %ieum_core::describe(&error), "doing what is due failed; trying again");
                }
            }
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = self.0.clock.sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

impl Inner {
    /// Returns the clause that finds what this process can do.
    fn ours(&self) -> (String, Vec<Value>) {
        let holes = vec!["?"; self.known.len()].join(", ");
        (
            format!("failed = 0 AND name IN ({holes})"),
            self.known.keys().map(|name| Value::from(*name)).collect(),
        )
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, SagaError> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let (ours, values) = self.ours();
        let sql = format!("SELECT MIN(asked_at) AS due FROM ieum_schedule WHERE {ours}");
        Ok(self.store.fetch_one(&sql, &values).await?.opt_timestamp("due")?)
    }

    /// Does the schedule that has been due for longest, of one time the one that was set first; returns false where another process has all that are.
    async fn do_one(&self) -> Result<bool, SagaError> {
        let now = self.clock.now();
        let (ours, mut values) = self.ours();
        values.push(now.into());
        let mut tx = self.store.begin_write().await?;
        let lock = tx.dialect().limit_for_update_skip_locked();
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_schedule WHERE {ours} AND asked_at <= ? \
             ORDER BY asked_at, created_at, id LIMIT 1{lock}"
        );
        let Some(row) = tx.fetch_optional(&sql, &values).await? else { return Ok(false) };
        let trace = row.text("trace")?;
        let ScheduleStatus { schedule, attempts, .. } = read(&row)?;
        let Some(answerer) = self.known.get(schedule.name.as_str()) else { return Ok(false) };
        let (id, attempt, late) = (schedule.id.clone(), attempts + 1, now.since(schedule.at));
        let trace = trace.parse::<TraceContext>().map_or_else(|_| TraceContext::root(), TraceContext::child);
        let cx = Cx::with_trace(trace).with_idempotency_key(&format!("{id}:{}", schedule.at.as_micros()));
        let due = Due { schedule, late, attempt };
        match answerer.due(&cx, &mut tx, &due).await {
            Ok(next) => {
                close(&mut tx, &id, &next).await?;
                tx.commit().await?;
                count(&due, "done");
            }
            Err(fault) => {
                tx.rollback().await?;
                self.put_off(&due, &fault, now).await?;
            }
        }
        Ok(true)
    }

    /// Tries later what failed, or leaves it for a person.
    async fn put_off(&self, due: &Due, fault: &Fault, now: Timestamp) -> Result<(), SagaError> {
        let (id, failed) = (due.schedule.id.as_str(), due.attempt >= ATTEMPTS);
        tracing::warn!(schedule = id, attempt = due.attempt, failed, error = %fault, "what was due could not be done");
        let wait = WAITS.delay(due.attempt, rand::random()).max(fault.retry_after.unwrap_or(Duration::ZERO));
        let told = serde_json::to_string(fault)
            .map_err(|error| SagaError::State { id: id.to_owned(), message: error.to_string() })?;
        // One that was moved meanwhile keeps its new time.
        let sql = "UPDATE ieum_schedule SET asked_at = ?, attempts = ?, failed = ?, fault = ? WHERE id = ? AND due_at = ?";
        let values: [Value; 6] = [
            (now + wait).into(),
            i64::from(due.attempt).into(),
            i64::from(failed).into(),
            told.into(),
            id.into(),
            due.schedule.at.into(),
        ];
        self.store.execute(sql, &values).await?;
        count(due, if failed { "failed" } else { "again" });
        Ok(())
    }
}

async fn close(tx: &mut Transaction, id: &str, next: &Next) -> Result<(), SagaError> {
    let (at, payload) = match next {
        Next::Done => {
            tx.execute("DELETE FROM ieum_schedule WHERE id = ?", &[id.into()]).await?;
            return Ok(());
        }
        Next::At(at) => (at, None),
        Next::With(at, payload) => (at, Some(payload)),
    };
    let mut sql = "UPDATE ieum_schedule SET due_at = ?, asked_at = ?, attempts = 0, fault = NULL".to_owned();
    let mut values: Vec<Value> = vec![(*at).into(), (*at).into()];
    if let Some(payload) = payload {
        sql.push_str(", payload = ?");
        values.push(payload.to_string().into());
    }
    sql.push_str(" WHERE id = ?");
    values.push(id.into());
    tx.execute(&sql, &values).await?;
    Ok(())
}

fn count(due: &Due, outcome: &'static str) {
    metrics::counter!("ieum_schedule_due_total", "schedule" => due.schedule.name.clone(), "outcome" => outcome)
        .increment(1);
}

fn read(row: &Row) -> Result<ScheduleStatus, SagaError> {
    let id = row.text("id")?;
    let broken = |error: serde_json::Error| SagaError::State { id: id.clone(), message: error.to_string() };
    let payload = serde_json::from_str(&row.text("payload")?).map_err(broken)?;
    let fault = row.opt_text("fault")?.map(|text| serde_json::from_str(&text)).transpose().map_err(broken)?;
    let (name, owner, at) = (row.text("name")?, row.text("owner")?, row.timestamp("due_at")?);
    Ok(ScheduleStatus {
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        failed: row.int("failed")? != 0,
        fault,
        schedule: Schedule { id, name, owner, at, payload },
    })
}
