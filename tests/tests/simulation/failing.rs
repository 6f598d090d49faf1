//! An answerer that fails every time, over a network that loses and doubles: what its callers spare it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::sim::{Dice, Executor};
use ieum_core::{Clock, Cx, Fault, ManualClock};
use ieum_policy::PolicyConfig;
use ieum_wires::http::serve_links;
use parking_lot::Mutex;

use crate::contract::{Cup, Found, Number, Owner, OwnerClient, OwnerRoutes};
use crate::net::Net;
use crate::plant::Plant;
use crate::wire::Wire;
use crate::witness::Witness;

const CALLS: u64 = 100;

struct Broken(AtomicU64);

impl Broken {
    fn fail<T>(&self) -> Result<T, Fault> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Fault::unavailable("sim.broken", "nothing works here"))
    }
}

#[async_trait]
impl Owner for Broken {
    async fn place(&self, _: &Cx, _: Cup) -> Result<Number, Fault> {
        self.fail()
    }

    async fn touch(&self, _: &Cx, _: Cup) -> Result<Number, Fault> {
        self.fail()
    }

    async fn look(&self, _: &Cx, _: Cup) -> Result<Found, Fault> {
        self.fail()
    }
}

/// Runs one seed; returns how often a hundred calls were sent over a wire whose answerer always fails.
pub fn sends(seed: u64, is_rough: bool) -> u64 {
    let dice = Dice::new(seed);
    let clock = ManualClock::default();
    let mut executor = Executor::new(dice.clone());
    let net = Net::new(&Witness::new(&dice, clock.shared()), executor.spawner());
    if !is_rough {
        net.heal();
    }
    net.serve(1, serve_links(OwnerRoutes::of(Arc::new(Broken(AtomicU64::new(0)))), clock.shared()));
    let wire = Wire::new(&net, 0, [1], Plant::Nothing);
    let config = PolicyConfig { breaker: None, timeout: Duration::from_secs(2), ..PolicyConfig::default() };
    let owner = Arc::new(OwnerClient::new(wire.guarded("broken", &config)));
    let left = Arc::new(Mutex::new(CALLS));
    for number in 0..CALLS {
        let (owner, left) = (Arc::clone(&owner), Arc::clone(&left));
        let begins = clock.sleep(Duration::from_millis(dice.within(0..20_000)));
        executor.spawner().spawn(None, async move {
            begins.await;
            let cup = Cup { id: number.to_string(), shelf: String::new() };
            let cx = Cx::root().with_idempotency_key(&number.to_string());
            let result = owner.place(&cx, cup).await;
            result.expect_err("nothing works there");
            *left.lock() -= 1;
        });
    }
    loop {
        executor.run_ready();
        if *left.lock() == 0 {
            return *wire.sent.lock();
        }
        let wake = clock.next_wake().expect("somebody waits").since(clock.moment());
        clock.advance(wake);
    }
}
