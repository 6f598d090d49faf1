//! The same nodes over the real HTTP wire and turmoil's TCP: connections break, hosts crash, links part and heal.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ieum_bus::sim::{Dice, Disk, Plant, SimBus, SimConsumer, SimGroup, SimStorage};
use ieum_bus::{DeadState, RetryLanes};
use ieum_core::SharedClock;
use ieum_link::{Link, Routes};
use ieum_policy::{PolicyConfig, PolicyStack};
use ieum_wires::discovery::{Instance, Static};
use ieum_wires::http::{HttpWire, HttpWireConfig, serve_links};
use ieum_wires::serve::{ServeOptions, serve};
use parking_lot::Mutex;

use crate::client::{CLIENTS, Client, Ledger};
use crate::contract::{FrontClient, FrontRoutes, OwnerClient, OwnerRoutes};
use crate::judge::{Outcome, judge};
use crate::nodes::{CUPS, FrontDesk, Keeper, Listener, Reader, VISITS};
use crate::plant::Plant as Mistake;
use crate::storm::{StormClock, StormListener, StormNetwork};
use crate::witness::Witness;
use crate::world::{PATIENCE, backoff, is_done};

const PORT: u16 = 7100;
const HOSTS: [&str; 5] = ["front", "owner", "auditor", "reader", "counter"];
const ROUGH: Duration = Duration::from_secs(8);

/// What all hosts share.
#[derive(Clone)]
struct Shared {
    dice: Dice,
    witness: Witness,
    disk: Arc<Disk>,
    ledger: Arc<Mutex<Ledger>>,
    mended: Arc<AtomicBool>,
    lives: Arc<AtomicUsize>,
}

impl Shared {
    fn new(seed: u64) -> Self {
        let dice = Dice::new(seed);
        let clock: SharedClock = Arc::new(StormClock);
        let log_dedupes = dice.chance(0.5);
        Self {
            witness: Witness::new(&dice, clock.clone()),
            disk: Disk::new(&dice, clock, Plant::Nothing, log_dedupes),
            ledger: Arc::default(),
            mended: Arc::default(),
            lives: Arc::default(),
            dice,
        }
    }

    fn clock(&self) -> SharedClock {
        Arc::new(StormClock)
    }

    fn link(&self, host: &'static str, policy: Option<&PolicyConfig>) -> Link {
        let mut config = HttpWireConfig::new(Arc::new(Static::new(Instance::new("http", host, PORT), [])));
        config.network = Arc::new(StormNetwork(self.dice.clone()));
        (config.connect, config.first_byte) = (Duration::from_millis(500), Duration::from_secs(1));
        let link = HttpWire::new(config, self.clock()).link();
        let Some(policy) = policy else { return link };
        let seed = self.dice.within(0..u64::MAX);
        Link::new(PolicyStack::with_seed(host, policy, self.clock(), seed).apply(link))
    }

    fn owner(&self, timeout: Duration) -> OwnerClient {
        let mut config = PolicyConfig { timeout, attempt: Some(timeout / 2), ..PolicyConfig::default() };
        (config.retry.first, config.retry.most) = (Duration::from_millis(20), Duration::from_millis(200));
        if let Some(breaker) = &mut config.breaker {
            breaker.open = Duration::from_secs(1);
        }
        OwnerClient::new(self.link("owner", Some(&config)))
    }

    fn bus(&self) -> (SimStorage, SimBus) {
        let storage = SimStorage::new(&self.disk, None);
        let bus =
            SimBus::start(storage.clone(), self.clock(), &self.dice, &mut |work| drop(tokio::spawn(work)));
        (storage, bus)
    }

    fn listen(&self, topic: &str, group: &str, consumer: Arc<dyn SimConsumer>) {
        let life = self.lives.fetch_add(1, Ordering::SeqCst);
        let group = SimGroup {
            topic: topic.to_owned(),
            group: group.to_owned(),
            member: format!("{group}-{life}"),
            retry: RetryLanes { attempts: 1_000, backoff: backoff() },
            concurrency: 2,
            time_limit: Duration::from_millis(700),
            lease: Duration::from_secs(2),
            poll: Duration::from_millis(150),
        };
        let (_, bus) = self.bus();
        bus.subscribe(group, consumer, &mut |work| drop(tokio::spawn(work)));
    }

    async fn serve(&self, routes: Routes) -> turmoil::Result {
        let listener = turmoil::net::TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT)).await?;
        let never = std::future::pending();
        serve(
            StormListener(listener),
            serve_links(routes, self.clock()),
            never,
            ServeOptions::default(),
            self.clock(),
        )
        .await;
        Ok(())
    }

    /// Runs one host until it crashes.
    async fn host(self, name: &'static str) -> turmoil::Result {
        self.dice.note("start", name);
        let witness = self.witness.clone();
        match name {
            "front" => {
                let (_, bus) = self.bus();
                let owner = self.owner(Duration::from_secs(2));
                let front = FrontDesk { owner, bus, witness, plant: Mistake::Nothing };
                self.serve(FrontRoutes::of(Arc::new(front))).await
            }
            "owner" => {
                let (storage, bus) = self.bus();
                let background = Arc::new(|work| drop(tokio::spawn(work)));
                let keeper = Keeper { storage, bus, witness, background, plant: Mistake::Nothing };
                self.serve(OwnerRoutes::of(Arc::new(keeper))).await
            }
            "reader" => {
                let owner = self.owner(Duration::from_millis(400));
                let reader = Reader { owner, witness, mended: Arc::clone(&self.mended) };
                self.listen(CUPS, "readers", Arc::new(reader));
                std::future::pending().await
            }
            _ => {
                let (topic, group) = if name == "auditor" { (CUPS, "audit") } else { (VISITS, "counters") };
                self.listen(topic, group, Arc::new(Listener { group, dice: self.dice.clone() }));
                std::future::pending().await
            }
        }
    }

    async fn operate(self) -> turmoil::Result {
        let storage = SimStorage::new(&self.disk, None);
        let clock = self.clock();
        loop {
            clock.sleep(Duration::from_secs(1)).await;
            for dead in self.disk.tables().dead() {
                if dead.state == DeadState::Parked && self.dice.chance(0.5) {
                    // Asking again is harmless, so a lost answer does not matter.
                    let _ = storage.replay(&dead.id).await;
                }
            }
        }
    }

    fn client(&self, number: usize) -> impl Future<Output = turmoil::Result> + 'static {
        let this = self.clone();
        async move {
            let front = FrontClient::new(this.link("front", None));
            Client { number, front, witness: this.witness.clone(), ledger: Arc::clone(&this.ledger) }
                .run()
                .await;
            Ok(())
        }
    }
}

/// Runs one seed; returns the verdict, the digest and the number of steps.
pub fn run(seed: u64) -> (Result<(), String>, Dice) {
    let shared = Shared::new(seed);
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .simulation_duration(PATIENCE * 2)
        .tick_duration(Duration::from_millis(5))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(40))
        .build();
    for name in HOSTS {
        let shared = shared.clone();
        sim.host(name, move || shared.clone().host(name));
    }
    let operator = shared.clone();
    sim.host("operator", move || operator.clone().operate());
    for number in 0..CLIENTS {
        sim.client(format!("client-{number}"), shared.client(number));
    }
    let verdict = play(&mut sim, &shared);
    let verdict = verdict.and_then(|()| {
        let ledger = shared.ledger.lock();
        judge(&Outcome {
            problems: &shared.witness.problems(),
            tables: &shared.disk.tables(),
            ledger: &ledger,
        })
    });
    (verdict, shared.dice)
}

fn play(sim: &mut turmoil::Sim<'_>, shared: &Shared) -> Result<(), String> {
    let mut down: Vec<&'static str> = Vec::new();
    let mut parted: Vec<(&'static str, &'static str)> = Vec::new();
    let mut healed = false;
    while sim.elapsed() < PATIENCE {
        // Ends well once every client did; the hosts never end.
        sim.step().map_err(|error| error.to_string())?;
        if sim.elapsed() < ROUGH {
            break_something(sim, shared, &mut down, &mut parted);
        } else if !healed {
            healed = true;
            down.drain(..).for_each(|host| sim.bounce(host));
            parted.drain(..).for_each(|(one, other)| sim.repair(one, other));
            shared.disk.heal();
            shared.mended.store(true, Ordering::SeqCst);
        } else if is_done(&shared.disk.tables(), &shared.ledger.lock()) {
            return Ok(());
        }
    }
    Ok(())
}

fn break_something(
    sim: &mut turmoil::Sim<'_>,
    shared: &Shared,
    down: &mut Vec<&'static str>,
    parted: &mut Vec<(&'static str, &'static str)>,
) {
    let dice = &shared.dice;
    match dice.index(2_000) {
        0..1 => {
            dice.note("power cut", "all hosts");
            HOSTS.into_iter().for_each(|host| sim.crash(host));
            shared.disk.cut_power();
            HOSTS.into_iter().for_each(|host| sim.bounce(host));
            down.clear();
        }
        1..8 => {
            let host = HOSTS[dice.index(HOSTS.len())];
            if !down.contains(&host) {
                dice.note("crash", host);
                sim.crash(host);
                down.push(host);
            }
        }
        8..30 if !down.is_empty() => sim.bounce(down.swap_remove(dice.index(down.len()))),
        30..38 => {
            let pairs =
                [("front", "owner"), ("reader", "owner"), ("client-0", "front"), ("client-1", "front")];
            let pair = pairs[dice.index(pairs.len())];
            dice.note("part", pair.0);
            sim.partition(pair.0, pair.1);
            parted.push(pair);
        }
        38..60 if !parted.is_empty() => {
            let (one, other) = parted.swap_remove(dice.index(parted.len()));
            sim.repair(one, other);
        }
        _ => {}
    }
}
