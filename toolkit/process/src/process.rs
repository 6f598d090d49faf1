//! A process as its owner holds it: how it is run, how it stands, its start and its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::SharedClock;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::restarts::RestartRule;
use crate::supervisor::Supervisor;
use crate::{Address, Ending};

/// How a process is run.
#[derive(Clone, Debug)]
pub struct ProcessOptions {
    /// What it is called in the log.
    pub name: String,
    /// The program and its words; at least the program.
    pub command: Vec<String>,
    /// Its environment; `PATH` is `/usr/local/bin:/usr/bin:/bin` where it is not named.
    pub environment: BTreeMap<String, String>,
    /// The folder it runs in; this process's own where none is named.
    pub folder: Option<PathBuf>,
    /// How much memory it and its children may hold, bytes; more ends them all. It may ask for twice as much and 256 MiB
    /// of private memory, beyond which a single process of them is refused more.
    pub memory: u64,
    /// How long it may take to say where it answers.
    pub patience: Duration,
    /// How long it may take to end when it is asked to, whole seconds.
    pub grace: Duration,
    /// How often its memory is looked at.
    pub look: Duration,
    /// When it is started again.
    pub restarts: RestartRule,
}

/// What a process does at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It was started and has not said where it answers.
    Starting,
    /// It answers there.
    Running(Address),
    /// It ended, and is started again this long after that.
    Waiting(Duration),
    /// It was not started yet, or was told to end.
    Stopped,
}

/// A process as it stands.
#[derive(Clone, Debug)]
pub struct Status {
    /// What it does.
    pub state: State,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended last; `None` where it never did.
    pub ended: Option<Ending>,
}

/// A process that is started, watched, and started again when it ends. Dropping it ends the process.
pub struct Process {
    options: ProcessOptions,
    clock: SharedClock,
    status: Arc<watch::Sender<Status>>,
    stop: CancellationToken,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl ProcessOptions {
    /// Runs `command` under `name` with an empty environment, 256 MiB of memory, ten seconds to say where it answers and
    /// three to end.
    pub fn new(name: &str, command: &[String]) -> Self {
        Self {
            name: name.to_owned(),
            command: command.to_vec(),
            environment: BTreeMap::new(),
            folder: None,
            memory: 256 << 20,
            patience: Duration::from_secs(10),
            grace: Duration::from_secs(3),
            look: Duration::from_millis(500),
            restarts: RestartRule::default(),
        }
    }
}

// === Status ===

impl State {
    /// Returns one word: `starting`, `running`, `waiting`, `stopped`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running(_) => "running",
            Self::Waiting(_) => "waiting",
            Self::Stopped => "stopped",
        }
    }
}

impl Status {
    /// Returns where it answers, while it runs.
    pub fn address(&self) -> Option<&Address> {
        match &self.state {
            State::Running(address) => Some(address),
            _ => None,
        }
    }
}

// === Process ===

impl Process {
    /// Takes in what is to be run. Nothing runs before [`Process::start`].
    pub fn new(options: ProcessOptions, clock: SharedClock) -> Self {
        let status = Status { state: State::Stopped, restarts: 0, ended: None };
        let status = Arc::new(watch::Sender::new(status));
        Self { options, clock, status, stop: CancellationToken::new(), running: Mutex::new(None) }
    }

    /// Starts it and keeps it running; within a tokio runtime. Starting twice changes nothing.
    pub fn start(&self) {
        let mut running = self.running.lock();
        if running.is_none() && !self.stop.is_cancelled() {
            let supervisor = Supervisor {
                options: self.options.clone(),
                clock: self.clock.clone(),
                status: self.status.clone(),
                stop: self.stop.clone(),
            };
            *running = Some(tokio::spawn(supervisor.run()));
        }
    }

    /// Returns what it is called.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// Returns the program that it runs, without the words it is given.
    pub fn program(&self) -> &str {
        self.options.command.first().map(String::as_str).unwrap_or_default()
    }

    /// Returns how it stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Tells every change of how it stands.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Asks it to end, waits for that, and ends it where it does not. It is not started again.
    pub async fn stop(&self) {
        self.stop.cancel();
        let running = self.running.lock().take();
        if let Some(running) = running
            && let Err(error) = running.await
        {
            tracing::error!(process = self.options.name, %error, "watching a process ended by a panic");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
