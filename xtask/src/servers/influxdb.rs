//! InfluxDB 1 from Debian, in a folder of its own, with one database.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of, wait_ready};
use crate::failure::{Failure, Tried};

pub const KIND: Kind = Kind {
    name: "influxdb",
    packages: &["influxdb"],
    programs: &["influxd"],
    prepare: nothing_to_prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port, backup_port] = probe::free_ports()?;
    let at = folder.display();
    let config = format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup_port}\"\n\
         [meta]\ndir = \"{at}/meta\"\n\
         [data]\ndir = \"{at}/data\"\nwal-dir = \"{at}/wal\"\n\
         [monitor]\nstore-enabled = false\n\
         [http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n"
    );
    let file = folder.join("influxdb.conf");
    std::fs::write(&file, config).tried("writing the settings of InfluxDB")?;
    let server = program("influxd")?;
    let mut command = Command::new(&server);
    command.arg("-config").arg(&file);
    let mut child = spawn("InfluxDB", command, folder)?;
    wait_ready(&mut child, || probe::http_status(port, "GET", "/ping") == Some(204))?;
    let created = probe::http_status(port, "POST", "/query?q=CREATE%20DATABASE%20ieum");
    if created != Some(200) {
        return Err(Failure(format!("creating a database in InfluxDB: it answered {created:?}")));
    }
    let version = version_of("InfluxDB", &server, &["version"]);
    Ok(Started { url: format!("influxdb://127.0.0.1:{port}/ieum"), version, settings: Vec::new(), child })
}
