//! The agent of a device: connects, sends what the queue holds, hands over what comes back, and never gives up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Secret, SharedClock};
use ieum_policy::{Backoff, Jitter};
use serde_json::{Map, Value};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Greeting, Hello, Incoming};
use crate::queue::Why;
use crate::worker::{self, Answer, Come, Dealt, Listener};
use crate::{Address, ConnectError, Kind, Queue, QueueError, Refusal, Taken, Trust};

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

/// What happens to a device, for people and logs.
#[derive(Debug)]
pub enum Notice {
    /// It is connected; whether the broker still knew its session.
    Connected {
        /// It did.
        resumed: bool,
    },
    /// It is not, or no longer; it is tried again.
    Away {
        /// Why.
        error: ConnectError,
        /// When.
        again_in: Duration,
    },
    /// The broker has a message.
    Delivered {
        /// Its number.
        number: i64,
        /// Its kind.
        kind: Kind,
    },
    /// The broker will never take a message; it is given up.
    Refused {
        /// Its number.
        number: i64,
        /// Its kind.
        kind: Kind,
        /// Why.
        refusal: Refusal,
    },
    /// Messages were given up.
    GivenUp {
        /// Of this kind.
        kind: Kind,
        /// Why.
        why: Why,
        /// So many.
        count: u64,
    },
}

/// Why an agent ends.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Trying again cannot help.
    #[error("connecting the device {device:?}")]
    Hopeless {
        /// The device.
        device: String,
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// Its queue does not do as it is asked.
    #[error("running the device {device:?}")]
    Queue {
        /// The device.
        device: String,
        /// Why.
        #[source]
        source: QueueError,
    },
}

/// The agent of one device. Cloning shares it.
#[derive(Clone)]
pub struct Agent {
    queue: Queue,
    taken: Arc<Notify>,
    clock: SharedClock,
}

/// While as many bytes are not written yet, nothing more is readied: the broker is slow.
const UNSENT: usize = 256 * 1024;
/// The most answers that come before the first is dealt with.
const RECEIVE: u16 = 32;
/// How many seconds the broker keeps the session of a device that is away.
const SESSION: u32 = 7 * 24 * 3_600;
/// How often what is too old is looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// What a connection that stands remembers.
struct Standing {
    connection: Connection,
    generation: u64,
    window: usize,
    largest: usize,
    /// Messages under way by their number in packets.
    flying: HashMap<u16, (i64, Kind)>,
    present: bool,
    /// Refusals in a row that may pass.
    refused: u32,
}

enum End {
    Stopped,
    Failed(ConnectError),
    Queue(QueueError),
}

impl From<ConnectError> for End {
    fn from(error: ConnectError) -> Self {
        Self::Failed(error)
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
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
        Self { queue, taken: Arc::default(), clock }
    }

    /// Says something: returns once it is kept, whether there is a connection or not. See [`Queue::take`].
    ///
    /// # Errors
    /// No room, or a queue that does not do as it is asked.
    pub async fn say(
        &self,
        kind: Kind,
        body: Map<String, Value>,
        together: Option<&str>,
    ) -> Result<Taken, QueueError> {
        let taken = self.queue.take(kind, body, together).await?;
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
        let (mut failures, mut generation) = (0, 0);
        let device = || options.device.clone();
        let ended = loop {
            generation += 1;
            let attempt = self.attempt(options, generation, &*listener);
            let opened = tokio::select! {
                opened = attempt => opened,
                () = stop.cancelled() => break Ok(()),
            };
            let end = match opened {
                Ok(standing) => {
                    failures = 0;
                    self.serve(options, standing, (&come, &mut dealt), (&*listener, &stop)).await
                }
                Err(error) => End::Failed(error),
            };
            self.queue.land(None);
            let error = match end {
                End::Stopped => break Ok(()),
                End::Queue(source) => break Err(AgentError::Queue { device: device(), source }),
                End::Failed(source) if !source.may_pass() => {
                    break Err(AgentError::Hopeless { device: device(), source });
                }
                End::Failed(error) => error,
            };
            failures += 1;
            let again_in = options.backoff.delay(failures, rand::random());
            listener.noticed(Notice::Away { error, again_in });
            tokio::select! {
                () = self.clock.sleep(again_in) => {}
                () = stop.cancelled() => break Ok(()),
            }
        };
        drop(come);
        // What is being told is told to its end.
        let _ = worker.await;
        ended
    }

    /// Connects and subscribes once.
    async fn attempt(
        &self,
        options: &AgentOptions,
        generation: u64,
        listener: &dyn Listener,
    ) -> Result<(Standing, Vec<Incoming>), ConnectError> {
        let hello = Hello {
            client: options.device.clone(),
            credentials: options.secret.clone().map(|secret| (options.device.clone(), secret)),
            keep_alive: options.keep_alive,
            session_seconds: SESSION,
            receive: RECEIVE,
        };
        let opened = Connection::open(&options.address, &hello, &options.trust, &self.clock).await?;
        let (mut connection, Greeting { present, receive, packet }) = opened;
        let first = connection.subscribe(&format!("device/{}/response", options.device)).await?;
        listener.noticed(Notice::Connected { resumed: present });
        let standing = Standing {
            connection,
            generation,
            window: usize::from(options.window.min(receive).max(1)),
            largest: usize::try_from(packet).unwrap_or(usize::MAX),
            flying: HashMap::new(),
            present,
            refused: 0,
        };
        Ok((standing, first))
    }

    /// Serves a connection until it ends.
    async fn serve(
        &self,
        options: &AgentOptions,
        (mut standing, first): (Standing, Vec<Incoming>),
        (come, dealt): (&mpsc::UnboundedSender<Come>, &mut mpsc::UnboundedReceiver<Dealt>),
        (listener, stop): (&dyn Listener, &CancellationToken),
    ) -> End {
        for incoming in first {
            if let Err(end) = self.incoming(&mut standing, incoming, come, listener).await {
                return end;
            }
        }
        let mut sweep = self.clock.sleep(Duration::ZERO);
        let mut pause = None;
        loop {
            if pause.is_none()
                && let Err(end) = self.send(options, &mut standing, listener).await
            {
                return end;
            }
            let resting = async {
                match &mut pause {
                    Some(pause) => pause.await,
                    None => std::future::pending().await,
                }
            };
            let refused = standing.refused;
            let done = tokio::select! {
                incoming = standing.connection.next() => match incoming {
                    Ok(incoming) => self.incoming(&mut standing, incoming, come, listener).await,
                    Err(error) => Err(error.into()),
                },
                Some((generation, id)) = dealt.recv() => {
                    if generation == standing.generation {
                        standing.connection.acknowledge(id);
                    }
                    Ok(())
                }
                () = self.taken.notified() => Ok(()),
                () = resting => {
                    pause = None;
                    Ok(())
                }
                () = &mut sweep => {
                    sweep = self.clock.sleep(SWEEP);
                    self.sweep(listener).await
                }
                () = stop.cancelled() => {
                    standing.connection.close().await;
                    return End::Stopped;
                }
            };
            if let Err(end) = done {
                return end;
            }
            if standing.refused > refused {
                let wait = options.backoff.delay(standing.refused, rand::random());
                pause = Some(self.clock.sleep(wait));
            }
        }
    }

    async fn sweep(&self, listener: &dyn Listener) -> Result<(), End> {
        self.queue.expire().await?;
        for ((kind, why), count) in self.queue.given_up() {
            listener.noticed(Notice::GivenUp { kind, why, count });
        }
        Ok(())
    }

    /// Readies what may go out.
    async fn send(
        &self,
        options: &AgentOptions,
        standing: &mut Standing,
        listener: &dyn Listener,
    ) -> Result<(), End> {
        while standing.flying.len() < standing.window && standing.connection.unsent() < UNSENT {
            let Some(head) = self.queue.next() else { return Ok(()) };
            let Some(payload) = self.queue.payload(head.position).await? else {
                self.queue.done(head.position).await?;
                continue;
            };
            let topic = format!("device/{}/{}", options.device, head.kind.name());
            // What stands around the payload in a packet is shorter.
            if payload.len() + topic.len() + 20 > standing.largest {
                self.queue.done(head.position).await?;
                let refusal = Refusal(0x95);
                listener.noticed(Notice::Refused { number: head.position, kind: head.kind, refusal });
                continue;
            }
            let id = number_of(head.position);
            let again = head.again && standing.present;
            standing.connection.publish(id, &topic, &payload, (false, again))?;
            standing.flying.insert(id, (head.position, head.kind));
        }
        Ok(())
    }

    async fn incoming(
        &self,
        standing: &mut Standing,
        incoming: Incoming,
        come: &mpsc::UnboundedSender<Come>,
        listener: &dyn Listener,
    ) -> Result<(), End> {
        match incoming {
            Incoming::Message { topic, payload, id, .. } => {
                let generation = standing.generation;
                // The worker lives as long as the agent; how many may come is what the broker was told.
                let _ = come.send(Come { generation, id, answer: Answer { topic, payload } });
            }
            Incoming::Taken { id } => {
                if let Some((number, kind)) = standing.flying.remove(&id) {
                    self.queue.done(number).await?;
                    standing.refused = 0;
                    listener.noticed(Notice::Delivered { number, kind });
                }
            }
            Incoming::Refused { id, refusal } => {
                let Some((number, kind)) = standing.flying.remove(&id) else { return Ok(()) };
                if refusal.may_pass() {
                    self.queue.land(Some(number));
                    standing.refused += 1;
                } else {
                    self.queue.done(number).await?;
                    listener.noticed(Notice::Refused { number, kind, refusal });
                }
            }
        }
        Ok(())
    }
}

/// Returns a message's number in packets: the same after a kill, so that the broker knows it again (MQTT 5 §4.4).
fn number_of(position: i64) -> u16 {
    u16::try_from(position.rem_euclid(65_534)).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_packets_is_never_zero_nor_that_of_a_subscription() {
        let numbers: Vec<u16> = [0, 1, 65_533, 65_534, i64::MAX].into_iter().map(number_of).collect();
        assert_eq!(numbers[..4], [1, 2, 65_534, 1]);
        assert!(numbers.iter().all(|number| (1..65_535).contains(number)));
    }
}
