//! A device whose disk is full or fails: it says so, runs on, tells nobody that something is kept that is not, and
//! recovers.

use std::path::Path;

use ieum_core::{describe, system_clock};
use ieum_device::Message;
use ieum_edge::{Kind, Queue, QueueLimits};
use ieum_testkit::disk::SmallDisk;
use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;

use crate::world::{Device, PATIENCE, Platform, World, body, numbers, options, queue};

fn counted(device: &Device, what: &str) -> usize {
    device.ears.notices.lock().iter().filter(|notice| notice.contains(what)).count()
}

async fn is_told(device: &Device, what: &str) {
    let told = async || counted(device, what) > 0;
    let waited = wait::until(what, PATIENCE, told).await;
    waited.unwrap_or_else(|error| panic!("{error}: {:?}", device.ears.notices.lock()));
}

fn told_of(folder: &Path) -> String {
    let folder = folder.display();
    format!("the disk that holds {folder} is full; make room there (`df -h {folder}` tells)")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_full_disk_what_is_said_goes_from_memory_or_is_refused_and_is_kept_again_once_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let there = tempfile::tempdir().expect("a folder");
    let kept = KeptPort::take();
    let world = World::at(there.path(), kept.number(), |_| {}).await;
    let (secret, address) = (world.secret("pi").await, world.address);
    let mut platform = Platform::of(&world.broker, 100).await;
    let device = Device::start(queue(&disk.path()).await, options(address, "pi", Some(secret)));
    device.say("0").await;
    assert_eq!(platform.texts(1).await, ["0"]);
    device.is_empty().await;
    disk.fill();
    let mut unkept = Vec::new();
    for text in numbers(1..4) {
        let taken = device.agent.say(Kind::Text, body(&text), None).await.expect("goes from memory");
        assert!(!taken.kept, "nothing says that it is kept: {taken:?}");
        unkept.push(taken.id);
    }
    assert_eq!(platform.texts(3).await, numbers(1..4));
    device.is_empty().await;
    is_told(&device, "Unkept").await;
    assert!(
        device.ears.notices.lock().iter().any(|notice| notice.contains(&told_of(&disk.path()))),
        "{:?}",
        device.ears.notices.lock()
    );

    // Whoever is offline has nowhere to say it to.
    drop(platform);
    world.broker.close().await;
    drop(world);
    is_told(&device, "Away").await;
    let refused = async || device.agent.say(Kind::Text, body("never"), None).await.is_err();
    wait::until("it is refused", PATIENCE, refused).await.expect("is refused");
    let refused = device.agent.say(Kind::Text, body("never"), None).await.expect_err("is refused");
    let said = format!(
        "keeping a message of kind text: {}; it is not kept, say it again then",
        told_of(&disk.path())
    );
    assert_eq!(refused.to_string(), said);
    assert!(describe(&refused).contains("no space left"), "{refused:?}");

    disk.make_room();
    let taken = device.agent.say(Kind::Text, body("4"), None).await.expect("is kept");
    assert!(taken.kept && !unkept.contains(&taken.id), "{taken:?}, {unkept:?}");
    let world = World::at(there.path(), address.port(), |_| {}).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    assert_eq!(platform.texts(1).await, ["4"], "what was refused never comes");
    is_told(&device, "KeptAgain").await;
    assert_eq!((counted(&device, "Unkept"), counted(&device, "KeptAgain")), (1, 1));
    device.is_empty().await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_goes_out_with_a_full_disk_and_does_not_come_again_after_it() {
    let Some(disk) = SmallDisk::mount() else { return };
    let there = tempfile::tempdir().expect("a folder");
    let kept = KeptPort::take();
    let world = World::at(there.path(), kept.number(), |_| {}).await;
    let (secret, address) = (world.secret("pi").await, world.address);
    world.broker.close().await;
    drop(world);
    let of_pi = options(address, "pi", Some(secret));
    let device = Device::start(queue(&disk.path()).await, of_pi.clone());
    for text in numbers(0..3) {
        device.say(&text).await;
    }
    disk.fill();
    let world = World::at(there.path(), address.port(), |_| {}).await;
    let mut platform = Platform::of(&world.broker, 100).await;
    assert_eq!(platform.texts(3).await, numbers(0..3));
    device.is_empty().await;
    is_told(&device, "Unkept").await;
    let answer = Message::new("device/pi/response", r#"{"messageId":"a"}"#);
    platform.client.publish(answer).await.expect("is published");
    let heard = async || device.ears.answers.lock().len() == 1;
    wait::until("it is heard", PATIENCE, heard).await.expect("it is heard");
    disk.make_room();
    device.stop().await;
    let after = queue(&disk.path()).await;
    assert_eq!(after.waiting(), (0, 0), "what the file owed to forget is forgotten");
    after.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_does_not_let_be_read_is_told_and_goes_out_once_it_does() {
    let there = tempfile::tempdir().expect("a folder");
    let world = World::at(there.path(), 0, |_| {}).await;
    let secret = world.secret("pi").await;
    let mut platform = Platform::of(&world.broker, 100).await;
    let folder = there.path().join("state");
    let queue = queue(&folder).await;
    queue.take(Kind::Text, body("0"), None).await.expect("is kept");
    // SQLite knows that there is more in its log than it can read, as where a disk fails.
    let log = folder.join("queue.db-wal");
    let whole = std::fs::read(&log).expect("is there");
    std::fs::File::options().write(true).open(&log).expect("opens").set_len(0).expect("is cut");
    let device = Device::start(queue, options(world.address, "pi", Some(secret)));
    is_told(&device, "Unread").await;
    let shown = folder.display();
    let told = format!("the disk that holds {shown} fails; look into the system's log (`dmesg`)");
    assert!(
        device.ears.notices.lock().iter().any(|notice| notice.contains(&told)),
        "{:?}",
        device.ears.notices.lock()
    );
    std::fs::write(&log, whole).expect("is written");
    assert_eq!(platform.texts(1).await, ["0"]);
    device.is_empty().await;
    assert_eq!(counted(&device, "Unread"), 1, "it is told once");
    device.stop().await;
}

#[tokio::test]
async fn a_queue_that_cannot_be_opened_says_that_the_disk_is_full_and_what_to_do() {
    let Some(disk) = SmallDisk::mount() else { return };
    for _ in ["a new one", "one that was there"] {
        disk.fill();
        let opened = Queue::open(&disk.path(), QueueLimits::default(), system_clock()).await;
        let refused = opened.err().expect("has no room");
        assert_eq!(
            refused.of_a_full_disk(&disk.path()),
            Some(told_of(&disk.path())),
            "{}",
            describe(&refused)
        );
        disk.make_room();
        queue(&disk.path()).await.close().await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("is written");
    let below = folder.path().join("file").join("state");
    let opened = Queue::open(&below, QueueLimits::default(), system_clock()).await;
    assert_eq!(opened.err().expect("is no folder").of_a_full_disk(&below), None);
}
