//! Chromium from Debian, without a window, for tests of the console; they steer it by the DevTools protocol.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, probe, program, spawn, version_of, wait_ready};
use crate::demo;
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "chromium",
    // The font is for the Korean that pages show.
    packages: &["chromium", "fonts-nanum"],
    programs: &["chromium"],
    prepare: demo::build_console,
    start,
};

/// What keeps it quiet: no window, no profile but ours, no talk with its maker.
const QUIET: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A microphone that beeps, and nobody who would have to allow it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let browser = program("chromium")?;
    let mut command = Command::new(&browser);
    command.args(QUIET).arg(format!("--remote-debugging-port={port}"));
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    let mut child = spawn("Chromium", command, folder)?;
    let ask = b"GET /json/version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    wait_ready(&mut child, || probe::say(port, ask).starts_with("HTTP/1.1 200"))?;
    let version = version_of("Chromium", &browser, &["--version"]);
    Ok(Started { url: format!("http://127.0.0.1:{port}"), version, settings: Vec::new(), child })
}
