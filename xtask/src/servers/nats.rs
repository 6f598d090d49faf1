//! NATS with JetStream: from Debian for tests, and a newer one that syncs every message for measurements.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::{Failure, Tried};
use crate::shell;

pub const KIND: Kind = Kind {
    name: "nats",
    packages: &["nats-server"],
    programs: &["nats-server"],
    prepare: nothing_to_prepare,
    start,
};

/// JetStream that acknowledges after a sync of each message, which Debian's release cannot: `sync_interval`
/// came with 2.10.
pub const SYNCED: Kind =
    Kind { name: "nats_synced", packages: &[], programs: &[], prepare: prepare_synced, start: start_synced };

/// The release that is built for measurements, by its own module.
const RELEASE: &str = "2.15.2";
const MODULE: &str = "github.com/nats-io/nats-server/v2";

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let server = program("nats-server")?;
    let mut command = Command::new(&server);
    command
        .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--jetstream", "--store_dir"])
        .arg(folder);
    started(port, &server, command, folder)
}

fn start_synced(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let settings = folder.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{\n  store_dir: \"{}\"\n  sync_interval: always\n}}\n",
        folder.display()
    );
    std::fs::write(&settings, text).tried("writing the settings of NATS")?;
    let server = synced()?;
    let mut command = Command::new(&server);
    command.arg("--config").arg(&settings);
    started(port, &server, command, folder)
}

fn started(port: u16, server: &Path, command: Command, folder: &Path) -> Result<Started, Failure> {
    let mut child = spawn("NATS", command, folder)?;
    wait_ready(&mut child, || probe::say(port, b"").starts_with("INFO "))?;
    let version = version_of("NATS", server, &["--version"]);
    Ok(Started { url: format!("nats://127.0.0.1:{port}"), version, settings: Vec::new(), child })
}

fn synced() -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join("nats").join(RELEASE).join("nats-server"))
}

/// Builds the newer release into the cache folder, once.
fn prepare_synced() -> Result<(), Failure> {
    let server = synced()?;
    if server.is_file() {
        return Ok(());
    }
    let go = shell::find("go").ok_or_else(|| {
        let need = "NATS that syncs every message is built from its Go module";
        Failure(format!("looking for go: it is not installed; {need}, which needs Go 1.26 or later"))
    })?;
    println!("building NATS {RELEASE}, once");
    let mut command = Command::new(go);
    command.args(["install", &format!("{MODULE}@v{RELEASE}")]).env("GOTOOLCHAIN", "local");
    command.env("GOBIN", server.parent().unwrap_or(&server)).current_dir(shell::cache_folder()?);
    shell::read("go install", &mut command).map(drop)
}
