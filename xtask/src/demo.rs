//! `cargo xtask demo`: builds the console where that is possible and runs `ieum demo`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use clap::Args;
use ieum_core::{Clock, SystemClock};

use crate::failure::{Failure, Tried};
use crate::shell;

/// What `ieum demo` shall get.
#[derive(Args)]
pub struct DemoArguments {
    /// Leaves the console as it is
    #[arg(long)]
    no_console: bool,
    /// Arguments for `ieum demo`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    passed: Vec<String>,
}

/// Builds the console if it is older than its sources, then becomes `ieum demo`.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    // The page is worth a try, and the demo worth seeing without it.
    if !arguments.no_console
        && let Err(failure) = build_console()
    {
        println!("demo: going on without the page: {failure}");
    }
    let mut command = shell::cargo();
    command.args(["run", "--package", "ieum", "--", "demo"]).args(&arguments.passed);
    Err(shell::become_program("cargo run", &mut command))
}

/// Builds the console where the last build is older than the sources.
///
/// # Errors
/// When Node or npm is missing or too old, or npm fails.
pub fn build_console() -> Result<(), Failure> {
    let console = shell::root().join("console");
    let built = newest(&console.join("dist"));
    let sources = ["src", "public", "package.json", "package-lock.json", "index.html", "vite.config.ts"];
    let changed = sources.iter().map(|name| newest(&console.join(name))).max().flatten();
    if built.is_some() && built >= changed && !lacks_packages(&console) {
        return Ok(());
    }
    check_node()?;
    println!("building the page");
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(&console);
        shell::run(&format!("npm {}", arguments.join(" ")), &mut command)
    };
    if lacks_packages(&console) {
        npm(&["ci", "--no-audit", "--no-fund"]).or_else(|_| npm(&["install", "--no-audit", "--no-fund"]))?;
    }
    npm(&["run", "build"])?;
    if built.is_none() { build_page_anew() } else { Ok(()) }
}

/// Tells whether npm has to install what the lock file names: npm writes down when it last did.
fn lacks_packages(console: &Path) -> bool {
    let installed = newest(&console.join("node_modules").join(".package-lock.json"));
    installed.is_none() || installed < newest(&console.join("package-lock.json"))
}

/// The oldest Node that the page's tools run on.
const OLDEST_NODE: u32 = 20;

fn check_node() -> Result<(), Failure> {
    let need = format!("the page is built with Node {OLDEST_NODE} or later and npm");
    for program in ["node", "npm"] {
        if shell::find(program).is_none() {
            return Err(Failure(format!("looking for {program}: it is not installed; {need}")));
        }
    }
    let version = shell::read("node --version", Command::new("node").arg("--version"))?;
    match major(&version) {
        Some(major) if major < OLDEST_NODE => {
            Err(Failure(format!("looking for node: it is {}; {need}", version.trim())))
        }
        _ => Ok(()),
    }
}

/// Reads the first number of a version such as `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Makes cargo compile the page again: it sees embedded files change, but not that there are some at last.
fn build_page_anew() -> Result<(), Failure> {
    let page = shell::root().join("app/src/page.rs");
    let touched = std::fs::File::options()
        .append(true)
        .open(&page)
        .and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH + since_epoch()));
    touched.tried(format_args!("marking {} as changed", page.display()))
}

/// The time on the wall, as files carry it.
fn since_epoch() -> Duration {
    Duration::from_micros(u64::try_from(SystemClock.now().as_micros()).unwrap_or(0))
}

/// When the newest file at or below `path` was changed; `None` where there is none.
fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_file() {
        return path.metadata().and_then(|metadata| metadata.modified()).ok();
    }
    let entries = std::fs::read_dir(path).ok()?;
    entries.flatten().filter_map(|entry| newest(&entry.path())).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_version_is_read_up_to_its_first_dot() {
        assert_eq!(major("v18.20.4\n"), Some(18));
        assert_eq!(major("nonsense"), None);
    }

    #[test]
    fn packages_are_installed_where_the_lock_file_is_newer() {
        let folder = ieum_testkit::temp::folder();
        let lock = folder.path().join("package-lock.json");
        std::fs::write(&lock, "{}").expect("the folder is ours");
        assert!(lacks_packages(folder.path()), "nothing is installed");
        std::fs::create_dir(folder.path().join("node_modules")).expect("the folder is ours");
        let installed = folder.path().join("node_modules").join(".package-lock.json");
        std::fs::write(&installed, "{}").expect("the folder is ours");
        assert!(!lacks_packages(folder.path()));
        let later = SystemTime::UNIX_EPOCH + since_epoch() + Duration::from_secs(60);
        let lock = std::fs::File::options().append(true).open(&lock).expect("is there");
        lock.set_modified(later).expect("the file is ours");
        assert!(lacks_packages(folder.path()), "the lock file changed since");
    }

    #[test]
    fn the_newest_file_of_a_folder_counts() {
        let folder = ieum_testkit::temp::folder();
        assert_eq!(newest(folder.path()), None);
        std::fs::create_dir(folder.path().join("deep")).expect("the folder is ours");
        let file = folder.path().join("deep").join("file");
        std::fs::write(&file, "x").expect("the folder is ours");
        let changed = file.metadata().and_then(|metadata| metadata.modified()).expect("it was written");
        assert_eq!(newest(folder.path()), Some(changed));
    }
}
