//! What vanishes at a source without a word, found by a hub that is killed again and again while it looks.

use std::time::Duration;

use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, SystemClock, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::backend::SqlStore;
use ieum_testkit::server::long_faults;
use ieum_testkit::wait::until;

use crate::child::{ChildHub, kill, spread};
use crate::fake_pretix::FakePretix;
use crate::hub::{ForTests, Hub, pretix_config};

const SEED: u64 = 20_261_121;

async fn looking(base: &SqlStore) -> Hub {
    let options = EventsOptions {
        vanished_every: Duration::from_millis(800),
        ..EventsOptions::default().without_sweep()
    };
    Hub::open_at(&base.url, system_clock(), options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_killed_while_it_looks_finds_all_that_vanished_and_nothing_else() {
    let kills = if long_faults() { 100 } else { 8 };
    let mut seed = SEED;
    let base = SqlStore::sqlite();
    let pretix = FakePretix::start(system_clock()).await;
    let mut tickets = Vec::new();
    for i in 0..400 {
        tickets.extend(pretix.sell(&format!("V{i:03}"), 2));
    }
    let hub = looking(&base).await;
    hub.part.start().await.expect("starts");
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (800, 0, 0)).await;
    hub.part.drain().await;
    hub.store.close().await;
    drop(hub);
    let child = ChildHub {
        url: base.url.clone(),
        listen: None,
        sweep: false,
        vanished: Some(Duration::from_millis(800)),
    };
    let mut gone = 0;
    for ticket in tickets.iter().take(kills) {
        let running = child.start();
        for _ in 0..3 {
            let code = format!("V{:03}", spread(&mut seed, 400));
            gone += u64::from(pretix.world.lock().orders.remove(&code).is_some());
        }
        pretix.scan(*ticket, "entry");
        SystemClock.sleep(Duration::from_millis(200 + spread(&mut seed, 1_200))).await;
        kill(running);
    }
    let hub = looking(&base).await;
    hub.part.start().await.expect("starts");
    hub.until_totals("expo", pretix.truth()).await;
    let status = hub.source("expo").await.expect("is registered");
    assert_eq!(status.gone_orders, gone, "{status:?}");
    assert_eq!(pretix.truth().0, 800 - 2 * gone);
    eprintln!("{kills} kills, {gone} of 400 orders deleted without a word and all found, seed {SEED}");
    hub.stop().await;
}

/// pretix reads an order and then its tickets. One that is deleted in between is told once more, and holds none.
#[tokio::test]
async fn an_order_that_is_read_while_it_is_deleted_is_told_as_gone() {
    let base = SqlStore::sqlite();
    let pretix = FakePretix::start(system_clock()).await;
    let [torn, kept] = ["TORN1", "KEPT1"].map(|code| pretix.sell(code, 2)[0]);
    let hub = looking(&base).await;
    hub.part.start().await.expect("starts");
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    for ticket in [torn, kept] {
        pretix.scan(ticket, "entry");
    }
    hub.until_totals("expo", (4, 2, 2)).await;
    {
        let mut world = pretix.world.lock();
        world.touch(torn);
        world.orders.get_mut("TORN1").expect("is there").positions.clear();
    }
    hub.until_totals("expo", (2, 1, 1)).await;
    pretix.world.lock().orders.remove("TORN1");
    let told = || async { hub.source("expo").await.expect("is registered").gone_orders == 1 };
    until("the order is told as gone", Duration::from_secs(20), told).await.expect("is told");
    hub.stop().await;
}
