//! The embedded MQTT broker beside Mosquitto: processor time of a message of quality 1 from its publisher to its
//! subscriber, and the memory of ten thousand devices that are only there.
//!
//! Each broker is one thread in a process of its own, in memory; ours once more over SQLite with sessions that outlive
//! the connection, where every acknowledgement waits for a sync that holds the message.

mod client;
mod subject;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ieum_core::Fault;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::peer::{Peer, free_port, named};
use crate::processes::{resident_mib, tree_cpu};
use crate::report::{Wanted, figures, not_run};
use client::{exchange, idle};
pub use subject::{ALONE, run_alone};

const NAME: &str = "mqtt";
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(500);
/// Publishers, each with a subscriber of its own.
const PAIRS: usize = 16;
/// Connected devices of the last figure.
const DEVICES: usize = 10_000;
/// Our broker with a store.
const DURABLE: &str = "the broker over SQLite, synced";

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.mqtt", format!("{step}: {error}"))
}

/// What one round of one broker cost.
#[derive(Clone, Copy)]
struct Round {
    cpu_micros: f64,
    rate: f64,
}

/// Prints the broker's figures.
///
/// The driver has one thread that never sleeps, as in `bench gateway`: waking it is not the brokers' work.
pub async fn run() -> Result<(), Fault> {
    let measured = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed("starting the driver", &error))?;
        runtime.block_on(async {
            let awake = tokio::spawn(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
            let outcome = measure_all().await;
            awake.abort();
            outcome
        })
    });
    measured.await.map_err(|error| failed("driving", &error))?
}

async fn measure_all() -> Result<(), Fault> {
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    let mut brokers = vec![ours("the broker in memory", "memory", &folder)?];
    match mosquitto(&folder) {
        Ok(broker) => brokers.push(broker),
        Err(why) => not_run(NAME, "broker / Mosquitto, CPU per message of quality 1", &why.message),
    }
    brokers.push(ours(DURABLE, &format!("sqlite:{}", path(&folder, "devices.db")), &folder)?);
    let mut rounds: Vec<Vec<Round>> = brokers.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for (broker, rounds) in brokers.iter().zip(&mut rounds) {
            rounds.push(measure(broker).await?);
        }
    }
    for (broker, rounds) in brokers.iter().zip(&rounds) {
        let of = |of: fn(&Round) -> f64| rounds.iter().map(of).collect();
        let (cpu, rate) = (of(|round| round.cpu_micros), of(|round| round.rate));
        figures(NAME, &format!("CPU per message of quality 1, {}", broker.name), " µs", cpu, Wanted::Nothing);
        figures(NAME, &format!("messages delivered, {}", broker.name), " a second", rate, Wanted::Nothing);
    }
    if let [own, theirs, durable] = rounds.as_slice() {
        let ratio = |ours: &[Round]| -> Vec<f64> {
            ours.iter().zip(theirs).map(|(ours, theirs)| ours.cpu_micros / theirs.cpu_micros).collect()
        };
        let what = "broker in memory / Mosquitto, CPU per message of quality 1";
        figures(NAME, what, "x", ratio(own), Wanted::AtMost(0.5));
        let what = "broker over SQLite, synced / Mosquitto in memory, CPU per message of quality 1";
        figures(NAME, what, "x", ratio(durable), Wanted::Nothing);
    }
    for broker in &brokers {
        let before = resident_mib(broker.process()).unwrap_or(f64::NAN);
        let devices = connect_all(broker.port).await.map_err(|error| failed(broker.name, &error))?;
        let resident = resident_mib(broker.process()).unwrap_or(f64::NAN);
        drop(devices);
        let wanted = if broker.name == "Mosquitto" { Wanted::Nothing } else { Wanted::AtMost(200.0) };
        println!("{}: {before:.0} MiB before", broker.name);
        figures(
            NAME,
            &format!("{DEVICES} connected devices, {}", broker.name),
            " MiB",
            vec![resident],
            wanted,
        );
    }
    Ok(())
}

async fn connect_all(port: u16) -> std::io::Result<Vec<TcpStream>> {
    let mut devices = Vec::with_capacity(DEVICES);
    for number in 0..DEVICES {
        devices.push(idle(port, &format!("idle-{number}")).await?);
    }
    Ok(devices)
}

async fn measure(broker: &Peer) -> Result<Round, Fault> {
    drive(broker, WARM_UP).await?;
    let (before, begin) = (tree_cpu(broker.process()), Instant::now());
    let delivered = drive(broker, ROUND).await? as f64;
    let wall = begin.elapsed().as_secs_f64();
    let cpu = tree_cpu(broker.process()).saturating_sub(before).as_secs_f64();
    Ok(Round { cpu_micros: cpu * 1e6 / delivered, rate: delivered / wall })
}

/// Lets all pairs talk for `span` and returns how many messages arrived. Fails where one is missing.
async fn drive(broker: &Peer, span: Duration) -> Result<u64, Fault> {
    let kept = broker.name == DURABLE;
    let pairs: Vec<_> =
        (0..PAIRS).map(|pair| tokio::spawn(exchange(broker.port, pair, kept, span))).collect();
    let mut delivered = 0;
    for pair in pairs {
        let outcome = pair.await.map_err(|error| failed("driving", &error))?;
        delivered += outcome.map_err(|error| failed(broker.name, &error))?;
    }
    Ok(delivered)
}

// === Brokers ===

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn ours(name: &'static str, store: &str, folder: &TempDir) -> Result<Peer, Fault> {
    let program = std::env::current_exe().map_err(|error| failed("finding this program", &error))?;
    let port = free_port()?;
    let mut command = Command::new(program);
    command.args([ALONE, &port.to_string(), store]);
    Peer::start(name, port, command, folder.path())
}

/// Starts Mosquitto (`IEUM_BENCH_MOSQUITTO`) as it comes, without persistence and log, with room for as many messages
/// under way as ours has.
fn mosquitto(folder: &TempDir) -> Result<Peer, Fault> {
    let program = named("IEUM_BENCH_MOSQUITTO")?;
    let port = free_port()?;
    let file = path(folder, "mosquitto.conf");
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n\
         max_inflight_messages 100\nset_tcp_nodelay true\n"
    );
    std::fs::write(&file, settings).map_err(|error| failed("writing settings", &error))?;
    let mut command = Command::new(program);
    command.args([Path::new("-c"), Path::new(&file)]);
    Peer::start("Mosquitto", port, command, folder.path())
}
