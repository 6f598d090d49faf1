//! `kill -9` of a hub at random moments while it syncs: what it holds in the end equals the source.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ieum_contracts::events::EventServiceRegistry;
use ieum_core::{Clock, Cx, SystemClock, system_clock};
use ieum_testkit::server::long_faults;

use crate::fake_pretix::FakePretix;
use crate::hub::{Hub, pretix_config};

const FILE: &str = "IEUM_EVENTS_CHILD_FILE";

/// The process that is killed: a hub that reads whatever is registered in its file. No test by itself.
#[tokio::test]
#[ignore = "run by a_killed_hub_ends_with_the_sources_totals"]
#[allow(clippy::disallowed_methods, reason = "the parent test hands the file over in the environment")]
async fn child_hub() {
    let Ok(file) = std::env::var(FILE) else { return };
    let hub = Hub::started(file.as_ref(), system_clock()).await;
    std::future::pending::<()>().await;
    hub.stop().await;
}

/// Starts a process that reads whatever is registered in `file`.
pub fn start_child(file: &Path) -> Child {
    Command::new(std::env::current_exe().expect("knows itself"))
        .args(["--ignored", "--exact", "crashing::child_hub"])
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Returns a number below `most` and moves the seed on.
pub fn spread(seed: &mut u64, most: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_hub_ends_with_the_sources_totals() {
    let kills = if long_faults() { 200 } else { 12 };
    let mut seed = 20_261_121_u64;
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("hub.db");
    let pretix = FakePretix::start(system_clock()).await;
    let mut tickets = Vec::new();
    for i in 0..1_000 {
        tickets.extend(pretix.sell(&format!("K{i:04}"), 2));
    }
    let hub = Hub::open(&file, system_clock()).await;
    let config = pretix_config("expo", &pretix.url, "acme", "expo", "t");
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    hub.store.close().await;
    drop(hub);
    let mut scanned = 0;
    for _ in 0..kills {
        let mut child = start_child(&file);
        for _ in 0..spread(&mut seed, 40) {
            pretix.scan(
                tickets[scanned % tickets.len()],
                if scanned < tickets.len() { "entry" } else { "exit" },
            );
            scanned += 1;
        }
        SystemClock.sleep(Duration::from_millis(30 + spread(&mut seed, 900))).await;
        child.kill().expect("kills");
        child.wait().expect("ends");
    }
    let hub = Hub::started(&file, system_clock()).await;
    hub.until_totals("expo", pretix.truth()).await;
    let sql = "SELECT (SELECT COUNT(*) FROM ieum_events_checkin) AS scans, \
               (SELECT COUNT(*) FROM ieum_events_order_position) AS tickets";
    let row = hub.store.fetch_one(sql, &[]).await.expect("counts");
    assert_eq!(row.int("tickets").expect("is a number"), 2_000);
    assert_eq!(row.int("scans").expect("is a number"), i64::try_from(scanned).expect("fits"));
    let sql = "SELECT COUNT(*) AS n FROM ieum_events_cursor WHERE resynced_at IS NOT NULL";
    assert_eq!(
        hub.store.fetch_one(sql, &[]).await.expect("counts").int("n").expect("is a number"),
        0,
        "no repair was needed"
    );
    eprintln!("{kills} kills, {scanned} scans, totals {:?}, seed 20261121", pretix.truth());
    hub.stop().await;
}
