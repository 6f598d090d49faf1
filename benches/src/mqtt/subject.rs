//! The broker alone in a process of its own, on one thread.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use ieum_core::system_clock;
use ieum_device::{Admission, Broker, BrokerOptions, Rules, migrations};
use ieum_store::{Store, StoreOptions, migrate};

type Failure = Box<dyn std::error::Error>;

/// The argument that makes this program the broker alone.
pub const ALONE: &str = "mqtt-alone";

/// Serves until the process is ended. The arguments: port, and `memory` or a store's URL.
pub fn run_alone(arguments: &[String]) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the broker alone: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let [port, store] = arguments else { return Err("expected port and store".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(port.parse()?, store))
}

async fn serve(port: u16, store: &str) -> Result<(), Failure> {
    let options = BrokerOptions {
        admission: Admission { anonymous: true, credentials: None },
        rules: Rules::of(Vec::new())?.and_everything_else(),
        ..BrokerOptions::default()
    };
    let clock = system_clock();
    let broker = if store == "memory" {
        Broker::in_memory(options, clock)
    } else {
        let store = Store::open(store, &StoreOptions::default()).await?;
        migrate(&store, &migrations(), |_| {}).await?;
        Broker::open(store, options, clock).await?
    };
    broker.listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port), None).await?;
    std::future::pending().await
}
