//! `cargo xtask demo`: builds the console where that is possible and runs `ieum demo`.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use clap::Args;

use crate::failure::Failure;
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
/// When the console does not build or cargo cannot be started.
pub fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    if !arguments.no_console {
        build_console()?;
    }
    let mut command = shell::cargo();
    command.args(["run", "--package", "ieum", "--", "demo"]).args(&arguments.passed);
    Err(shell::become_program("cargo run", &mut command))
}

/// Builds the console where it exists, Node does, and the last build is older than the sources.
///
/// # Errors
/// When npm fails.
pub fn build_console() -> Result<(), Failure> {
    let console = shell::root().join("console");
    if !console.join("package.json").is_file() {
        println!("demo: there is no console folder, so the page stays plain");
        return Ok(());
    }
    let built = newest(&console.join("dist"));
    let sources = ["src", "public", "package.json", "package-lock.json", "index.html", "vite.config.ts"];
    let changed = sources.iter().map(|name| newest(&console.join(name))).max().flatten();
    if built.is_some() && built >= changed {
        return Ok(());
    }
    if shell::find("npm").is_none() {
        println!("demo: npm is not installed, so the console is not built; install Node 20 or newer for it");
        return Ok(());
    }
    println!("demo: building the console");
    let npm = |arguments: &[&str]| {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(&console);
        shell::run(&format!("npm {}", arguments.join(" ")), &mut command)
    };
    if !console.join("node_modules").is_dir() {
        npm(&["ci", "--no-audit", "--no-fund"]).or_else(|_| npm(&["install", "--no-audit", "--no-fund"]))?;
    }
    npm(&["run", "build"])
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
