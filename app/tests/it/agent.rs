//! `ieum device run` as people run it on a device: typed, offline, killed, with a wrong secret.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_testkit::disk::SmallDisk;
use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;
use parking_lot::Mutex;
use serde_json::Value;

use super::{Running, ieum, text, up};

const LONG: Duration = Duration::from_secs(180);

/// A device that runs, and what it printed.
pub struct Device {
    child: Child,
    input: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// Makes a device known and returns the file with its secret.
pub fn added(platform: &Running, folder: &Path, device: &str) -> String {
    let added = platform.ask(folder, &["device", "add", device]);
    let path = folder.join(format!("{device}.secret"));
    std::fs::write(&path, added["secret"].as_str().expect("is shown once")).expect("is written");
    path.to_str().expect("is text").to_owned()
}

pub fn command(folder: &Path, mqtt: &str, device: &str, secret_file: &str) -> Command {
    let mut command = ieum(folder, &[]);
    let url = format!("mqtt://{mqtt}");
    command.args(["--json", "device", "run", "--url", &url, "--device", device]);
    command.args(["--secret-file", secret_file]);
    command
}

impl Device {
    pub fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the device starts");
        let (output, lines) = (BufReader::new(child.stdout.take().expect("is piped")), Arc::default());
        let kept: Arc<Mutex<Vec<Value>>> = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line) {
                    kept.lock().push(value);
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, reader: Some(reader) }
    }

    fn say(&mut self, text: &str) {
        writeln!(self.input.as_mut().expect("is open"), "{text}").expect("is read");
    }

    /// Returns what was printed of one kind.
    pub fn told(&self, kind: &str) -> Vec<Value> {
        self.lines.lock().iter().filter(|line| !line[kind].is_null()).map(|line| line[kind].clone()).collect()
    }

    pub async fn has_told(&self, kind: &str, count: usize) {
        let what = format!("{count} of {kind} are told");
        let told = async || self.told(kind).len() >= count;
        let waited = wait::until(&what, LONG, told).await;
        waited.unwrap_or_else(|error| panic!("{error}: {:?}", self.lines.lock()));
    }

    /// Ends what is typed, and waits for the end.
    fn finish(&mut self) {
        drop(self.input.take());
        assert!(self.child.wait().expect("ends").success(), "{:?}", self.lines.lock());
        self.reader.take().expect("reads").join().expect("reads to the end");
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("is gone");
        self.reader.take().expect("reads").join().expect("reads to the end");
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Already gone where the test ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the numbers of the messages that answers are about, in the order of the answers.
fn answered(answers: &[Value]) -> Vec<u64> {
    let turns = answers.iter().filter(|answer| answer["type"] == "DIALOG_RESPONSE");
    turns
        .map(|answer| answer["payload"]["turnId"].as_str().expect("names its turn"))
        .map(|turn| turn.rsplit('-').next().and_then(|number| number.parse().ok()).expect("has a number"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_offline_is_answered_once_and_in_order_through_kills_of_both_sides() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Nobody else gets the port while the platform is gone.
    let kept = KeptPort::take();
    let mqtt = kept.address().to_string();
    let again = [("IEUM__DEVICE__LISTEN", mqtt.as_str())];
    let mut platform = up(there.path(), &["voice"], &again);
    let secret = added(&platform, there.path(), "kitchen");
    platform.child.kill().expect("is killed");
    platform.child.wait().expect("is gone");

    let mut device = Device::start(command(here.path(), &mqtt, "kitchen", &secret));
    for _ in 0..10 {
        device.say("지금 몇 시야?");
    }
    device.has_told("taken", 10).await;
    device.has_told("away", 1).await;
    device.kill();
    assert_eq!(device.told("delivered").len(), 0, "nobody was there");

    let mut platform = up(there.path(), &["voice"], &again);
    let mut device = Device::start(command(here.path(), &mqtt, "kitchen", &secret));
    for _ in 0..10 {
        device.say("지금 몇 시야?");
    }
    device.has_told("delivered", 12).await;
    platform.child.kill().expect("is killed");
    platform.child.wait().expect("is gone");
    let platform = up(there.path(), &["voice"], &again);
    device.has_told("delivered", 20).await;
    device.has_told("answer", 15).await;
    device.kill();
    let mut answers = device.told("answer");

    let mut device = Device::start({
        let mut command = command(here.path(), &mqtt, "kitchen", &secret);
        command.args(["--linger", "2s"]);
        command
    });
    device.say("/telemetry {\"load\":0.5}");
    // What was not acknowledged comes again.
    let all = async || {
        let told = [&answers[..], &device.told("answer")].concat();
        answered(&told).into_iter().collect::<BTreeSet<u64>>().len() >= 20
    };
    let waited = wait::until("every answer is told", LONG, all).await;
    waited.unwrap_or_else(|error| panic!("{error}: {answers:?}, {:?}", device.lines.lock()));
    device.finish();
    answers.extend(device.told("answer"));
    let mut numbers = answered(&answers);
    // What was printed in the very moment of the kill may be printed again, and by nobody be answered again.
    numbers.dedup();
    assert_eq!(numbers, (1..=20).collect::<Vec<u64>>());
    is_shown_to_operators(&platform).await;
    platform.stop();
}

/// The console's Voice page finds the device and its turns.
async fn is_shown_to_operators(platform: &Running) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let read = async |path: &str| -> Value {
        let url = format!("http://{}/api/operator/voice/{path}", platform.address);
        reqwest::get(&url).await.expect("answers").json().await.expect("is JSON")
    };
    let devices = read("devices").await;
    let kitchen = &devices["devices"][0];
    assert_eq!((&kitchen["deviceId"], &kitchen["hasSecret"]), (&"kitchen".into(), &true.into()), "{devices}");
    assert!(kitchen["lastSeenAt"].is_string(), "{devices}");
    let turns = read("turns?deviceId=kitchen&limit=7").await;
    let turns = turns["turns"].as_array().expect("is a list");
    assert_eq!(turns.len(), 7, "{turns:?}");
    assert!(
        turns.iter().all(|turn| turn["said"] == "지금 몇 시야?" && turn["deviceId"] == "kitchen"),
        "{turns:?}"
    );
    assert_eq!(turns[0]["answer"]["intent"], "time.query");
    assert!(
        turns[0]["answer"]["stages"].as_array().is_some_and(|stages| stages.len() >= 3),
        "{:?}",
        turns[0]
    );
    assert_eq!(read("turns?deviceId=nobody").await["turns"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_goes_in_parts_and_is_one_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "kitchen");
    let wave = folder.path().join("said.wav");
    let samples = vec![0_u8; 5 * 32_000];
    std::fs::write(&wave, wave_of(&samples)).expect("is written");
    let state = tempfile::tempdir().expect("a folder");
    let mut device = Device::start({
        let mut command = command(state.path(), &platform.mqtt, "kitchen", &secret);
        command.args(["--wave", wave.to_str().expect("is text"), "--linger", "1s"]);
        command
    });
    device.has_told("answer", 1).await;
    device.finish();
    assert_eq!(device.told("delivered").len(), 10, "half a second each");
    let answers = device.told("answer");
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0]["payload"]["outcome"], "failed", "no engine listens here, which is said");
    platform.stop();
}

/// Returns a WAVE file of 16-bit samples at 16 kHz.
fn wave_of(samples: &[u8]) -> Vec<u8> {
    let length = samples.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_no_device_and_nobody_is_told_that_something_is_kept_that_is_not() {
    let Some(disk) = SmallDisk::mount() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "kitchen");
    disk.fill();
    let mut device = Device::start({
        let mut command = command(folder.path(), &platform.mqtt, "kitchen", &secret);
        command.arg("--state").arg(disk.path());
        command
    });
    device.has_told("trouble", 1).await;
    let shown = disk.path().display().to_string();
    let full = format!("the disk that holds {shown} is full; make room there (`df -h {shown}` tells)");
    assert_eq!(device.told("trouble")[0]["problem"], format!("{full}; the device begins then"));
    disk.make_room();
    device.has_told("connected", 1).await;

    disk.fill();
    device.say("지금 몇 시야?");
    device.has_told("answer", 1).await;
    device.has_told("delivered", 1).await;
    device.has_told("unkept", 1).await;
    assert_eq!((device.told("held").len(), device.told("taken").len()), (1, 0));
    assert_eq!(device.told("unkept")[0]["problem"], full);
    platform.child.kill().expect("is killed");
    platform.child.wait().expect("is gone");
    device.has_told("away", 1).await;
    device.say("지금 몇 시야?");
    device.has_told("trouble", 2).await;
    let refused = format!("keeping a message of kind text: {full}; it is not kept, say it again then");
    assert_eq!(device.told("trouble")[1]["problem"], refused);

    disk.make_room();
    device.say("지금 몇 시야?");
    device.has_told("taken", 1).await;
    assert_eq!((device.told("held").len(), device.told("trouble").len()), (1, 2), "it runs on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_waits_where_its_state_folder_finds_no_place_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["device"], &[]);
    let secret = added(&platform, folder.path(), "kitchen");
    disk.take_names();
    let device = Device::start({
        let mut command = command(folder.path(), &platform.mqtt, "kitchen", &secret);
        command.arg("--state").arg(disk.path());
        command
    });
    device.has_told("trouble", 1).await;
    let state = disk.path();
    let there = state.parent().expect("is below the disk");
    let (shown, there) = (state.display(), there.display());
    let full = format!("the disk that holds {shown} is full; make room there (`df -h {there}` tells)");
    assert_eq!(device.told("trouble")[0]["problem"], format!("{full}; the device begins then"));
    disk.give_names();
    device.has_told("connected", 1).await;
    assert_eq!(device.told("trouble").len(), 1, "it is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_device_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["device"], &[]);
    let secret = folder.path().join("wrong");
    std::fs::write(&secret, "canary\n").expect("is written");
    let secret = secret.to_str().expect("is text");
    let typed = folder.path().join("typed");
    // What is being kept while the refusal comes must not hold the agent up.
    std::fs::write(&typed, "hello\n".repeat(50)).expect("is written");
    let refused = |words: &[&str]| {
        let mut command = ieum(folder.path(), &[]);
        let typed = std::fs::File::open(&typed).expect("opens");
        let output = command.args(["device", "run"]).args(words).stdin(typed).output().expect("runs");
        assert!(!output.status.success(), "{words:?}");
        let said = text(&output);
        assert!(!said.contains("canary"), "{said}");
        said
    };
    let url = format!("mqtt://{}", platform.mqtt);
    let said = refused(&["--url", &url, "--device", "kitchen", "--secret-file", secret]);
    assert!(said.contains("wrong device or secret") && said.contains("ieum device rotate"), "{said}");
    let said = refused(&["--url", &url]);
    assert!(said.contains("its id is missing; give --device ID"), "{said}");
    let said = refused(&["--url", "http://here", "--device", "kitchen"]);
    assert!(said.contains("write mqtt://host:1883"), "{said}");
    let said = refused(&["--url", &url, "--device", "kitchen", "--secret-file", "/nowhere"]);
    assert!(said.contains("reading the device's secret from \"/nowhere\""), "{said}");
    let said = refused(&["--url", &url, "--device", "../kitchen"]);
    assert!(said.contains("its id \"../kitchen\" is none"), "{said}");
    platform.stop();
}
