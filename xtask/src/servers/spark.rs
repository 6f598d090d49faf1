//! Apache Spark itself with its Connect server, from PyPI. Half a gigabyte, so only where it is asked for by name.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, probe, spawn, wait_ready};
use crate::failure::{Failure, Tried};
use crate::{libraries, shell};

pub const KIND: Kind = Kind {
    name: "spark",
    packages: &["python3", "python3-venv", "default-jre-headless", "procps"],
    programs: &["python3", "java"],
    prepare,
    start,
};

const PACKAGE: &str = "pyspark==4.3.0";
const ENVIRONMENT: &str = "py-spark";

/// Installs it into an environment of its own, once.
fn prepare() -> Result<(), Failure> {
    libraries::python_in(ENVIRONMENT, &[PACKAGE]).map(drop)
}

fn start(scratch: &Path) -> Result<Started, Failure> {
    let [port] = probe::free_ports()?;
    let home = home()?;
    let mut command = Command::new(home.join("bin").join("spark-submit"));
    command.env("SPARK_HOME", &home).env("SPARK_LOCAL_IP", "127.0.0.1").current_dir(scratch);
    command.args(["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]);
    for setting in [
        "spark.connect.grpc.binding.address=127.0.0.1",
        &format!("spark.connect.grpc.binding.port={port}"),
        "spark.ui.enabled=false",
        "spark.master=local[2]",
        "spark.sql.shuffle.partitions=2",
    ] {
        command.args(["--conf", setting]);
    }
    command.arg("spark-internal");
    let mut child = spawn("Spark", command, scratch)?;
    wait_ready(&mut child, || probe::is_open(port))?;
    let url = format!("sc://127.0.0.1:{port}");
    Ok(Started { url, version: PACKAGE.replace("==", " "), settings: Vec::new(), child })
}

/// Returns where the package's own Spark lies; the folder's name holds Python's version.
fn home() -> Result<PathBuf, Failure> {
    let libraries = shell::cache_folder()?.join(ENVIRONMENT).join("lib");
    let tried = || format!("listing {}", libraries.display());
    for entry in std::fs::read_dir(&libraries).tried(tried())? {
        let home = entry.tried(tried())?.path().join("site-packages").join("pyspark");
        if home.is_dir() {
            return Ok(home);
        }
    }
    Err(Failure(format!("looking for pyspark below {}: it is not there", libraries.display())))
}
