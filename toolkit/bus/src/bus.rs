//! The bus as parts of the platform hold it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use ieum_core::{SharedClock, new_id};
use ieum_store::{Migration, Store, StoreError, Transaction};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "kafka")]
use crate::Stage;
use crate::consumer::{ConsumerHandler, check_name};
#[cfg(feature = "kafka")]
use crate::kafka::{GroupMember, KafkaLog};
#[cfg(feature = "kafka")]
use crate::locate::made_at;
use crate::log::Log;
use crate::sql::{SqlStorage, schema, write_outbox};
use crate::storage::Entry;
use crate::subscriber::{Subscriber, thread_random};
use crate::worker::{BATCH, Worker};
use crate::writer::{Relay, Unpublished, Waiting, Writer};
use crate::{
    BusError, Consumer, DeadLetters, Event, Lag, LogSearch, Refusal, Sighting, Subscribed, Subscription,
};

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
    storage: Arc<SqlStorage>,
    waiting: mpsc::Sender<Waiting>,
    changed: watch::Sender<u64>,
    relay_wanted: Arc<Notify>,
    relay: tokio::task::AbortHandle,
}

/// Where the log is. What groups know is in the store in any case.
enum Backend {
    Local,
    #[cfg(feature = "kafka")]
    Kafka(Arc<KafkaLog>),
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
    /// What an acknowledged event survives.
    pub durability: Durability,
    /// Whether several processes may share a group.
    pub shared: bool,
    /// Whether a repeated publish leaves one event in the log (elsewhere the inbox sorts it out).
    pub dedupes_log: bool,
    /// Whether [`Bus::locate`] finds an event in the log itself, not only where a group has seen it; at a broker
    /// within the bounds that it tells.
    pub finds_in_log: bool,
    /// Whether [`Bus::purge`] lets go of the log's events; elsewhere the broker's retention does.
    pub purges_log: bool,
}

/// What an acknowledged event survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// A power cut: it was on disk before the acknowledgement.
    Disk,
    /// The loss of a broker: every replica in sync had it before the acknowledgement.
    Replicas,
}

/// One or more events to publish together.
#[derive(Debug)]
pub struct Events(Vec<Event>);

/// Returns the migrations of the bus's tables.
pub fn migrations() -> Vec<Migration> {
    schema::migrations()
}

/// Opens the bus at `url`: `local:` keeps the log in `store`; `kafka://host:port[,host:port]` keeps it at those
/// brokers and what groups know in `store`. `kafkas://` is TLS, where the system's authorities count or those in
/// the file that `?ca=` names. `user:password@` before the host logs in by SASL PLAIN, which TLS must protect, or
/// as `?sasl=scram-sha-256` or `scram-sha-512` says. A Kafka bus creates missing topics with 16 partitions and
/// the brokers' replication, or as `?partitions=6&replication=3` says. The tables must be there; see
/// [`migrations`]. No broker is asked yet; see [`Bus::ping`].
///
/// # Errors
/// A URL that names no bus; a backend that this build was made without.
pub async fn open_bus(
    url: &str,
    store: Store,
    clock: SharedClock,
    options: BusOptions,
) -> Result<Bus, BusError> {
    check_bus_url(url)?;
    match scheme(url) {
        #[cfg(feature = "kafka")]
        "kafka" | "kafkas" => {
            let log = KafkaLog::open(url, store.clone(), clock.clone(), options.patience);
            let log = Arc::new(log.map_err(|problem| bad_url(url, problem))?);
            Ok(Bus::over(Arc::clone(&log), Backend::Kafka(log), store, clock, options))
        }
        _ => {
            let storage = Arc::new(SqlStorage { store: store.clone() });
            Ok(Bus::over(storage, Backend::Local, store, clock, options))
        }
    }
}

/// Checks a bus's URL without opening anything.
///
/// # Errors
/// A URL that names no bus; a backend that this build was made without.
pub fn check_bus_url(url: &str) -> Result<(), BusError> {
    match scheme(url) {
        "local" => Ok(()),
        #[cfg(feature = "kafka")]
        "kafka" | "kafkas" => crate::kafka::check(url).map_err(|problem| bad_url(url, problem)),
        #[cfg(not(feature = "kafka"))]
        "kafka" | "kafkas" => Err(BusError::NotBuilt { backend: "kafka" }),
        _ => Err(bad_url(url, "expected local: or kafka[s]://host:port".to_owned())),
    }
}

fn scheme(url: &str) -> &str {
    url.split(':').next().unwrap_or_default()
}

/// Says what is wrong with a URL, of which only the scheme is shown, for it may hold a password.
fn bad_url(url: &str, problem: String) -> BusError {
    BusError::Url { url: scheme(url).to_owned(), problem }
}

// === Bus ===

impl Bus {
    fn over<L: Log>(
        log: Arc<L>,
        backend: Backend,
        store: Store,
        clock: SharedClock,
        options: BusOptions,
    ) -> Self {
        let storage = Arc::new(SqlStorage { store: store.clone() });
        let (waiting, receiver) = mpsc::channel(WAITING);
        let (changed, _) = watch::channel(0);
        let writer = Writer {
            storage: Arc::clone(&log),
            clock: clock.clone(),
            waiting: receiver,
            changed: changed.clone(),
            patience: options.patience,
        };
        tokio::spawn(writer.run());
        let relay_wanted = Arc::new(Notify::new());
        let relay = Relay {
            storage: log,
            clock: clock.clone(),
            wanted: Arc::clone(&relay_wanted),
            changed: changed.clone(),
        };
        let relay = tokio::spawn(relay.run()).abort_handle();
        let inner = Inner { store, clock, options, backend, storage, waiting, changed, relay_wanted, relay };
        Self { inner: Arc::new(inner) }
    }

    /// Publishes events to `topic` and returns once they are durable. An event whose `source` and `id` the
    /// topic has already is left out.
    ///
    /// # Errors
    /// Names the attribute of an event that breaks a rule, in which case none is published; says that the log
    /// will never take an event ([`BusError::Refused`]); or says that the storage failed, in which case
    /// publishing again is harmless.
    pub async fn publish(&self, topic: &str, events: impl Into<Events>) -> Result<(), BusError> {
        let Events(events) = events.into();
        let entries = self.entries(topic, &events)?;
        if entries.is_empty() {
            return Ok(());
        }
        if self.refused(topic, &events, &entries).is_err() {
            // What the broker takes may have been raised since.
            self.inner.backend.look_again(topic).await;
            self.refused(topic, &events, &entries)?;
        }
        let count = entries.len();
        let closed = || BusError::Closed { topic: topic.to_owned() };
        let (done, answer) = oneshot::channel();
        self.inner.waiting.send(Waiting { entries, done }).await.map_err(|_| closed())?;
        let result = answer.await.map_err(|_| closed())?;
        result.map_err(|unpublished| match unpublished {
            Unpublished::Refused(source) => {
                BusError::Refused { topic: topic.to_owned(), source: source.into() }
            }
            Unpublished::Failed(source) => {
                BusError::Publish { count, topic: topic.to_owned(), bus: self.inner.backend.name(), source }
            }
        })
    }

    /// Publishes an event with the caller's transaction: it is published if and only if `tx` commits, a few
    /// milliseconds later, in the order of writing for each key.
    ///
    /// The event first rests in a table of its own, so that callers' transactions do not wait for each other.
    /// Where the log refuses it for good, which a broker may do whose limit was not known yet, it becomes a
    /// dead letter of [`OUTBOX_GROUP`] and those after it go on.
    ///
    /// [`OUTBOX_GROUP`]: crate::OUTBOX_GROUP
    ///
    /// # Errors
    /// Names the attribute that breaks a rule; says that the log takes no event of this size; or says that the
    /// store failed. `tx` should then not commit.
    pub async fn outbox(&self, tx: &mut Transaction, topic: &str, event: &Event) -> Result<(), BusError> {
        let events = std::slice::from_ref(event);
        let entries = self.entries(topic, events)?;
        if let Err(refused) = self.refused(topic, events, &entries) {
            // Not awaited: the caller's transaction waits for no broker. The next event finds what it said.
            let (bus, topic) = (self.clone(), topic.to_owned());
            tokio::spawn(async move { bus.inner.backend.look_again(&topic).await });
            return Err(refused);
        }
        for entry in entries {
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
        let worker = Worker {
            storage: Arc::clone(&self.inner.storage),
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
            changed: self.inner.changed.subscribe(),
            stop: stop.clone(),
        };
        let task = match &self.inner.backend {
            Backend::Local => tokio::spawn(subscriber.run()),
            #[cfg(feature = "kafka")]
            Backend::Kafka(log) => {
                let member = GroupMember::new(Arc::clone(log), options.lease);
                tokio::spawn(subscriber.run_on(member))
            }
        };
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
        let local = BusCapabilities {
            backend: "local",
            durability: Durability::Disk,
            shared: true,
            dedupes_log: true,
            finds_in_log: true,
            purges_log: true,
        };
        match &self.inner.backend {
            Backend::Local => local,
            #[cfg(feature = "kafka")]
            Backend::Kafka(_) => BusCapabilities {
                backend: "kafka",
                durability: Durability::Replicas,
                dedupes_log: false,
                purges_log: false,
                ..local
            },
        }
    }

    /// Ends the relay, before the store is closed: what still waits in the outbox is moved at the next start.
    pub fn close(&self) {
        self.inner.relay.abort();
    }

    /// Asks whether the log can be reached. Publishing and consuming need no such question: they go on by
    /// themselves once it can.
    ///
    /// # Errors
    /// [`BusError::Unreachable`], or what the store says.
    pub async fn ping(&self) -> Result<(), BusError> {
        match &self.inner.backend {
            Backend::Local => {
                let asked = self.inner.store.fetch_one("SELECT 1 AS one", &[]).await;
                asked.map(drop).map_err(BusError::store("reaching the bus"))
            }
            #[cfg(feature = "kafka")]
            Backend::Kafka(log) => log.ping().await,
        }
    }

    /// Looks for an event in a log at a broker.
    pub(crate) async fn search_log(
        &self,
        event_id: &str,
    ) -> Result<(Vec<Sighting>, Option<LogSearch>), StoreError> {
        match &self.inner.backend {
            Backend::Local => {
                let _ = event_id;
                Ok((Vec::new(), None))
            }
            #[cfg(feature = "kafka")]
            Backend::Kafka(log) => {
                let (found, searched) = log.search(event_id, made_at(event_id)).await?;
                let mut sightings = Vec::new();
                for found in found {
                    let (topic, at) = (&found.topic, found.at);
                    let detail =
                        format!("topic {topic}, partition {}, offset {}", found.partition, found.offset);
                    sightings.push(Sighting { stage: Stage::Log, at, detail });
                    for group in log.waiting(&found).await? {
                        let detail = format!("topic {topic}, group {group}");
                        sightings.push(Sighting { stage: Stage::Waiting, at, detail });
                    }
                }
                Ok((sightings, Some(searched)))
            }
        }
    }

    /// Adds to what waits in the store what waits at a broker.
    pub(crate) async fn add_unread(&self, lags: &mut [Lag]) -> Result<(), BusError> {
        match &self.inner.backend {
            Backend::Local => {
                let _ = lags;
                Ok(())
            }
            #[cfg(feature = "kafka")]
            Backend::Kafka(log) => log.add_unread(lags).await,
        }
    }

    /// Lets subscribers of this process look at once, and the relay.
    pub(crate) fn wake(&self) {
        self.inner.changed.send_modify(|number| *number += 1);
        self.inner.relay_wanted.notify_one();
    }

    /// Tells whether the log may refuse an event for good.
    pub(crate) fn refuses(&self) -> bool {
        !matches!(self.inner.backend, Backend::Local)
    }

    /// Checks events and makes them ready for the log.
    fn entries(&self, topic: &str, events: &[Event]) -> Result<Vec<Entry>, BusError> {
        check_name("topic", topic)?;
        let entries: Result<Vec<Entry>, _> = events.iter().map(|event| Entry::new(topic, event)).collect();
        entries.map_err(|source| BusError::Event { topic: topic.to_owned(), source })
    }

    /// Says which event the log is known to refuse.
    fn refused(&self, topic: &str, events: &[Event], entries: &[Entry]) -> Result<(), BusError> {
        for (event, entry) in events.iter().zip(entries) {
            if let Some(source) = self.inner.backend.known_refusal(&event.kind, entry) {
                return Err(BusError::Refused { topic: topic.to_owned(), source: source.into() });
            }
        }
        Ok(())
    }
}

// === Backend ===

impl Backend {
    fn name(&self) -> String {
        match self {
            Self::Local => "local:".to_owned(),
            #[cfg(feature = "kafka")]
            Self::Kafka(log) => log.name(),
        }
    }

    /// Returns why the log refuses an entry, as far as that is known without asking.
    fn known_refusal(&self, kind: &str, entry: &Entry) -> Option<Refusal> {
        match self {
            Self::Local => {
                let _ = (kind, entry);
                None
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(log) => log.known_refusal(kind, entry),
        }
    }

    /// Asks anew what the log takes; where nobody answers, what was known stays.
    async fn look_again(&self, topic: &str) {
        match self {
            Self::Local => {
                let _ = topic;
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(log) => log.look_again(topic).await,
        }
    }
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
