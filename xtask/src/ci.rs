//! `cargo xtask ci`: every check in the order of the build server, with the seconds each took.

use std::process::Command;
use std::time::Duration;

use ieum_core::{Clock, SystemClock};

use crate::failure::Failure;
use crate::{arch, headers, shell, test};

type Step = (&'static str, fn() -> Result<(), Failure>);

const STEPS: [Step; 6] = [
    ("headers", headers::prepare),
    ("fmt", fmt),
    ("clippy", clippy),
    ("arch", arch::run),
    ("test", tests),
    ("doc", doc),
];

/// Runs every step, goes on after a failed one, and names those that failed.
///
/// # Errors
/// When any step failed.
pub fn run() -> Result<(), Failure> {
    let mut took: Vec<(&str, Duration, bool)> = Vec::new();
    for (name, step) in STEPS {
        println!("== {name}");
        let began = SystemClock.moment();
        let outcome = step();
        let elapsed = SystemClock.moment().since(began);
        if let Err(failure) = &outcome {
            println!("{failure}");
        }
        println!("== {name} {} in {} s", verdict(outcome.is_ok()), elapsed.as_secs());
        took.push((name, elapsed, outcome.is_ok()));
    }
    println!();
    for (name, elapsed, passed) in &took {
        println!("{name:8} {:6} {:5} s", verdict(*passed), elapsed.as_secs());
    }
    let failed: Vec<&str> = took.iter().filter(|(_, _, passed)| !passed).map(|(name, _, _)| *name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure(format!("ci: failed in {}", failed.join(", ")))) }
}

fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "failed" }
}

fn fmt() -> Result<(), Failure> {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy() -> Result<(), Failure> {
    let features = test::features(&[]);
    cargo(&["clippy", "--workspace", "--all-targets", "--features", &features, "--", "-D", "warnings"])
}

fn tests() -> Result<(), Failure> {
    test::run(&test::TestArguments::default())
}

fn doc() -> Result<(), Failure> {
    let mut command = shell::cargo();
    let features = test::features(&[]);
    command
        .args(["doc", "--no-deps", "--workspace", "--features", &features])
        .env("RUSTDOCFLAGS", "-D warnings");
    run_shown("cargo doc", &mut command)
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    let mut command = shell::cargo();
    command.args(arguments);
    run_shown(&format!("cargo {}", arguments.join(" ")), &mut command)
}

fn run_shown(what: &str, command: &mut Command) -> Result<(), Failure> {
    println!("{what}");
    shell::run(what, command)
}
