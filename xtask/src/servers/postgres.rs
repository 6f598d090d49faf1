//! PostgreSQL from Debian, in a cluster of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, spawn, version_of, wait_ready};
use crate::failure::{Failure, Tried};
use crate::shell;

pub const KIND: Kind = Kind {
    name: "postgres",
    packages: &["postgresql"],
    programs: &["initdb", "postgres", "pg_isready", "createdb"],
    prepare: nothing_to_prepare,
    start,
};

/// Returns the folder of PostgreSQL's programs, the newest version first.
///
/// # Errors
/// When there is none.
pub fn programs() -> Result<PathBuf, Failure> {
    let versions =
        std::fs::read_dir("/usr/lib/postgresql").tried("looking for PostgreSQL in /usr/lib/postgresql")?;
    let mut folders: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    folders.retain(|folder| folder.join("postgres").is_file());
    let number = |folder: &PathBuf| -> u32 {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse().ok()).unwrap_or(0)
    };
    let newest = folders.into_iter().max_by_key(number);
    newest.ok_or_else(|| {
        Failure("looking for PostgreSQL in /usr/lib/postgresql: it holds no version".to_owned())
    })
}

fn start(folder: &Path) -> Result<Started, Failure> {
    let programs = programs()?;
    let [port] = probe::free_ports()?;
    let data = folder.join("data");
    let mut make = as_server(&programs.join("initdb"));
    make.args([
        "--username=ieum",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "--pgdata",
    ]);
    shell::read("initdb", make.arg(&data))?;
    let mut command = as_server(&programs.join("postgres"));
    command.arg("-D").arg(&data).arg("-k").arg(folder).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-c", "max_connections=300"]);
    let mut child = spawn("PostgreSQL", command, folder)?;
    let at = ["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "ieum"];
    let is_ready = programs.join("pg_isready");
    wait_ready(&mut child, || shell::read("pg_isready", Command::new(&is_ready).args(at)).is_ok())?;
    shell::read("createdb", Command::new(programs.join("createdb")).args(at).arg("ieum"))?;
    Ok(Started {
        url: format!("postgres://ieum@127.0.0.1:{port}/ieum"),
        version: version_of("PostgreSQL", &programs.join("postgres"), &["--version"]),
        settings: Vec::new(),
        child,
    })
}

/// PostgreSQL refuses to run as root: there it runs as the user its package made.
fn as_server(program: &Path) -> Command {
    if !shell::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    // The folder of the workspace may be closed to that user.
    command.current_dir("/");
    command
}
