//! Addresses that must not be reached: named, redirected to, rebound to.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use ieum_client::{HttpOptions, HttpTransport, Lookup, OutboundGuard, RestClient, RestConfigError};
use ieum_core::{Cx, system_clock};

use crate::site::{CANARY, Seen, client, config, serve, serve_at};

/// Answers with one address after the other.
struct Scripted {
    addresses: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Lookup for Scripted {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.addresses[turn.min(self.addresses.len() - 1)].clone())
    }
}

fn loopback(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

#[tokio::test]
async fn a_base_at_an_inner_address_is_refused_when_the_client_is_made() {
    let mut config = config(([127, 0, 0, 1], 80).into());
    config.outbound.allow.clear();
    let error = RestClient::new(config, system_clock()).expect_err("is refused");
    assert!(matches!(error, RestConfigError::Base { .. }));
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_an_inner_address_is_refused_and_nothing_is_sent_there() {
    let seen = Seen::default();
    let inner = seen.clone();
    let secret = Router::new().route("/", get(async move || inner.note("reached").to_string()));
    let inner = serve_at("127.0.0.2:0", secret).await;
    let target = format!("http://{inner}/?token={CANARY}");
    let hops = Router::new()
        .route("/api/direct", get(async move || Redirect::temporary(&target)))
        .route("/api/metadata", get(async || Redirect::temporary("http://169.254.169.254/latest/")))
        .route("/api/odd", get(async || Redirect::temporary("http://0x7f000002/")))
        .route("/api/name", get(async || Redirect::temporary("http://localhost.:1/")))
        .route("/api/file", get(async || Redirect::temporary("file:///etc/passwd")));
    let client = client(config(serve(hops).await));
    for path in ["/direct", "/metadata", "/odd", "/file"] {
        let fault = client.get(&Cx::root(), path).await.expect_err("is refused");
        assert_eq!(fault.reason, "client.address_refused", "{path}: {fault}");
        assert!(!fault.to_string().contains(CANARY), "{fault}");
    }
    assert_eq!(seen.all(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_that_is_rebound_to_an_inner_address_is_refused_on_its_next_connection() {
    let seen = Seen::default();
    let here = seen.clone();
    let site = Router::new().route(
        "/api/x",
        get(async move || {
            here.note("served");
            ([("connection", "close")], "ok")
        }),
    );
    let address = serve_at("0.0.0.0:0", site).await;
    let mut config = config(address);
    config.base = format!("http://rebind.test:{}/api", address.port()).parse().expect("is a URL");
    config.policy.retry.attempts = 1;
    let lookup = Scripted {
        addresses: vec![vec![loopback(1)], vec![loopback(2)], vec![loopback(2), loopback(1)]],
        asked: AtomicUsize::new(0),
    };
    let options = HttpOptions { lookup: Arc::new(lookup), ..HttpOptions::default() };
    let transport = HttpTransport::new(OutboundGuard::new(&config.outbound), options).expect("is set up");
    let client = RestClient::with_transport(config, system_clock(), Arc::new(transport)).expect("is right");
    client.get(&Cx::root(), "/x").await.expect("the first address is allowed");
    let fault = client.get(&Cx::root(), "/x").await.expect_err("is refused");
    assert_eq!(fault.reason, "client.address_refused");
    assert_eq!(
        fault.message,
        "GET /x of hub: rebind.test is at 127.0.0.2, which is loopback and in no network of outbound.allow"
    );
    client.get(&Cx::root(), "/x").await.expect("only the allowed one of two addresses is used");
    assert_eq!(seen.all().len(), 2);
}

#[tokio::test]
async fn credentials_stay_at_their_origin_over_redirects_and_whole_addresses() {
    let seen = Seen::default();
    let there = seen.clone();
    let other = Router::new().route(
        "/x",
        get(async move |headers: HeaderMap| {
            let mut names: Vec<_> = headers.keys().map(|name| name.to_string()).collect();
            names.sort();
            there.note(names.join(" "));
            "ok"
        }),
    );
    let other = serve(other).await;
    let target = format!("http://{other}/x");
    let elsewhere = target.clone();
    let home = Router::new()
        .route("/api/away", get(async move || Redirect::temporary(&target)))
        .route("/api/near", get(async || Redirect::temporary("/api/home")))
        .route("/api/home", get(async |headers: HeaderMap| headers.contains_key("x-api-key").to_string()));
    let client = client(config(serve(home).await));
    let cx = Cx::root().with_tenant("seoul");
    client.get(&cx, "/away").await.expect("is followed");
    client.get(&cx, &elsewhere).await.expect("is called");
    for names in seen.all() {
        assert_eq!(names, "accept accept-encoding host traceparent user-agent");
    }
    assert_eq!(client.get(&cx, "/near").await.expect("is followed").body, "true");
}

#[tokio::test]
async fn redirects_come_to_an_end_and_a_post_does_not_become_a_get() {
    let site = Router::new()
        .route("/api/round", get(async || Redirect::temporary("/api/round")))
        .route("/api/moved", post(async || (StatusCode::FOUND, [("location", "/api/round")])));
    let client = client(config(serve(site).await));
    let fault = client.get(&Cx::root(), "/round").await.expect_err("ends");
    assert_eq!(fault.reason, "client.too_many_redirects");
    let posted: Result<(), _> = client.post_json(&Cx::root(), "/moved", &1).await;
    assert_eq!(posted.expect_err("is refused").reason, "client.redirect_refused");
}

#[tokio::test]
async fn a_path_cannot_lead_to_another_host() {
    let site = Router::new().fallback(async |uri: http::Uri| uri.to_string());
    let client = client(config(serve(site).await));
    for path in ["//evil.test/x", "@evil.test/x", "/../x", "\\\\evil.test"] {
        let answer = client.get(&Cx::root(), path).await.expect("stays here");
        assert!(answer.body.starts_with(b"/"), "{path}");
    }
}
