//! A broker of a test's own, in every mode there is, with a clock that the test turns.

use std::net::SocketAddr;
use std::time::Duration;

use ieum_core::{Clock, ManualClock, SharedClock, Timestamp, system_clock};
use ieum_device::{Admission, Broker, BrokerOptions, Effect, Limits, Rule, Rules, Who, migrations};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;

/// How a broker keeps what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Until the process ends.
    Memory,
    /// In a store, as the platform opens it: each promise waits for a commit.
    Sqlite,
}

/// Writes each of a file's cases, which take a [`Mode`], as a test per mode. This is the table of modes.
macro_rules! in_every_mode {
    (@row $module:ident, $mode:ident, $($case:ident),*) => {
        mod $module {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::world::Mode::$mode).await;
            })*
        }
    };
    ($($case:ident),* $(,)?) => {
        crate::world::in_every_mode!(@row memory, Memory, $($case),*);
        crate::world::in_every_mode!(@row sqlite, Sqlite, $($case),*);
    };
}
pub(crate) use in_every_mode;

/// A broker, and the database it keeps everything in where it has one.
pub struct Kept {
    pub broker: Broker,
    _database: Option<SqlStore>,
}

pub struct World {
    pub broker: Broker,
    pub address: SocketAddr,
    pub clock: ManualClock,
    _database: Option<SqlStore>,
}

/// What a closed network uses: everybody may do anything, but nobody may subscribe to one topic.
pub fn open_options() -> BrokerOptions {
    let hidden = Rule {
        who: Who::Anyone,
        act: ieum_device::Act::Subscribe,
        pattern: "test/nosubscribe".to_owned(),
        effect: Effect::Hide,
    };
    BrokerOptions {
        admission: Admission { anonymous: true, credentials: None },
        rules: Rules::of(vec![hidden]).expect("is a filter").and_everything_else(),
        limits: Limits { receive: 20, ..Limits::default() },
        ..BrokerOptions::default()
    }
}

impl Mode {
    /// Opens a broker with nothing in it.
    pub async fn open(self, options: BrokerOptions, clock: SharedClock) -> Kept {
        if self == Self::Memory {
            return Kept { broker: Broker::in_memory(options, clock), _database: None };
        }
        let database = SqlStore::sqlite();
        let store = Store::open(&database.url, &StoreOptions::default()).await.expect("opens the store");
        migrate(&store, &migrations(), |_| {}).await.expect("migrates");
        let broker = Broker::open(store, options, clock).await.expect("opens the broker");
        Kept { broker, _database: Some(database) }
    }
}

impl World {
    pub async fn new(mode: Mode) -> Self {
        Self::with(mode, open_options()).await
    }

    pub async fn with(mode: Mode, options: BrokerOptions) -> Self {
        let clock = ManualClock::at(Timestamp::from_seconds(1_800_000_000));
        let Kept { broker, _database } = mode.open(options, clock.shared()).await;
        let address = broker.listen(local(), None).await.expect("listens");
        Self { broker, address, clock, _database }
    }

    /// Lets time pass in small steps, and everybody who waits for it go on.
    pub async fn pass(&self, span: Duration) {
        let step = Duration::from_millis(250);
        let mut left = span;
        while !left.is_zero() {
            let next = left.min(step);
            self.clock.advance(next);
            left -= next;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        let _ = self.clock.now();
    }

    pub async fn seconds(&self, seconds: u64) {
        self.pass(Duration::from_secs(seconds)).await;
    }
}

pub fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Waits until the broker has noticed that the client `a` is gone.
pub async fn until_gone(world: &World) {
    while world.broker.sessions().iter().any(|session| session.client == "a" && session.connected) {
        tokio::task::yield_now().await;
        system_clock().sleep(Duration::from_millis(1)).await;
    }
}
