//! The worst of both worlds: a bad network between hub and pretix in both directions, and both are killed again
//! and again while people are scanned. In the end the hub's totals equal pretix's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, SystemClock, new_id, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::fault::{FaultPlan, HttpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::pretix::OwnPretix;
use ieum_testkit::server;
use ieum_testkit::wait::until;
use parking_lot::Mutex;

use crate::child::{ChildHub, kill, spread};
use crate::hub::{ForTests, Hub};
use crate::pretix_api::{Pretix, Scanned};
use crate::staleness::Staleness;
use ieum_testkit::backend::SqlStore;

const SEED: u64 = 20_261_121;

/// The sources, one per check-in list.
const EVENTS: [&str; 2] = ["entrance", "gate"];

/// How long totals may take to become equal once nothing is scanned any more.
const CONVERGE: Duration = Duration::from_secs(600);

/// How much is done in each of the two halves.
struct Size {
    scans: u64,
    pretix_kills: u64,
    hub_kills: u64,
}

/// Who was gone, and for how long.
pub type Outages = Arc<Mutex<Vec<(&'static str, Duration)>>>;

struct Scene {
    pretix: Arc<tokio::sync::Mutex<OwnPretix>>,
    child: ChildHub,
    /// As the scanners reach pretix.
    scanners: Pretix,
    staleness: Staleness,
    outages: Outages,
    done: Arc<AtomicU64>,
    seed: u64,
    tickets: Vec<String>,
    orders: Vec<String>,
    refused: u64,
    annulled: u64,
}

pub fn rough(seed: u64) -> FaultPlan {
    FaultPlan {
        drop: 0.3,
        delay: 0.3,
        duplicate: 0.3,
        reorder: 0.3,
        delay_most: Duration::from_millis(200),
        seed,
    }
}

impl Scene {
    /// Scans, sells, cancels and, where `annuls`, takes scans back, while both sides are killed.
    async fn play(&mut self, size: &Size, annuls: bool) {
        self.done.store(0, Ordering::SeqCst);
        let killing = tokio::spawn(Killer::of(self, size).run());
        for op in 0..size.scans {
            match spread(&mut self.seed, 20) {
                0 | 1 => {
                    let (code, ticket) = self.scanners.sell().await;
                    self.orders.push(code);
                    self.tickets.push(ticket);
                }
                2 if !self.orders.is_empty() => {
                    let nth = spread(&mut self.seed, self.orders.len() as u64) as usize;
                    let code = self.orders.swap_remove(nth);
                    self.scanners.cancel(&code).await;
                }
                _ => self.scan(annuls && op % 6 == 5).await,
            }
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        killing.await.expect("the kills are done");
    }

    async fn scan(&mut self, annul: bool) {
        let nth = spread(&mut self.seed, self.tickets.len() as u64) as usize;
        let list = spread(&mut self.seed, 2) as usize;
        let kind = if spread(&mut self.seed, 3) == 0 { "exit" } else { "entry" };
        let (nonce, list_id) = (new_id().to_string(), self.scanners.lists()[list]);
        match self.scanners.scan_at(&self.tickets[nth], list_id, kind, &nonce).await {
            Scanned::Refused => self.refused += 1,
            Scanned::Accepted(scan, created) => {
                self.staleness.accepted(EVENTS[list], scan, created);
                if annul {
                    self.scanners.annul(&nonce, list_id).await;
                    self.staleness.annulled(scan);
                    self.annulled += 1;
                }
            }
        }
    }

    /// Waits until the hub's totals of every list are pretix's own. Returns how long that took.
    async fn until_equal(&self, hub: &Hub) -> Duration {
        let direct = Pretix::at(&self.pretix.lock().await.url());
        let begun = SystemClock.moment();
        for (event_id, list) in EVENTS.into_iter().zip(direct.lists()) {
            let truth = direct.truth_of(list).await;
            let equal = || async { hub.totals(event_id).await == Some(truth) };
            if until("totals are equal", CONVERGE, equal).await.is_err() {
                let source = hub.source(event_id).await;
                panic!("{event_id}: {:?}, pretix says {truth:?}; {source:?}", hub.totals(event_id).await);
            }
        }
        let took = SystemClock.moment().since(begun);
        let all = || async { self.staleness.summary().3 == 0 };
        until("every accepted scan is in the number", CONVERGE, all).await.expect("is seen");
        took
    }
}

/// Kills both sides while a scene plays.
pub struct Killer {
    pub pretix: Arc<tokio::sync::Mutex<OwnPretix>>,
    pub child: ChildHub,
    pub outages: Outages,
    pub done: Arc<AtomicU64>,
    /// After how many changes, and whether pretix is killed or the hub.
    pub kills: Vec<(u64, bool)>,
    pub seed: u64,
}

impl Killer {
    fn of(scene: &mut Scene, size: &Size) -> Self {
        let mut kills = Vec::new();
        for (count, is_pretix) in [(size.pretix_kills, true), (size.hub_kills, false)] {
            kills.extend((0..count).map(|_| (spread(&mut scene.seed, size.scans), is_pretix)));
        }
        kills.sort_unstable();
        Self {
            pretix: scene.pretix.clone(),
            child: scene.child.clone(),
            outages: scene.outages.clone(),
            done: scene.done.clone(),
            kills,
            seed: scene.seed,
        }
    }

    pub async fn run(mut self) {
        let mut hub = Some(self.child.start());
        for (after, is_pretix) in std::mem::take(&mut self.kills) {
            let reached = || async { self.done.load(Ordering::SeqCst) >= after };
            until("so much is scanned", Duration::from_secs(3_600), reached).await.expect("is scanned");
            let begun = SystemClock.moment();
            let pause = Duration::from_millis(spread(&mut self.seed, 2_000));
            if is_pretix {
                let mut pretix = self.pretix.lock().await;
                pretix.kill();
                SystemClock.sleep(pause).await;
                pretix.start().await.expect("pretix starts again");
            } else {
                hub.take().into_iter().for_each(kill);
                SystemClock.sleep(pause).await;
                hub = Some(self.child.start());
                let address = self.child.listen.clone().unwrap_or_default();
                let listens = || async { tokio::net::TcpStream::connect(&address).await.is_ok() };
                until("the hub listens", Duration::from_secs(180), listens).await.expect("listens");
            }
            let who = if is_pretix { "pretix" } else { "hub" };
            self.outages.lock().push((who, SystemClock.moment().since(begun)));
        }
        hub.take().into_iter().for_each(kill);
    }
}

pub fn print_outages(outages: &Outages) {
    let outages = outages.lock();
    for side in ["pretix", "hub"] {
        let spans: Vec<String> = outages
            .iter()
            .filter(|(who, _)| *who == side)
            .map(|(_, span)| format!("{:.1}", span.as_secs_f64()))
            .collect();
        eprintln!("{side} was killed {} times and gone for (s): {}", spans.len(), spans.join(" "));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs pretix"]
async fn totals_converge_through_a_bad_network_and_kills_of_either_side() {
    if server::require("pretix").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("makes a folder");
    let own = OwnPretix::prepare(folder.path()).expect("prepares pretix");
    let mut own = own.expect("the runner says how to start one");
    own.start().await.expect("pretix starts");
    let url = own.url();
    let size = match server::long_faults() {
        true => Size { scans: 400, pretix_kills: 8, hub_kills: 20 },
        false => Size { scans: 30, pretix_kills: 1, hub_kills: 2 },
    };
    let good = FaultPlan::default();
    let base = SqlStore::sqlite();
    // It stays the hub's own while that is dead.
    let kept = KeptPort::take();
    let listen = kept.address().to_string();
    let answers = HttpProxy::start(&url, good).await.expect("starts");
    let hooks = HttpProxy::start(&listen, rough(SEED + 1)).await.expect("starts");
    let scans = HttpProxy::start(&url, rough(SEED + 2)).await.expect("starts");
    let scanners = Pretix::at(&scans.url());
    // Registers only; what reads is killed.
    let hub = Hub::open_at(&base.url, system_clock(), EventsOptions::default().for_tests()).await;
    for (event_id, list) in EVENTS.into_iter().zip(scanners.lists()) {
        let config = scanners.config_of(event_id, list, &answers.url(), Some(hooks.url()));
        hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    }
    answers.change(rough(SEED)).expect("is a plan");
    let mut scene = Scene {
        pretix: Arc::new(tokio::sync::Mutex::new(own)),
        child: ChildHub { url: base.url.clone(), listen: Some(listen), sweep: false, vanished: None },
        staleness: Staleness::start(&base.url).await,
        outages: Outages::default(),
        done: Arc::default(),
        seed: SEED,
        tickets: scanners.secrets(),
        orders: Vec::new(),
        refused: 0,
        annulled: 0,
        scanners,
    };
    // First without sweeps: what hooks and polls lose would stay lost.
    scene.play(&size, false).await;
    let last = scene.child.start();
    let first_half = scene.until_equal(&hub).await;
    kill(last);
    // Then with scans taken back, which only comparing totals shows.
    scene.child.sweep = true;
    scene.play(&size, true).await;
    let last = scene.child.start();
    let second_half = scene.until_equal(&hub).await;
    let (samples, median, largest, _) = scene.staleness.summary();
    kill(last);
    for event_id in EVENTS {
        let came = hub.source(event_id).await.expect("is registered").scans;
        eprintln!("{event_id}: totals {:?}, scans came {came:?}", hub.totals(event_id).await);
    }
    print_outages(&scene.outages);
    eprintln!("hooks {:?}\nanswers {:?}", hooks.counts(), answers.counts());
    eprintln!(
        "converged in {:.1} s without sweeps and {:.1} s with them, {} refused and {} annulled scans, seed {SEED}",
        first_half.as_secs_f64(),
        second_half.as_secs_f64(),
        scene.refused,
        scene.annulled
    );
    eprintln!(
        "staleness of {samples} scans: median {} ms, largest {} ms",
        median.as_millis(),
        largest.as_millis()
    );
}
