//! Plans: totals alone, the day's quota, the use of a key.

use ieum_contracts::partners::{CreateKey, PartnerKeys};
use ieum_core::Cx;
use serde_json::{Value, json};

use crate::stage::{Stage, ask};
use crate::told::{receiver, wait_for};

const EVENTS: &str = "/api/partner/events";

pub async fn totals_alone_unless_plan_or_key_says_otherwise(stage: &Stage) {
    let usual = stage.key("partner", &["e-1"]).await;
    let asking =
        stage.key_with("partner", &["e-1"], &["events:read", "attendance:read", "details:read"]).await;
    let planned = stage.key("open-book", &["e-1"]).await;
    assert_eq!(planned.key.tier, "open-book");
    assert!(planned.key.scopes.contains(&"details:read".to_owned()));
    for (key, gates) in [(&usual, 0), (&asking, 1), (&planned, 1)] {
        let list = stage.get(EVENTS, key).await;
        let shown = &list.body["events"][0]["metrics"];
        assert_eq!(shown["gateActivity"].as_array().map(Vec::len), Some(gates), "{list:?}");
        assert_eq!(shown["currentAttendees"], 40, "totals stay");
        let one = stage.get("/api/partner/events/e-1/attendance", key).await;
        assert_eq!(one.body["metrics"]["gateActivity"].as_array().map(Vec::len), Some(gates));
    }
    let mut inboxes = Vec::new();
    for key in [&usual, &planned] {
        let (url, inbox) = receiver().await;
        stage.ask("POST", "/api/partner/webhooks", Some(key), Some(json!({"url": url}))).await;
        inboxes.push(inbox);
    }
    stage.part.start().await.expect("starts");
    stage.publish("u-1", "e-1", 41).await;
    for (inbox, gates) in inboxes.iter().zip([0, 1]) {
        wait_for(inbox, 1).await;
        let body: Value = serde_json::from_slice(&inbox.lock()[0].1).expect("is JSON");
        assert_eq!(body["data"]["metrics"]["gateActivity"].as_array().map(Vec::len), Some(gates), "{body}");
        assert_eq!(body["data"]["metrics"]["currentAttendees"], 41);
    }
    stage.part.drain().await;
}

pub async fn a_days_quota_is_exact_over_two_processes_and_named(stage: &Stage) {
    let key = stage.key("starter", &["e-1"]).await;
    let other = stage.another().await;
    let first = stage.get(EVENTS, &key).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.header("ratelimit-policy"), r#""partner";q=100;w=60, "day";q=3;w=86400"#);
    assert!(first.header("ratelimit").starts_with(r#""day";r=2;t="#), "the tighter one: {first:?}");
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let (here, there) =
            tokio::join!(stage.get(EVENTS, &key), ask(&other, "GET", EVENTS, Some(&key), None));
        statuses.extend([here.status, there.status]);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429]);
    let refused = stage.get(EVENTS, &key).await;
    assert_eq!((refused.status, &refused.body["reason"]), (429, &json!("gateway.day_quota_used_up")));
    assert!(refused.header("ratelimit").starts_with(r#""day";r=0;t="#), "{refused:?}");
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=86_400).contains(&seconds))
    );
    let unlimited = stage.key("partner", &["e-1"]).await;
    let answer = stage.get(EVENTS, &unlimited).await;
    assert!(!answer.header("ratelimit-policy").contains("day"), "a key without a plan has no day's quota");
}

pub async fn a_key_sees_its_own_use_by_endpoint(stage: &Stage) {
    let (key, other) = (stage.key("open-book", &["e-1"]).await, stage.key("partner", &["*"]).await);
    stage.get(EVENTS, &key).await;
    stage.get(EVENTS, &key).await;
    assert_eq!(stage.get("/api/partner/events/e-2/attendance", &key).await.status, 403);
    assert_eq!(stage.get("/api/premium/events/e-1/history", &key).await.status, 403);
    stage.get(EVENTS, &other).await;
    for step in ["hour", "day"] {
        let usage = stage.get(&format!("/api/partner/usage?step={step}"), &key).await;
        assert_eq!((usage.status, &usage.body["plan"]), (200, &json!("open-book")), "{usage:?}");
        let rows = usage.body["rows"].as_array().expect("is a list");
        let of = |endpoint: &str, field: &str| -> u64 {
            let rows = rows.iter().filter(|row| row["endpoint"] == endpoint);
            rows.filter_map(|row| row[field].as_u64()).sum()
        };
        assert_eq!(
            (of("GET /api/partner/events", "requests"), of("GET /api/partner/events", "refused")),
            (2, 0)
        );
        let refused = "GET /api/partner/events/{eventId}/attendance";
        assert_eq!((of(refused, "requests"), of(refused, "refused")), (1, 1), "{usage:?}");
        assert_eq!(of("GET /api/premium/events/{eventId}/history", "refused"), 1);
    }
    for (query, field) in [
        ("since=2026-05-02T00:00:00Z&until=2026-05-01T00:00:00Z", "since"),
        ("since=2026-01-01T00:00:00Z&until=2026-05-01T00:00:00Z", "since"),
        ("step=year", "step"),
    ] {
        let answer = stage.get(&format!("/api/partner/usage?{query}"), &key).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{query}: {answer:?}");
    }
}

pub async fn an_unknown_plan_is_refused(stage: &Stage) {
    let wish = CreateKey {
        name: "Seoul".into(),
        tier: "golden".into(),
        scopes: Vec::new(),
        events: Vec::new(),
        expires_at: None,
        per_minute: None,
    };
    let cx = Cx::root().with_idempotency_key("once");
    let refused = stage.keys.create(&cx, wish).await.expect_err("there is no such plan");
    assert_eq!(refused.reason, "partners.key.invalid");
    assert!(refused.message.contains("there are open-book, starter"), "{}", refused.message);
}
