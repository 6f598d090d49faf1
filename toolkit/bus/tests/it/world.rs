//! A bus over a fresh store for one test.

use std::sync::Arc;
use std::time::Duration;

use ieum_bus::{Bus, BusOptions, Consumer, Event, RetryLanes, Subscribed, Subscription, open_bus};
use ieum_core::{Cx, new_id, system_clock};
use ieum_policy::{Backoff, Jitter};
use ieum_store::{Store, StoreOptions, migrate};
use serde_json::json;

/// A store with the bus's tables and one table for the effects of consumers.
pub struct World {
    pub bus: Bus,
    pub store: Store,
    pub topic: String,
    /// Ends topics and groups where other worlds share the broker.
    suffix: String,
    url: String,
    bus_url: String,
    server: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

/// Waits until `condition` holds; fails the test after a minute.
macro_rules! eventually {
    ($what:expr, $condition:expr) => {
        ieum_testkit::wait::until($what, std::time::Duration::from_secs(60), async || $condition)
            .await
            .expect("happens in time")
    };
}
pub(crate) use eventually;

impl World {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        let url = format!("sqlite:{}", folder.path().join("bus.db").display());
        Self::over(&url, "local:", None, Some(folder)).await
    }

    /// Keeps the log at the broker `bus_url` and the rest in SQLite.
    #[cfg(feature = "kafka")]
    pub async fn kafka(bus_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("makes a folder");
        let url = format!("sqlite:{}", folder.path().join("bus.db").display());
        Self::over(&url, &with_few_partitions(bus_url), None, Some(folder)).await
    }

    /// Makes a database of its own on the server at `url`.
    pub async fn server(url: &str) -> Self {
        Self::on_server(url, "local:").await
    }

    pub async fn on_server(url: &str, bus_url: &str) -> Self {
        let bus_url = &with_few_partitions(bus_url);
        let database = format!("ieum_bus_{}", new_id().simple());
        let admin = Store::open(url, &StoreOptions::default()).await.expect("reaches the server");
        admin.execute(&format!("CREATE DATABASE {database}"), &[]).await.expect("makes a database");
        admin.close().await;
        let mut own = url::Url::parse(url).expect("is a url");
        own.set_path(&database);
        Self::over(own.as_str(), bus_url, Some((url.to_owned(), database)), None).await
    }

    async fn over(
        url: &str,
        bus_url: &str,
        server: Option<(String, String)>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let options = StoreOptions { acquire_timeout: Duration::from_secs(20), ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        migrate(&store, &ieum_bus::migrations(), |_| {}).await.expect("migrates");
        let types = store.dialect().types();
        let table = format!(
            "CREATE TABLE effect (id {}, group_name {key} NOT NULL, event_id {key} NOT NULL, lane_key {key} NOT NULL)",
            types.serial_primary_key,
            key = types.key
        );
        store.execute(&table, &[]).await.expect("makes the effects' table");
        let bus = open(bus_url, &store).await;
        let suffix = if bus_url == "local:" { String::new() } else { format!("-{}", new_id().simple()) };
        let topic = format!("cups{suffix}");
        let (url, bus_url) = (url.to_owned(), bus_url.to_owned());
        Self { bus, store, topic, suffix, url, bus_url, server, _folder: folder }
    }

    /// Returns the group's name as the bus knows it.
    pub fn group(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    pub fn bus_url(&self) -> &str {
        &self.bus_url
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens the bus as another process would.
    pub async fn another_bus(&self) -> Bus {
        open(&self.bus_url, &self.store).await
    }

    pub async fn subscribe(&self, group: &str, consumer: &Arc<impl Consumer>) -> Subscribed {
        self.subscribe_on(&self.bus, group, consumer).await
    }

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
        let Some((url, database)) = self.server else { return };
        self.store.close().await;
        let admin = Store::open(&url, &StoreOptions::default()).await.expect("reaches the server");
        let force = if url.starts_with("postgres") { " WITH (FORCE)" } else { "" };
        let drop = format!("DROP DATABASE {database}{force}");
        admin.execute(&drop, &[]).await.expect("drops the database");
    }
}

/// Asks for 4 partitions where the URL says nothing: one broker serves every test at once.
fn with_few_partitions(bus_url: &str) -> String {
    let is_plain = bus_url.starts_with("kafka:") && !bus_url.contains('?');
    if is_plain { format!("{bus_url}?partitions=4") } else { bus_url.to_owned() }
}

async fn open(url: &str, store: &Store) -> Bus {
    let options = BusOptions {
        lease: Duration::from_secs(3),
        poll: Duration::from_millis(50),
        // Brokers that share a busy machine with other tests may take their time.
        patience: Duration::from_secs(60),
        ..BusOptions::default()
    };
    open_bus(url, store.clone(), system_clock(), options).await.expect("opens the bus")
}

/// A subscription whose retries come within milliseconds.
pub fn subscription(topic: &str, group: &str) -> Subscription {
    let first = Duration::from_millis(40);
    let backoff = Backoff { first, factor: 2.0, most: first * 2, jitter: Jitter::Equal };
    Subscription {
        retry: RetryLanes { attempts: 4, backoff },
        time_limit: Duration::from_millis(1_500),
        ..Subscription::new(topic, group)
    }
}

/// Makes an event whose id is `key-number`.
pub fn event(key: &str, number: usize) -> Event {
    Event::new(&Cx::root(), "/test", "cup.filled.v1", key, json!({ "number": number }))
        .expect("is JSON")
        .with_id(format!("{key}-{number}"))
}
