//! Speed as ratios against a peer in the same run: `cargo xtask bench [name…]`.
//!
//! Peer and subject take turns (A B A B …), at least three rounds; what is printed is the median of the
//! pair ratios with the lowest and highest. CPU is user and system time, of this process where nothing else is
//! said.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "measures real time and prints it")]

mod bus;
mod commits;
mod events_load;
mod forecast;
mod gateway;
mod http;
mod idle;
mod jetstream;
mod link;
mod measure;
mod mqtt;
mod orders;
mod peer;
mod processes;
mod report;
mod voice;
mod webhook;

use std::process::ExitCode;
use std::time::Duration;

/// As in `ieum`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Every benchmark, by name.
const NAMES: [&str; 11] =
    ["link", "http", "bus", "idle", "gateway", "webhook", "mqtt", "events", "events-load", "voice", "orders"];
/// What no benchmark takes; one that does is broken.
const LONGEST: Duration = Duration::from_secs(180);
/// The same of the one whose peer needs minutes.
const LONGEST_EVENTS: Duration = Duration::from_secs(1_200);
/// The same of the one that listens to an hour of speech.
const LONGEST_ORDERS: Duration = Duration::from_secs(7_200);

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some((gateway::ALONE, rest)) = asked.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return gateway::run_alone(rest);
    }
    if let Some((mqtt::ALONE, rest)) = asked.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return mqtt::run_alone(rest);
    }
    let known = |name: &String| NAMES.contains(&name.as_str()) || name == webhook::RECEIVER;
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        eprintln!("no benchmark is named {unknown}; there are {}", NAMES.join(", "));
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("starting the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    if asked.first().is_some_and(|first| first == webhook::RECEIVER) {
        return runtime.block_on(webhook::receive());
    }
    let mut outcome = ExitCode::SUCCESS;
    for name in NAMES.iter().filter(|name| asked.is_empty() || asked.iter().any(|other| other == *name)) {
        println!("== {name} ==");
        let longest = match *name {
            "events" => LONGEST_EVENTS,
            "orders" => LONGEST_ORDERS,
            _ => LONGEST,
        };
        let done = runtime.block_on(async { tokio::time::timeout(longest, run(name)).await });
        match done {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => eprintln!("{name}: {error}"),
            Err(_) => eprintln!("{name}: took longer than {} s", longest.as_secs()),
        }
        outcome = ExitCode::FAILURE;
    }
    report::print_table();
    outcome
}

async fn run(name: &str) -> Result<(), ieum_core::Fault> {
    match name {
        "link" => link::run().await,
        "http" => http::run().await,
        "bus" => bus::run().await,
        "webhook" => webhook::run().await,
        "gateway" => gateway::run().await,
        "mqtt" => mqtt::run().await,
        "events" => forecast::run().await,
        "voice" => voice::run().await,
        "orders" => orders::run().await,
        "events-load" => events_load::run().await,
        _ => idle::run().await,
    }
}
