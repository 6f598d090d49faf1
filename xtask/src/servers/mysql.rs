//! MariaDB from Debian, in a folder of its own; speaks the MySQL protocol.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::{Failure, Tried};
use crate::shell;

pub const KIND: Kind = Kind {
    name: "mysql",
    packages: &["mariadb-server"],
    programs: &["mariadbd", "mariadb-install-db", "mariadb"],
    prepare: nothing_to_prepare,
    start,
};

const FIRST_STATEMENTS: &str = "CREATE DATABASE IF NOT EXISTS ieum CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'ieum'@'127.0.0.1' IDENTIFIED BY 'ieum';
CREATE USER IF NOT EXISTS 'ieum'@'localhost' IDENTIFIED BY 'ieum';
GRANT ALL ON *.* TO 'ieum'@'127.0.0.1';
GRANT ALL ON *.* TO 'ieum'@'localhost';
";

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let data = folder.join("data");
    let data_flag = format!("--datadir={}", data.display());
    let owner = if shell::is_root() { "--user=root" } else { "--skip-name-resolve" };
    let mut make = Command::new(program("mariadb-install-db")?);
    make.args([
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        owner,
        &data_flag,
    ]);
    shell::read("mariadb-install-db", &mut make)?;
    let first = folder.join("first.sql");
    std::fs::write(&first, FIRST_STATEMENTS).tried("writing the first statements for MariaDB")?;
    let mut command = Command::new(program("mariadbd")?);
    command.args(["--no-defaults", owner, &data_flag, "--bind-address=127.0.0.1", "--skip-name-resolve"]);
    command.arg(format!("--port={port}")).arg(format!("--init-file={}", first.display()));
    command.arg(format!("--socket={}", folder.join("socket").display()));
    command.arg(format!("--pid-file={}", folder.join("pid").display())).arg("--max-connections=300");
    let mut child = spawn("MariaDB", command, folder)?;
    let client = program("mariadb")?;
    let port_text = port.to_string();
    let ask =
        ["--no-defaults", "-h127.0.0.1", "-P", &port_text, "-uieum", "-pieum", "ieum", "-e", "SELECT 1"];
    wait_ready(&mut child, || shell::read("mariadb", Command::new(&client).args(ask)).is_ok())?;
    Ok(Started {
        url: format!("mysql://ieum:ieum@127.0.0.1:{port}/ieum"),
        version: version_of("MariaDB", &program("mariadbd")?, &["--version"]),
        settings: Vec::new(),
        child,
    })
}
