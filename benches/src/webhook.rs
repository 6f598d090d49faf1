//! Webhooks on SQLite and PostgreSQL: accepted durably, sent over real HTTP to a receiver process that verifies
//! every signature, beside the textbook form with one commit before and one after each request.
//!
//! A webhook counts once the receiver verified it; the clock runs from the first acceptance to the last
//! verification. Both sides use the same store, body, signatures and receiver, and have the same number of
//! callers.

mod naive;
mod receiver;
mod subject;

use std::process::ExitCode;

use ieum_core::Fault;

use crate::measure::Cost;
use crate::report::{Wanted, figures, not_run};
use receiver::Receiver;
use subject::Subject;

pub use receiver::ARGUMENT as RECEIVER;

const NAME: &str = "webhook";
/// How many callers accept at once.
const CALLERS: u64 = 256;
/// How many webhooks a round accepts and delivers; a third of them in order.
const WEBHOOKS: u64 = 15_360;
/// How many of them the textbook form does, which is slower.
const NAIVE: u64 = 1_536;
const ROUNDS: usize = 3;
/// How many endpoints there are, each of a partner of its own.
const ENDPOINTS: usize = 8;

/// What every round measured of one side.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    cpus: Vec<f64>,
    ratios: Vec<f64>,
    ordered: Vec<f64>,
}

/// Is the receiver's process until it is killed.
pub async fn receive() -> ExitCode {
    match receiver::serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("receiving webhooks: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the webhooks' figures.
pub async fn run() -> Result<(), Fault> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let mut receiver = Receiver::start().await?;
    let mut subjects = vec![Subject::open("SQLite", &url, None, &mut receiver).await?];
    match setting("IEUM_TEST_POSTGRES_URL") {
        Some(url) => {
            let process = setting("IEUM_TEST_POSTGRES_PID").and_then(|text| text.parse().ok());
            subjects.push(Subject::open("PostgreSQL", &url, process, &mut receiver).await?);
        }
        None => {
            let why = setting("IEUM_BENCH_WITHOUT_POSTGRES")
                .unwrap_or_else(|| "no server was started; run it by `cargo xtask bench webhook`".to_owned());
            not_run(NAME, "webhooks on PostgreSQL", &why);
        }
    }
    for subject in &mut subjects {
        let mut rounds = Rounds::default();
        for round in 1..=ROUNDS {
            let peer = naive::run(subject, &mut receiver, NAIVE).await?;
            let ours = subject.run(&mut receiver, WEBHOOKS, None).await?;
            let ordered = subject.run(&mut receiver, WEBHOOKS / 3, Some(64)).await?;
            println!(
                "round {round} of {ROUNDS}, {}: {:.0} a second, {:.0} in order per key, {:.0} in the textbook form",
                subject.name,
                ours.rate(),
                ordered.rate(),
                peer.rate()
            );
            rounds.add(&ours, &ordered, &peer);
        }
        rounds.print(subject.name);
    }
    let refused = receiver.counts().await?.refused;
    if refused > 0 {
        return Err(failed("verifying", &format_args!("{refused} signatures were refused")));
    }
    Ok(())
}

impl Rounds {
    fn add(&mut self, ours: &Cost, ordered: &Cost, peer: &Cost) {
        self.rates.push(ours.rate());
        self.cpus.push(ours.cpu_micros());
        self.ordered.push(ordered.rate());
        self.ratios.push(ours.rate() / peer.rate());
    }

    fn print(self, name: &str) {
        let what = format!("webhooks accepted durably and delivered, {name}");
        figures(NAME, &what, " a second", self.rates, Wanted::AtLeast(3_000.0));
        let what = format!("the same to ordered endpoints, 64 keys each, {name}");
        figures(NAME, &what, " a second", self.ordered, Wanted::Nothing);
        let what = format!("webhooks, {name} / one commit before and one after each request");
        figures(NAME, &what, "x", self.ratios, Wanted::Nothing);
        let what = format!("CPU per webhook, database server included, receiver not, {name}");
        figures(NAME, &what, " µs", self.cpus, Wanted::Nothing);
    }
}

/// A variable that `cargo xtask bench` sets.
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.webhook", format!("{step}: {error}"))
}
