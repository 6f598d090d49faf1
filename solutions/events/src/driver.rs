//! Runs the jobs of all sources when they come due.

use std::sync::Arc;
use std::time::Duration;

use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Code, Cx, Fault, Moment, SharedClock};
use parking_lot::Mutex;
use rand::Rng;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::collector::Collector;
use crate::connector::advice;
use crate::schedule::{Run, Schedule};
use crate::store::EventsStore;

/// How soon hints that could not be followed are followed again, at the latest.
const HINTS_AGAIN: Duration = Duration::from_secs(5);

/// Jobs that run at once; the others wait until one ends, the longest overdue first.
const MOST_AT_ONCE: usize = 64;

/// What is done for a source again and again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// Read what changed.
    Read(String),
    /// Follow its hints. Hastened by each hint; the interval catches what a crash or a failure left.
    Hints(String),
    /// Ask its health.
    Health(String),
    /// Look for what vanished without a word.
    Sweep(String),
}

/// Runs jobs when they come due, each source's at its own pace, none overlapping itself.
pub struct Driver {
    schedule: Mutex<Schedule<Job>>,
    collector: Arc<Collector>,
    store: EventsStore,
    clock: SharedClock,
    health_every: Duration,
    sweep_every: Duration,
    wake: Notify,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Driver {
    /// Makes a driver with nothing to do.
    pub fn new(
        collector: Arc<Collector>,
        store: EventsStore,
        clock: SharedClock,
        (health_every, sweep_every): (Duration, Duration),
    ) -> Self {
        Self {
            schedule: Mutex::default(),
            collector,
            store,
            clock,
            health_every,
            sweep_every,
            wake: Notify::new(),
            stop: tokio::sync::watch::Sender::new(false),
        }
    }

    /// Schedules a source's jobs; the first read is due at once.
    pub fn add(&self, config: &EventServiceConfig) {
        let event_id = &config.event_id;
        let interval = Duration::from_secs(u64::from(config.sync_settings.interval));
        let now = self.clock.moment();
        {
            let mut schedule = self.schedule.lock();
            schedule.add(Job::Read(event_id.clone()), interval, now);
            schedule.add(Job::Hints(event_id.clone()), interval.min(HINTS_AGAIN), now);
            schedule.add(Job::Health(event_id.clone()), self.health_every, now);
            schedule.add_later(Job::Sweep(event_id.clone()), self.sweep_every, now);
        }
        self.wake.notify_one();
    }

    /// Ends a source's jobs.
    pub fn remove(&self, event_id: &str) {
        let mut schedule = self.schedule.lock();
        for job in [Job::Read, Job::Hints, Job::Health, Job::Sweep] {
            schedule.remove(&job(event_id.into()));
        }
    }

    /// Tells whether a source is read on schedule here.
    pub fn reads(&self, event_id: &str) -> bool {
        self.schedule.lock().holds(&Job::Read(event_id.into()))
    }

    /// Makes a job due now.
    pub fn hasten(&self, job: &Job) {
        self.schedule.lock().hasten(job, self.clock.moment());
        self.wake.notify_one();
    }

    /// Runs jobs until [`Driver::stop`], then waits for those under way.
    pub async fn run(self: Arc<Self>) {
        let mut stopped = self.stop.subscribe();
        let mut running = JoinSet::new();
        while !*stopped.borrow() {
            for job in self.take_due(MOST_AT_ONCE.saturating_sub(running.len())) {
                let driver = self.clone();
                running.spawn(async move { driver.run_job(job).await });
            }
            // With as many as may run at once, the end of one is waited for and no time.
            let full = running.len() >= MOST_AT_ONCE;
            let next = self.schedule.lock().next_due().filter(|_| !full);
            tokio::select! {
                _ = stopped.changed() => {}
                () = self.wake.notified() => {}
                () = sleep_until(&self.clock, next) => {}
                Some(ended) = running.join_next(), if !running.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(error = %error, "a source's job panicked");
                    }
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Ends [`Driver::run`]; reads end after their present page.
    pub fn stop(&self) {
        self.collector.stop();
        self.stop.send_replace(true);
    }

    fn take_due(&self, most: usize) -> Vec<Job> {
        self.schedule.lock().take_due(self.clock.moment(), most)
    }

    async fn run_job(&self, job: Job) {
        let cx = Cx::root();
        // However the job ends, also by a panic, it must be able to run again.
        let mut ending =
            Ending { driver: self, job: &job, run: Run::Failed { failures: 1, floor: Duration::ZERO } };
        let (event_id, result) = match &job {
            Job::Read(event_id) => (event_id, self.collector.read(&cx, event_id).await.map(|()| false)),
            Job::Hints(event_id) => (event_id, self.collector.follow_hints(&cx, event_id).await),
            Job::Health(event_id) => (event_id, self.collector.watch(&cx, event_id).await.map(|()| true)),
            Job::Sweep(event_id) => {
                (event_id, self.collector.sweep_source(&cx, event_id).await.map(|()| false))
            }
        };
        ending.run = match result {
            Ok(answered) => {
                if answered {
                    // The source works again: a read that failed need not wait on.
                    let read = Job::Read(event_id.clone());
                    self.schedule.lock().recover(&read, self.clock.moment());
                }
                Run::Done
            }
            Err(fault) => self.note(&job, event_id, &fault).await,
        };
        metrics::counter!("ieum_events_jobs_total", "job" => job.name(), "ok" => if ending.run == Run::Done { "true" } else { "false" }).increment(1);
    }

    async fn note(&self, job: &Job, event_id: &str, fault: &Fault) -> Run {
        let floor = fault.retry_after.unwrap_or_default();
        if fault.code == Code::Cancelled || fault.reason == "events.source.unknown" {
            return Run::Failed { failures: 1, floor };
        }
        tracing::warn!(event_id, job = job.name(), error = %fault, "a source's job failed");
        let failures = match job {
            Job::Read(_) => {
                let wording = advice::cause(fault).with([]);
                self.store.note_failure(event_id, &fault.to_string(), &wording).await.unwrap_or(1)
            }
            Job::Hints(_) | Job::Health(_) | Job::Sweep(_) => 1,
        };
        Run::Failed { failures, floor }
    }
}

impl Job {
    fn name(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Hints(_) => "hints",
            Self::Health(_) => "health",
            Self::Sweep(_) => "sweep",
        }
    }
}

/// Notes the end of a run when dropped.
struct Ending<'a> {
    driver: &'a Driver,
    job: &'a Job,
    run: Run,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let (now, random) = (self.driver.clock.moment(), rand::rng().random());
        self.driver.schedule.lock().finished(self.job, self.run, now, random);
        self.driver.wake.notify_one();
    }
}

/// Completes at `due`; never where nothing is.
pub(crate) async fn sleep_until(clock: &SharedClock, due: Option<Moment>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
