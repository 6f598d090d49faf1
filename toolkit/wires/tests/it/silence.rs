//! Who is silent on the server's port: bodies that do not come, connections nobody uses, and streams that go on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::routing::{get, post};
use futures::StreamExt;
use futures::channel::mpsc;
use hyper_util::rt::TokioIo;
use ieum_core::{ManualClock, Moment};
use ieum_wires::serve::{ServeOptions, serve};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::suite::soon;

struct Port {
    address: std::net::SocketAddr,
    clock: ManualClock,
}

impl Port {
    async fn open(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("is bound");
        let clock = ManualClock::default();
        let shared = clock.shared();
        let never = std::future::pending();
        tokio::spawn(async move { serve(listener, router, never, ServeOptions::default(), shared).await });
        Self { address, clock }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }

    /// Waits until the server waits for a moment `seconds` after its begin.
    async fn waits_until(&self, seconds: u64) {
        let end = Moment::from_start(Duration::from_secs(seconds));
        let waits = async {
            while self.clock.next_wake() != Some(end) {
                tokio::task::yield_now().await;
            }
        };
        soon("the wait", waits).await;
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn counting() -> Router {
    Router::new().route("/", post(async |body: Bytes| body.len().to_string()))
}

async fn send(socket: &mut TcpStream, bytes: &[u8]) {
    socket.write_all(bytes).await.expect("is sent");
}

/// Reads until the server closes.
async fn rest(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    soon("the end", socket.read_to_string(&mut text)).await.expect("is text");
    text
}

/// Reads until `mark` has come.
async fn until(socket: &mut TcpStream, mark: &str) -> String {
    let mut text = String::new();
    while !text.contains(mark) {
        let mut piece = [0; 1_024];
        let read = soon(mark, socket.read(&mut piece)).await.expect("is read");
        assert!(read > 0, "the server closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    text
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_with_408_and_the_connection_closed() {
    let port = Port::open(counting()).await;
    let mut socket = port.connect().await;
    send(&mut socket, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"text\":").await;
    port.waits_until(30).await;
    port.advance(30);
    let answer = rest(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("request.body_late"), "{answer}");
}

#[tokio::test]
async fn a_body_in_drops_is_ended_and_a_steady_one_is_read_however_long_it_takes() {
    let port = Port::open(counting()).await;
    let mut drops = port.connect().await;
    send(&mut drops, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n").await;
    port.waits_until(30).await;
    port.advance(20);
    send(&mut drops, b"a").await;
    port.waits_until(30).await;
    port.advance(10);
    assert!(rest(&mut drops).await.starts_with("HTTP/1.1 408 "), "a byte buys no time");

    let port = Port::open(counting()).await;
    let mut steady = port.connect().await;
    send(&mut steady, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 160000\r\n\r\n").await;
    for turn in 0..8 {
        port.waits_until(30 + turn * 20).await;
        port.advance(20);
        send(&mut steady, &[b'a'; 20_000]).await;
    }
    assert!(until(&mut steady, "160000").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let port = Port::open(counting()).await;
    let mut silent = port.connect().await;
    port.waits_until(180).await;
    port.advance(180);
    assert_eq!(rest(&mut silent).await, "");
}

#[tokio::test]
async fn an_answer_and_a_socket_that_go_on_outlive_any_silence() {
    let (told, heard) = mpsc::unbounded::<&'static str>();
    let heard = Arc::new(Mutex::new(Some(heard)));
    let stream = move || {
        let heard = heard.lock().take().expect("is asked once");
        async move { Body::from_stream(heard.map(Ok::<_, Infallible>)) }
    };
    let socket = async |request: Request| {
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(async move {
            let mut socket = TokioIo::new(upgrade.await.expect("is upgraded"));
            let mut piece = [0; 4];
            while socket.read_exact(&mut piece).await.is_ok() && socket.write_all(&piece).await.is_ok() {}
        });
        http::Response::builder()
            .status(101)
            .header("upgrade", "echo")
            .header("connection", "upgrade")
            .body(Body::empty())
            .expect("is an answer")
    };
    let port = Port::open(Router::new().route("/stream", get(stream)).route("/socket", get(socket))).await;
    let mut stream = port.connect().await;
    send(&mut stream, b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
    told.unbounded_send("one").expect("is heard");
    until(&mut stream, "one").await;
    let mut socket = port.connect().await;
    send(&mut socket, b"GET /socket HTTP/1.1\r\nhost: x\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n")
        .await;
    until(&mut socket, "\r\n\r\n").await;
    for minute in [3, 6, 9] {
        port.waits_until(minute * 60).await;
        port.advance(180);
    }
    told.unbounded_send("two").expect("is heard");
    until(&mut stream, "two").await;
    send(&mut socket, b"ping").await;
    assert_eq!(until(&mut socket, "ping").await, "ping");
    // Once the answer is whole, the connection is one that nobody uses.
    drop(told);
    until(&mut stream, "0\r\n\r\n").await;
}
