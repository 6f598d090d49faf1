//! `cargo xtask bench`: the side-by-side measurements, optimised.

use clap::Args;

use crate::failure::Failure;
use crate::shell;

/// What to measure.
#[derive(Args)]
pub struct BenchArguments {
    /// Name of one measurement and its options; without one all run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    names: Vec<String>,
}

/// Becomes the measuring program.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.args(["run", "--release", "--package", "ieum-benches", "--"]).args(&arguments.names);
    Err(shell::become_program("cargo run", &mut command))
}
