//! What must hold over every store.

use std::collections::HashMap;
use std::time::Duration;

use ieum_core::Cx;
use ieum_webhook::{DeliveryState, DisabledReason, EndpointState, NewEndpoint, WebhookError, WebhookOptions};

pub use crate::chosen::*;
pub use crate::purged::*;
use crate::receiver::Reply;
use crate::stage::{START, Stage, message};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

pub async fn a_message_arrives_signed_in_both_ways(stage: &Stage) {
    let registered = stage.register().await;
    let _running = stage.webhooks.start();
    let cx = Cx::root();
    assert_eq!(stage.enqueue_as(&cx, message("m-1", "e-1")).await, 1);
    let seen = stage.receiver.wait(1).await.remove(0);
    assert_eq!(seen.verify(&registered.secret, START), Ok(()));
    assert_eq!(seen.header("webhook-timestamp"), START.as_seconds().to_string());
    assert_eq!(seen.header("x-webhook-event"), "event.data.updated");
    assert_eq!(seen.header("x-webhook-signature"), registered.secret.sign_plain(&seen.body));
    assert_eq!(seen.header("user-agent"), "S-Attend-Gate-Platform/1.0");
    assert_eq!(seen.header("content-type"), "application/json");
    let trace: ieum_core::TraceContext = seen.header("traceparent").parse().expect("is a traceparent");
    assert_eq!(trace.trace_id, cx.trace().trace_id);
    let body = seen.json();
    assert_eq!(body["id"], "m-1");
    assert_eq!(body["event"], "event.data.updated");
    assert_eq!(body["timestamp"], START.to_string());
    assert_eq!(body["data"]["metrics"]["currentAttendees"], 7);
    let delivery = stage.wait_for("m-1", DeliveryState::Delivered, 1).await;
    assert_eq!(delivery.last_status, Some(200));
}

pub async fn a_failed_delivery_is_tried_again_under_the_same_id(stage: &Stage) {
    let registered = stage.register().await;
    let mut left = 2;
    stage.receiver.answer(move |_| {
        left -= 1;
        Reply::status(if left >= 0 { 500 } else { 204 })
    });
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let first = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    let wait = first.due_at.since(START);
    assert!(wait >= SECOND.mul_f64(4.5) && wait <= SECOND.mul_f64(5.5), "{wait:?}");
    stage.advance(wait);
    let second = stage.wait_for("m-1", DeliveryState::Pending, 2).await;
    let wait = second.due_at.since(START + wait);
    assert!(wait >= MINUTE.mul_f64(4.5) && wait <= MINUTE.mul_f64(5.5), "{wait:?}");
    stage.advance(wait);
    stage.wait_for("m-1", DeliveryState::Delivered, 3).await;
    let seen = stage.receiver.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| one.id() == "m-1" && one.body == seen[0].body));
    assert!(seen[2].header("webhook-timestamp") > seen[0].header("webhook-timestamp"));
    assert_eq!(seen[2].verify(&registered.secret, second.due_at), Ok(()));
    let attempts = stage.webhooks.attempts("seoul", second.id).await.expect("is logged");
    let statuses: Vec<_> = attempts.iter().map(|attempt| (attempt.number, attempt.status)).collect();
    assert_eq!(statuses, [(1, Some(500)), (2, Some(500)), (3, Some(204))]);
}

pub async fn a_transaction_that_is_undone_sends_nothing(stage: &Stage) {
    stage.register().await;
    let _running = stage.webhooks.start();
    let mut tx = stage.store.begin().await.expect("begins");
    let count = stage.webhooks.enqueue(&mut tx, &Cx::root(), &message("lost", "e-1")).await;
    assert_eq!(count.expect("is accepted"), 1);
    tx.rollback().await.expect("is undone");
    stage.enqueue("kept", "e-1").await;
    stage.wait_for("kept", DeliveryState::Delivered, 1).await;
    assert_eq!(stage.receiver.seen().len(), 1);
}

pub async fn a_message_is_accepted_once_per_id(stage: &Stage) {
    stage.register().await;
    assert_eq!(stage.enqueue("m-1", "e-1").await, 1);
    assert_eq!(stage.enqueue("m-1", "e-1").await, 0);
    assert_eq!(stage.deliveries().await.len(), 1);
    let mut tx = stage.store.begin().await.expect("begins");
    let mut wrong = message("m-2", "e-1");
    wrong.data = serde_json::json!("x".repeat(300_000));
    let error = stage.webhooks.enqueue(&mut tx, &Cx::root(), &wrong).await.expect_err("is too long");
    assert!(error.to_string().contains("data: makes a body of"), "{error}");
}

pub async fn an_endpoint_gets_only_the_events_it_wants(stage: &Stage) {
    stage.register().await;
    stage.webhooks.register(NewEndpoint { events: Vec::new(), ..stage.wish() }).await.expect("registers");
    let mut other = message("m-1", "e-1");
    other.event = "order.paid".into();
    assert_eq!(stage.enqueue_as(&Cx::root(), other).await, 1);
    assert_eq!(stage.enqueue("m-2", "e-1").await, 2);
    let mut foreign = message("m-3", "e-1");
    foreign.partner = "busan".into();
    assert_eq!(stage.enqueue_as(&Cx::root(), foreign).await, 0);
}

pub async fn gone_disables_the_endpoint_and_holds_back_the_rest(stage: &Stage) {
    let registered = stage.register_ordered().await;
    stage.receiver.answer_status(410);
    stage.enqueue("m-1", "e-1").await;
    stage.enqueue("m-2", "e-1").await;
    let _running = stage.webhooks.start();
    stage.wait_until_all(DeliveryState::Held).await;
    let disabled = EndpointState::Disabled { reason: DisabledReason::Gone, since: START };
    assert_eq!(stage.endpoint_state(registered.endpoint.id).await, disabled);
    assert_eq!(stage.receiver.seen().len(), 1);
    assert_eq!(stage.enqueue("m-3", "e-1").await, 0, "a disabled endpoint takes nothing new");
    let held = stage.deliveries().await.remove(0);
    let refused = stage.webhooks.resend("seoul", held.id).await.expect_err("is disabled");
    assert!(matches!(refused, WebhookError::NotActive(_)), "{refused}");
    stage.receiver.answer_status(200);
    stage.webhooks.enable("seoul", registered.endpoint.id).await.expect("enables");
    stage.wait_until_all(DeliveryState::Delivered).await;
    assert_eq!(stage.endpoint_state(registered.endpoint.id).await, EndpointState::Active);
}

pub async fn a_throttled_endpoint_is_left_alone_as_long_as_it_asks(stage: &Stage) {
    let registered = stage.register().await;
    let mut first = true;
    stage.receiver.answer(move |_| match std::mem::take(&mut first) {
        true => Reply::status(429).with("retry-after", "120"),
        false => Reply::status(200),
    });
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    assert_eq!(delivery.due_at, START + 2 * MINUTE);
    let paused = EndpointState::Paused { until: START + 2 * MINUTE };
    assert_eq!(stage.endpoint_state(registered.endpoint.id).await, paused);
    stage.enqueue("m-2", "e-2").await;
    stage.advance(119 * SECOND);
    let other = stage.webhooks.register(NewEndpoint { partner: "busan".into(), ..stage.wish() }).await;
    let mut foreign = message("m-9", "e-1");
    foreign.partner = other.expect("registers").endpoint.partner;
    stage.enqueue_as(&Cx::root(), foreign).await;
    assert_eq!(stage.receiver.wait(2).await[1].id(), "m-9", "another endpoint is not held up");
    stage.advance(2 * SECOND);
    stage.wait_until_all(DeliveryState::Delivered).await;
    assert_eq!(stage.receiver.seen().len(), 4);
}

pub async fn an_ordered_endpoint_gets_each_key_in_order(stage: &Stage) {
    stage.register_ordered().await;
    let mut failed = false;
    stage.receiver.answer(move |seen| {
        let fails = seen.id() == "a-1" && !std::mem::replace(&mut failed, true);
        Reply::status(if fails { 500 } else { 200 })
    });
    for number in 1..=5 {
        stage.enqueue(&format!("a-{number}"), "a").await;
    }
    stage.enqueue("b-1", "b").await;
    let _running = stage.webhooks.start();
    stage.wait_for("b-1", DeliveryState::Delivered, 1).await;
    stage.wait_for("a-1", DeliveryState::Pending, 1).await;
    assert_eq!(stage.receiver.seen().len(), 2, "the others of the key wait for the failed one");
    stage.advance(6 * SECOND);
    stage.wait_until_all(DeliveryState::Delivered).await;
    let seen = stage.receiver.seen();
    let order: Vec<&str> = seen.iter().map(|one| one.id()).filter(|id| id.starts_with('a')).collect();
    assert_eq!(order, ["a-1", "a-1", "a-2", "a-3", "a-4", "a-5"]);
}

pub async fn what_was_accepted_before_a_crash_is_delivered_after_it(stage: &Stage) {
    let registered = stage.register().await;
    let crashed = stage.webhooks.start();
    stage.receiver.answer(|_| Reply::status(200).hanging());
    stage.enqueue("m-1", "e-1").await;
    stage.receiver.wait(1).await;
    stage.enqueue("m-2", "e-1").await;
    drop(crashed);
    stage.receiver.answer_status(200);
    let next = stage.again(WebhookOptions::default());
    let _running = next.start();
    stage.clock.advance(2 * MINUTE);
    next.wake();
    stage.wait_until_all(DeliveryState::Delivered).await;
    let now = START + 2 * MINUTE;
    let mut times: HashMap<String, usize> = HashMap::new();
    for seen in stage.receiver.seen() {
        *times.entry(seen.id().to_owned()).or_default() += 1;
        let _ = seen.verify(&registered.secret, now);
    }
    assert_eq!(times.len(), 2);
    assert!(times["m-1"] >= 2, "the one under way is sent again: {times:?}");
}

pub async fn a_crash_after_sending_sends_again_under_the_same_id(stage: &Stage) {
    stage.register().await;
    let crashed = stage.webhooks.start();
    stage.receiver.answer(|_| Reply::status(200).hanging());
    stage.enqueue("m-1", "e-1").await;
    stage.receiver.wait(1).await;
    drop(crashed);
    let next = stage.again(WebhookOptions::default());
    let _running = next.start();
    stage.receiver.answer_status(200);
    stage.enqueue("m-2", "e-2").await;
    next.wake();
    stage.wait_for("m-2", DeliveryState::Delivered, 1).await;
    assert_eq!(stage.receiver.seen().len(), 2, "the lease of the crashed process still holds");
    stage.clock.advance(MINUTE);
    next.wake();
    stage.wait_for("m-1", DeliveryState::Delivered, 1).await;
    let seen = stage.receiver.seen();
    assert_eq!(seen.iter().filter(|one| one.id() == "m-1").count(), 2);
}

pub async fn two_processes_send_nothing_twice(stage: &Stage) {
    stage.register().await;
    for number in 0..300 {
        stage.enqueue(&format!("m-{number}"), "e-1").await;
    }
    let other = stage.again(WebhookOptions::default());
    let (_one, _two) = (stage.webhooks.start(), other.start());
    stage.wait_until_all(DeliveryState::Delivered).await;
    let mut times: HashMap<String, usize> = HashMap::new();
    for seen in stage.receiver.seen() {
        *times.entry(seen.id().to_owned()).or_default() += 1;
    }
    assert_eq!(times.len(), 300);
    assert!(times.values().all(|count| *count == 1), "{times:?}");
}

pub async fn a_schedule_that_is_used_up_ends_the_delivery(stage: &Stage) {
    let mut options = WebhookOptions::default();
    options.schedule.waits.truncate(3);
    let webhooks = stage.again(options);
    let registered = stage.register().await;
    stage.receiver.answer_status(500);
    let _running = webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    webhooks.wake();
    for tries in 1..3 {
        stage.wait_for("m-1", DeliveryState::Pending, tries).await;
        stage.clock.advance(6 * MINUTE);
        webhooks.wake();
    }
    let delivery = stage.wait_for("m-1", DeliveryState::Exhausted, 3).await;
    assert!(delivery.finished_at.is_some());
    let state = stage.endpoint_state(registered.endpoint.id).await;
    assert_eq!(state, EndpointState::Active, "one exhausted delivery alone disables nothing");
}

pub async fn an_endpoint_that_failed_for_the_whole_span_is_disabled(stage: &Stage) {
    let registered = stage.register().await;
    stage.receiver.answer_status(404);
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    let endpoint = stage.webhooks.endpoint("seoul", registered.endpoint.id).await.expect("is there");
    assert_eq!(endpoint.failing_since, Some(START));
    stage.advance(5 * DAY);
    stage.wait_for("m-1", DeliveryState::Held, 2).await;
    let disabled = EndpointState::Disabled { reason: DisabledReason::Failing, since: START + 5 * DAY };
    assert_eq!(stage.endpoint_state(registered.endpoint.id).await, disabled);
}

pub async fn a_hanging_receiver_is_given_up_in_time(stage: &Stage) {
    stage.register().await;
    stage.receiver.answer(|_| Reply::status(200).hanging());
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    stage.receiver.wait(1).await;
    stage.advance(10 * SECOND);
    let delivery = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    let attempts = stage.webhooks.attempts("seoul", delivery.id).await.expect("is logged");
    assert_eq!(attempts[0].detail, "no answer within 10 s");
    assert_eq!((attempts[0].status, attempts[0].elapsed_ms), (None, 10_000));
}

pub async fn a_redirect_is_not_followed(stage: &Stage) {
    stage.register().await;
    let elsewhere = stage.receiver.url.clone();
    stage.receiver.answer(move |_| Reply::status(307).with("location", &elsewhere));
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    assert_eq!(delivery.last_status, Some(307));
    assert_eq!(stage.receiver.seen().len(), 1);
}

pub async fn an_inner_address_is_refused_when_registered_and_at_each_attempt(stage: &Stage) {
    for url in
        ["http://10.0.0.1/hook", "http://[::1]/", "http://169.254.169.254/latest", "http://0x0a000001/"]
    {
        let wish = NewEndpoint { url: url.into(), ..stage.wish() };
        let refused = stage.webhooks.register(wish).await.expect_err("is refused");
        assert!(matches!(refused, WebhookError::Address(_)), "{url}: {refused}");
    }
    let wish = NewEndpoint { url: "http://user:canary@example.org/".into(), ..stage.wish() };
    assert!(!stage.webhooks.register(wish).await.expect_err("is refused").to_string().contains("canary"));
    // A row that came in by another way, or a rule that was tightened since.
    let registered = stage.register().await;
    stage
        .store
        .execute(
            "UPDATE ieum_webhook_endpoint SET url = 'http://10.0.0.1/' WHERE id = ?",
            &[registered.endpoint.id.into()],
        )
        .await
        .expect("changes the row");
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    let attempts = stage.webhooks.attempts("seoul", delivery.id).await.expect("is logged");
    assert!(attempts[0].detail.contains("private"), "{attempts:?}");
}

pub async fn an_open_breaker_leaves_the_endpoint_alone(stage: &Stage) {
    let registered = stage.register().await;
    stage.receiver.answer_status(500);
    let mut options = WebhookOptions { endpoint_concurrency: 1, ..WebhookOptions::default() };
    options.breaker.consecutive = Some(3);
    options.breaker.open_for = 30 * SECOND;
    options.breaker.probes = 1;
    let webhooks = stage.again(options);
    for number in 0..20 {
        stage.enqueue(&format!("m-{number}"), "e-1").await;
    }
    let running = webhooks.start();
    ieum_testkit::wait::until("the endpoint rests", 30 * SECOND, || async {
        matches!(stage.endpoint_state(registered.endpoint.id).await, EndpointState::Paused { .. })
    })
    .await
    .expect("gets there");
    assert_eq!(stage.receiver.seen().len(), 3);
    let untried = stage.deliveries().await.iter().filter(|one| one.tries == 0).count();
    assert_eq!(untried, 17, "what is given back costs no attempt");
    stage.receiver.answer_status(200);
    stage.clock.advance(6 * MINUTE);
    webhooks.wake();
    stage.wait_until_all(DeliveryState::Delivered).await;
    running.drain().await;
}

pub async fn a_rotated_secret_signs_beside_the_old_one(stage: &Stage) {
    let registered = stage.register().await;
    let id = registered.endpoint.id;
    let newer = stage.webhooks.rotate_secret("seoul", id).await.expect("rotates");
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let seen = stage.receiver.wait(1).await.remove(0);
    assert_eq!(seen.header("webhook-signature").split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
    assert_eq!(seen.verify(&registered.secret, START), Ok(()));
    assert_eq!(seen.verify(&newer, START), Ok(()));
    assert_eq!(seen.header("x-webhook-signature"), newer.sign_plain(&seen.body));
    stage.advance(DAY);
    stage.enqueue("m-2", "e-1").await;
    let seen = stage.receiver.wait(2).await.remove(1);
    assert_eq!(seen.verify(&newer, START + DAY), Ok(()));
    assert!(seen.verify(&registered.secret, START + DAY).is_err(), "the old one's day is over");
}

pub async fn a_delivery_can_be_sent_again(stage: &Stage) {
    stage.register().await;
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.wait_for("m-1", DeliveryState::Delivered, 1).await;
    stage.webhooks.resend("seoul", delivery.id).await.expect("is due again");
    stage.wait_for("m-1", DeliveryState::Delivered, 2).await;
    let seen = stage.receiver.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].id(), &seen[0].body), (seen[1].id(), &seen[1].body));
    assert_eq!(stage.webhooks.attempts("seoul", delivery.id).await.expect("is logged").len(), 2);
}

pub async fn everything_missed_since_a_time_can_be_sent_again(stage: &Stage) {
    let registered = stage.register().await;
    let id = registered.endpoint.id;
    stage.enqueue("before", "e-1").await;
    stage.clock.advance(MINUTE);
    stage.webhooks.disable("seoul", id).await.expect("disables");
    stage.enqueue("missed", "e-1").await;
    stage.webhooks.enable("seoul", id).await.expect("enables");
    let count = stage.webhooks.resend_since("seoul", id, START + SECOND).await.expect("is due again");
    assert_eq!(count, 1);
    let _running = stage.webhooks.start();
    stage.wait_for("missed", DeliveryState::Delivered, 1).await;
    stage.wait_until_all(DeliveryState::Delivered).await;
    assert_eq!(stage.webhooks.resend_since("seoul", id, START).await.expect("finds nothing"), 0);
}

pub async fn the_log_keeps_the_start_of_each_answer(stage: &Stage) {
    stage.register().await;
    stage.receiver.answer(|_| Reply::status(500).saying(&"가".repeat(5_000)));
    let _running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.wait_for("m-1", DeliveryState::Pending, 1).await;
    let attempts = stage.webhooks.attempts("seoul", delivery.id).await.expect("is logged");
    assert!(attempts[0].detail.starts_with("가가"));
    assert!(attempts[0].detail.len() <= 1_024);
    let located = stage.webhooks.locate("m-1").await.expect("is found");
    assert_eq!(located.len(), 1);
}

pub async fn a_foreign_partner_sees_and_changes_nothing(stage: &Stage) {
    let registered = stage.register().await;
    let id = registered.endpoint.id;
    stage.enqueue("m-1", "e-1").await;
    let delivery = stage.only_delivery().await;
    assert!(stage.webhooks.endpoints("busan").await.expect("lists").is_empty());
    assert!(stage.webhooks.endpoint("busan", id).await.is_err());
    assert!(stage.webhooks.delete("busan", id).await.is_err());
    assert!(stage.webhooks.disable("busan", id).await.is_err());
    assert!(stage.webhooks.rotate_secret("busan", id).await.is_err());
    assert!(stage.webhooks.resend("busan", delivery.id).await.is_err());
    assert!(stage.webhooks.attempts("busan", delivery.id).await.is_err());
    stage.webhooks.delete("seoul", id).await.expect("deletes its own");
    assert_eq!(stage.only_delivery().await.state, DeliveryState::Cancelled);
}

pub async fn a_drained_sender_leaves_nothing_under_way(stage: &Stage) {
    stage.register().await;
    stage.receiver.answer(|_| Reply::status(200).hanging());
    let running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    stage.receiver.wait(1).await;
    let draining = tokio::spawn(running.drain());
    stage.receiver.answer_status(200);
    stage.receiver.release();
    draining.await.expect("drains");
    assert_eq!(stage.only_delivery().await.state, DeliveryState::Delivered);
}
