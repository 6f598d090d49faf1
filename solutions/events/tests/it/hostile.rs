//! Registering what is no source, or a hostile one: the error names the step, the address and what to do, in
//! time, and nothing is saved or leaked.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use ieum_contracts::events::{EventServiceConfig, EventServiceRegistry};
use ieum_core::{Cx, system_clock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::hub::{Hub, pretix_config};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::port::KeptPort;

/// Answers every request on a free port with the same bytes and returns the address; without bytes it keeps
/// silent.
async fn answering(bytes: Option<Vec<u8>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move {
        let mut silent = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(bytes) = bytes.clone() else {
                silent.push(stream);
                continue;
            };
            tokio::spawn(async move {
                let mut request = vec![0; 8 * 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    format!("http://{address}")
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Option<Vec<u8>> {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n");
    Some([head.as_bytes(), body].concat())
}

fn json(status: &str, body: &str) -> Option<Vec<u8>> {
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    answer(status, &headers, body.as_bytes())
}

fn config(api: &str) -> EventServiceConfig {
    let mut config = pretix_config("expo", api, "acme", "expo", "canary-token");
    config.sync_settings.retry_policy.attempts = 1;
    config
}

/// Registers what answers with `bytes` and checks the words of the error.
async fn refused(bytes: Option<Vec<u8>>, words: &[&str]) {
    refused_at(&answering(bytes).await, words).await;
}

async fn refused_at(api: &str, words: &[&str]) {
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let registering = async { hub.part.registry().register(&Cx::root(), config(api)).await };
    let fault = tokio::time::timeout(Duration::from_secs(120), registering).await.expect("ends in time");
    let fault = fault.expect_err("is refused");
    let said = fault.to_string();
    assert_eq!(fault.reason, "events.source.probe_failed", "{said}");
    for word in words.iter().chain(&["probing source expo: event", api]) {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
    assert!(!format!("{said}{fault:?}").contains("canary-token"), "{said}");
    assert!(said.len() < 1_500, "{said}");
    assert!(hub.source("expo").await.is_none(), "nothing is saved");
    hub.stop().await;
}

#[tokio::test]
async fn a_wrong_token_says_where_to_get_a_right_one() {
    let bytes = json("401 Unauthorized", r#"{"detail":"Invalid token."}"#);
    refused(bytes, &["answered 401: Invalid token.", "make a new one there", "--token-file"]).await;
}

#[tokio::test]
async fn a_wrong_organizer_says_what_may_be_spelled_wrong() {
    let bytes = json("403 Forbidden", r#"{"detail":"You do not have permission to perform this action."}"#);
    refused(bytes, &["/organizers/acme/events/expo/", "answered 403", "organizer or event is spelled wrong"])
        .await;
}

#[tokio::test]
async fn another_site_is_no_pretix() {
    let page = answer("200 OK", "content-type: text/html\r\n", b"<!doctype html><p>Welcome to my shop");
    refused(page, &["answered with wrong JSON", "connector the right one"]).await;
    refused(json("404 Not Found", "{}"), &["answered 404", "nothing is at that path"]).await;
}

#[tokio::test]
async fn garbage_is_not_taken_for_an_event() {
    for body in ["[1,2,3]", r#"{"name":7}"#, r#"{"name":{"en":"Expo"}} and more"#, "{"] {
        refused(json("200 OK", body), &["answered with wrong JSON", "no answer of such a system"]).await;
    }
}

#[tokio::test]
async fn a_plain_port_spoken_to_with_tls_says_so() {
    let plain = answering(json("200 OK", "{}")).await.replace("http:", "https:");
    refused_at(
        &plain,
        &["connecting to 127.0.0.1 failed", "whether it is http or https, and its certificate"],
    )
    .await;
}

#[tokio::test]
async fn nobody_at_the_port_says_so() {
    let nobody = KeptPort::take();
    refused_at(
        &format!("http://{}", nobody.address()),
        &["connecting to 127.0.0.1 failed", "check host and port"],
    )
    .await;
}

#[tokio::test]
async fn a_redirect_to_an_inner_address_is_refused() {
    let bytes = answer(
        "302 Found",
        "location: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n",
        b"",
    );
    refused(bytes, &["169.254.169.254", "outbound.allow"]).await;
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let announced = answer("200 OK", "content-length: 99999999999\r\n", b"{");
    refused(announced, &["larger than 16777216 bytes", "no such system answers like this"]).await;
    let streamed = answer("200 OK", "", &vec![b' '; 17 << 20]);
    refused(streamed, &["larger than 16777216 bytes"]).await;
}

#[tokio::test]
async fn a_decompression_bomb_does_not_go_off() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..80 {
        encoder.write_all(&zeros).expect("is in memory");
    }
    let bomb = encoder.finish().expect("is in memory");
    let headers = format!("content-encoding: gzip\r\ncontent-length: {}\r\n", bomb.len());
    refused(answer("200 OK", &headers, &bomb), &["once decompressed", "no such system answers like this"])
        .await;
}

#[tokio::test]
async fn a_source_that_fails_itself_is_tried_later() {
    let bytes = json("503 Service Unavailable", r#"{"detail":"down"}"#);
    refused(bytes, &["answered 503: down", "try again later"]).await;
    refused(json("500 Internal Server Error", ""), &["answered 500", "it fails itself"]).await;
}

#[tokio::test]
async fn a_source_that_never_answers_is_given_up() {
    refused(None, &["no answer began within", "it takes too long"]).await;
}
