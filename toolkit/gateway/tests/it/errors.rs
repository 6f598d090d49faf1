//! Every error as the outside sees it.

use std::io::Write;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, StatusCode};
use ieum_gateway::{GatewayOptions, Tier};

use crate::stage::{Answer, Stage, ask, get_with, post_json, request};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

async fn generous() -> Stage {
    Stage::with(GatewayOptions { max_body: 1_000, max_decompressed: 5_000, ..GatewayOptions::default() })
        .await
}

fn shown(title: &str, answer: &Answer) -> String {
    format!("## {title}\n{}\n", answer.show())
}

#[tokio::test]
async fn every_error_is_a_problem_with_a_trace_id() {
    let stage = generous().await;
    let site = stage.site();
    let (_, key) = stage.key(Tier::Partner).await;
    let key = key.expose();
    let wrong = format!("ieum_partner_{}_{}", "a".repeat(16), "b".repeat(40));
    let orders = "/api/partner/orders";
    let mut plain = post_json(orders, key, "{}");
    plain.headers_mut().insert("content-type", "text/plain".parse().expect("fits a header"));
    let cases = [
        ("unknown path outside every door", request(Method::GET, "/nowhere")),
        ("unknown path behind a door", request(Method::GET, "/api/partner/nowhere")),
        ("method not offered", request(Method::DELETE, "/api/public/hello")),
        ("panic", request(Method::GET, "/api/public/panic")),
        ("somebody's plain text", request(Method::GET, "/api/public/teapot")),
        ("no key", request(Method::GET, "/api/partner/whoami")),
        ("wrong key", get_with("/api/partner/whoami", &wrong)),
        ("tier too low", get_with("/api/premium/gold", key)),
        ("foreign event", get_with("/api/partner/events/e2/attendance", key)),
        ("no JSON", post_json(orders, key, "{\"gates\": [}")),
        ("wrong type", post_json(orders, key, "{\"gates\": [{\"id\": 1}, {\"id\": \"x\"}]}")),
        ("missing field", post_json(orders, key, "{\"gates\": []}")),
        ("missing field inside", post_json(orders, key, "{\"gates\": [{}]}")),
        ("media type", plain),
        ("wrong query", request(Method::GET, "/api/public/query?limit=many&timeRange=1h")),
        ("missing in query", request(Method::GET, "/api/public/query?limit=1")),
        ("wrong path parameter", request(Method::GET, "/api/public/number/seven")),
        ("body too large", post_json(orders, key, "x".repeat(1_001))),
    ];
    let mut all = String::new();
    for (title, request) in cases {
        let answer = ask(&site, request).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{title}");
        assert!(!answer.body.contains("canary"), "{title}");
        all.push_str(&shown(title, &answer));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn a_good_answer_and_a_refused_one_carry_the_limit() {
    let stage = Stage::new().await;
    let site = stage.site();
    let mut all = String::new();
    for turn in 1..=4 {
        let answer = ask(&site, request(Method::GET, "/api/public/hello")).await;
        all.push_str(&shown(&format!("request {turn} of 3 a minute"), &answer));
        all.push('\n');
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn bodies_are_limited_on_the_wire_and_after_decompression() {
    let stage = generous().await;
    let site = stage.site();
    let (_, key) = stage.key(Tier::Partner).await;
    let send = async |path: &str, encoding: &str, body: Body| {
        let mut request = post_json(path, key.expose(), body);
        request.headers_mut().insert("content-encoding", encoding.parse().expect("fits a header"));
        ask(&site, request).await
    };
    let order = br#"{"gates":[{"id":1}],"note":"hello"}"#;
    let fine = send("/api/partner/orders", "gzip", gzip(order).into()).await;
    assert_eq!((fine.status, fine.body.as_bytes()), (StatusCode::OK, order.as_slice()));
    assert_eq!(send("/api/partner/raw", "gzip", gzip(&[0; 5_000]).into()).await.body, "5000");

    let bomb = gzip(&vec![b' '; 900_000]);
    assert!(bomb.len() < 1_000, "passes on the wire");
    for path in ["/api/partner/orders", "/api/partner/raw"] {
        let refused = send(path, "gzip", bomb.clone().into()).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {}", refused.body);
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    let cut = gzip(order)[..20].to_vec();
    assert_eq!(send("/api/partner/orders", "gzip", cut.into()).await.reason(), "gateway.body_damaged");
    let strange = send("/api/partner/orders", "br", "x".into()).await;
    assert_eq!(
        (strange.status, strange.reason().as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "gateway.body_encoding")
    );

    let parts = futures::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(100)));
    let endless = ask(&site, post_json("/api/partner/orders", key.expose(), Body::from_stream(parts))).await;
    assert_eq!(endless.reason(), "gateway.body_too_large", "without a length it ends at the limit");
}

#[tokio::test]
async fn a_door_may_take_longer_bodies_than_the_others() {
    let stage = generous().await;
    let route = || Router::new().route("/raw", post(async |body: bytes::Bytes| body.len().to_string()));
    let doors = Router::new().nest("/usual", stage.gateway.partner(route()));
    let doors = doors.nest("/wide", stage.gateway.taking(20_000).partner(route()));
    let (_, key) = stage.key(Tier::Partner).await;
    let send = async |path: &str, length: usize| {
        ask(&doors, post_json(path, key.expose(), vec![b'x'; length])).await
    };
    assert_eq!(send("/usual/raw", 2_000).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send("/wide/raw", 20_000).await.body, "20000");
    assert_eq!(send("/wide/raw", 20_001).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send("/usual/raw", 1_000).await.body, "1000");
}

#[tokio::test]
async fn a_request_id_is_handed_back_where_it_is_harmless() {
    let stage = Stage::new().await;
    let site = stage.site();
    let with = |id: &str| {
        let mut asked = request(Method::GET, "/api/public/hello");
        asked.headers_mut().insert("x-request-id", id.parse().expect("fits a header"));
        asked
    };
    assert_eq!(ask(&site, with("order-7.a")).await.header("x-request-id"), "order-7.a");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(ask(&site, with("<script>")).await.header("x-request-id"), trace);
    assert_eq!(ask(&site, with(&"a".repeat(129))).await.header("x-request-id"), trace);
}

#[tokio::test]
async fn without_its_store_a_key_is_neither_right_nor_wrong() {
    let stage = Stage::new().await;
    let (_, key) = stage.key(Tier::Partner).await;
    stage.store.close().await;
    let answer = ask(&stage.site(), get_with("/api/partner/whoami", key.expose())).await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "gateway.keys_unavailable")
    );
    assert!(!answer.body.to_lowercase().contains("sql"), "{}", answer.body);
}
