//! `ieum webhook`: an operator sees what partners' endpoints got, tries one, sends again, opens and closes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use ieum_testkit::wait;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{Running, ieum, text, up};

const LONG: Duration = Duration::from_secs(120);

type Ids = Arc<Mutex<Vec<String>>>;

/// Takes webhooks and keeps their ids; returns where, and the ids.
async fn receiver() -> (String, Ids) {
    let ids = Ids::default();
    let take = |State(ids): State<Ids>, headers: HeaderMap| async move {
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        ids.lock().push(id.to_owned());
    };
    let router = Router::new().route("/hook", post(take)).with_state(ids.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/hook"), ids)
}

/// Runs a command that must fail and returns what it says.
fn refused(data: &Path, words: &[&str]) -> String {
    let output = ieum(data, &[]).args(words).output().expect("runs");
    assert!(!output.status.success(), "{words:?} succeeds");
    text(&output)
}

async fn arrived(ids: &Ids, count: usize) {
    let there = async || ids.lock().len() == count;
    wait::until("the webhook arrives", LONG, there).await.expect("arrives");
}

/// Makes a partner with one endpoint at `url`; returns the endpoint's id.
async fn registered(data: &Path, platform: &Running, url: &str) -> String {
    let issued = platform.ask(data, &["key", "create", "--name", "radio"]);
    let key = issued["text"].as_str().expect("shows the text once").to_owned();
    let door = format!("http://{}/api/partner/webhooks", platform.address);
    let wish = json!({ "url": url, "events": ["event.*"] });
    let answer = reqwest::Client::new().post(door).header("X-API-Key", key).json(&wish).send().await;
    let made: Value = answer.expect("answers").json().await.expect("is JSON");
    made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_tries_an_endpoint_and_sends_again() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let platform = up(data, &[], &[]);
    let (url, ids) = receiver().await;
    let endpoint = registered(data, &platform, &url).await;
    let ask = |words: &[&str]| platform.ask(data, &[&["webhook"], words].concat());

    let all = ask(&["list", "--partner", "radio"]);
    assert_eq!((&all[0]["id"], &all[0]["partnerName"]), (&json!(endpoint), &json!("radio")));
    let table = ieum(data, &[]).args(["webhook", "list"]).output().expect("runs");
    assert!(text(&table).contains("radio") && text(&table).contains(&url), "{}", text(&table));

    let sent = ask(&["test", &endpoint]);
    assert_eq!(sent["event"], "webhook.test");
    arrived(&ids, 1).await;
    let delivery = sent["id"].as_str().expect("has an id").to_owned();
    let settled = async || ask(&["show", &delivery])["attempts"][0]["status"] == 200;
    wait::until("the attempt is logged", LONG, settled).await.expect("is");
    let people = ieum(data, &[]).args(["webhook", "show", &delivery]).output().expect("runs");
    assert!(text(&people).contains("webhook.test") && text(&people).contains("200"), "{}", text(&people));

    assert_eq!(ask(&["disable", &endpoint])["state"], "disabled");
    let told = refused(data, &["webhook", "test", &endpoint]);
    assert!(told.contains(&format!("endpoint {endpoint} is disabled; enable it first")), "{told}");
    assert_eq!(ask(&["enable", &endpoint])["state"], "active");

    ask(&["resend", &delivery]);
    arrived(&ids, 2).await;
    let delivered =
        async || ask(&["show", &endpoint, "--state", "delivered"])["deliveries"][0]["attempts"] == 2;
    wait::until("the second is logged", LONG, delivered).await.expect("is");
    assert_eq!(ask(&["resend", &endpoint, "--since", "1h"]), json!({ "count": 0 }), "all of it arrived");
    assert_eq!(ask(&["resend", &endpoint, "--since", "1h", "--delivered"]), json!({ "count": 1 }));
    arrived(&ids, 3).await;
    let seen = ids.lock().clone();
    assert!(seen.iter().all(|id| *id == seen[0]), "the same message under the same id: {seen:?}");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_about_webhooks_that_cannot_be_is_answered_in_a_sentence() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let platform = up(data, &["partners", "events"], &[]);
    let (url, _) = receiver().await;
    let endpoint = registered(data, &platform, &url).await;
    let unknown = "0190b4a0-0000-7000-8000-000000000000";
    for (words, told) in [
        (&["show", unknown][..], "there is no endpoint and no delivery 0190b4a0"),
        (&["enable", "radio"], "there is no endpoint and no delivery radio; `ieum webhook list`"),
        (&["resend", &endpoint], "is an endpoint; say since when to send again"),
        (&["resend", &endpoint, "--since", "soon"], "--since \"soon\" is neither a time such as"),
        (&["resend", &endpoint, "--since", "1h", "--until", "2h"], "--until is before --since"),
        (&["resend", &endpoint, "--delivered"], "--since <TIME>"),
        (&["show", &endpoint, "--state", "lost"], "--state \"lost\" is none of pending, held, delivered"),
        (&["list", "--partner", "tv"], "there is no partner \"tv\"; `ieum key list`"),
    ] {
        let said = refused(data, &[&["webhook"], words].concat());
        assert!(said.contains(told), "{words:?}: {said}");
    }
    platform.stop();
}
