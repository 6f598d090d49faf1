//! A change of an event reaches the partners who may see it, signed, once.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use ieum_core::{Clock, SystemClock};
use ieum_webhook::{SigningSecret, verify};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage};

pub type Inbox = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

pub async fn receiver() -> (String, Inbox) {
    let inbox = Inbox::default();
    let filled = Arc::clone(&inbox);
    let take = move |headers: HeaderMap, body: Bytes| async move { filled.lock().push((headers, body)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("has an address"));
    let app = Router::new().fallback(take);
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, inbox)
}

pub async fn wait_for(inbox: &Inbox, count: usize) {
    let enough = || async { inbox.lock().len() >= count };
    ieum_testkit::wait::until(&format!("{count} webhooks came"), PATIENCE, enough).await.expect("they come");
}

pub async fn a_change_reaches_who_may_see_it_signed_and_once(stage: &Stage) {
    let (seoul, busan) = (stage.key("partner", &["e-1"]).await, stage.key("partner", &["e-2"]).await);
    let ((seoul_url, seoul_inbox), (busan_url, busan_inbox)) = (receiver().await, receiver().await);
    let made =
        stage.ask("POST", "/api/partner/webhooks", Some(&seoul), Some(json!({"url": seoul_url}))).await;
    stage.ask("POST", "/api/partner/webhooks", Some(&busan), Some(json!({"url": busan_url}))).await;
    stage.part.start().await.expect("starts");
    stage.publish("u-1", "e-1", 41).await;
    stage.publish("u-1", "e-1", 41).await;
    stage.publish("u-2", "e-2", 61).await;
    stage.publish("u-3", "e-1", 42).await;
    wait_for(&seoul_inbox, 2).await;
    wait_for(&busan_inbox, 1).await;
    stage.part.drain().await;
    let secret = SigningSecret::parse(made.body["secret"].as_str().expect("is text")).expect("is a secret");
    let came = seoul_inbox.lock().clone();
    assert_eq!(came.len(), 2, "each change once");
    for (headers, body) in &came {
        let header = |name: &str| headers[name].to_str().expect("is text").to_owned();
        let (id, signature) = (header("webhook-id"), header("webhook-signature"));
        let now = SystemClock.now();
        assert_eq!(verify(&secret, &id, &header("webhook-timestamp"), &signature, body, now), Ok(()));
        assert_eq!(header("x-webhook-event"), "event.data.updated");
        let body: Value = serde_json::from_slice(body).expect("is JSON");
        assert_eq!((&body["id"], &body["data"]["eventId"]), (&json!(id), &json!("e-1")));
    }
    assert_eq!(busan_inbox.lock().len(), 1, "nothing of a foreign event");
    let path = format!("/api/partner/webhooks/{}/deliveries", made.body["id"].as_str().expect("has an id"));
    let log = stage.get(&path, &seoul).await;
    let deliveries = log.body["deliveries"].as_array().expect("is a list").clone();
    assert_eq!(deliveries.len(), 2);
    assert!(deliveries.iter().all(|one| one["state"] == "delivered" && one["lastStatus"] == 200));
    let first = deliveries[0]["id"].as_str().expect("has an id");
    let attempts = stage.get(&format!("/api/partner/webhooks/deliveries/{first}/attempts"), &seoul).await;
    assert_eq!(attempts.body["attempts"][0]["status"], 200);
    let foreign = stage.get(&format!("/api/partner/webhooks/deliveries/{first}/attempts"), &busan).await;
    assert_eq!(foreign.status, 404);
    stage.part.start().await.expect("starts again");
    let again = stage
        .ask("POST", &format!("/api/partner/webhooks/deliveries/{first}/resend"), Some(&seoul), None)
        .await;
    assert_eq!(again.status, 202);
    wait_for(&seoul_inbox, 3).await;
    stage.part.drain().await;
}

pub async fn a_key_made_after_the_start_is_told_as_well(stage: &Stage) {
    stage.part.start().await.expect("starts");
    let key = stage.key("partner", &["*"]).await;
    let (url, inbox) = receiver().await;
    stage.ask("POST", "/api/partner/webhooks", Some(&key), Some(json!({"url": url}))).await;
    stage.publish("u-1", "e-1", 41).await;
    wait_for(&inbox, 1).await;
    stage.part.drain().await;
}
