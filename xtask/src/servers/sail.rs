//! Sail (<https://docs.lakesail.com>), which speaks Spark Connect without a Java machine, from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::Failure;
use crate::shell;

pub const KIND: Kind =
    Kind { name: "sail", packages: &["python3", "python3-venv"], programs: &["python3"], prepare, start };

const PACKAGE: &str = "pysail==0.7.2";

fn folder() -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join("sail"))
}

/// Installs it, once.
fn prepare() -> Result<(), Failure> {
    install(&folder()?, PACKAGE)
}

/// Installs a Python package into an environment of its own, once.
pub fn install(folder: &Path, package: &str) -> Result<(), Failure> {
    let python = folder.join("bin").join("python");
    if !python.is_file() {
        let base = shell::find("python3")
            .ok_or_else(|| Failure("looking for python3: it is not installed".to_owned()))?;
        shell::read("python3 -m venv", Command::new(base).args(["-m", "venv"]).arg(folder))?;
    }
    let pip = |arguments: &[&str]| {
        let mut command = Command::new(&python);
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(arguments);
        shell::read("pip install", command.arg(package))
    };
    // Without an index pip can only agree with what is there, which takes no network.
    if pip(&["--no-index", "--no-deps"]).is_err() {
        println!("installing {package}");
        pip(&[])?;
    }
    Ok(())
}

fn start(scratch: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let mut command = Command::new(folder()?.join("bin").join("sail"));
    command.args(["spark", "server", "--ip", "127.0.0.1", "--port", &port.to_string()]).current_dir(scratch);
    let mut child = spawn("Sail", command, scratch)?;
    wait_ready(&mut child, || probe::is_open(port))?;
    let url = format!("sc://127.0.0.1:{port}");
    Ok(Started { url, version: PACKAGE.replace("==", " "), settings: Vec::new(), child })
}
