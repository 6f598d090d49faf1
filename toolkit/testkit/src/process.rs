//! Child processes in a process group of their own, stopped by process id when dropped.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use ieum_core::{Clock, SystemClock};

/// What went wrong with a child process.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The file for its output could not be made.
    #[error("creating the log {path:?} of {name}")]
    Log {
        /// The process' name.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program could not be started.
    #[error("starting {name} ({program:?})")]
    Start {
        /// The process' name.
        name: String,
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A running program. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Child {
    name: String,
    log: PathBuf,
    inner: std::process::Child,
    ended: Option<ExitStatus>,
}

/// A signal, by the name that `kill(1)` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Asks the program to end.
    Terminate,
    /// Ends the program without asking.
    Kill,
    /// Makes the program stand still.
    Stop,
    /// Lets a program that stands still go on.
    Continue,
}

impl Child {
    /// Starts `command` in its own process group with all its output in the file `log`.
    ///
    /// # Errors
    /// [`ProcessError`] when the log cannot be made or the program cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self, ProcessError> {
        let failed = |source| ProcessError::Log { name: name.to_owned(), path: log.to_owned(), source };
        let output = File::options().create(true).append(true).open(log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let inner = command.spawn().map_err(|source| ProcessError::Start {
            name: name.to_owned(),
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?;
        Ok(Self { name: name.to_owned(), log: log.to_owned(), inner, ended: None })
    }

    /// Returns the name it was started under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its process id, which is also the id of its process group.
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Returns how it ended, or `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.inner.try_wait().unwrap_or(None);
        }
        self.ended
    }

    /// Sends `signal` to the whole process group. Does nothing once the process has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            send(self.id(), signal);
        }
    }

    /// Asks it to end, waits up to `patience`, then kills it and what it started. Returns how it ended.
    pub fn stop(&mut self, patience: Duration) -> ExitStatus {
        self.signal(Signal::Terminate);
        if let Some(status) = self.wait(patience) {
            // Whatever of its group outlives it goes too.
            send(self.id(), Signal::Kill);
            return status;
        }
        self.kill()
    }

    /// Kills it and what it started at once, as a crash would (`kill -9`). Returns how it ended.
    pub fn kill(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        send(self.id(), Signal::Kill);
        let status = self.inner.wait().unwrap_or_else(|_| ExitStatus::from_raw(9));
        self.ended = Some(status);
        status
    }

    /// Waits up to `patience` for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let clock = SystemClock;
        let give_up = clock.moment() + patience;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if clock.moment() >= give_up {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns the last `lines` lines of its output.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Signal {
    fn flag(self) -> &'static str {
        match self {
            Self::Terminate => "-TERM",
            Self::Kill => "-KILL",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
        }
    }
}

fn send(group: u32, signal: Signal) {
    // A group that is gone is what was wanted.
    let _ = Command::new("kill")
        .args([signal.flag(), "--", &format!("-{group}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Child::start("a shell", command, log).expect("sh exists")
    }

    #[test]
    fn stopping_takes_the_whole_group_along() {
        let folder = crate::temp::folder();
        let mut child = shell("sleep 60 & echo $!; wait", &folder.path().join("log"));
        while child.log_tail(1).is_empty() {
            std::thread::yield_now();
        }
        let grandchild = child.log_tail(1);
        child.stop(Duration::from_secs(60));
        // A kill takes a moment to arrive.
        let late = SystemClock.moment() + Duration::from_secs(120);
        loop {
            let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z") {
                break;
            }
            assert!(SystemClock.moment() < late, "the grandchild still runs: {stat}");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_ignores_the_request_is_killed() {
        let folder = crate::temp::folder();
        let mut child =
            shell("trap '' TERM; echo ready; while :; do sleep 0.05; done", &folder.path().join("log"));
        while child.log_tail(1) != "ready" {
            std::thread::yield_now();
        }
        let status = child.stop(Duration::from_millis(100));
        assert_eq!(status.signal(), Some(9));
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = crate::temp::folder();
        let error = Child::start("nothing", Command::new("/no/such/program"), &folder.path().join("log"));
        assert_eq!(error.expect_err("does not exist").to_string(), "starting nothing (\"/no/such/program\")");
    }
}
