//! One partner never reads of another's events, anywhere: every operation of every committed document is asked for
//! what is Busan's with the key of Seoul, the streams are watched, and nothing of Busan may show.
//!
//! Everything of Busan has "busan" in it. A document or an operation that is not covered here fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use ieum_testkit::wait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Running, up};

const PATIENCE: Duration = Duration::from_secs(180);

/// What happens to who asks for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    /// Refused, as forbidden or as unknown. The owner is answered.
    Refused,
    /// The same, and it changes something, so that the owner does not try it.
    RefusedChange,
    /// Answered with what is the asker's own.
    OwnOnly,
    /// Sent for as long as it is open, and only what is the asker's own.
    Stream,
    /// The same for everybody: names and sums.
    Everybody,
}

use Foreign::{Everybody, OwnOnly, Refused, RefusedChange, Stream};

/// Every operation: method, path as its document has it, and what is asked besides.
const COVERED: [(&str, &str, &str, Foreign); 66] = [
    ("get", "/api/events", "", OwnOnly),
    ("get", "/api/events/stream", "", Stream),
    ("get", "/api/events/socket", "", Stream),
    ("get", "/api/events/{eventId}", "", Refused),
    ("get", "/api/events/{eventId}/history", "", Refused),
    ("get", "/api/events/{eventId}/programme", "", Refused),
    ("get", "/api/events/{eventId}/gates", "", Refused),
    ("get", "/api/events/{eventId}/gates/flow", "", Refused),
    ("post", "/api/events/{eventId}/gates/scans", "", RefusedChange),
    ("get", "/api/dashboard", "", OwnOnly),
    ("post", "/hooks/{source}/{secret}", "", RefusedChange),
    ("get", "/api/insights", "", OwnOnly),
    ("get", "/api/insights/attendance", "", OwnOnly),
    ("get", "/api/insights/roi", "", OwnOnly),
    ("post", "/api/insights/ask", "", RefusedChange),
    ("get", "/api/events/{eventId}/insights", "", Refused),
    ("get", "/api/events/{eventId}/forecast", "", Refused),
    // The owner too is told nothing of people who are few.
    ("get", "/api/insights/{eventId}/behaviour", "", RefusedChange),
    ("get", "/api/notifications", "", OwnOnly),
    ("get", "/api/notifications", "?recipient={recipient}", Refused),
    ("get", "/api/notifications/stream", "", Stream),
    ("get", "/api/notifications/stream", "?recipient={recipient}", RefusedChange),
    ("get", "/api/notifications/recipient", "", RefusedChange),
    ("get", "/api/notifications/recipient", "?recipient={recipient}", Refused),
    ("put", "/api/notifications/recipient", "", RefusedChange),
    ("put", "/api/notifications/recipient", "?recipient={recipient}", RefusedChange),
    ("post", "/api/notifications/{messageId}/read", "", RefusedChange),
    // Nobody's partner speaks for people.
    ("post", "/api/dialog/text", "", RefusedChange),
    ("post", "/api/v1/dialog/text", "", RefusedChange),
    ("post", "/api/v2/dialog/text", "", RefusedChange),
    ("post", "/api/dialog/audio", "", RefusedChange),
    ("get", "/api/dialog/stream", "?userId=busan-person", RefusedChange),
    ("post", "/api/conversation/process", "", RefusedChange),
    // People are nobody's partner's: a key of theirs sees none.
    ("get", "/api/users", "", RefusedChange),
    ("get", "/api/users/{userId}", "", RefusedChange),
    ("put", "/api/users/{userId}", "", RefusedChange),
    ("delete", "/api/users/{userId}", "", RefusedChange),
    ("get", "/api/users/{userId}/devices", "", RefusedChange),
    ("post", "/api/users/{userId}/devices", "", RefusedChange),
    ("delete", "/api/users/{userId}/devices/{deviceId}", "", RefusedChange),
    ("get", "/api/users/{userId}/registrations/{registrationId}", "", RefusedChange),
    ("get", "/health/live", "", Everybody),
    ("get", "/health/ready", "", Everybody),
    ("get", "/health/startup", "", Everybody),
    // Its labels name every event.
    ("get", "/metrics", "", RefusedChange),
    ("get", "/openapi.json", "", Everybody),
    ("get", "/api/public/events", "", Everybody),
    ("get", "/api/partner/events", "", OwnOnly),
    ("get", "/api/partner/events/{eventId}/attendance", "", Refused),
    ("get", "/api/partner/analytics/summary", "", OwnOnly),
    ("get", "/api/premium/events/{eventId}/history", "", Refused),
    ("get", "/api/partner/usage", "", OwnOnly),
    ("post", "/api/partner/webhooks", "", OwnOnly),
    ("get", "/api/partner/webhooks", "", OwnOnly),
    ("get", "/api/partner/webhooks/{webhookId}", "", Refused),
    ("delete", "/api/partner/webhooks/{webhookId}", "", RefusedChange),
    ("post", "/api/partner/webhooks/{webhookId}/enable", "", RefusedChange),
    ("post", "/api/partner/webhooks/{webhookId}/rotate-secret", "", RefusedChange),
    ("post", "/api/partner/webhooks/{webhookId}/test", "", RefusedChange),
    ("get", "/api/partner/webhooks/{webhookId}/deliveries", "", Refused),
    ("post", "/api/partner/webhooks/{webhookId}/resend", "", RefusedChange),
    ("get", "/api/partner/webhooks/deliveries/{deliveryId}", "", Refused),
    ("get", "/api/partner/webhooks/deliveries/{deliveryId}/attempts", "", Refused),
    ("post", "/api/partner/webhooks/deliveries/{deliveryId}/resend", "", RefusedChange),
    // Twice, so that what the operations above might have changed would be seen.
    ("get", "/api/notifications/recipient", "?recipient={recipient}", Refused),
    ("get", "/api/partner/webhooks/{webhookId}", "", Refused),
];

/// A partner: its key and the id of the key.
struct Holder {
    text: String,
    id: String,
}

/// The running platform, with two partners.
struct Walk {
    platform: Running,
    client: reqwest::Client,
    seoul: Holder,
    busan: Holder,
}

impl Walk {
    async fn send(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> (u16, String) {
        let url = format!("http://{}{path}", self.platform.address);
        let mut request = self.client.request(method.to_uppercase().parse().expect("is a method"), url);
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    }

    /// Does what must succeed, and returns the answer.
    async fn made(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> Value {
        let (status, text) = self.send(method, path, key, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Lets somebody through a gate of the event.
    async fn enter(&self, city: &str, holder: &Holder, scan: &str) {
        let at = ieum_core::Clock::now(&ieum_core::SystemClock);
        let scans: Vec<Value> = (0..3)
            .map(|n| {
                json!({"scanId": format!("{scan}-{n}"), "gateId": format!("{city}-gate"), "direction": "in",
                "at": at, "ticket": format!("{city}-{scan}-{n}")})
            })
            .collect();
        let path = format!("/api/events/{city}-fair/gates/scans");
        self.made("post", &path, Some(&holder.text), Some(json!({ "scans": scans }))).await;
    }
}

/// Registers a fair of the city whose gates push, and makes a key that may do everything with it.
async fn partner(platform: &Running, client: &reqwest::Client, city: &str) -> Holder {
    let ask = async |path: &str, body: Value| -> Value {
        let url = format!("http://{}/api/operator{path}", platform.address);
        let answer = client.post(url).json(&body).send().await.expect("answers");
        let (status, text) = (answer.status(), answer.text().await.expect("is text"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("is JSON")
    };
    let source = json!({"eventId": format!("{city}-fair"), "serviceName": format!("{city} gates"), "connector": "push",
        "endpoints": {"api": format!("http://{city}.invalid")}, "authentication": {"type": "none"},
        "options": {"registered": "40", "capacity": "3"}});
    ask("/sources", source).await;
    let scopes = ["events", "attendance", "analytics", "webhooks", "details", "gates", "finance"];
    let scopes: Vec<String> = scopes.iter().map(|area| format!("{area}:*")).collect();
    let events = [format!("{city}-fair"), format!("{city}-talks")];
    let wish = json!({"name": city, "tier": "premium", "events": events, "scopes": scopes});
    let made = ask("/keys", wish).await;
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    Holder { text: text(&made["text"]), id: text(&made["key"]["keyId"]) }
}

/// Fails where an operation of a committed document is not covered; operating needs a scope that neither key has.
fn every_operation_is_covered(documents: &[(String, Value)]) {
    let covered: BTreeSet<_> = COVERED.iter().map(|(method, path, ..)| (*method, *path)).collect();
    for (name, document) in documents {
        for (path, item) in document["paths"].as_object().expect("has paths") {
            for method in item.as_object().expect("is an object").keys() {
                let known = covered.contains(&(method.as_str(), path.as_str())) || is_operating(path);
                assert!(known, "{method} {path} of {name} is described and not covered here");
            }
        }
    }
}

fn is_operating(path: &str) -> bool {
    path.starts_with("/api/operator/")
}

fn documents() -> Vec<(String, Value)> {
    let folder = std::fs::read_dir("../contracts/openapi").expect("is there");
    let read = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).expect("is text");
        (path.display().to_string(), serde_json::from_str(&text).expect("is JSON"))
    };
    folder.map(|entry| read(entry.expect("is a file").path())).collect()
}

fn body_of(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("post", "/api/events/{eventId}/gates/scans") => Some(json!({"scans": [{"scanId": "forged",
            "gateId": "north", "direction": "in", "at": "2026-01-01T00:00:00Z"}]})),
        ("post", "/api/insights/ask") => Some(json!({"sql": "SELECT * FROM event_attendance_data"})),
        ("post", "/api/users/{userId}/devices") => Some(json!({"deviceId": "forged"})),
        ("post", "/api/conversation/process") => Some(json!({"text": "what time is it"})),
        ("post", path) if path.ends_with("/dialog/text") => {
            Some(json!({"userId": "busan-person", "text": "what time is it"}))
        }
        ("post", "/api/partner/webhooks") => Some(json!({"url": "http://127.0.0.1:9/seoul"})),
        ("post", "/api/partner/webhooks/{webhookId}/resend") => {
            Some(json!({"since": "2020-01-01T00:00:00Z", "delivered": true}))
        }
        ("put", _) => Some(json!({"recipientId": "", "follows": ["busan-fair"]})),
        ("post", "/hooks/{source}/{secret}") => Some(json!({})),
        _ => None,
    }
}

/// What Busan has: the text that stands for each name within braces.
async fn filled(walk: &Walk) -> Vec<(&'static str, String)> {
    let busan = &walk.busan.text;
    let person = json!({"recipientId": "", "name": "Busan person", "follows": ["busan-fair"]});
    walk.made("put", "/api/notifications/recipient", Some(busan), Some(person)).await;
    let hook = json!({"url": "http://127.0.0.1:9/busan"});
    let webhook = walk.made("post", "/api/partner/webhooks", Some(busan), Some(hook)).await;
    let text = |value: &Value| value.as_str().expect("is text").to_owned();
    let webhook = text(&webhook["id"]);
    let money = json!({"eventId": "busan-fair", "entries": [{"entryId": "busan-hall", "kind": "cost",
        "label": "busan hall", "amountMinor": 400, "currency": "KRW"}]});
    walk.made("post", "/links/analytics.insights/record_money", None, Some(money)).await;
    for (city, holder) in [("seoul", &walk.seoul), ("busan", &walk.busan)] {
        walk.enter(city, holder, "first").await;
    }
    let told = async |path: &str, list: &str| -> String {
        let found = parking(walk, path, list).await;
        text(&found[list][0][if list == "messages" { "messageId" } else { "id" }])
    };
    let deliveries = format!("/api/partner/webhooks/{webhook}/deliveries");
    let delivery = told(&deliveries, "deliveries").await;
    let message = told("/api/notifications", "messages").await;
    for path in ["/api/events/busan-fair/insights", "/api/events/busan-fair/forecast"] {
        let known = async || walk.send("get", path, Some(busan), None).await.0 == 200;
        wait::until("history has heard of the fair", PATIENCE, known).await.expect("has");
    }
    vec![
        ("{eventId}", "busan-fair".to_owned()),
        ("{source}", "busan-fair".to_owned()),
        ("{secret}", "guessed".to_owned()),
        ("{webhookId}", webhook),
        ("{deliveryId}", delivery),
        ("{messageId}", message),
        ("{userId}", "busan-person".to_owned()),
        ("{deviceId}", "busan-device".to_owned()),
        ("{registrationId}", "busan-registration".to_owned()),
        ("{recipient}", format!("key:{}", walk.busan.id)),
    ]
}

/// Waits until the owner's list holds something, and returns the answer.
async fn parking(walk: &Walk, path: &str, list: &str) -> Value {
    let has = async || {
        let found = walk.made("get", path, Some(&walk.busan.text), None).await;
        found[list].as_array().is_some_and(|rows| !rows.is_empty())
    };
    wait::until(&format!("{path} holds something"), PATIENCE, has).await.expect("does");
    walk.made("get", path, Some(&walk.busan.text), None).await
}

/// Fails where something of Busan shows; who asks may be told again what it asked for.
fn shows_nothing(text: &str, asked: &str, place: &str) {
    let told = text.to_lowercase().replace(asked, "");
    assert!(!told.contains("busan"), "{place} tells of Busan: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_reads_of_anothers_events_anywhere() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let documents = documents();
    every_operation_is_covered(&documents);
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &[], &[]);
    let client = reqwest::Client::new();
    let (seoul, busan) =
        (partner(&platform, &client, "seoul").await, partner(&platform, &client, "busan").await);
    talks(&platform, &client).await;
    let walk = Walk { platform, client, seoul, busan };
    let names = filled(&walk).await;
    let figures = async || walk.send("get", "/metrics", None, None).await.1.contains("busan-fair");
    wait::until("figures name the fair", PATIENCE, figures).await.expect("do, to who may see them");
    let fill = |path: &str| names.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
    for (method, path, query, expected) in COVERED {
        let (real, place) = (fill(&format!("{path}{query}")), format!("{method} {path}{query}"));
        if expected == Stream {
            continue;
        }
        let (status, text) = walk.send(method, &real, Some(&walk.seoul.text), body_of(method, path)).await;
        match expected {
            Refused | RefusedChange => assert!([403, 404].contains(&status), "{place}: {status} {text}"),
            _ => assert!((200..300).contains(&status), "{place}: {status} {text}"),
        }
        if expected != Everybody {
            let asked = names.iter().map(|(_, id)| id.as_str()).find(|id| real.contains(id));
            shows_nothing(&text, asked.unwrap_or("nothing of another"), &place);
        }
        if expected == Refused {
            walk.made(method, &real, Some(&walk.busan.text), None).await;
        }
    }
    nobody_operates(&walk, &documents, &fill).await;
    streams_tell_ones_own_alone(&walk).await;
    let path = "/api/notifications/recipient";
    let person = walk.made("get", path, Some(&walk.busan.text), None).await;
    assert_eq!(person["name"], "Busan person", "what another asked for changed nothing");
    walk.platform.stop();
}

/// Registers a programme whose attendance is counted by Busan's gates.
async fn talks(platform: &Running, client: &reqwest::Client) {
    let feed = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//busan//EN\r\nBEGIN:VEVENT\r\nUID:busan-1\r\n\
                DTSTAMP:20261101T000000Z\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n\
                SUMMARY:Busan talk\r\nLOCATION:Busan hall\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let router = axum::Router::new().route("/talks.ics", axum::routing::get(async move || feed));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/talks.ics", listener.local_addr().expect("has an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let source = json!({"eventId": "busan-talks", "serviceName": "Busan talks", "connector": "icalendar",
        "endpoints": {"api": url}, "authentication": {"type": "none"},
        "options": {"attendedBy": "busan-fair"}});
    let url = format!("http://{}/api/operator/sources", platform.address);
    let answer = client.post(url).json(&source).send().await.expect("answers");
    let (status, text) = (answer.status(), answer.text().await.expect("is text"));
    assert!(status.is_success(), "{status} {text}");
    let read = async || {
        let url = format!("http://{}/api/events/busan-fair/programme", platform.address);
        let answer = client.get(url).send().await.expect("answers");
        answer.text().await.expect("is text").contains("Busan talk")
    };
    wait::until("the programme is read", PATIENCE, read).await.expect("is read");
}

/// Fails where a partner's key operates the platform.
async fn nobody_operates(walk: &Walk, documents: &[(String, Value)], fill: &dyn Fn(&str) -> String) {
    let mut asked = 0;
    for (path, item) in
        documents.iter().flat_map(|(_, document)| document["paths"].as_object().expect("is one"))
    {
        for method in item.as_object().expect("is an object").keys().filter(|_| is_operating(path)) {
            let path = fill(path).replace(['{', '}'], "");
            let (status, text) = walk.send(method, &path, Some(&walk.seoul.text), Some(json!({}))).await;
            assert_eq!(status, 403, "{method} {path}: {text}");
            shows_nothing(&text, "nothing of another", &path);
            asked += 1;
        }
    }
    assert!(asked > 20, "most operations were not asked for: {asked}");
}

/// Opens every stream with Seoul's key, lets people in at both fairs, and reads until Seoul's news are there.
async fn streams_tell_ones_own_alone(walk: &Walk) {
    let person = json!({"recipientId": "", "name": "Seoul person", "follows": ["seoul-fair"]});
    walk.made("put", "/api/notifications/recipient", Some(&walk.seoul.text), Some(person)).await;
    let streams = COVERED.iter().filter(|(.., expected)| *expected == Stream).map(|(_, path, ..)| *path);
    for path in streams {
        let mut stream = Opened::new(&walk.platform.address, path, &walk.seoul.text).await;
        let mut told = stream.until("\"", path).await;
        for (city, holder) in [("busan", &walk.busan), ("seoul", &walk.seoul)] {
            walk.enter(city, holder, path.rsplit('/').next().unwrap_or_default()).await;
        }
        if path.starts_with("/api/events/") {
            // The picture after the news: Seoul's gate is in it, and what came at the same time at Busan is not.
            told += &stream.until("seoul-gate", path).await;
        }
        shows_nothing(&told, "nothing of another", path);
    }
}

/// An open stream, event stream or WebSocket alike: what comes in, as text.
struct Opened(TcpStream);

impl Opened {
    async fn new(address: &str, path: &str, key: &str) -> Self {
        let mut connection = TcpStream::connect(address).await.expect("connects");
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let upgrade = if path.ends_with("socket") { upgrade } else { "" };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {key}\r\n{upgrade}\r\n");
        connection.write_all(request.as_bytes()).await.expect("asks");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.expect("answers"));
        }
        let head = String::from_utf8(head).expect("is text");
        assert!(["101", "200"].contains(&&head[9..12]), "{path}: {head}");
        Self(connection)
    }

    /// Reads on until something was told with `word` in it, and returns all of it.
    async fn until(&mut self, word: &str, path: &str) -> String {
        let read = async {
            let (mut told, mut piece) = (Vec::new(), [0; 4096]);
            while !String::from_utf8_lossy(&told).contains(word) {
                let count = self.0.read(&mut piece).await.expect("goes on");
                assert!(count > 0, "{path} ended");
                told.extend_from_slice(&piece[..count]);
            }
            String::from_utf8_lossy(&told).into_owned()
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("{path} never tells {word}"))
    }
}
