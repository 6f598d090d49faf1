//! A bridge: what is published here goes to an outside broker, and the other way round, through cuts and restarts.
//!
//! What waits for the outside broker is in a session of the embedded one, which is as durable as the devices' own; what
//! waits for this one is in the outside broker's session. Each message is acknowledged where it came from once it is
//! where it goes. Neither side gives a bridge what it published itself, so that nothing comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, describe};
use ieum_device::{Broker, Client, ClientError, ClientOptions, Delivery, Message, Quality};
use ieum_policy::{Backoff, Jitter};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Greeting, Hello, Incoming};
use crate::{Address, ConnectError, Trust};

/// How a bridge behaves.
#[derive(Clone)]
pub struct BridgeOptions {
    /// Where the outside broker is, with user name and password.
    pub address: Address,
    /// The client identifier there, under which it keeps what waits for this side.
    pub name: String,
    /// What goes out: topic filters here.
    pub out: Vec<String>,
    /// What comes in: topic filters there, without the prefix.
    pub r#in: Vec<String>,
    /// What topics begin with there, such as `home/`, and do not begin with here.
    pub prefix: String,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// How long to wait before a connection is made again.
    pub backoff: Backoff,
}

/// A bridge, which begins with [`Bridge::run`].
pub struct Bridge {
    client: Client,
    options: BridgeOptions,
    clock: SharedClock,
    watch: BridgeWatch,
}

/// Tells how a bridge fares. Clones look at the same one.
#[derive(Clone)]
pub struct BridgeWatch(Arc<Mutex<Option<String>>>);

impl BridgeWatch {
    /// Returns why the bridge is not connected; `None` while it is.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().clone()
    }
}

/// Says what cannot be bridged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// It is no filter.
    #[error("bridging {0:?}: it is no topic filter; write topics such as device/+/event or sensors/#")]
    Filter(String),
    /// It cannot begin a topic.
    #[error("bridging under the prefix {0:?}: it may hold no '+' and no '#'")]
    Prefix(String),
    /// Nothing goes either way.
    #[error("bridging nothing: name what goes out or what comes in")]
    Nothing,
}

/// Why a bridge cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// What it is to pass is wrong.
    #[error("joining an outside broker")]
    Flow(#[source] FlowError),
    /// The embedded broker has ended.
    #[error("subscribing to what goes to an outside broker")]
    Broker(#[source] ClientError),
}

/// The name of the bridge's session in the embedded broker.
const SESSION: &str = "bridge";
/// The most messages under way each way.
const WINDOW: u16 = 64;
/// While as many bytes are not written yet, nothing more is readied.
const UNSENT: usize = 256 * 1024;
/// How many seconds the outside broker keeps what waits for this side.
const KEEP: u32 = 7 * 24 * 3_600;

/// Why a connection to the outside broker ended.
enum End {
    Stopped,
    /// The embedded broker is no longer ours.
    Gone,
    Failed(String),
}

impl From<ConnectError> for End {
    fn from(error: ConnectError) -> Self {
        Self::Failed(describe(&error))
    }
}

/// What is under way to the outside broker, in order.
#[derive(Default)]
struct Flying {
    messages: BTreeMap<u64, Delivery>,
    next: u64,
}

impl BridgeOptions {
    /// Begins with what is usual: nothing goes either way yet.
    pub fn new(address: Address, name: &str, trust: Trust) -> Self {
        let backoff = Backoff {
            first: Duration::from_millis(500),
            factor: 2.0,
            most: Duration::from_secs(60),
            jitter: Jitter::Equal,
        };
        let (out, r#in, prefix) = (Vec::new(), Vec::new(), String::new());
        Self { address, name: name.to_owned(), out, r#in, prefix, trust, backoff }
    }

    /// Checks filters and prefix.
    ///
    /// # Errors
    /// What cannot be bridged.
    pub fn check(&self) -> Result<(), FlowError> {
        check_flows(&self.out, &self.r#in, &self.prefix)
    }
}

/// Checks what is to go out and to come in, and the prefix of the topics there.
///
/// # Errors
/// What cannot be bridged.
pub fn check_flows(out: &[String], r#in: &[String], prefix: &str) -> Result<(), FlowError> {
    if prefix.contains(['+', '#', '\0']) {
        return Err(FlowError::Prefix(prefix.to_owned()));
    }
    if out.is_empty() && r#in.is_empty() {
        return Err(FlowError::Nothing);
    }
    let wrong = out.iter().chain(r#in).find(|filter| !is_filter(filter));
    wrong.map_or(Ok(()), |filter| Err(FlowError::Filter(filter.clone())))
}

/// Tells whether `text` is a topic filter that is not shared (MQTT 5 §4.7).
fn is_filter(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let last = levels.len() - 1;
    let fits = |(at, level): (usize, &&str)| match *level {
        "+" => true,
        "#" => at == last,
        level => !level.contains(['+', '#', '\0']),
    };
    !text.is_empty() && text.len() < 65_536 && !text.starts_with('$') && levels.iter().enumerate().all(fits)
}

impl Bridge {
    /// Joins `broker` and an outside one. From here on what is published is kept for the other side.
    ///
    /// # Errors
    /// What cannot be bridged, or a broker that has ended.
    pub async fn join(
        broker: &Broker,
        options: BridgeOptions,
        clock: SharedClock,
    ) -> Result<Self, BridgeError> {
        options.check().map_err(BridgeError::Flow)?;
        // Devices are not refused because somebody outside is away for long.
        let kept = ClientOptions { kept: true, inflight: WINDOW };
        let client = broker.client_that_may_miss(SESSION, &kept);
        subscribe(&client, &options.out).await.map_err(BridgeError::Broker)?;
        let watch = BridgeWatch(Arc::new(Mutex::new(Some("it was never connected yet".to_owned()))));
        Ok(Self { client, options, clock, watch })
    }

    /// Returns what tells how it fares.
    pub fn watch(&self) -> BridgeWatch {
        self.watch.clone()
    }

    /// Forgets what waits for an outside broker, where none is bridged any more.
    pub fn forget(broker: &Broker) {
        drop(broker.client(SESSION, &ClientOptions { kept: false, inflight: 1 }));
    }

    /// Passes messages both ways until `stop`. A connection that is lost is made again.
    pub async fn run(mut self, stop: CancellationToken) {
        let (mut failures, mut flying) = (0, Flying::default());
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = stop.cancelled() => return,
            };
            let end = match opened {
                Ok((connection, greeting, first)) => {
                    failures = 0;
                    let broker = self.options.address.to_string();
                    tracing::info!(broker, resumed = greeting.present, "the bridge is connected");
                    metrics::gauge!("ieum_device_bridge_connected").set(1.0);
                    *self.watch.0.lock() = None;
                    let end = self.serve((connection, greeting, first), &mut flying, &stop).await;
                    metrics::gauge!("ieum_device_bridge_connected").set(0.0);
                    end
                }
                Err(error) => error.into(),
            };
            let problem = match end {
                End::Stopped => return,
                End::Gone => {
                    tracing::warn!("the bridge ends: its broker is no longer ours");
                    return;
                }
                End::Failed(problem) => problem,
            };
            failures += 1;
            *self.watch.0.lock() = Some(format!("connecting to {}: {problem}", self.options.address));
            let wait = self.options.backoff.delay(failures, rand::random());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(problem, wait_ms, "the bridge is not connected and tries again");
            tokio::select! {
                () = self.clock.sleep(wait) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn open(&self) -> Result<(Connection, Greeting, Vec<Incoming>), ConnectError> {
        let BridgeOptions { address, name, trust, prefix, .. } = &self.options;
        let hello = Hello {
            client: name.clone(),
            credentials: address.user.clone().zip(address.password.clone()),
            keep_alive: 30,
            session_seconds: KEEP,
            receive: WINDOW,
        };
        let (mut connection, greeting) = Connection::open(address, &hello, trust, &self.clock).await?;
        let mut first = Vec::new();
        for filter in &self.options.r#in {
            first.extend(connection.subscribe(&format!("{prefix}{filter}")).await?);
        }
        Ok((connection, greeting, first))
    }

    async fn serve(
        &mut self,
        (mut connection, greeting, first): (Connection, Greeting, Vec<Incoming>),
        flying: &mut Flying,
        stop: &CancellationToken,
    ) -> End {
        let window = usize::from(WINDOW.min(greeting.receive).max(1));
        // What was under way goes first, so that the order stays.
        for (number, delivery) in &flying.messages {
            if let Err(error) = self.send(&mut connection, *number, delivery, greeting.present) {
                return error.into();
            }
        }
        for incoming in first {
            if let Err(end) = self.incoming(&mut connection, incoming, flying).await {
                return end;
            }
        }
        loop {
            let has_room = flying.messages.len() < window && connection.unsent() < UNSENT;
            let done = tokio::select! {
                incoming = connection.next() => match incoming {
                    Ok(incoming) => self.incoming(&mut connection, incoming, flying).await,
                    Err(error) => Err(error.into()),
                },
                delivery = self.client.next(), if has_room => match delivery {
                    Ok(delivery) => {
                        flying.next += 1;
                        let number = flying.next;
                        let sent = self.send(&mut connection, number, &delivery, false);
                        flying.messages.insert(number, delivery);
                        sent.map_err(End::from)
                    }
                    Err(_) => Err(End::Gone),
                },
                () = stop.cancelled() => {
                    connection.close().await;
                    return End::Stopped;
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn send(
        &self,
        connection: &mut Connection,
        number: u64,
        delivery: &Delivery,
        again: bool,
    ) -> Result<(), ConnectError> {
        let message = &delivery.message;
        let topic = format!("{}{}", self.options.prefix, message.topic);
        connection.publish(number_of(number), &topic, &message.payload, (message.retain, again))
    }

    async fn incoming(
        &self,
        connection: &mut Connection,
        incoming: Incoming,
        flying: &mut Flying,
    ) -> Result<(), End> {
        let (id, refusal) = match incoming {
            Incoming::Message { topic, payload, retain, id, .. } => {
                if let Some(here) = topic.strip_prefix(&self.options.prefix) {
                    self.publish(here, payload, retain).await?;
                }
                if let Some(id) = id {
                    connection.acknowledge(id);
                }
                return Ok(());
            }
            Incoming::Taken { id } => (id, None),
            Incoming::Refused { id, refusal } => (id, Some(refusal)),
        };
        let Some(number) = flying.messages.keys().copied().find(|number| number_of(*number) == id) else {
            return Ok(());
        };
        match refusal {
            // Sent again, with all that came after it, once there is a new connection.
            Some(refusal) if refusal.may_pass() => return Err(End::Failed(refusal.to_string())),
            Some(refusal) => {
                metrics::counter!("ieum_device_bridge_total", "way" => "refused").increment(1);
                let topic = flying.messages.get(&number).map(|delivery| delivery.message.topic.to_string());
                tracing::warn!(topic, refusal = %refusal, "the outside broker refuses a message for good");
            }
            None => metrics::counter!("ieum_device_bridge_total", "way" => "out").increment(1),
        }
        if let Some(delivery) = flying.messages.remove(&number) {
            self.client.acknowledge(&delivery).map_err(|_| End::Gone)?;
        }
        Ok(())
    }

    /// Publishes here what came from there. Returns once it is with everybody who is to have it.
    async fn publish(&self, topic: &str, payload: bytes::Bytes, retain: bool) -> Result<(), End> {
        let mut message = Message::new(topic, payload);
        message.retain = retain;
        match self.client.publish(message).await {
            Ok(()) => {
                metrics::counter!("ieum_device_bridge_total", "way" => "in").increment(1);
                Ok(())
            }
            Err(ClientError::Gone) => Err(End::Gone),
            // It comes again on the next connection, once there may be room.
            Err(error @ ClientError::Full { .. }) => Err(End::Failed(error.to_string())),
            Err(error) => {
                tracing::warn!(error = %error, "a message from the outside broker is passed over");
                Ok(())
            }
        }
    }
}

/// Subscribes to what goes out, and to nothing else of before.
async fn subscribe(client: &Client, out: &[String]) -> Result<(), ClientError> {
    for old in client.subscriptions().iter().filter(|filter| !out.contains(filter)) {
        client.unsubscribe(old)?;
    }
    for filter in out {
        client.subscribe_to_others(filter, Quality::AtLeastOnce).await?;
    }
    Ok(())
}

/// Returns a message's number in packets.
fn number_of(number: u64) -> u16 {
    u16::try_from(number % 65_534).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_bridged_is_named() {
        let address = Address::parse("mqtt://there").expect("is one");
        let mut options =
            BridgeOptions::new(address, "bridge", Trust::of_this_machine().expect("is believed"));
        assert_eq!(options.check(), Err(FlowError::Nothing));
        options.out = vec!["device/+/event".to_owned(), "#".to_owned()];
        assert_eq!(options.check(), Ok(()));
        for wrong in ["", "a/#/b", "a+", "$share/g/a", "$SYS/#"] {
            options.r#in = vec![wrong.to_owned()];
            assert_eq!(options.check(), Err(FlowError::Filter(wrong.to_owned())));
        }
        options.prefix = "a/+/".to_owned();
        assert_eq!(options.check(), Err(FlowError::Prefix("a/+/".to_owned())));
    }
}
