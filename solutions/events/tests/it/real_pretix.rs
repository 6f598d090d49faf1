//! A real pretix: people are scanned there, and the hub's totals equal the check-in list's own.

use std::time::Duration;

use ieum_client::{Auth, RestClient, RestConfig};
use ieum_contracts::events::{EventServiceRegistry, SourceId};
use ieum_core::{Clock, Cx, Secret, SystemClock, system_clock};
use ieum_testkit::fault::{FaultPlan, HttpProxy};
use ieum_testkit::server;
use ieum_testkit::wait::until;
use serde_json::{Value, json};

use crate::crashing::{spread, start_child};
use crate::hub::{Hub, PATIENCE, loopback, pretix_config};

/// Tests scan the same tickets of one event, so they take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct Pretix {
    url: String,
    seed: Value,
    client: RestClient,
}

impl Pretix {
    fn find() -> Option<Self> {
        let url = server::require("pretix")?;
        let file = server::pretix_seed()?;
        let seed: Value =
            serde_json::from_slice(&std::fs::read(file).expect("reads the seed")).expect("is JSON");
        let token = Secret::new(format!("Token {}", seed["token"].as_str().expect("has a token")));
        let mut config = RestConfig::new("pretix", url.parse().expect("is a URL"));
        config.auth = Auth::Header { name: http::header::AUTHORIZATION, value: token };
        config.outbound = loopback();
        config.policy.timeout = Duration::from_secs(30);
        config.policy.first_byte = Duration::from_secs(30);
        let client = RestClient::new(config, system_clock()).expect("is a client");
        Some(Self { url, seed, client })
    }

    fn text(&self, field: &str) -> &str {
        self.seed[field].as_str().expect("is text")
    }

    fn organizer(&self) -> String {
        format!("/api/v1/organizers/{}", self.text("organizer"))
    }

    fn secrets(&self) -> Vec<String> {
        let positions = self.seed["positions"].as_array().expect("has positions");
        positions.iter().map(|row| row["secret"].as_str().expect("is text").to_owned()).collect()
    }

    /// Scans a ticket; a ticket that is in already is refused, which is fine.
    async fn scan(&self, secret: &str, kind: &str) -> String {
        let nonce = ieum_core::new_id().to_string();
        let body = json!({"secret": secret, "lists": [self.seed["checkinList"]], "nonce": nonce, "type": kind,
                          "force": false, "ignore_unpaid": false, "questions_supported": false});
        let path = format!("{}/checkinrpc/redeem/", self.organizer());
        let request = ieum_client::Request::new(http::Method::POST, path).json(&body).expect("is JSON");
        let answer = self.client.send(&Cx::root(), request.any_status()).await.expect("answers");
        assert!(matches!(answer.status.as_u16(), 201 | 400), "{}", answer.status);
        nonce
    }

    async fn annul(&self, nonce: &str) {
        let body = json!({"lists": [self.seed["checkinList"]], "nonce": nonce});
        let path = format!("{}/checkinrpc/annul/", self.organizer());
        let _: Value = self.client.post_json(&Cx::root(), &path, &body).await.expect("annuls");
    }

    /// Registered, checked in, inside.
    async fn truth(&self) -> (u64, u64, u64) {
        let path = format!(
            "{}/events/{}/checkinlists/{}/status/",
            self.organizer(),
            self.text("event"),
            self.seed["checkinList"]
        );
        let status: Value = self.client.get_json(&Cx::root(), &path).await.expect("answers");
        let number = |field: &str| status[field].as_u64().expect("is a number");
        (number("position_count"), number("checkin_count"), number("inside_count"))
    }

    fn config(&self, api: &str, webhook: Option<String>) -> ieum_contracts::events::EventServiceConfig {
        let mut config =
            pretix_config("conf", api, self.text("organizer"), self.text("event"), self.text("token"));
        config.options.insert("checkinList".into(), self.seed["checkinList"].to_string());
        config.endpoints.webhook = webhook;
        config
    }
}

async fn remove(hub: &Hub) {
    let gone = SourceId { event_id: "conf".into() };
    hub.part.registry().remove(&Cx::root(), gone).await.expect("removes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn people_scanned_in_pretix_are_in_the_hub_within_seconds() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("makes a folder");
    let hub = Hub::started(&folder.path().join("hub.db"), system_clock()).await;
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
    let folder = tempfile::tempdir().expect("makes a folder");
    let hub = Hub::started(&folder.path().join("hub.db"), system_clock()).await;
    hub.part.registry().register(&Cx::root(), pretix.config(&pretix.url, None)).await.expect("registers");
    hub.until_totals("conf", pretix.truth().await).await;
    let secret = &pretix.secrets()[39];
    pretix.scan(secret, "exit").await;
    hub.until_totals("conf", pretix.truth().await).await;
    let nonce = pretix.scan(secret, "entry").await;
    hub.until_totals("conf", pretix.truth().await).await;
    pretix.annul(&nonce).await;
    hub.until_totals("conf", pretix.truth().await).await;
    remove(&hub).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn totals_converge_through_a_bad_network_and_restarts() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("hub.db");
    let plan = FaultPlan {
        drop: 0.3,
        delay: 0.3,
        duplicate: 0.3,
        reorder: 0.3,
        delay_most: Duration::from_millis(200),
        seed: 20_261_121,
    };
    let good = FaultPlan::default();
    let answers = HttpProxy::start(&pretix.url, good).await.expect("starts");
    let mut hub = Hub::started(&file, system_clock()).await;
    let hooks = HttpProxy::start(&hub.serve().await, plan).await.expect("starts");
    let config = pretix.config(&answers.url(), Some(hooks.url()));
    hub.part.registry().register(&Cx::root(), config).await.expect("registers");
    answers.change(plan).expect("is a plan");
    let mut largest = 0;
    for (i, secret) in pretix.secrets().iter().enumerate().take(24) {
        pretix.scan(secret, if i % 3 == 0 { "exit" } else { "entry" }).await;
        if let Some(state) = hub.state("conf").await {
            largest = largest.max(state.age_seconds);
        }
        if i % 8 == 7 {
            hub.stop().await;
            // The old address is gone for good, so hints are lost from here on, as behind a bad network.
            hub = Hub::started(&file, system_clock()).await;
        }
    }
    let begun = SystemClock.moment();
    hub.until_totals("conf", pretix.truth().await).await;
    let converged = SystemClock.moment().since(begun);
    eprintln!(
        "bad network both ways and 3 restarts: largest staleness {largest} s, converged in {} ms, {:?}",
        converged.as_millis(),
        answers.counts()
    );
    answers.change(good).expect("is a plan");
    remove(&hub).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs pretix"]
async fn a_hub_killed_while_it_reads_pretix_ends_with_its_totals() {
    let Some(pretix) = Pretix::find() else { return };
    let _turn = TURN.lock().await;
    let kills = if server::long_faults() { 200 } else { 10 };
    let mut seed = 20_261_121_u64;
    let folder = tempfile::tempdir().expect("makes a folder");
    let file = folder.path().join("hub.db");
    let hub = Hub::open(&file, system_clock()).await;
    hub.part.registry().register(&Cx::root(), pretix.config(&pretix.url, None)).await.expect("registers");
    hub.store.close().await;
    drop(hub);
    let secrets = pretix.secrets();
    for i in 0..kills {
        let mut child = start_child(&file);
        let kind = if spread(&mut seed, 2) == 0 { "entry" } else { "exit" };
        pretix.scan(&secrets[i % secrets.len()], kind).await;
        SystemClock.sleep(Duration::from_millis(30 + spread(&mut seed, 800))).await;
        child.kill().expect("kills");
        child.wait().expect("ends");
    }
    let hub = Hub::started(&file, system_clock()).await;
    let truth = pretix.truth().await;
    hub.until_totals("conf", truth).await;
    eprintln!("{kills} kills while reading pretix, totals {truth:?}, seed 20261121");
    remove(&hub).await;
    hub.stop().await;
}
