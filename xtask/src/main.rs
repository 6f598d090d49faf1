//! The project's own chores: `cargo xtask test`, `arch`, `ci`, `demo`, `bench`, `models`, `servers`.
#![allow(clippy::print_stdout, reason = "a command line tool talks on standard output")]

mod arch;
mod bench;
mod ci;
mod demo;
mod failure;
mod headers;
mod libraries;
mod models;
mod running;
mod servers;
mod shell;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Chores of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Chores of the project")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every test against real servers, which it installs, starts and stops
    Test(test::TestArguments),
    /// Checks that no crate knows what arch.toml does not let it know
    Arch,
    /// Runs what the build server runs: fmt, clippy, arch, test, doc
    Ci,
    /// Builds the page that the binary embeds (needs Node)
    Console,
    /// Builds the console and runs `ieum demo`
    Demo(demo::DemoArguments),
    /// Runs the side-by-side measurements, optimised
    Bench(bench::BenchArguments),
    /// Fetches the models by which speech is understood
    Models(models::ModelsArguments),
    /// Installs or tries the servers that tests run against
    #[command(subcommand)]
    Servers(servers::ServersChore),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    running::stop_on_signals();
    let outcome = match arguments.chore {
        Chore::Test(arguments) => test::run(&arguments),
        Chore::Arch => arch::run(),
        Chore::Ci => ci::run(),
        Chore::Console => demo::build_console(),
        Chore::Demo(arguments) => demo::run(&arguments),
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Models(arguments) => models::run(&arguments),
        Chore::Servers(chore) => servers::run(&chore),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(sentence)) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
