//! Four processes share one rate limit: no window ever holds one too many.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_cache::{Cache, open_cache, open_cache_on};
use ieum_core::{Clock, SystemClock, new_id, system_clock};
use ieum_policy::Gcra;
use ieum_store::Store;
use ieum_testkit::port::KeptPort;

use crate::backend;

const RATE: u32 = 50;
const PER: Duration = Duration::from_secs(1);
const BURST: u32 = 20;
const PROCESSES: usize = 4;
const SPAN: Duration = Duration::from_secs(2);
/// How many requests of each child pass at least.
const EACH: usize = 10;

/// Environment of a child: the URL of what is shared, and the limit's key.
const SHARED: &str = "IEUM_CACHE_TEST_SHARED";
const KEY: &str = "IEUM_CACHE_TEST_KEY";

#[allow(clippy::disallowed_methods, reason = "a child is told by its environment what to do")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn open(shared: &str) -> Arc<dyn Cache> {
    if shared.starts_with("redis") {
        return open_cache(shared, system_clock()).await.expect("opens");
    }
    let store = Store::open(shared, &backend::options()).await.expect("opens the store");
    open_cache_on("sql:", system_clock(), Some(store)).await.expect("opens")
}

/// The child: asks as fast as it can and prints, for each request that passed, the times before and after.
#[tokio::test]
#[ignore = "is started by the others"]
async fn child_asks_as_fast_as_it_can() {
    let (Some(shared), Some(key)) = (told(SHARED), told(KEY)) else { return };
    let cache = open(&shared).await;
    let limit = Gcra::new(RATE, PER, BURST).expect("is a limit");
    let (begun, mut own) = (SystemClock.now(), 0);
    // On a busy machine one may get nothing before the others have had their time.
    while SystemClock.now().since(begun) < SPAN || own < EACH {
        let before = SystemClock.now();
        // Whoever holds the store while the machine stands still keeps the others waiting for too long.
        let decision = match cache.gcra(&key, &limit, before).await {
            Err(error) if error.is_retryable() => continue,
            decision => decision.expect("decides"),
        };
        if decision.allowed {
            own += 1;
            println!("passed {} {}", before.as_micros(), SystemClock.now().as_micros());
        }
    }
}

/// Runs the children and checks every window between two requests that passed.
fn no_window_holds_one_too_many(shared: &str) {
    let key = new_id().to_string();
    let program = std::env::current_exe().expect("knows itself");
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(&program)
                .args(["limits::child_asks_as_fast_as_it_can", "--exact", "--nocapture", "--include-ignored"])
                .env(SHARED, shared)
                .env(KEY, &key)
                .stdout(Stdio::piped())
                .spawn()
                .expect("starts a child")
        })
        .collect();
    let mut passed: Vec<(i64, i64)> = Vec::new();
    let mut who_passed = 0;
    for child in children {
        let output = child.wait_with_output().expect("a child ends");
        assert!(output.status.success(), "a child failed: {}", String::from_utf8_lossy(&output.stdout));
        let text = String::from_utf8(output.stdout).expect("is text");
        let before = passed.len();
        passed.extend(text.lines().filter_map(|line| {
            // The test harness writes "test … " in front of the first line.
            let (_, times) = line.split_once("passed ")?;
            let (first, last) = times.split_once(' ')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        }));
        who_passed += usize::from(passed.len() > before);
    }
    passed.sort_unstable();
    assert!(passed.len() >= BURST as usize, "only {} passed", passed.len());
    assert_eq!(who_passed, PROCESSES, "every child got something");
    for i in 0..passed.len() {
        let mut ends: Vec<i64> = passed[i..].iter().map(|(_, last)| *last).collect();
        ends.sort_unstable();
        for (j, end) in ends.iter().enumerate() {
            let window = end - passed[i].0;
            let most = i64::from(BURST) + window * i64::from(RATE) / PER.as_micros() as i64;
            let count = j as i64 + 1;
            assert!(count <= most, "{count} passed within {window} us where {most} may");
        }
    }
}

#[test]
fn four_processes_on_one_sqlite_file_never_let_one_too_many_pass() {
    let folder = tempfile::tempdir().expect("makes a folder");
    no_window_holds_one_too_many(&format!("sqlite:{}", folder.path().join("shared.db").display()));
}

#[test]
#[ignore = "needs redis"]
fn four_processes_on_one_redis_never_let_one_too_many_pass() {
    let Some(url) = ieum_testkit::server::require("redis") else { return };
    no_window_holds_one_too_many(&url);
}

#[test]
#[ignore = "needs postgres"]
fn four_processes_on_one_postgres_never_let_one_too_many_pass() {
    let Some(url) = ieum_testkit::server::require("postgres") else { return };
    no_window_holds_one_too_many(&url);
}

#[test]
#[ignore = "needs mysql"]
fn four_processes_on_one_mysql_never_let_one_too_many_pass() {
    let Some(url) = ieum_testkit::server::require("mysql") else { return };
    no_window_holds_one_too_many(&url);
}

#[tokio::test]
#[ignore = "needs redis"]
async fn redis_and_the_pure_rule_decide_the_same() {
    let Some(url) = ieum_testkit::server::require("redis") else { return };
    let cache = open(&url).await;
    for (rate, per, burst) in [(1, 3600, 1), (3, 1, 2), (1000, 1, 50), (7, 60, 3)] {
        let limit = Gcra::new(rate, Duration::from_secs(per), burst).expect("is a limit");
        let key = new_id().to_string();
        let mut arrival = 0;
        for _ in 0..200 {
            let decision = cache.gcra(&key, &limit, SystemClock.now()).await.expect("decides");
            // What Redis kept is what the rule said last, or the key ended because that had passed.
            assert!(decision.new_arrival >= arrival, "{decision:?} after {arrival}");
            arrival = decision.new_arrival;
        }
    }
}

#[tokio::test]
async fn a_missing_server_and_garbage_urls_are_told_apart() {
    for url in ["", "cache", "ftp://h", "sql:", "rediss://h", "redis://u:hunter2@h:99999"] {
        let error = open_cache(url, system_clock()).await.map(drop).expect_err("is garbage").to_string();
        assert!(error.starts_with("reading the cache url") && !error.contains("hunter2"), "{error}");
    }
    let nobody = KeptPort::take();
    let url = format!("redis://:hunter2@{}", nobody.address());
    let error = open_cache(&url, system_clock()).await.map(drop).expect_err("nobody listens");
    assert!(error.is_retryable() && !format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
