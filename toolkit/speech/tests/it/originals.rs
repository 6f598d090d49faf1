//! Other people's programs, as they are: the Python library of Wyoming as client and as server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::system_clock;
use ieum_speech::{
    Audio, RATE, Say, Synthesizer, Transcriber, WyomingOptions, WyomingSynthesizer, WyomingTranscriber,
};
use ieum_testkit::server;

use crate::hearing::Counting;
use crate::wyoming::{Letters, serve};

const CLIENT: &str = include_str!("client.py");
const ENGINE: &str = include_str!("engine.py");

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
    let heard = ear.transcribe(audio, Some("ko")).await.expect("it counts");
    assert_eq!((heard.text.as_str(), heard.language.as_deref()), ("32000 bytes", Some("ko")));
    let voice = WyomingSynthesizer::open(&address, PATIENCE, system_clock()).await.expect("it answers");
    let say = Say { text: "<speak>안녕 <break/>hi</speak>".to_owned(), ..Say::default() };
    let said = voice.synthesize(&say).await.expect("it speaks");
    assert_eq!((&said.pcm[..], said.format.rate), ("안녕 hi".as_bytes(), 16_000));
    engine.kill().expect("it runs");
    engine.wait().expect("it ends");
}
