//! The gateway as a front beside Envoy and HAProxy: token, limit per user, breaker, metrics, then an upstream.
//!
//! Each is one worker thread in a process of its own. All three check signature, issuer, audience and time
//! of an RS256 token, count requests per subject, tell the subject to the upstream in a header, take the token
//! off, leave a failing upstream alone, and count for Prometheus.

mod driver;
mod peers;
mod subject;
mod tokens;

use std::time::Duration;

use ieum_core::Fault;

use crate::peer::Peer;
use crate::processes::{peak_mib, tree_cpu};
use crate::report::{Wanted, figures, not_run};
use driver::{Driven, drive};
use peers::Site;
pub use subject::{ALONE, run_alone};

const NAME: &str = "gateway";
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(500);

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.gateway", format!("{step}: {error}"))
}

/// What one round of one front cost.
#[derive(Clone, Copy)]
struct Round {
    cpu_micros: f64,
    rate: f64,
    /// The share of the round in which the front was busy: near 1 it was the bottleneck, not the driver.
    busy: f64,
    /// The same of driver and upstream together, which share this process.
    driver_busy: f64,
}

/// Prints the gateway's figures.
///
/// Driver and upstream share one thread that never sleeps. A front that had to wake them would pay for that
/// with every write, on this machine more than for all else it does; over a real network it would not.
pub async fn run() -> Result<(), Fault> {
    let measured = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed("starting the driver", &error))?;
        runtime.block_on(async {
            let awake = tokio::spawn(stay_awake());
            let outcome = measure_all().await;
            awake.abort();
            outcome
        })
    });
    measured.await.map_err(|error| failed("driving", &error))?
}

/// Keeps its thread asking for news without ever waiting for them.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn measure_all() -> Result<(), Fault> {
    let site = Site::prepare().await?;
    let ours = peers::ours(&site)?;
    let mut peers = Vec::new();
    for (what, opened, most) in
        [("Envoy", peers::envoy(&site), Some(0.45)), ("HAProxy", peers::haproxy(&site), Some(1.5))]
    {
        match opened {
            Ok(front) => peers.push((what, front, most)),
            Err(why) => not_run(NAME, &format!("gateway / {what}, CPU per request"), &why.message),
        }
    }
    for front in std::iter::once(&ours).chain(peers.iter().map(|(_, front, _)| front)) {
        check(&site, front).await?;
    }
    let mut own = Vec::new();
    let mut theirs: Vec<Vec<Round>> = peers.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        own.push(measure(&site, &ours).await?);
        for ((_, front, _), rounds) in peers.iter().zip(&mut theirs) {
            rounds.push(measure(&site, front).await?);
        }
    }
    print("the gateway", &ours, &own);
    for ((what, front, most), rounds) in peers.iter().zip(&theirs) {
        print(what, front, rounds);
        let ratio = |of: fn(&Round) -> f64| -> Vec<f64> {
            own.iter().zip(rounds).map(|(ours, theirs)| of(ours) / of(theirs)).collect()
        };
        let wanted = most.map_or(Wanted::Nothing, Wanted::AtMost);
        figures(NAME, &format!("gateway / {what}, CPU per request"), "", ratio(|one| one.cpu_micros), wanted);
        figures(
            NAME,
            &format!("gateway / {what}, requests a second"),
            "",
            ratio(|one| one.rate),
            Wanted::Nothing,
        );
        let memory = peak_mib(ours.process()).zip(peak_mib(front.process()));
        let ratio = memory.map(|(ours, theirs)| vec![ours / theirs]).unwrap_or_default();
        figures(NAME, &format!("gateway / {what}, peak memory"), "", ratio, Wanted::Nothing);
    }
    Ok(())
}

/// Makes sure that a front does what it is measured for.
async fn check(site: &Site, front: &Peer) -> Result<(), Fault> {
    for (what, token, expected) in [
        ("a right token", site.tokens.right(0), 200),
        ("no token", "", 401),
        ("a token with a wrong signature", &site.tokens.forged, 401),
        ("a token that has ended", &site.tokens.ended, 401),
        ("a token for somebody else", &site.tokens.foreign, 401),
    ] {
        let status = driver::status(front.port, token).await.map_err(|error| failed(what, &error))?;
        // Envoy says 403 where the audience is not ours.
        if status != expected && !(expected == 401 && status == 403) {
            let message = format!("{} answers {status} to {what}, and not {expected}", front.name);
            return Err(Fault::internal("bench.gateway", message));
        }
    }
    Ok(())
}

async fn measure(site: &Site, front: &Peer) -> Result<Round, Fault> {
    drive(front.port, &site.tokens, WARM_UP).await.map_err(|error| failed(front.name, &error))?;
    let (before, own_before) = (tree_cpu(front.process()), tree_cpu_here());
    let Driven { answered, wall } =
        drive(front.port, &site.tokens, ROUND).await.map_err(|error| failed(front.name, &error))?;
    let cpu = tree_cpu(front.process()).saturating_sub(before).as_secs_f64();
    let own = tree_cpu_here().saturating_sub(own_before).as_secs_f64();
    let wall = wall.as_secs_f64();
    let (answered, busy, driver_busy) = (answered as f64, cpu / wall, own / wall);
    Ok(Round { cpu_micros: cpu * 1e6 / answered, rate: answered / wall, busy, driver_busy })
}

fn tree_cpu_here() -> Duration {
    crate::processes::cpu(std::process::id())
}

fn print(what: &str, front: &Peer, rounds: &[Round]) {
    let middle = |of: fn(&Round) -> f64| crate::measure::spread(rounds.iter().map(of).collect()).0;
    println!(
        "{what}: {:.1} µs CPU per request, {:.0} requests a second, peak {:.0} MiB; busy {:.0} % of a core, \
         driver and upstream {:.0} %",
        middle(|one| one.cpu_micros),
        middle(|one| one.rate),
        peak_mib(front.process()).unwrap_or(f64::NAN),
        middle(|one| one.busy) * 100.0,
        middle(|one| one.driver_busy) * 100.0,
    );
}
