//! A device speaks for itself alone, whichever door it comes by: every door is tried by every wrong visitor.
//!
//! The kitchen and the bath are Ada's, the hall is Eve's. All come from elsewhere, as behind a proxy.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::{SinkExt, StreamExt, stream};
use ieum_dialogflow::proto::v2::sessions_client::SessionsClient;
use ieum_dialogflow::proto::{from_json, v2};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tonic::transport::Channel;

use super::{Running, up};

/// The doors.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    /// A page that takes JSON.
    Text(&'static str),
    Upload,
    Assistant,
    Stream,
    Rest,
    Grpc,
    GrpcStream,
}

const DOORS: [Door; 9] = [
    Door::Text("/api/dialog/text"),
    Door::Text("/api/v1/dialog/text"),
    Door::Text("/api/v2/dialog/text"),
    Door::Upload,
    Door::Assistant,
    Door::Stream,
    Door::Rest,
    Door::Grpc,
    Door::GrpcStream,
];

/// Whom a visitor names.
#[derive(Clone, Copy, Debug, Default)]
struct Claim {
    device: Option<&'static str>,
    user: Option<&'static str>,
    session: Option<&'static str>,
}

impl Claim {
    /// Returns what is named, under these names.
    fn fields(self, names: [&'static str; 3]) -> Vec<(&'static str, &'static str)> {
        let values = [self.device, self.user, self.session];
        names.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn json(self, names: [&'static str; 3]) -> Value {
        self.fields(names).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }
}

const NAMES: [&str; 3] = ["deviceId", "userId", "sessionId"];
const TIME: &str = "지금 몇 시야?";

/// A visitor from elsewhere: with a device's name and secret, or with nothing.
#[derive(Clone)]
struct Visitor<'a> {
    platform: &'a Running,
    client: reqwest::Client,
    shown: Option<String>,
}

impl<'a> Visitor<'a> {
    fn nobody(platform: &'a Running) -> Self {
        Self { platform, client: reqwest::Client::new(), shown: None }
    }

    fn device(platform: &'a Running, name: &str, secret: &str) -> Self {
        let shown = format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{secret}")));
        Self { shown: Some(shown), ..Self::nobody(platform) }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, String) {
        self.send(self.client.post(self.url(path)).json(body)).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.platform.address)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        let mut request = request.header("x-forwarded-for", "203.0.113.9");
        if let Some(shown) = &self.shown {
            request = request.header("authorization", shown);
        }
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    }

    /// Says something by a door; returns the HTTP status, or the one a gRPC status stands for, and what was told.
    async fn say(&self, door: Door, claim: Claim, text: &str) -> (u16, String) {
        match door {
            Door::Text(path) => {
                let mut body = claim.json(NAMES);
                body["text"] = json!(text);
                self.post(path, &body).await
            }
            Door::Assistant => {
                let mut body = claim.json(["device_id", "userId", "conversation_id"]);
                body["text"] = json!(text);
                self.post("/api/conversation/process", &body).await
            }
            Door::Upload => self.upload(claim).await,
            Door::Stream => match self.stream(claim).await {
                Err(refused) => refused,
                Ok(mut open) => {
                    let said = json!({ "type": "text", "text": text }).to_string();
                    open.send(Message::text(said)).await.expect("is sent");
                    (200, open.next().await.expect("answers").expect("is whole").to_string())
                }
            },
            Door::Rest => {
                let path = "/v2/projects/home/agent/sessions/talk:detectIntent";
                self.post(path, &question(claim, text)).await
            }
            Door::Grpc | Door::GrpcStream => self.grpc(door, claim, text).await,
        }
    }

    /// Uploads a recording; no engine hears it, which is an answer too.
    async fn upload(&self, claim: Claim) -> (u16, String) {
        let mut body = String::new();
        for (name, value) in claim.fields(NAMES).into_iter().chain([("audio", "ab")]) {
            body += &format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        let request = self.client.post(self.url("/api/dialog/audio"));
        let request = request.header("content-type", "multipart/form-data; boundary=cut");
        self.send(request.body(body + "--cut--\r\n")).await
    }

    async fn stream(&self, claim: Claim) -> Result<WebSocketStream<TcpStream>, (u16, String)> {
        let pairs: Vec<String> =
            claim.fields(NAMES).iter().map(|(name, value)| format!("{name}={value}")).collect();
        let url = format!("ws://{}/api/dialog/stream?{}", self.platform.address, pairs.join("&"));
        let mut request = url.into_client_request().expect("is a request");
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", "203.0.113.9".parse().expect("fits"));
        if let Some(shown) = &self.shown {
            headers.insert("authorization", shown.parse().expect("fits"));
        }
        let socket = TcpStream::connect(&self.platform.address).await.expect("connects");
        match client_async(request, socket).await {
            Ok((open, _)) => Ok(open),
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status().as_u16(), String::from_utf8(body).expect("is text")))
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn grpc(&self, door: Door, claim: Claim, text: &str) -> (u16, String) {
        let channel = Channel::from_shared(self.url("")).expect("is an address").connect_lazy();
        let mut sessions = SessionsClient::new(channel);
        let mut asked = question(claim, text);
        asked["session"] = json!("projects/home/agent/sessions/talk");
        let text = asked.to_string();
        let told = if door == Door::Grpc {
            let asked: v2::DetectIntentRequest = from_json(text.as_bytes()).expect("is one");
            let answer = sessions.detect_intent(self.request(asked)).await;
            answer.map(|answer| format!("{:?}", answer.into_inner()))
        } else {
            let asked: v2::StreamingDetectIntentRequest = from_json(text.as_bytes()).expect("is one");
            let opened = sessions.streaming_detect_intent(self.request(stream::iter([asked]))).await;
            match opened {
                Ok(answers) => {
                    answers.into_inner().next().await.expect("answers").map(|told| format!("{told:?}"))
                }
                Err(status) => Err(status),
            }
        };
        match told {
            Ok(told) => (200, told),
            Err(status) => {
                let number = match status.code() {
                    tonic::Code::Unauthenticated => 401,
                    tonic::Code::PermissionDenied => 403,
                    tonic::Code::InvalidArgument => 400,
                    _ => 500,
                };
                (number, status.message().to_owned())
            }
        }
    }

    fn request<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("x-forwarded-for", "203.0.113.9".parse().expect("fits"));
        if let Some(shown) = &self.shown {
            metadata.insert("authorization", shown.parse().expect("fits"));
        }
        request
    }
}

/// Returns a turn as Dialogflow's clients say it.
fn question(claim: Claim, text: &str) -> Value {
    let input = json!({ "text": { "text": text, "languageCode": "ko" } });
    json!({ "queryInput": input, "queryParams": { "payload": claim.json(NAMES) } })
}

fn secret(platform: &Running, folder: &std::path::Path, words: &[&str]) -> String {
    platform.ask(folder, words)["secret"].as_str().expect("is shown once").to_owned()
}

/// Makes Ada, Eve and their devices known; returns the secrets of kitchen and hall.
async fn household(platform: &Running, folder: &std::path::Path) -> (String, String) {
    let client = reqwest::Client::new();
    for (user, devices) in [("ada", ["kitchen", "bath"].as_slice()), ("eve", &["hall"])] {
        let url = format!("http://{}/api/users/{user}", platform.address);
        let made = client.put(&url).json(&json!({ "name": user })).send().await.expect("answers");
        assert!(made.status().is_success());
        for device in devices {
            let wish = json!({ "deviceId": device, "type": "speaker" });
            let made = client.post(format!("{url}/devices")).json(&wish).send().await.expect("answers");
            assert!(made.status().is_success(), "{}", made.text().await.expect("is text"));
        }
    }
    let added = |device| secret(platform, folder, &["device", "add", device]);
    (added("kitchen"), added("hall"))
}

const PARTS: [&str; 4] = ["voice", "device", "identity", "payment"];

#[tokio::test(flavor = "multi_thread")]
async fn a_device_speaks_for_itself_alone_at_every_door() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &PARTS, &[]);
    let (old, _) = household(&platform, folder.path()).await;
    let kitchen = secret(&platform, folder.path(), &["device", "rotate", "kitchen", "--overlap", "0s"]);
    let right = Visitor::device(&platform, "kitchen", &kitchen);
    let own = Claim { device: Some("kitchen"), user: Some("ada"), session: Some("lunch") };
    for door in DOORS {
        for claim in [Claim::default(), own, Claim { session: Some("device:kitchen"), ..Claim::default() }] {
            let (status, told) = right.say(door, claim, TIME).await;
            assert_eq!(status, 200, "{door:?} {claim:?}: {told}");
        }
        let other = Claim { device: Some("bath"), ..Claim::default() };
        let person = Claim { user: Some("eve"), ..Claim::default() };
        let session = Claim { session: Some("device:hall"), ..Claim::default() };
        for (claim, field) in [(other, "deviceId"), (person, "userId"), (session, "sessionId")] {
            if door == Door::Assistant && field == "userId" {
                continue;
            }
            let (status, told) = right.say(door, claim, TIME).await;
            assert_eq!(status, 403, "{door:?} {claim:?}: {told}");
            assert!(told.contains(&format!("field {field}: ")), "{door:?}: {told}");
        }
        for (visitor, why) in [
            (Visitor::nobody(&platform), "nothing is shown"),
            (Visitor::device(&platform, "kitchen", "guess"), "a wrong secret"),
            (Visitor::device(&platform, "kitchen", &old), "a secret that was replaced"),
            (Visitor::device(&platform, "hall", &kitchen), "another device's secret"),
        ] {
            let claim = Claim { device: Some("kitchen"), ..Claim::default() };
            let (status, told) = visitor.say(door, claim, TIME).await;
            assert!([401, 429].contains(&status), "{door:?}, {why}: {status} {told}");
            assert!(!told.contains(&kitchen) && !told.contains(&old), "{door:?}: {told}");
        }
    }
    let guess = Visitor::device(&platform, "kitchen", "guess");
    let mut told = Vec::new();
    for _ in 0..30 {
        told.push(guess.say(DOORS[0], own, TIME).await.0);
    }
    assert!(told.contains(&429), "who guesses is held back: {told:?}");
    assert_eq!(right.say(DOORS[0], own, TIME).await.0, 200, "who is in is not");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_on_with_the_conversation_of_another() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &PARTS, &[]);
    let (kitchen, hall) = household(&platform, folder.path()).await;
    let kitchen = Visitor::device(&platform, "kitchen", &kitchen);
    let hall = Visitor::device(&platform, "hall", &hall);
    let lunch = Claim { session: Some("lunch"), ..Claim::default() };
    for door in DOORS.into_iter().filter(|door| *door != Door::Upload) {
        // Over Dialogflow the contexts carry the question; its sessions have the same name, too.
        let claim =
            if matches!(door, Door::Rest | Door::Grpc | Door::GrpcStream) { Claim::default() } else { lunch };
        let (_, asked) = kitchen.say(door, claim, "리마인더 맞춰 줘").await;
        assert!(asked.contains("무엇을 알려 드릴까요?"), "{door:?}: {asked}");
        let (_, stolen) = hall.say(door, claim, "흐물렁").await;
        assert!(!stolen.contains("언제 알려 드릴까요?"), "{door:?}: {stolen}");
        let (_, set) = kitchen.say(door, claim, "흐물렁").await;
        assert!(set.contains("언제 알려 드릴까요?"), "{door:?}: {set}");
    }
    let contexts = "/v2/projects/home/agent/sessions/talk/contexts";
    let listed = |visitor: &Visitor<'_>| visitor.client.get(visitor.url(contexts));
    assert!(kitchen.send(listed(&kitchen)).await.1.contains("contexts/reminder"), "its own");
    let (status, told) = hall.send(listed(&hall)).await;
    assert!(status == 200 && !told.contains("contexts/"), "{told}");
    let gone = hall.send(hall.client.delete(hall.url(contexts))).await;
    assert_eq!(gone.0, 200, "{}", gone.1);
    assert!(kitchen.send(listed(&kitchen)).await.1.contains("contexts/reminder"), "nobody else deletes it");
    // The same id is another turn: what the kitchen was told is not told to the hall.
    let turn = json!({ "text": TIME, "turnId": "one" });
    let first: Value =
        serde_json::from_str(&kitchen.post("/api/dialog/text", &turn).await.1).expect("is JSON");
    let second: Value = serde_json::from_str(&hall.post("/api/dialog/text", &turn).await.1).expect("is JSON");
    assert_eq!((&first["userId"], &second["userId"]), (&json!("ada"), &json!("eve")));
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_dialogflow_are_refused_at_the_door_in_googles_shape() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &PARTS, &[]);
    let (kitchen, _) = household(&platform, folder.path()).await;
    let (nobody, kitchen) = (Visitor::nobody(&platform), Visitor::device(&platform, "kitchen", &kitchen));
    let wrong = Visitor::device(&platform, "kitchen", "wrong");
    let detect = "/v2/projects/home/agent/sessions/talk:detectIntent";
    let long = format!("{{\"queryInput\":{{\"text\":{{\"text\":\"{}\"}}}}}}", "x".repeat(8 * 1024 * 1024));
    for (visitor, path, body, code, status, reason) in [
        (&nobody, detect, "{}", 401, "UNAUTHENTICATED", "VOICE_NOBODY"),
        (&wrong, detect, "{}", 401, "UNAUTHENTICATED", "GATEWAY_PASSWORD_WRONG"),
        (&kitchen, detect, "{\"queryInput\": ", 400, "INVALID_ARGUMENT", "DIALOGFLOW_REQUEST"),
        (&kitchen, detect, &long, 400, "INVALID_ARGUMENT", "GATEWAY_BODY_TOO_LARGE"),
        (&kitchen, "/v2/projects/home/agent/nothing", "{}", 404, "NOT_FOUND", "DIALOGFLOW_PATH"),
        (&kitchen, "/v2/nothing", "{}", 404, "NOT_FOUND", "DIALOGFLOW_PATH"),
    ] {
        let asked = visitor.client.post(visitor.url(path)).header("content-type", "application/json");
        let (answered, told) = visitor.send(asked.body(body.to_owned())).await;
        let shown = told.chars().take(300).collect::<String>();
        let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{path}: {shown}"));
        let error = &told["error"];
        assert_eq!(
            (answered, &error["code"], &error["status"]),
            (code, &json!(code), &json!(status)),
            "{shown}"
        );
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{shown}");
        let kind = "type.googleapis.com/google.rpc.ErrorInfo";
        let why = json!({ "@type": kind, "reason": reason, "domain": "ieum" });
        assert_eq!(error["details"], json!([why]), "{shown}");
    }
    let asked = nobody.client.post(nobody.url(detect)).header("x-forwarded-for", "203.0.113.9");
    let answer = asked.send().await.expect("answers");
    assert_eq!(answer.headers()["content-type"], "application/json; charset=UTF-8");
    let problem = nobody.post("/api/dialog/text", &json!({ "text": TIME })).await;
    assert!(
        problem.1.contains("urn:ieum:problem:voice.nobody"),
        "other doors speak as before: {}",
        problem.1
    );
    let (status, told) = nobody.say(Door::Grpc, Claim::default(), TIME).await;
    assert!(status == 401 && told.contains("speaking from another machine"), "{status} {told}");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_by_any_other_door() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &PARTS, &[]);
    let (kitchen, _) = household(&platform, folder.path()).await;
    let kitchen = Visitor::device(&platform, "kitchen", &kitchen);
    let lunch = Claim { session: Some("lunch"), ..Claim::default() };
    let mut doors = DOORS.into_iter().filter(|door| *door != Door::Upload).collect::<Vec<_>>();
    for _ in 0..doors.len() {
        let (_, asked) = kitchen.say(doors[0], lunch, "리마인더 맞춰 줘").await;
        assert!(asked.contains("무엇을 알려 드릴까요?"), "{:?}: {asked}", doors[0]);
        let (_, told) = kitchen.say(doors[1], lunch, "흐물렁").await;
        assert!(told.contains("언제 알려 드릴까요?"), "{:?} after {:?}: {told}", doors[1], doors[0]);
        doors.rotate_left(1);
    }
    platform.stop();
}

/// Reads that the secret ended, and that the stream is closed for it.
async fn ends_for_its_secret(open: &mut WebSocketStream<TcpStream>, patience: Duration) {
    let told = tokio::time::timeout(patience, open.next()).await.expect("in time");
    let told = told.expect("answers").expect("is whole").to_string();
    assert!(told.contains("gateway.password_ended"), "{told}");
    let Some(Ok(Message::Close(Some(frame)))) = open.next().await else { panic!("is closed") };
    assert_eq!(u16::from(frame.code), 1_008);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_once_the_secret_is_replaced() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let added = secret(&platform, folder.path(), &["device", "add", "kitchen"]);
    let kitchen = Visitor::device(&platform, "kitchen", &added);
    let mut open = kitchen.stream(Claim::default()).await.expect("is let in");
    let said = json!({ "type": "text", "text": TIME }).to_string();
    open.send(Message::text(&said)).await.expect("is sent");
    assert!(open.next().await.expect("answers").expect("is whole").to_string().contains("DIALOG_RESPONSE"));
    secret(&platform, folder.path(), &["device", "rotate", "kitchen", "--overlap", "0s"]);
    open.send(Message::text(&said)).await.expect("is sent");
    ends_for_its_secret(&mut open, Duration::from_secs(120)).await;
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_that_only_listens_ends_with_the_secret_too() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let added = secret(&platform, folder.path(), &["device", "add", "kitchen"]);
    let kitchen = Visitor::device(&platform, "kitchen", &added);
    let mut open = kitchen.stream(Claim::default()).await.expect("is let in");
    let said = json!({ "type": "text", "text": "25초 타이머 맞춰 줘" }).to_string();
    open.send(Message::text(&said)).await.expect("is sent");
    let told = open.next().await.expect("answers").expect("is whole").to_string();
    assert!(told.contains("timer.start"), "{told}");
    secret(&platform, folder.path(), &["device", "rotate", "kitchen", "--overlap", "0s"]);
    // It says no more; what rings is told to nobody whose secret ended. Until then there is time to replace it.
    ends_for_its_secret(&mut open, Duration::from_secs(180)).await;
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_speaks_for_anybody_and_this_machine_too() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[]);
    household(&platform, folder.path()).await;
    let made = |scope| {
        let words = ["key", "create", "--name", "app", "--tier", "partner", "--scope", scope];
        platform.ask(folder.path(), &words)["text"].as_str().expect("is shown once").to_owned()
    };
    let body = json!({ "deviceId": "hall", "userId": "eve", "text": TIME });
    let client = reqwest::Client::new();
    let url = format!("http://{}/api/dialog/text", platform.address);
    for (scope, status) in [("voice:use", 200), ("events:read", 403)] {
        let request = client.post(&url).json(&body).header("x-forwarded-for", "203.0.113.9");
        let answer = request.header("x-api-key", made(scope)).send().await.expect("answers");
        assert_eq!(answer.status().as_u16(), status, "{scope}");
    }
    assert_eq!(client.post(&url).json(&body).send().await.expect("answers").status().as_u16(), 200);
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_devices_credentials_open_the_dialogue_alone_on_this_machine_too() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &PARTS, &[]);
    let (kitchen, _) = household(&platform, folder.path()).await;
    let client = reqwest::Client::new();
    let asked = async |method: reqwest::Method, path: &str, shown: Option<&str>| {
        let mut request = client.request(method, format!("http://{}{path}", platform.address));
        request = shown.into_iter().fold(request, |request, shown| request.header("authorization", shown));
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("is text"))
    };
    let basic = |pair: String| format!("Basic {}", BASE64_STANDARD.encode(pair));
    let (right, wrong) = (basic(format!("kitchen:{kitchen}")), basic("kitchen:guess".to_owned()));
    for path in ["/api/users/ada", "/api/operator/links", "/metrics"] {
        let (status, told) = asked(reqwest::Method::GET, path, Some(&right)).await;
        assert!(status == 403 && told.contains("do not open this; show an API key"), "{path}: {told}");
        for shown in [&wrong, "Bearer guess", "Bearer", "Digest x"] {
            let (status, told) = asked(reqwest::Method::GET, path, Some(shown)).await;
            assert_eq!(status, 401, "{path} {shown}: {told}");
        }
        assert_eq!(asked(reqwest::Method::GET, path, None).await.0, 200, "{path} to who shows nothing");
    }
    assert_eq!(asked(reqwest::Method::DELETE, "/api/users/ada", Some(&right)).await.0, 403);
    assert_eq!(asked(reqwest::Method::GET, "/api/users/ada", None).await.0, 200, "she is there still");
    let called = asked(reqwest::Method::POST, "/links/identity.users/show", Some(&right)).await;
    assert!(called.0 == 403 && called.1.contains("link.caller_refused"), "{}", called.1);
    platform.stop();
}
