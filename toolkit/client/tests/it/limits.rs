//! Time, size, rate and repetition.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use ieum_client::{BodyLimits, Request, RestClient, Transport, TransportError, WireRequest, WireResponse};
use ieum_core::{Clock, Code, Cx, ManualClock, SharedClock, system_clock};
use ieum_testkit::port::KeptPort;

use crate::site::{Seen, client, config, serve};

#[tokio::test]
async fn an_answer_that_does_not_begin_is_given_up_by_the_first_byte_limit() {
    let site = Router::new().route("/api/slow", get(async || std::future::pending::<String>().await));
    let mut config = config(serve(site).await);
    config.policy.first_byte = Duration::from_millis(50);
    config.policy.retry.attempts = 1;
    let fault = client(config).get(&Cx::root(), "/slow").await.expect_err("is late");
    assert_eq!((fault.reason.as_ref(), fault.code), ("client.first_byte", Code::DeadlineExceeded));
    assert_eq!(fault.message, "GET /slow of hub: no answer began within 50 ms");
}

#[tokio::test]
async fn an_answer_that_begins_and_does_not_end_is_given_up_by_the_total_limit() {
    let endless = async || Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>());
    let mut config = config(serve(Router::new().route("/api/endless", get(endless))).await);
    config.policy.timeout = Duration::from_millis(100);
    let fault = client(config).get(&Cx::root(), "/endless").await.expect_err("is late");
    assert_eq!(fault.code, Code::DeadlineExceeded, "{fault}");
}

#[tokio::test]
async fn over_long_answers_and_bombs_are_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 2_000_000]).expect("writes to memory");
    let bomb = encoder.finish().expect("writes to memory");
    let site = Router::new()
        .route("/api/long", get(async || "x".repeat(10_001)))
        .route(
            "/api/stream",
            get(async || {
                let part = || Ok::<_, std::io::Error>("x".repeat(100));
                Body::from_stream(futures::stream::repeat_with(part).take(1_000))
            }),
        )
        .route("/api/bomb", get(async move || ([("content-encoding", "gzip")], bomb)))
        .route("/api/fine", get(async || "x".repeat(10_000)));
    let mut config = config(serve(site).await);
    config.limits = BodyLimits { wire: 10_000, decompressed: 100_000 };
    let client = client(config);
    for (path, reason) in [
        ("/long", "client.body_too_large"),
        ("/stream", "client.body_too_large"),
        ("/bomb", "client.body_bomb"),
    ] {
        let fault = client.get(&Cx::root(), path).await.expect_err("is too much");
        assert_eq!((fault.reason.as_ref(), fault.is_retryable()), (reason, false));
    }
    assert_eq!(client.get(&Cx::root(), "/fine").await.expect("is within").body.len(), 10_000);
}

#[tokio::test]
async fn a_source_that_says_when_to_come_back_is_left_alone_until_then() {
    let seen = Seen::default();
    let here = seen.clone();
    let site = Router::new().route(
        "/api/x",
        get(async move || {
            here.note("asked");
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")])
        }),
    );
    let clock = ManualClock::default();
    let mut config = config(serve(site).await);
    config.policy.retry.attempts = 1;
    config.policy.breaker = None;
    let client = RestClient::new(config, clock.shared()).expect("is right");
    let fault = client.get(&Cx::root(), "/x").await.expect_err("is refused");
    assert_eq!((fault.reason.as_ref(), fault.retry_after), ("client.status", Some(Duration::from_secs(30))));
    clock.advance(Duration::from_secs(29));
    let fault = client.get(&Cx::root(), "/x").await.expect_err("is not sent");
    assert_eq!(
        (fault.reason.as_ref(), fault.retry_after),
        ("client.rate_limited", Some(Duration::from_secs(1)))
    );
    assert_eq!(seen.all().len(), 1);
    clock.advance(Duration::from_secs(1));
    client.get(&Cx::root(), "/x").await.expect_err("is sent and refused");
    assert_eq!(seen.all().len(), 2);
}

#[tokio::test]
async fn clones_share_what_the_source_said_is_left() {
    let seen = Seen::default();
    let here = seen.clone();
    let site = Router::new().route(
        "/api/x",
        get(async move || {
            let count = here.note("asked");
            [("ratelimit", format!("\"a\";r={};t=60", 3 - count.min(3)))]
        }),
    );
    let client = client(config(serve(site).await));
    let twin = client.clone();
    for turn in 0..6 {
        let one = if turn % 2 == 0 { &client } else { &twin };
        let result = one.get(&Cx::root(), "/x").await;
        assert_eq!(result.is_ok(), turn < 3, "turn {turn}");
    }
    assert_eq!(seen.all().len(), 3);
    assert_eq!(client.rate_state().remaining, Some(0));
}

#[tokio::test]
async fn a_get_is_repeated_and_a_post_only_under_an_idempotency_key() {
    let seen = Seen::default();
    let (one, two) = (seen.clone(), seen.clone());
    let answer = |count: usize| match count % 3 {
        0 => (StatusCode::OK, "7"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, ""),
    };
    let site = Router::new().route(
        "/api/x",
        get(async move || answer(one.note("get"))).post(async move |headers: HeaderMap| {
            let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or("none");
            answer(two.note(format!("post {key}")))
        }),
    );
    let address = serve(site).await;
    let read: u32 = client(config(address)).get_json(&Cx::root(), "/x").await.expect("the third try");
    assert_eq!(read, 7);
    // Another client, since the first one's retry budget is used up.
    let client = client(config(address));
    let keyed = Cx::root().with_idempotency_key("k1");
    let read: u32 = client.post_json(&keyed, "/x", &1).await.expect("the third try");
    assert_eq!(read, 7);
    let posted: Result<u32, _> = client.post_json(&Cx::root(), "/x", &1).await;
    assert_eq!(posted.expect_err("is not repeated").code, Code::Unavailable);
    assert_eq!(seen.all(), ["get", "get", "get", "post k1", "post k1", "post k1", "post none"]);
}

#[tokio::test]
async fn the_trace_goes_along_and_any_status_can_be_an_answer() {
    let site = Router::new()
        .route(
            "/api/trace",
            get(async |headers: HeaderMap| headers["traceparent"].to_str().expect("is text").to_owned()),
        )
        .route("/api/gone", get(async || StatusCode::GONE))
        .route("/api/echo", post(async |body: String| body));
    let client = client(config(serve(site).await));
    let cx = Cx::root();
    let got = client.get(&cx, "/trace").await.expect("answers");
    let text = String::from_utf8(got.body.to_vec()).expect("is text");
    assert!(text.starts_with(&format!("00-{}-", cx.trace().trace_id)), "{text}");
    let request = Request::new(http::Method::GET, "/gone").any_status();
    assert_eq!(client.send(&cx, request).await.expect("is an answer").status, StatusCode::GONE);
    let fault = client.get(&cx, "/gone").await.expect_err("is a fault");
    assert_eq!((fault.reason.as_ref(), fault.code), ("client.status", Code::NotFound));
    let echoed: Vec<u32> = client.post_json(&cx, "/echo", &[1, 2]).await.expect("answers");
    assert_eq!(echoed, [1, 2]);
}

/// A network that answers after a wait on the given clock.
struct Simulated(SharedClock);

#[async_trait]
impl Transport for Simulated {
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportError> {
        self.0.sleep(Duration::from_secs(2)).await;
        let body = request.url.path().to_owned();
        let body = futures::stream::iter([Ok(body.into())]).boxed();
        Ok(WireResponse { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }
}

#[tokio::test]
async fn a_simulated_network_runs_on_simulated_time() {
    let clock = ManualClock::default();
    let config = config(([127, 0, 0, 1], 80).into());
    let network = Arc::new(Simulated(clock.shared()));
    let client = RestClient::with_transport(config, clock.shared(), network).expect("is right");
    let asking = tokio::spawn(async move { client.get(&Cx::root(), "/x").await });
    while clock.next_wake().is_none() {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(2));
    assert_eq!(asking.await.expect("runs").expect("answers").body, "/api/x");
    assert_eq!(clock.moment().since_start(), Duration::from_secs(2));
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let nobody = KeptPort::take();
    let mut config = config(nobody.address());
    config.policy.retry.attempts = 1;
    let client = RestClient::new(config, system_clock()).expect("is right");
    let fault = client.get(&Cx::root(), "/x").await.expect_err("nobody listens");
    assert_eq!((fault.reason.as_ref(), fault.code), ("client.connect", Code::Unavailable), "{fault}");
}
