//! `kill -9` of whoever answers: no answer is paid for and not kept, none kept and not paid for.

use std::process::{Command, Stdio};
use std::time::Duration;

use ieum_contracts::analytics::{BehaviourAsk, Insights};
use ieum_core::{Clock, Cx, SystemClock};
use ieum_store::{Store, StoreOptions};
use ieum_testkit::backend::SqlStore;
use ieum_testkit::wait::until;

use crate::behaviour::crowd;
use crate::stage::{PATIENCE, Stage};

const URL: &str = "IEUM_ANALYTICS_CHILD_URL";
/// Partners of the child, each with a budget for three answers.
const PARTNERS: i64 = 40;
/// All that the child can be told.
const MOST_TOLD: i64 = 3 * PARTNERS;

/// The process that is killed: it asks one new question after the other. No test by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test that kills it"]
async fn child_that_asks() {
    let Some(url) = setting() else { return };
    let stage = Stage::over(&url).await;
    for round in 0_i64.. {
        crowd(&stage, 50 + round % 200);
        let ask =
            BehaviourAsk { event_id: "fair".into(), partner: format!("p{}", round % PARTNERS), plan: None };
        // Most budgets are used up after a while.
        let _ = stage.insights.behaviour(&Cx::root(), ask).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spent_and_what_is_told_outlive_a_kill_together() {
    let base = SqlStore::sqlite();
    drop(Stage::over(&base.url).await);
    let looking = Store::open(&base.url, &StoreOptions::default()).await.expect("opens");
    let mut told_before = 0;
    for round in 0_u64..6 {
        let mut command = Command::new(std::env::current_exe().expect("knows itself"));
        command.args(["--ignored", "--exact", "killed::child_that_asks"]).env(URL, &base.url);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        // Each kill meets work: some answers more were told, until there is nothing more to tell.
        let target = MOST_TOLD.min(told_before + 8);
        let enough = || async { count(&looking).await >= target };
        until("it tells", PATIENCE, enough).await.expect("tells");
        SystemClock.sleep(Duration::from_millis(7 * round)).await;
        child.kill().expect("kills");
        child.wait().expect("ends");
        let store = Store::open(&base.url, &StoreOptions::default()).await.expect("opens");
        let sql = "SELECT p.partner, p.spent, COUNT(t.question) AS told FROM ieum_analytics_privacy p \
                   LEFT JOIN ieum_analytics_told t ON t.partner = p.partner GROUP BY p.partner, p.spent";
        let mut told = 0;
        for row in store.fetch_all(sql, &[]).await.expect("reads") {
            let spent = row.int("spent").expect("is a number");
            let answers = row.int("told").expect("is a number");
            assert_eq!(spent, answers * 1_000_000, "{:?}", row.text("partner"));
            assert!(spent <= 3_000_000);
            told += answers;
        }
        assert!(told >= told_before, "what was told is kept");
        told_before = told;
    }
    assert!(told_before > 20, "only {told_before} answers were told between the kills");
}

/// Returns how many answers are kept as told.
async fn count(store: &Store) -> i64 {
    let row = store.fetch_one("SELECT COUNT(*) AS told FROM ieum_analytics_told", &[]).await.expect("counts");
    row.int("told").expect("is a number")
}

#[allow(clippy::disallowed_methods, reason = "the parent test hands the setting over in the environment")]
fn setting() -> Option<String> {
    std::env::var(URL).ok()
}
