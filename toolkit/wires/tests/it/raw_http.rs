//! The HTTP wire at the level of bytes: what a stranger may send, and what it is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ieum_core::{Fault, Problem, system_clock};
use ieum_link::{Call, Contract, Link, Payload, Reply};
use ieum_policy::{FallbackKind, Origin};
use ieum_wires::http::{HttpWire, HttpWireConfig, LinkServerOptions, serve_link};
use ieum_wires::modes::{LinkServer, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sample::{Answerer, DESK_CONTRACT};
use crate::suite::soon;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn problem(&self) -> Problem {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem: Problem = serde_json::from_str(&self.body).expect("is a problem");
        assert_eq!(problem.status, self.status);
        problem
    }
}

async fn start() -> (Answerer, LinkServer) {
    let answerer = Answerer::default();
    let router = router(answerer.routes(), system_clock());
    let server = LinkServer::start(router, system_clock()).await.expect("starts");
    (answerer, server)
}

/// Sends bytes as they are and reads until the server closes.
async fn send(server: &LinkServer, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(server.address()).await.expect("connects");
    // A server that refuses early may close before it took everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    soon("the answer", stream.read_to_end(&mut answer)).await.expect("is read");
    let text = String::from_utf8(answer).expect("is text");
    let (head, body) = text.split_once("\r\n\r\n").expect("has a head");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("has a status");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntraceparent: {TRACE}\r\n\
         content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[tokio::test]
async fn garbage_is_answered_with_a_problem_that_says_where() {
    let (answerer, server) = start().await;
    for body in ["{\"text\": \"a\", \"number\": \"seven\"}", "{", "", "\u{0}", "null"] {
        let answer = send(&server, &post("/links/sample.desk/mirror", "application/json", body)).await;
        assert_eq!(answer.status, 400, "{body}");
        let problem = answer.problem();
        assert_eq!(problem.reason, "link.message");
        assert_eq!(problem.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert!(problem.detail.contains("line 1"), "{body}: {}", problem.detail);
        let field = "reading the message: number: invalid type: string \"seven\", expected i64 at line 1";
        assert!(!body.contains("seven") || problem.detail.contains(field), "{}", problem.detail);
    }
    assert_eq!(answerer.0.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_good_message_is_answered_with_json_and_a_notice_with_202() {
    let (answerer, server) = start().await;
    let looked =
        send(&server, &post("/links/sample.desk/look", "application/json; charset=utf-8", "{}")).await;
    assert_eq!(looked.status, 200);
    assert!(looked.head.contains("content-type: application/json") && looked.body.contains(TRACE));
    assert!(!looked.head.contains("ieum-origin"), "{}", looked.head);
    let idle = r#"{"text":"s-1"}"#;
    let noticed = send(&server, &post("/links/sample.desk/idle", "application/json", idle)).await;
    assert_eq!((noticed.status, &*noticed.body), (202, ""));
    assert_eq!(*answerer.0.gone.lock(), ["s-1"]);
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let (_, server) = start().await;
    for path in ["sample.desk/none", "sample.none/get", "%E3%85%8B/%00"] {
        let answer = send(&server, &post(&format!("/links/{path}"), "application/json", "{}")).await;
        assert_eq!(answer.status, 404);
        let problem = answer.problem();
        let reason = if path == "sample.desk/none" { "link.unknown_operation" } else { "link.unserved" };
        assert_eq!(problem.reason, reason);
        assert!(problem.detail.contains(path) || path.contains('%'), "{}", problem.detail);
    }
    let stream = send(&server, &post("/links/sample.talk/echo", "application/json", "{}")).await;
    assert_eq!((stream.status, &*stream.problem().reason), (501, "link.no_streams"));
}

#[tokio::test]
async fn another_content_type_or_method_is_refused() {
    let (_, server) = start().await;
    for content_type in ["text/plain", "application/jsonx", "", "application/x-www-form-urlencoded"] {
        let answer = send(&server, &post("/links/sample.desk/look", content_type, "{}")).await;
        assert_eq!((answer.status, &*answer.problem().reason), (415, "link.content_type"));
    }
    let get = b"GET /links/sample.desk/look HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = send(&server, get).await;
    assert_eq!((answer.status, &*answer.problem().reason), (405, "link.method"));
    assert!(answer.head.contains("allow: post"), "{}", answer.head);
}

#[tokio::test]
async fn an_over_long_message_is_refused_however_it_is_sent() {
    let (answerer, server) = start().await;
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let told = send(&server, &post("/links/sample.desk/look", "application/json", &long)).await;
    assert_eq!((told.status, &*told.problem().reason), (413, "link.message_too_long"));
    let mut chunked = b"POST /links/sample.desk/look HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec();
    for _ in 0..40 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b' ', 0x10000));
        chunked.extend_from_slice(b"\r\n");
    }
    let untold = send(&server, &chunked).await;
    assert_eq!((untold.status, &*untold.problem().reason), (413, "link.message_too_long"));
    assert_eq!(answerer.0.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_message_that_never_ends_is_answered_at_the_callers_deadline() {
    let (_, server) = start().await;
    let start = b"POST /links/sample.desk/look HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/json\r\nieum-timeout-ms: 200\r\ncontent-length: 9\r\n\r\n{";
    let answer = send(&server, start).await;
    assert_eq!((answer.status, &*answer.problem().reason), (504, "link.deadline"));
}

#[tokio::test]
async fn a_caller_that_cuts_its_connection_ends_the_work() {
    let (answerer, server) = start().await;
    let mut stream = TcpStream::connect(server.address()).await.expect("connects");
    stream.write_all(&post("/links/sample.desk/hang", "application/json", "{}")).await.expect("is sent");
    answerer.0.until("the work begins", |diary| diary.started.load(Ordering::SeqCst) == 1).await;
    drop(stream);
    answerer.0.until("the work stops", |diary| diary.dropped.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_fault_carries_its_wait_as_seconds_rounded_up() {
    let (_, server) = start().await;
    let ask = r#"{"code":"unavailable","reason":"a.b","message":"x","retryAfterMs":1500}"#;
    let answer = send(&server, &post("/links/sample.desk/fail", "application/json", ask)).await;
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 2"), "{}", answer.head);
    assert_eq!(answer.problem().retry_after_ms, Some(1_500));
}

#[tokio::test]
async fn an_answer_that_is_not_live_says_so_over_the_wire() {
    static DESK: &[&Contract] = &[&DESK_CONTRACT];
    let origin = Origin::Fallback(FallbackKind::LastGood { age: std::time::Duration::from_millis(70) });
    let kept = origin;
    let standing_in = Link::new(tower::service_fn(move |_: Call| async move {
        Ok::<_, Fault>(Reply { payload: Payload::json("{}".into()), origin: kept })
    }));
    let router = serve_link(DESK, standing_in, LinkServerOptions::default(), system_clock());
    let server = LinkServer::start(router, system_clock()).await.expect("starts");
    let raw = send(&server, &post("/links/sample.desk/look", "application/json", "{}")).await;
    assert!(raw.head.contains("ieum-origin: last-good;age_ms=70"), "{}", raw.head);
    let wire = HttpWire::new(HttpWireConfig::new(server.instances()), system_clock());
    let call = Call {
        operation: &DESK_CONTRACT.operations[0],
        cx: ieum_core::Cx::root(),
        payload: Payload::json("{}".into()),
    };
    assert_eq!(Arc::new(wire.link()).call(call).await.expect("answers").origin, origin);
}
