//! `kill -9` of a hub at random moments while it syncs: what it holds in the end equals the source, and no
//! sweep repaired anything.

use std::time::Duration;

use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, SystemClock, Timestamp, system_clock};
use ieum_data::{Range, open_series};
use ieum_events::{EventsOptions, MEASUREMENT};
use ieum_testkit::server::long_faults;
use ieum_testkit::wait::until;

use crate::base::on_every_backend;
use crate::child::{ChildHub, kill, spread};
use crate::fake_pretix::{Checkin, FakePretix};
use crate::hub::{ForTests, Hub, PATIENCE, pretix_config};
use ieum_testkit::backend::SqlStore;

on_every_backend!(
    a_killed_hub_ends_with_the_sources_totals,
    without_sweeps_a_lost_scan_stays_lost,
    a_point_whose_process_was_killed_is_written_by_the_next,
);

const SEED: u64 = 20_261_121;

async fn without_sweep(base: &SqlStore) -> Hub {
    Hub::open_at(&base.url, system_clock(), EventsOptions::default().without_sweep()).await
}

async fn a_killed_hub_ends_with_the_sources_totals(base: &SqlStore) {
    let kills = if long_faults() { 200 } else { 12 };
    let mut seed = SEED;
    let pretix = FakePretix::start(system_clock()).await;
    let mut tickets = Vec::new();
    for i in 0..1_000 {
        tickets.extend(pretix.sell(&format!("K{i:04}"), 2));
    }
    let hub = without_sweep(base).await;
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.store.close().await;
    drop(hub);
    let child = ChildHub { url: base.url.clone(), listen: None, sweep: false, vanished: None };
    let mut scanned = 0;
    for _ in 0..kills {
        let running = child.start();
        for _ in 0..spread(&mut seed, 40) {
            pretix.scan(
                tickets[scanned % tickets.len()],
                if scanned < tickets.len() { "entry" } else { "exit" },
            );
            scanned += 1;
        }
        SystemClock.sleep(Duration::from_millis(30 + spread(&mut seed, 900))).await;
        kill(running);
    }
    let hub = without_sweep(base).await;
    hub.part.start().await.expect("starts");
    hub.until_totals("expo", pretix.truth()).await;
    let sql = "SELECT (SELECT COUNT(*) FROM ieum_events_checkin) AS scans, \
               (SELECT COUNT(*) FROM ieum_events_order_position) AS tickets";
    let row = hub.store.fetch_one(sql, &[]).await.expect("counts");
    assert_eq!(row.int("tickets").expect("is a number"), 2_000);
    assert_eq!(row.int("scans").expect("is a number"), i64::try_from(scanned).expect("fits"));
    let came = hub.source("expo").await.expect("is registered").scans;
    assert_eq!((came.first_sync + came.poll, came.hook, came.sweep), (scanned as u64, 0, 0), "{came:?}");
    eprintln!(
        "{kills} kills, {scanned} scans ({} by the first sync, {} by polls, sweeps off), totals {:?}, seed {SEED}",
        came.first_sync,
        came.poll,
        pretix.truth()
    );
    hub.stop().await;
}

/// What the check above rests on: with sweeps off, what polls do not find is missing for good.
async fn without_sweeps_a_lost_scan_stays_lost(base: &SqlStore) {
    let pretix = FakePretix::start(system_clock()).await;
    let tickets = pretix.sell("LOST", 2);
    let hub = without_sweep(base).await;
    hub.part.start().await.expect("starts");
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (2, 0, 0)).await;
    {
        let mut world = pretix.world.lock();
        let created = world.now() - Duration::from_secs(3_600);
        let id = world.new_id();
        let scan = Checkin { position: tickets[0], created, kind: "entry", successful: true };
        world.checkins.insert(id, scan);
        // Nor does its order show it: that was last changed before the overlap.
        world.orders.get_mut("LOST").expect("was sold").modified = created;
        world.asked.clear();
    }
    // Totals are compared twice within one read that finds them different.
    let compared = || async {
        let asked = pretix.world.lock().asked.clone();
        asked.iter().filter(|path| *path == "status").count() >= 6
    };
    until("totals were compared several times", PATIENCE, compared).await.expect("are compared");
    assert_eq!((pretix.truth(), hub.totals("expo").await), ((2, 1, 1), Some((2, 0, 0))));
    hub.stop().await;
}

async fn a_point_whose_process_was_killed_is_written_by_the_next(base: &SqlStore) {
    let pretix = FakePretix::start(system_clock()).await;
    pretix.sell("PAST", 5);
    let hub = Hub::started(base, system_clock()).await;
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.until_totals("expo", (5, 0, 0)).await;
    hub.part.drain().await;
    // As if the process had died between the commit and the write: the point is in the tables alone.
    let sql = "DELETE FROM ieum_series_value";
    assert!(hub.store.execute(sql, &[]).await.expect("deletes") > 0);
    hub.store.close().await;
    drop(hub);
    for _ in 0..2 {
        let hub = Hub::open(base, system_clock()).await;
        hub.part.start().await.expect("starts");
        hub.part.drain().await;
        let series = open_series("sql:", Some(hub.store.clone())).await.expect("opens");
        let far = Timestamp::from_seconds(4_000_000_000);
        let all = Range::new(MEASUREMENT, Timestamp::default(), far).tag("event", "expo");
        let points = series.query(&all).await.expect("answers");
        assert!(points.iter().any(|point| point.number("total_registered") == Some(5.0)), "{points:?}");
        let times: std::collections::BTreeSet<_> = points.iter().map(|point| point.at).collect();
        assert_eq!(times.len(), points.len(), "each time has one point");
        hub.store.close().await;
    }
}
