//! What would fail later, found without starting: files that are not there, addresses that may not be called.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ieum_client::OutboundGuard;
use ieum_core::{describe, system_clock};
use ieum_dialogflow::{ClientOptions, DialogflowClient};
use ieum_edge::Trust;
use ieum_gateway::KeyOrigin;
use ieum_speech::{MODEL_FILES, read_engine_url};

use crate::config::{Answerer, ConfigError, KeySource, Mistake, Settings};
use crate::{agent, links, notify, parts, plugins, sealing};

/// Something that would fail.
struct Foreseen {
    mistake: Mistake,
    stops: Stops,
}

/// Whose start it stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stops {
    /// Nobody's: it is told, and done without.
    Nothing,
    /// That of every process.
    Every,
    /// That of a process with this part.
    Part(&'static str),
}

/// Collects what would fail.
struct Look<'a> {
    settings: &'a Settings,
    found: Vec<Foreseen>,
}

/// Names everything in `settings` that would fail, now or when it is first needed. Must be called within a tokio runtime.
///
/// # Errors
/// What was found.
pub fn all(settings: &Settings) -> Result<(), ConfigError> {
    let mut mistakes: Vec<Mistake> = look(settings).into_iter().map(|foreseen| foreseen.mistake).collect();
    if let Err(error) = links::check(settings, &parts::contracts()) {
        match error {
            links::LinkError::Wrong(wrong) => mistakes.extend(wrong),
            other => mistakes.push(Mistake { key: "links".to_owned(), problem: describe(&other) }),
        }
    }
    wrong(mistakes)
}

/// Names everything that would stop the start of the parts `chosen`. Must be called within a tokio runtime.
///
/// # Errors
/// What was found.
pub fn stopping(settings: &Settings, chosen: &[&str]) -> Result<(), ConfigError> {
    let stops = |foreseen: &Foreseen| match foreseen.stops {
        Stops::Nothing => false,
        Stops::Every => true,
        Stops::Part(part) => chosen.contains(&part),
    };
    wrong(look(settings).into_iter().filter(stops).map(|foreseen| foreseen.mistake).collect())
}

fn wrong(mut mistakes: Vec<Mistake>) -> Result<(), ConfigError> {
    mistakes.sort_by(|left, right| left.key.cmp(&right.key));
    if mistakes.is_empty() { Ok(()) } else { Err(ConfigError::Wrong(mistakes)) }
}

fn look(settings: &Settings) -> Vec<Foreseen> {
    let mut look = Look { settings, found: Vec::new() };
    look.platform();
    look.listeners();
    look.device();
    look.agent();
    look.notify();
    look.engines();
    look.outside_voice();
    look.plugins();
    look.found
}

/// Says what is wrong with a file that is to be read; `None` where it can be.
fn unreadable(path: &Path) -> Option<String> {
    if path.starts_with("~") {
        return Some(format!(
            "{} begins with ~, which is not expanded here; write the whole path",
            path.display()
        ));
    }
    let opened = std::fs::File::open(path).and_then(|file| file.metadata());
    match opened {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some(format!("{} is a folder; name a file", path.display())),
        Err(error) => Some(format!("reading {}: {error}", path.display())),
    }
}

/// Says what is wrong with a folder that is to be read; `None` where it can be.
fn unlistable(path: &Path) -> Option<String> {
    if path.starts_with("~") {
        return Some(format!(
            "{} begins with ~, which is not expanded here; write the whole path",
            path.display()
        ));
    }
    std::fs::read_dir(path).err().map(|error| format!("reading the folder {}: {error}", path.display()))
}

// === Look ===

impl Look<'_> {
    fn foresee(&mut self, key: impl Into<String>, stops: Stops, problem: impl Into<String>) {
        let mistake = Mistake { key: key.into(), problem: problem.into() };
        self.found.push(Foreseen { mistake, stops });
    }

    /// Looks whether a file can be read.
    fn file(&mut self, key: &str, stops: Stops, path: &Path) -> bool {
        let problem = unreadable(path);
        if let Some(problem) = &problem {
            self.foresee(key, stops, problem);
        }
        problem.is_none()
    }

    fn platform(&mut self) {
        let settings = self.settings;
        if settings.data.starts_with("~") {
            let problem = "begins with ~, which is not expanded here; write the whole path";
            self.foresee("data.dir", Stops::Every, problem);
        } else if settings.data.exists() && !settings.data.is_dir() {
            self.foresee("data.dir", Stops::Every, format!("{} is no folder", settings.data.display()));
        }
        for (i, source) in settings.store.sealing_keys.iter().enumerate() {
            if let KeySource::File(path) = source
                && !self.file("store.sealing_keys", Stops::Every, path)
            {
                continue;
            }
            if let Err(error) = sealing::read(source) {
                let problem = format!("entry {}: {}", i + 1, describe(&error));
                self.foresee("store.sealing_keys", Stops::Every, problem);
            }
        }
        for (i, issuer) in settings.gateway.issuers.iter().enumerate() {
            if let KeyOrigin::File(path) = &issuer.keys {
                self.file(&format!("gateway.issuers[{i}].keys"), Stops::Nothing, path);
            }
        }
    }

    /// Looks whether two settings name one place to listen on, of which only one could.
    fn listeners(&mut self) {
        let settings = self.settings;
        let places = [
            ("server.listen", Some(settings.server.listen), Stops::Every),
            ("device.listen", settings.device.listen, Stops::Part("device")),
            ("voice.wyoming", settings.voice.wyoming, Stops::Part("voice")),
        ];
        let places = places.map(|(key, address, stops)| address.map(|address| (key, address, stops)));
        let places: Vec<_> = places.into_iter().flatten().collect();
        for (at, (key, address, stops)) in places.iter().enumerate() {
            let other = places[..at].iter().find(|(_, other, _)| is_one_place(*address, *other));
            if let Some((other, taken, _)) = other {
                let problem =
                    format!("is {address}, but {other} listens on {taken} already; set another port");
                self.foresee(*key, *stops, problem);
            }
        }
    }

    fn device(&mut self) {
        const STOPS: Stops = Stops::Part("device");
        let own = &self.settings.device;
        if let Some((certificate, key)) = &own.tls {
            let there = [("device.certificate", certificate), ("device.key", key)]
                .map(|(name, path)| self.file(name, STOPS, path));
            if there == [true, true]
                && let Err(error) = ieum_device::tls_from_files(certificate, key)
            {
                self.foresee("device.certificate", STOPS, describe(&error));
            }
        }
        if let Some(path) = own.bridge.as_ref().and_then(|bridge| bridge.authorities.as_ref()) {
            self.authorities("device.bridge_authorities", STOPS, path);
        }
    }

    fn authorities(&mut self, key: &str, stops: Stops, path: &Path) {
        if self.file(key, stops, path)
            && let Err(error) = Trust::from_file(path)
        {
            self.foresee(key, stops, describe(&error));
        }
    }

    fn agent(&mut self) {
        let own = &self.settings.agent;
        if !own.device.is_empty() && !agent::is_agents_name(&own.device) {
            let problem = format!(
                "{:?} is no device's id; use 1 to 60 letters, digits, '-', '_', '.' or ':', beginning with no '.'",
                own.device
            );
            self.foresee("agent.device", Stops::Nothing, problem);
        }
        if let Some(path) = &own.secret_file {
            self.file("agent.secret_file", Stops::Nothing, path);
        }
        if let Some(path) = &own.authorities {
            self.authorities("agent.authorities", Stops::Nothing, path);
        }
    }

    fn notify(&mut self) {
        const STOPS: Stops = Stops::Part("notify");
        if let Some(folder) = &self.settings.notify.templates {
            let problem = unlistable(folder);
            let problem =
                problem.or_else(|| ieum_notify::check_templates(folder).err().map(|error| describe(&error)));
            if let Some(problem) = problem {
                self.foresee("notify.templates", STOPS, problem);
            }
        }
        for (key, problem) in notify::unusable(self.settings) {
            self.foresee(key, STOPS, problem);
        }
    }

    /// Looks for the folders of models and for programs. One that is not there is done without.
    fn engines(&mut self) {
        let voice = &self.settings.voice;
        for (key, urls) in [("voice.ears", &voice.ears), ("voice.mouth", &voice.mouth)] {
            for url in urls {
                // What is no such engine is an MLService, of which nothing is on this machine.
                let Ok(engine) = read_engine_url(url) else { continue };
                let missing = match (&engine.folder, &engine.program) {
                    (Some(folder), _) => model_problem(folder),
                    // One without a path is found when it is started.
                    (None, Some(program)) if program.components().count() > 1 => unreadable(program),
                    _ => None,
                };
                if let Some(problem) = missing {
                    self.foresee(key, Stops::Nothing, format!("{url}: {problem}"));
                }
            }
        }
    }

    fn outside_voice(&mut self) {
        const STOPS: Stops = Stops::Part("voice");
        let settings = self.settings;
        let voice = &settings.voice;
        if voice.weather_key.is_some() {
            let guard = OutboundGuard::new(&settings.outbound);
            if let Err(refused) = guard.check_url(&voice.weather) {
                let hint = match refused {
                    ieum_client::Refused::Address { address, .. } => {
                        format!(
                            "; where it is yours, name its network in outbound.allow, such as \"{address}\""
                        )
                    }
                    _ => String::new(),
                };
                self.foresee("voice.weather", STOPS, format!("{refused}{hint}"));
            } else if voice.weather.query().is_some() || voice.weather.fragment().is_some() {
                let problem = "holds ? or #, and paths are put behind it; name scheme, host and path alone";
                self.foresee("voice.weather", STOPS, problem);
            }
        }
        if let Some(address) = &voice.dialogflow {
            let options = ClientOptions { outbound: settings.outbound.clone(), ..ClientOptions::default() };
            if let Err(error) = DialogflowClient::new(address, None, options, system_clock()) {
                self.foresee("voice.dialogflow", STOPS, describe(&error));
            } else if address.lacks_credentials() {
                let problem = "names no credentials, without which Google answers nobody; add ?credentials=FILE, the JSON \
                               key of a service account";
                self.foresee("voice.dialogflow", Stops::Nothing, problem);
            }
        }
    }

    fn plugins(&mut self) {
        for (name, plugin) in &self.settings.voice.plugins {
            let Answerer::Command(command) = &plugin.answerer else { continue };
            if let Some(folder) = &command.folder
                && let Some(problem) = unlistable(folder)
            {
                self.foresee(format!("voice.plugins.{name}.folder"), Stops::Nothing, problem);
            }
            let program = command.command.first().map(String::as_str).unwrap_or_default();
            if !plugins::is_found(command) {
                let problem =
                    format!("{program:?} is no program of this machine; install it, or name its whole path");
                self.foresee(format!("voice.plugins.{name}.command"), Stops::Nothing, problem);
            }
        }
    }
}

/// Tells whether who listens on one keeps others from the other. Port 0 is a free one each time.
fn is_one_place(one: SocketAddr, other: SocketAddr) -> bool {
    // Every address of version 6 takes those of version 4 along, as Linux has it.
    let covers =
        |all: SocketAddr, one: SocketAddr| all.ip().is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    one.port() != 0
        && one.port() == other.port()
        && (one.ip() == other.ip() || covers(one, other) || covers(other, one))
}

fn model_problem(folder: &Path) -> Option<String> {
    if let Some(problem) = unlistable(folder) {
        return Some(format!("{problem}; run `cargo xtask models` and name a folder it prints"));
    }
    let missing: Vec<PathBuf> = MODEL_FILES.iter().map(|name| folder.join(name)).collect();
    let problem = missing.iter().find_map(|path| unreadable(path))?;
    Some(format!("{problem}; run `cargo xtask models` and name a folder it prints"))
}
