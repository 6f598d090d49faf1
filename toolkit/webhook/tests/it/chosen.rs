//! What an endpoint chose to get: filters, trials, replays, and how its log is searched.

use std::time::Duration;

use ieum_core::Cx;
use ieum_webhook::{
    DeliverySearch, DeliveryState, Filter, NewEndpoint, Operator, PublicKey, Replay, TEST_EVENT,
    WebhookError, verify_public,
};
use serde_json::json;

use crate::stage::{START, Stage, message};

const MINUTE: Duration = Duration::from_secs(60);

fn at_least(field: &str, value: u64) -> Filter {
    Filter { field: field.into(), operator: Operator::Ge, value: json!(value) }
}

pub async fn a_message_is_signed_for_the_public_key_too_over_a_rotation(stage: &Stage) {
    let registered = stage.register().await;
    let id = registered.endpoint.id;
    let first = registered.endpoint.public_key.expect("has a public key");
    stage.webhooks.rotate_secret("seoul", id).await.expect("rotates");
    let second = stage.webhooks.endpoint("seoul", id).await.expect("is there").public_key.expect("has one");
    assert_ne!(first, second);
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let seen = stage.receiver.wait(1).await.remove(0);
    let header = seen.header("webhook-signature");
    let kinds: Vec<&str> = header.split(' ').filter_map(|one| one.split(',').next()).collect();
    assert_eq!(kinds, ["v1", "v1", "v1a", "v1a"]);
    for text in [first, second] {
        let key = PublicKey::parse(&text).expect("is a public key");
        let check = |body: &[u8]| {
            verify_public(&key, seen.id(), seen.header("webhook-timestamp"), header, body, START)
        };
        assert_eq!(check(&seen.body), Ok(()));
        assert!(check(b"{}").is_err());
    }
}

pub async fn an_endpoint_gets_only_what_its_filters_let_through(stage: &Stage) {
    let many = at_least("data.metrics.currentAttendees", 7);
    let more = at_least("data.metrics.currentAttendees", 8);
    let first = Filter { field: "data.eventId".into(), operator: Operator::Eq, value: json!("e-1") };
    let wish = |filters: &[Filter]| NewEndpoint { filters: filters.to_vec(), ..stage.wish() };
    let taking = stage.webhooks.register(wish(&[many, first.clone()])).await.expect("registers").endpoint;
    let refusing = stage.webhooks.register(wish(&[more, first])).await.expect("registers").endpoint;
    assert_eq!(stage.webhooks.endpoint("seoul", taking.id).await.expect("is there").filters.len(), 2);
    assert_eq!(stage.enqueue("m-1", "e-1").await, 1);
    assert_eq!(stage.enqueue("m-2", "e-2").await, 0);
    assert_eq!(stage.only_delivery().await.endpoint_id, taking.id);
    let missed = stage.webhooks.resend_since("seoul", refusing.id, START).await.expect("looks");
    assert_eq!(missed, 0, "what a filter keeps back was not missed");
    let bad = Filter { field: "data..x".into(), operator: Operator::Eq, value: json!(1) };
    let refused = stage.webhooks.register(wish(&[bad])).await.expect_err("is malformed");
    assert!(matches!(&refused, WebhookError::Endpoint(wrong) if wrong.field == "filters"), "{refused}");
    assert_eq!(stage.webhooks.endpoints("seoul").await.expect("lists").len(), 2, "nothing half-saved");
}

pub async fn a_trial_goes_to_one_endpoint_whatever_it_wants(stage: &Stage) {
    let filters = vec![at_least("data.no.such", 1)];
    let wish = NewEndpoint { filters, ..stage.wish() };
    let tried = stage.webhooks.register(wish).await.expect("registers").endpoint;
    let other = NewEndpoint { events: Vec::new(), ..stage.wish() };
    let other = stage.webhooks.register(other).await.expect("registers").endpoint;
    let _running = stage.webhooks.start();
    let sent = stage.webhooks.send_test(&Cx::root(), "seoul", tried.id).await.expect("is accepted");
    assert_eq!((sent.endpoint_id, sent.event.as_str()), (tried.id, TEST_EVENT));
    stage.wait_for(&sent.message_id, DeliveryState::Delivered, 1).await;
    let seen = stage.receiver.wait(1).await.remove(0).json();
    assert_eq!(
        (&seen["event"], &seen["data"]["webhookId"]),
        (&json!(TEST_EVENT), &json!(tried.id.to_string()))
    );
    let missed = stage.webhooks.resend_since("seoul", other.id, START).await.expect("looks");
    assert_eq!(missed, 0, "another endpoint did not miss it");
    let foreign = stage.webhooks.send_test(&Cx::root(), "busan", tried.id).await.expect_err("is not theirs");
    assert!(matches!(foreign, WebhookError::NoEndpoint(_)), "{foreign}");
    stage.webhooks.disable("seoul", tried.id).await.expect("disables");
    let refused = stage.webhooks.send_test(&Cx::root(), "seoul", tried.id).await.expect_err("is disabled");
    assert!(matches!(refused, WebhookError::NotActive(_)), "{refused}");
}

pub async fn a_span_is_sent_again_with_what_arrived_where_asked(stage: &Stage) {
    let id = stage.register().await.endpoint.id;
    let running = stage.webhooks.start();
    for number in 1..=3 {
        stage.enqueue(&format!("m-{number}"), "e-1").await;
        stage.wait_for(&format!("m-{number}"), DeliveryState::Delivered, 1).await;
        stage.advance(MINUTE);
    }
    running.drain().await;
    let replay = |delivered| Replay { since: START + MINUTE, until: Some(START + 2 * MINUTE), delivered };
    let again = |delivered| stage.webhooks.replay("seoul", id, replay(delivered));
    assert_eq!(again(false).await.expect("looks"), 0, "all of it arrived");
    assert_eq!(again(true).await.expect("is due"), 1);
    let _running = stage.webhooks.start();
    stage.wait_for("m-2", DeliveryState::Delivered, 2).await;
    let ids: Vec<String> = stage.receiver.seen().iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(ids, ["m-1", "m-2", "m-3", "m-2"]);
    assert!(stage.webhooks.replay("busan", id, replay(true)).await.is_err(), "it is not theirs");
}

pub async fn the_log_is_searched_by_event_message_and_span(stage: &Stage) {
    let wish = NewEndpoint { events: Vec::new(), ..stage.wish() };
    let id = stage.webhooks.register(wish).await.expect("registers").endpoint.id;
    stage.enqueue("m-1", "e-1").await;
    stage.advance(MINUTE);
    let mut paid = message("m-2", "e-1");
    paid.event = "order.paid".into();
    stage.enqueue_as(&Cx::root(), paid).await;
    let found = async |search: DeliverySearch| -> Vec<String> {
        let found = stage.webhooks.search("seoul", &search).await.expect("is searched");
        found.into_iter().map(|one| one.message_id).collect()
    };
    let any = DeliverySearch::default;
    assert_eq!(found(any()).await, ["m-2", "m-1"]);
    assert_eq!(found(DeliverySearch { event: Some("order.paid".into()), ..any() }).await, ["m-2"]);
    assert_eq!(found(DeliverySearch { message: Some("m-1".into()), ..any() }).await, ["m-1"]);
    assert_eq!(found(DeliverySearch { since: Some(START + MINUTE), ..any() }).await, ["m-2"]);
    assert_eq!(found(DeliverySearch { until: Some(START + MINUTE), ..any() }).await, ["m-1"]);
    let delivery = stage.deliveries().await.remove(0);
    assert_eq!(delivery.endpoint_id, id);
    let sent = stage.webhooks.sent("seoul", delivery.id).await.expect("is kept");
    assert!(sent.body.contains(r#""eventId":"e-1""#), "{}", sent.body);
    assert!(stage.webhooks.sent("busan", delivery.id).await.is_err(), "it is not theirs");
}
