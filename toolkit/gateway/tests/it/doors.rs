//! Who passes which door, and how often.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Extension, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Method, StatusCode};
use ieum_core::{BoxFuture, Fault, Secret};
use ieum_gateway::{EventAccess, GatewayOptions, NewKey, Passwords, Rate, SignedIn, Tier};

use crate::stage::{Stage, ask, get_with, request, wish};

#[tokio::test]
async fn each_tier_opens_its_own_door_and_the_lower_ones() {
    let stage = Stage::new().await;
    let site = stage.site();
    let doors = [("/api/public/hello", 0), ("/api/partner/whoami", 1), ("/api/premium/gold", 2)];
    for (rank, tier) in Tier::ALL.into_iter().enumerate() {
        let (_, key) = stage.key(tier).await;
        for (path, needed) in doors {
            let answer = ask(&site, get_with(path, key.expose())).await;
            let expected = if rank >= needed { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, expected, "{tier} at {path}: {}", answer.body);
        }
    }
    for (path, needed) in doors {
        let answer = ask(&site, request(Method::GET, path)).await;
        let expected = if needed == 0 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(answer.status, expected, "nobody at {path}");
    }
}

#[tokio::test]
async fn the_holder_is_known_to_handlers_and_to_the_context() {
    let stage = Stage::new().await;
    let (record, key) = stage.key(Tier::Partner).await;
    let answer = ask(&stage.site(), get_with("/api/partner/whoami", key.expose())).await;
    assert_eq!(answer.body, format!("Seoul Fair partner {}", record.id));
}

#[tokio::test]
async fn a_stranger_cannot_name_a_caller_or_tenant() {
    let stage = Stage::new().await;
    let (record, key) = stage.key(Tier::Partner).await;
    let mut forged = get_with("/api/partner/whoami", key.expose());
    forged.headers_mut().insert("ieum-caller", "root".parse().expect("fits a header"));
    let answer = ask(&stage.site(), forged).await;
    assert!(answer.body.ends_with(&record.id), "{}", answer.body);
}

#[tokio::test]
async fn a_bearer_key_counts_and_two_keys_are_refused() {
    let stage = Stage::new().await;
    let (_, key) = stage.key(Tier::Partner).await;
    let bearer = |text: &str| {
        let mut asked = request(Method::GET, "/api/partner/whoami");
        asked.headers_mut().insert("authorization", format!("Bearer {text}").parse().expect("fits a header"));
        asked
    };
    let site = stage.site();
    assert_eq!(ask(&site, bearer(key.expose())).await.status, StatusCode::OK);
    let mut both = bearer(key.expose());
    both.headers_mut().insert("x-api-key", key.expose().parse().expect("fits a header"));
    assert_eq!(ask(&site, both).await.reason(), "gateway.key_ambiguous");
    let mut foreign = request(Method::GET, "/api/public/hello");
    foreign.headers_mut().insert("authorization", "Bearer eyJhbGciOi".parse().expect("fits a header"));
    assert_eq!(ask(&site, foreign).await.status, StatusCode::OK, "somebody else's token");
}

/// Knows one device.
struct Kitchen;

impl Passwords for Kitchen {
    fn verify<'a>(&'a self, name: &'a str, password: &'a Secret) -> BoxFuture<'a, Result<bool, Fault>> {
        Box::pin(async move { Ok(name == "kitchen" && password.expose() == "a:secret") })
    }
}

#[tokio::test]
async fn a_name_and_a_password_open_the_doors_that_take_them_and_wrong_ones_are_counted() {
    let stage = Stage::new().await;
    let who = |Extension(who): Extension<SignedIn>| async move { who.name().to_owned() };
    let routes = Router::new().route("/who", get(who));
    let site = stage.gateway.frame(stage.gateway.public_with(Arc::new(Kitchen), routes).merge(stage.site()));
    let with = |path: &str, scheme: &str, pair: &str| {
        let mut asked = request(Method::GET, path);
        let shown = format!("{scheme} {}", BASE64_STANDARD.encode(pair));
        asked.headers_mut().insert("authorization", shown.parse().expect("fits a header"));
        asked
    };
    let right = || with("/who", "basic", "kitchen:a:secret");
    let told = ask(&site, right()).await;
    assert_eq!((told.status, told.body.as_str()), (StatusCode::OK, "kitchen"));
    assert!(told.header("ratelimit-policy").starts_with("\"partner\""), "{:?}", told.headers);
    let other = ask(&site, with("/api/public/hello", "Basic", "kitchen:guess")).await;
    assert_eq!(other.status, StatusCode::OK, "other doors leave it alone");
    let partner = ask(&site, with("/api/partner/whoami", "Basic", "kitchen:a:secret")).await;
    assert_eq!(partner.status, StatusCode::UNAUTHORIZED, "it is no key");
    let mut seen = Vec::new();
    for pair in
        ["kitchen:guess", "bath:a:secret", "kitchen", "", "kitchen:", ":a:secret"].iter().cycle().take(20)
    {
        let refused = ask(&site, with("/who", "Basic", pair)).await;
        assert!(!refused.body.contains("secret"), "{}", refused.body);
        seen.push(refused.reason());
    }
    assert_eq!(seen.first().map(String::as_str), Some("gateway.password_wrong"));
    assert_eq!(seen.last().map(String::as_str), Some("gateway.too_many_wrong_keys"));
    assert_eq!(ask(&site, right()).await.status, StatusCode::OK, "who is in is not held back");
    let mut both = right();
    both.headers_mut().insert("x-api-key", "ieum_x".parse().expect("fits a header"));
    assert_eq!(ask(&site, both).await.reason(), "gateway.key_ambiguous");
}

#[tokio::test]
async fn where_credentials_are_judged_wrong_ones_are_refused_and_passwords_open_nothing() {
    let (wrong_keys, partner) = (Rate::per_minute(100), Rate::per_minute(20));
    let options = GatewayOptions { wrong_keys, partner, ..GatewayOptions::default() };
    let stage = Stage::with(options).await;
    let routes = || Router::new().route("/who", get(async || "somebody"));
    let gateway = &stage.gateway;
    let known = gateway.frame(gateway.knowing(Arc::new(Kitchen)).judged(routes()));
    let unknown = gateway.frame(gateway.judged(routes()));
    let signing = gateway.frame(gateway.public_with(Arc::new(Kitchen), routes()));
    let asked = async |site: &Router, shown: &[u8]| {
        let mut asked = request(Method::GET, "/who");
        asked.headers_mut().insert("authorization", HeaderValue::from_bytes(shown).expect("fits a header"));
        let answer = ask(site, asked).await;
        (answer.status.as_u16(), answer.reason())
    };
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair)).into_bytes();
    let refused = |reason: &str| (401, reason.to_owned());
    for site in [&known, &unknown, &signing] {
        assert_eq!(ask(site, request(Method::GET, "/who")).await.status, StatusCode::OK, "who shows nothing");
        let junk: [&[u8]; 8] =
            [b"", b"Basic", b"Bearer", b"Digest a=b", b"ieum_partner_x", b"Token x", b"\xff\xfe", b"Basic %"];
        for shown in junk {
            assert_eq!(asked(site, shown).await, refused("gateway.password_wrong"), "{shown:?}");
        }
        assert_eq!(asked(site, &basic("kitchen:guess")).await, refused("gateway.password_wrong"));
        for shown in [&b"Bearer eyJhbGciOi"[..], b"bearer ieum_partner_x"] {
            assert_eq!(asked(site, shown).await.0, 401, "{shown:?}");
        }
    }
    let right = basic("kitchen:a:secret");
    assert_eq!(asked(&known, &right).await, (403, "gateway.password_opens_nothing".to_owned()));
    assert_eq!(asked(&unknown, &right).await, refused("gateway.password_wrong"), "nobody knows it");
    assert_eq!(asked(&signing, &right).await.0, 200);
    let (_, key) = stage.key(Tier::Partner).await;
    assert_eq!(asked(&known, format!("Bearer {}", key.expose()).as_bytes()).await.0, 200, "a key");
    for beside in [&b""[..], b"Digest a=b", &basic("proxy:its"), b"Bearer eyJhbGciOi"] {
        let mut both = get_with("/who", key.expose());
        both.headers_mut().insert("authorization", HeaderValue::from_bytes(beside).expect("fits a header"));
        assert_eq!(
            ask(&known, both).await.status,
            StatusCode::OK,
            "beside a key it is somebody else's: {beside:?}"
        );
        let mut wrong = get_with("/who", "ieum_partner_x");
        wrong.headers_mut().insert("authorization", HeaderValue::from_bytes(beside).expect("fits a header"));
        assert_eq!(ask(&known, wrong).await.status, StatusCode::UNAUTHORIZED, "the key is judged");
    }
    for _ in 0..20 {
        asked(&known, &right).await;
    }
    assert_eq!(asked(&known, &right).await.0, 429, "what opens nothing is counted all the same");
}

pub async fn a_limit_lets_exactly_its_number_through_and_says_when_to_come_back(stage: &Stage) {
    let site = stage.site();
    let (_, key) = stage.key(Tier::Partner).await;
    for left in (0..5).rev() {
        let answer = ask(&site, get_with("/api/partner/whoami", key.expose())).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit-policy"), "\"partner\";q=5;w=60");
        let reset = 12 * (5 - left);
        assert_eq!(answer.header("ratelimit"), format!("\"partner\";r={left};t={reset}"));
    }
    let refused = ask(&site, get_with("/api/partner/whoami", key.expose())).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "12");
    stage.clock.advance(Duration::from_millis(11_999));
    let refused = ask(&site, get_with("/api/partner/whoami", key.expose())).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    stage.clock.advance(Duration::from_millis(1));
    assert_eq!(ask(&site, get_with("/api/partner/whoami", key.expose())).await.status, StatusCode::OK);
    let refused = ask(&site, get_with("/api/partner/whoami", key.expose())).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
}

pub async fn strangers_are_limited_per_address_and_keys_on_their_own(stage: &Stage) {
    let site = stage.site();
    let (_, key) = stage.key(Tier::Public).await;
    for _ in 0..3 {
        assert_eq!(ask(&site, request(Method::GET, "/api/public/hello")).await.status, StatusCode::OK);
    }
    let refused = ask(&site, request(Method::GET, "/api/public/hello")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&site, get_with("/api/public/hello", key.expose())).await.status, StatusCode::OK);
    let mut elsewhere = request(Method::GET, "/api/public/hello");
    let peer = std::net::SocketAddr::from(([192, 0, 2, 2], 1));
    elsewhere.extensions_mut().insert(axum::extract::ConnectInfo(peer));
    assert_eq!(ask(&site, elsewhere).await.status, StatusCode::OK);
    let mut forged = request(Method::GET, "/api/public/hello");
    forged.headers_mut().insert("x-forwarded-for", "9.9.9.9".parse().expect("fits a header"));
    assert_eq!(ask(&site, forged).await.status, StatusCode::TOO_MANY_REQUESTS, "no proxy is trusted");
}

pub async fn a_key_may_have_its_own_limit(stage: &Stage) {
    let rate = Some(Rate::per_minute(2));
    let (_, key) = stage.keys.create(NewKey { rate, ..wish(Tier::Partner) }).await.expect("is made");
    let site = stage.site();
    for expected in [200, 200, 429] {
        let answer = ask(&site, get_with("/api/partner/whoami", key.expose())).await;
        assert_eq!(answer.status.as_u16(), expected);
        assert_eq!(answer.header("ratelimit-policy"), "\"partner\";q=2;w=60");
    }
}

#[tokio::test]
async fn a_foreign_event_answers_the_same_whether_it_exists_or_not() {
    let stage = Stage::new().await;
    let site = stage.site();
    let (_, key) = stage.key(Tier::Partner).await;
    let seen = ask(&site, get_with("/api/partner/events/e1/attendance", key.expose())).await;
    assert_eq!(seen.body, "attendance of e1");
    let foreign = ask(&site, get_with("/api/partner/events/e2/attendance", key.expose())).await;
    let missing = ask(&site, get_with("/api/partner/events/nope/attendance", key.expose())).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert_eq!(foreign.body, missing.body);
    assert!(!foreign.body.contains("e2"));
}

#[tokio::test]
async fn a_missing_scope_is_named_and_a_wildcard_covers_its_area() {
    let stage = Stage::new().await;
    let site = stage.site();
    for (scopes, expected) in [("attendance:*", 200), ("attendance:write", 403), ("events:*", 403)] {
        let wish =
            NewKey { scopes: [scopes.to_owned()].into(), events: EventAccess::All, ..wish(Tier::Partner) };
        let (_, key) = stage.keys.create(wish).await.expect("is made");
        let answer = ask(&site, get_with("/api/partner/events/x/attendance", key.expose())).await;
        assert_eq!(answer.status.as_u16(), expected, "{scopes}");
        assert_eq!(answer.body.contains("attendance:read"), expected == 403, "{}", answer.body);
    }
}

pub async fn who_tries_wrong_keys_is_held_back_and_known_keys_behind_the_same_address_are_not(stage: &Stage) {
    let site = stage.site();
    let (_, key) = stage.key(Tier::Partner).await;
    assert_eq!(ask(&site, get_with("/api/partner/whoami", key.expose())).await.status, StatusCode::OK);
    let wrong = |number: u32| format!("ieum_partner_{number:016}_{}", "a".repeat(40));
    for number in 0..4 {
        let answer = ask(&site, get_with("/api/partner/whoami", &wrong(number))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let asked = stage.store.statistics().statements;
    let answer = ask(&site, get_with("/api/partner/whoami", &wrong(9))).await;
    assert_eq!(answer.reason(), "gateway.too_many_wrong_keys");
    assert_eq!(answer.header("retry-after"), "15");
    assert_eq!(stage.store.statistics().statements, asked, "the store is spared");
    assert_eq!(ask(&site, get_with("/api/partner/whoami", key.expose())).await.status, StatusCode::OK);
}

#[tokio::test]
async fn head_and_options_answer_without_a_body() {
    let stage = Stage::new().await;
    let site = stage.site();
    let head = ask(&site, request(Method::HEAD, "/api/public/hello")).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    let options = ask(&site, request(Method::OPTIONS, "/api/public/hello")).await;
    assert_eq!((options.status, options.header("allow")), (StatusCode::NO_CONTENT, "GET,HEAD"));
}
