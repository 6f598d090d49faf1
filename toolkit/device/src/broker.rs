//! The broker: opened over a store or in memory, listening, and ended without losing what it acknowledged.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ieum_core::{SharedClock, Timestamp};
use ieum_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::client::{Client, ClientOptions, Temper};
use crate::counters::{Counters, TopicClass};
use crate::credentials::CredentialError;
use crate::holder::{Holder, Standing};
use crate::hub::{Arrival, Hub, Presence};
use crate::listener::{Bound, Doors, ListenError, accept};
use crate::packet::Reason;
use crate::rules::Rules;
use crate::settings::Limits;
use crate::state::State;
use crate::store::{DeviceStore, DeviceStoreError};
use crate::{websocket, writer};

/// How a broker is opened.
#[derive(Clone)]
pub struct BrokerOptions {
    /// Its limits.
    pub limits: Limits,
    /// Whom it lets in.
    pub admission: Admission,
    /// Who may do what.
    pub rules: Rules,
    /// How topics are told apart in metrics.
    pub classes: Vec<TopicClass>,
    /// What it calls itself to others that open the same store; 120 characters are kept.
    pub name: String,
}

/// An MQTT broker in this process. Cloning shares it.
#[derive(Clone)]
pub struct Broker {
    shared: Arc<Shared>,
    background: Arc<parking_lot::Mutex<Vec<JoinHandle<()>>>>,
}

/// What connections share.
pub(crate) struct Shared {
    pub state: Arc<State>,
    pub limits: Limits,
    pub admission: Admission,
    pub rules: Rules,
    pub counters: Counters,
    pub doors: Doors,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    store: Option<DeviceStore>,
    /// Who had the store before and did not give it back.
    predecessor: Option<Holder>,
    /// Who had it before and has shown since that it runs still.
    rival: watch::Sender<Option<Holder>>,
}

/// A store that was taken, and from whom where that one did not give it back.
type Taken = (DeviceStore, Option<Holder>);

/// How long connections may take to end when the broker does.
const LONGEST_END: Duration = Duration::from_secs(5);
/// How often the credentials of connected devices are looked at again.
const RECHECK: Duration = Duration::from_secs(5);
/// How often counters are told.
const TELL: Duration = Duration::from_secs(5);

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            admission: Admission::default(),
            rules: Rules::own_topics(),
            classes: Vec::new(),
            name: "a broker".to_owned(),
        }
    }
}

impl Broker {
    /// Opens a broker whose sessions and kept messages end with the process.
    pub fn in_memory(options: BrokerOptions, clock: SharedClock) -> Self {
        let hub = Hub::new(options.limits.clone(), false);
        Self::start(hub, None, options, clock)
    }

    /// Opens a broker whose sessions and kept messages are in `store`, which has the tables of
    /// [`migrations`](crate::migrations). A broker that used them before can acknowledge nothing more and ends its
    /// connections, so that each message is with one of them.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub async fn open(
        store: Store,
        options: BrokerOptions,
        clock: SharedClock,
    ) -> Result<Self, DeviceStoreError> {
        let taken = DeviceStore::take(store, &options.name, clock.now()).await?;
        let saved = taken.0.load().await?;
        let mut hub = Hub::new(options.limits.clone(), true);
        hub.restore(saved, clock.now());
        Ok(Self::start(hub, Some(taken), options, clock))
    }

    fn start(hub: Hub, taken: Option<Taken>, options: BrokerOptions, clock: SharedClock) -> Self {
        let (store, predecessor) = taken.map_or((None, None), |(store, before)| (Some(store), before));
        let state = Arc::new(State::new(hub, clock));
        let shared = Arc::new(Shared {
            state: Arc::clone(&state),
            limits: options.limits,
            admission: options.admission,
            rules: options.rules,
            counters: Counters::new(&options.classes),
            doors: Doors::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            store: store.clone(),
            predecessor,
            rival: watch::Sender::new(None),
        });
        let mut background = vec![
            tokio::spawn(keep_time(Arc::clone(&shared))),
            tokio::spawn(look_after_others(Arc::clone(&shared))),
        ];
        if let Some(store) = store {
            state.noted.notify_one();
            background.push(tokio::spawn(end_when_taken_over(Arc::clone(&shared))));
            background.push(tokio::spawn(writer::run(state, store)));
        }
        Self { shared, background: Arc::new(background.into()) }
    }

    /// Listens on `address` (port 0 takes any), over TLS where it is given, and returns where.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn listen(
        &self,
        address: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Result<SocketAddr, ListenError> {
        let bound = Bound::at(address).await?;
        let address = bound.address();
        self.listen_at(bound, tls);
        Ok(address)
    }

    /// Listens on an address that was bound before: whoever opens a broker takes it away from another process, and should
    /// know by then that it can be reached.
    pub fn listen_at(&self, bound: Bound, tls: Option<Arc<rustls::ServerConfig>>) {
        let task = accept(Arc::clone(&self.shared), bound, tls);
        self.background.lock().push(tokio::spawn(task));
    }

    /// Returns the route `path` at which clients speak MQTT over WebSocket.
    pub fn web_socket(&self, path: &str) -> axum::Router {
        websocket::web_socket_of(Arc::new(OnceLock::from(self.clone())), path)
    }

    /// Waits until another broker has taken over the store; this one then is of no more use. For ever in memory.
    pub async fn taken_over(&self) {
        self.shared.state.until_taken_over().await;
    }

    /// Tells whether another broker has taken over the store.
    pub fn is_taken_over(&self) -> bool {
        self.shared.state.synced.borrow().is_none()
    }

    /// Returns who has the store: this broker, or who took it over; nobody once that one has given it back, and in memory.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn holder(&self) -> Result<Option<Holder>, DeviceStoreError> {
        match &self.shared.store {
            Some(store) => store.holder().await,
            None => Ok(None),
        }
    }

    /// Returns who had the store when this broker opened it and had not given it back: it ended without [`Broker::close`],
    /// or runs still.
    pub fn predecessor(&self) -> Option<Holder> {
        self.shared.predecessor.clone()
    }

    /// Waits until a broker from which this one took the store over shows that it runs still, and returns which; for ever
    /// where none does.
    pub async fn rival(&self) -> Holder {
        let mut rival = self.shared.rival.subscribe();
        loop {
            if let Some(rival) = rival.borrow_and_update().clone() {
                return rival;
            }
            // The sender lives as long as this.
            let _ = rival.changed().await;
        }
    }

    /// Returns what connections share.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Returns a client within this process, which may publish and subscribe to anything. A client of the same
    /// name is ended.
    pub fn client(&self, name: &str, options: &ClientOptions) -> Client {
        Client::attach(Arc::clone(&self.shared.state), name, options, Temper::Strict)
    }

    /// Returns a client like [`Broker::client`] that may miss something: where its queue is full its oldest message
    /// makes room, as for a device, and nobody who publishes to it is refused.
    pub fn client_that_may_miss(&self, name: &str, options: &ClientOptions) -> Client {
        Client::attach(Arc::clone(&self.shared.state), name, options, Temper::MayMiss)
    }

    /// Returns a client like [`Broker::client`] that hears many who must not hold each other up: once as many messages
    /// of one topic are in hand or wait as the window (`inflight`) has left, who publishes more to that topic is
    /// refused, and everybody else finds room.
    pub fn client_of_many(&self, name: &str, options: &ClientOptions) -> Client {
        Client::attach(Arc::clone(&self.shared.state), name, options, Temper::Fair)
    }

    /// Returns all sessions, those of clients in this process under the owner `$platform`.
    pub fn sessions(&self) -> Vec<Presence> {
        self.shared.state.with(|hub| hub.presences())
    }

    /// Returns who begins to listen from now on, in order. Who takes them too slowly is told that he missed some.
    pub fn arrivals(&self) -> tokio::sync::broadcast::Receiver<Arrival> {
        self.shared.state.arrivals.subscribe()
    }

    /// Returns when each device was last seen.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn last_seen(&self) -> Result<HashMap<String, Timestamp>, DeviceStoreError> {
        let mut seen = match &self.shared.store {
            Some(store) => store.seen().await?,
            None => HashMap::new(),
        };
        for presence in self.sessions() {
            let at = seen.entry(presence.owner).or_insert(presence.seen_at);
            *at = presence.seen_at.max(*at);
        }
        Ok(seen)
    }

    /// Revokes all credentials of a device and ends its connections. Returns how many credentials there were.
    ///
    /// # Errors
    /// A store that does not do as it is asked.
    pub async fn revoke(&self, device: &str) -> Result<u64, CredentialError> {
        let revoked = match &self.shared.admission.credentials {
            Some(credentials) => credentials.revoke(device).await?,
            None => 0,
        };
        self.shared.state.with(|hub| hub.expel(device, Reason::AdministrativeAction));
        Ok(revoked)
    }

    /// Ends all connections and makes durable what waits for it. Wills of those who are connected are published,
    /// as when a process is gone.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let limit = self.shared.state.clock.sleep(LONGEST_END);
        tokio::select! {
            () = self.shared.tasks.wait() => {}
            () = limit => {}
        }
        for task in self.background.lock().drain(..) {
            task.abort();
        }
        if let Some(store) = &self.shared.store {
            writer::write_all(&self.shared.state, store).await;
            if let Err(error) = store.give_back().await {
                tracing::warn!(error = %ieum_core::describe(&error), "giving the tables of devices back failed");
            }
        }
    }
}

/// Ends the connections whose credential was taken away by another process, was replaced, or has run out.
async fn recheck(shared: &Shared) {
    let Some(credentials) = &shared.admission.credentials else { return };
    // Who comes while the store is asked may have a credential that is newer than the answer: it is judged next time.
    let mut ended = shared.state.with(|hub| hub.credentials_in_use());
    match credentials.valid().await {
        Ok(valid) => {
            ended.retain(|id| !valid.contains(&**id));
            shared.state.with(|hub| hub.expel_users_of(&ended));
        }
        Err(error) => {
            tracing::warn!(error = %ieum_core::describe(&error), "looking for revoked devices failed");
        }
    }
}

/// Notices another broker that has taken over, and one that was taken over and lives on, also while nothing is to be written.
async fn look_for_others(shared: &Shared) {
    let Some(store) = &shared.store else { return };
    match store.standing().await {
        Ok(Standing::Ours) => {}
        Ok(Standing::Contested(rival)) => drop(shared.rival.send_replace(Some(rival))),
        Ok(Standing::Lost) => drop(shared.state.synced.send_replace(None)),
        Err(error) => {
            tracing::warn!(error = %ieum_core::describe(&error), "looking who has the tables of devices failed");
        }
    }
}

/// Ends all connections once another broker has the store: what they send could not be answered. That one is shown that
/// this one lives: it cannot tell otherwise from a process that died.
async fn end_when_taken_over(shared: Arc<Shared>) {
    shared.state.until_taken_over().await;
    shared.stop.cancel();
    let Some(store) = &shared.store else { return };
    if let Err(error) = store.show_life().await {
        tracing::warn!(error = %ieum_core::describe(&error), "telling who has the devices now failed");
    }
}

/// Looks for what other processes did to the store, apart from what is due here: a slow store delays no will.
async fn look_after_others(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = shared.state.clock.sleep(RECHECK) => {}
            () = shared.stop.cancelled() => return,
        }
        recheck(&shared).await;
        look_for_others(&shared).await;
    }
}

/// Does what is due, and tells the counters, until the broker stops.
async fn keep_time(shared: Arc<Shared>) {
    let state = &shared.state;
    loop {
        let now = state.clock.now();
        let (next, counts, sizes) =
            state.with(|hub| (hub.tick(now), std::mem::take(&mut hub.counts), hub.sizes()));
        shared.counters.tell(counts, sizes);
        let wait = next.since(now).min(TELL);
        tokio::select! {
            () = state.clock.sleep(wait) => {}
            () = state.left.notified() => {}
            () = shared.stop.cancelled() => return,
        }
    }
}
