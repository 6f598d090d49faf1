//! Watching the live picture: the socket says what the stream says, and who is slow skips pictures.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::ready;
use http::{Request, StatusCode};
use ieum_contracts::events::{EventGates, GateScans};
use ieum_core::{Clock, Cx, SystemClock, system_clock};
use ieum_gateway::{EventAccess, Keys, KeysOptions, NewKey, Tier};
use ieum_testkit::backend::SqlStore;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::base::on_every_backend;
use crate::gates::{pushing, scan};
use crate::hub::{Hub, PATIENCE, from};

on_every_backend!(
    the_socket_says_what_the_stream_says_and_goes_on_with_each_change,
    a_key_sees_its_own_events_in_the_socket_and_a_foreign_page_sees_none,
    who_is_slow_skips_pictures_and_ends_with_the_newest,
);

/// A WebSocket spoken by hand (RFC 6455): the handshake, then unmasked text frames.
struct Socket(TcpStream);

impl Socket {
    /// Asks for the socket and returns it with the status of the answer.
    async fn open(url: &str, headers: &str) -> (Self, u16) {
        let address = url.strip_prefix("http://").expect("is HTTP");
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!(
            "GET /api/events/socket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("asks");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("answers"));
        }
        let status = String::from_utf8(head).expect("is text")[9..12].parse().expect("is a status");
        (Self(stream), status)
    }

    /// Returns the next message.
    async fn next(&mut self) -> Value {
        let read = async {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).await.expect("goes on");
            assert_eq!(head[0], 0x81, "is one whole text frame");
            let length = match head[1] {
                126 => u64::from(self.0.read_u16().await.expect("goes on")),
                127 => self.0.read_u64().await.expect("goes on"),
                short => u64::from(short),
            };
            let mut text = vec![0; usize::try_from(length).expect("fits")];
            self.0.read_exact(&mut text).await.expect("goes on");
            serde_json::from_slice(&text).expect("is JSON")
        };
        tokio::time::timeout(PATIENCE, read).await.expect("comes")
    }
}

async fn enter(hub: &Hub, id: u32) {
    let now = SystemClock.now();
    let direction = ieum_contracts::events::GateDirection::In;
    let scans = vec![scan(&id.to_string(), "north", direction, now, Some(&id.to_string()))];
    let scans = GateScans { event_id: "expo".into(), scans };
    hub.part.gates().record(&Cx::root(), scans).await.expect("is taken");
}

async fn the_socket_says_what_the_stream_says_and_goes_on_with_each_change(base: &SqlStore) {
    let hub = pushing(base, system_clock(), &[]).await;
    let url = hub.serve().await;
    let (mut socket, status) = Socket::open(&url, "").await;
    assert_eq!(status, 101);
    let first = socket.next().await;
    assert_eq!((&first["event"], &first["data"]["events"][0]["eventId"]), (&"states".into(), &"expo".into()));
    for people in 1..=3 {
        enter(&hub, people).await;
        loop {
            let picture = socket.next().await;
            if picture["data"]["events"][0]["metrics"]["checkedIn"] == people {
                break;
            }
        }
    }
    // A plain request is told what is missing.
    let request = Request::get("/api/events/socket").body(Body::empty()).expect("is a request");
    let response = hub.router().oneshot(from("127.0.0.1:9", request)).await.expect("answers");
    assert!(response.status().is_client_error(), "{}", response.status());
    hub.part.drain().await;
    let mut head = [0; 2];
    let goodbye = async {
        // Pictures under way may still come.
        while head[0] != 0x88 {
            socket.0.read_exact(&mut head).await.expect("says goodbye");
            let mut rest = vec![0; usize::from(head[1] & 0x7f)];
            if head[0] == 0x88 {
                socket.0.read_exact(&mut rest).await.expect("says why");
                return u16::from_be_bytes([rest[0], rest[1]]);
            }
            assert_eq!((head[0], head[1]), (0x81, 126), "is a picture");
            let length = socket.0.read_u16().await.expect("goes on");
            socket.0.read_exact(&mut vec![0; usize::from(length)]).await.expect("goes on");
        }
        0
    };
    assert_eq!(tokio::time::timeout(PATIENCE, goodbye).await.expect("comes"), 1001);
}

async fn a_key_sees_its_own_events_in_the_socket_and_a_foreign_page_sees_none(base: &SqlStore) {
    let hub = pushing(base, system_clock(), &[]).await;
    let url = hub.serve().await;
    let keys = Keys::new(hub.store.clone(), system_clock(), KeysOptions::default());
    let new = |event: &str, scope: &str| NewKey {
        name: "screen".into(),
        tier: Tier::Partner,
        scopes: [scope.to_owned()].into(),
        events: EventAccess::from(vec![event.to_owned()]),
        expires_at: None,
        rate: None,
    };
    let (_, own) = keys.create(new("expo", "events:read")).await.expect("is made");
    let (_, other) = keys.create(new("fair", "events:read")).await.expect("is made");
    let (_, blind) = keys.create(new("expo", "gates:write")).await.expect("is made");
    let header = |key: &str| format!("X-API-Key: {key}\r\n");
    let (mut socket, status) = Socket::open(&url, &header(own.expose())).await;
    assert_eq!((status, socket.next().await["data"]["events"].as_array().map(Vec::len)), (101, Some(1)));
    let (mut socket, status) = Socket::open(&url, &header(other.expose())).await;
    assert_eq!((status, socket.next().await["data"]["events"].as_array().map(Vec::len)), (101, Some(0)));
    assert_eq!(Socket::open(&url, &header(blind.expose())).await.1, 403);
    assert_eq!(Socket::open(&url, "Origin: https://elsewhere.example\r\n").await.1, 403);
    assert_eq!(Socket::open(&url, "X-Forwarded-For: 10.0.0.7\r\n").await.1, 401);
    hub.stop().await;
}

async fn who_is_slow_skips_pictures_and_ends_with_the_newest(base: &SqlStore) {
    const PEOPLE: u32 = 8;
    let hub = pushing(base, system_clock(), &[]).await;
    let router = hub.router();
    let stream = || async {
        let request = Request::get("/api/events/stream").body(Body::empty()).expect("is a request");
        let response = router.clone().oneshot(from("127.0.0.1:9", request)).await.expect("answers");
        assert_eq!(response.status(), StatusCode::OK);
        // Comments keep the connection alive where nothing was told for long.
        let told =
            |piece: &Result<Bytes, axum::Error>| !piece.as_ref().is_ok_and(|piece| piece.starts_with(b":"));
        response.into_body().into_data_stream().filter(move |piece| ready(told(piece)))
    };
    let (mut slow, mut quick) = (stream().await, stream().await);
    let came = |text: &str| {
        let data = text.split_once("data: ").expect("has data").1;
        let picture: Value = serde_json::from_str(data.trim_end()).expect("is JSON");
        picture["events"][0]["metrics"]["checkedIn"].as_u64().expect("is a number")
    };
    // Each change is seen by the quick one before the next is made; the slow one takes nothing meanwhile.
    for people in 1..=PEOPLE {
        enter(&hub, people).await;
        let seen = async {
            loop {
                let piece = quick.next().await.expect("goes on").expect("reads");
                if came(std::str::from_utf8(&piece).expect("is text")) == u64::from(people) {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.expect("the quick one is not held up");
    }
    let mut pieces = 0;
    let seen = async {
        loop {
            let piece = slow.next().await.expect("goes on").expect("reads");
            pieces += 1;
            if came(std::str::from_utf8(&piece).expect("is text")) == u64::from(PEOPLE) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE + Duration::from_secs(1), seen).await.expect("comes to the newest");
    assert!(pieces <= 2, "{pieces} pictures for {PEOPLE} changes");
    hub.stop().await;
}
