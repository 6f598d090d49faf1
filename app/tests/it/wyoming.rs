//! Wyoming as the binary speaks it: the library's own client leads a pipeline, and an unmodified satellite is heard and
//! spoken to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ieum_testkit::port::KeptPort;
use ieum_testkit::process::Child;
use ieum_testkit::server;
use ieum_testkit::wait::until;

use super::outside::{port, python};
use super::{ieum, text, up};

const LONG: Duration = Duration::from_secs(300);

const PIPELINE: &str = include_str!("wyoming/pipeline.py");
const MICROPHONE: &str = include_str!("wyoming/microphone.py");

/// The engines of a test: settings that name them, and the program that speaks.
pub struct Engines {
    pub ears: String,
    pub mouth: String,
    espeak: PathBuf,
}

impl Engines {
    /// Returns them, unless they are not installed.
    pub fn there() -> Option<Self> {
        let (Some(models), Some(espeak)) = (server::speech_models(), server::espeak()) else {
            server::not_run("speech", "cargo xtask test has not installed espeak-ng and the models");
            return None;
        };
        let ears = format!("moonshine:{}", models.join("moonshine-tiny").display());
        Some(Self { ears, mouth: format!("espeak:{}", espeak.display()), espeak })
    }

    /// Returns what is said as samples, as a microphone gives them.
    fn samples(&self, words: &str, folder: &Path) -> Vec<u8> {
        let clip = folder.join("clip.wav");
        self.say(words, &clip);
        let wave = std::fs::read(&clip).expect("is there");
        let (format, pcm) = ieum_speech::read_wav(&wave).expect("is a WAVE file");
        let limits = ieum_speech::AudioLimits::default();
        ieum_speech::Audio::from_pcm(pcm, format, limits).expect("is audio").to_pcm()
    }

    /// Puts what is said into a WAVE file.
    pub fn say(&self, words: &str, into: &Path) {
        let spoken =
            Command::new(&self.espeak).args(["-v", "en-us", "-s", "150", "--stdout", words]).output();
        std::fs::write(into, spoken.expect("speaks").stdout).expect("is written");
    }
}

#[test]
fn a_pipeline_of_the_library_is_answered_by_the_binary() {
    let Some(program) = server::python_wyoming() else {
        return server::not_run("wyoming", "cargo xtask test has not installed it");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__WYOMING", "127.0.0.1:0")]);
    python(&program, PIPELINE, &[port(&platform.wyoming)]);
    platform.stop();
}

#[test]
#[ignore = "needs speech models and espeak-ng"]
fn a_spoken_pipeline_of_the_library_is_answered_by_the_binary() {
    let Some(program) = server::python_wyoming() else {
        return server::not_run("wyoming", "cargo xtask test has not installed it");
    };
    let Some(engines) = Engines::there() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.wav");
    engines.say("what time is it", &clip);
    let settings = [
        ("IEUM__VOICE__WYOMING", "127.0.0.1:0"),
        ("IEUM__VOICE__EARS", engines.ears.as_str()),
        ("IEUM__VOICE__MOUTH", engines.mouth.as_str()),
    ];
    let platform = up(folder.path(), &["voice"], &settings);
    python(&program, PIPELINE, &[port(&platform.wyoming), &clip.display().to_string()]);
    platform.stop();
}

/// The satellite is started after the platform, which has to call again until it is there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs speech models and espeak-ng"]
async fn a_satellite_is_heard_answered_aloud_and_told_that_its_timer_rang() {
    let Some(program) = server::python_satellite() else {
        return server::not_run("satellite", "cargo xtask test has not installed it");
    };
    let Some(engines) = Engines::there() else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let samples = engines.samples("what time is it", folder.path());
    let (spoken, speech) = (folder.path().join("spoken"), folder.path().join("speech"));
    std::fs::write(&spoken, samples).expect("is written");
    // The satellite takes no port 0.
    let kept = KeptPort::take();
    let address = kept.address().to_string();
    let satellites = format!("[\"tcp://{address}?device=hall&language=en\"]");
    let settings = [
        ("IEUM__VOICE__SATELLITES", satellites.as_str()),
        ("IEUM__VOICE__EARS", engines.ears.as_str()),
        ("IEUM__VOICE__MOUTH", engines.mouth.as_str()),
    ];
    let platform = up(folder.path(), &["voice"], &settings);

    let (microphone, played) = (folder.path().join("microphone.py"), folder.path().join("played"));
    std::fs::write(&microphone, MICROPHONE).expect("is written");
    let listens = format!("{} {} {}", program.display(), microphone.display(), speech.display());
    // One file for each answer: the satellite starts the command anew for each.
    let plays = format!("sh -c 'cat > {}.$$'", played.display());
    let mut command = Command::new(&program);
    command.args([
        "-m",
        "wyoming_satellite",
        "--debug",
        "--no-zeroconf",
        "--uri",
        &format!("tcp://{address}"),
    ]);
    command.args(["--mic-command", &listens, "--snd-command", &plays]).stdin(Stdio::null());
    let log = folder.path().join("satellite.log");
    let mut satellite = Child::start("wyoming-satellite", command, &log).expect("it runs");

    let tells = || async { std::fs::read_to_string(&log).is_ok_and(|said| said.contains("Streaming audio")) };
    until("the platform calls the satellite", LONG, tells).await.expect("it is called");
    // Somebody speaks from here on; as one step, so that the microphone hears all of it.
    std::fs::rename(&spoken, &speech).expect("is ours");
    let place = folder.path().to_owned();
    let answers = || {
        let files = std::fs::read_dir(&place).expect("is a folder").filter_map(Result::ok);
        let files = files.filter(|file| file.file_name().to_string_lossy().starts_with("played."));
        files.filter(|file| file.metadata().is_ok_and(|file| file.len() > 20_000)).count()
    };
    let one = until("the answer is spoken", LONG, || async { answers() == 1 }).await;
    // What nobody asks for where it is heard.
    let client = reqwest::Client::new();
    let turn =
        serde_json::json!({ "deviceId": "hall", "text": "set a timer for 1 second", "language": "en" });
    let set = client.post(format!("http://{}/api/dialog/text", platform.address)).json(&turn).send().await;
    assert!(set.expect("is answered").status().is_success());
    let both = until("the timer is heard", LONG, || async { answers() == 2 }).await;
    satellite.stop(Duration::from_secs(5));
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(one.is_ok() && both.is_ok(), "{} of 2: {said}", answers());
    assert!(said.contains("'text': 'It is "), "the time is told: {said}");
    assert!(said.contains("timer is done"), "{said}");
    platform.stop();
}

#[test]
fn satellites_without_engines_or_devices_are_named_by_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |settings: &[(&str, &str)]| {
        let output = ieum(folder.path(), settings).arg("check").output().expect("runs");
        assert!(!output.status.success(), "{settings:?}");
        text(&output)
    };
    let said = check(&[("IEUM__VOICE__SATELLITES", "[\"tcp://127.0.0.1:1\"]")]);
    assert!(
        said.contains("voice.satellites[0]: \"tcp://127.0.0.1:1\" names no device; add ?device=NAME"),
        "{said}"
    );
    let said = check(&[("IEUM__VOICE__SATELLITES", "[\"tcp://127.0.0.1:1?device=hall\"]")]);
    assert!(said.contains("voice.ears: is empty, but satellites are heard"), "{said}");
    let said = check(&[("IEUM__VOICE__WYOMING", "here")]);
    assert!(said.contains("voice.wyoming: \"here\" is not an address and port"), "{said}");
}
