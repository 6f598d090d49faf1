//! What a queue promises: an order, numbers that go on, what it gives up, and how it gets by with a bad disk.

use std::future::{Future, poll_fn};
use std::pin::pin;

use ieum_core::{ManualClock, Timestamp};
use ieum_store::{Store, StoreError, StoreOptions};
use ieum_testkit::disk::SmallDisk;
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

fn is_trouble(news: Option<News>) -> bool {
    matches!(news, Some(News::Trouble(_)))
}

#[tokio::test]
async fn a_disk_in_trouble_is_asked_again_by_a_sweep_and_not_by_each_message_that_goes() {
    let Some(disk) = SmallDisk::mount() else { return };
    let queue = queue(&disk.path(), 10_000, &clock()).await;
    for text in ["1", "2"] {
        queue.take(Kind::Text, body(text), None).await.expect("has room");
    }
    disk.fill();
    queue.done(1).await.expect("is owed");
    assert!(is_trouble(queue.news()));
    disk.make_room();
    queue.done(2).await.expect("is owed");
    queue.heard("a").await.expect("is owed");
    let is_kept = async |position| queue.inner.file.payload(position).await.expect("is read").is_some();
    assert!(is_kept(1).await && is_kept(2).await, "nobody asked the disk");
    assert_eq!((queue.waiting(), queue.news()), ((0, 0), None));
    queue.settle().await.expect("is written");
    assert!(!is_kept(1).await && !is_kept(2).await);
    assert!(queue.inner.file.was_heard("a").await.expect("is read"));
    assert_eq!(queue.news(), Some(News::Well));
}

#[tokio::test]
async fn an_almost_full_disk_takes_what_is_owed_in_parts_and_is_well_once_it_has_all() {
    let Some(disk) = SmallDisk::mount() else { return };
    let queue = queue(&disk.path(), 10_000, &clock()).await;
    disk.fill();
    let names: Vec<String> = (0..1_000).map(|number| format!("{number:0>150}")).collect();
    for name in &names {
        queue.heard(name).await.expect("is owed");
    }
    assert!(is_trouble(queue.news()));
    // Room for a message, but not for what is owed.
    disk.make_some_room(12);
    let mut news = Vec::new();
    {
        let mut taking = pin!(queue.take(Kind::Text, body("x"), None));
        let taken = poll_fn(|context| {
            let polled = taking.as_mut().poll(context);
            news.extend(queue.news());
            polled
        });
        assert!(taken.await.expect("has room").kept);
    }
    queue.settle().await.expect("is owed on");
    news.extend(queue.news());
    assert_eq!(news, [], "the disk is still in trouble");
    disk.make_some_room(60);
    queue.settle().await.expect("is owed on");
    let file = &queue.inner.file;
    assert!(file.was_heard(&names[0]).await.expect("is read"), "a part is written");
    assert!(!file.was_heard(&names[999]).await.expect("is read"), "not all has room");
    assert!(queue.was_heard(&names[999]).await.expect("is read"), "but is known");
    assert_eq!(queue.news(), None);
    disk.make_room();
    queue.settle().await.expect("is written");
    assert!(file.was_heard(&names[999]).await.expect("is read"));
    assert_eq!(queue.news(), Some(News::Well));
}

#[tokio::test]
async fn a_message_that_is_kept_is_taken_whatever_becomes_of_what_is_owed() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = queue(folder.path(), 10_000, &clock()).await;
    let url = format!("sqlite:{}", folder.path().join("queue.db").display());
    let beside = Store::open(&url, &StoreOptions::default()).await.expect("opens");
    beside.execute("DROP TABLE ieum_edge_heard", &[]).await.expect("is dropped");
    queue.heard("a").await.expect_err("has no place");
    let taken = queue.take(Kind::Text, body("x"), None).await.expect("is kept, and not said twice");
    assert!(taken.kept && queue.waiting().0 == 1, "{taken:?}");
}

#[tokio::test]
async fn who_was_refused_is_told_too_that_what_is_said_is_only_held() {
    let Some(disk) = SmallDisk::mount() else { return };
    let queue = queue(&disk.path(), 10_000, &clock()).await;
    disk.fill();
    queue.take(Kind::Text, body("offline"), None).await.expect_err("is refused");
    let taken = queue.take_or_hold(Kind::Text, body("connected"), None, true).await.expect("is held");
    assert!(!taken.kept);
    assert!(is_trouble(queue.news()), "held in memory alone, and nobody knows");
    assert_eq!(queue.news(), None, "once");
    disk.make_room();
    queue.settle().await.expect("is written");
    assert_eq!((queue.news(), queue.news()), (Some(News::Well), None));
    // Who was only refused is told as well that the next one is kept.
    disk.fill();
    queue.take(Kind::Text, body("offline"), None).await.expect_err("is refused");
    disk.make_room();
    queue.settle().await.expect("is written");
    assert_eq!((queue.news(), queue.news()), (Some(News::Well), None));
}

#[tokio::test]
async fn a_file_that_another_program_holds_is_not_told_as_a_broken_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("queue.db");
    let url = format!("sqlite:{}", file.display());
    let options = StoreOptions { busy_timeout: Duration::from_millis(1), ..StoreOptions::default() };
    let (one, other) = (Store::open(&url, &options).await, Store::open(&url, &options).await);
    let (one, other) = (one.expect("opens"), other.expect("opens"));
    let held = one.begin_write().await.expect("is free");
    let error = other.begin_write().await.err().expect("is busy");
    assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
    let shown = file.display();
    let told =
        format!("{shown} is busy: another program holds it; end that one (`fuser -v {shown}` tells which)");
    assert_eq!(error::trouble_of(&error, folder.path()), Some(told));
    drop(held);
    let unopened = StoreError::Unreachable { url, source: None };
    let told =
        format!("{shown} cannot be opened now; the folder must be there, this device's own and writable");
    assert_eq!(error::trouble_of(&unopened, folder.path()), Some(told));
}
