//! Commands that ask the running platform: sources and keys live there, so there is one owner of each.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ieum_core::{Caller, Cx, Fault, new_id, system_clock};
use ieum_link::{Contract, Link};
use ieum_policy::{PolicyConfig, PolicyStack};
use ieum_wires::open::{LinkOptions, open_link};

use crate::config::Settings;
use crate::links;

/// How long a command waits: a probe of a slow source takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens a link to whoever answers `contract`: what `[links]` names, else the platform at `server.listen`.
pub fn link(settings: &Settings, contract: &'static Contract) -> Result<Link, Box<dyn Error>> {
    let named = settings.links.get(contract.name).map(|link| link.to.clone());
    let to = match named {
        Some(to) if to.contains("://") => to,
        _ => format!("http://{}", platform(settings)),
    };
    let identity = links::identity(settings)?;
    let (first_byte, total) = (Some(PATIENCE), Some(PATIENCE));
    let options = LinkOptions { identity, first_byte, total, ..LinkOptions::default() };
    let opened = open_link(&to, contract, &options, system_clock())?;
    let policy = PolicyConfig { timeout: PATIENCE, first_byte: PATIENCE, ..PolicyConfig::default() };
    let stack = PolicyStack::new(contract.name, &policy, system_clock());
    Ok(Link::new(stack.apply(opened.link)))
}

/// Opens a link for streams to the platform at `server.listen`. A stream has no time limit and no retries.
pub fn stream_link(settings: &Settings, contract: &'static Contract) -> Result<Link, Box<dyn Error>> {
    let to = format!("grpc://{}", platform(settings));
    Ok(open_link(&to, contract, &LinkOptions::default(), system_clock())?.link)
}

/// Returns where the platform of these settings answers on this machine.
fn platform(settings: &Settings) -> SocketAddr {
    let mut address = settings.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Begins the context of one command: repeatable, since it carries a key of its own.
pub fn context() -> Cx {
    Cx::root().with_caller(Caller::new("ieum-cli")).with_idempotency_key(&new_id().to_string())
}

/// Adds what to do where nobody answers.
pub fn explain(settings: &Settings, fault: Fault) -> Box<dyn Error> {
    if fault.code != ieum_core::Code::Unavailable {
        return fault.into();
    }
    let listen = settings.server.listen;
    format!("asking the platform at {listen}: {fault}; is it running? start it with `ieum up`").into()
}
