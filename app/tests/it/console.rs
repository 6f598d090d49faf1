//! The console in a browser, on the built binary with the demonstration's data; see `console/tests`.

use std::process::Command;
use std::time::Duration;

use ieum_testkit::process::Child;

/// What all files together never take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Runs every test of the console, each in a window of its own.
#[test]
#[ignore = "needs chromium"]
fn the_console_can_be_used_by_everybody_in_a_browser() {
    let Some(browser) = ieum_testkit::server::require("chromium") else { return };
    let mut node = Command::new("node");
    // Two windows at once keep two cores busy; more would only wait for each other. The limit is for a whole file.
    node.args(["--test", "--test-concurrency=2", "--test-timeout=3000000", "tests/"])
        .current_dir("../console");
    node.env("IEUM_BINARY", env!("CARGO_BIN_EXE_ieum")).env("IEUM_TEST_CHROMIUM_URL", browser);
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    // In a group of its own: a file that is cut short leaves its demonstration behind, and that must go too.
    let mut node = Child::start("node", node, &log).expect("node runs, for it built the console");
    let ended = node.wait(PATIENCE);
    node.stop(Duration::from_secs(5));
    let said = std::fs::read_to_string(&log).expect("is text");
    println!("{said}");
    assert!(ended.is_some_and(|status| status.success()), "the console's tests failed; see above");
    let passed = said.lines().find_map(|line| line.strip_prefix("# pass ")?.trim().parse::<usize>().ok());
    assert!(passed.is_some_and(|count| count > 20), "most tests did not run: {passed:?}");
}
