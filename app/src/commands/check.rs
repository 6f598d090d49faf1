//! `ieum check`: the settings are read and every mistake is named; reaching here means there was none.

use std::error::Error;

use crate::config::{LinkCallers, Settings};
use crate::output::Output;
use crate::parts;
use crate::sealing;

/// Checks that every link names a contract that exists and a wire that can carry it.
pub fn check(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    crate::links::check(settings, &parts::contracts())?;
    let sealing = sealing::sentences(settings);
    let listen = settings.server.listen.to_string();
    let hub = hub_sentence(settings);
    let value = serde_json::json!({ "ok": true, "listen": listen, "sealing": sealing, "hub": hub });
    let lines: Vec<_> = sealing.into_iter().chain(hub).collect();
    output.value(&value, || format!("every setting is right\n{}\n", lines.join("\n")));
    Ok(())
}

/// Says who sees the hub's pages, where other machines reach the port.
fn hub_sentence(settings: &Settings) -> Option<String> {
    let listen = settings.server.listen;
    if listen.ip().is_loopback() {
        return None;
    }
    Some(match settings.gateway.hub {
        LinkCallers::Anyone => format!(
            "the hub is open to the network: whoever reaches {listen} sees every event without a key \
             (gateway.hub = \"anyone\")"
        ),
        LinkCallers::Loopback => {
            format!("the hub's pages at {listen} need a key from other machines (gateway.hub = \"loopback\")")
        }
        LinkCallers::Nobody => {
            format!("the hub's pages at {listen} always need a key (gateway.hub = \"nobody\")")
        }
    })
}
