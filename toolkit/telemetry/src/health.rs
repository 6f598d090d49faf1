//! Health: what a process depends on, whether it is there, and whether work may come.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use ieum_core::{Fault, Moment, SharedClock, Timestamp, within};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

/// Looks whether one dependency is there.
#[async_trait::async_trait]
pub trait HealthCheck: Send + Sync + 'static {
    /// Returns whether the dependency can do its work now. The fault's message is shown to whoever may
    /// see the health routes.
    async fn check(&self) -> Result<(), Fault>;

    /// Returns since when it has been as [`HealthCheck::check`] told last, where it hears of every change; `None` where
    /// only looking tells, and [`Health`] says since when looking has told the same.
    fn since(&self) -> Option<Timestamp> {
        None
    }
}

/// The health of a process. Clones share one state.
#[derive(Clone)]
pub struct Health {
    shared: Arc<Shared>,
}

/// Whether a process can work without a dependency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Critical {
    /// Without it no work may come.
    Yes,
    /// Without it the process works with less.
    No,
}

/// How checks are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthOptions {
    /// How long one check may take; longer is a failure.
    pub limit: Duration,
    /// How long results are taken for fresh: however often somebody asks, dependencies are not asked
    /// more often than this.
    pub fresh: Duration,
    /// How long before the look that finds a change the last one may lie. Where it lies further back nobody knows when
    /// the change came, and nothing is told of that. Whoever runs a process looks more often than this.
    pub seen: Duration,
}

/// How well a process or a dependency is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All is there.
    Healthy,
    /// Something that is not critical is missing; work may come.
    Degraded,
    /// Something critical is missing; no work may come.
    Unhealthy,
    /// The start is not over; no work may come yet.
    Starting,
    /// The end has begun; no work may come any more.
    Stopping,
}

/// The health of a process at one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// How well the process is.
    pub status: Status,
    /// Its dependencies, in the order they were added.
    pub checks: Vec<CheckReport>,
}

/// The health of one dependency at one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The dependency's name.
    pub name: String,
    /// Healthy or unhealthy.
    pub status: Status,
    /// Whether no work may come without it.
    pub critical: bool,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Since when it has this status; left out where nobody looked when it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

struct Shared {
    clock: SharedClock,
    options: HealthOptions,
    dependencies: RwLock<Vec<Arc<Dependency>>>,
    /// Counts additions, after which remembered results are incomplete.
    edition: AtomicU64,
    started: AtomicBool,
    stopping: AtomicBool,
    last: tokio::sync::Mutex<Option<Last>>,
}

struct Dependency {
    name: String,
    critical: Critical,
    check: Arc<dyn HealthCheck>,
    seen: Mutex<Seen>,
}

/// What the looks at a dependency told.
struct Seen {
    /// When it was last looked at; when it was added, before that.
    looked: Moment,
    status: Option<Status>,
    since: Option<Timestamp>,
}

struct Last {
    at: Moment,
    edition: u64,
    checks: Vec<CheckReport>,
}

impl Default for HealthOptions {
    fn default() -> Self {
        Self { limit: Duration::from_secs(2), fresh: Duration::from_secs(1), seen: Duration::from_secs(60) }
    }
}

// === Health ===

impl Health {
    /// Begins with no dependency and not started.
    pub fn new(clock: SharedClock, options: HealthOptions) -> Self {
        let shared = Shared {
            clock,
            options,
            dependencies: RwLock::default(),
            edition: AtomicU64::new(0),
            started: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            last: tokio::sync::Mutex::new(None),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Adds the dependency `name`, or puts it in place of one of that name.
    pub fn add(&self, name: &str, critical: Critical, check: Arc<dyn HealthCheck>) {
        let seen = Seen { looked: self.shared.clock.moment(), status: None, since: None };
        let added = Arc::new(Dependency { name: name.to_owned(), critical, check, seen: Mutex::new(seen) });
        let mut dependencies = self.shared.dependencies.write();
        match dependencies.iter_mut().find(|present| present.name == name) {
            Some(present) => *present = added,
            None => dependencies.push(added),
        }
        self.shared.edition.fetch_add(1, Ordering::AcqRel);
    }

    /// Says that the start is over. Until then the process is not ready.
    pub fn started(&self) {
        self.shared.started.store(true, Ordering::Release);
    }

    /// Says that the end has begun. From now on the process is not ready, though alive.
    pub fn stopping(&self) {
        self.shared.stopping.store(true, Ordering::Release);
    }

    /// Tells whether the start is over.
    pub fn has_started(&self) -> bool {
        self.shared.started.load(Ordering::Acquire)
    }

    /// Looks at all dependencies at once, or repeats what is still fresh. However many ask at the same
    /// time, each dependency is asked once.
    pub async fn report(&self) -> HealthReport {
        let shared = &self.shared;
        let mut last = shared.last.lock().await;
        let edition = shared.edition.load(Ordering::Acquire);
        let now = shared.clock.moment();
        let checks = match &*last {
            Some(last) if last.edition == edition && now.since(last.at) < shared.options.fresh => {
                last.checks.clone()
            }
            _ => {
                let checks = self.look().await;
                *last = Some(Last { at: shared.clock.moment(), edition, checks: checks.clone() });
                checks
            }
        };
        HealthReport { status: self.status(&checks), checks }
    }

    async fn look(&self) -> Vec<CheckReport> {
        let dependencies = self.shared.dependencies.read().clone();
        let looks = dependencies.iter().map(|dependency| dependency.look(&self.shared));
        let checks = join_all(looks).await;
        for check in &checks {
            let up = if check.status == Status::Healthy { 1.0 } else { 0.0 };
            metrics::gauge!("ieum_dependency_up", "dependency" => check.name.clone()).set(up);
        }
        checks
    }

    fn status(&self, checks: &[CheckReport]) -> Status {
        let failing = |critical| {
            checks.iter().any(|check| check.critical == critical && check.status != Status::Healthy)
        };
        if self.shared.stopping.load(Ordering::Acquire) {
            Status::Stopping
        } else if !self.has_started() {
            Status::Starting
        } else if failing(true) {
            Status::Unhealthy
        } else if failing(false) {
            Status::Degraded
        } else {
            Status::Healthy
        }
    }
}

// === Status ===

impl Status {
    /// Tells whether work may come.
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Healthy | Self::Degraded)
    }
}

// === Dependency ===

impl Dependency {
    async fn look(&self, shared: &Shared) -> CheckReport {
        let limit = shared.options.limit;
        // A check that panics is a failed check, not the end of whoever asks.
        let check = AssertUnwindSafe(self.check.check()).catch_unwind();
        let detail = match within(&shared.clock, shared.clock.moment() + limit, check).await {
            Some(Ok(Ok(()))) => None,
            Some(Ok(Err(fault))) => Some(fault.message),
            Some(Err(_)) => Some("the check itself broke".to_owned()),
            None => Some(format!("gave no answer within {} ms", limit.as_millis())),
        };
        let status = if detail.is_none() { Status::Healthy } else { Status::Unhealthy };
        let looked = self.since(status, shared);
        let since = self.check.since().or(looked);
        let critical = self.critical == Critical::Yes;
        CheckReport { name: self.name.clone(), status, critical, detail, since }
    }

    /// Returns since when looking has told this status; `None` where nobody looked for long when it came.
    fn since(&self, status: Status, shared: &Shared) -> Option<Timestamp> {
        let mut seen = self.seen.lock();
        let now = shared.clock.moment();
        let before = now.since(std::mem::replace(&mut seen.looked, now));
        if seen.status != Some(status) {
            if seen.status.is_some() || status != Status::Healthy {
                tracing::info!(dependency = self.name, status = ?status, "dependency changed");
            }
            seen.status = Some(status);
            seen.since = (before <= shared.options.seen).then(|| shared.clock.now());
        }
        seen.since
    }
}
