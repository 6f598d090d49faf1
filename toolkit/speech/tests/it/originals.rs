//! Other people's programs, as they are: the Python library of Wyoming as client and as server, and a satellite.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{Watch, system_clock};
use ieum_speech::{
    Audio, Conversation, Hints, RATE, SatelliteOptions, Say, Synthesizer, Transcriber, Transcript,
    WyomingOptions, WyomingSatellite, WyomingSynthesizer, WyomingTranscriber,
};
use ieum_testkit::server;
use ieum_testkit::wait::until;
use tokio_util::sync::CancellationToken;

use crate::hearing::Counting;
use crate::speaking::{espeak, spoken};
use crate::wyoming::{Letters, serve};

const CLIENT: &str = include_str!("client.py");
const ENGINE: &str = include_str!("engine.py");

const MICROPHONE: &str = include_str!("microphone.py");

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a program of Python to its end and returns what it printed.
async fn run(python: &Path, script: &'static str, arguments: Vec<String>) -> String {
    let mut command = Command::new(python);
    command.args(["-c", script]).args(arguments);
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_as_client_is_understood_as_it_is() {
    let Some(python) = server::python_wyoming() else {
        return server::not_run("wyoming", "cargo xtask test has not installed it");
    };
    let options = WyomingOptions { partial: Some(Duration::from_millis(200)), ..WyomingOptions::default() };
    let (address, stop) = serve(Some(Arc::new(Counting)), Some(Arc::new(Letters)), options).await;
    let said = run(&python, CLIENT, vec![address.port().to_string()]).await;
    assert!(said.contains("all well"), "{said}");
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_of_the_library_serves_us_as_it_is() {
    let Some(python) = server::python_wyoming() else {
        return server::not_run("wyoming", "cargo xtask test has not installed it");
    };
    let mut engine = Command::new(python);
    engine.args(["-c", ENGINE]).stdout(Stdio::piped());
    let mut engine = engine.spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(engine.stdout.take().expect("it is piped")).read_line(&mut line).expect("it is text");
    let address = format!("127.0.0.1:{}", line.trim());
    let ear = WyomingTranscriber::open(&address, PATIENCE, system_clock()).await.expect("it answers");
    assert_eq!(ear.engine().languages, ["en", "ko"]);
    let audio = Audio::from_samples(vec![0.0; RATE as usize]);
    let heard = ear.transcribe(audio, &Hints::language("ko")).await.expect("it counts");
    assert_eq!((heard.text.as_str(), heard.language.as_deref()), ("32000 bytes", Some("ko")));
    let voice = WyomingSynthesizer::open(&address, PATIENCE, system_clock()).await.expect("it answers");
    let say = Say { text: "<speak>안녕 <break/>hi</speak>".to_owned(), ..Say::default() };
    let said = voice.synthesize(&say).await.expect("it speaks");
    assert_eq!((&said.pcm[..], said.format.rate), ("안녕 hi".as_bytes(), 16_000));
    engine.kill().expect("it runs");
    engine.wait().expect("it ends");
}

/// Says hello, and counts how often.
#[derive(Default)]
struct Hello(AtomicUsize);

#[async_trait]
impl Conversation for Hello {
    async fn answer(&self, heard: &Transcript) -> Option<Say> {
        assert!(heard.text.starts_with("heard "), "{heard:?}");
        self.0.fetch_add(1, Ordering::AcqRel);
        Some(Say { text: "hello".repeat(100), ..Say::default() })
    }
}

/// Returns what calls a satellite and says hello there.
fn satellite(address: &str, hello: &Arc<Hello>) -> WyomingSatellite {
    WyomingSatellite {
        address: address.to_owned(),
        transcriber: Arc::new(Counting),
        synthesizer: Arc::new(Letters),
        conversation: Arc::clone(hello) as Arc<dyn Conversation>,
        options: SatelliteOptions { again: Duration::from_millis(200), ..SatelliteOptions::default() },
        clock: system_clock(),
        watch: Watch::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_satellite_is_heard_and_plays_the_answer_as_it_is() {
    let Some(python) = server::python_satellite() else {
        return server::not_run("satellite", "cargo xtask test has not installed it");
    };
    let Some(voice) = espeak() else { return };
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (speech, played) = (folder.path().join("speech"), folder.path().join("played"));
    std::fs::write(&speech, spoken(&voice, "turn on the kitchen light please", "en").await.to_pcm())
        .expect("ours");
    std::fs::write(folder.path().join("microphone.py"), MICROPHONE).expect("ours");
    // The satellite takes no port 0; this one was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = port.expect("a port is free").to_string();
    let microphone =
        format!("{} {}/microphone.py {}", python.display(), folder.path().display(), speech.display());
    let speaker = format!("sh -c 'cat > {}'", played.display());
    let mut program = Command::new(&python);
    program.args(["-m", "wyoming_satellite", "--no-zeroconf", "--uri", &format!("tcp://{address}")]);
    program.args(["--mic-command", &microphone, "--snd-command", &speaker]);
    let log = std::fs::File::create(folder.path().join("log")).expect("ours");
    let mut program = program.stderr(log).spawn().expect("it runs");
    let hello = Arc::new(Hello::default());
    let watch = Watch::default();
    let first = WyomingSatellite { watch: watch.clone(), ..satellite(&address, &hello) };
    assert_eq!(watch.problem().as_deref(), Some("it was never reached yet"));
    let stop = CancellationToken::new();
    let serving = tokio::spawn({
        let stop = stop.clone();
        async move { first.run(stop).await }
    });
    let whole = || async { std::fs::metadata(&played).is_ok_and(|file| file.len() >= 1_000) };
    let outcome = until("the answer is played", Duration::from_secs(60), whole).await;
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let other = Watch::default();
    let second = WyomingSatellite { watch: other.clone(), ..satellite(&address, &hello) };
    let calling = tokio::spawn({
        let stop = stop.clone();
        async move { second.run(stop).await }
    });
    let is_taken =
        || async { other.problem().is_some_and(|why| why.contains("it talks with one at a time")) };
    let taken = until("another one is told that it is taken", Duration::from_secs(60), is_taken).await;
    let (first, second) = (watch.problem(), other.problem());
    stop.cancel();
    serving.await.expect("no panic");
    calling.await.expect("no panic");
    program.kill().expect("it runs");
    program.wait().expect("it ends");
    assert!(outcome.is_ok(), "{log}");
    assert_eq!(first, None, "it is served");
    assert!(taken.is_ok(), "{second:?} {log}");
    assert_eq!(hello.0.load(Ordering::Acquire), 1);
    assert_eq!(std::fs::read(&played).expect("it was played"), [1_u8, 1].repeat(500));
}
