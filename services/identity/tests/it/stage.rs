//! The service over its own store and real time, and a ledger of charges that a test scripts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use ieum_bus::{Bus, BusOptions, open_bus};
use ieum_cache::open_cache;
use ieum_contracts::identity::{
    Devices, DevicesClient, RegisterDevice, Registration, RegistrationState, SaveUser, UsersClient,
};
use ieum_contracts::payment::{BeginCharge, Charge, ChargeId, ChargeList, Charges, ListCharges};
use ieum_core::{Cx, Fault, Timestamp, new_id, system_clock};
use ieum_gateway::{EventAccess, Gateway, GatewayOptions, Keys, KeysOptions, NewKey, Tier};
use ieum_identity::{IdentityDeps, IdentityPart};
use ieum_link::loopback;
use ieum_policy::{Backoff, Jitter};
use ieum_saga::SagaOptions;
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_testkit::wait::until_some;
use parking_lot::Mutex;

/// How long a test waits for what is to happen.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Stage {
    pub store: Store,
    pub part: IdentityPart,
    pub users: UsersClient,
    pub devices: DevicesClient,
    pub ledger: Arc<Ledger>,
}

/// The pages behind a door, and a key to it.
pub struct Pages {
    pub router: Router,
    pub key: String,
}

/// Keeps which charges run.
#[derive(Default)]
pub struct Ledger {
    pub running: Mutex<BTreeSet<String>>,
    /// Answers of `begin`, used up from the front; it works where there is none.
    pub answers: Mutex<Vec<Fault>>,
}

#[async_trait]
impl Charges for Ledger {
    async fn begin(&self, _: &Cx, wish: BeginCharge) -> Result<Charge, Fault> {
        // It may have been begun although the answer says otherwise.
        self.running.lock().insert(wish.charge_id.clone());
        let mut answers = self.answers.lock();
        if !answers.is_empty() {
            return Err(answers.remove(0));
        }
        let BeginCharge { charge_id, user_id, item } = wish;
        let begun_at = Timestamp::default();
        Ok(Charge { charge_id, user_id, item, won_per_month: 1, begun_at, ended_at: None })
    }

    async fn end(&self, _: &Cx, ask: ChargeId) -> Result<ChargeId, Fault> {
        self.running.lock().remove(&ask.charge_id);
        Ok(ask)
    }

    async fn list(&self, _: &Cx, _: ListCharges) -> Result<ChargeList, Fault> {
        Ok(ChargeList::default())
    }
}

pub fn cx() -> Cx {
    Cx::root().with_idempotency_key(&new_id().to_string())
}

pub fn person(id: &str) -> SaveUser {
    SaveUser { id: id.into(), name: "Ada".into(), ..SaveUser::default() }
}

pub fn wish(user: &str, device: &str) -> RegisterDevice {
    let (user_id, device_id) = (user.into(), device.into());
    RegisterDevice { user_id, device_id, kind: "speaker".into(), ..RegisterDevice::default() }
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        let mut migrations = IdentityPart::migrations();
        migrations.extend(ieum_bus::migrations());
        migrations.extend(ieum_saga::migrations());
        migrations.extend(Keys::migrations());
        migrate(&store, &migrations, |_| {}).await.expect("makes the tables");
        let bus: Bus =
            open_bus("local:", store.clone(), system_clock(), BusOptions::default()).await.expect("opens");
        let ledger = Arc::new(Ledger::default());
        let soon = Duration::from_millis(10);
        let backoff = Backoff { first: soon, factor: 1.0, most: soon, jitter: Jitter::None };
        let part = IdentityPart::new(IdentityDeps {
            store: store.clone(),
            bus,
            clock: system_clock(),
            charges: ledger.clone(),
            sagas: SagaOptions { backoff, ..SagaOptions::default() },
        });
        part.start();
        let users = UsersClient::new(loopback(part.routes(), system_clock()));
        let devices = DevicesClient::new(loopback(part.routes(), system_clock()));
        Self { store, part, users, devices, ledger }
    }

    /// Registers a device and waits for the end, however long a busy machine takes. The same wish under the same key is
    /// the same registration.
    pub async fn register(&self, cx: &Cx, wish: RegisterDevice) -> Result<Registration, Fault> {
        let over = || async {
            let asked = self.devices.register(cx, wish.clone()).await;
            let open = [RegistrationState::Running, RegistrationState::Undoing];
            let is_over = asked.as_ref().map_or(true, |registration| !open.contains(&registration.state));
            is_over.then_some(asked)
        };
        until_some("the registration is over", PATIENCE, over).await.expect("comes to its end")
    }

    /// Puts the pages behind a door and makes a key with these scopes.
    pub async fn pages(&self, scopes: &[&str]) -> Pages {
        let keys = Keys::new(self.store.clone(), system_clock(), KeysOptions::default());
        let new = NewKey {
            name: "Seoul".into(),
            tier: Tier::Partner,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            events: EventAccess::Only(["e-1".to_owned()].into()),
            expires_at: None,
            rate: None,
        };
        let (_, text) = keys.create(new).await.expect("is made");
        let cache = open_cache("memory:", system_clock()).await.expect("opens");
        let gateway =
            Gateway::new(keys, cache, system_clock(), GatewayOptions::default()).expect("has limits");
        Pages { router: gateway.public(self.part.router()), key: text.expose().to_owned() }
    }

    /// Returns what the bus was told under this type.
    pub async fn told(&self, kind: &str) -> Vec<serde_json::Value> {
        let sql = "SELECT body FROM ieum_bus_log UNION SELECT body FROM ieum_bus_outbox";
        let rows = self.store.fetch_all(sql, &[]).await.expect("reads");
        let events = rows.iter().map(|row| row.json("body").expect("is JSON"));
        events.filter(|event| event["type"] == kind).map(|event| event["data"].clone()).collect()
    }

    /// Returns how many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        self.store.fetch_one(&sql, &[]).await.expect("counts").int("n").expect("is a number")
    }
}
