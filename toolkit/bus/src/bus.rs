//! The bus as parts of the platform hold it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ieum_core::{SharedClock, new_id};
use ieum_store::{Migration, Store, Transaction};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::consumer::{ConsumerHandler, check_name};
use crate::sql::{SqlStorage, schema, write_outbox};
use crate::storage::Entry;
use crate::subscriber::{Subscriber, thread_random};
use crate::worker::{BATCH, Worker};
use crate::writer::{Relay, Waiting, Writer};
use crate::{BusError, Consumer, DeadLetters, Event, Subscribed, Subscription};

/// How many publishers may wait before further ones wait to wait.
const WAITING: usize = 4_096;

/// The bus. Cloning shares it.
#[derive(Clone)]
pub struct Bus {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub clock: SharedClock,
    options: BusOptions,
    backend: Backend,
    relay_wanted: Arc<Notify>,
    relay: tokio::task::AbortHandle,
}

enum Backend {
    Local(Local),
}

struct Local {
    storage: Arc<SqlStorage>,
    waiting: mpsc::Sender<Waiting>,
    changed: watch::Sender<u64>,
}

/// How a bus behaves.
#[derive(Clone, PartialEq, Debug)]
pub struct BusOptions {
    /// How long a consumer that gives no sign of life keeps its slots. Default 30 s.
    pub lease: Duration,
    /// How often events of other processes are looked for. Default 200 ms.
    pub poll: Duration,
    /// For how long publishing is tried again while the failure may pass. Default 10 s.
    pub patience: Duration,
    /// How many dead letters each slot replays per round. Default 16.
    pub replays: usize,
}

/// What a bus gives and lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusCapabilities {
    /// The backend's name.
    pub backend: &'static str,
    /// Whether an acknowledged event survives a power cut.
    pub durable: bool,
    /// Whether several processes may share a group.
    pub shared: bool,
    /// Whether a repeated publish leaves one event in the log (elsewhere the inbox sorts it out).
    pub dedupes_log: bool,
}

/// One or more events to publish together.
#[derive(Debug)]
pub struct Events(Vec<Event>);

/// Returns the migrations of the bus's tables.
pub fn migrations() -> Vec<Migration> {
    schema::migrations()
}

/// Opens the bus at `url`: `local:` keeps the log in `store`. The tables must be there; see [`migrations`].
///
/// # Errors
/// A URL that names no bus; `kafka://host:port` is known and not offered yet.
pub async fn open_bus(
    url: &str,
    store: Store,
    clock: SharedClock,
    options: BusOptions,
) -> Result<Bus, BusError> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "local" => Ok(Bus::local(store, clock, options)),
        "kafka" => Err(BusError::NotOffered { backend: "kafka" }),
        _ => Err(BusError::Url { url: url.to_owned(), problem: "expected local:".to_owned() }),
    }
}

// === Bus ===

impl Bus {
    fn local(store: Store, clock: SharedClock, options: BusOptions) -> Self {
        let storage = Arc::new(SqlStorage { store: store.clone() });
        let (waiting, receiver) = mpsc::channel(WAITING);
        let (changed, _) = watch::channel(0);
        let writer = Writer {
            storage: Arc::clone(&storage),
            clock: clock.clone(),
            waiting: receiver,
            changed: changed.clone(),
            patience: options.patience,
        };
        tokio::spawn(writer.run());
        let relay_wanted = Arc::new(Notify::new());
        let relay = Relay {
            storage: Arc::clone(&storage),
            clock: clock.clone(),
            wanted: Arc::clone(&relay_wanted),
            changed: changed.clone(),
        };
        let relay = tokio::spawn(relay.run()).abort_handle();
        let backend = Backend::Local(Local { storage, waiting, changed });
        Self { inner: Arc::new(Inner { store, clock, options, backend, relay_wanted, relay }) }
    }

    /// Publishes events to `topic` and returns once they are durable. An event whose `source` and `id` the
    /// topic has already is left out.
    ///
    /// # Errors
    /// Names the attribute of an event that breaks a rule, in which case none is published; or says that the
    /// storage failed, in which case publishing again is harmless.
    pub async fn publish(&self, topic: &str, events: impl Into<Events>) -> Result<(), BusError> {
        let Events(events) = events.into();
        let entries = entries(topic, &events)?;
        if entries.is_empty() {
            return Ok(());
        }
        let count = entries.len();
        let Backend::Local(local) = &self.inner.backend;
        let closed = || BusError::Closed { topic: topic.to_owned() };
        let (done, answer) = oneshot::channel();
        local.waiting.send(Waiting { entries, done }).await.map_err(|_| closed())?;
        let result = answer.await.map_err(|_| closed())?;
        result.map_err(|source| BusError::Publish { count, topic: topic.to_owned(), source })
    }

    /// Publishes an event with the caller's transaction: it is published if and only if `tx` commits, a few
    /// milliseconds later, in the order of writing for each key.
    ///
    /// The event first rests in a table of its own, so that callers' transactions do not wait for each other.
    ///
    /// # Errors
    /// Names the attribute that breaks a rule, or says that the store failed; `tx` should then not commit.
    pub async fn outbox(&self, tx: &mut Transaction, topic: &str, event: &Event) -> Result<(), BusError> {
        for entry in entries(topic, std::slice::from_ref(event))? {
            let now = self.inner.clock.now();
            write_outbox(tx, &entry, now).await.map_err(BusError::store("writing into the outbox"))?;
        }
        self.inner.relay_wanted.notify_one();
        Ok(())
    }

    /// Starts handling the subscription's events with `consumer` in the background. A new group begins with
    /// the oldest event that the log still has.
    ///
    /// # Errors
    /// A name or setting that breaks a rule.
    pub async fn subscribe(
        &self,
        subscription: Subscription,
        consumer: Arc<dyn Consumer>,
    ) -> Result<Subscribed, BusError> {
        let options = &self.inner.options;
        subscription.check(options.lease)?;
        let Backend::Local(local) = &self.inner.backend;
        let worker = Worker {
            storage: Arc::clone(&local.storage),
            handler: Arc::new(ConsumerHandler(consumer)),
            clock: self.inner.clock.clone(),
            lanes: subscription.retry,
            lease_span: options.lease,
            time_limit: subscription.time_limit,
            random: thread_random(),
            pace: AtomicUsize::new(BATCH),
        };
        let stop = CancellationToken::new();
        let subscriber = Subscriber {
            worker,
            group: subscription.group,
            topic: subscription.topic,
            owner: new_id().to_string(),
            concurrency: subscription.concurrency,
            poll: options.poll,
            replays: options.replays.max(1),
            changed: local.changed.subscribe(),
            stop: stop.clone(),
        };
        let task = tokio::spawn(subscriber.run());
        Ok(Subscribed { stop, task })
    }

    /// Returns the desk for dead letters.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(self.clone())
    }

    /// Returns the migrations of the bus's tables.
    pub fn migrations(&self) -> Vec<Migration> {
        migrations()
    }

    /// Returns what this bus gives and lacks.
    pub fn capabilities(&self) -> BusCapabilities {
        BusCapabilities { backend: "local", durable: true, shared: true, dedupes_log: true }
    }

    /// Lets subscribers of this process look at once.
    pub(crate) fn wake(&self) {
        let Backend::Local(local) = &self.inner.backend;
        local.changed.send_modify(|number| *number += 1);
    }
}

fn entries(topic: &str, events: &[Event]) -> Result<Vec<Entry>, BusError> {
    check_name("topic", topic)?;
    let entry = |event| Entry::new(topic, event);
    let entries: Result<Vec<Entry>, _> = events.iter().map(entry).collect();
    entries.map_err(|source| BusError::Event { topic: topic.to_owned(), source })
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

// === BusOptions ===

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(200),
            patience: Duration::from_secs(10),
            replays: 16,
        }
    }
}

// === Events ===

impl From<Event> for Events {
    fn from(event: Event) -> Self {
        Self(vec![event])
    }
}

impl From<Vec<Event>> for Events {
    fn from(events: Vec<Event>) -> Self {
        Self(events)
    }
}
