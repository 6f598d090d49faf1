//! NATS from Debian, with JetStream.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "nats",
    packages: &["nats-server"],
    programs: &["nats-server"],
    prepare: nothing_to_prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let server = program("nats-server")?;
    let mut command = Command::new(&server);
    command
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"])
        .arg(folder);
    let mut child = spawn("NATS", command, folder)?;
    wait_ready(&mut child, || probe::say(port, b"").starts_with("INFO "))?;
    let version = version_of("NATS", &server, &["--version"]);
    Ok(Started { url: format!("nats://127.0.0.1:{port}"), version, settings: Vec::new(), child })
}
