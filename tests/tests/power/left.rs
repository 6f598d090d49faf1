//! What a killed process had written but not synced is on disk before the next one tells anybody of it.

use std::path::Path;

use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::power::{Moment, Phase, Replay};

use crate::cut::{rig, run};
use crate::workload::{Marks, Plan};

const FILE: &str = "left.db";

async fn open(folder: &Path, sqlite_synchronous: Synchronous) -> Store {
    let options = StoreOptions { sqlite_synchronous, ..StoreOptions::default() };
    let url = format!("sqlite:{}", folder.join(FILE).display());
    Store::open(&url, &options).await.expect("opens the store")
}

async fn cups(store: &Store) -> i64 {
    let row = store.fetch_one("SELECT COUNT(*) AS n FROM cup", &[]).await.expect("counts");
    row.int("n").expect("is a number")
}

/// Writes a row as a process does that is killed between its commit's write and its sync; then, as the next process,
/// finds the row and says so: a repeated command is answered from what is there.
#[tokio::test]
#[ignore = "runs as the child of the power cuts"]
async fn child() {
    let Some(plan) = Plan::read() else { return };
    let (folder, marks) = (Path::new(&plan.folder), Marks::open(Path::new(&plan.marks)));
    let killed = open(folder, Synchronous::Off).await;
    killed.execute("CREATE TABLE cup (id INTEGER PRIMARY KEY)", &[]).await.expect("makes a table");
    killed.execute("INSERT INTO cup (id) VALUES (7)", &[]).await.expect("writes");
    // Closing it would bring everything to its place.
    std::mem::forget(killed);
    let next = open(folder, Synchronous::Full).await;
    marks.set(&format!("told of {}", cups(&next).await));
}

#[tokio::test]
async fn what_was_told_after_a_kill_is_there_after_a_power_cut() {
    let Some(rig) = rig() else { return };
    run(&rig, "left::child", &Plan::of(&rig, 0));
    let history = rig.history().expect("reads the journal");
    let mut told = 0;
    for at in 0..=history.len() {
        let Some(mark) = history.marks_before(at).last() else { continue };
        for seed in 0..4 {
            let stage = ieum_testkit::temp::folder();
            let mut replay = Replay::new(&history);
            let image = replay.cut(&Moment { at, seed, phase: Phase::Rest, after_mark: true });
            image.write_to(stage.path()).expect("writes the disk");
            let store = open(stage.path(), Synchronous::Full).await;
            assert_eq!(format!("told of {}", cups(&store).await), mark, "at moment {at}");
            told += 1;
        }
    }
    assert!(told > 0, "somebody was told");
}
