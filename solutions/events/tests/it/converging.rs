//! Everything at once: a random list of sales, scans, reversals, deletions in pretix and of talks added, moved, taken
//! out in pretalx, with hooks lost, repeated and late, while the hub is killed again and again. In the end the hub
//! says what both say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ieum_contracts::events::{EventServiceRegistry, SlotStatus};
use ieum_core::{Clock, Cx, SystemClock, Timestamp, new_id, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::fault::{FaultPlan, HttpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::pretix::OwnPretix;
use ieum_testkit::server;
use ieum_testkit::wait::until;

use crate::changes::{Change, Counts, HOURS, Place};
use crate::child::{ChildHub, kill, spread};
use crate::equality::Truth;
use crate::faults::{Killer, Outages, print_outages, rough};
use crate::hub::{ForTests, Hub};
use crate::pretalx_api::{Pretalx, TURN};
use crate::pretix_api::{Pretix, Sale, Scanned, Ticket};
use crate::real_pretalx::{at, programme};
use crate::staleness::{ProgrammeStaleness, Staleness};

const SEED: u64 = 20_261_121;

/// The sources of pretix, one per check-in list.
const EVENTS: [&str; 2] = ["entrance", "gate"];

/// How long the hub may take to say what its sources say once nothing changes any more. In the long form each look
/// through pretix takes fifteen times as many answers, a third of which still get lost.
fn patience() -> Duration {
    Duration::from_secs(if server::long_faults() { 1_200 } else { 600 })
}

/// How often a hub looks through pretix for orders that vanished.
const VANISHED: Duration = Duration::from_secs(4);

/// Trial orders that the hub has read before anything else happens.
const KNOWN: u64 = 4;

/// What happens in pretix.
struct Shop {
    pretix: Pretix,
    staleness: Arc<Staleness>,
    orders: Vec<Sale>,
    trials: Vec<Sale>,
    tickets: Vec<Ticket>,
    /// Scans by ticket.
    scans: BTreeMap<i64, Vec<i64>>,
    /// Orders that were deleted.
    deleted: BTreeSet<String>,
    counts: Counts,
}

/// What happens in pretalx.
struct Stage {
    pretalx: Pretalx,
    staleness: Arc<ProgrammeStaleness>,
    begun: Timestamp,
    talks: Vec<String>,
    today: BTreeMap<String, (Timestamp, Timestamp)>,
    removed: BTreeSet<String>,
    counts: Counts,
}

fn nth<T>(list: &[T], which: u64) -> usize {
    (which % list.len() as u64) as usize
}

impl Shop {
    fn open(pretix: Pretix, staleness: Arc<Staleness>) -> Self {
        let mut orders: BTreeMap<String, Vec<Ticket>> = BTreeMap::new();
        for row in pretix.seed["positions"].as_array().expect("has positions") {
            let text = |field: &str| row[field].as_str().expect("is text").to_owned();
            let position = row["id"].as_i64().expect("is a number");
            orders.entry(text("order")).or_default().push(Ticket { position, secret: text("secret") });
        }
        let tickets = orders.values().flatten().cloned().collect();
        let orders = orders.into_iter().map(|(code, tickets)| Sale { code, tickets }).collect();
        let (trials, scans, deleted) = Default::default();
        Self { pretix, staleness, orders, trials, tickets, scans, deleted, counts: Counts::default() }
    }

    async fn play(&mut self, change: Change) {
        match change {
            Change::Sell { tickets, is_trial } => self.sell(tickets, is_trial).await,
            Change::Scan { ticket, list, is_exit, seconds_ago } => {
                let at = SystemClock.now() - Duration::from_secs(seconds_ago);
                self.scan(ticket, list, is_exit, Some(at)).await;
            }
            Change::Reverse { ticket, list } => {
                if let Some((scan, nonce)) = self.scan(ticket, list, false, None).await {
                    self.pretix.annul(&nonce, self.pretix.lists()[list]).await;
                    self.staleness.annulled(scan);
                    self.counts.reversed += 1;
                }
            }
            Change::CancelOrder { order } if !self.orders.is_empty() => {
                let sale = self.orders.remove(nth(&self.orders, order));
                self.pretix.cancel(&sale.code).await;
                self.leave(&sale.tickets);
                self.counts.orders_cancelled += 1;
            }
            Change::CancelTicket { order } => self.cancel_ticket(order).await,
            Change::DeleteOrder { order } if !self.trials.is_empty() => {
                // The oldest first: the hub knows those.
                let sale = self.trials.remove(nth(&self.trials, order % KNOWN));
                self.pretix.delete(&sale.code).await;
                self.leave(&sale.tickets);
                self.deleted.insert(sale.code);
                self.counts.orders_deleted += 1;
            }
            _ => {}
        }
    }

    async fn sell(&mut self, tickets: u64, is_trial: bool) {
        let sale = self.pretix.sell_some(tickets, is_trial).await;
        self.counts.sold += tickets;
        self.tickets.extend(sale.tickets.iter().cloned());
        if is_trial { self.trials.push(sale) } else { self.orders.push(sale) }
    }

    async fn cancel_ticket(&mut self, order: u64) {
        let mut shared: Vec<&mut Sale> =
            self.orders.iter_mut().filter(|sale| sale.tickets.len() > 1).collect();
        if shared.is_empty() {
            return;
        }
        let which = nth(&shared, order);
        let Some(ticket) = shared[which].tickets.pop() else { return };
        self.pretix.cancel_ticket(ticket.position).await;
        self.leave(&[ticket]);
        self.counts.tickets_cancelled += 1;
    }

    /// Scans a ticket, whatever became of it. Returns the scan and its name where it was taken.
    async fn scan(
        &mut self,
        ticket: u64,
        list: usize,
        is_exit: bool,
        at: Option<Timestamp>,
    ) -> Option<(i64, String)> {
        let ticket = self.tickets[nth(&self.tickets, ticket)].clone();
        let (nonce, list_id) = (new_id().to_string(), self.pretix.lists()[list]);
        let kind = if is_exit { "exit" } else { "entry" };
        match self.pretix.scan_told_later(&ticket.secret, list_id, kind, &nonce, at).await {
            Scanned::Refused => {
                self.counts.refused += 1;
                None
            }
            Scanned::Accepted(scan, created) => {
                self.staleness.accepted(EVENTS[list], scan, created);
                self.scans.entry(ticket.position).or_default().push(scan);
                let count = if is_exit { &mut self.counts.exits } else { &mut self.counts.entries };
                *count += 1;
                Some((scan, nonce))
            }
        }
    }

    /// The hub may never hold scans of tickets that are out.
    fn leave(&self, tickets: &[Ticket]) {
        for scan in tickets.iter().filter_map(|ticket| self.scans.get(&ticket.position)).flatten() {
            self.staleness.annulled(*scan);
        }
    }
}

impl Stage {
    async fn play(&mut self, change: Change) {
        match change {
            Change::AddTalk { place } => {
                let code = self.pretalx.add(&format!("Talk {}", self.counts.talks_added)).await;
                self.talks.push(code.clone());
                self.place(&code, place).await;
                self.counts.talks_added += 1;
            }
            Change::MoveTalk { talk, place } if !self.talks.is_empty() => {
                let code = self.talks[nth(&self.talks, talk)].clone();
                self.place(&code, place).await;
                self.counts.talks_moved += 1;
            }
            Change::CancelTalk { talk } if self.talks.len() > 2 => {
                let code = self.take_out(talk);
                self.pretalx.cancel(&code).await;
                self.counts.talks_cancelled += 1;
                self.release(&code, None).await;
            }
            Change::DeleteTalk { talk } if self.talks.len() > 2 => {
                let code = self.take_out(talk);
                self.pretalx.delete(&code).await;
                self.counts.talks_deleted += 1;
                self.release(&code, None).await;
            }
            _ => {}
        }
    }

    fn take_out(&mut self, talk: u64) -> String {
        let code = self.talks.remove(nth(&self.talks, talk));
        self.today.remove(&code);
        self.removed.insert(code.clone());
        code
    }

    async fn place(&mut self, code: &str, place: Place) {
        let minute = |seconds: i64| Timestamp::from_seconds(seconds / 60 * 60);
        let begins_at = match place.is_today {
            true => minute(self.begun.as_seconds()) - Duration::from_secs(HOURS * 3_600 - place.step * 300),
            false => at(540 + 5 * place.step),
        };
        self.pretalx.place(code, self.pretalx.rooms()[place.room], begins_at, place.minutes).await;
        self.today.remove(code);
        if place.is_today {
            let ends_at = begins_at + Duration::from_secs(place.minutes * 60);
            self.today.insert(code.to_owned(), (begins_at, ends_at));
        }
        self.release(code, Some(begins_at)).await;
    }

    async fn release(&mut self, code: &str, begins_at: Option<Timestamp>) {
        self.pretalx.release().await;
        self.staleness.released(code, begins_at);
    }
}

/// Plays all changes, those of the programme beside the others, while the hub is killed.
async fn play(shop: &mut Shop, stage: &mut Stage, changes: &[Change], killer: Killer) {
    let done = killer.done.clone();
    let killing = tokio::spawn(killer.run());
    let (talks, people): (Vec<Change>, Vec<Change>) =
        changes.iter().partition(|change| change.is_of_programme());
    let in_pretix = async {
        for change in people {
            shop.play(change).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    let in_pretalx = async {
        for change in talks {
            stage.play(change).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    tokio::join!(in_pretix, in_pretalx);
    killing.await.expect("the kills are done");
}

/// Registers both systems, each behind a proxy that then turns bad.
async fn register(hub: &Hub, shop: &Shop, stage: &Stage, hooks: &HttpProxy) -> [HttpProxy; 2] {
    let [people, talks] = [&shop.pretix.url, &stage.pretalx.url];
    let good = FaultPlan::default();
    let answers = HttpProxy::start(people, good).await.expect("starts");
    let feed = HttpProxy::start(talks, good).await.expect("starts");
    for (event_id, list) in EVENTS.into_iter().zip(shop.pretix.lists()) {
        let config = shop.pretix.config_of(event_id, list, &answers.url(), Some(hooks.url()));
        hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    }
    let mut config = stage.pretalx.config("talks");
    config.endpoints.api = feed.url();
    config.options.insert("attendedBy".into(), EVENTS[0].into());
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    [answers, feed]
}

/// Waits until the hub says what the sources say. Returns how long that took.
async fn until_equal(hub: &Hub, truth: &Truth, lists: [i64; 2]) -> Duration {
    let begun = SystemClock.moment();
    let equal = || async { truth.difference(hub, EVENTS, lists).await.is_none() };
    if until("the hub says what its sources say", patience(), equal).await.is_err() {
        panic!("seed {SEED}: {}", truth.difference(hub, EVENTS, lists).await.unwrap_or_default());
    }
    SystemClock.moment().since(begun)
}

/// Checks that what vanished is told, and nothing else. Returns how many orders and talks are.
async fn tombstones(hub: &Hub, shop: &Shop, known: &BTreeSet<String>, stage: &Stage) -> (usize, usize) {
    let mut told = BTreeSet::new();
    for event_id in EVENTS {
        let expected: BTreeSet<&String> = shop.deleted.intersection(known).collect();
        let held = || async {
            let sql = "SELECT DISTINCT order_code FROM ieum_events_order_position WHERE event_id = ?";
            let rows = hub.store.fetch_all(sql, &[event_id.into()]).await.expect("reads");
            let held = rows.iter().map(|row| row.text("order_code").expect("is text"));
            held.filter(|code| shop.deleted.contains(code)).collect::<Vec<String>>()
        };
        if until("no deleted order is held", patience(), || async { held().await.is_empty() }).await.is_err()
        {
            let source = hub.source(event_id).await;
            panic!("seed {SEED}, {event_id}: {:?} are deleted and held; {source:?}", held().await);
        }
        let sql = "SELECT order_code FROM ieum_events_gone WHERE event_id = ?";
        let rows = hub.store.fetch_all(sql, &[event_id.into()]).await.expect("reads");
        told = rows.iter().map(|row| row.text("order_code").expect("is text")).collect();
        assert!(told.is_subset(&shop.deleted), "{event_id}: {told:?} are told as gone");
        assert!(
            expected.iter().all(|code| told.contains(*code)),
            "{event_id}: only {told:?} are told as gone"
        );
        let source = hub.source(event_id).await.expect("is registered");
        assert_eq!(source.gone_orders, told.len() as u64, "{event_id}");
    }
    let slots = programme(hub, "talks").await.expect("is there").slots;
    let gone = slots.iter().filter(|slot| stage.removed.contains(&slot.slot_id));
    assert!(gone.clone().all(|slot| slot.status != SlotStatus::Planned), "{slots:?}");
    (told.len(), gone.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs pretix, pretalx"]
async fn a_killed_hub_ends_with_what_pretix_and_pretalx_say_of_themselves() {
    let (Some(pretalx), Some(_)) = (Pretalx::find(), server::require("pretix")) else { return };
    let _turn = TURN.lock().await;
    let (count, kills) = if server::long_faults() { (2_000, 40) } else { (130, 4) };
    let folder = tempfile::tempdir().expect("makes a folder");
    let own = OwnPretix::prepare(folder.path()).expect("prepares pretix");
    let mut own = own.expect("the runner says how to start one");
    own.start().await.expect("pretix starts");
    // The port stays the hub's own while that is dead.
    let (base, kept) = (SqlStore::sqlite(), KeptPort::take());
    let listen = kept.address().to_string();
    // Only registers and looks; what reads is killed.
    let hub = Hub::open_at(&base.url, system_clock(), EventsOptions::default().for_tests()).await;
    let staleness = Arc::new(Staleness::start(&base.url).await);
    let mut shop = Shop::open(Pretix::at(&own.url()), staleness.clone());
    let lateness = Arc::new(ProgrammeStaleness::start(&base.url).await);
    let begun = SystemClock.now();
    let (talks, today, removed, counts) = Default::default();
    let mut stage = Stage { pretalx, staleness: lateness.clone(), begun, talks, today, removed, counts };
    let mut seed = SEED;
    for round in 0..KNOWN {
        shop.sell(2, true).await;
        let place = Place { is_today: round % 2 == 0, ..Place::draw(&mut seed) };
        stage.play(Change::AddTalk { place }).await;
    }
    let known: BTreeSet<String> = shop.trials.iter().map(|sale| sale.code.clone()).collect();
    let hooks = HttpProxy::start(&listen, rough(SEED + 1)).await.expect("starts");
    let proxies = register(&hub, &shop, &stage, &hooks).await;
    let child =
        ChildHub { url: base.url.clone(), listen: Some(listen), sweep: true, vanished: Some(VANISHED) };
    let first = child.start();
    let lists = shop.pretix.lists();
    let truth = |stage: &Stage| (stage.today.clone(), stage.removed.clone());
    let (today, removed) = truth(&stage);
    until_equal(&hub, &Truth::read(&shop.pretix, &stage.pretalx, today, removed).await, lists).await;
    kill(first);
    for (proxy, plan) in proxies.iter().zip([FaultPlan::rough(SEED + 2), FaultPlan::rough(SEED + 3)]) {
        proxy.change(plan).expect("is a plan");
    }
    let changes: Vec<Change> = (0..count).map(|_| Change::draw(&mut seed)).collect();
    let outages = Outages::default();
    let mut moments: Vec<(u64, bool)> = (0..kills).map(|_| (spread(&mut seed, count), false)).collect();
    moments.sort_unstable();
    // One that stays until all is done.
    moments.push((count, false));
    let killer = Killer {
        pretix: Arc::new(tokio::sync::Mutex::new(own)),
        child: child.clone(),
        outages: outages.clone(),
        done: Arc::new(AtomicU64::new(0)),
        kills: moments,
        seed,
    };
    let pretix = killer.pretix.clone();
    play(&mut shop, &mut stage, &changes, killer).await;
    let last = child.start();
    let (today, removed) = truth(&stage);
    let truth = Truth::read(&shop.pretix, &stage.pretalx, today, removed).await;
    let took = until_equal(&hub, &truth, lists).await;
    let (orders, talks) = tombstones(&hub, &shop, &known, &stage).await;
    let seen = || async { staleness.summary().3 == 0 && lateness.summary().2 == 0 };
    until("every change is in the hub", patience(), seen).await.expect("is seen");
    kill(last);
    let (samples, median, largest, _) = staleness.summary();
    let (releases, latest, _) = lateness.summary();
    let (attended, people) = truth.attendance(&programme(&hub, "talks").await.expect("is there"));
    let counts = Counts {
        talks_added: stage.counts.talks_added,
        talks_moved: stage.counts.talks_moved,
        talks_cancelled: stage.counts.talks_cancelled,
        talks_deleted: stage.counts.talks_deleted,
        ..shop.counts
    };
    for event_id in EVENTS {
        let came = hub.source(event_id).await.expect("is registered").scans;
        eprintln!("{event_id}: totals {:?}, scans came {came:?}", hub.totals(event_id).await);
    }
    print_outages(&outages);
    eprintln!("hooks {:?}\nanswers {:?}", hooks.counts(), proxies.each_ref().map(HttpProxy::counts));
    eprintln!(
        "{count} changes: {counts}; equal {:.1} s after the last; {attended} talks attended by {people}; {orders} \
         orders and {talks} talks told as gone; seed {SEED}",
        took.as_secs_f64()
    );
    eprintln!(
        "staleness of {samples} scans: median {} ms, largest {} ms; of {releases} releases: largest {} ms",
        median.as_millis(),
        largest.as_millis(),
        latest.as_millis()
    );
    drop(pretix);
}
