//! What a purge removes and what it leaves.

use std::time::Duration;

use ieum_webhook::{DeliveryState, Purged, Retention};

use crate::receiver::Reply;
use crate::stage::{START, Stage};

const DAY: Duration = Duration::from_secs(86_400);
const KEPT: Retention = Retention { delivered: DAY.saturating_mul(30), failed: DAY.saturating_mul(90) };

async fn rows(stage: &Stage, table: &str) -> i64 {
    let row = stage.store.fetch_one(&format!("SELECT COUNT(*) AS n FROM {table}"), &[]).await;
    row.and_then(|row| row.int("n")).expect("counts")
}

pub async fn what_arrived_goes_after_its_time_and_what_is_to_be_sent_stays(stage: &Stage) {
    let registered = stage.register().await;
    stage.receiver.answer(|seen| Reply::status(if seen.id() == "fails" { 500 } else { 200 }));
    let running = stage.webhooks.start();
    stage.enqueue("arrives", "e-1").await;
    stage.wait_for("arrives", DeliveryState::Delivered, 1).await;
    stage.enqueue("fails", "e-1").await;
    stage.wait_for("fails", DeliveryState::Pending, 1).await;
    running.drain().await;
    assert_eq!(stage.webhooks.purge(&KEPT).await.expect("purges"), Purged::default());
    stage.clock.advance(DAY * 31);
    assert_eq!(stage.webhooks.purge(&KEPT).await.expect("purges"), Purged { messages: 1, deliveries: 1 });
    let left = stage.only_delivery().await;
    assert_eq!((left.message_id.as_str(), left.state), ("fails", DeliveryState::Pending));
    assert_eq!(rows(stage, "ieum_webhook_attempt").await, 1, "the other one's log stays");
    // What went is not taken for missed, and what is held back stays however old it is.
    let id = registered.endpoint.id;
    assert_eq!(stage.webhooks.resend_since("seoul", id, START).await.expect("is in range"), 0);
    stage.webhooks.disable("seoul", id).await.expect("is disabled");
    stage.clock.advance(DAY * 1_000);
    assert_eq!(stage.webhooks.purge(&KEPT).await.expect("purges"), Purged::default());
    stage.webhooks.delete("seoul", id).await.expect("is deleted");
    assert_eq!(stage.webhooks.purge(&KEPT).await.expect("purges"), Purged { messages: 1, deliveries: 1 });
    assert_eq!(
        (rows(stage, "ieum_webhook_message").await, rows(stage, "ieum_webhook_attempt").await),
        (0, 0)
    );
}

pub async fn a_missed_message_stays_in_range_of_a_resend_and_many_go_in_groups(stage: &Stage) {
    let registered = stage.register().await;
    let id = registered.endpoint.id;
    stage.webhooks.disable("seoul", id).await.expect("is disabled");
    stage.enqueue("missed", "e-1").await;
    stage.clock.advance(DAY * 60);
    assert_eq!(stage.webhooks.purge(&KEPT).await.expect("purges"), Purged::default());
    stage.webhooks.enable("seoul", id).await.expect("is enabled");
    assert_eq!(stage.webhooks.resend_since("seoul", id, START).await.expect("is in range"), 1);
    let many: Vec<_> = (0..1_200).map(|i| crate::stage::message(&format!("m-{i}"), "e-1")).collect();
    let mut tx = stage.store.begin().await.expect("begins");
    let cx = ieum_core::Cx::root();
    assert_eq!(stage.webhooks.enqueue_all(&mut tx, &cx, &many).await.expect("are accepted"), 1_200);
    tx.commit().await.expect("commits");
    stage.webhooks.delete("seoul", id).await.expect("is deleted");
    stage.clock.advance(DAY * 91);
    let purged = stage.webhooks.purge(&KEPT).await.expect("purges");
    assert_eq!(purged, Purged { messages: 1_201, deliveries: 1_201 });
}
