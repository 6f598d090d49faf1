//! Kills a broker at a moment of the test's choice and looks at what its successor knows.

use std::path::Path;
use std::process::Command;

use ieum_core::system_clock;
use ieum_device::{Broker, BrokerOptions, ClientOptions, Message, migrations};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::process::{Child, Signal};
use ieum_testkit::wait::{until, until_some};

use crate::raw::{Got, Held, PATIENCE, Raw, hello, message};
use crate::world::{local, open_options};

const STORE: &str = "IEUM_DEVICE_CHILD_STORE";
const ADDRESS: &str = "IEUM_DEVICE_CHILD_ADDRESS";

#[allow(clippy::disallowed_methods, reason = "how the parent talks to its child")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn open(url: &str) -> Broker {
    let store = Store::open(url, &StoreOptions::default()).await.expect("opens the store");
    migrate(&store, &migrations(), |_| {}).await.expect("migrates");
    let mut options: BrokerOptions = open_options();
    options.limits.receive = 1_000;
    Broker::open(store, options, system_clock()).await.expect("opens the broker")
}

/// A broker that is going to be killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the kill tests"]
async fn child() {
    let (Some(url), Some(file)) = (variable(STORE), variable(ADDRESS)) else { return };
    let broker = open(&url).await;
    let address = broker.listen(local(), None).await.expect("listens");
    let half = format!("{file}.half");
    std::fs::write(&half, address.to_string()).expect("writes its address");
    std::fs::rename(&half, &file).expect("shows its address");
    std::future::pending::<()>().await;
}

struct Running {
    child: Child,
    address: std::net::SocketAddr,
}

async fn start(url: &str, folder: &Path) -> Running {
    let file = folder.join("address");
    let _ = std::fs::remove_file(&file);
    let mut command = Command::new(std::env::current_exe().expect("knows itself"));
    command.args(["durable::child", "--exact", "--ignored", "--nocapture"]);
    command.env(STORE, url).env(ADDRESS, &file);
    let mut child = Child::start("broker", command, &folder.join("log")).expect("starts");
    let written = || {
        assert!(child.ended().is_none(), "the broker runs: {}", child.log_tail(30));
        std::future::ready(std::fs::read_to_string(&file).ok())
    };
    let text = until_some("the broker listens", PATIENCE, written).await.expect("starts");
    Running { child, address: text.parse().expect("is an address") }
}

impl Running {
    async fn kill(mut self) {
        self.child.signal(Signal::Kill);
        let ended = || std::future::ready(self.child.ended().is_some());
        until("the broker is gone", PATIENCE, ended).await.expect("does not outlive its end");
    }
}

async fn survives_kills(url: &str) {
    let folder = tempfile::tempdir().expect("makes a folder");
    let running = start(url, folder.path()).await;
    let address = running.address;
    let mut away = Raw::enter(address, &hello(5, "away").kept()).await;
    away.subscribe_with(&[("room/#", 2)], &vec![(0x0B, Held::Number(7))]).await;
    away.leave().await;
    let mut cut = Raw::enter(address, &hello(4, "cut").kept()).await;
    cut.subscribe("cut/#", 2).await;
    cut.polite = false;
    let will = hello(5, "watched").kept().will("will/watched", b"gone", Vec::new());
    let _watched = Raw::enter(address, &will).await;
    let mut watcher = Raw::enter(address, &hello(4, "watcher").kept()).await;
    watcher.subscribe("will/#", 1).await;
    watcher.leave().await;
    let mut other = Raw::enter(address, &hello(5, "other").kept()).await;
    for number in 0..20 {
        assert_eq!(other.publish("room/one", &number.to_string(), 1 + number % 2).await, 0);
    }
    other.publish_as(message("kept/one", "kept", 1).kept()).await;
    other.publish_as(message("kept/two", "cleared", 1).kept()).await;
    other.publish_as(message("kept/two", "", 1).kept()).await;
    other.publish("cut/one", "one", 1).await;
    other.publish("cut/two", "two", 2).await;
    let [one, two] = [cut.message().await, cut.message().await];
    cut.send_ack(5, two.id).await;
    assert_eq!(cut.next().await, Got::Ack { kind: 6, id: two.id, code: 0 });
    let mut half = message("room/half", "half", 2);
    half.id = 900;
    let bytes = other.encode_publish(&half);
    other.send(&bytes).await;
    assert_eq!(other.answered(5, 900).await, 0);
    running.kill().await;

    let running = start(url, folder.path()).await;
    let address = running.address;
    let (mut away, greeting) = Raw::connect(address, &hello(5, "away").kept()).await;
    assert!(matches!(greeting, Got::Connack { present: true, .. }), "{greeting:?}");
    for number in 0..20 {
        let message = away.message().await;
        assert_eq!(message.text(), number.to_string());
        assert_eq!(message.number(0x0B), Some(7));
    }
    assert_eq!(away.message().await.text(), "half");
    let mut cut = Raw::enter(address, &hello(4, "cut").kept()).await;
    let again = cut.message().await;
    assert_eq!((again.text(), again.id, again.again), ("one".to_owned(), one.id, true));
    assert_eq!(cut.next().await, Got::Ack { kind: 6, id: two.id, code: 0 }, "it was received before");
    cut.send_ack(7, two.id).await;
    let (mut other, greeting) = Raw::connect(address, &hello(5, "other").kept()).await;
    assert!(matches!(greeting, Got::Connack { present: true, .. }));
    half.again = true;
    assert_eq!(other.publish_as(half).await, 0);
    away.nothing().await;
    other.publish("room/after", "after", 1).await;
    assert_eq!(away.message().await.text(), "after", "the subscription is there");
    let mut late = Raw::enter(address, &hello(5, "late")).await;
    late.subscribe("kept/#", 1).await;
    assert_eq!(late.message().await.text(), "kept");
    late.nothing().await;
    let mut watcher = Raw::enter(address, &hello(4, "watcher").kept()).await;
    assert_eq!(watcher.message().await.text(), "gone", "who was there at the kill is gone");
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_on_sqlite() {
    let database = SqlStore::sqlite();
    survives_kills(&database.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn what_was_acknowledged_survives_a_kill_on_postgres() {
    let Some(database) = SqlStore::on("postgres").await else { return };
    survives_kills(&database.url).await;
    database.clean_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs mysql"]
async fn what_was_acknowledged_survives_a_kill_on_mariadb() {
    let Some(database) = SqlStore::on("mysql").await else { return };
    survives_kills(&database.url).await;
    database.clean_up().await;
}

async fn the_next_broker_takes_over(url: &str) {
    let first = open(url).await;
    let address = first.listen(local(), None).await.expect("listens");
    let mut away = Raw::enter(address, &hello(5, "away").kept()).await;
    away.subscribe("room", 1).await;
    away.leave().await;
    let mut publisher = Raw::enter(address, &hello(5, "publisher")).await;
    assert_eq!(publisher.publish("room", "to the first", 1).await, 0);
    let inside = first.client("inside", &ClientOptions::default());
    let second = open(url).await;
    // What the first has answered is with the second; what comes now is answered by nobody.
    let mut late = message("room", "too late", 1);
    late.id = 99;
    let bytes = publisher.encode_publish(&late);
    publisher.send(&bytes).await;
    let last = publisher.next().await;
    assert!(matches!(last, Got::Disconnect { .. } | Got::Closed), "{last:?}");
    first.taken_over().await;
    let former = second.predecessor().expect("the first gave nothing back");
    assert_eq!(second.rival().await, former, "it runs still");
    let holder = first.holder().await.expect("is read").expect("somebody has them");
    assert!(holder.since > former.since, "{holder:?}");
    let refused = inside.publish(Message::new("room", "too late as well")).await;
    assert!(refused.is_err(), "{refused:?}");
    let address = second.listen(local(), None).await.expect("listens");
    let mut publisher = Raw::enter(address, &hello(5, "publisher")).await;
    assert_eq!(publisher.publish("room", "to the second", 1).await, 0);
    let (mut away, _) = Raw::connect(address, &hello(5, "away").kept()).await;
    let got = [away.message().await.text(), away.message().await.text()];
    assert_eq!(got, ["to the first", "to the second"]);
    first.close().await;
    assert_eq!(second.holder().await.expect("is read"), Some(holder), "the first has nothing to give back");
    second.close().await;
    let third = open(url).await;
    assert_eq!(third.predecessor(), None, "the second gave them back");
    third.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_has_one_broker_the_last_on_sqlite() {
    the_next_broker_takes_over(&SqlStore::sqlite().url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn a_store_has_one_broker_the_last_on_postgres() {
    let Some(database) = SqlStore::on("postgres").await else { return };
    the_next_broker_takes_over(&database.url).await;
    database.clean_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs mysql"]
async fn a_store_has_one_broker_the_last_on_mariadb() {
    let Some(database) = SqlStore::on("mysql").await else { return };
    the_next_broker_takes_over(&database.url).await;
    database.clean_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_killed_with_its_broker_loses_nothing_that_was_acknowledged() {
    let database = SqlStore::sqlite();
    let folder = tempfile::tempdir().expect("makes a folder");
    let mut acknowledged: Vec<u32> = Vec::new();
    let mut next = 0;
    for round in 0..4 {
        let running = start(&database.url, folder.path()).await;
        if round == 0 {
            let mut reader = Raw::enter(running.address, &hello(5, "reader").kept()).await;
            reader.subscribe("room", 1).await;
            reader.leave().await;
        }
        let mut publisher = Raw::enter(running.address, &hello(5, "publisher")).await;
        // Many at once, so that the kill falls between those that are acknowledged and those that are not.
        let mut bytes = Vec::new();
        let first = next;
        for id in 1..=100_u16 {
            let mut sent = message("room", &next.to_string(), 1);
            sent.id = id;
            bytes.extend(publisher.encode_publish(&sent));
            next += 1;
        }
        publisher.send(&bytes).await;
        for _ in 0..20 + round * 20 {
            if let Got::Ack { kind: 4, id, code: 0 } = publisher.next().await {
                acknowledged.push(first + u32::from(id) - 1);
            }
        }
        running.kill().await;
    }
    let running = start(&database.url, folder.path()).await;
    let mut reader = Raw::enter(running.address, &hello(5, "reader").kept()).await;
    let mut got: Vec<u32> = Vec::new();
    while !acknowledged.iter().all(|number| got.contains(number)) {
        got.push(reader.message().await.text().parse().expect("is a number"));
    }
    reader.settle().await;
    while let Some(message) = reader.inbox.pop_front() {
        got.push(message.text().parse().expect("is a number"));
        reader.settle().await;
    }
    assert!(got.is_sorted(), "in their order");
    running.kill().await;
}

#[tokio::test]
async fn what_is_on_disk_needs_no_receipt() {
    let database = SqlStore::sqlite();
    let broker = open(&database.url).await;
    let address = broker.listen(local(), None).await.expect("listens");
    let platform = broker.client("voice", &ClientOptions::default());
    let mut kept = Raw::enter(address, &hello(5, "kept").kept()).await;
    let mut passing = Raw::enter(address, &hello(5, "passing")).await;
    for device in [&mut kept, &mut passing] {
        device.subscribe("room", 1).await;
    }
    let published = platform.put(Message::new("room", "x")).expect("is a topic");
    let with: Vec<_> =
        published.takers.iter().map(|taker| (&*taker.client, taker.receipt.is_some())).collect();
    assert_eq!(with, [("kept", false), ("passing", true)]);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_ends_in_order_keeps_everything_and_many_share_a_commit() {
    let database = SqlStore::sqlite();
    let broker = open(&database.url).await;
    let options = ClientOptions { kept: true, inflight: 10 };
    let platform = broker.client("voice", &options);
    platform.subscribe("room", ieum_device::Quality::AtLeastOnce).await.expect("subscribes");
    drop(platform);
    let publishers: Vec<_> =
        (0..50).map(|number| broker.client(&format!("p{number}"), &ClientOptions::default())).collect();
    let all = publishers.iter().map(|publisher| publisher.publish(Message::new("room", "x")));
    futures::future::join_all(all).await.into_iter().collect::<Result<Vec<_>, _>>().expect("are published");
    broker.close().await;
    let broker = open(&database.url).await;
    let mut platform = broker.client("voice", &options);
    for _ in 0..50 {
        let delivery = platform.next().await.expect("is attached");
        platform.acknowledge(&delivery).expect("is attached");
    }
    assert!(broker.sessions().iter().all(|session| session.waiting == 0));
    broker.close().await;
}
