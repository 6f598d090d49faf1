//! What must never show: keys, tokens, queries, and the data of wrong answers.

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, StatusCode};
use ieum_client::{Auth, Request};
use ieum_core::{Cx, Secret};
use serde::Deserialize;

use crate::site::{CANARY, client, config, serve};

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Totals {
    participants: Participants,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Participants {
    total: u32,
}

#[tokio::test]
async fn no_secret_shows_in_debug_or_faults() {
    let site = Router::new()
        .route(
            "/api/blab",
            get(async || {
                let body = format!("{{\"detail\":\"{} key {CANARY} is wrong\"}}", "x".repeat(180));
                (StatusCode::UNAUTHORIZED, body)
            }),
        )
        .route("/api/break", get(async || StatusCode::BAD_REQUEST));
    let address = serve(site).await;
    let bearer = Auth::Bearer(Secret::new(CANARY));
    let basic = Auth::Basic { user: "hub".into(), password: Secret::new(CANARY) };
    let token =
        Auth::Header { name: http::header::AUTHORIZATION, value: Secret::new(format!("Token {CANARY}")) };
    for auth in [bearer, basic, token] {
        let mut config = config(address);
        config.auth = auth;
        let client = client(config);
        let mut texts = vec![format!("{client:?}")];
        for path in [
            "/blab",
            &format!("/break?token={CANARY}"),
            &format!("//[{CANARY}"),
            "http://127.0.0.3/?t=canary-",
        ] {
            let fault = client.get(&Cx::root(), path).await.expect_err("is refused");
            texts.extend([fault.to_string(), format!("{fault:?}")]);
        }
        let request = Request::new(http::Method::POST, format!("/x?key={CANARY}"))
            .header(http::header::COOKIE, HeaderValue::from_static(CANARY))
            .body(HeaderValue::from_static("text/plain"), CANARY);
        texts.push(format!("{request:?}"));
        for text in texts {
            assert!(!text.contains("canary-"), "{text}");
        }
    }
}

#[tokio::test]
async fn garbage_is_a_fault_that_names_the_question_and_the_field() {
    let site = Router::new()
        .route("/api/type", get(async || r#"{"participants":{"total":"canary-5f2c91"}}"#))
        .route("/api/gap", get(async || r#"{"participants":{}}"#))
        .route("/api/html", get(async || "<html>sign in</html>"))
        .route("/api/empty", get(async || ""));
    let client = client(config(serve(site).await));
    for (path, expected) in [
        ("/type", "field participants.total: invalid type: a string, expected u32"),
        ("/gap", "field participants: missing field `total`"),
        ("/html", "the body: expected value"),
        ("/empty", "the body: EOF while parsing"),
    ] {
        let fault = client.get_json::<Totals>(&Cx::root(), path).await.expect_err("is garbage");
        assert_eq!(fault.reason, "client.bad_json");
        let start = format!("GET {path} of hub answered with wrong JSON: {expected}");
        assert!(fault.message.starts_with(&start), "{}", fault.message);
        assert!(!fault.message.contains("canary"), "{}", fault.message);
    }
}
