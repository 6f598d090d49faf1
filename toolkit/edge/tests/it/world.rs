//! A broker, who hears it, and devices that come to it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{Secret, system_clock};
use ieum_device::{
    Admission, Broker, BrokerOptions, Client, ClientOptions, Credentials, Quality, migrations,
};
use ieum_edge::{
    Address, Agent, AgentError, AgentOptions, Answer, Kind, Listener, Notice, Queue, QueueLimits, Trust,
};
use ieum_policy::Backoff;
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::wait;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const PATIENCE: Duration = Duration::from_secs(120);

/// A broker with credentials over a file.
pub struct World {
    pub broker: Broker,
    pub credentials: Credentials,
    pub address: SocketAddr,
}

impl World {
    pub async fn at(folder: &Path, port: u16, change: impl FnOnce(&mut BrokerOptions)) -> Self {
        let url = format!("sqlite:{}", folder.join("broker.db").display());
        let store = Store::open(&url, &StoreOptions::default()).await.expect("opens the store");
        migrate(&store, &migrations(), |_| {}).await.expect("migrates");
        let credentials = Credentials::new(store.clone(), system_clock());
        let mut options = BrokerOptions {
            admission: Admission { credentials: Some(credentials.clone()), anonymous: false },
            ..BrokerOptions::default()
        };
        change(&mut options);
        let broker = Broker::open(store, options, system_clock()).await.expect("opens");
        let address = broker.listen(([127, 0, 0, 1], port).into(), None).await.expect("listens");
        Self { broker, credentials, address }
    }

    pub async fn secret(&self, device: &str) -> Secret {
        self.credentials.issue(device).await.expect("is made").secret
    }
}

/// Hears all devices, as the platform does.
pub struct Platform {
    pub client: Client,
    known: HashSet<String>,
}

impl Platform {
    pub async fn of(broker: &Broker, inflight: u16) -> Self {
        let client = broker.client("platform", &ClientOptions { kept: true, inflight });
        for kind in Kind::ALL {
            let filter = format!("device/+/{}", kind.name());
            client.subscribe(&filter, Quality::AtLeastOnce).await.expect("subscribes");
        }
        Self { client, known: HashSet::new() }
    }

    /// Returns the next message that was not heard before, as text and id.
    pub async fn next(&mut self) -> (String, String) {
        let delivery = tokio::time::timeout(PATIENCE, self.client.next()).await;
        let delivery = delivery.expect("a message comes").expect("is attached");
        self.client.acknowledge(&delivery).expect("is attached");
        let told: Value = serde_json::from_slice(&delivery.message.payload).expect("is JSON");
        let text = told["text"].as_str().unwrap_or_default().to_owned();
        (text, told["messageId"].as_str().expect("has an id").to_owned())
    }

    /// Returns the texts of the next `count` messages, passing over what comes again.
    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let (text, id) = self.next().await;
            if self.known.insert(id) {
                texts.push(text);
            }
        }
        texts
    }
}

/// What a device was told, and what happened to it.
#[derive(Default)]
pub struct Ears {
    pub answers: Mutex<Vec<String>>,
    pub notices: Mutex<Vec<String>>,
    pub connected: Mutex<Vec<bool>>,
}

#[async_trait]
impl Listener for Ears {
    async fn answered(&self, answer: Answer) {
        let text = String::from_utf8(answer.payload.to_vec()).expect("is UTF-8");
        self.answers.lock().push(text);
    }

    fn noticed(&self, notice: Notice) {
        if let Notice::Connected { resumed } = &notice {
            self.connected.lock().push(*resumed);
        }
        self.notices.lock().push(format!("{notice:?}"));
    }
}

/// A device that runs.
pub struct Device {
    pub agent: Agent,
    pub queue: Queue,
    pub ears: Arc<Ears>,
    pub stop: CancellationToken,
    pub task: JoinHandle<Result<(), AgentError>>,
}

pub fn body(text: &str) -> Map<String, Value> {
    json!({ "text": text }).as_object().cloned().expect("is an object")
}

pub fn options(address: SocketAddr, device: &str, secret: Option<Secret>) -> AgentOptions {
    let address = Address::parse(&format!("mqtt://{address}")).expect("is one");
    let trust = Trust::of_this_machine().expect("is believed");
    let mut options = AgentOptions::new(address, device, secret, trust);
    options.backoff = Backoff { first: Duration::from_millis(20), ..Backoff::default() };
    options
}

pub async fn queue(folder: &Path) -> Queue {
    Queue::open(folder, QueueLimits::default(), system_clock()).await.expect("opens")
}

impl Device {
    pub fn start(queue: Queue, options: AgentOptions) -> Self {
        let agent = Agent::new(queue.clone(), system_clock());
        let (ears, stop) = (Arc::new(Ears::default()), CancellationToken::new());
        let (own, heard, until) = (agent.clone(), ears.clone(), stop.clone());
        let task = tokio::spawn(async move { own.run(&options, heard, until).await });
        Self { agent, queue, ears, stop, task }
    }

    pub async fn say(&self, text: &str) {
        self.agent.say(Kind::Text, body(text), None).await.expect("is kept");
    }

    /// Waits until the broker has everything.
    pub async fn is_empty(&self) {
        let empty = async || self.agent.waiting() == (0, 0);
        wait::until("all is acknowledged", PATIENCE, empty).await.expect("all is acknowledged");
    }

    /// Ends it as a stop signal does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("ends without a panic").expect("ends well");
        self.queue.close().await;
    }

    /// Ends it as a kill does: nothing is told to anybody.
    pub async fn kill(self) -> Queue {
        self.task.abort();
        let _ = self.task.await;
        self.queue
    }
}

pub fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
