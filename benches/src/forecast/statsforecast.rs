//! statsforecast (github.com/Nixtla/statsforecast) as the peer: the same file, in a process of its own.

use std::path::Path;
use std::process::Command;

use ieum_core::Fault;

use super::failed;

/// What the peer made.
pub struct Peer {
    /// Its version.
    pub version: String,
    /// How long it took, without loading and compiling.
    pub seconds: f64,
    /// The continued series in the file's order.
    pub values: Vec<Vec<f64>>,
}

const SCRIPT: &str = include_str!("peer.py");

/// Lets the peer continue every series of `train`; says why it is not there.
pub fn run(train: &Path, horizon: usize) -> Result<Result<Peer, String>, Fault> {
    let Some(python) = std::env::var_os("IEUM_BENCH_STATSFORECAST") else {
        return Ok(Err(
            "no Python with statsforecast was found; `cargo xtask bench events` installs one".into()
        ));
    };
    let mut command = Command::new(python);
    command.arg("-c").arg(SCRIPT).arg(train).arg(horizon.to_string());
    let output = command.output().map_err(|error| failed("starting statsforecast", &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().take(5).collect::<Vec<_>>();
        return Err(failed("running statsforecast", &last.into_iter().rev().collect::<Vec<_>>().join(" / ")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    let version = lines.next().unwrap_or_default().to_owned();
    let seconds = lines.next().and_then(|line| line.parse().ok());
    let seconds = seconds.ok_or_else(|| failed("reading statsforecast", &"it told no time"))?;
    let values = lines.map(|line| line.split(',').skip(1).filter_map(|cell| cell.parse().ok()).collect());
    Ok(Ok(Peer { version, seconds, values: values.collect() }))
}
