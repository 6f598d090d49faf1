//! Whether `[links]` can be honoured at all, told before anything starts and all at once.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ieum_contracts::voice::PLUGIN_CONTRACT;
use ieum_core::describe;
use ieum_link::{Contract, Kind};
use ieum_policy::{FallbackConfig, PolicyConfig};
use ieum_wires::bus::BusWire;
use ieum_wires::open::open_link;
use ieum_wires::tls::{Identity, TlsError};
use url::Url;

use super::{LinkError, identity, is_bus, is_local, options};
use crate::config::{Answerer, LinkSettings, Mistake, Settings};

/// The place of this very process among a link's places.
const HERE: &str = "local";

/// Checks every entry of `[links]` against the contracts that exist, naming all mistakes at once.
pub fn check(settings: &Settings, contracts: &[&'static Contract]) -> Result<(), LinkError> {
    let mut mistakes = Vec::new();
    let identity = identity(settings).unwrap_or_else(|error| {
        mistakes.push(Mistake { key: tls_key(&error).to_owned(), problem: describe(&error) });
        None
    });
    let identity = identity.as_ref();
    for (name, plugin) in &settings.voice.plugins {
        let Answerer::At(to) = &plugin.answerer else { continue };
        if let Err(problem) = opens(&PLUGIN_CONTRACT, to, &plugin.policy, identity) {
            mistakes.push(Mistake { key: format!("voice.plugins.{name}.to"), problem });
        }
    }
    for (name, link) in &settings.links {
        let key = format!("links.{name:?}");
        if name == PLUGIN_CONTRACT.name {
            let problem = "has many answerers; name each under [voice.plugins.NAME]".to_owned();
            mistakes.push(Mistake { key, problem });
            continue;
        }
        let Some(contract) = contracts.iter().find(|contract| contract.name == name) else {
            let known: Vec<_> = contracts.iter().map(|contract| contract.name).collect();
            let problem = format!("is no contract; there are {}", known.join(", "));
            mistakes.push(Mistake { key, problem });
            continue;
        };
        if let Err(problem) = opens(contract, &link.to, &link.policy, identity) {
            mistakes.push(Mistake { key: key.clone(), problem });
        }
        if let Err(problem) = stands_in(contract, link, settings.server.listen, identity) {
            mistakes.push(Mistake { key: format!("{key}.fallback"), problem });
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(LinkError::Wrong(mistakes)) }
}

fn tls_key(error: &TlsError) -> &'static str {
    match error {
        TlsError::Read { what: "key", .. } | TlsError::Pair { .. } => "tls.key",
        TlsError::Read { what: "authorities", .. }
        | TlsError::Empty { what: "authorities", .. }
        | TlsError::Authority { .. } => "tls.authorities",
        TlsError::Read { .. } | TlsError::Empty { .. } => "tls.certificate",
    }
}

/// Checks that a wire carries `contract` to `to`.
fn opens(
    contract: &'static Contract,
    to: &str,
    policy: &PolicyConfig,
    identity: Option<&Identity>,
) -> Result<(), String> {
    if is_local(to) {
        return Ok(());
    }
    if is_bus(to) {
        return BusWire::check(contract).map_err(|error| error.to_string());
    }
    let opened = open_link(to, contract, &options(policy, identity), ieum_core::system_clock());
    opened.map(drop).map_err(|error| error.to_string())
}

/// Checks that the fallback can ever answer.
fn stands_in(
    contract: &'static Contract,
    link: &LinkSettings,
    listen: SocketAddr,
    identity: Option<&Identity>,
) -> Result<(), String> {
    let fallback = &link.policy.fallback;
    if *fallback == FallbackConfig::Off {
        return Ok(());
    }
    if !contract.has(Kind::Query) {
        return Err(format!("a fallback answers queries only, and {} has none", contract.name));
    }
    let FallbackConfig::To(other) = fallback else { return Ok(()) };
    if is_bus(other) {
        return Err("the bus answers nothing, so it can stand in for nothing".to_owned());
    }
    opens(contract, other, &link.policy, identity)?;
    // A process passes no call on, so a loop is a link that falls back to where it leads anyway.
    let shared: Vec<_> = places(&link.to, listen).intersection(&places(other, listen)).cloned().collect();
    if shared.is_empty() {
        return Ok(());
    }
    let place = if shared[0] == HERE { "this process".to_owned() } else { shared.join(", ") };
    Err(format!("the link leads to {place} already; name another answerer, or leave the fallback out"))
}

/// Returns where a link leads: each instance's host and port, whatever the wire, or this process.
fn places(to: &str, listen: SocketAddr) -> BTreeSet<String> {
    if is_local(to) {
        return BTreeSet::from([HERE.to_owned()]);
    }
    let list = to.trim().strip_prefix("dns+").unwrap_or(to.trim());
    list.split(',').filter_map(|part| place(part.trim(), listen)).collect()
}

fn place(part: &str, listen: SocketAddr) -> Option<String> {
    let url = Url::parse(part).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let default = match url.scheme() {
        "grpc" | "grpcs" => 50_051,
        "https" => 443,
        _ => 80,
    };
    let port = url.port().unwrap_or(default);
    let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let mine = host.parse() == Ok(listen.ip()) || (near && (listen.ip().is_unspecified() || is_near(listen)));
    if mine && port == listen.port() && port != 0 {
        return Some(HERE.to_owned());
    }
    let host = if near { Ipv4Addr::LOCALHOST.to_string() } else { host };
    Some(format!("{host}:{port}"))
}

fn is_near(listen: SocketAddr) -> bool {
    listen.ip().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(to: &str, other: &str) -> bool {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        places(to, listen).intersection(&places(other, listen)).next().is_some()
    }

    #[test]
    fn one_answerer_is_recognised_under_all_its_names() {
        for (to, other) in [
            ("http://a:7100", "http://a:7100"),
            ("http://A", "grpc://a:80"),
            ("http://b:1,http://a:2", "grpc://a:2"),
            ("dns+http://a:7100", "http://a:7100"),
            ("http://localhost:1", "http://127.0.0.1:1"),
            ("http://[::1]:1", "grpc://localhost:1"),
            ("local", "local:"),
            ("local", "http://127.0.0.1:8080"),
            ("grpc://localhost:8080", "local"),
        ] {
            assert!(shared(to, other), "{to} and {other}");
        }
        for (to, other) in [
            ("http://a:7100", "http://a:7101"),
            ("http://a:7100", "http://b:7100"),
            ("http://a:8080", "local"),
            ("local", "http://127.0.0.1:8081"),
            ("grpc://a", "http://a"),
        ] {
            assert!(!shared(to, other), "{to} and {other}");
        }
    }
}
