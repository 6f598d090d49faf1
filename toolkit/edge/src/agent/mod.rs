//! The agent of a device: connects, sends what the queue holds, hands over what comes back, and never gives up.

mod error;
mod notice;
mod running;
mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ieum_core::{Secret, SharedClock};
use ieum_policy::{Backoff, Jitter};
use serde_json::{Map, Value};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::worker::{self, Listener};
use crate::{Address, Kind, Queue, QueueError, Taken, Trust};
pub use error::AgentError;
pub use notice::Notice;
use running::Running;

/// How an agent behaves.
#[derive(Clone)]
pub struct AgentOptions {
    /// Where the broker is.
    pub address: Address,
    /// The device's id: its user name, its client identifier, and what its topics begin with.
    pub device: String,
    /// The device's secret; `None` for a broker that lets anybody in.
    pub secret: Option<Secret>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// The most parts of one recording under way; the broker may allow fewer.
    pub window: u16,
    /// How long to wait before a connection is made again.
    pub backoff: Backoff,
    /// Seconds of silence before the broker is asked whether it is there.
    pub keep_alive: u16,
}

/// The agent of one device. Cloning shares it.
#[derive(Clone)]
pub struct Agent {
    queue: Queue,
    taken: Arc<Notify>,
    /// There is a connection.
    connected: Arc<AtomicBool>,
    clock: SharedClock,
}

impl AgentOptions {
    /// Begins with what is usual.
    pub fn new(address: Address, device: &str, secret: Option<Secret>, trust: Trust) -> Self {
        let backoff = Backoff {
            first: Duration::from_millis(500),
            factor: 2.0,
            most: Duration::from_secs(60),
            jitter: Jitter::Equal,
        };
        Self { address, device: device.to_owned(), secret, trust, window: 16, backoff, keep_alive: 30 }
    }
}

impl Agent {
    /// Makes the agent over its queue.
    pub fn new(queue: Queue, clock: SharedClock) -> Self {
        Self { queue, taken: Arc::default(), connected: Arc::default(), clock }
    }

    /// Says something: returns once it is kept, whether there is a connection or not. See [`Queue::take`]. Where the disk
    /// takes nothing it goes out from memory while there is a connection, and what is returned says that it is not kept.
    ///
    /// # Errors
    /// No room, a disk that takes nothing and no connection, or a queue that does not do as it is asked.
    pub async fn say(
        &self,
        kind: Kind,
        body: Map<String, Value>,
        together: Option<&str>,
    ) -> Result<Taken, QueueError> {
        let may_be_held = self.connected.load(Ordering::Acquire);
        let taken = self.queue.take_or_hold(kind, body, together, may_be_held).await?;
        self.taken.notify_one();
        Ok(taken)
    }

    /// Tells how many messages wait for the broker, and their bytes.
    pub fn waiting(&self) -> (usize, usize) {
        self.queue.waiting()
    }

    /// Connects, again and again, until `stop`.
    ///
    /// # Errors
    /// A broker that refuses the device in a way that no waiting changes, such as a wrong secret; or a queue that does
    /// not do as it is asked. What was said stays in the queue.
    pub async fn run(
        &self,
        options: &AgentOptions,
        listener: Arc<dyn Listener>,
        stop: CancellationToken,
    ) -> Result<(), AgentError> {
        let (come, coming) = mpsc::unbounded_channel();
        let (dealing, mut dealt) = mpsc::unbounded_channel();
        let worker = tokio::spawn(worker::run(self.queue.clone(), listener.clone(), coming, dealing));
        let running = Running { agent: self, options, listener: &*listener, come: &come, stop: &stop };
        let ended = running.run(&mut dealt).await;
        drop(come);
        // What is being told is told to its end.
        let _ = worker.await;
        ended
    }
}
