//! Kills a process that accepts and sends webhooks: what was committed arrives, in order per key, none after 410.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Id, Timestamp, system_clock};
use ieum_store::{Sealer, SealingKey, Store, StoreOptions};
use ieum_testkit::wait::until;
use ieum_webhook::{EndpointState, NewEndpoint, Schedule, WebhookMessage, WebhookOptions, Webhooks};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::receiver::{Receiver, Reply, Seen};
use crate::stage::{Stage, webhooks};

const KEYS: usize = 8;
const MESSAGES: usize = 1_200;
const KILLS: usize = 12;
const STORE: &str = "IEUM_WEBHOOK_CHILD_STORE";
const KEY: &str = "IEUM_WEBHOOK_CHILD_KEY";

#[allow(clippy::disallowed_methods, reason = "how the parent talks to its child")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn options() -> WebhookOptions {
    WebhookOptions {
        lease: Duration::from_secs(2),
        timeout: Duration::from_millis(1_000),
        schedule: Schedule { waits: vec![Duration::ZERO; 100], ..Schedule::default() },
        ..WebhookOptions::default()
    }
}

fn message(number: usize, partner: &str) -> WebhookMessage {
    WebhookMessage {
        id: format!("m-{number}"),
        event: "event.data.updated".into(),
        timestamp: Timestamp::from_seconds(1_780_000_000),
        data: json!({ "number": number }),
        key: Some(format!("k-{}", number % KEYS)),
        partner: partner.into(),
    }
}

/// Accepts what is not accepted yet, one commit after the other, and sends until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the kill test"]
async fn child() {
    let (Some(url), Some(key)) = (variable(STORE), variable(KEY)) else { return };
    let options_of_store =
        StoreOptions { acquire_timeout: Duration::from_secs(120), ..StoreOptions::default() };
    let store = Store::open(&url, &options_of_store).await.expect("opens the store");
    let key = SealingKey::read(Path::new(&key)).expect("is a key");
    let sealer = Sealer::new(&[key]).expect("has a key");
    let webhooks = webhooks(&store, &sealer, system_clock(), options());
    let _running = webhooks.start();
    let first = accepted(&store).await;
    for number in first..MESSAGES {
        let mut tx = store.begin().await.expect("begins");
        for partner in ["seoul", "gone"] {
            webhooks.enqueue(&mut tx, &Cx::root(), &message(number, partner)).await.expect("is accepted");
        }
        tx.commit().await.expect("commits");
        webhooks.wake();
    }
    std::future::pending::<()>().await;
}

/// Returns how many messages are committed; they are in order, so it is the next one's number as well.
async fn accepted(store: &Store) -> usize {
    let sql = "SELECT COUNT(*) AS n FROM ieum_webhook_message WHERE partner = 'seoul'";
    let row = store.fetch_one(sql, &[]).await.expect("counts");
    usize::try_from(row.int("n").expect("is a number")).expect("is small")
}

async fn register(webhooks: &Webhooks, partner: &str, url: &str) -> Id {
    let (partner, url) = (partner.to_owned(), url.to_owned());
    let wish = NewEndpoint { partner, url, events: Vec::new(), ordered: true, filters: Vec::new() };
    webhooks.register(wish).await.expect("registers").endpoint.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_webhook_arrives_in_order_over_kills_and_none_after_gone() {
    let stage = Stage::sqlite().await;
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("sealing.key");
    let key = SealingKey::read_or_make(&path).expect("makes a key");
    let sealer = Sealer::new(&[key]).expect("has a key");
    let here = webhooks(&stage.store, &sealer, system_clock(), options());
    let (seoul, gone) = (Receiver::start().await, Receiver::start().await);
    register(&here, "seoul", &seoul.url).await;
    let endpoint = register(&here, "gone", &gone.url).await;
    gone.answer(|_| Reply::status(410));
    // Every twentieth request fails once, so that retries are killed as well.
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (mut asked, takes) = (0_usize, Arc::clone(&taken));
    seoul.answer(move |seen| {
        asked += 1;
        if asked.is_multiple_of(20) {
            return Reply::status(500);
        }
        takes.lock().push(number_of(seen));
        Reply::status(200)
    });
    let mut random = SmallRng::seed_from_u64(7);
    let (mut is_known, mut after_gone) = (false, None);
    for kill in 0..=KILLS {
        let last = kill == KILLS;
        let mut child = start(&stage.url, &path);
        let target = if last { MESSAGES } else { (kill + 1) * MESSAGES / (KILLS + 1) };
        until("the child works", Duration::from_secs(300), || async {
            taken.lock().iter().collect::<BTreeSet<&usize>>().len() >= target
        })
        .await
        .expect("gets there");
        system_clock().sleep(Duration::from_micros(random.random_range(0..20_000))).await;
        child.kill().expect("kills the child");
        child.wait().expect("reaps the child");
        // A child may die between the 410 and writing it down; later ones know. What was on its way then has come by
        // the end of the next child.
        if is_known && after_gone.is_none() {
            after_gone = Some(gone.seen().len());
        }
        let state = here.endpoint("gone", endpoint).await.expect("is there").state;
        is_known = matches!(state, EndpointState::Disabled { .. });
    }
    assert_eq!(accepted(&stage.store).await, MESSAGES);
    assert_eq!(Some(gone.seen().len()), after_gone, "something was sent after 410");
    let mut by_key: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for number in taken.lock().iter().copied() {
        let firsts = by_key.entry(number % KEYS).or_default();
        if !firsts.contains(&number) {
            firsts.push(number);
        }
    }
    for (key, firsts) in by_key {
        assert!(firsts.is_sorted(), "key {key} came out of order: {firsts:?}");
    }
}

/// Returns the number in the body, with which the id must agree.
fn number_of(seen: &Seen) -> usize {
    let number = seen.json()["data"]["number"].as_u64().and_then(|number| usize::try_from(number).ok());
    let number = number.expect("is a number");
    assert_eq!(seen.id(), format!("m-{number}"));
    number
}

fn start(url: &str, key: &Path) -> std::process::Child {
    let this = std::env::current_exe().expect("has a path");
    let mut command = Command::new(this);
    command.args(["--exact", "kill::child", "--include-ignored", "--quiet"]);
    command.env(STORE, url).env(KEY, key).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("starts the child")
}
