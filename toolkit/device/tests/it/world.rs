//! A broker of a test's own, with a clock that the test turns.

use std::net::SocketAddr;
use std::time::Duration;

use ieum_core::{Clock, ManualClock, Timestamp};
use ieum_device::{Admission, Broker, BrokerOptions, Effect, Limits, Rule, Rules, Who};

pub struct World {
    pub broker: Broker,
    pub address: SocketAddr,
    pub clock: ManualClock,
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

impl World {
    pub async fn new() -> Self {
        Self::with(open_options()).await
    }

    pub async fn with(options: BrokerOptions) -> Self {
        let clock = ManualClock::at(Timestamp::from_seconds(1_800_000_000));
        let broker = Broker::in_memory(options, clock.shared());
        let address = broker.listen(local(), None).await.expect("listens");
        Self { broker, address, clock }
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
