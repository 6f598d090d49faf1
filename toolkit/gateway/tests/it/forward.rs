//! What goes through to the server behind the gateway, what does not, and what happens when that server fails.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use ieum_gateway::{ForwardOptions, GatewayOptions, Rate, Tier};
use ieum_testkit::port::KeptPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::stage::Stage;

/// A server behind the gateway that answers as told and hands over what it read of each request.
struct Upstream {
    address: SocketAddr,
    seen: mpsc::UnboundedReceiver<String>,
}

/// Reads the head and the declared or chunked body of one request.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |text| text.parse().expect("is a length"));
            let chunked = head.contains("transfer-encoding: chunked");
            if if chunked { body.ends_with("0\r\n\r\n") } else { body.len() >= length } {
                return Some(text);
            }
        }
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

impl Upstream {
    /// Answers every request with `answer`; `None` never answers. A connection ends after one answer that
    /// declares no whole length.
    async fn answering(answer: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("has an address");
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (tell, answer) = (tell.clone(), answer.clone());
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut socket).await {
                        let _ = tell.send(request);
                        match &answer {
                            Some(answer) => socket.write_all(answer).await.expect("writes"),
                            None => std::future::pending().await,
                        }
                        if String::from_utf8_lossy(answer.as_deref().unwrap_or_default()).contains("cut") {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, seen }
    }

    async fn saying(body: &str) -> Self {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-own: yes\r\n\r\n{body}", body.len());
        Self::answering(Some(answer.into_bytes())).await
    }

    fn options(&self) -> ForwardOptions {
        let to = format!("http://{}/base", self.address).parse().expect("is a URL");
        ForwardOptions { tier: Tier::Public, ..ForwardOptions::new("/api/x", to) }
    }

    async fn saw(&mut self) -> String {
        self.seen.recv().await.expect("a request came").to_ascii_lowercase()
    }

    fn saw_nothing(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }
}

pub async fn stage() -> Stage {
    Stage::with(GatewayOptions {
        max_body: 10_000_000,
        public: Rate::per_minute(1_000),
        ..Default::default()
    })
    .await
}

/// Serves the route over TCP, as a client sees it.
pub async fn serve(stage: &Stage, options: ForwardOptions) -> SocketAddr {
    let router: Router = stage.gateway.forward(options).expect("is a route");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Sends raw bytes and reads until the gateway closes.
pub async fn raw(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut socket = TcpStream::connect(address).await.expect("connects");
    socket.write_all(bytes.as_ref()).await.expect("writes");
    let mut read = Vec::new();
    // A reset after an answer that says close is an end too.
    let _ = socket.read_to_end(&mut read).await;
    String::from_utf8_lossy(&read).into_owned()
}

pub fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: gate.example\r\nconnection: close\r\n{more}\r\n")
}

#[tokio::test]
async fn a_request_goes_through_with_identity_trace_and_time_of_ours_alone() {
    let stage = stage().await;
    let mut upstream = Upstream::saying("hello").await;
    let (record, key) = stage.key(Tier::Partner).await;
    let gate = serve(&stage, ForwardOptions { tier: Tier::Partner, ..upstream.options() }).await;
    let key = key.expose();
    let forged = "ieum-caller: root\r\nIeum-Tier: premium\r\nieum-scopes: all:*\r\nieum-tenant: other\r\n\
        x-forwarded-for: 6.6.6.6\r\nx-forwarded-host: evil\r\nforwarded: for=6.6.6.6\r\nx-own: mine\r\n";
    let answer = raw(gate, get("/api/x/a/b?c=d", &format!("x-api-key: {key}\r\n{forged}"))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("x-own: yes") && answer.contains("x-request-id: "), "{answer}");
    let seen = upstream.saw().await;
    assert!(seen.starts_with("get /base/a/b?c=d http/1.1\r\n"), "{seen}");
    let id = record.id.to_ascii_lowercase();
    for line in [
        format!("ieum-caller: {id}"),
        "ieum-tier: partner".into(),
        "ieum-scopes: attendance:read".into(),
        "ieum-timeout-ms: 30000".into(),
        "x-forwarded-for: 127.0.0.1".into(),
        "x-forwarded-host: gate.example".into(),
        "x-forwarded-proto: http".into(),
        format!("host: {}", upstream.address),
        "x-own: mine".into(),
    ] {
        assert_eq!(seen.lines().filter(|one| **one == line).count(), 1, "{line}: {seen}");
    }
    for gone in ["root", "premium", "all:*", "ieum-tenant", "6.6.6.6", "evil", "x-api-key", "forwarded: for"]
    {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    assert_eq!(seen.matches("traceparent: 00-").count(), 1, "{seen}");
}

#[tokio::test]
async fn hop_by_hop_headers_end_here_in_both_directions() {
    let stage = stage().await;
    let answer = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive, x-secret\r\nx-secret: 1\r\n\
        keep-alive: timeout=5\r\nproxy-authenticate: Basic\r\nieum-caller: root\r\n\r\nok";
    let mut upstream = Upstream::answering(Some(answer.as_bytes().to_vec())).await;
    let gate = serve(&stage, upstream.options()).await;
    let more = "connection: x-mine, content-length, host\r\nx-mine: 1\r\nkeep-alive: 5\r\nte: trailers\r\ntrailer: x\r\n\
        proxy-authorization: Basic eA==\r\nproxy-connection: keep-alive\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n";
    let answer = raw(gate, get("/api/x", more)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    for gone in ["x-secret", "keep-alive", "proxy-authenticate", "ieum-caller"] {
        assert!(!answer.contains(gone), "{gone}: {answer}");
    }
    let seen = upstream.saw().await;
    for gone in ["x-mine", "keep-alive", "\r\nte:", "trailer", "proxy-", "upgrade", "connection:"] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    assert_eq!(seen.matches("\r\nhost: ").count(), 1, "{seen}");
}

#[tokio::test]
async fn a_request_whose_end_two_servers_could_see_differently_never_goes_through_as_two() {
    let stage = stage().await;
    let mut upstream = Upstream::saying("ok").await;
    let gate = serve(&stage, upstream.options()).await;
    let hidden = "GET /base/hidden HTTP/1.1\r\nhost: x\r\n\r\n";
    for (what, head, body) in [
        (
            "length and chunks",
            "content-length: 4\r\ntransfer-encoding: chunked\r\n",
            format!("0\r\n\r\n{hidden}"),
        ),
        (
            "chunks and length",
            "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
            format!("0\r\n\r\n{hidden}"),
        ),
        ("two lengths", "content-length: 0\r\ncontent-length: 44\r\n", hidden.to_owned()),
        ("a list of lengths", "content-length: 0, 44\r\n", hidden.to_owned()),
        ("a signed length", "content-length: +0\r\n", hidden.to_owned()),
        ("unknown coding", "transfer-encoding: xchunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("coding after chunked", "transfer-encoding: chunked, identity\r\n", format!("0\r\n\r\n{hidden}")),
        ("a space before the colon", "transfer-encoding : chunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("a folded coding", "transfer-encoding:\r\n chunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("an over-long chunk", "transfer-encoding: chunked\r\n", format!("ffffffffffffffff1\r\n{hidden}")),
        ("a bare line feed", "x: y\ntransfer-encoding: chunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("a null in a value", "x: a\0b\r\n", hidden.to_owned()),
    ] {
        let request = format!("POST /api/x HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n{head}\r\n{body}");
        let answer = raw(gate, request).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{what}: {answer}");
        while let Ok(seen) = upstream.seen.try_recv() {
            let head = seen.split("\r\n\r\n").next().expect("has a head").to_ascii_lowercase();
            assert!(!head.contains("hidden"), "{what} went through: {seen}");
            assert!(
                !(head.contains("content-length") && head.contains("transfer-encoding")),
                "{what} went through as ambiguous: {seen}"
            );
        }
    }
}

#[tokio::test]
async fn a_path_that_leaves_what_is_open_is_refused_and_so_are_tunnels_and_websockets() {
    let stage = stage().await;
    let mut upstream = Upstream::saying("ok").await;
    let gate = serve(&stage, upstream.options()).await;
    for path in ["/api/x/../admin", "/api/x/%2e%2e/admin", "/api/x/a/.%2E/..%2fb", "/api/x/..%5cadmin"] {
        let answer = raw(gate, get(path, "")).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("gateway.path_unsafe"),
            "{path}: {answer}"
        );
    }
    let socket =
        "upgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";
    let answer = raw(gate, get("/api/x/ws", socket)).await;
    assert!(answer.starts_with("HTTP/1.1 501") && answer.contains("gateway.upgrade_refused"), "{answer}");
    assert!(upstream.saw_nothing());
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let stage = stage().await;
    let size = 3_000_000;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{}", "y".repeat(size));
    let mut upstream = Upstream::answering(Some(answer.into_bytes())).await;
    let gate = serve(&stage, upstream.options()).await;
    let head =
        format!("POST /api/x HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n");
    let answer = raw(gate, format!("{head}{}", "x".repeat(size))).await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    assert_eq!(
        answer.matches('y').count()
            - answer.split("\r\n\r\n").next().expect("has a head").matches('y').count(),
        size
    );
    assert!(upstream.saw().await.len() > size);

    let head = "POST /api/x HTTP/1.1\r\nhost: g\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks: String = (0..100).map(|_| format!("2710\r\n{}\r\n", "z".repeat(10_000))).collect();
    let answer = raw(gate, format!("{head}{chunks}0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"));
    let seen = upstream.saw().await;
    assert!(seen.contains("transfer-encoding: chunked") && seen.matches('z').count() == 1_000_000);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_a_declared_length() {
    let stage = stage().await;
    let upstream = Upstream::saying("ok").await;
    let gate = serve(&stage, ForwardOptions { most_body: Some(1_000), ..upstream.options() }).await;
    let declared = "POST /api/x HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 1001\r\n\r\n";
    let answer = raw(gate, declared).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("gateway.body_too_large"), "{answer}");
    let head = "POST /api/x HTTP/1.1\r\nhost: g\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = raw(gate, format!("{head}3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1_001))).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("gateway.body_too_large"), "{answer}");
}

#[tokio::test]
async fn a_server_that_goes_in_the_middle_is_told_as_such() {
    let stage = stage().await;
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\ncut".to_vec();
    let upstream = Upstream::answering(Some(short)).await;
    let answer = raw(serve(&stage, upstream.options()).await, get("/api/x", "")).await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("gateway.upstream_broken"), "{answer}");

    let streamed = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ncut\r\n".to_vec();
    let upstream = Upstream::answering(Some(streamed)).await;
    let answer = raw(serve(&stage, upstream.options()).await, get("/api/x", "")).await;
    // What had not gone out yet when the server went may be lost with the connection.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "a cut answer must not look whole: {answer}");

    let nonsense = Upstream::answering(Some(b"what? cut\r\n\r\n".to_vec())).await;
    let answer = raw(serve(&stage, nonsense.options()).await, get("/api/x", "")).await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("gateway.upstream_broken"), "{answer}");
}

#[tokio::test]
async fn a_server_that_is_late_is_left_at_the_time_limit() {
    let stage = stage().await;
    let mut upstream = Upstream::answering(None).await;
    let timeout = Duration::from_secs(7);
    let gate = serve(&stage, ForwardOptions { timeout, ..upstream.options() }).await;
    let asked = tokio::spawn(async move { raw(gate, get("/api/x", "")).await });
    upstream.saw().await;
    stage.clock.advance(timeout);
    let answer = asked.await.expect("ends");
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("gateway.upstream_late"), "{answer}");
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_until_the_breaker_lets_a_probe_through() {
    let stage = stage().await;
    let failing = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n".to_vec();
    let mut upstream = Upstream::answering(Some(failing)).await;
    let gate = serve(&stage, upstream.options()).await;
    for _ in 0..5 {
        assert!(raw(gate, get("/api/x", "")).await.starts_with("HTTP/1.1 500"), "goes through as it is");
        upstream.saw().await;
    }
    let answer = raw(gate, get("/api/x", "")).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("gateway.upstream_resting"), "{answer}");
    assert!(answer.contains("retry-after: 5"), "{answer}");
    assert!(upstream.saw_nothing());
    stage.clock.advance(Duration::from_secs(5));
    assert!(raw(gate, get("/api/x", "")).await.starts_with("HTTP/1.1 500"), "a probe");

    let nobody = KeptPort::take();
    let to = format!("http://{}", nobody.address()).parse().expect("is a URL");
    let gate = serve(&stage, ForwardOptions { to, ..upstream.options() }).await;
    let answer = raw(gate, get("/api/x", "")).await;
    assert!(
        answer.starts_with("HTTP/1.1 502") && answer.contains("gateway.upstream_unreachable"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_route_has_its_door_and_its_own_limit() {
    let stage = stage().await;
    let upstream = Upstream::saying("ok").await;
    let (_, key) = stage.key(Tier::Partner).await;
    let options =
        ForwardOptions { tier: Tier::Partner, rate: Some(Rate::per_minute(2)), ..upstream.options() };
    let gate = serve(&stage, options).await;
    assert!(raw(gate, get("/api/x", "")).await.starts_with("HTTP/1.1 401"));
    let key = format!("x-api-key: {}\r\n", key.expose());
    for expected in ["200", "200", "429"] {
        let answer = raw(gate, get("/api/x", &key)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{answer}");
        assert!(answer.contains("ratelimit-policy: \"partner\";q=2;w=60"), "{answer}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_error() {
    let stage = stage().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let to = format!("http://{}", listener.local_addr().expect("has an address")).parse().expect("is a URL");
    let gate =
        serve(&stage, ForwardOptions { tier: Tier::Public, ..ForwardOptions::new("/api/x", to) }).await;
    for _ in 0..5 {
        let asked = tokio::spawn(async move { raw(gate, get("/api/x", "")).await });
        // Each connection answers once and then closes without having said so.
        let (mut socket, _) = listener.accept().await.expect("is called");
        read_request(&mut socket).await.expect("sends");
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("writes");
        drop(socket);
        let answer = asked.await.expect("ends");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), "{answer}");
    }
}

#[test]
fn a_route_that_cannot_be_is_refused_with_its_field() {
    let url = |text: &str| text.parse::<url::Url>().expect("is a URL");
    for (path, to, expected) in [
        ("api/x", "http://a", "path: "),
        ("/api/x/", "http://a", "path: "),
        ("/", "http://a", "path: "),
        ("/api/{x}", "http://a", "path: "),
        ("/api/x", "ftp://a", "to: "),
        ("/api/x", "http://u:p@a", "to: "),
        ("/api/x", "http://a?b", "to: "),
    ] {
        let error = ForwardOptions::new(path, url(to)).check().expect_err("is wrong").to_string();
        assert!(error.starts_with(expected), "{path} {to}: {error}");
    }
    assert!(ForwardOptions::new("/api/x", url("http://a:80/b")).check().is_ok());
}
