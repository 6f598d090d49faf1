//! A key, a request, an answer.

use ieum_contracts::partners::{KeyId, PartnerKeys, RotateKey};
use ieum_core::Cx;
use serde_json::json;

use crate::stage::Stage;

pub async fn a_key_sees_its_events_and_its_limit(stage: &Stage) {
    let key = stage.key("partner", &["e-1"]).await;
    let answer = stage.get("/api/partner/events", &key).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.body["events"][0]["eventId"], "e-1");
    assert_eq!(answer.body["events"][0]["metrics"]["currentAttendees"], 40);
    assert_eq!(answer.body["events"][0]["freshness"], "fresh");
    assert!(!answer.header("ratelimit").is_empty() && !answer.header("ratelimit-policy").is_empty());
    let answer = stage.get("/api/partner/events/e-1/attendance", &key).await;
    assert_eq!((answer.status, &answer.body["metrics"]["checkedIn"]), (200, &json!(40)));
    let answer = stage.get("/api/partner/analytics/summary", &key).await;
    assert_eq!((answer.status, &answer.body["totalAttendees"]), (200, &json!(40)));
    let every = stage.key("partner", &["*"]).await;
    let answer = stage.get("/api/partner/analytics/summary", &every).await;
    assert_eq!(answer.body["totalAttendees"], 100);
    let none = stage.key("partner", &[]).await;
    assert_eq!(stage.get("/api/partner/events", &none).await.body, json!({"events": []}));
}

pub async fn a_foreign_event_is_forbidden_whether_it_exists_or_not(stage: &Stage) {
    let key = stage.key("premium", &["e-1"]).await;
    for path in ["/api/partner/events/{}/attendance", "/api/premium/events/{}/history"] {
        let foreign = stage.get(&path.replace("{}", "e-2"), &key).await;
        let unknown = stage.get(&path.replace("{}", "e-9"), &key).await;
        assert_eq!((foreign.status, unknown.status), (403, 403), "{path}");
        assert_eq!(foreign.body["detail"], unknown.body["detail"]);
        assert!(foreign.body["traceId"].as_str().is_some_and(|trace| trace.len() == 32));
    }
    let every = stage.key("partner", &["*"]).await;
    let answer = stage.get("/api/partner/events/e-9/attendance", &every).await;
    assert_eq!((answer.status, &answer.body["reason"]), (404, &json!("events.event.unknown")));
}

pub async fn each_door_asks_for_its_tier_and_scope(stage: &Stage) {
    let public = stage.ask("GET", "/api/public/events", None, None).await;
    assert_eq!((public.status, &public.body["totalAttendees"]), (200, &json!(100)));
    assert!(public.body["events"][0].get("metrics").is_none(), "figures of one event are for partners");
    assert_eq!(stage.ask("GET", "/api/partner/events", None, None).await.status, 401);
    let key = stage.key("partner", &["*"]).await;
    assert_eq!(stage.get("/api/premium/events/e-1/history", &key).await.status, 403);
    let premium = stage.key("premium", &["*"]).await;
    let answer = stage.get("/api/premium/events/e-1/history?from=2026-05-01T00:00:00Z", &premium).await;
    assert_eq!((answer.status, &answer.body["rows"][0]["checkedIn"]), (200, &json!(40.0)), "{answer:?}");
    let narrow = stage.key_with("partner", &["*"], &["events:read"]).await;
    assert_eq!(stage.get("/api/partner/events", &narrow).await.status, 200);
    assert_eq!(stage.get("/api/partner/analytics/summary", &narrow).await.status, 403);
    assert_eq!(stage.get("/api/partner/webhooks", &narrow).await.status, 403);
}

pub async fn a_bad_query_names_its_field(stage: &Stage) {
    let key = stage.key("premium", &["*"]).await;
    for (query, field) in [
        ("stepSeconds=0", "stepSeconds"),
        ("stepSeconds=soon", "stepSeconds"),
        ("from=yesterday", "from"),
        ("from=2026-05-02T00:00:00Z&until=2026-05-01T00:00:00Z", "from"),
    ] {
        let answer = stage.get(&format!("/api/premium/events/e-1/history?{query}"), &key).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{query}: {answer:?}");
    }
}

pub async fn both_texts_of_a_rotated_key_work_and_none_of_a_revoked_one(stage: &Stage) {
    let first = stage.key("partner", &["*"]).await;
    let id = first.key.key_id.clone();
    let wish = RotateKey { key_id: id.clone(), overlap_seconds: None };
    let second = stage.keys.rotate(&Cx::root(), wish).await.expect("rotates");
    assert_eq!(stage.get("/api/partner/events", &first).await.status, 200);
    assert_eq!(stage.get("/api/partner/events", &second).await.status, 200);
    let revoked = stage.keys.revoke(&Cx::root(), KeyId { key_id: id }).await.expect("revokes");
    assert_eq!(revoked.status, "revoked");
    assert_eq!(stage.get("/api/partner/events", &first).await.status, 401);
    assert_eq!(stage.get("/api/partner/events", &second).await.status, 401);
    let unknown =
        stage.keys.revoke(&Cx::root(), KeyId { key_id: "none".into() }).await.expect_err("is unknown");
    assert_eq!(unknown.reason, "partners.key.unknown");
}

pub async fn a_webhook_endpoint_shows_its_secret_once(stage: &Stage) {
    let key = stage.key("partner", &["*"]).await;
    let wish = json!({"url": "http://127.0.0.1:9/hook", "events": ["event.*"]});
    let made = stage.ask("POST", "/api/partner/webhooks", Some(&key), Some(wish)).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.body["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    let path = format!("/api/partner/webhooks/{}", made.body["id"].as_str().expect("has an id"));
    let shown = stage.get(&path, &key).await;
    assert_eq!((shown.status, &shown.body["state"]), (200, &json!("active")));
    assert!(shown.body.get("secret").is_none());
    let rotated = stage.ask("POST", &format!("{path}/rotate-secret"), Some(&key), None).await;
    assert_eq!(rotated.status, 200);
    assert_ne!(rotated.body["secret"], made.body["secret"]);
    let other = stage.key("partner", &["*"]).await;
    for (method, path) in
        [("GET", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/deliveries"))]
    {
        assert_eq!(stage.ask(method, &path, Some(&other), None).await.status, 404, "{method} {path}");
    }
    assert_eq!(stage.ask("DELETE", &path, Some(&key), None).await.status, 204);
    assert_eq!(stage.get(&path, &key).await.status, 404);
}

pub async fn a_bad_webhook_names_its_field_and_saves_nothing(stage: &Stage) {
    let key = stage.key("partner", &["*"]).await;
    for (wish, field) in [
        (json!({"url": "http://10.0.0.1/hook"}), "url"),
        (json!({"url": "http://[::ffff:169.254.169.254]/"}), "url"),
        (json!({"url": "ftp://example.org/"}), "url"),
        (json!({"url": 7}), "url"),
        (json!({}), "url"),
        (json!({"url": "https://example.org/", "events": ["two words"]}), "events"),
        (json!({"url": "https://example.org/", "secret": "mine"}), "secret"),
    ] {
        let answer = stage.ask("POST", "/api/partner/webhooks", Some(&key), Some(wish.clone())).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{wish}: {answer:?}");
    }
    assert_eq!(stage.get("/api/partner/webhooks", &key).await.body, json!({"webhooks": []}));
}

pub async fn the_description_is_served(stage: &Stage) {
    let answer = stage.ask("GET", "/openapi.json", None, None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body["paths"].get("/api/partner/events/{eventId}/attendance").is_some());
}
