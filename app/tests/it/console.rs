//! The console in a browser, on the built binary with the demonstration's data; see `console/tests`.

use std::path::Path;
use std::process::Command;

/// Runs every test of the console, each in a window of its own.
#[test]
#[ignore = "needs chromium"]
fn the_console_can_be_used_by_everybody_in_a_browser() {
    let Some(browser) = ieum_testkit::server::require("chromium") else { return };
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../console");
    let mut node = Command::new("node");
    // Two windows at once keep two cores busy; more would only wait for each other.
    node.args(["--test", "--test-concurrency=2", "--test-timeout=120000", "tests/"]).current_dir(console);
    node.env("IEUM_BINARY", env!("CARGO_BIN_EXE_ieum")).env("IEUM_TEST_CHROMIUM_URL", browser);
    let output = node.output().expect("node runs, for it built the console");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the console's tests failed; see above");
    let passed = said.lines().find_map(|line| line.strip_prefix("# pass ")?.trim().parse::<usize>().ok());
    assert!(passed.is_some_and(|count| count > 20), "most tests did not run: {passed:?}");
}
