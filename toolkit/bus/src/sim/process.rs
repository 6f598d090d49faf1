//! The bus of one simulated process: the engine that runs on a database, on a simulated one.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{BoxFuture, Cx, Fault, SharedClock};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Dice, Plant, SimStorage, SimTx};
use crate::storage::Entry;
use crate::subscriber::Subscriber;
use crate::worker::{BATCH, Handler, Worker};
use crate::writer::{Relay, Waiting, Writer};
use crate::{Event, EventError, RetryLanes};

/// The bus within one process. Cloning shares it; it ends with the tasks that it started.
#[derive(Clone)]
pub struct SimBus {
    storage: Arc<SimStorage>,
    clock: SharedClock,
    dice: Dice,
    waiting: mpsc::Sender<Waiting>,
    wanted: Arc<Notify>,
    changed: watch::Sender<u64>,
}

/// How a group of a world listens.
#[derive(Clone, Debug)]
pub struct SimGroup {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// Names this member; unique, also among its former lives.
    pub member: String,
    /// How failures are retried.
    pub retry: RetryLanes,
    /// How many slots are worked on at once.
    pub concurrency: usize,
    /// How long one event may be handled.
    pub time_limit: Duration,
    /// How long a member that gives no sign of life keeps its slots.
    pub lease: Duration,
    /// How often events of other processes are looked for.
    pub poll: Duration,
}

/// Handles events within the simulated database's transaction; see [`crate::Consumer`].
#[async_trait]
pub trait SimConsumer: Send + Sync + 'static {
    /// Handles one event; see [`crate::Consumer::handle`].
    ///
    /// # Errors
    /// A retryable fault puts the event into the lane; any other makes it a dead letter.
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut SimTx) -> Result<(), Fault>;
}

struct SimHandler(Arc<dyn SimConsumer>);

#[async_trait]
impl Handler<SimTx> for SimHandler {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut SimTx) -> Result<(), Fault> {
        self.0.handle(cx, event, tx).await
    }
}

impl SimBus {
    /// Starts the bus of one process; `spawn` runs its tasks.
    pub fn start(
        storage: SimStorage,
        clock: SharedClock,
        dice: &Dice,
        spawn: &mut dyn FnMut(BoxFuture<'static, ()>),
    ) -> Self {
        let storage = Arc::new(storage);
        let (door, waiting) = mpsc::channel(64);
        let (changed, _) = watch::channel(0);
        let wanted = Arc::new(Notify::new());
        let writer = Writer {
            storage: Arc::clone(&storage),
            clock: clock.clone(),
            waiting,
            changed: changed.clone(),
            patience: Duration::from_secs(1),
        };
        let relay = Relay {
            storage: Arc::clone(&storage),
            clock: clock.clone(),
            wanted: Arc::clone(&wanted),
            changed: changed.clone(),
        };
        spawn(Box::pin(writer.run()));
        spawn(Box::pin(relay.run()));
        Self { storage, clock, dice: dice.clone(), waiting: door, wanted, changed }
    }

    /// Publishes events; returns whether they are durable for sure.
    ///
    /// # Errors
    /// Names the attribute that breaks a rule.
    pub async fn publish(&self, topic: &str, events: &[Event]) -> Result<bool, EventError> {
        let entries = events.iter().map(|event| Entry::new(topic, event)).collect::<Result<_, _>>()?;
        let (done, answer) = oneshot::channel();
        if self.waiting.send(Waiting { entries, done }).await.is_err() {
            return Ok(false);
        }
        let early = self.storage.disk.plant == Plant::AcknowledgeEarly;
        Ok(early || matches!(answer.await, Ok(Ok(()))))
    }

    /// Publishes an event with the caller's transaction.
    ///
    /// # Errors
    /// Names the attribute that breaks a rule.
    pub fn outbox(&self, tx: &mut SimTx, topic: &str, event: &Event) -> Result<(), EventError> {
        tx.outbox(topic, event)?;
        self.wanted.notify_one();
        Ok(())
    }

    /// Starts handling the group's events with `consumer`; `spawn` runs the task.
    pub fn subscribe(
        &self,
        group: SimGroup,
        consumer: Arc<dyn SimConsumer>,
        spawn: &mut dyn FnMut(BoxFuture<'static, ()>),
    ) {
        let dice = self.dice.clone();
        let worker = Worker {
            storage: Arc::clone(&self.storage),
            handler: Arc::new(SimHandler(consumer)),
            clock: self.clock.clone(),
            lanes: group.retry,
            lease_span: group.lease,
            time_limit: group.time_limit,
            random: Arc::new(move || dice.fraction()),
            pace: AtomicUsize::new(BATCH),
        };
        let subscriber = Subscriber {
            worker,
            group: group.group,
            topic: group.topic,
            owner: group.member,
            concurrency: group.concurrency,
            poll: group.poll,
            replays: 4,
            changed: self.changed.subscribe(),
            stop: CancellationToken::new(),
        };
        spawn(Box::pin(subscriber.run()));
    }
}
