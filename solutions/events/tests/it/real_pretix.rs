//! A real pretix: people are scanned there, and the hub's totals equal the check-in list's own.

use std::time::Duration;

use ieum_contracts::events::{EventServiceRegistry, SourceId};
use ieum_core::{Clock, Cx, SystemClock, system_clock};
use ieum_events::EventsOptions;
use ieum_testkit::server;
use ieum_testkit::wait::until;

use crate::child::{ChildHub, kill, spread};
use crate::hub::{ForTests, Hub, PATIENCE};
use crate::pretix_api::Pretix;
use ieum_testkit::backend::SqlStore;

/// Tests scan the same tickets of one event, so they take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const SEED: u64 = 20_261_121;

async fn remove(hub: &Hub) {
    let gone = SourceId { event_id: "conf".into() };
    hub.part.registry().remove(&Cx::root(), gone).await.expect("removes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn people_scanned_in_pretix_are_in_the_hub_within_seconds() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    let address = hub.serve().await;
    let mut config = pretix.config(&pretix.url, Some(address));
    // Only hints move the hub; the schedule would take a day.
    config.sync_settings.interval = 86_400;
    let registered = hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    assert!(registered.probe.ok, "{:?}", registered.probe);
    hub.until_totals("conf", pretix.truth().await).await;
    let read = || async { hub.source("conf").await.is_some_and(|source| source.last_success_at.is_some()) };
    until("the first read is complete", PATIENCE, read).await.expect("is complete");
    let mut slowest = Duration::ZERO;
    for secret in pretix.secrets().iter().take(6) {
        for kind in ["exit", "entry"] {
            pretix.scan(secret, kind).await;
            let begun = SystemClock.moment();
            hub.until_totals("conf", pretix.truth().await).await;
            slowest = slowest.max(SystemClock.moment().since(begun));
        }
    }
    eprintln!("by hints alone, 12 scans: largest staleness {} ms", slowest.as_millis());
    remove(&hub).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn an_annulled_scan_which_pretix_tells_nobody_of_is_found() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let base = SqlStore::sqlite();
    let hub = Hub::started(&base, system_clock()).await;
    hub.part.registry().register(&Cx::root(), pretix.config(&pretix.url, None)).await.expect("registers");
    hub.until_totals("conf", pretix.truth().await).await;
    let secret = &pretix.secrets()[39];
    pretix.scan(secret, "exit").await;
    hub.until_totals("conf", pretix.truth().await).await;
    let nonce = pretix.scan(secret, "entry").await;
    hub.until_totals("conf", pretix.truth().await).await;
    pretix.annul(&nonce, pretix.list()).await;
    hub.until_totals("conf", pretix.truth().await).await;
    remove(&hub).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn a_hub_killed_while_it_reads_pretix_ends_with_its_totals() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let kills = if server::long_faults() { 200 } else { 10 };
    let mut seed = SEED;
    let base = SqlStore::sqlite();
    let open = || Hub::open_at(&base.url, system_clock(), EventsOptions::default().without_sweep());
    let hub = open().await;
    hub.part.registry().register(&Cx::root(), pretix.config(&pretix.url, None)).await.expect("registers");
    hub.store.close().await;
    drop(hub);
    let secrets = pretix.secrets();
    let child = ChildHub { url: base.url.clone(), listen: None, sweep: false, vanished: None };
    for i in 0..kills {
        let running = child.start();
        let kind = if spread(&mut seed, 2) == 0 { "entry" } else { "exit" };
        pretix.scan(&secrets[i % secrets.len()], kind).await;
        SystemClock.sleep(Duration::from_millis(30 + spread(&mut seed, 800))).await;
        kill(running);
    }
    let hub = open().await;
    hub.part.start().await.expect("starts");
    let truth = pretix.truth().await;
    hub.until_totals("conf", truth).await;
    let came = hub.source("conf").await.expect("is registered").scans;
    assert_eq!((came.hook, came.sweep), (0, 0), "{came:?}");
    eprintln!(
        "{kills} kills while reading pretix, totals {truth:?}; scans came by the first sync {}, polls {}, \
         sweeps are off; seed {SEED}",
        came.first_sync, came.poll
    );
    remove(&hub).await;
    hub.stop().await;
}
