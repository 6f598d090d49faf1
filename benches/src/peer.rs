//! A program that stands beside ours or is ours, in a process and on a port of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ieum_core::Fault;

/// How long a program may take until it takes connections.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that answers on its port. Ends with its value.
pub struct Peer {
    pub name: &'static str,
    pub port: u16,
    child: Child,
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.peer", format!("{step}: {error}"))
}

/// Returns a port that nobody listens on.
pub fn free_port() -> Result<u16, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| failed("finding a port", &error))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| failed("finding a port", &error))
}

/// Returns the program that an environment variable names.
pub fn named(variable: &str) -> Result<PathBuf, Fault> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    path.ok_or_else(|| {
        failed("looking for the program", &format!("{variable} is not set; cargo xtask bench sets it"))
    })
}

impl Peer {
    /// Starts `command`, which listens on `port`, with its log in `folder`.
    pub fn start(name: &'static str, port: u16, mut command: Command, folder: &Path) -> Result<Self, Fault> {
        let log = folder.join(format!("{port}.log"));
        let output = File::create(&log).map_err(|error| failed("writing a log", &error))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        let mut child = command.spawn().map_err(|error| failed(name, &error))?;
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || begin.elapsed() > PATIENCE {
                let _ = child.kill();
                let told = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(failed(name, &told.lines().take(6).collect::<Vec<_>>().join(" | ")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { name, port, child })
    }

    /// Returns its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
