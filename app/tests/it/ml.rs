//! `MLService` both ways on the binary: called from outside, and asked for meanings and for text of speech.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::ready;
use ieum_core::{Cx, Fault, system_clock};
use ieum_dialogflow::ml::{MlClient, MlOptions, MlServer};
use ieum_dialogflow::{
    Agent, Detected, Input, IntentRef, Query, SoundFormat, SoundStream, Transcriber, Transcript,
    TranscriptStream,
};
use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Running, up};

const PATIENCE: Duration = Duration::from_secs(120);
/// What only the far service understands.
const FOREIGN: &str = "흐물렁";

/// Understands one word and hears one sentence, whatever was said.
struct Far;

#[async_trait]
impl Agent for Far {
    async fn detect(&self, _: &Cx, query: Query) -> Result<Detected, Fault> {
        assert_eq!(query.language, "ko", "the language arrives");
        let Input::Text(text) = query.input else { panic!("only text is sent") };
        let known = IntentRef { display_name: "time.query".into(), ..IntentRef::default() };
        let intent = (text == FOREIGN).then_some(known);
        Ok(Detected { intent, confidence: 0.9, ..Detected::default() })
    }
}

impl Transcriber for Far {
    fn transcribe(&self, _: &Cx, format: SoundFormat, sound: SoundStream) -> TranscriptStream {
        assert_eq!((format.sample_rate, &*format.language), (16_000, "ko"), "the format arrives");
        let heard = sound.fold(0, |bytes, piece| ready(bytes + piece.map_or(0, |piece| piece.len())));
        let whole = futures::stream::once(heard).map(|bytes| {
            let text = if bytes == 32_000 { "지금 몇 시야?" } else { "" };
            Ok(Transcript { text: text.to_owned(), is_final: true, confidence: 0.9 })
        });
        whole.boxed()
    }
}

/// Serves the far service; returns where, as `host:port`.
async fn far() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let router = MlServer::new(Arc::new(Far), Some(Arc::new(Far)), system_clock()).router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn say(platform: &Running, text: &str) -> Value {
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let turn = json!({ "userId": "ada", "text": text, "language": "ko" });
    let url = format!("http://{}/api/dialog/text", platform.address);
    client.post(url).json(&turn).send().await.expect("answers").json().await.expect("is JSON")
}

/// Says a second of sound in an upload.
async fn speak(platform: &Running) -> Value {
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let samples = vec![0_u8; 32_000];
    let mut body = Vec::new();
    for (name, value) in [("userId", &b"ada"[..]), ("language", b"ko"), ("audio", &samples)] {
        body.extend(format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    let request = client.post(format!("http://{}/api/dialog/audio", platform.address)).body(body);
    let request = request.header("content-type", "multipart/form-data; boundary=cut");
    request.send().await.expect("answers").json().await.expect("is JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_is_analysed_for_callers_that_name_no_language() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let address = format!("grpc://{}", platform.address);
    let client = MlClient::new(&address, MlOptions::default(), system_clock()).expect("is made");
    for (text, intent) in [("지금 몇 시야?", "time.query"), ("set a timer for five minutes", "timer.start")]
    {
        let answer = client.analyze(&Cx::root(), text, HashMap::new()).await.expect("answers");
        assert_eq!(answer.intent, intent, "{text}");
    }
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_service_is_asked_first_and_stood_in_for() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("ml://{}", far().await);
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__DIALOGFLOW", &address)]);
    // A turn waits for it a second and a half, in which a busy machine may not come to it.
    let asked = async || say(&platform, FOREIGN).await["intent"] == "time.query";
    wait::until("it is asked", PATIENCE, asked).await.expect("it is asked");
    assert_eq!(
        say(&platform, "오 분 타이머 맞춰 줘").await["intent"],
        "timer.start",
        "it understands nothing of timers"
    );
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_is_heard_by_a_far_service_and_one_that_is_gone_is_told() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("grpc://{}?language=ko", far().await);
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__EARS", &address)]);
    assert_eq!(speak(&platform).await["intent"], "time.query");
    platform.stop();
    let nobody = KeptPort::take();
    let address = format!("grpc://{}", nobody.address());
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__EARS", &address)]);
    let told = speak(&platform).await;
    assert_eq!(told["outcome"], "failed", "{told}");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_be_opened_is_named_by_health_and_the_rest_is_well() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = KeptPort::take();
    let address = format!("wyoming://{}", nobody.address());
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__EARS", &address)]);
    let url = format!("http://{}/health/ready", platform.address);
    let client = reqwest::Client::new();
    let is_told = async || {
        let answer = client.get(&url).send().await.expect("answers");
        assert_eq!(answer.status().as_u16(), 200, "text still works");
        let told: Value = answer.json().await.expect("is JSON");
        let checks = told["checks"].as_array().expect("is a list");
        checks.iter().any(|check| check["name"] == "ears.wyoming" && check["status"] == "unhealthy")
    };
    wait::until("health names it", PATIENCE, is_told).await.expect("health names it");
    assert_eq!(say(&platform, "지금 몇 시야?").await["intent"], "time.query");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_be_opened_takes_nothing_from_the_next() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = KeptPort::take();
    let gone = format!("wyoming://{}", nobody.address());
    let ears = format!("{gone}, grpc://{}?language=ko", far().await);
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__EARS", &ears)]);
    assert_eq!(speak(&platform).await["intent"], "time.query");
    platform.stop();
}
