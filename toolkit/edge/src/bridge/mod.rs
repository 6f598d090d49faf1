//! A bridge: what is published here goes to an outside broker, and the other way round, through cuts and restarts.
//!
//! What waits for the outside broker is in a session of the embedded one, which is as durable as the devices' own; what
//! waits for this one is in the outside broker's session. Each message is acknowledged where it came from once it is
//! where it goes. Neither side gives a bridge what it published itself, so that nothing comes back.

mod flows;
mod passing;

use std::time::Duration;

use ieum_core::{SharedClock, Watch};
use ieum_device::{Broker, Client, ClientError, ClientOptions, Quality};
use ieum_policy::{Backoff, Jitter};
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Greeting, Hello, Incoming};
use crate::{Address, ConnectError, Trust};
pub use flows::{FlowError, check_flows};
use passing::{End, Flying};

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
    /// Is told how it fares.
    pub watch: Watch,
}

/// A bridge, which begins with [`Bridge::run`].
pub struct Bridge {
    client: Client,
    options: BridgeOptions,
    clock: SharedClock,
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
/// How many seconds the outside broker keeps what waits for this side.
const KEEP: u32 = 7 * 24 * 3_600;

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
        Self { address, name: name.to_owned(), out, r#in, prefix, trust, backoff, watch: Watch::default() }
    }

    /// Checks filters and prefix.
    ///
    /// # Errors
    /// What cannot be bridged.
    pub fn check(&self) -> Result<(), FlowError> {
        check_flows(&self.out, &self.r#in, &self.prefix)
    }
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
        Ok(Self { client, options, clock })
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
                    self.options.watch.tell(None, self.clock.now());
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
            let told = format!("connecting to {}: {problem}", self.options.address);
            self.options.watch.tell(Some(told), self.clock.now());
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
