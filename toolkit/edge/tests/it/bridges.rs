//! A bridge to an outside broker: our own as one, and a real Mosquitto, over lines that are cut.

use std::collections::HashSet;
use std::time::Duration;

use ieum_core::system_clock;
use ieum_device::{Broker, BrokerOptions, Client, ClientOptions, Message, Quality};
use ieum_edge::{Address, Bridge, BridgeOptions, Connection, Hello, Incoming, Trust};
use ieum_policy::Backoff;
use ieum_testkit::fault::{FaultPlan, TcpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::server;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{PATIENCE, World, numbers};

fn trust() -> Trust {
    Trust::of_this_machine().expect("is believed")
}

/// A client of the outside broker.
struct Outside {
    connection: Connection,
    next: u16,
    known: HashSet<String>,
}

impl Outside {
    async fn come(url: &str, name: &str, filter: &str) -> Self {
        let hello = Hello {
            client: name.to_owned(),
            credentials: None,
            // It is heard only when a test asks it, and a busy machine asks late.
            keep_alive: 1_200,
            session_seconds: 600,
            receive: 100,
        };
        let address = Address::parse(url).expect("is one");
        let opened = Connection::open(&address, &hello, &trust(), &system_clock()).await;
        let (mut connection, _) = opened.expect("is let in");
        connection.subscribe(filter).await.expect("is granted");
        Self { connection, next: 0, known: HashSet::new() }
    }

    async fn say(&mut self, topic: &str, text: &str) {
        self.next += 1;
        self.connection.publish(self.next, topic, text.as_bytes(), (false, false)).expect("is written");
        loop {
            match tokio::time::timeout(PATIENCE, self.connection.next())
                .await
                .expect("is taken")
                .expect("stands")
            {
                Incoming::Taken { id } if id == self.next => return,
                Incoming::Message { topic, .. } => panic!("{topic} came although nobody else spoke"),
                _ => {}
            }
        }
    }

    /// Returns the texts of the next messages, passing over what comes again.
    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let next = tokio::time::timeout(PATIENCE, self.connection.next()).await;
            if let Incoming::Message { topic, payload, id, .. } = next.expect("comes").expect("stands") {
                self.connection.acknowledge(id.expect("has quality 1"));
                let text = String::from_utf8(payload.to_vec()).expect("is UTF-8");
                if self.known.insert(format!("{topic} {text}")) {
                    texts.push(text);
                }
            }
        }
        texts
    }
}

struct Bridged {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Bridged {
    async fn start(broker: &Broker, url: &str) -> Self {
        let mut options = BridgeOptions::new(Address::parse(url).expect("is one"), "ieum", trust());
        options.out = vec!["device/#".to_owned()];
        options.r#in = vec!["device/+/command".to_owned()];
        options.prefix = "home/".to_owned();
        options.backoff = Backoff { first: Duration::from_millis(20), ..Backoff::default() };
        let stop = CancellationToken::new();
        let bridge = Bridge::join(broker, options, system_clock()).await.expect("can be bridged");
        let task = tokio::spawn(bridge.run(stop.clone()));
        Self { stop, task }
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("ends without a panic");
    }
}

async fn say(client: &Client, topic: &str, text: &str) {
    client.publish(Message::new(topic, text.to_owned())).await.expect("is published");
}

async fn hears(client: &mut Client, count: usize) -> Vec<String> {
    let (mut texts, mut known) = (Vec::new(), HashSet::new());
    while texts.len() < count {
        let delivery =
            tokio::time::timeout(PATIENCE, client.next()).await.expect("comes").expect("is attached");
        client.acknowledge(&delivery).expect("is attached");
        let text = String::from_utf8(delivery.message.payload.to_vec()).expect("is UTF-8");
        if known.insert(text.clone()) {
            texts.push(text);
        }
    }
    texts
}

/// Speaks both ways through `url`, which leads to an empty outside broker, while the line is cut.
async fn passes_both_ways(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::at(folder.path(), 0, |_| {}).await;
    let upstream = url.strip_prefix("mqtt://").expect("is plain");
    let proxy = TcpProxy::start(upstream, FaultPlan::default()).await.expect("starts");
    let through = format!("mqtt://{}", proxy.address());
    let here = world.broker.client("here", &ClientOptions { kept: true, inflight: 100 });
    let mut listening = world.broker.client("listening", &ClientOptions { kept: true, inflight: 100 });
    listening.subscribe("device/+/command", Quality::AtLeastOnce).await.expect("subscribes");
    let mut there = Outside::come(url, "there", "home/device/+/event").await;

    let bridged = Bridged::start(&world.broker, &through).await;
    for text in numbers(0..40) {
        say(&here, "device/kitchen/event", &text).await;
        if text.ends_with('5') {
            proxy.cut();
            proxy.restore();
        }
    }
    assert_eq!(there.texts(40).await, numbers(0..40), "in order, through cuts");

    for text in numbers(0..40) {
        there.say("home/device/kitchen/command", &text).await;
        if text.ends_with('5') {
            proxy.cut();
            proxy.restore();
        }
    }
    assert_eq!(hears(&mut listening, 40).await, numbers(0..40));
    bridged.end().await;

    // While there is no bridge both brokers keep what is for the other.
    say(&here, "device/kitchen/event", "kept here").await;
    there.say("home/device/kitchen/command", "kept there").await;
    let bridged = Bridged::start(&world.broker, &through).await;
    assert_eq!(there.texts(1).await, ["kept here"]);
    assert_eq!(hears(&mut listening, 1).await, ["kept there"]);
    bridged.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_passes_both_ways_through_cuts_and_nothing_comes_back() {
    let mut options = BrokerOptions::default();
    options.admission.anonymous = true;
    options.rules = ieum_device::Rules::of(Vec::new()).expect("is right").and_everything_else();
    let outside = Broker::in_memory(options, system_clock());
    let address = outside.listen(([127, 0, 0, 1], 0).into(), None).await.expect("listens");
    passes_both_ways(&format!("mqtt://{address}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs mosquitto"]
async fn a_bridge_to_mosquitto_passes_both_ways_through_cuts_and_nothing_comes_back() {
    let Some(url) = server::require("mosquitto") else { return };
    passes_both_ways(&url).await;
}

#[tokio::test]
async fn a_bridge_that_reaches_nobody_says_why() {
    let nobody = KeptPort::take();
    let address = nobody.address();
    let broker = Broker::in_memory(BrokerOptions::default(), system_clock());
    let outside = Address::parse(&format!("mqtt://{address}")).expect("is one");
    let options = BridgeOptions { out: vec!["a".to_owned()], ..BridgeOptions::new(outside, "b", trust()) };
    let (watch, stop) = (options.watch.clone(), CancellationToken::new());
    let bridge = Bridge::join(&broker, options, system_clock()).await.expect("joins");
    assert_eq!(watch.problem().as_deref(), Some("it was never reached yet"));
    assert_eq!(watch.since(), None, "it never was");
    let running = tokio::spawn(bridge.run(stop.clone()));
    let told = ieum_testkit::wait::until("it says why", PATIENCE, async || {
        watch.problem().is_some_and(|problem| problem.starts_with(&format!("connecting to mqtt://{address}")))
    });
    told.await.expect("it says why");
    stop.cancel();
    running.await.expect("ends");
}
