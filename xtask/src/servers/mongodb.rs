//! MongoDB's protocol as `mongo-java-server` (<https://github.com/bwaldvogel/mongo-java-server>) speaks it. MongoDB itself
//! is in no package registry; FerretDB 1, which is, knows no `$slice`.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, maven, probe, program, spawn, wait_ready};
use crate::failure::{Failure, Tried};

const RELEASE: &str = "1.47.0";

pub const KIND: Kind = Kind {
    name: "mongodb",
    packages: &["default-jdk-headless", "maven"],
    programs: &["java", "javac", "mvn"],
    prepare,
    start,
};

/// What starts it: its own program listens at one port only.
const LAUNCHER: &str = include_str!("mongodb/Launcher.java");

fn prepare() -> Result<(), Failure> {
    maven::fetch(KIND.name, RELEASE, &[("de.bwaldvogel", "mongo-java-server", RELEASE)])
}

fn start(scratch: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let launcher = scratch.join("Launcher.java");
    std::fs::write(&launcher, LAUNCHER).tried(format_args!("writing {}", launcher.display()))?;
    let mut command = Command::new(program("java")?);
    // One thread runs every command: it looks for a document and changes it in two steps, which MongoDB does in one.
    command.args(["-Xmx256m", "-Dio.netty.eventLoopThreads=1", "-cp"]);
    command.arg(format!("{}/*", maven::folder(KIND.name, RELEASE)?.display()));
    command.arg(&launcher).arg(port.to_string()).current_dir(scratch);
    let mut child = spawn("mongo-java-server", command, scratch)?;
    wait_ready(&mut child, || probe::is_open(port))?;
    let version = format!("mongo-java-server {RELEASE}");
    Ok(Started { url: format!("mongodb://127.0.0.1:{port}/ieum"), version, settings: Vec::new(), child })
}
