//! Durable publishing on SQLite and PostgreSQL, beside NATS JetStream that syncs every message and beside one
//! commit per event, all on the same disk.
//!
//! An event counts once its publisher has the acknowledgement, which comes after the commit that holds it
//! (SQLite in WAL mode with `synchronous=FULL`; PostgreSQL with `fsync` and `synchronous_commit` on; JetStream
//! with `sync_interval: always`, file storage, one replica). All sides get the same bytes and have the same
//! number of publishes outstanding.

mod flow;
mod subject;

use std::time::{Duration, Instant};

use ieum_bus::{Event, EventError};
use ieum_core::{Cx, Fault};
use ieum_store::{Store, Value};

use crate::commits::Commits;
use crate::jetstream::JetStream;
use crate::measure::{Cost, cost};
use crate::processes::tree_cpu;
use crate::report::{Wanted, figures, not_run};
use subject::Subject;

const NAME: &str = "bus";
/// How many publishes are outstanding, on every side.
const PUBLISHERS: usize = 512;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

/// What every round measured of one side.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    cpus: Vec<f64>,
    batches: Vec<f64>,
}

/// The servers of a run and, where one is missing, why.
struct Peer {
    stream: JetStream,
    process: u32,
}

/// Prints the bus's figures.
pub async fn run() -> Result<(), Fault> {
    let commits = Commits::install();
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let mut subjects = vec![Subject::open("SQLite", &url, None).await?];
    match setting("IEUM_TEST_POSTGRES_URL") {
        Some(url) => subjects.push(Subject::open("PostgreSQL", &url, process_of("POSTGRES")).await?),
        None => not_run(NAME, "durable events on PostgreSQL", &why_not("POSTGRES")),
    }
    let mut peer = match setting("IEUM_TEST_NATS_SYNCED_URL") {
        Some(url) => Some(Peer {
            stream: JetStream::connect(&url).await?,
            process: process_of("NATS_SYNCED").unwrap_or_default(),
        }),
        None => {
            not_run(NAME, "durable events / NATS JetStream", &why_not("NATS_SYNCED"));
            None
        }
    };
    let mut ours: Vec<Rounds> = subjects.iter().map(|_| Rounds::default()).collect();
    let (mut alone, mut jetstream) = (Rounds::default(), Rounds::default());
    let store = subjects[0].store.clone();
    for round in 1..=ROUNDS {
        alone.add(&commit_each(&store).await, None);
        for (subject, rounds) in subjects.iter().zip(&mut ours) {
            if let Some(peer) = &mut peer {
                jetstream.add(&publish_to_peer(peer).await?, None);
            }
            let before = commits.as_ref().map(Commits::count);
            let cost = subject.publish(PUBLISHERS, ROUND).await;
            let made = commits.as_ref().zip(before).map(|(commits, before)| commits.count() - before);
            println!("round {round} of {ROUNDS}: {} acknowledged {:.0} a second", subject.name, cost.rate());
            rounds.add(&cost, made);
        }
    }
    for (place, (subject, rounds)) in subjects.iter().zip(&ours).enumerate() {
        rounds.print(subject.name);
        if peer.is_some() {
            let (count, name) = (subjects.len(), subject.name);
            // Each round of a subject stands beside the peer's round just before it.
            let pair = |figures: &[f64]| figures.iter().skip(place).step_by(count).copied().collect();
            let what = format!("durable events, {name} / NATS JetStream that syncs always");
            figures(NAME, &what, "x", ratios(&rounds.rates, pair(&jetstream.rates)), Wanted::AtLeast(10.0));
            let what = format!("CPU per durable event, servers included, {name} / that JetStream");
            figures(NAME, &what, "x", ratios(&rounds.cpus, pair(&jetstream.cpus)), Wanted::Nothing);
        }
    }
    let what = "durable events, SQLite / one commit per event";
    figures(NAME, what, "x", ratios(&ours[0].rates, alone.rates), Wanted::Nothing);
    for subject in &subjects {
        let rate = flow::published_to_handled(subject, PUBLISHERS, ROUND).await?;
        let what =
            format!("published until handled once (inbox in the handler's transaction), {}", subject.name);
        figures(NAME, &what, " a second", vec![rate], Wanted::Nothing);
    }
    Ok(())
}

async fn publish_to_peer(peer: &mut Peer) -> Result<Cost, Fault> {
    let mut number = 0;
    let next = || {
        number += 1;
        event(number).map(|event| event.to_cloud_event_json()).unwrap_or_default()
    };
    let before = tree_cpu(peer.process);
    let mut outcome = Ok(0);
    let mut cost = cost(async {
        outcome = peer.stream.publish(PUBLISHERS, ROUND, next).await;
        outcome.as_ref().copied().unwrap_or(0)
    })
    .await;
    cost.cpu += tree_cpu(peer.process) - before;
    outcome.map(|_| cost)
}

/// Commits one row at a time, as a bus without group commit would.
async fn commit_each(store: &Store) -> Cost {
    cost(async {
        let until = Instant::now() + ROUND / 2;
        let mut done = 0;
        while Instant::now() < until {
            let row = [Value::from(ieum_core::new_id().to_string()), Value::from("x".repeat(300))];
            if store.execute("INSERT INTO bench_rows (id, body) VALUES (?, ?)", &row).await.is_ok() {
                done += 1;
            }
        }
        done
    })
    .await
}

/// An event as devices send them, about 400 bytes as JSON.
fn event(number: u64) -> Result<Event, EventError> {
    let data = serde_json::json!({ "eventId": format!("event-{}", number % 64), "currentAttendees": number });
    Event::new(&Cx::root(), "bench", "bench.event.updated.v1", format!("event-{}", number % 64), data)
}

fn ratios(ours: &[f64], theirs: Vec<f64>) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

fn process_of(server: &str) -> Option<u32> {
    setting(&format!("IEUM_TEST_{server}_PID"))?.parse().ok()
}

fn why_not(server: &str) -> String {
    setting(&format!("IEUM_BENCH_WITHOUT_{server}"))
        .unwrap_or_else(|| "no server was started; run it by `cargo xtask bench bus`".to_owned())
}

/// A variable that `cargo xtask bench` sets.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.bus", format!("{step}: {error}"))
}

// === Rounds ===

impl Rounds {
    fn add(&mut self, cost: &Cost, commits: Option<u64>) {
        self.rates.push(cost.rate());
        self.cpus.push(cost.cpu_micros());
        self.batches.extend(commits.map(|commits| cost.operations as f64 / commits.max(1) as f64));
    }

    fn print(&self, name: &str) {
        let what = format!("durable events acknowledged, {name}, {PUBLISHERS} outstanding (aim 20000)");
        figures(NAME, &what, " a second", self.rates.clone(), Wanted::AtLeast(5_000.0));
        let what = format!("CPU per durable event, servers included, {name}");
        figures(NAME, &what, " µs", self.cpus.clone(), Wanted::Nothing);
        if !self.batches.is_empty() {
            figures(
                NAME,
                &format!("events per synced commit, {name}"),
                "",
                self.batches.clone(),
                Wanted::Nothing,
            );
        }
    }
}
