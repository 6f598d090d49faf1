//! `cargo xtask test`: every test against real servers, with an honest count at the end.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use clap::{Args, ValueEnum};

use crate::failure::{Failure, Tried};
use crate::libraries::Libraries;
use crate::servers::{self, Servers};
use crate::{headers, running, shell};

/// What to test, and against what.
#[derive(Args, Clone, Default)]
pub struct TestArguments {
    /// The long form of the fault suites; without it they run shortened, by fixed seeds
    #[arg(value_enum)]
    suite: Option<Suite>,
    /// Starts only this server (may be given several times); tests of others count as skipped
    #[arg(long, value_name = "SERVER")]
    only: Vec<String>,
    /// Starts no server at all
    #[arg(long, conflicts_with = "only")]
    no_servers: bool,
    /// Tests only this crate (may be given several times)
    #[arg(short, long, value_name = "CRATE")]
    package: Vec<String>,
    /// Goes to the test programs, such as a part of a test's name
    #[arg(last = true)]
    passed: Vec<String>,
}

/// A choice of suites.
#[derive(Clone, Copy, ValueEnum)]
enum Suite {
    /// Fault suites in their long form
    Faults,
    /// History on Apache Spark itself, which is large and so not part of the usual run
    Spark,
}

/// What the newcomer's build leaves out and tests do not: package and feature.
const FEATURES: [(&str, &str); 8] = [
    ("ieum", "kafka"),
    ("ieum", "lake"),
    ("ieum", "mongo"),
    ("ieum", "speech"),
    ("ieum-bus", "kafka"),
    ("ieum-documents", "mongo"),
    ("ieum-lake", "engines"),
    ("ieum-speech", "models"),
];

/// What the test programs counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Installs and starts the servers, runs the tests, stops the servers, prints what ran and the counts.
///
/// # Errors
/// When a test failed, the tests did not build, or an argument is wrong.
pub fn run(arguments: &TestArguments) -> Result<(), Failure> {
    let arguments = &narrowed(arguments);
    let kinds = if arguments.no_servers { Vec::new() } else { servers::chosen(&arguments.only)? };
    if features(&arguments.package).contains("kafka") {
        headers::prepare()?;
    }
    let mut servers = Servers::start(&kinds)?;
    let libraries = Libraries::prepare()?;
    servers.print();
    libraries.print();
    let notes = tempfile::NamedTempFile::new().tried("making a temporary file")?;
    let mut command = command(arguments);
    command.envs(servers.environment()).envs(libraries.environment()).env("IEUM_TEST_NOT_RUN", notes.path());
    let outcome = run_counted(&mut command);
    servers.stop();
    let (mut tally, status) = outcome?;
    let not_run = read_not_run(notes.path())?;
    tally.move_to_skipped(not_run.len());
    println!();
    for line in &not_run {
        println!("not run: {line}");
    }
    servers.print();
    libraries.print();
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    if tally.failed > 0 {
        return Err(Failure(format!("test: {} tests failed", tally.failed)));
    }
    if status.success() { Ok(()) } else { Err(Failure(format!("test: cargo test ended with {status}"))) }
}

/// Returns the arguments with what their suite means.
fn narrowed(arguments: &TestArguments) -> TestArguments {
    let arguments = arguments.clone();
    match arguments.suite {
        Some(Suite::Spark) => TestArguments {
            only: vec!["spark".to_owned()],
            package: vec!["ieum-lake".to_owned()],
            passed: vec!["spark".to_owned()],
            ..arguments
        },
        _ => arguments,
    }
}

fn command(arguments: &TestArguments) -> Command {
    let mut command = shell::cargo();
    command.args(["test", "--no-fail-fast"]);
    if arguments.package.is_empty() {
        command.arg("--workspace");
    }
    for package in &arguments.package {
        command.args(["--package", package]);
    }
    let features = features(&arguments.package);
    if !features.is_empty() {
        command.args(["--features", &features]);
    }
    if matches!(arguments.suite, Some(Suite::Faults)) {
        command.env("IEUM_TEST_FAULTS", "full");
    }
    command.args(["--", "--include-ignored"]).args(&arguments.passed);
    command
}

/// Returns the features of `packages` that a full build has, as cargo takes them; of all packages for an empty
/// list.
pub fn features(packages: &[String]) -> String {
    let is_meant = |name: &str| packages.is_empty() || packages.iter().any(|package| package == name);
    let meant = FEATURES.iter().filter(|(package, _)| is_meant(package));
    meant.map(|(package, feature)| format!("{package}/{feature}")).collect::<Vec<_>>().join(",")
}

/// Runs the tests, shows what they print, and adds up their result lines.
fn run_counted(command: &mut Command) -> Result<(Tally, ExitStatus), Failure> {
    use std::os::unix::process::CommandExt;
    let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().tried("starting cargo test")?;
    running::remember_group(child.id());
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        let mut shown = std::io::stdout();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.tried("reading what the tests print")?;
            let text = String::from_utf8_lossy(&line);
            let _ = writeln!(shown, "{text}");
            tally.add(Tally::of_line(&text).unwrap_or_default());
        }
    }
    let status = child.wait().tried("waiting for cargo test");
    running::forget_group(child.id());
    Ok((tally, status?))
}

/// Returns the tests that wrote down that they did not run, each once.
fn read_not_run(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).tried("reading the tests that did not run")?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    // A test that lacks several servers writes several lines, all with its name and process.
    let mut seen = std::collections::BTreeSet::new();
    lines.retain(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        seen.insert((fields.get(1).map(|&name| name.to_owned()), fields.get(3).map(|&id| id.to_owned())))
    });
    Ok(lines.iter().map(|line| line.split('\t').take(3).collect::<Vec<_>>().join(": ")).collect())
}

impl Tally {
    /// Reads libtest's summary line, such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
    fn of_line(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let number = |what: &str| -> Option<usize> {
            counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok())
        };
        Some(Self { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Tests without their server return early, which libtest takes for passing.
    fn move_to_skipped(&mut self, count: usize) {
        self.passed = self.passed.saturating_sub(count);
        self.skipped += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_add_up() {
        let mut tally = Tally::default();
        let lines = [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s",
            "test a::b ... ok",
            "test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.11s",
        ];
        for line in lines {
            tally.add(Tally::of_line(line).unwrap_or_default());
        }
        assert_eq!(tally, Tally { passed: 5, failed: 4, skipped: 1 });
        tally.move_to_skipped(2);
        assert_eq!(tally, Tally { passed: 3, failed: 4, skipped: 3 });
    }

    #[test]
    fn a_full_build_has_every_feature_of_what_it_builds() {
        let all = "ieum/kafka,ieum/lake,ieum/mongo,ieum/speech,ieum-bus/kafka,ieum-documents/mongo,ieum-lake/engines,ieum-speech/models";
        assert_eq!(features(&[]), all);
        assert_eq!(features(&["ieum-bus".to_owned()]), "ieum-bus/kafka");
        assert_eq!(features(&["ieum-store".to_owned()]), "");
    }

    #[test]
    fn a_test_that_lacks_two_servers_is_skipped_once() {
        let notes = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        let text = "redis\ta_test\twhy\t7\nkafka\ta_test\twhy\t7\nredis\ta_test\twhy\t8\n";
        std::fs::write(notes.path(), text).expect("the file is ours");
        assert_eq!(
            read_not_run(notes.path()).expect("it is text"),
            ["kafka: a_test: why", "redis: a_test: why"]
        );
    }
}
