//! VictoriaMetrics from Debian, which takes InfluxDB's line protocol.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, nothing_to_prepare, probe, program, spawn, version_of_package, wait_ready};
use crate::failure::Failure;

pub const KIND: Kind = Kind {
    name: "victoriametrics",
    packages: &["victoria-metrics"],
    programs: &["victoria-metrics"],
    prepare: nothing_to_prepare,
    start,
};

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let server = program("victoria-metrics")?;
    let mut command = Command::new(&server);
    command.arg(format!("-httpListenAddr=127.0.0.1:{port}"));
    command.arg(format!("-storageDataPath={}", folder.join("data").display()));
    // By default the newest 30 seconds are hidden and points older than a month are refused.
    command.args(["-search.latencyOffset=0s", "-retentionPeriod=10y"]);
    let mut child = spawn("VictoriaMetrics", command, folder)?;
    wait_ready(&mut child, || probe::http_status(port, "GET", "/health") == Some(200))?;
    let version = version_of_package("VictoriaMetrics", "victoria-metrics");
    Ok(Started { url: format!("influxdb://127.0.0.1:{port}/ieum"), version, settings: Vec::new(), child })
}
