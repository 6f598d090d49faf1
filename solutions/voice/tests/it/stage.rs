//! The solution over a store of its own, with a device that speaks MQTT's language within the process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{BusOptions, Event, open_bus};
use ieum_cache::open_cache_on;
use ieum_client::OutboundPolicy;
use ieum_contracts::identity::{
    DEVICE_REGISTRATIONS, Device, DeviceId, DeviceList, DeviceQuota, DeviceSeen, Devices, ListDevices,
    ListUsers, RegisterDevice, Registration, RegistrationId, SaveUser, User, UserId, UserList, UserPlan,
    UserStatus, Users,
};
use ieum_contracts::voice::{
    ContextEngineClient, DialogAnswer, DialogTurn, Dialogue, DialogueClient, UnderstandingClient,
};
use ieum_core::{Cx, Fault, ManualClock, Secret, Timestamp, system_clock};
use ieum_device::{Broker, BrokerOptions, Client, ClientOptions, Message, Quality};
use ieum_documents::SqlDocuments;
use ieum_link::loopback;
use ieum_saga::migrations as saga_migrations;
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_testkit::wait;
use ieum_voice::{
    Contexts, Ears, LocalUnderstanding, Mouth, ProactiveRule, VoiceDeps, VoiceOptions, VoicePart,
    WeatherOptions,
};
use parking_lot::Mutex;
use serde_json::Value;

use crate::recordings::Parrot;

/// A Friday noon in Seoul.
pub const NOON: &str = "2026-05-01T03:00:00Z";
const PATIENCE: Duration = Duration::from_secs(120);

/// What hears and what speaks.
type Engines = (Option<Arc<dyn Ears>>, Option<Arc<dyn Mouth>>);

pub struct Stage {
    pub part: VoicePart,
    pub store: Store,
    pub clock: ManualClock,
    pub broker: Broker,
    pub contexts: ContextEngineClient,
    pub dialogue: DialogueClient,
    pub people: Arc<People>,
}

/// The directory: `ada` with the devices `kitchen` and `bath`, `eve` who is blocked.
#[derive(Default)]
pub struct People {
    pub is_down: Mutex<bool>,
    /// Whoever asks waits for ever.
    pub hangs: Mutex<bool>,
    pub has_no_devices: Mutex<bool>,
    /// How often somebody asked for devices while it was down.
    pub refused: Mutex<usize>,
    pub statuses: Mutex<BTreeMap<String, UserStatus>>,
    /// Devices that are somebody else's than Ada's.
    pub owners: Mutex<BTreeMap<String, String>>,
    /// What everybody speaks, where that is known.
    pub language: Mutex<Option<String>>,
    /// Where everybody is, where that is known.
    pub zone: Mutex<Option<String>>,
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("is a time")
}

/// Greets who comes into the kitchen, by day and once an hour.
fn welcome() -> ProactiveRule {
    let time = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
    ProactiveRule {
        name: "welcome".into(),
        event: "motion_detected".into(),
        location: None,
        quiet: Some((time(22), time(7))),
        cool_down: Duration::from_secs(3_600),
        say: "어서 오세요.".into(),
    }
}

pub fn turn(device: &str, text: &str) -> DialogTurn {
    DialogTurn { device_id: Some(device.into()), text: text.into(), ..DialogTurn::default() }
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        Self::under(url, None, None).await
    }

    /// A stage that hears devices and understands their sounds.
    pub async fn hearing(url: &str, parrot: Arc<Parrot>) -> Self {
        let stage = Self::under(url, None, Some(parrot)).await;
        stage.part.start(Some(stage.broker.clone())).await.expect("starts");
        stage
    }

    /// A stage that hears devices by these ears, and says nothing aloud.
    pub async fn listening(url: &str, ears: Arc<dyn Ears>) -> Self {
        let stage = Self::wired(url, None, (Some(ears), None), "memory:").await;
        stage.part.start(Some(stage.broker.clone())).await.expect("starts");
        stage
    }

    /// A stage that hears devices and whose cache lives in its store.
    pub async fn caching_in_its_store(url: &str) -> Self {
        let stage = Self::wired(url, None, (None, None), "sql:").await;
        stage.part.start(Some(stage.broker.clone())).await.expect("starts");
        stage
    }

    /// A stage that asks this server for the weather.
    pub async fn under(url: &str, sky: Option<SocketAddr>, parrot: Option<Arc<Parrot>>) -> Self {
        let ears = parrot.clone().map(|parrot| parrot as Arc<dyn Ears>);
        let mouth = parrot.map(|parrot| parrot as Arc<dyn Mouth>);
        Self::wired(url, sky, (ears, mouth), "memory:").await
    }

    async fn wired(url: &str, sky: Option<SocketAddr>, (ears, mouth): Engines, cache: &str) -> Self {
        // Whoever calls out needs one; the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        let mut migrations = VoicePart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrations.extend(saga_migrations());
        migrations.extend(ieum_device::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("makes the tables");
        let clock = ManualClock::at(at(NOON));
        let bus =
            open_bus("local:", store.clone(), system_clock(), BusOptions::default()).await.expect("opens");
        let people = Arc::new(People::default());
        let local = LocalUnderstanding::new().expect("reads its sentences");
        let contexts = Contexts::new(Arc::new(SqlDocuments::new(store.clone())));
        let contexts = ContextEngineClient::new(loopback(contexts.routes(), system_clock()));
        let part = VoicePart::new(VoiceDeps {
            store: store.clone(),
            bus,
            cache: open_cache_on(cache, clock.shared(), Some(store.clone())).await.expect("opens"),
            clock: clock.shared(),
            contexts: Arc::new(contexts.clone()),
            understanding: Arc::new(UnderstandingClient::new(loopback(local.routes(), system_clock()))),
            local: None,
            users: Some(people.clone()),
            devices: Some(people.clone()),
            plugins: Vec::new(),
            ears,
            listens_for: Some(local.clone()),
            mouth,
            weather: WeatherOptions {
                base: match sky {
                    Some(address) => format!("http://{address}").parse().expect("is a URL"),
                    None => "https://weather.invalid".parse().expect("is a URL"),
                },
                key: sky.map(|_| Secret::new("secret")),
                place: "Seoul".into(),
                outbound: OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] },
            },
            options: VoiceOptions { rules: vec![welcome()], ..VoiceOptions::default() },
        })
        .expect("is wired");
        let broker =
            Broker::open(store.clone(), BrokerOptions::default(), system_clock()).await.expect("opens");
        let dialogue = DialogueClient::new(loopback(part.routes(), system_clock()));
        Self { part, store, clock, broker, contexts, dialogue, people }
    }

    /// A stage over SQLite that hears devices.
    pub async fn heard(url: &str) -> Self {
        let stage = Self::over(url).await;
        stage.part.start(Some(stage.broker.clone())).await.expect("starts");
        stage
    }

    /// Lets time pass meanwhile.
    pub async fn meanwhile<T>(&self, what: impl Future<Output = T>) -> T {
        tokio::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return done,
                () = system_clock().sleep(Duration::from_millis(20)) => self.clock.advance(Duration::from_millis(200)),
            }
        }
    }

    /// Waits until so many rows wait for somebody.
    pub async fn until_held(&self, count: i64) {
        let waits = async || {
            self.clock.advance(Duration::from_millis(100));
            self.count("SELECT COUNT(*) AS n FROM ieum_voice_reply WHERE sent = 2").await == count
        };
        wait::until("it waits", PATIENCE, waits).await.expect("it waits");
    }

    /// Says something in the kitchen.
    pub async fn say(&self, text: &str) -> DialogAnswer {
        self.try_say(turn("kitchen", text)).await.expect("is answered")
    }

    pub async fn try_say(&self, turn: DialogTurn) -> Result<DialogAnswer, Fault> {
        let cx = Cx::root().with_idempotency_key(&ieum_core::new_id().to_string());
        self.dialogue.say(&cx, turn).await
    }

    /// Attaches a device that listens to its answers.
    pub async fn device(&self, name: &str) -> Speaker {
        let client =
            self.broker.client(&format!("test-{name}"), &ClientOptions { kept: true, inflight: 100 });
        client.subscribe(&format!("device/{name}/response"), Quality::AtLeastOnce).await.expect("subscribes");
        Speaker { name: name.to_owned(), client }
    }

    /// Attaches a device like [`Stage::device`] that leaves no session behind.
    pub async fn passing(&self, name: &str) -> Speaker {
        let client = self.broker.client(&format!("test-{name}"), &ClientOptions::default());
        client.subscribe(&format!("device/{name}/response"), Quality::AtLeastOnce).await.expect("subscribes");
        Speaker { name: name.to_owned(), client }
    }

    /// Waits for what rings: the clock goes on, as it does for whoever waits for a moment.
    pub async fn rung(&self, device: &mut Speaker) -> Value {
        let heard = device.hear();
        tokio::pin!(heard);
        loop {
            tokio::select! {
                heard = &mut heard => return heard["payload"].clone(),
                () = system_clock().sleep(Duration::from_millis(20)) => self.clock.advance(Duration::from_millis(100)),
            }
        }
    }

    /// Tells the bus what happened to people and their devices.
    pub async fn happened(&self, kind: &str, person: &str, data: Value) {
        let bus = open_bus("local:", self.store.clone(), system_clock(), BusOptions::default());
        let event = Event::new(&Cx::root(), "/users", kind, person, &data).expect("is an event");
        bus.await.expect("opens").publish(DEVICE_REGISTRATIONS, event).await.expect("is told");
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.store.fetch_one(sql, &[]).await.expect("counts").int("n").expect("is a number")
    }
}

/// A device.
pub struct Speaker {
    pub name: String,
    client: Client,
}

impl Speaker {
    pub async fn send(&self, kind: &str, body: impl ToString) {
        let message = Message::new(&format!("device/{}/{kind}", self.name), body.to_string());
        self.client.publish(message).await.expect("is taken");
    }

    /// Waits for the next answer.
    pub async fn hear(&mut self) -> Value {
        let next = tokio::time::timeout(PATIENCE, self.client.next()).await.expect("an answer comes");
        let delivery = next.expect("is attached");
        self.client.acknowledge(&delivery).expect("is attached");
        serde_json::from_slice(&delivery.message.payload).expect("is JSON")
    }

    pub async fn ask(&mut self, text: &str) -> Value {
        self.send("text", serde_json::json!({ "text": text })).await;
        self.hear().await["payload"].clone()
    }
}

impl People {
    pub fn is_homeless(&self) {
        *self.has_no_devices.lock() = true;
    }

    async fn reached(&self) -> Result<(), Fault> {
        if *self.hangs.lock() {
            std::future::pending::<()>().await;
        }
        match *self.is_down.lock() {
            true => Err(Fault::unavailable("identity.down", "asking")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Users for People {
    async fn get(&self, _: &Cx, ask: UserId) -> Result<User, Fault> {
        self.reached().await?;
        if ask.user_id == "nobody" {
            return Err(Fault::not_found("identity.user.unknown", "there is none"));
        }
        let status = self.statuses.lock().get(&ask.user_id).copied().unwrap_or_default();
        Ok(User {
            id: ask.user_id,
            name: "에이다".into(),
            status,
            plan: UserPlan::Basic,
            language: self.language.lock().clone(),
            zone: self.zone.lock().clone(),
            devices: Vec::new(),
            created_at: Timestamp::default(),
        })
    }

    async fn list(&self, _: &Cx, _: ListUsers) -> Result<UserList, Fault> {
        Err(Fault::unimplemented("test", "unused"))
    }

    async fn save(&self, _: &Cx, _: SaveUser) -> Result<User, Fault> {
        Err(Fault::unimplemented("test", "unused"))
    }

    async fn remove(&self, _: &Cx, ask: UserId) -> Result<UserId, Fault> {
        Ok(ask)
    }

    async fn quota(&self, _: &Cx, _: UserId) -> Result<DeviceQuota, Fault> {
        Err(Fault::unimplemented("test", "unused"))
    }
}

fn device(id: &str, area: &str) -> Device {
    Device {
        device_id: id.into(),
        user_id: "ada".into(),
        kind: "speaker".into(),
        name: String::new(),
        area: Some(area.into()),
        premium: false,
        registered_at: Timestamp::default(),
        last_seen_at: None,
    }
}

#[async_trait]
impl Devices for People {
    async fn get(&self, _: &Cx, ask: DeviceId) -> Result<Device, Fault> {
        self.reached().await?;
        let mut found = match ask.device_id.as_str() {
            "kitchen" => device("kitchen", "주방"),
            "bath" => device("bath", "욕실"),
            _ => return Err(Fault::not_found("identity.device.unknown", "there is none")),
        };
        found.user_id = self.owners.lock().get(&ask.device_id).cloned().unwrap_or(found.user_id);
        Ok(found)
    }

    async fn list(&self, _: &Cx, _: ListDevices) -> Result<DeviceList, Fault> {
        self.reached().await.inspect_err(|_| *self.refused.lock() += 1)?;
        if *self.has_no_devices.lock() {
            return Ok(DeviceList::default());
        }
        Ok(DeviceList { devices: vec![device("bath", "욕실"), device("kitchen", "주방")] })
    }

    async fn register(&self, _: &Cx, _: RegisterDevice) -> Result<Registration, Fault> {
        Err(Fault::unimplemented("test", "unused"))
    }

    async fn registration(&self, _: &Cx, _: RegistrationId) -> Result<Registration, Fault> {
        Err(Fault::unimplemented("test", "unused"))
    }

    async fn remove(&self, _: &Cx, ask: DeviceId) -> Result<DeviceId, Fault> {
        Ok(ask)
    }

    async fn seen(&self, _: &Cx, ask: DeviceSeen) -> Result<DeviceSeen, Fault> {
        Ok(ask)
    }
}
