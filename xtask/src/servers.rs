//! The real servers that tests run against: which there are, installing, starting and stopping them.

mod aiosmtpd;
mod chromium;
mod influxdb;
mod install;
mod kafka;
mod maven;
mod mongodb;
mod mosquitto;
mod moto;
mod mysql;
pub mod nats;
pub mod postgres;
mod pretalx;
mod pretix;
mod probe;
mod receivers;
mod redis;
mod sail;
mod spark;
mod victoriametrics;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Subcommand;
use ieum_core::{Clock, SystemClock};
use ieum_testkit::process::Child;

use crate::failure::{Failure, Tried};
use crate::{running, shell};

pub use install::{install, install_packages};

/// What to do with the test servers.
#[derive(Subcommand)]
pub enum ServersChore {
    /// Installs what is missing
    Install {
        /// Names of servers; without one all
        names: Vec<String>,
    },
    /// Starts them, prints their addresses, and stops them on Ctrl-C
    Run {
        /// Names of servers; without one all
        names: Vec<String>,
    },
}

/// A server that can be started for tests.
pub struct Kind {
    /// Its name, as tests ask for it.
    pub name: &'static str,
    /// The Debian packages it comes from.
    pub packages: &'static [&'static str],
    /// The programs that must be found.
    pub programs: &'static [&'static str],
    /// Prepares what no Debian package brings.
    pub prepare: fn() -> Result<(), Failure>,
    /// Starts it in an empty folder and waits until it answers.
    pub start: fn(&Path) -> Result<Started, Failure>,
}

/// A server that answers.
pub struct Started {
    /// Its address as a URL.
    pub url: String,
    /// What it calls its version.
    pub version: String,
    /// More settings that tests need: name and value.
    pub settings: Vec<(&'static str, String)>,
    /// Its process.
    pub child: Child,
}

/// Every server that tests can ask for.
pub const KINDS: [Kind; 16] = [
    postgres::KIND,
    mysql::KIND,
    redis::KIND,
    nats::KIND,
    influxdb::KIND,
    victoriametrics::KIND,
    kafka::KIND,
    mongodb::KIND,
    pretix::KIND,
    pretalx::KIND,
    aiosmtpd::KIND,
    moto::KIND,
    mosquitto::KIND,
    chromium::KIND,
    sail::KIND,
    spark::KIND,
];

/// Too large to be installed unless asked for by name.
const LARGE: [&str; 1] = ["spark"];

/// The servers of one run, and why some do not run.
pub struct Servers {
    outcomes: Vec<(&'static str, Result<Started, Failure>)>,
    _folder: tempfile::TempDir,
}

/// Runs the chore.
///
/// # Errors
/// When a server is unknown or any could not be installed or started.
pub fn run(chore: &ServersChore) -> Result<(), Failure> {
    match chore {
        ServersChore::Install { names } => {
            let kinds = chosen(names)?;
            let _installing = shell::installing()?;
            let missing = install(&kinds);
            for kind in &kinds {
                let found = missing.iter().find(|(name, _)| *name == kind.name);
                println!(
                    "{:16} {}",
                    kind.name,
                    found.map_or("installed".to_owned(), |(_, why)| why.to_string())
                );
            }
            if missing.is_empty() {
                Ok(())
            } else {
                Err(Failure("not every server could be installed".to_owned()))
            }
        }
        ServersChore::Run { names } => {
            let servers = Servers::start(&chosen(names)?)?;
            servers.print();
            println!("stop with Ctrl-C");
            loop {
                std::thread::park();
            }
        }
    }
}

/// Returns the servers called `names`; for an empty list all but the large ones.
///
/// # Errors
/// For a name that no server has.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Kind>, Failure> {
    static ALL: [Kind; 16] = KINDS;
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|kind| kind.name == **name)) {
        let known: Vec<&str> = ALL.iter().map(|kind| kind.name).collect();
        return Err(Failure(format!("no server is called {unknown:?}; the names are {}", known.join(", "))));
    }
    let usual = |kind: &Kind| names.is_empty() && !LARGE.contains(&kind.name);
    Ok(ALL.iter().filter(|kind| usual(kind) || names.iter().any(|name| name == kind.name)).collect())
}

impl Servers {
    /// Installs and starts `kinds` beside each other. A server that fails is kept with its reason.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn start(kinds: &[&'static Kind]) -> Result<Self, Failure> {
        let folder =
            tempfile::Builder::new().prefix("ieum-servers-").tempdir().tried("making a temporary folder")?;
        running::remember_folder(folder.path().to_owned());
        open_to_all(folder.path())?;
        let mut missing = {
            let _installing = shell::installing()?;
            install(kinds)
        };
        let started = std::thread::scope(|scope| {
            let threads: Vec<_> = kinds
                .iter()
                .filter(|kind| !missing.iter().any(|(name, _)| *name == kind.name))
                .map(|kind| (kind.name, scope.spawn(|| start_one(kind, folder.path()))))
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err(Failure("its start panicked".to_owned())))
            };
            threads.into_iter().map(|(name, thread)| (name, join(thread))).collect::<Vec<_>>()
        });
        let mut outcomes: Vec<_> = missing.drain(..).map(|(name, why)| (name, Err(why))).collect();
        outcomes.extend(started);
        outcomes.sort_by_key(|(name, _)| *name);
        Ok(Self { outcomes, _folder: folder })
    }

    /// Returns the environment that tells tests where the servers are.
    pub fn environment(&self) -> Vec<(String, String)> {
        let running = self.outcomes.iter().filter_map(|(name, outcome)| Some((name, outcome.as_ref().ok()?)));
        running
            .flat_map(|(name, started)| {
                let address = (format!("IEUM_TEST_{}_URL", name.to_uppercase()), started.url.clone());
                let more = started.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                let process =
                    (format!("IEUM_TEST_{}_PID", name.to_uppercase()), started.child.id().to_string());
                [address, process].into_iter().chain(more)
            })
            .collect()
    }

    /// Returns the servers that do not run, with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (&'static str, &Failure)> {
        self.outcomes.iter().filter_map(|(name, outcome)| Some((*name, outcome.as_ref().err()?)))
    }

    /// Prints one line per server.
    pub fn print(&self) {
        for (name, outcome) in &self.outcomes {
            match outcome {
                Ok(started) => println!("{name:16} ran      {:24} {}", started.version, started.url),
                Err(why) => println!("{name:16} not run  {why}"),
            }
        }
    }

    /// Stops every server and waits for its end.
    pub fn stop(&mut self) {
        for (_, outcome) in &mut self.outcomes {
            if let Ok(started) = outcome {
                started.child.stop(Duration::from_secs(10));
                running::forget_group(started.child.id());
            }
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start_one(kind: &Kind, scratch: &Path) -> Result<Started, Failure> {
    let folder = scratch.join(kind.name);
    std::fs::create_dir(&folder).tried(format_args!("making {}", folder.display()))?;
    open_to_all(&folder)?;
    (kind.start)(&folder)
}

/// Lets servers that run as another user enter a folder.
fn open_to_all(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder, permissions).tried(format_args!("opening {}", folder.display()))
}

/// Starts a server's process, with its output in the file `log` of `folder`, and remembers it for Ctrl-C.
fn spawn(name: &str, command: Command, folder: &Path) -> Result<Child, Failure> {
    let child = Child::start(name, command, &folder.join("log")).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        Failure(format!("{error}: {cause}"))
    })?;
    running::remember_group(child.id());
    Ok(child)
}

/// Waits until `ready` answers true.
///
/// # Errors
/// When the server ends before or a minute passes; the sentence ends with the last lines of its log.
fn wait_ready(child: &mut Child, mut ready: impl FnMut() -> bool) -> Result<(), Failure> {
    let patience = Duration::from_secs(90);
    let began = SystemClock.moment();
    loop {
        if ready() {
            return Ok(());
        }
        let ended = child.ended();
        if ended.is_some() || SystemClock.moment().since(began) > patience {
            let how =
                ended.map_or("did not answer in 90 s".to_owned(), |status| format!("ended with {status}"));
            let tail = child.log_tail(3).replace('\n', " | ");
            running::forget_group(child.id());
            return Err(Failure(format!("starting {}: it {how}: {tail}", child.name())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Returns the program `name`, which `install` has found before.
fn program(name: &str) -> Result<PathBuf, Failure> {
    shell::find(name).ok_or_else(|| Failure(format!("looking for the program {name}: it is not installed")))
}

/// Asks `program` for its version and returns `name` with the first number that looks like one.
fn version_of(name: &str, program: &Path, arguments: &[&str]) -> String {
    let text = shell::read("asking for a version", Command::new(program).args(arguments)).unwrap_or_default();
    version_in(name, &text)
}

/// Asks Debian for the version of the installed `package`, for programs that do not know their own.
fn version_of_package(name: &str, package: &str) -> String {
    let mut command = Command::new("dpkg-query");
    command.args(["--show", "--showformat=${Version}", package]);
    version_in(name, &shell::read("asking for a version", &mut command).unwrap_or_default())
}

fn version_in(name: &str, text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut words = text.split(|letter| !is_part(letter)).map(|word| word.trim_matches('.'));
    let version = words.find(|word| word.contains('.')).unwrap_or("of unknown version");
    format!("{name} {version}")
}

/// For servers that a Debian package brings as a whole.
fn nothing_to_prepare() -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_that_tests_may_ask_for_can_be_started() {
        let mut startable = KINDS.map(|kind| kind.name);
        let mut known = ieum_testkit::server::KNOWN;
        startable.sort_unstable();
        known.sort_unstable();
        assert_eq!(startable, known);
    }

    #[test]
    fn a_version_is_the_first_dotted_number() {
        assert_eq!(
            version_in("MariaDB", "/usr/sbin/mariadbd  Ver 10.11.19-MariaDB for debian"),
            "MariaDB 10.11.19"
        );
        assert_eq!(version_in("Redis", "Redis server v=7.0.15 sha=00000000:0"), "Redis 7.0.15");
        assert_eq!(version_in("Redis", ""), "Redis of unknown version");
    }

    #[test]
    fn an_unknown_server_is_refused_with_the_known_names() {
        let failure = chosen(&["oracle".to_owned()]).err().expect("nobody starts it");
        assert!(
            failure.0.starts_with("no server is called \"oracle\"; the names are postgres, mysql"),
            "{failure}"
        );
    }
}
