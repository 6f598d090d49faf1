//! Running programs: found on the path, run to the end, read, replaced by.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Tried};
use crate::running;

/// Folders that hold servers and are often not on a user's path.
const MORE_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Beginnings of the variables by which cargo tells a program of its own crate.
const OF_OUR_CRATE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// Returns the folder of the workspace.
///
/// Asked of cargo as it runs us: two clones may share a target folder, and what one built is fresh to the other.
pub fn root() -> PathBuf {
    let ours = setting("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&ours).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Returns the cargo that runs us.
#[allow(clippy::disallowed_methods, reason = "a build tool is set by its environment")]
pub fn cargo() -> Command {
    let mut command = Command::new(setting("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.current_dir(root());
    // What cargo told us of our own crate would make build scripts that watch these names (ring's does) run
    // anew, and half of what is built with them, at every change between `cargo` and `cargo xtask`.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_OUR_CRATE.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Returns the folder below the home directory where installed parts are kept, and makes it.
pub fn cache_folder() -> Result<PathBuf, Failure> {
    let home = setting("HOME")
        .ok_or_else(|| Failure("looking for the home directory: HOME is not set".to_owned()))?;
    let folder = Path::new(&home).join(".cache").join("ieum");
    std::fs::create_dir_all(&folder).tried(format_args!("making {}", folder.display()))?;
    Ok(folder)
}

/// Waits until no other run installs anything; none does until the lock is dropped. Two that make the same environment
/// of Python at once leave one that neither can use.
///
/// # Errors
/// When the cache folder cannot be written.
pub fn installing() -> Result<File, Failure> {
    let path = cache_folder()?.join("installing.lock");
    let lock = File::create(&path).tried(format_args!("writing {}", path.display()))?;
    if lock.try_lock().is_err() {
        println!("waiting for another run that is installing");
        lock.lock().tried(format_args!("locking {}", path.display()))?;
    }
    Ok(lock)
}

/// Reads an environment variable; an empty one counts as missing.
#[allow(clippy::disallowed_methods, reason = "a build tool is set by its environment")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Tells whether this program runs as root.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Finds a program by name, on the path and in the folders where Debian puts servers.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = setting("PATH").unwrap_or_default();
    let folders = path.split(':').chain(MORE_FOLDERS);
    folders.map(|folder| Path::new(folder).join(program)).find(|candidate| candidate.is_file())
}

/// Runs a command with its output shown, until it ends or we are stopped.
///
/// # Errors
/// When it cannot be started or ends with anything but success.
pub fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let mut child = command.process_group(0).spawn().tried(format_args!("starting {what}"))?;
    running::remember_group(child.id());
    let status = child.wait().tried(format_args!("waiting for {what}"));
    running::forget_group(child.id());
    let status = status?;
    if status.success() { Ok(()) } else { Err(Failure(format!("{what}: ended with {status}"))) }
}

/// Runs a command and returns what it printed on standard output.
///
/// # Errors
/// When it cannot be started or fails; the sentence then ends with its last lines.
pub fn read(what: &str, command: &mut Command) -> Result<String, Failure> {
    let output = command.process_group(0).output().tried(format_args!("starting {what}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let both = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&both).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(3)..].join(" | ");
    Err(Failure(format!("{what}: ended with {}: {tail}", output.status)))
}

/// Becomes `command`, so that signals reach it and its exit code is ours. Returns only on failure.
pub fn become_program(what: &str, command: &mut Command) -> Failure {
    Failure(format!("starting {what}: {}", command.exec()))
}
