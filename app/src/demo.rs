//! `ieum demo`: the platform on its embedded defaults, with small simulated event systems as sources.

use std::error::Error;
use std::time::Duration;

use ieum_client::OutboundPolicy;
use ieum_contracts::events::{
    EVENT_SERVICE_REGISTRY_CONTRACT, EventServiceRegistry, EventServiceRegistryClient,
};
use ieum_core::system_clock;
use ieum_events::simulator::{SimulatedEvent, Simulator};

use crate::commands::remote;
use crate::config::Settings;
use crate::output::Output;
use crate::up;

/// Seconds between two reads of a simulated system.
const INTERVAL: u32 = 1;

fn simulated() -> Vec<SimulatedEvent> {
    let event = |event_id: &str, name: &str, registered, gates: &[&str], minutes: u64, seed| SimulatedEvent {
        event_id: event_id.to_owned(),
        name: name.to_owned(),
        registered,
        gates: gates.iter().map(|gate| (*gate).to_owned()).collect(),
        lasts: Duration::from_secs(60 * minutes),
        seed,
    };
    vec![
        event("spring-concert", "Spring concert", 1_200, &["north", "south"], 6, 1),
        event("coffee-fair", "커피 박람회", 4_000, &["a", "b", "c"], 10, 2),
        event("rust-meetup", "Rust meetup", 180, &["door"], 4, 3),
    ]
}

/// Runs the demonstration until a stop signal. Its data lie in a folder of their own and go with it.
pub async fn demo(mut settings: Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::Builder::new().prefix("ieum-demo-").tempdir()?;
    settings.data = folder.path().to_path_buf();
    // The simulated systems answer on this machine.
    settings.outbound = OutboundPolicy { allow: vec!["127.0.0.0/8".parse()?] };
    let mut simulators = Vec::new();
    for event in simulated() {
        let name = event.name.clone();
        let simulator = Simulator::start(event, system_clock()).await?;
        output.line(&format!("simulated  {name} at {}", simulator.url()));
        simulators.push(simulator);
    }
    let running = up::start(settings.clone(), &[], output).await?;
    settings.server.listen = running.address;
    let registry = EventServiceRegistryClient::new(
        remote::link(&settings, &EVENT_SERVICE_REGISTRY_CONTRACT, output).await?,
    );
    for simulator in &simulators {
        let registered = registry.register(&remote::context(), simulator.config(INTERVAL)).await?;
        output.line(&format!("source     {} registered", registered.event_id));
    }
    up::announce(&running, output);
    up::stop_signal().await?;
    running.drain(output).await;
    Ok(())
}
