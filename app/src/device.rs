//! Devices as settings want them: the broker over the platform's store, its listener and its door for WebSocket.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::Router;
use ieum_bus::{Consumer, Event, Subscribed, Subscription};
use ieum_contracts::identity::{DEVICE_REGISTRATIONS, DEVICE_REMOVED, Device};
use ieum_core::{Cx, Fault, Timestamp, Watch};
use ieum_device::{
    Act, Admission, Bound, Broker, BrokerOptions, Credentials, Effect, Holder, Limits, ListenError, Rule,
    Rules, TopicClass, Who, tls_from_files, web_socket_of,
};
use ieum_edge::{Bridge, BridgeOptions, Trust, TrustError};
use ieum_store::Transaction;
use ieum_telemetry::HealthCheck;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{BridgeSettings, DeviceSettings};
use crate::platform::Platform;
use crate::up::unheard;
use crate::watch_check::WatchCheck;

/// What devices send, as metrics tell it apart.
const CLASSES: [&str; 5] = ["text", "audio", "event", "telemetry", "response"];

/// The part `device`.
#[derive(Default)]
pub struct DevicePart {
    broker: Arc<OnceLock<Broker>>,
    address: OnceLock<SocketAddr>,
    bridge: Mutex<Option<(CancellationToken, JoinHandle<()>)>>,
    bridge_watch: Watch,
    removals: Mutex<Option<Subscribed>>,
}

/// What to do about two processes on one store.
const ONE_AT_A_TIME: &str = "Let one process at a time run `device` over a store: where both run, end one of them, or give \
                             each a store of its own (store.main, --data)";

/// The consumer group of devices that are nobody's any more.
const REMOVALS: &str = "device-credentials";

/// Takes the secrets of devices away that are nobody's any more, those that an operator made as well: what was
/// somebody's does not speak on for nobody.
struct Removals;

/// Who was seen lately, for an operator.
#[derive(Clone)]
pub struct DeviceWatch {
    broker: Arc<OnceLock<Broker>>,
    credentials: Credentials,
}

/// A device as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The device.
    pub device: String,
    /// Whether it is connected.
    pub connected: bool,
    /// When something last came from it.
    pub seen_at: Option<Timestamp>,
    /// How many messages wait for it.
    pub waiting: usize,
    /// Whether it has a secret of its own.
    pub has_secret: bool,
}

/// Tells whether devices are answered here.
pub struct DeviceCheck(Arc<OnceLock<Broker>>);

/// Returns where the credentials of devices are.
pub fn credentials(platform: &Platform) -> Credentials {
    Credentials::new(platform.store.clone(), platform.clock.clone())
}

impl DevicePart {
    /// Opens the broker and listens.
    pub async fn start(&self, platform: &Platform) -> Result<(), Box<dyn Error>> {
        let settings = &platform.settings.device;
        // All that can be refused comes before the broker is opened: that takes the devices from another process.
        let tls = match &settings.tls {
            Some((certificate, key)) => Some(tls_from_files(certificate, key)?),
            None => None,
        };
        let bound = match settings.listen {
            Some(listen) => Some(Bound::at(listen).await.map_err(named)?),
            None => None,
        };
        let bridge = settings.bridge.as_ref().map(bridge_options).transpose()?;
        let place = place(bound.as_ref().map(Bound::address));
        let name = format!("process {}{place}", std::process::id());
        let options = options(platform, settings, name);
        let broker = Broker::open(platform.store.clone(), options, platform.clock.clone()).await?;
        if let Some(before) = broker.predecessor() {
            say_from_whom(&before, bound.is_some() && before.name.ends_with(&place));
        }
        if let Some(bound) = bound {
            // A part starts once.
            let _ = self.address.set(bound.address());
            broker.listen_at(bound, tls);
        }
        tokio::spawn(say_when_taken_over(broker.clone(), platform.stop.clone()));
        tokio::spawn(say_when_contested(broker.clone(), platform.stop.clone()));
        match bridge {
            Some(bridge) => {
                let bridge = BridgeOptions { watch: self.bridge_watch.clone(), ..bridge };
                let bridge = Bridge::join(&broker, bridge, platform.clock.clone()).await?;
                let stop = CancellationToken::new();
                *self.bridge.lock() = Some((stop.clone(), tokio::spawn(bridge.run(stop))));
            }
            None => Bridge::forget(&broker),
        }
        let _ = self.broker.set(broker);
        let subscription = Subscription::new(DEVICE_REGISTRATIONS, REMOVALS);
        *self.removals.lock() = Some(platform.bus.subscribe(subscription, Arc::new(Removals)).await?);
        Ok(())
    }

    /// Returns who was seen lately.
    pub fn watch(&self, platform: &Platform) -> DeviceWatch {
        DeviceWatch { broker: self.broker.clone(), credentials: credentials(platform) }
    }

    /// Returns what tells whether devices are answered here.
    pub fn check(&self) -> DeviceCheck {
        DeviceCheck(self.broker.clone())
    }

    /// Returns what tells whether the outside broker is reached.
    pub fn bridge_check(&self) -> WatchCheck {
        WatchCheck { part: "device.bridge", watch: self.bridge_watch.clone() }
    }

    /// Returns where the broker listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Returns the broker, once it is open.
    pub fn broker(&self) -> Option<Broker> {
        self.broker.get().cloned()
    }

    /// Returns the route of MQTT over WebSocket.
    pub fn router(&self) -> Router {
        web_socket_of(Arc::clone(&self.broker), "/mqtt")
    }

    /// Ends all connections and makes durable what waits for it.
    pub async fn drain(&self) {
        let removals = self.removals.lock().take();
        if let Some(removals) = removals {
            removals.drain().await;
        }
        let bridge = self.bridge.lock().take();
        if let Some((stop, task)) = bridge {
            stop.cancel();
            if let Err(error) = task.await {
                tracing::error!(error = %error, "the bridge ended by a panic");
            }
        }
        if let Some(broker) = self.broker.get() {
            broker.close().await;
        }
    }
}

#[async_trait]
impl Consumer for Removals {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != DEVICE_REMOVED {
            return Ok(());
        }
        let device: Device = serde_json::from_value(event.data.clone()).map_err(|error| {
            Fault::invalid_argument(
                "device.event.invalid",
                format!("reading a device that was removed: {error}"),
            )
        })?;
        // A secret made since is of a device that is somebody's again.
        let revoked = Credentials::revoke_in(tx, &device.device_id, event.time).await.map_err(|error| {
            Fault::unavailable(
                "device.credentials",
                format!("removing secrets: {}", ieum_core::describe(&error)),
            )
        })?;
        if revoked > 0 {
            tracing::warn!(
                device = device.device_id,
                person = device.user_id,
                secrets = revoked,
                "a device was taken from its person, and its secrets with it: it is let in no more until \
                 `ieum device add` makes another one"
            );
        }
        Ok(())
    }
}

impl DeviceWatch {
    /// Returns the credentials that devices come with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns all devices that are known here, by their ids. Fails where the store cannot be read.
    pub async fn devices(&self) -> Result<Vec<Seen>, Fault> {
        let unread = |error: &(dyn Error + 'static)| {
            Fault::unavailable("device.store", format!("looking at devices: {}", ieum_core::describe(error)))
        };
        let mut found: BTreeMap<String, Seen> = BTreeMap::new();
        let mut entry = |device: String, change: &dyn Fn(&mut Seen)| {
            if device.is_empty() || device.starts_with('$') {
                return;
            }
            let nobody = Seen {
                device: device.clone(),
                connected: false,
                seen_at: None,
                waiting: 0,
                has_secret: false,
            };
            change(found.entry(device).or_insert(nobody));
        };
        for credential in self.credentials.list(None).await.map_err(|error| unread(&error))? {
            entry(credential.device, &|seen| seen.has_secret = true);
        }
        if let Some(broker) = self.broker.get() {
            for (device, at) in broker.last_seen().await.map_err(|error| unread(&error))? {
                entry(device, &|seen| seen.seen_at = Some(at));
            }
            for session in broker.sessions() {
                entry(session.owner, &|seen| {
                    seen.connected |= session.connected;
                    seen.waiting += session.waiting;
                });
            }
        }
        Ok(found.into_values().collect())
    }
}

#[async_trait]
impl HealthCheck for DeviceCheck {
    async fn check(&self) -> Result<(), Fault> {
        match self.0.get() {
            Some(broker) if broker.is_taken_over() => {
                let who = broker.holder().await.ok().flatten();
                let who = who.map(|who| format!(" ({}, since {})", who.name, who.since)).unwrap_or_default();
                Err(Fault::unavailable(
                    "device.taken_over",
                    format!(
                        "answering devices: another process{who} has opened the part device over the same store and \
                         answers them; this one does not take them back by itself. End the other one and start this one \
                         again, or end this one, or give each a store of its own (store.main)"
                    ),
                ))
            }
            Some(_) => Ok(()),
            None => {
                Err(Fault::unavailable("device.starting", "answering devices: the broker is not open yet"))
            }
        }
    }
}

/// Says so once another process has the devices: nothing here shows it but that nobody comes any more.
async fn say_when_taken_over(broker: Broker, stop: CancellationToken) {
    tokio::select! {
        () = broker.taken_over() => {}
        () = stop.cancelled() => return,
    }
    let now = broker.holder().await.ok().flatten();
    tracing::error!(
        by = now.as_ref().map(|holder| holder.name.as_str()),
        since = now.as_ref().map(|holder| holder.since.to_string()),
        "another process opened the same store and has taken the devices over; they are not listened to here any \
         more, nor again once it has gone. Let one process at a time run `device` over a store: end the other one and \
         start this one again, or end this one"
    );
}

/// Says so once the process that had the devices before shows that it runs still: whoever started both by mistake may look
/// into the log of either.
async fn say_when_contested(broker: Broker, stop: CancellationToken) {
    tokio::select! {
        former = broker.rival() => tracing::warn!(
            former = former.name,
            since = %former.since,
            "another process runs on the same store and had the devices until this one started: they are answered here \
             now, and there no more. {ONE_AT_A_TIME}"
        ),
        () = stop.cancelled() => {}
    }
}

/// Says from whom the devices were taken. Where that one listened at the very address that is ours now, it is gone.
fn say_from_whom(before: &Holder, is_gone: bool) {
    let (former, since) = (before.name.as_str(), before.since);
    if is_gone {
        tracing::info!(former, %since, "the process before was killed; its devices are answered here now");
        return;
    }
    tracing::warn!(
        former,
        %since,
        "the devices of this store were another process's, which did not give them back: it was killed, or it runs still \
         and is no longer listened to. They are answered here now. {ONE_AT_A_TIME}"
    );
}

/// Returns where devices are listened to, as it stands in this process's name for others on the same store.
fn place(listens: Option<SocketAddr>) -> String {
    // Linux tells it there; elsewhere the address has to do.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => String::new(),
        host => format!(" on {host}"),
    };
    let address = listens.map(|address| format!(", MQTT at {address}")).unwrap_or_default();
    host + &address
}

/// Names the setting of an address that cannot be listened on.
fn named(error: ListenError) -> Box<dyn Error> {
    match error {
        ListenError::Bind { address, source } => {
            unheard("for devices on", address, "device.listen", &source).into()
        }
        other => other.into(),
    }
}

fn bridge_options(settings: &BridgeSettings) -> Result<BridgeOptions, TrustError> {
    let trust = match &settings.authorities {
        Some(path) => Trust::from_file(path)?,
        None => Trust::of_this_machine()?,
    };
    let mut options = BridgeOptions::new(settings.address.clone(), &settings.name, trust);
    options.out = settings.out.clone();
    options.r#in = settings.r#in.clone();
    options.prefix = settings.prefix.clone();
    Ok(options)
}

fn options(platform: &Platform, settings: &DeviceSettings, name: String) -> BrokerOptions {
    let class = |name: &str| TopicClass { name: name.to_owned(), filter: format!("device/+/{name}") };
    BrokerOptions {
        limits: Limits {
            packet: settings.most_packet,
            queued: settings.most_queued,
            session: settings.keep_session,
            ..Limits::default()
        },
        admission: Admission { credentials: Some(credentials(platform)), anonymous: settings.anonymous },
        rules: rules(platform.settings.voice.hermes),
        classes: CLASSES.map(class).into(),
        name,
    }
}

/// Returns who may say and hear what: a device its own topics, and with Hermes all of that.
fn rules(hermes: bool) -> Rules {
    let allow = |pattern: &str| Rule {
        who: Who::Anyone,
        act: Act::Both,
        pattern: pattern.to_owned(),
        effect: Effect::Allow,
    };
    match hermes {
        true => {
            Rules::of(vec![allow("device/{device}/#"), allow("hermes/#")]).expect("both are topic filters")
        }
        false => Rules::own_topics(),
    }
}
