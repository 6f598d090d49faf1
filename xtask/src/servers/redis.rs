//! Redis from Debian, without persistence.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "redis",
    packages: &["redis-server"],
    programs: &["redis-server"],
    prepare: nothing_to_prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let server = program("redis-server")?;
    let mut command = Command::new(&server);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
    ]);
    command.arg(folder);
    let mut child = spawn("Redis", command, folder)?;
    wait_ready(&mut child, || probe::say(port, b"PING\r\n") == "+PONG\r\n")?;
    let version = version_of("Redis", &server, &["--version"]);
    Ok(Started { url: format!("redis://127.0.0.1:{port}"), version, settings: Vec::new(), child })
}
