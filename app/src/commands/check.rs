//! `ieum check`: the settings are read and every mistake is named; here what they name is looked at, and nothing started.

use std::error::Error;

use crate::config::{LinkCallers, Settings};
use crate::output::Output;
use crate::{foresight, sealing, secret_files};

/// Checks that every link names a contract that exists and a wire that can carry it, and that files, folders and
/// addresses can be used.
pub fn check(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    foresight::all(settings)?;
    let sealing = sealing::sentences(settings);
    let listen = settings.server.listen.to_string();
    let hub = hub_sentence(settings);
    let open = secret_files::sentences(settings);
    let value = serde_json::json!({
        "ok": true, "listen": listen, "sealing": sealing, "hub": hub, "open": open
    });
    let lines: Vec<_> = sealing.into_iter().chain(hub).chain(open).collect();
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
