//! The binary as people run it: as one process, as two, and asked wrongly.

mod agent;
mod checks;
mod conformance;
mod console;
mod contexts;
mod device;
mod documents;
mod fallback;
mod hermes;
mod homes;
mod insights;
mod instances;
mod isolation;
mod links;
mod ml;
mod operator;
mod origins;
mod outside;
mod own_voice;
mod plugins;
mod reaching;
mod satellites;
mod speaking;
mod storm;
mod streams;
mod tls;
mod tokens;
mod voice;
mod webhooks;
mod words;
mod wyoming;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ieum_core::system_clock;
use ieum_events::simulator::{SimulatedEvent, Simulator};
use ieum_testkit::wait;

/// A running `ieum`, ended with the test.
struct Running {
    child: Child,
    address: String,
    /// Where devices are listened to, empty where that part does not run.
    mqtt: String,
    /// Where Wyoming is spoken, empty where no setting asks for it.
    wyoming: String,
}

fn ieum(data: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = ieum_in(data, settings);
    command.arg("--data").arg(data);
    command
}

/// The same without a data folder named.
fn ieum_in(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ieum"));
    // The working folder has no settings file of its own.
    command.current_dir(folder);
    command.env("IEUM__SERVER__LISTEN", "127.0.0.1:0").env("IEUM__TELEMETRY__LOG", "warn");
    command.env("IEUM__OUTBOUND__ALLOW", "[\"127.0.0.0/8\"]");
    command.env("IEUM__DEVICE__LISTEN", "127.0.0.1:0");
    command.envs(settings.iter().copied());
    command
}

fn up(data: &Path, parts: &[&str], settings: &[(&str, &str)]) -> Running {
    let mut command = ieum(data, settings);
    command.args(["--json", "up"]).args(parts);
    begun(command)
}

/// Starts what runs until it is stopped, and waits until it is ready.
fn begun(command: Command) -> Running {
    begun_telling(command).0
}

/// The same, with what it tells once it is ready.
fn begun_telling(mut command: Command) -> (Running, serde_json::Value) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut text = String::new();
    let mut lines = BufReader::new(child.stdout.take().expect("is piped"));
    while !text.contains('}') {
        assert!(lines.read_line(&mut text).expect("is read") > 0, "it ended before it was ready: {text}");
    }
    let ready: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    let address = ready["address"].as_str().expect("tells its address").to_owned();
    let mqtt = ready["mqtt"].as_str().unwrap_or_default().to_owned();
    let wyoming = ready["wyoming"].as_str().unwrap_or_default().to_owned();
    (Running { child, address, mqtt, wyoming }, ready)
}

impl Running {
    fn ask(&self, data: &Path, words: &[&str]) -> serde_json::Value {
        Self::answer(ieum(data, &[("IEUM__SERVER__LISTEN", self.address.as_str())]), words)
    }

    /// Asks it wherever it keeps its data, as a demonstration does in a folder of its own.
    fn ask_wherever(&self, folder: &Path, words: &[&str]) -> serde_json::Value {
        Self::answer(ieum_in(folder, &[("IEUM__SERVER__LISTEN", self.address.as_str())]), words)
    }

    fn answer(mut command: Command, words: &[&str]) -> serde_json::Value {
        let output = command.arg("--json").args(words).output().expect("runs");
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).expect("answers JSON")
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        let status = self.child.wait().expect("ends");
        assert!(status.success(), "a stop signal drains and ends with success, not {status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone where the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn simulator() -> Simulator {
    let event = SimulatedEvent {
        event_id: "fair".into(),
        name: "박람회".into(),
        registered: 500,
        gates: vec!["a".into()],
        lasts: Duration::from_secs(60),
        seed: 7,
    };
    Simulator::start(event, system_clock()).await.expect("starts")
}

/// Registers the simulated system at `hub`, makes a key at `door` and waits until attendance is served there.
async fn attendance_is_served(data: &Path, hub: &Running, door: &Running) {
    let simulator = simulator().await;
    let (api, health) = (format!("{}/api", simulator.url()), format!("{}/health", simulator.url()));
    let add = ["source", "add", "--event-id", "fair", "--api", &api, "--health", &health, "--interval", "1"];
    assert_eq!(hub.ask(data, &add)["eventId"], "fair");
    let issued = door.ask(data, &["key", "create", "--name", "partner", "--event", "fair"]);
    let key = issued["text"].as_str().expect("shows the text once").to_owned();
    let url = format!("http://{}/api/partner/events/fair/attendance", door.address);
    let client = reqwest::Client::new();
    let last = parking_lot::Mutex::new(String::new());
    let moving = async || {
        let answer = client.get(&url).header("X-API-Key", &key).send().await.expect("answers");
        let body: serde_json::Value = answer.json().await.expect("is JSON");
        *last.lock() = body.to_string();
        body["metrics"]["checkedIn"].as_u64().is_some_and(|count| count > 0) && body["freshness"] == "fresh"
    };
    let waited = wait::until("attendance moves", Duration::from_secs(180), moving).await;
    waited.unwrap_or_else(|error| panic!("{error}: {}", last.lock()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_serves_a_source_and_drains() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[]);
    attendance_is_served(folder.path(), &platform, &platform).await;
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_a_line_each_behave_as_one() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for scheme in ["http", "grpc"] {
        let folder = tempfile::tempdir().expect("a folder");
        let events = up(folder.path(), &["events"], &[]);
        let line = format!("[links]\n\"events.state\" = \"{scheme}://{}\"\n", events.address);
        let settings = write(folder.path(), "partners.toml", &line);
        let partners = up(folder.path(), &["partners", "--config", &settings], &[]);
        attendance_is_served(folder.path(), &events, &partners).await;
        partners.stop();
        events.stop();
    }
}

/// What a link waits on a busy machine, for tests in which nobody is to be late.
const UNHURRIED: &str = "timeout = \"60s\"\nconnect = \"60s\"\nfirst_byte = \"60s\"\n";

/// Writes a settings file and returns its path.
fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("is written");
    path.to_str().expect("is text").to_owned()
}

#[test]
fn a_part_whose_contract_nobody_answers_stops_the_start_with_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = ieum(folder.path(), &[]).args(["up", "partners"]).output().expect("runs");
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("events.state is answered by no part of this process"), "{said}");
}

#[test]
fn wrong_words_are_answered_with_what_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    for (words, expected) in [
        (vec!["up", "evnts"], "no part is named \"evnts\"; there are events, analytics, partners"),
        (vec!["source", "list"], "is it running? start it with `ieum up`"),
        (vec!["where", "nothing"], "no event nothing was ever seen here"),
        (vec!["dead", "show", "nothing"], "nothing"),
    ] {
        let output = ieum(folder.path(), &[("IEUM__SERVER__LISTEN", "127.0.0.1:1")]).args(&words).output();
        let output = output.expect("runs");
        assert!(!output.status.success(), "{words:?}");
        assert!(text(&output).contains(expected), "{words:?}: {}", text(&output));
    }
}

#[test]
fn the_help_of_up_names_every_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = text(&ieum(folder.path(), &[]).args(["up", "--help"]).output().expect("runs"));
    let unknown = text(&ieum(folder.path(), &[]).args(["up", "nothing"]).output().expect("runs"));
    let names = unknown.split("there are ").nth(1).expect("names them").trim();
    assert!(names.contains("voice"), "{names}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(names), "{names} are missing in {said}");
}

#[test]
fn doctor_tells_what_each_backend_gives_and_loses() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = ieum(folder.path(), &[]).arg("doctor").output().expect("runs");
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for expected in [
        "ok    store.main",
        "gives durability",
        "lacks row locks",
        "ok    documents.main",
        "ok    bus.main",
        "ok    series.main",
        "lacks hearing: text alone is understood",
        "lacks speech: answers are text",
        "lacks a Dialogflow",
        "lacks the weather",
        "lacks plugins from outside",
        "lacks Wyoming",
        "lacks Hermes",
    ] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

/// Returns the exit and the words of `ieum check` with one setting.
fn check(data: &Path, name: &str, value: &str) -> (bool, String) {
    let output = ieum(data, &[(name, value)]).arg("check").output().expect("runs");
    (output.status.success(), text(&output))
}

#[test]
fn a_kafka_bus_is_checked_as_far_as_this_build_knows_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, said) = check(folder.path(), "IEUM__BUS__MAIN", "kafka://127.0.0.1:9092?partitions=no");
    let expected = if cfg!(feature = "kafka") {
        "bus.main: opening the bus kafka: has partitions=no, expected 1 to 10000"
    } else {
        "bus.main: this build has no kafka; rebuild with --features kafka"
    };
    assert!(!right && said.contains(expected), "{said}");
}

#[test]
fn a_backend_that_is_not_offered_is_refused_by_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, said) = check(folder.path(), "IEUM__BUS__MAIN", "amqp://127.0.0.1:5672");
    assert!(!right && said.contains("bus.main: begins with none of local: kafka:"), "{said}");
    let (right, said) = check(folder.path(), "IEUM__BUS__MAIN", "local:");
    assert!(right && said.starts_with("every setting is right\n"), "{said}");
    assert!(said.contains("sealing.key") && said.contains("backup"), "{said}");
}
