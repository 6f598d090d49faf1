//! Runs the interoperability tests of the Eclipse paho project against the broker, each test on a port of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ieum_core::system_clock;
use ieum_testkit::server;

use crate::world::{Kept, Mode, in_every_mode, local, open_options};

/// Runs the tests of a script by name: the scripts themselves hand their arguments on to a runner that knows none.
const RUN: &str = r#"
import runpy, sys, unittest
port, script, name = sys.argv[1:4]
sys.path.insert(0, ".")
program = unittest.main
unittest.main = lambda *given, **named: program(*given, argv=[script, name], **named)
sys.argv = [script, "-p", port]
runpy.run_path(script, run_name="__main__")
"#;

/// How many run at once: they mostly sleep.
const AT_ONCE: usize = 10;

/// Returns the names of the tests in `script`.
fn names(script: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(script).expect("reads the script");
    let found = text.lines().filter_map(|line| line.trim().strip_prefix("def test"));
    found.filter_map(|rest| rest.split_once('(')).map(|(name, _)| format!("Test.test{name}")).collect()
}

async fn run(mode: Mode, folder: PathBuf, script: &'static str, name: String) -> Result<(), String> {
    let Kept { broker, .. } = &mode.open(open_options(), system_clock()).await;
    let address = broker.listen(local(), None).await.expect("listens");
    let ran = tokio::task::spawn_blocking(move || {
        let mut python = Command::new("python3");
        python.args(["-c", RUN, &address.port().to_string(), script, &name]).current_dir(folder);
        let output = python.output().expect("runs python3");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{script} {name}: {said}")) }
    });
    let outcome = ran.await.expect("ends");
    broker.close().await;
    outcome
}

async fn the_interoperability_tests_of_eclipse_paho_all_pass(mode: Mode) {
    let Some(folder) = server::paho_suite() else {
        server::not_run(
            "paho suite",
            "IEUM_TEST_PAHO_SUITE names no folder with client_test.py and client_test5.py",
        );
        return;
    };
    let mut waiting = Vec::new();
    for script in ["client_test.py", "client_test5.py"] {
        waiting.extend(names(&folder.join(script)).into_iter().map(|name| (script, name)));
    }
    let count = waiting.len();
    let waiting = Arc::new(Mutex::new(waiting));
    let workers = (0..AT_ONCE).map(|_| {
        let (waiting, folder) = (Arc::clone(&waiting), folder.clone());
        tokio::spawn(async move {
            let mut failed = Vec::new();
            loop {
                let next = waiting.lock().expect("nobody panics").pop();
                let Some((script, name)) = next else { return failed };
                failed.extend(run(mode, folder.clone(), script, name).await.err());
            }
        })
    });
    let failed: Vec<String> = futures::future::join_all(workers)
        .await
        .into_iter()
        .flat_map(|failed| failed.expect("ends"))
        .collect();
    assert!(failed.is_empty(), "{} of {count} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(count, 37, "ten for 3.1.1 and twenty-seven for 5");
}

in_every_mode!(the_interoperability_tests_of_eclipse_paho_all_pass);
