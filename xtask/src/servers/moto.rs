//! Amazon's services as moto answers for them (<https://docs.getmoto.org>), of which tests ask SNS.

use std::path::Path;
use std::process::Command;

use super::receivers::{self, python};
use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "moto",
    packages: &["python3", "python3-venv"],
    programs: &["python3"],
    prepare: receivers::prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let mut command = Command::new(python()?);
    command.args(["-m", "moto.server", "--host", "127.0.0.1", "--port", &port.to_string()]);
    command.current_dir(folder);
    let mut child = spawn("moto", command, folder)?;
    wait_ready(&mut child, || probe::http_status(port, "GET", "/moto-api/data.json") == Some(200))?;
    Ok(Started {
        url: format!("http://127.0.0.1:{port}"),
        version: receivers::MOTO.replace("[server]==", " "),
        settings: Vec::new(),
        child,
    })
}
