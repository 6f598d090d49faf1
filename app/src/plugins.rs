//! Plugins from outside: the processes of those that are started here, the links to all of them, and their health.

use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use ieum_contracts::voice::{PLUGIN_CONTRACT, PluginClient};
use ieum_core::{Fault, SharedClock};
use ieum_process::{Process, ProcessOptions, State};
use ieum_telemetry::HealthCheck;
use ieum_voice::{OutsidePlugin, PluginWatch};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{Answerer, CommandSettings, Settings};
use crate::links::{LinkError, Links, one_of};

/// The plugins that `[voice.plugins]` names.
pub struct OutsidePlugins {
    plugins: Vec<Outsider>,
    watching: Mutex<Vec<JoinHandle<()>>>,
}

/// One of them.
struct Outsider {
    name: String,
    /// Runs it, where it is started here.
    process: Option<Arc<Process>>,
    /// Counts how often it began to answer.
    began: Arc<watch::Sender<u64>>,
}

/// Looks whether one of them can be asked, and is understood.
pub struct PluginCheck {
    name: String,
    process: Option<Arc<Process>>,
    watch: PluginWatch,
}

// === OutsidePlugins ===

impl OutsidePlugins {
    /// Links what the settings name; returns besides what a dialogue asks. No process runs before
    /// [`OutsidePlugins::start`].
    pub fn new(
        settings: &Settings,
        links: &Links,
        clock: &SharedClock,
    ) -> Result<(Self, Vec<OutsidePlugin>), LinkError> {
        let (mut plugins, mut brought) = (Vec::new(), Vec::new());
        for (name, plugin) in &settings.voice.plugins {
            let (process, link) = match &plugin.answerer {
                Answerer::At(to) => (None, links.link_to(&PLUGIN_CONTRACT, name, to, &plugin.policy)?),
                Answerer::Command(command) => {
                    let process = Arc::new(Process::new(options(name, command), clock.clone()));
                    let link = links.link_to_process(&PLUGIN_CONTRACT, name, &process, &plugin.policy);
                    (Some(process), link)
                }
            };
            // Whoever runs already is asked at once.
            let began = Arc::new(watch::Sender::new(u64::from(process.is_none())));
            brought.push(OutsidePlugin {
                name: name.clone(),
                plugin: Arc::new(PluginClient::new(link)),
                began: began.subscribe(),
            });
            plugins.push(Outsider { name: name.clone(), process, began });
        }
        Ok((Self { plugins, watching: Mutex::default() }, brought))
    }

    /// Starts the processes. Starting twice changes nothing.
    pub fn start(&self) {
        let mut watching = self.watching.lock();
        if !watching.is_empty() {
            return;
        }
        for plugin in &self.plugins {
            let Some(process) = &plugin.process else { continue };
            watching.push(tokio::spawn(count_starts(process.clone(), plugin.began.clone())));
            process.start();
        }
    }

    /// Ends the processes, all at once.
    pub async fn drain(&self) {
        let processes = self.plugins.iter().filter_map(|plugin| plugin.process.as_ref());
        join_all(processes.map(|process| process.stop())).await;
        for watching in std::mem::take(&mut *self.watching.lock()) {
            watching.abort();
        }
    }

    /// Returns what looks whether each can be asked, by the name of its link.
    pub fn checks(&self, watch: &PluginWatch) -> Vec<(String, PluginCheck)> {
        let check = |plugin: &Outsider| {
            let (name, process) = (plugin.name.clone(), plugin.process.clone());
            (one_of(&PLUGIN_CONTRACT, &name), PluginCheck { name, process, watch: watch.clone() })
        };
        self.plugins.iter().map(check).collect()
    }
}

fn options(name: &str, settings: &CommandSettings) -> ProcessOptions {
    ProcessOptions {
        environment: settings.environment.clone(),
        folder: settings.folder.clone(),
        memory: settings.memory,
        ..ProcessOptions::new(name, &settings.command)
    }
}

/// Tells whether the program of a command is there, as its process would find it.
pub fn is_found(settings: &CommandSettings) -> bool {
    let Some(program) = settings.command.first() else { return false };
    if program.contains('/') {
        // A process begins in its folder.
        return settings.folder.clone().unwrap_or_default().join(program).is_file();
    }
    let path = settings.environment.get("PATH").map_or(ieum_process::PATH, String::as_str);
    path.split(':').any(|folder| Path::new(folder).join(program).is_file())
}

/// Counts up whenever the process begins to answer.
async fn count_starts(process: Arc<Process>, began: Arc<watch::Sender<u64>>) {
    let mut status = process.watch();
    let mut counted = None;
    loop {
        let now = status.borrow_and_update().clone();
        // It may be back at the same address before anybody looked.
        let start = now.address().map(|_| now.restarts);
        if start.is_some() && start != counted {
            counted = start;
            began.send_modify(|count| *count += 1);
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

// === PluginCheck ===

#[async_trait::async_trait]
impl HealthCheck for PluginCheck {
    async fn check(&self) -> Result<(), Fault> {
        if let Some(status) = self.process.as_ref().map(|process| process.status())
            && !matches!(status.state, State::Running(_))
        {
            let why = status.ended.map(|ended| format!(": {ended}")).unwrap_or_default();
            let (state, restarts) = (status.state.name(), status.restarts);
            let message = format!("its process is {state}{why}; it was started again {restarts} times");
            return Err(Fault::unavailable("voice.plugin.absent", message));
        }
        let report = self.watch.reports().into_iter().find(|report| report.name == self.name);
        match report {
            Some(report) => match report.problem {
                Some(problem) => Err(Fault::failed_precondition("voice.plugin.described", problem)),
                None if report.intents.is_empty() => {
                    Err(Fault::unavailable("voice.plugin.unknown", "it has not said yet what it does"))
                }
                None => Ok(()),
            },
            None => Ok(()),
        }
    }
}
