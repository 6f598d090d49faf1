//! One simulated run: nodes are started, killed, frozen and parted for a while, then everything is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ieum_bus::sim::{Dice, Disk, Executor, SimBus, SimConsumer, SimGroup, SimStorage, Tables};
use ieum_bus::{DeadState, RetryLanes};
use ieum_core::{BoxFuture, Clock, ManualClock, Moment, Timestamp};
use ieum_policy::{Backoff, Jitter, PolicyConfig};
use ieum_wires::http::serve_links;
use parking_lot::Mutex;

use crate::client::{CLIENTS, Client, Ledger};
use crate::contract::{FrontClient, FrontRoutes, OwnerClient, OwnerRoutes};
use crate::judge::{Outcome, judge};
use crate::net::Net;
use crate::nodes::{CUPS, FrontDesk, Keeper, Listener, Reader, VISITS};
use crate::plant::Plant;
use crate::wire::Wire;
use crate::witness::Witness;

const CLIENT: usize = 0;
const FRONT: usize = 1;
const OWNERS: [usize; 2] = [2, 3];
/// Front, owners, and two readers.
pub const NODES: std::ops::Range<usize> = 1..6;

/// For how long things break, how long everything may take after that, and how long nothing more may come.
const ROUGH: Duration = Duration::from_secs(12);
pub const PATIENCE: Duration = Duration::from_secs(240);
/// How long a member that gives no sign of life keeps its slots.
pub const LEASE: Duration = Duration::from_secs(2);
const STRAGGLERS: Duration = Duration::from_secs(4);

/// All machines of a run.
pub struct World {
    pub dice: Dice,
    pub clock: ManualClock,
    pub disk: Arc<Disk>,
    pub witness: Witness,
    pub net: Net,
    pub ledger: Arc<Mutex<Ledger>>,
    pub executor: Executor,
    pub storages: Vec<SimStorage>,
    pub mended: Arc<AtomicBool>,
    plant: Plant,
    lives: usize,
    pub down: BTreeSet<usize>,
    /// Nodes that stand still, and until when.
    pub frozen: BTreeMap<usize, Moment>,
    /// Kills a node after so many steps: in the middle of whatever it does.
    pub doomed: Option<(usize, u64)>,
}

impl World {
    /// Makes the world of `seed` and starts everything in it.
    pub fn new(seed: u64, plant: Plant) -> Self {
        let dice = Dice::new(seed);
        let clock = ManualClock::at(Timestamp::from_seconds(1_000_000));
        // Some logs leave out what they have; on others the inbox alone does.
        let log_dedupes = dice.chance(0.5);
        let disk = Disk::new(&dice, clock.shared(), plant.in_storage(), log_dedupes);
        let executor = Executor::new(dice.clone());
        let witness = Witness::new(&dice, clock.shared());
        let net = Net::new(&witness, executor.spawner());
        let storages = (0..NODES.end).map(|node| SimStorage::new(&disk, Some(node))).collect();
        let mut world = Self {
            dice,
            clock,
            disk,
            net,
            witness,
            ledger: Arc::default(),
            executor,
            storages,
            mended: Arc::default(),
            plant,
            lives: 0,
            down: BTreeSet::new(),
            frozen: BTreeMap::new(),
            doomed: None,
        };
        NODES.for_each(|node| world.start(node));
        (0..CLIENTS).for_each(|number| world.send_client(number));
        world.send_operator();
        world
    }

    // === Nodes ===

    pub fn start(&mut self, node: usize) {
        self.lives += 1;
        self.dice.note("start", &node.to_string());
        let storage = SimStorage::new(&self.disk, Some(node));
        self.storages[node] = storage.clone();
        let spawner = self.executor.spawner();
        let mut spawn = |work: BoxFuture<'static, ()>| spawner.spawn(Some(node), work);
        let bus = SimBus::start(storage.clone(), self.clock.shared(), &self.dice, &mut spawn);
        let (witness, plant) = (self.witness.clone(), self.plant);
        if node == FRONT {
            let owner = OwnerClient::new(self.owner_link(node, Duration::from_secs(2)));
            let front = FrontDesk { owner, bus, witness, plant };
            self.net.serve(node, serve_links(FrontRoutes::of(Arc::new(front)), self.clock.shared()));
        } else if OWNERS.contains(&node) {
            let listener = Listener { group: "audit", dice: self.dice.clone() };
            bus.subscribe(self.group(CUPS, "audit", node), Arc::new(listener), &mut spawn);
            let background = Arc::new(move |work| spawner.spawn(Some(node), work));
            let keeper = Keeper { storage, bus, witness, background, plant };
            self.net.serve(node, serve_links(OwnerRoutes::of(Arc::new(keeper)), self.clock.shared()));
        } else {
            let owner = OwnerClient::new(self.owner_link(node, Duration::from_millis(250)));
            let reader: Arc<dyn SimConsumer> =
                Arc::new(Reader { owner, witness, mended: Arc::clone(&self.mended) });
            bus.subscribe(self.group(CUPS, "readers", node), reader, &mut spawn);
            let counter = Listener { group: "counters", dice: self.dice.clone() };
            bus.subscribe(self.group(VISITS, "counters", node), Arc::new(counter), &mut spawn);
        }
    }

    fn owner_link(&self, node: usize, timeout: Duration) -> ieum_link::Link {
        let mut config = PolicyConfig { timeout, attempt: Some(timeout / 2), ..PolicyConfig::default() };
        (config.retry.first, config.retry.most) = (Duration::from_millis(20), Duration::from_millis(200));
        if self.plant == Plant::NoBudget {
            config.retry.budget = 10_000;
        }
        if let Some(breaker) = &mut config.breaker {
            breaker.open = Duration::from_secs(1);
        }
        Wire::new(&self.net, node, OWNERS, self.plant).guarded("owner", &config)
    }

    fn group(&self, topic: &str, group: &str, node: usize) -> SimGroup {
        SimGroup {
            topic: topic.to_owned(),
            group: group.to_owned(),
            member: format!("{group}-{node}-{}", self.lives),
            retry: RetryLanes { attempts: 1_000, backoff: backoff() },
            concurrency: 2,
            time_limit: Duration::from_millis(500),
            lease: LEASE,
            poll: Duration::from_millis(150),
        }
    }

    pub fn kill(&mut self, node: usize) {
        self.net.unserve(node);
        self.executor.kill(node);
        self.down.insert(node);
    }

    // === Who acts from outside ===

    fn send_client(&self, number: usize) {
        let front = FrontClient::new(Wire::new(&self.net, CLIENT, [FRONT], self.plant).link());
        let client =
            Client { number, front, witness: self.witness.clone(), ledger: Arc::clone(&self.ledger) };
        self.executor.spawner().spawn(None, client.run());
    }

    /// Replays dead letters, in vain while the cups are bad.
    fn send_operator(&self) {
        let (dice, clock) = (self.dice.clone(), self.clock.clone());
        let storage = SimStorage::new(&self.disk, None);
        self.executor.spawner().spawn(None, async move {
            loop {
                clock.sleep(Duration::from_secs(1)).await;
                let parked = |tables: &Tables| {
                    let parked = tables.dead().into_iter().filter(|dead| dead.state == DeadState::Parked);
                    parked.map(|dead| dead.id).collect::<Vec<_>>()
                };
                for id in storage.look(parked).await.unwrap_or_default() {
                    if dice.chance(0.5) {
                        // Asking again is harmless, so a lost answer does not matter.
                        let _ = storage.replay(&id).await;
                    }
                }
            }
        });
    }

    // === Time ===

    /// Lets time pass: things break for a while, then everything is whole and must come to its end.
    pub fn play(&mut self) {
        let begun = self.clock.moment();
        let mut done_at: Option<Moment> = None;
        loop {
            self.run_ready();
            let now = self.clock.moment();
            if now.since(begun) < ROUGH {
                self.break_something();
            } else {
                self.heal();
                if done_at.is_none() && self.is_done() {
                    done_at = Some(now);
                }
                let over = done_at.is_some_and(|done| now.since(done) > STRAGGLERS);
                if over || now.since(begun) > PATIENCE {
                    return;
                }
            }
            let step = Duration::from_millis(50);
            let wake = self.clock.next_wake().map_or(step, |wake| wake.since(self.clock.moment()));
            self.clock.advance(wake.min(step));
        }
    }

    fn is_done(&self) -> bool {
        is_done(&self.disk.tables(), &self.ledger.lock())
    }

    /// Says what went wrong first.
    pub fn judge(&self) -> Result<(), String> {
        let ledger = self.ledger.lock();
        let (problems, tables) = (self.witness.problems(), self.disk.tables());
        judge(&Outcome { problems: &problems, tables: &tables, ledger: &ledger })
    }
}

/// The waits of every lane.
pub fn backoff() -> Backoff {
    let first = Duration::from_millis(100);
    Backoff { first, factor: 2.0, most: first * 8, jitter: Jitter::Equal }
}

/// Tells whether everything that was asked for has had all its effects.
pub fn is_done(tables: &Tables, ledger: &Ledger) -> bool {
    if ledger.finished < CLIENTS || !tables.is_quiet() {
        return false;
    }
    let cups = tables.rows().filter(|(key, _)| key.starts_with("cup/")).count();
    let effects = |group: &str| tables.effects().iter().filter(|line| line.starts_with(group)).count();
    effects("readers ") >= cups
        && effects("audit ") >= cups
        && effects("counters ") >= ledger.visited.len()
        && tables.dead().iter().all(|dead| dead.state == DeadState::Resolved)
}
