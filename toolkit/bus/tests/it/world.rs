//! A bus over a fresh store for one test.

use std::sync::Arc;
use std::time::Duration;

use ieum_bus::{Bus, BusOptions, Consumer, Event, RetryLanes, Subscribed, Subscription, open_bus};
use ieum_core::{Cx, new_id, system_clock};
use ieum_policy::{Backoff, Jitter};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;
#[cfg(feature = "kafka")]
use ieum_testkit::server::require;
use serde_json::json;

/// A store with the bus's tables and one table for the effects of consumers.
pub struct World {
    pub bus: Bus,
    pub store: Store,
    pub topic: String,
    /// Ends topics and groups where other worlds share the broker.
    suffix: String,
    bus_url: String,
    database: SqlStore,
}

/// Waits until `condition` holds; fails the test after a time that outlasts every lease.
macro_rules! eventually {
    ($what:expr, $condition:expr) => {
        ieum_testkit::wait::until($what, std::time::Duration::from_secs(180), async || $condition)
            .await
            .expect("happens in time")
    };
}
pub(crate) use eventually;

impl World {
    pub async fn sqlite() -> Self {
        Self::over(SqlStore::sqlite(), "local:").await
    }

    /// Keeps everything in a database on the server `name`, where one was started.
    pub async fn on(name: &str) -> Option<Self> {
        Some(Self::over(SqlStore::on(name).await?, "local:").await)
    }

    /// Keeps the log at the broker `bus_url` and the rest in SQLite.
    #[cfg(feature = "kafka")]
    pub async fn kafka(bus_url: &str) -> Self {
        Self::over(SqlStore::sqlite(), bus_url).await
    }

    /// The same at the broker that was started, if one was.
    #[cfg(feature = "kafka")]
    pub async fn on_kafka() -> Option<Self> {
        Some(Self::kafka(&require("kafka")?).await)
    }

    /// Keeps the log at the broker and the rest on the server `name`, where both were started.
    #[cfg(feature = "kafka")]
    pub async fn on_kafka_and(name: &str) -> Option<Self> {
        let broker = require("kafka")?;
        Some(Self::over(SqlStore::on(name).await?, &broker).await)
    }

    async fn over(database: SqlStore, bus_url: &str) -> Self {
        let options = StoreOptions { acquire_timeout: Duration::from_secs(20), ..StoreOptions::default() };
        let store = Store::open(&database.url, &options).await.expect("opens the store");
        migrate(&store, &ieum_bus::migrations(), |_| {}).await.expect("migrates");
        let types = store.dialect().types();
        let table = format!(
            "CREATE TABLE effect (id {}, group_name {key} NOT NULL, event_id {key} NOT NULL, lane_key {key} NOT NULL)",
            types.serial_primary_key,
            key = types.key
        );
        store.execute(&table, &[]).await.expect("makes the effects' table");
        let bus_url = with_few_partitions(bus_url);
        let bus = open(&bus_url, &store, LEASE).await;
        let suffix = if bus_url == "local:" { String::new() } else { format!("-{}", new_id().simple()) };
        let topic = format!("cups{suffix}");
        Self { bus, store, topic, suffix, bus_url, database }
    }

    /// Returns the group's name as the bus knows it.
    pub fn group(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    pub fn bus_url(&self) -> &str {
        &self.bus_url
    }

    pub fn url(&self) -> &str {
        &self.database.url
    }

    /// Opens the bus as another process would.
    pub async fn another_bus(&self) -> Bus {
        open(&self.bus_url, &self.store, LEASE).await
    }

    /// The same with a short lease, for who waits for its end.
    pub async fn hasty_bus(&self) -> Bus {
        open(&self.bus_url, &self.store, SHORT_LEASE).await
    }

    pub async fn subscribe(&self, group: &str, consumer: &Arc<impl Consumer>) -> Subscribed {
        let mut wish = subscription(&self.topic, &self.group(group));
        wish.time_limit = LEASE / 2;
        let consumer: Arc<dyn Consumer> = Arc::clone(consumer) as _;
        self.bus.subscribe(wish, consumer).await.expect("subscribes")
    }

    /// The same on another bus, whose lease may be short.
    pub async fn subscribe_on(&self, bus: &Bus, group: &str, consumer: &Arc<impl Consumer>) -> Subscribed {
        let consumer: Arc<dyn Consumer> = Arc::clone(consumer) as _;
        bus.subscribe(subscription(&self.topic, &self.group(group)), consumer).await.expect("subscribes")
    }

    /// Returns the ids of the events that had an effect in `group`, in order.
    pub async fn effects(&self, group: &str) -> Vec<String> {
        let sql = "SELECT event_id FROM effect WHERE group_name = ? ORDER BY id";
        let rows = self.store.fetch_all(sql, &[group.into()]).await.expect("reads effects");
        rows.iter().map(|row| row.text("event_id").expect("is text")).collect()
    }

    pub async fn clean_up(self) {
        self.store.close().await;
        self.database.clean_up().await;
    }
}

/// Asks for 4 partitions where the URL says nothing: one broker serves every test at once.
fn with_few_partitions(bus_url: &str) -> String {
    let is_plain = bus_url.starts_with("kafka") && !bus_url.contains('?');
    if is_plain { format!("{bus_url}?partitions=4") } else { bus_url.to_owned() }
}

async fn open(url: &str, store: &Store, lease: Duration) -> Bus {
    let options = BusOptions {
        lease,
        poll: Duration::from_millis(50),
        // Brokers that share a busy machine with other tests may take their time.
        patience: Duration::from_secs(60),
        ..BusOptions::default()
    };
    open_bus(url, store.clone(), system_clock(), options).await.expect("opens the bus")
}

/// So long that a busy machine, which may stand still for seconds, neither loses it nor meets a time limit.
const LEASE: Duration = Duration::from_secs(60);
const SHORT_LEASE: Duration = Duration::from_secs(6);

/// A subscription whose retries come within milliseconds.
pub fn subscription(topic: &str, group: &str) -> Subscription {
    let first = Duration::from_millis(40);
    let backoff = Backoff { first, factor: 2.0, most: first * 2, jitter: Jitter::Equal };
    Subscription {
        retry: RetryLanes { attempts: 4, backoff },
        time_limit: SHORT_LEASE / 2,
        ..Subscription::new(topic, group)
    }
}

/// Makes an event whose id is `key-number`.
pub fn event(key: &str, number: usize) -> Event {
    Event::new(&Cx::root(), "/test", "cup.filled.v1", key, json!({ "number": number }))
        .expect("is JSON")
        .with_id(format!("{key}-{number}"))
}
