//! Finds the real servers that `cargo xtask test` started, and records the tests that had none.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Names of the servers that `cargo xtask test` knows, as [`url()`] takes them.
pub const KNOWN: [&str; 16] = [
    "postgres",
    "mysql",
    "redis",
    "kafka",
    "mongodb",
    "influxdb",
    "victoriametrics",
    "pretix",
    "pretalx",
    "nats",
    "aiosmtpd",
    "moto",
    "mosquitto",
    "chromium",
    "sail",
    "spark",
];

/// The environment variable that names the file which collects tests that did not run.
pub const NOT_RUN_FILE: &str = "IEUM_TEST_NOT_RUN";

/// Returns where the server `name` listens, from `IEUM_TEST_<NAME>_URL`, or `None` where none was started.
///
/// # Panics
/// On a name that is not in [`KNOWN`], since such a test would never run.
pub fn url(name: &str) -> Option<String> {
    assert!(KNOWN.contains(&name), "no test server is called {name:?}; the names are {}", KNOWN.join(", "));
    setting(&format!("IEUM_TEST_{}_URL", name.to_uppercase()))
}

/// Returns where the server `name` listens; without one, records that the calling test did not run.
///
/// A test that gets `None` returns at once: `cargo xtask test` counts it as skipped, not as passed.
pub fn require(name: &str) -> Option<String> {
    let found = url(name);
    if found.is_none() {
        not_run(name, "no server was started");
    }
    found
}

/// Records that the calling test did not run, because `what` was missing for the reason `why`.
pub fn not_run(what: &str, why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Straight to standard error: libtest captures it and shows it for a test that fails.
    let _ = writeln!(std::io::stderr(), "not run: {what} ({why})");
    let Some(path) = setting(NOT_RUN_FILE) else { return };
    // The process tells tests of equal names in different programs apart.
    let line = format!("{what}\t{test}\t{why}\t{}\n", std::process::id());
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        panic!("recording a test that did not run in {path:?}: {error}");
    }
}

/// Returns the file that describes what the test pretix holds (the JSON that `pretix/seed.py` prints).
pub fn pretix_seed() -> Option<PathBuf> {
    setting("IEUM_TEST_PRETIX_SEED").map(PathBuf::from)
}

/// Returns the file that describes what the test pretalx holds (the JSON that `pretalx/seed.py` prints).
pub fn pretalx_seed() -> Option<PathBuf> {
    setting("IEUM_TEST_PRETALX_SEED").map(PathBuf::from)
}

/// Returns the program that serves a pretix, for tests that start one of their own.
pub fn pretix_gunicorn() -> Option<PathBuf> {
    setting("IEUM_TEST_PRETIX_GUNICORN").map(PathBuf::from)
}

/// Returns the folder with the unpacked Python package `face2face`, whose rows describe real people.
pub fn people_data() -> Option<PathBuf> {
    setting("IEUM_TEST_FACE2FACE").map(PathBuf::from)
}

/// Returns the program `schemathesis`, which asks every operation of an OpenAPI document in many ways.
pub fn schemathesis() -> Option<PathBuf> {
    setting("IEUM_TEST_SCHEMATHESIS").map(PathBuf::from)
}

/// Returns a Python that has `paho-mqtt`.
pub fn python_mqtt() -> Option<PathBuf> {
    setting("IEUM_TEST_PYTHON_MQTT").map(PathBuf::from)
}

/// Returns the folder in which Node finds the package `mqtt`.
pub fn node_mqtt() -> Option<PathBuf> {
    setting("IEUM_TEST_NODE_MQTT").map(PathBuf::from)
}

/// Returns a Python that has `wyoming`.
pub fn python_wyoming() -> Option<PathBuf> {
    setting("IEUM_TEST_PYTHON_WYOMING").map(PathBuf::from)
}

/// Returns a Python that has `wyoming-satellite`.
pub fn python_satellite() -> Option<PathBuf> {
    setting("IEUM_TEST_SATELLITE").map(PathBuf::from)
}

/// Returns a Python that has `rhasspy-hermes`.
pub fn python_hermes() -> Option<PathBuf> {
    setting("IEUM_TEST_PYTHON_HERMES").map(PathBuf::from)
}

/// Returns the program `espeak-ng`.
pub fn espeak() -> Option<PathBuf> {
    setting("IEUM_TEST_ESPEAK").map(PathBuf::from)
}

/// Returns the folder with one folder per speech model, as `cargo xtask models` lays them out.
pub fn speech_models() -> Option<PathBuf> {
    setting("IEUM_TEST_MODELS").map(PathBuf::from)
}

/// Returns a Python that has `google-cloud-dialogflow`.
pub fn python_dialogflow() -> Option<PathBuf> {
    setting("IEUM_TEST_PYTHON_DIALOGFLOW").map(PathBuf::from)
}

/// Returns the folder in which Node finds the package `@google-cloud/dialogflow`.
pub fn node_dialogflow() -> Option<PathBuf> {
    setting("IEUM_TEST_NODE_DIALOGFLOW").map(PathBuf::from)
}

/// Returns the folder with the interoperability tests of the Eclipse paho project, where somebody fetched it.
pub fn paho_suite() -> Option<PathBuf> {
    setting("IEUM_TEST_PAHO_SUITE").map(PathBuf::from)
}

/// Returns the folder (a Maildir) into which the test mail server puts what it takes.
pub fn mailbox() -> Option<PathBuf> {
    setting("IEUM_TEST_AIOSMTPD_MAILBOX").map(PathBuf::from)
}

/// Tells whether fault suites shall run in their long form (`cargo xtask test faults`).
pub fn long_faults() -> bool {
    setting("IEUM_TEST_FAULTS").as_deref() == Some("full")
}

#[allow(clippy::disallowed_methods, reason = "the test runner hands addresses over in the environment")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no test server is called \"mongo\"")]
    fn a_server_nobody_starts_is_a_mistake() {
        url("mongo");
    }
}
