//! Voice as the binary serves it: a device over MQTT, people over HTTP, and a timer that a kill does not silence.

use std::net::TcpStream;
use std::time::Duration;

use ieum_testkit::{server, wait};
use serde_json::{Value, json};

use super::device::{come, packet, pass, say};
use super::{Running, text, up};

const PATIENCE: Duration = Duration::from_secs(120);

/// A device that listens to its answers.
pub struct Speaker {
    stream: TcpStream,
    next: u16,
}

impl Speaker {
    fn come(platform: &Running, secret: &str) -> Self {
        Self::listening(come(&platform.mqtt, "kitchen", secret))
    }

    /// Comes without leaving a session behind.
    pub fn pass(platform: &Running, secret: &str) -> Self {
        Self::listening(pass(&platform.mqtt, "kitchen", secret))
    }

    fn listening((mut stream, code): (TcpStream, u8)) -> Self {
        assert_eq!(code, 0, "is let in");
        say(&mut stream, &packet(0x82, b"\0\x01\0\x17device/kitchen/response\x01"));
        Self { stream, next: 2 }
    }

    pub fn ask(&mut self, text: &str) {
        let id = format!("m-{}-{}", std::process::id(), self.next);
        self.ask_as(&id, text);
    }

    pub fn ask_as(&mut self, id: &str, text: &str) {
        self.publish(0x32, json!({ "messageId": id, "text": text }));
    }

    /// Asks in a message that is kept for who subscribes later.
    fn ask_kept(&mut self, text: &str) {
        self.publish(0x33, json!({ "text": text }));
    }

    fn publish(&mut self, first: u8, body: Value) {
        let body = body.to_string();
        let topic = b"device/kitchen/text";
        let mut publish = (topic.len() as u16).to_be_bytes().to_vec();
        publish.extend_from_slice(topic);
        publish.extend(self.next.to_be_bytes());
        publish.extend_from_slice(body.as_bytes());
        self.next += 1;
        say(&mut self.stream, &packet(first, &publish));
    }

    /// Waits for the next answer, and acknowledges what comes.
    pub fn answer(&mut self) -> Value {
        self.message()["payload"].clone()
    }

    /// Waits for the next answer, and acknowledges nothing: the connection breaks before it can.
    pub fn miss(mut self) -> Value {
        self.message_as(false)["payload"].clone()
    }

    /// Waits for the next answer in its envelope.
    fn message(&mut self) -> Value {
        self.message_as(true)
    }

    fn message_as(&mut self, acknowledges: bool) -> Value {
        loop {
            let packet = self.packet();
            if packet[0] >> 4 != 3 {
                continue;
            }
            let topic = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
            let at = 4 + topic + 2;
            if acknowledges {
                say(&mut self.stream, &[0x40, 2, packet[at - 2], packet[at - 1]]);
            }
            let told: Value = serde_json::from_slice(&packet[at..]).expect("is JSON");
            // Words spoken and commands come there too.
            if told["type"] == "DIALOG_RESPONSE" {
                return told;
            }
        }
    }

    /// Returns the next packet, whose length may take several bytes.
    fn packet(&mut self) -> Vec<u8> {
        use std::io::Read;
        let mut byte = [0];
        let mut read = |stream: &mut TcpStream| {
            stream.read_exact(&mut byte).expect("is answered");
            byte[0]
        };
        let first = read(&mut self.stream);
        let (mut length, mut shift) = (0, 0);
        loop {
            let digit = read(&mut self.stream);
            length |= usize::from(digit & 0x7f) << shift;
            shift += 7;
            if digit & 0x80 == 0 {
                break;
            }
        }
        let mut rest = vec![0; length];
        self.stream.read_exact(&mut rest).expect("is whole");
        // Shaped as one with a short length.
        let mut all = vec![first, 0];
        all.extend(rest);
        all
    }
}

pub fn added(platform: &Running, folder: &std::path::Path) -> String {
    let added = platform.ask(folder, &["device", "add", "kitchen"]);
    added["secret"].as_str().expect("is shown once").to_owned()
}

#[test]
fn what_is_said_in_a_message_that_is_kept_is_carried_out_once_over_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path());
    let mut kitchen = Speaker::come(&platform, &secret);
    kitchen.ask_kept("10분 타이머");
    let first = kitchen.answer();
    assert_eq!(first["text"], "10분 타이머를 시작했어요.", "it is carried out when it is said");
    for start in ["second", "third"] {
        drop(kitchen);
        platform.stop();
        platform = up(folder.path(), &["voice"], &[]);
        kitchen = Speaker::come(&platform, &secret);
        kitchen.ask_as(start, "지금 몇 시야?");
        let mut next = kitchen.answer();
        // The answer before it may not have been acknowledged yet when the process ended.
        while next["turnId"] == first["turnId"] {
            next = kitchen.answer();
        }
        assert_eq!(next["intent"], "time.query", "nothing is carried out before it");
    }
    kitchen.ask_kept("20분 타이머");
    assert_eq!(kitchen.answer()["text"], "20분 타이머를 시작했어요.", "what is said now is carried out");
    platform.stop();
}

#[test]
fn a_timer_set_before_a_kill_rings_once_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path());
    let mut kitchen = Speaker::come(&platform, &secret);
    kitchen.ask("지금 몇 시야?");
    assert_eq!(kitchen.answer()["intent"], "time.query");
    kitchen.ask("3초 타이머");
    assert_eq!(kitchen.answer()["text"], "3초 타이머를 시작했어요.");
    platform.child.kill().expect("is killed");
    platform.child.wait().expect("is gone");
    drop(kitchen);

    let platform = up(folder.path(), &["voice"], &[]);
    let mut kitchen = Speaker::come(&platform, &secret);
    let mut rang = kitchen.answer();
    // The answer before it may not have been acknowledged yet when the process died.
    while rang["intent"] == "timer.start" {
        rang = kitchen.answer();
    }
    assert_eq!((&rang["intent"], &rang["text"]), (&json!("timer.rang"), &json!("3초 타이머가 끝났어요.")));
    kitchen.ask_as("after", "타이머 얼마나 남았어?");
    assert_eq!(kitchen.answer()["text"], "맞춰 둔 타이머가 없어요.", "nothing rings twice before it");
    platform.stop();
}

#[test]
fn every_message_is_answered_once_and_in_order_whatever_is_killed() {
    const ROUNDS: usize = 6;
    const MESSAGES: usize = 12;
    let folder = tempfile::tempdir().expect("a folder");
    let mut platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path());
    let mut answers: Vec<(String, String)> = Vec::new();
    for round in 0..ROUNDS {
        let ids: Vec<String> = (0..MESSAGES).map(|number| format!("{round:02}-{number:02}")).collect();
        let mut kitchen = Speaker::come(&platform, &secret);
        ids.iter().for_each(|id| kitchen.ask_as(id, "지금 몇 시야?"));
        // Killed in the midst: after none, two, four answers.
        for _ in 0..round * 2 {
            answers.push(told(&kitchen.message()));
        }
        platform.child.kill().expect("is killed");
        platform.child.wait().expect("is gone");
        platform = up(folder.path(), &["voice"], &[]);
        let mut kitchen = Speaker::come(&platform, &secret);
        // A device that is not sure says it again, under the same id.
        ids.iter().for_each(|id| kitchen.ask_as(id, "지금 몇 시야?"));
        kitchen.ask_as(&format!("{round:02}-end"), "오늘 며칠이야?");
        while answers.last().is_none_or(|(turn, _)| !turn.ends_with("end")) {
            answers.push(told(&kitchen.message()));
        }
    }
    platform.stop();
    let mut first = Vec::new();
    for (turn, message) in &answers {
        match first.iter().find(|(known, _): &&(String, String)| known == turn) {
            Some((_, known)) => assert_eq!(known, message, "{turn} has one answer, however often it comes"),
            None => first.push((turn.clone(), message.clone())),
        }
    }
    assert_eq!(first.len(), ROUNDS * (MESSAGES + 1));
    assert!(first.is_sorted(), "answers come in the order of the questions: {first:?}");
}

/// Returns which turn a message answers, and its own id.
fn told(message: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    (text(&message["payload"]["turnId"]), text(&message["messageId"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_ask_over_http_in_two_versions() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let url = |path: &str| format!("http://{}{path}", platform.address);
    let turn = json!({ "userId": "ada", "text": "what time is it" });
    let answer = client.post(url("/api/v1/dialog/text")).json(&turn).send().await.expect("answers");
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("sunset")), (200, true));
    let first: Value = answer.json().await.expect("is JSON");
    assert_eq!(
        (&first["intent"], first.as_object().map(serde_json::Map::len)),
        (&json!("time.query"), Some(3))
    );
    let asked = client.post(url("/api/dialog/text")).header("api-version", "v9").json(&turn).send().await;
    let refused = asked.expect("answers");
    assert_eq!(refused.status().as_u16(), 400);
    let problem: Value = refused.json().await.expect("is JSON");
    assert_eq!(problem["reason"], "voice.version.unsupported");
    assert!(
        refused_for_its_length(&platform.address).starts_with("HTTP/1.1 413"),
        "before a byte of it is sent"
    );
    let ask = json!({ "text": "타이머 맞춰 줘", "language": "ko", "conversation_id": "c1" });
    let answer = client.post(url("/api/conversation/process")).json(&ask).send().await.expect("answers");
    let told: Value = answer.json().await.expect("is JSON");
    assert_eq!(told["response"]["speech"]["plain"]["speech"], "몇 분으로 맞출까요?");
    assert_eq!((&told["continue_conversation"], &told["conversation_id"]), (&json!(true), &json!("c1")));
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs speech models and espeak-ng"]
async fn a_spoken_question_is_heard_and_answered_aloud() {
    let (Some(models), Some(espeak)) = (server::speech_models(), server::espeak()) else {
        return server::not_run("speech", "cargo xtask test has not installed espeak-ng and the models");
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let ears = format!("moonshine:{}", models.join("moonshine-tiny").display());
    let mouth = format!("espeak:{}", espeak.display());
    let platform =
        up(folder.path(), &["voice"], &[("IEUM__VOICE__EARS", &ears), ("IEUM__VOICE__MOUTH", &mouth)]);
    let said = std::process::Command::new(&espeak)
        .args(["-v", "en-us", "-s", "150", "--stdout", "what time is it"])
        .output()
        .expect("speaks");
    let mut body = Vec::new();
    for (name, value) in [("userId", &b"ada"[..]), ("language", b"en"), ("audio", &said.stdout)] {
        body.extend(format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(300)).build().expect("is made");
    let asked = client
        .post(format!("http://{}/api/dialog/audio", platform.address))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(body);
    let answer: Value = asked.send().await.expect("is answered").json().await.expect("the answer is JSON");
    assert_eq!(answer["intent"], "time.query", "{}", answer["text"]);
    let aloud = answer["audio"]["data"].as_str().unwrap_or_default();
    assert!(aloud.starts_with("UklGR") && aloud.len() > 10_000, "the answer comes as a WAVE file too");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_version_ends_when_settings_say() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let over = ("IEUM__VOICE__V1_SUNSET", "2026-01-01T00:00:00Z");
    let platform = up(folder.path(), &["voice"], &[over]);
    let client = reqwest::Client::new();
    let turn = json!({ "userId": "ada", "text": "what time is it" });
    for (path, expected) in [("/api/v1/dialog/text", 410), ("/api/v2/dialog/text", 200)] {
        let url = format!("http://{}{path}", platform.address);
        let answer = client.post(url).json(&turn).send().await.expect("answers");
        assert_eq!(answer.status().as_u16(), expected, "{path}");
    }
    platform.stop();
    let wrong = super::ieum(folder.path(), &[("IEUM__VOICE__V1_SUNSET", "soon")]).arg("check").output();
    let wrong = text(&wrong.expect("runs"));
    assert!(wrong.contains("voice.v1_sunset: \"soon\" is no moment"), "{wrong}");
}

#[test]
fn an_engine_that_there_is_not_is_named_by_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = super::ieum(folder.path(), &[("IEUM__VOICE__EARS", "vosk:/m")]).arg("check").output();
    let output = output.expect("runs");
    assert!(
        !output.status.success() && text(&output).contains("voice.ears: \"vosk:/m\" begins with no scheme"),
        "{}",
        text(&output)
    );
}

/// Announces a recording of 100 MB and returns the head of the answer.
fn refused_for_its_length(address: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = TcpStream::connect(address).expect("connects");
    let head = format!(
        "POST /api/dialog/audio HTTP/1.1\r\nHost: {address}\r\nContent-Type: multipart/form-data; boundary=x\r\n\
         Content-Length: 100000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("is taken");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("is answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_zone_that_there_is_not_is_named_by_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = super::ieum(folder.path(), &[("IEUM__VOICE__ZONE", "Asia/Soul")]).arg("check").output();
    let output = output.expect("runs");
    assert!(
        !output.status.success() && text(&output).contains("voice.zone: \"Asia/Soul\" is no time zone"),
        "{}",
        text(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_speaks_as_nobody_and_our_own_page_does() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let own = format!("http://{}", platform.address);
    let client = reqwest::Client::new();
    let turn = json!({ "userId": "kim", "text": "지금 몇 시야?" });
    let said = async |headers: &[(&str, &str)]| {
        let mut request = client.post(format!("{own}/api/v2/dialog/text")).json(&turn);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    };
    assert_eq!(said(&[]).await.0, 200, "a program");
    assert_eq!(said(&[("origin", &own), ("sec-fetch-site", "same-origin")]).await.0, 200, "our page");
    let (status, problem) =
        said(&[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(status, 403);
    assert!(problem.contains("door.foreign_page"), "{problem}");
    assert_eq!(said(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]).await.0, 403);
    let opened = async |origin: &str| {
        let request = client.get(format!("{own}/api/dialog/stream?userId=kim")).header("origin", origin);
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        let request = request.header("sec-websocket-version", "13");
        let request = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.send().await.expect("answers").status().as_u16()
    };
    assert_eq!((opened(&own).await, opened("http://evil.localhost").await), (101, 403));
    let overview = client.get(format!("{own}/api/operator/overview")).header("sec-fetch-site", "cross-site");
    assert_eq!(overview.send().await.expect("answers").status().as_u16(), 403, "the operator's pages");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_minute_of_the_finest_sound_passes_the_door() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let uploaded = async |bytes: usize| {
        let field = |name: &str| format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        let head = format!("{}kim\r\n{}48000\r\n{}", field("userId"), field("sampleRate"), field("audio"));
        let body = [head.as_bytes(), &vec![0; bytes], b"\r\n--b--\r\n"].concat();
        let request = reqwest::Client::new().post(format!("http://{}/api/dialog/audio", platform.address));
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
        Some(request.send().await.ok()?.status().as_u16())
    };
    // Who is refused before all is sent may find the connection closed before the answer is read.
    let uploaded = async |bytes: usize| {
        let told = wait::until_some("it is answered", PATIENCE, async || uploaded(bytes).await);
        told.await.expect("is answered")
    };
    assert_eq!(uploaded(29 * 48_000 * 2).await, 200);
    assert_eq!(uploaded(4 * 1024 * 1024 + 2).await, 413);
    platform.stop();
}
