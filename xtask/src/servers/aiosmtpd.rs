//! A mail server in Python (<https://aiosmtpd.aio-libs.org>) that puts what it takes into a Maildir.

use std::path::Path;
use std::process::Command;

use super::receivers::{self, python};
use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "aiosmtpd",
    packages: &["python3", "python3-venv"],
    programs: &["python3"],
    prepare: receivers::prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let mailbox = folder.join("mail");
    let mut command = Command::new(python()?);
    command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")]);
    command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mailbox).current_dir(folder);
    let mut child = spawn("aiosmtpd", command, folder)?;
    wait_ready(&mut child, || probe::say(port, b"").starts_with("220 "))?;
    Ok(Started {
        url: format!("smtp://127.0.0.1:{port}"),
        version: receivers::AIOSMTPD.replace("==", " "),
        settings: vec![("IEUM_TEST_AIOSMTPD_MAILBOX", mailbox.display().to_string())],
        child,
    })
}
