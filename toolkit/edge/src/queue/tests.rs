//! What a queue promises: an order, numbers that go on, and what it gives up.

use ieum_core::{ManualClock, Timestamp};
use serde_json::json;

use super::*;

fn body(text: &str) -> Map<String, Json> {
    json!({ "text": text }).as_object().cloned().expect("is an object")
}

async fn queue(folder: &Path, bytes: usize, clock: &ManualClock) -> Queue {
    let limits = QueueLimits { bytes, age: Duration::from_secs(60) };
    Queue::open(folder, limits, clock.shared()).await.expect("opens")
}

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_seconds(1_800_000_000))
}

#[tokio::test]
async fn a_full_queue_gives_up_telemetry_then_events_and_never_what_was_said() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let queue = queue(folder.path(), 450, &clock).await;
    for kind in [Kind::Event, Kind::Telemetry, Kind::Text, Kind::Text] {
        queue.take(kind, body("x"), None).await.expect("has room");
    }
    assert!(queue.waiting().1 <= 450 && queue.waiting().1 > 350, "{:?}", queue.waiting());
    queue.take(Kind::Text, body("x"), None).await.expect("telemetry makes room");
    assert_eq!(queue.given_up(), HashMap::from([((Kind::Telemetry, Why::Room), 1)]));
    queue.take(Kind::Text, body("x"), None).await.expect("an event makes room");
    assert_eq!(queue.given_up(), HashMap::from([((Kind::Event, Why::Room), 1)]));
    let refused = queue.take(Kind::Telemetry, body("x"), None).await.expect_err("has no room");
    assert!(refused.to_string().starts_with("keeping a message of kind telemetry"), "{refused}");
    assert_eq!(queue.waiting().0, 4, "nothing that was said is gone");
}

#[tokio::test]
async fn numbers_go_on_after_a_restart_and_what_is_old_is_given_up() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let first = queue(folder.path(), 10_000, &clock).await;
    let one = first.take(Kind::Text, body("one"), None).await.expect("has room");
    let two = first.take(Kind::Text, body("two"), None).await.expect("has room");
    first.done(two.number).await.expect("is written");
    first.close().await;
    let second = queue(folder.path(), 10_000, &clock).await;
    let three = second.take(Kind::Text, body("three"), None).await.expect("has room");
    assert_eq!((one.number, three.number), (1, 3));
    assert_eq!(
        one.id.rsplit_once('-').map(|(name, _)| name),
        three.id.rsplit_once('-').map(|(name, _)| name)
    );
    let next = second.next().expect("waits");
    assert_eq!((next.position, next.again), (1, true));
    assert!(second.next().is_none(), "one after the other");
    second.land(None);
    clock.advance(Duration::from_secs(61));
    second.expire().await.expect("is written");
    assert_eq!((second.waiting(), second.given_up().len()), ((0, 0), 1));
}

#[tokio::test]
async fn parts_of_one_recording_go_at_once_and_nothing_overtakes_them() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let queue = queue(folder.path(), 10_000, &clock).await;
    for together in [Some("a"), Some("a"), None, Some("b")] {
        queue.take(Kind::Audio, body("x"), together).await.expect("has room");
    }
    let mut flying = Vec::new();
    while let Some(head) = queue.next() {
        flying.push(head.position);
    }
    assert_eq!(flying, [1, 2]);
    queue.done(1).await.expect("is written");
    assert!(queue.next().is_none(), "the second part is still under way");
    queue.done(2).await.expect("is written");
    assert_eq!(queue.next().map(|head| head.position), Some(3));
    assert!(queue.next().is_none());
}
