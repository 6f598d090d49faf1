//! Mosquitto from Debian, as an outside broker of devices: it keeps sessions while it runs.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::{Failure, Tried};

pub const KIND: Kind = Kind {
    name: "mosquitto",
    packages: &["mosquitto"],
    programs: &["mosquitto"],
    prepare: nothing_to_prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let server = program("mosquitto")?;
    let file = folder.join("mosquitto.conf");
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n\
         max_queued_messages 0\nset_tcp_nodelay true\n"
    );
    std::fs::write(&file, settings).tried("writing the settings of Mosquitto")?;
    let mut command = Command::new(&server);
    command.arg("-c").arg(&file);
    let mut child = spawn("Mosquitto", command, folder)?;
    wait_ready(&mut child, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    let version = version_of("Mosquitto", &server, &["-h"]);
    Ok(Started { url: format!("mqtt://127.0.0.1:{port}"), version, settings: Vec::new(), child })
}
