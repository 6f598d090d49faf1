//! What a part of the platform gives to listen to a topic.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{Cx, Fault};
use ieum_policy::{Backoff, Jitter};
use ieum_store::Transaction;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::worker::Handler;
use crate::{BusError, Event, LONGEST_NAME};

/// Handles the events of a subscription.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// Handles one event. Whatever is written through `tx` takes effect together with the mark that the group
    /// has handled the event, or not at all: it happens once, however often the event is delivered.
    /// `cx` is a child of the sender's trace, with the sender's tenant, caller and idempotency key, and tells
    /// in `attempt()` how often handling failed before.
    ///
    /// Several events may share one transaction. On SQLite nobody else writes meanwhile, so calls to other
    /// systems belong elsewhere.
    ///
    /// # Errors
    /// A retryable fault (see [`Fault::is_retryable`]) puts the event into the retry lane, not before its
    /// `retry_after`; any other fault, or a panic, makes it a dead letter.
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault>;
}

/// When and how often a failed event is handled again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetryLanes {
    /// Attempts in all, the first included, before the event is dead. Default 8.
    pub attempts: u32,
    /// The waits between attempts. Default 1 s, doubling up to 5 min, with equal jitter.
    pub backoff: Backoff,
}

/// Which events a group listens to, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// The group: each event has one effect per group, whichever process of the group handles it.
    pub group: String,
    /// How failures are retried.
    pub retry: RetryLanes,
    /// How many keys are worked on at once in this process, at most 16. Default 4.
    pub concurrency: usize,
    /// How long one event may be handled. Default 10 s; at most half of the bus's lease.
    pub time_limit: Duration,
}

/// A running subscription. Dropping it leaves it running; see [`Subscribed::drain`] and [`Subscribed::stop`].
#[derive(Debug)]
pub struct Subscribed {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

/// A consumer as the worker calls it.
pub(crate) struct ConsumerHandler(pub Arc<dyn Consumer>);

#[async_trait]
impl Handler<Transaction> for ConsumerHandler {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        self.0.handle(cx, event, tx).await
    }
}

// === RetryLanes ===

impl Default for RetryLanes {
    fn default() -> Self {
        let backoff = Backoff {
            first: Duration::from_secs(1),
            factor: 2.0,
            most: Duration::from_secs(300),
            jitter: Jitter::Equal,
        };
        Self { attempts: 8, backoff }
    }
}

// === Subscription ===

impl Subscription {
    /// Makes a subscription with the defaults.
    pub fn new(topic: impl Into<String>, group: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            group: group.into(),
            retry: RetryLanes::default(),
            concurrency: 4,
            time_limit: Duration::from_secs(10),
        }
    }

    pub(crate) fn check(&self, lease: Duration) -> Result<(), BusError> {
        check_name("topic", &self.topic)?;
        check_name("group", &self.group)?;
        if self.retry.attempts == 0 {
            return Err(BusError::Invalid {
                what: "retry.attempts",
                value: "0".to_owned(),
                problem: "must be at least 1".to_owned(),
            });
        }
        if self.time_limit > lease / 2 || self.time_limit.is_zero() {
            return Err(BusError::Invalid {
                what: "time_limit",
                value: format!("{:?}", self.time_limit),
                problem: format!("must be above zero and at most half of the lease of {lease:?}"),
            });
        }
        Ok(())
    }
}

/// Checks a topic's or group's name: letters, digits, `.`, `_` and `-`, as Kafka allows, at most
/// [`LONGEST_NAME`].
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), BusError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let problem = if name.is_empty() || name == "." || name == ".." {
        "is no name".to_owned()
    } else if name.len() > LONGEST_NAME {
        format!("is longer than {LONGEST_NAME} characters")
    } else if !name.bytes().all(allowed) {
        "may hold only letters, digits, '.', '_' and '-'".to_owned()
    } else {
        return Ok(());
    };
    Err(BusError::Invalid { what, value: name.chars().take(LONGEST_NAME).collect(), problem })
}

// === Subscribed ===

impl Subscribed {
    /// Stops taking events, finishes those in hand, gives the slots to other members and returns.
    pub async fn drain(self) {
        self.stop.cancel();
        // A task that panicked has nothing in hand either.
        let _ = self.task.await;
    }

    /// Stops at once. What is in hand is undone and handled again by whoever takes over, once the lease
    /// has ended.
    pub fn stop(self) {
        self.task.abort();
    }
}
