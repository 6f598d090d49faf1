//! A connection lives as long as the secret that let it in, whatever else its device has.

use std::time::Duration;

use ieum_core::{Clock, ManualClock, Timestamp, system_clock};
use ieum_device::{Admission, BrokerOptions, Credentials, Rules, migrations};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;

use crate::raw::{Raw, hello};
use crate::world::{Kept, Mode, in_every_mode, local};

/// The reason code with which somebody is sent away.
const SENT_AWAY: Option<u8> = Some(0x98);

/// A broker for devices with credentials, with a clock that the test turns.
struct Guarded {
    kept: Kept,
    address: std::net::SocketAddr,
    credentials: Credentials,
    clock: ManualClock,
    _database: SqlStore,
}

impl Guarded {
    async fn new(mode: Mode) -> Self {
        let clock = ManualClock::at(Timestamp::from_seconds(1_800_000_000));
        let database = SqlStore::sqlite();
        let store = Store::open(&database.url, &StoreOptions::default()).await.expect("opens");
        migrate(&store, &migrations(), |_| {}).await.expect("migrates");
        let credentials = Credentials::new(store, clock.shared());
        let admission = Admission { credentials: Some(credentials.clone()), anonymous: false };
        let options = BrokerOptions { admission, rules: Rules::own_topics(), ..BrokerOptions::default() };
        let kept = mode.open(options, clock.shared()).await;
        let address = kept.broker.listen(local(), None).await.expect("listens");
        Self { kept, address, credentials, clock, _database: database }
    }

    async fn issued(&self, device: &str) -> String {
        self.credentials.issue(device).await.expect("is made").secret.expose().to_owned()
    }

    async fn rotated(&self, device: &str, overlap: u64) -> String {
        let overlap = Duration::from_secs(overlap);
        self.credentials.rotate(device, overlap).await.expect("is rotated").0.secret.expose().to_owned()
    }

    async fn enter(&self, device: &str, client: &str, secret: &str) -> Raw {
        Raw::enter(self.address, &hello(5, client).user(device, secret)).await
    }

    fn is_connected(&self, client: &str) -> bool {
        self.kept.broker.sessions().iter().any(|session| session.client == client && session.connected)
    }

    /// Lets time pass until a connection was ended, and returns how much.
    async fn until_ended(&self, client: &str) -> Duration {
        let begun = self.clock.now();
        while self.is_connected(client) {
            self.clock.advance(Duration::from_secs(1));
            // The store answers in its own time, on whatever machine.
            for _ in 0..50 {
                if self.is_connected(client) {
                    system_clock().sleep(Duration::from_millis(2)).await;
                }
            }
        }
        self.clock.now().since(begun)
    }

    /// Lets time pass until open connections were judged: one whose device was revoked is gone.
    async fn until_judged(&self) {
        let secret = self.issued("witness").await;
        let _witness = self.enter("witness", "witness", &secret).await;
        self.credentials.revoke("witness").await.expect("is revoked");
        self.until_ended("witness").await;
    }
}

async fn a_connection_made_with_a_secret_that_was_replaced_ends_at_once(mode: Mode) {
    let guarded = Guarded::new(mode).await;
    let first = guarded.issued("one").await;
    let mut before = guarded.enter("one", "before", &first).await;
    let second = guarded.rotated("one", 0).await;
    let mut after = guarded.enter("one", "after", &second).await;
    let took = guarded.until_ended("before").await;
    assert!(took < Duration::from_secs(30), "it was judged, and did not fall silent: {took:?}");
    assert_eq!(before.end().await, SENT_AWAY);
    guarded.until_judged().await;
    after.nothing().await;
    assert!(guarded.is_connected("after"), "its secret is valid");
}

async fn a_connection_made_with_a_replaced_secret_lasts_as_long_as_the_overlap(mode: Mode) {
    let guarded = Guarded::new(mode).await;
    let first = guarded.issued("one").await;
    let mut before = guarded.enter("one", "before", &first).await;
    let second = guarded.rotated("one", 30).await;
    let mut after = guarded.enter("one", "after", &second).await;
    guarded.until_judged().await;
    before.nothing().await;
    after.nothing().await;
    assert!(guarded.is_connected("before"), "both secrets are valid");
    guarded.until_ended("before").await;
    assert_eq!(before.end().await, SENT_AWAY, "the overlap is over");
    let now = guarded.clock.now();
    assert!(now >= Timestamp::from_seconds(1_800_000_030), "no sooner than it was to: {now}");
    after.nothing().await;
    assert!(guarded.is_connected("after"), "its secret is valid");
}

in_every_mode!(
    a_connection_made_with_a_secret_that_was_replaced_ends_at_once,
    a_connection_made_with_a_replaced_secret_lasts_as_long_as_the_overlap,
);
