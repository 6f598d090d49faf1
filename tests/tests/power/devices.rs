//! What the devices' broker acknowledged is there after a power cut, for whoever has not heard it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ieum_core::system_clock;
use ieum_device::{Broker, BrokerOptions, Client, ClientOptions, Message, Quality, Rules, migrations};
use ieum_edge::{Address, Connection, Hello, Incoming, Trust};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_testkit::power::{History, Moment, Replay, seed};

use crate::cut::{replay, rig, run};
use crate::workload::{Marks, Plan};

const DEVICES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(180);

async fn open(folder: &Path, sqlite_synchronous: Synchronous) -> (Broker, Client) {
    let options = StoreOptions { sqlite_synchronous, ..StoreOptions::default() };
    let url = format!("sqlite:{}", folder.join("devices.db").display());
    let store = Store::open(&url, &options).await.expect("opens the store");
    // Of the one connection that writes: a checkpoint about every fourth commit.
    store.execute("PRAGMA wal_autocheckpoint = 24", &[]).await.expect("sets the checkpoints");
    migrate(&store, &migrations(), |_| {}).await.expect("migrates");
    let mut options =
        BrokerOptions { rules: Rules::own_topics().and_everything_else(), ..BrokerOptions::default() };
    options.admission.anonymous = true;
    let broker = Broker::open(store, options, system_clock()).await.expect("opens the broker");
    let platform = broker.client("platform", &ClientOptions { kept: true, inflight: 10 });
    platform.subscribe("device/+/text", Quality::AtLeastOnce).await.expect("subscribes");
    (broker, platform)
}

async fn talk(address: String, device: usize, count: usize, marks: Marks) {
    let hello = Hello {
        client: format!("device-{device}"),
        credentials: None,
        // Short of nothing that is tested here, and a busy machine may stand still for seconds.
        keep_alive: 600,
        session_seconds: 600,
        receive: 10,
    };
    let address = Address::parse(&address).expect("is one");
    let trust = Trust::of_this_machine().expect("is believed");
    let opened = Connection::open(&address, &hello, &trust, &system_clock()).await;
    let (mut connection, _) = opened.expect("is let in");
    let topic = format!("device/device-{device}/text");
    for number in 0..count {
        let (id, name) = (u16::try_from(number + 1).expect("are few"), format!("{device}-{number}"));
        // As long as what people say.
        let text = format!("{name} {}", "안녕하세요, 오늘 날씨 어때요? ".repeat(8));
        connection.publish(id, &topic, text.as_bytes(), (false, false)).expect("is written");
        while !matches!(connection.next().await.expect("stands"), Incoming::Taken { id: taken } if taken == id)
        {
        }
        marks.set(&format!("acknowledged {name}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the power cuts"]
async fn child() {
    let Some(plan) = Plan::read() else { return };
    let marks = Marks::open(Path::new(&plan.marks));
    let (broker, mut platform) = open(Path::new(&plan.folder), plan.synchronous).await;
    let address = broker.listen(([127, 0, 0, 1], 0).into(), None).await.expect("listens");
    let mut tasks = tokio::task::JoinSet::new();
    for device in 0..DEVICES {
        tasks.spawn(talk(format!("mqtt://{address}"), device, plan.events, marks.clone()));
    }
    // Half of it is heard meanwhile, and may be gone then.
    for _ in 0..DEVICES * plan.events / 2 {
        let delivery = platform.next().await.expect("is attached");
        marks.set(&format!("heard {}", name_of(&delivery.message)));
        platform.acknowledge(&delivery).expect("is attached");
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("comes to its end");
    }
    broker.close().await;
}

fn name_of(message: &Message) -> String {
    let text = std::str::from_utf8(&message.payload).expect("is text");
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Returns what the next broker has for the platform.
async fn kept(folder: &Path) -> BTreeSet<String> {
    let (broker, mut platform) = open(folder, Synchronous::Off).await;
    let last = broker.client("last", &ClientOptions::default());
    last.publish(Message::new("device/last/text", "last")).await.expect("is published");
    let mut kept = BTreeSet::new();
    loop {
        let delivery =
            tokio::time::timeout(PATIENCE, platform.next()).await.expect("comes").expect("is attached");
        let name = name_of(&delivery.message);
        platform.acknowledge(&delivery).expect("is attached");
        if name == "last" {
            broker.close().await;
            return kept;
        }
        kept.insert(name);
    }
}

/// Cuts the power at `count` moments and returns what was acknowledged, not heard, and is gone.
async fn lost(history: &History, count: usize) -> Vec<(Moment, String)> {
    let (mut replay, mut lost) = (Replay::new(history), Vec::new());
    for moment in history.moments(count, seed(7)) {
        let told = |what: &str| -> BTreeSet<String> {
            let named = history.marks_before(moment.at).filter_map(|mark| mark.split_once(' '));
            named.filter(|(word, _)| *word == what).map(|(_, name)| name.to_owned()).collect()
        };
        let stage = ieum_testkit::temp::folder();
        replay.cut(&moment).write_to(stage.path()).expect("writes the disk");
        if told("acknowledged").is_empty() {
            // Nobody was told anything; whether there is a store yet is checked by others.
            continue;
        }
        let (kept, heard) = (kept(stage.path()).await, told("heard"));
        let gone =
            told("acknowledged").into_iter().find(|name| !kept.contains(name) && !heard.contains(name));
        lost.extend(gone.map(|name| (moment, name)));
    }
    lost
}

fn size() -> (usize, usize) {
    if ieum_testkit::server::long_faults() { (200, 60) } else { (40, 20) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_acknowledged_to_its_device_survives_a_power_cut() {
    let Some(rig) = rig() else { return };
    let (moments, messages) = size();
    run(&rig, "devices::child", &Plan::of(&rig, messages));
    let history = rig.history().expect("reads the journal");
    let lost = lost(&history, moments).await;
    assert!(lost.is_empty(), "replay with {}: {lost:?}", replay(seed(7)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_same_cuts_find_lost_messages_of_devices() {
    let Some(rig) = rig() else { return };
    run(&rig, "devices::child", &Plan { synchronous: Synchronous::Off, ..Plan::of(&rig, 20) });
    let history = rig.history().expect("reads the journal");
    // A store that is damaged opens no more, which is a loss as well.
    let found = tokio::spawn(async move { lost(&history, 60).await.len() }).await;
    assert!(found.is_err() || found.is_ok_and(|count| count > 0), "lost messages must be found");
}
