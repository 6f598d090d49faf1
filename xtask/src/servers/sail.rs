//! Sail (<https://docs.lakesail.com>), which speaks Spark Connect without a Java machine, from PyPI.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::Failure;
use crate::{libraries, shell};

pub const KIND: Kind =
    Kind { name: "sail", packages: &["python3", "python3-venv"], programs: &["python3"], prepare, start };

const PACKAGE: &str = "pysail==0.7.2";
const ENVIRONMENT: &str = "py-sail";

/// Installs it into an environment of its own, once.
fn prepare() -> Result<(), Failure> {
    libraries::python_in(ENVIRONMENT, &[PACKAGE]).map(drop)
}

fn start(scratch: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let mut command = Command::new(shell::cache_folder()?.join(ENVIRONMENT).join("bin").join("sail"));
    command.args(["spark", "server", "--ip", "127.0.0.1", "--port", &port.to_string()]).current_dir(scratch);
    let mut child = spawn("Sail", command, scratch)?;
    wait_ready(&mut child, || probe::is_open(port))?;
    let url = format!("sc://127.0.0.1:{port}");
    Ok(Started { url, version: PACKAGE.replace("==", " "), settings: Vec::new(), child })
}
