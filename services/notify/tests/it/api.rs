//! Messages in the page over HTTP, behind a gateway's door.

use axum::Router;
use axum::body::{Body, to_bytes};
use futures::StreamExt;
use ieum_cache::open_cache;
use ieum_contracts::notify::{NotifyMessages, NotifyRecipients, SendNotification};
use ieum_core::system_clock;
use ieum_gateway::{EventAccess, Gateway, GatewayOptions, Keys, KeysOptions, NewKey, Tier};
use ieum_store::migrate;
use ieum_testkit::backend::SqlStore;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::{Stage, ada, cx, wish};

struct Pages {
    stage: Stage,
    router: Router,
    key: String,
    key_id: String,
}

impl Pages {
    async fn over(store: &SqlStore) -> Self {
        let stage = Stage::over(&store.url).await;
        migrate(&stage.store, &Keys::migrations(), |_| {}).await.expect("makes the tables");
        let keys = Keys::new(stage.store.clone(), system_clock(), KeysOptions::default());
        let new = NewKey {
            name: "Seoul".into(),
            tier: Tier::Partner,
            scopes: ["events:read".to_owned()].into(),
            events: EventAccess::Only(["e-1".to_owned()].into()),
            expires_at: None,
            rate: None,
        };
        let (record, text) = keys.create(new).await.expect("is made");
        let cache = open_cache("memory:", system_clock()).await.expect("opens");
        let gateway =
            Gateway::new(keys, cache, system_clock(), GatewayOptions::default()).expect("has limits");
        let router = gateway.public(stage.part.router());
        Self { stage, router, key: text.expose().to_owned(), key_id: record.id }
    }

    async fn ask(&self, method: &str, path: &str, key: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("x-api-key", key);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).expect("is a request");
        let answer = self.router.clone().oneshot(request).await.expect("is answered");
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("is read");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_listed_and_read_and_a_key_sees_its_own_only() {
    let store = SqlStore::sqlite();
    let pages = Pages::over(&store).await;
    let own = format!("key:{}", pages.key_id);
    let mut recipient = ada();
    recipient.recipient_id.clone_from(&own);
    pages.stage.recipients.save(&cx(), recipient).await.expect("is saved");
    pages.stage.send("n-1", "everywhere").await;
    let to_key = SendNotification { recipient_id: own.clone(), ..wish("n-2", "everywhere") };
    pages.stage.messages.send(&cx(), to_key).await.expect("is accepted");

    let (status, list) = pages.ask("GET", "/api/notifications?recipient=ada", None, None).await;
    assert_eq!(
        (status, &list["unread"], list["messages"].as_array().map(Vec::len)),
        (200, &json!(1), Some(1))
    );
    let id = list["messages"][0]["messageId"].as_str().expect("has an id").to_owned();
    let (_, mine) = pages.ask("GET", "/api/notifications", Some(&pages.key), None).await;
    assert_eq!(mine["messages"][0]["title"], "Title of n-2");
    let (status, problem) =
        pages.ask("GET", "/api/notifications?recipient=ada", Some(&pages.key), None).await;
    assert_eq!((status, &problem["reason"]), (403, &json!("notify.recipient.forbidden")));
    // Another's message is as unknown as none.
    let read = format!("/api/notifications/{id}/read");
    let (status, problem) = pages.ask("POST", &read, Some(&pages.key), None).await;
    assert_eq!((status, &problem["reason"]), (404, &json!("notify.unknown")));
    let (status, message) = pages.ask("POST", &format!("{read}?recipient=ada"), None, None).await;
    assert_eq!(status, 200, "{message}");
    assert!(message["readAt"].is_string());
    let (_, list) = pages.ask("GET", "/api/notifications?recipient=ada&unread=true", None, None).await;
    assert_eq!((&list["unread"], &list["messages"]), (&json!(0), &json!([])));
    let (status, problem) = pages.ask("GET", "/api/notifications", None, None).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("notify.recipient.missing")));
    let (status, _) = pages.ask("GET", "/api/notifications?recipient=ada&what=1", None, None).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_saves_its_own_recipient_and_follows_only_what_it_may_see() {
    let store = SqlStore::sqlite();
    let pages = Pages::over(&store).await;
    let path = "/api/notifications/recipient";
    let (status, _) = pages.ask("GET", path, Some(&pages.key), None).await;
    assert_eq!(status, 404);
    let wish = json!({ "recipientId": "ada", "locale": "ko", "zone": "Asia/Seoul", "follows": ["e-1"] });
    let (status, saved) = pages.ask("PUT", path, Some(&pages.key), Some(wish)).await;
    assert_eq!((status, &saved["recipientId"]), (200, &json!(format!("key:{}", pages.key_id))));
    let foreign = json!({ "recipientId": "", "follows": ["e-2"] });
    let (status, problem) = pages.ask("PUT", path, Some(&pages.key), Some(foreign)).await;
    assert_eq!((status, &problem["reason"]), (403, &json!("gateway.event_forbidden")));
    let all = json!({ "recipientId": "", "follows": ["*"] });
    let (status, _) = pages.ask("PUT", path, Some(&pages.key), Some(all)).await;
    assert_eq!(status, 403);
    let wrong = json!({ "recipientId": "", "zone": "Seoul" });
    let (status, problem) = pages.ask("PUT", path, Some(&pages.key), Some(wrong)).await;
    assert_eq!((status, &problem["reason"]), (400, &json!("notify.invalid")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_tells_a_new_message_without_being_asked() {
    let store = SqlStore::sqlite();
    let pages = Pages::over(&store).await;
    let request = http::Request::get("/api/notifications/stream?recipient=ada").body(Body::empty());
    let answer = pages.router.clone().oneshot(request.expect("is a request")).await.expect("is answered");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = answer.into_body().into_data_stream();
    let mut next = async || {
        let bytes = events.next().await.expect("goes on").expect("is whole");
        String::from_utf8(bytes.to_vec()).expect("is text")
    };
    let first = next().await;
    assert!(first.starts_with("event: messages") && first.contains(r#""unread":0"#), "{first}");
    pages.stage.send("n-1", "everywhere").await;
    // The stream waits a moment for further changes, by the clock that stands still.
    let turning = pages.stage.clock.clone();
    let turn = tokio::spawn(async move {
        loop {
            turning.advance(std::time::Duration::from_millis(50));
            tokio::task::yield_now().await;
        }
    });
    let second = next().await;
    turn.abort();
    assert!(second.contains("Title of n-1") && second.contains(r#""unread":1"#), "{second}");
}
