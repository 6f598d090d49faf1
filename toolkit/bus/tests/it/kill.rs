//! Kills a publishing and consuming process at random moments: nothing acknowledged is lost, nothing doubled.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_bus::{BusOptions, Consumer, DeadFilter, open_bus};
use ieum_core::system_clock;
use ieum_store::{Store, StoreOptions};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::listener::Listener;
use crate::world::{World, event, subscription};

const KEYS: usize = 8;
const STORE: &str = "IEUM_BUS_CHILD_STORE";
const ACKNOWLEDGED: &str = "IEUM_BUS_CHILD_ACKNOWLEDGED";
const BUS: &str = "IEUM_BUS_CHILD_BUS";
const TOPIC: &str = "IEUM_BUS_CHILD_TOPIC";
const GROUP: &str = "IEUM_BUS_CHILD_GROUP";
const EVENTS: &str = "IEUM_BUS_CHILD_EVENTS";

#[allow(clippy::disallowed_methods, reason = "how the parent talks to its child, and a seed given by hand")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the acknowledged events by key. The last line may be torn.
fn acknowledged(file: &Path) -> BTreeMap<usize, usize> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut counts = BTreeMap::new();
    for line in whole.lines() {
        let (key, number) = line.split_once('-').expect("is key-number");
        let number: usize = number.parse().expect("is a number");
        counts.insert(key[1..].parse().expect("is a key"), number + 1);
    }
    counts
}

/// Publishes what is not acknowledged yet, consumes everything, and ends when all effects are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the kill tests"]
async fn child() {
    let (Some(url), Some(file)) = (variable(STORE), variable(ACKNOWLEDGED)) else { return };
    let events: usize = variable(EVENTS).and_then(|text| text.parse().ok()).expect("is a number");
    let options = StoreOptions { acquire_timeout: Duration::from_secs(20), ..StoreOptions::default() };
    let store = Store::open(&url, &options).await.expect("opens the store");
    // Short, so that those who come after a kill get to consume as well.
    let lease = Duration::from_secs(3);
    let options = BusOptions { lease, ..BusOptions::default() };
    let given = |name| variable(name).expect("the parent says so");
    let (bus_url, topic) = (given(BUS), given(TOPIC));
    let bus = open_bus(&bus_url, store.clone(), system_clock(), options).await.expect("opens the bus");
    // Every tenth event fails once, so that lanes are killed as well.
    let listener = Listener::failing("readers", |event, before| {
        let fails = before == 0 && event.data["number"].as_u64().is_some_and(|number| number % 10 == 3);
        if fails { Err(ieum_core::Fault::unavailable("test.down", "filling a cup")) } else { Ok(()) }
    });
    let listener: Arc<dyn Consumer> = listener;
    let mut subscription = subscription(&topic, &given(GROUP));
    // Each child fails an event anew, so many kills would use up few attempts and make a dead letter.
    subscription.retry.attempts = 1_000_000;
    subscription.time_limit = lease / 2;
    let subscribed = bus.subscribe(subscription, listener).await.expect("subscribes");
    let done = acknowledged(Path::new(&file));
    let publishers = (0..KEYS).map(|key| {
        let (bus, file, topic) = (bus.clone(), file.clone(), topic.clone());
        let first = done.get(&key).copied().unwrap_or(0);
        tokio::spawn(async move {
            for number in first..events / KEYS {
                let event = event(&format!("k{key}"), number);
                let line = format!("{}\n", event.id);
                bus.publish(&topic, event).await.expect("publishes");
                let mut file = std::fs::OpenOptions::new().append(true).open(&file).expect("opens");
                file.write_all(line.as_bytes()).expect("writes down the acknowledgement");
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.expect("publishes all");
    }
    let wanted = i64::try_from(events / KEYS * KEYS).expect("is small");
    let effects = async || {
        let row = store.fetch_one("SELECT COUNT(*) AS effects FROM effect", &[]).await.expect("counts");
        row.int("effects").expect("is a number")
    };
    // However slow the machine: it is stuck only where nothing comes any more.
    let mut there = effects().await;
    while there < wanted {
        let before = there;
        ieum_testkit::wait::until("more effects", Duration::from_secs(180), async || {
            effects().await > before
        })
        .await
        .expect("goes on");
        there = effects().await;
    }
    subscribed.drain().await;
}

/// The command that starts a child.
fn child_of(world: &World, file: &Path, events: usize) -> Command {
    let this = std::env::current_exe().expect("has a path");
    let mut command = Command::new(this);
    command
        .args(["--exact", "kill::child", "--include-ignored", "--quiet"])
        .env(STORE, world.url())
        .env(BUS, world.bus_url())
        .env(TOPIC, &world.topic)
        .env(GROUP, world.group("readers"))
        .env(ACKNOWLEDGED, file)
        .env(EVENTS, events.to_string())
        .stderr(Stdio::null());
    command
}

fn start(mut command: Command, file: &Path) -> std::process::Child {
    let log = std::fs::File::create(file.with_extension("out")).expect("makes the child's log");
    command.stdout(log).spawn().expect("starts the child")
}

pub async fn survives_kills(world: &World) {
    let (kills, events) = if ieum_testkit::server::long_faults() { (200, 10_000) } else { (20, 2_000) };
    let seed = variable("IEUM_TEST_SEED").and_then(|text| text.parse().ok()).unwrap_or(7);
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("acknowledged");
    std::fs::write(&file, "").expect("makes the file");
    for kill in 0..kills {
        let mut child = start(child_of(world, &file, events), &file);
        // Spread over all events, each somewhere within its share, so that every kill meets work.
        let share = events / kills;
        let target = kill * share + random.random_range(0..share);
        let reached = || std::future::ready(acknowledged(&file).values().sum::<usize>() >= target);
        ieum_testkit::wait::until("the moment of the kill", Duration::from_secs(300), reached)
            .await
            .expect("the child works");
        system_clock().sleep(Duration::from_micros(random.random_range(0..20_000))).await;
        child.kill().expect("kills the child");
        child.wait().expect("reaps the child");
    }
    let last = tokio::task::spawn_blocking({
        let (command, file) = (child_of(world, &file, events), file.clone());
        move || start(command, &file).wait().expect("ends")
    });
    let ended = last.await.expect("waits").success();
    let told_by_child = std::fs::read_to_string(file.with_extension("out")).unwrap_or_default();
    let unhandled = events / KEYS * KEYS - world.effects("readers").await.len();
    assert!(ended, "seed {seed}: the last child failed, {unhandled} effects missing: {told_by_child}");
    let letters = world.bus.dead_letters().list(&DeadFilter::default()).await.expect("lists");
    assert!(letters.is_empty(), "seed {seed}: {letters:?}");
    let told: usize = acknowledged(&file).values().sum();
    assert_eq!(told, events / KEYS * KEYS);
    let effects = world.effects("readers").await;
    let different: BTreeSet<&String> = effects.iter().collect();
    assert_eq!(effects.len(), different.len(), "seed {seed}: no effect twice");
    for key in 0..KEYS {
        let begin = format!("k{key}-");
        let ours: Vec<&String> = effects.iter().filter(|id| id.starts_with(&begin)).collect();
        let expected: Vec<String> = (0..events / KEYS).map(|number| format!("{begin}{number}")).collect();
        assert_eq!(ours, expected.iter().collect::<Vec<_>>(), "seed {seed}: key {key} is whole and in order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_lose_and_double_nothing_on_sqlite() {
    survives_kills(&World::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn killed_processes_lose_and_double_nothing_on_postgres() {
    let Some(world) = World::on("postgres").await else { return };
    survives_kills(&world).await;
    world.clean_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs mysql"]
async fn killed_processes_lose_and_double_nothing_on_mariadb() {
    let Some(world) = World::on("mysql").await else { return };
    survives_kills(&world).await;
    world.clean_up().await;
}
