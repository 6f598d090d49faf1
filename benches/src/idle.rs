//! What `ieum up` costs before anybody asks it anything: time until it is ready, memory, CPU.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ieum_core::Fault;

use crate::processes::{cpu, resident_mib};
use crate::report::{Wanted, figures, not_run};

const NAME: &str = "idle";
const ROUNDS: usize = 5;
/// The wanted time to ready and memory, of which the figures are parts.
const READY: Duration = Duration::from_millis(500);
const RESIDENT_MIB: f64 = 80.0;
const SETTLED: Duration = Duration::from_secs(5);
const WATCHED: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that is killed when dropped.
struct Running(Child);

/// Prints the idle platform's figures.
pub async fn run() -> Result<(), Fault> {
    let Some(program) = std::env::var_os("IEUM_BENCH_APP").map(PathBuf::from) else {
        not_run(NAME, "idle `ieum up`", "IEUM_BENCH_APP names no binary; run it by `cargo xtask bench idle`");
        return Ok(());
    };
    tokio::task::block_in_place(|| measure(&program))
}

fn measure(program: &Path) -> Result<(), Fault> {
    let (mut fresh, mut again, mut redis, mut python) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
        let first = ready_after(program, folder.path())?.0;
        let second = ready_after(program, folder.path())?.0;
        fresh.push(first.div_duration_f64(READY));
        again.push(second.div_duration_f64(READY));
        redis.extend(redis_after().map(|peer| second.div_duration_f64(peer)));
        python.extend(python_after().map(|peer| second.div_duration_f64(peer)));
        println!("round {round} of {ROUNDS}: ready after {first:.0?}, and {second:.0?} on what is there");
    }
    figures(NAME, "idle `ieum up`, ready on an empty folder / 0.5 s", "", fresh, Wanted::AtMost(1.0));
    figures(NAME, "the same on a folder that is there / 0.5 s", "", again, Wanted::AtMost(1.0));
    peer("the same / `redis-server` until it answers", "redis-server", redis);
    peer("the same / `python3 -c pass`", "python3", python);
    rest(program)
}

fn peer(what: &str, program: &str, ratios: Vec<f64>) {
    if ratios.is_empty() {
        not_run(NAME, what, &format!("{program} is not installed"));
    } else {
        figures(NAME, what, "x", ratios, Wanted::Nothing);
    }
}

/// Lets the platform rest and looks at what it uses meanwhile.
fn rest(program: &Path) -> Result<(), Fault> {
    let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
    let (_, running) = ready_after(program, folder.path())?;
    let process = running.0.id();
    println!("resting {} s", (SETTLED + WATCHED).as_secs());
    std::thread::sleep(SETTLED);
    let resident = resident_mib(process).ok_or_else(|| failed("reading the memory of", &"ieum up"))?;
    let before = cpu(process);
    std::thread::sleep(WATCHED);
    let busy = (cpu(process) - before).div_duration_f64(WATCHED) * 100.0;
    let part = vec![resident / RESIDENT_MIB];
    figures(NAME, "idle `ieum up`, resident after 5 s / 80 MiB", "", part, Wanted::AtMost(1.0));
    figures(NAME, "idle `ieum up`, CPU over 10 s", " % of one core", vec![busy], Wanted::AtMost(1.0));
    let size = std::fs::metadata(program).map_err(|error| failed("reading the binary", &error))?.len();
    let mib = size as f64 / 1024.0 / 1024.0;
    figures(NAME, "the release binary, page and debug lines included", " MiB", vec![mib], Wanted::Nothing);
    Ok(())
}

/// Starts the platform on `folder` and returns how long it took until it was ready.
fn ready_after(program: &Path, folder: &Path) -> Result<(Duration, Running), Fault> {
    let port = free_port()?;
    let mut command = Command::new(program);
    command.args(["up", "--data"]).arg(folder.join("data")).current_dir(folder);
    command.env("IEUM__SERVER__LISTEN", format!("127.0.0.1:{port}"));
    command.env("IEUM__DEVICE__LISTEN", "127.0.0.1:0");
    after("ieum up", command, || {
        say(port, b"GET /health/ready HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 200")
    })
}

fn redis_after() -> Option<Duration> {
    let port = free_port().ok()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    after("redis-server", command, || say(port, b"PING\r\n") == "+PONG\r\n").ok().map(|(after, _)| after)
}

fn python_after() -> Option<Duration> {
    let begun = Instant::now();
    let status = Command::new("python3").args(["-c", "pass"]).status().ok()?;
    status.success().then(|| begun.elapsed())
}

fn after(
    name: &str,
    mut command: Command,
    mut ready: impl FnMut() -> bool,
) -> Result<(Duration, Running), Fault> {
    let begun = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running(command.spawn().map_err(|error| failed(&format!("starting {name}"), &error))?);
    while !ready() {
        if begun.elapsed() > PATIENCE {
            return Err(failed(&format!("waiting for {name}"), &"it did not become ready in 20 s"));
        }
        if let Ok(Some(status)) = running.0.try_wait() {
            return Err(failed(&format!("starting {name}"), &status));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((begun.elapsed(), running))
}

/// Sends `bytes` to `port` and returns the beginning of what comes back, or nothing.
fn say(port: u16, bytes: &[u8]) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    let sent = stream.set_read_timeout(Some(Duration::from_secs(1))).and_then(|()| stream.write_all(bytes));
    let mut buffer = [0; 64];
    let count = sent.and_then(|()| stream.read(&mut buffer)).unwrap_or(0);
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

fn free_port() -> Result<u16, Fault> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| failed("looking for a free port", &error))
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.idle", format!("{step}: {error}"))
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
