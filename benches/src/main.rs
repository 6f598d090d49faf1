//! Speed as ratios against a peer in the same run: `cargo xtask bench [name…]`.
//!
//! Peer and subject take turns (A B A B …), at least three rounds; what is printed is the median of the
//! pair ratios with the lowest and highest. CPU is user and system time of this process.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "measures real time and prints it")]

mod bus;
mod http;
mod link;
mod measure;

use std::process::ExitCode;

/// Every benchmark, by name.
const NAMES: [&str; 3] = ["link", "http", "bus"];

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = asked.iter().find(|name| !NAMES.contains(&name.as_str())) {
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
    for name in NAMES.iter().filter(|name| asked.is_empty() || asked.iter().any(|other| other == *name)) {
        println!("== {name} ==");
        let done = runtime.block_on(async {
            match *name {
                "link" => link::run().await,
                "http" => http::run().await,
                _ => bus::run().await,
            }
        });
        if let Err(error) = done {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
