//! Commands that ask the running platform: sources and keys live there, so there is one owner of each.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Method};
use ieum_client::{HttpOptions, HttpTransport, OutboundGuard, OutboundPolicy, Transport, WireRequest};
use ieum_contracts::platform::{
    AskAbout, PLATFORM_PROCESS_CONTRACT, PlatformProcess, PlatformProcessClient, ProcessAbout,
};
use ieum_core::{Caller, Code, Cx, Fault, new_id, system_clock, within};
use ieum_link::{Contract, Link};
use ieum_policy::{PolicyConfig, PolicyStack};
use ieum_telemetry::HealthReport;
use ieum_wires::open::{LinkOptions, open_link};

use crate::config::Settings;
use crate::output::Output;
use crate::{home, links, parts};

/// How long a command waits: a probe of a slow source takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits to be told which platform answers.
const GLANCE: Duration = Duration::from_secs(2);

/// Opens a link to whoever answers `contract`: what `[links]` names, else the platform at `server.listen`. Fails where
/// that one belongs to another data folder than the one that was named.
pub async fn link(
    settings: &Settings,
    contract: &'static Contract,
    output: &Output,
) -> Result<Link, Box<dyn Error>> {
    if elsewhere(settings, contract).is_none() {
        meant(settings, output).await?;
    }
    direct(settings, contract)
}

/// Opens the same link, whoever answers.
pub fn direct(settings: &Settings, contract: &'static Contract) -> Result<Link, Box<dyn Error>> {
    let to = elsewhere(settings, contract).unwrap_or_else(|| format!("http://{}", platform(settings)));
    link_within(settings, contract, &to, PATIENCE)
}

/// Returns where `[links]` says that another process answers.
fn elsewhere(settings: &Settings, contract: &Contract) -> Option<String> {
    settings.links.get(contract.name).map(|link| link.to.clone()).filter(|to| to.contains("://"))
}

/// Opens a link for streams to the platform at `server.listen`. A stream has no time limit and no retries.
pub async fn stream_link(
    settings: &Settings,
    contract: &'static Contract,
    output: &Output,
) -> Result<Link, Box<dyn Error>> {
    meant(settings, output).await?;
    let to = format!("grpc://{}", platform(settings));
    Ok(open_link(&to, contract, &LinkOptions::default(), system_clock())?.link)
}

fn link_within(
    settings: &Settings,
    contract: &'static Contract,
    to: &str,
    patience: Duration,
) -> Result<Link, Box<dyn Error>> {
    let identity = links::identity(settings)?;
    let (first_byte, total) = (Some(patience), Some(patience));
    let options = LinkOptions { identity, first_byte, total, ..LinkOptions::default() };
    let opened = open_link(to, contract, &options, system_clock())?;
    let policy = PolicyConfig { timeout: patience, first_byte: patience, ..PolicyConfig::default() };
    let stack = PolicyStack::new(contract.name, &policy, system_clock());
    Ok(Link::new(stack.apply(opened.link)))
}

/// Returns where the platform of these settings answers on this machine.
fn platform(settings: &Settings) -> SocketAddr {
    let mut address = settings.server.listen;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Returns the platform at `server.listen` where it keeps what it keeps elsewhere than these settings say; `None` where it
/// is the one that is meant, or nobody answers that can tell.
async fn other(settings: &Settings) -> Option<ProcessAbout> {
    let to = format!("http://{}", platform(settings));
    let link = link_within(settings, &PLATFORM_PROCESS_CONTRACT, &to, GLANCE).ok()?;
    let about = PlatformProcessClient::new(link).about(&context(), AskAbout {}).await.ok()?;
    (about.store.is_empty() || about.store != home::store(settings)).then_some(about)
}

/// Returns how the platform of these settings is, where it runs; `None` where it does not, or another one runs there.
pub async fn health(settings: &Settings) -> Option<HealthReport> {
    let address = platform(settings);
    let asked = async {
        let about = PlatformProcessClient::new(
            link_within(settings, &PLATFORM_PROCESS_CONTRACT, &format!("http://{address}"), GLANCE).ok()?,
        );
        let about = about.about(&context(), AskAbout {}).await.ok()?;
        if about.store.is_empty() || about.store != home::store(settings) {
            return None;
        }
        let own = OutboundGuard::new(&OutboundPolicy { allow: vec![address.ip().into()] });
        let transport = HttpTransport::new(own, HttpOptions::default()).ok()?;
        let url = format!("http://{address}/health/ready").parse().ok()?;
        let request = WireRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        let mut parts = transport.send(request).await.ok()?.body;
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.ok()?);
        }
        serde_json::from_slice(&body).ok()
    };
    // Its own checks take two seconds at most.
    let clock = system_clock();
    within(&clock, clock.moment() + 3 * GLANCE, asked).await.flatten()
}

/// Fails where a data folder is named and the platform that would be asked is another one's; says so where none is named
/// and there is one here.
async fn meant(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    // Who only asks, from wherever, means whoever answers.
    if !settings.data_is_named && !settings.data.exists() {
        return Ok(());
    }
    let Some(theirs) = other(settings).await else { return Ok(()) };
    let (address, own) = (platform(settings), home::folder(settings));
    let data = theirs.data;
    if !settings.data_is_named {
        output
            .note(&format!("asking the platform at {address}, which keeps its data in {data}, not in {own}"));
        return Ok(());
    }
    Err(format!(
        "asking the platform at {address}: it keeps its data in {data}, not in {own} (--data, data.dir), and nothing was \
         done; start the one of that folder with `ieum --data {own} up`, name where it listens in server.listen \
         (IEUM__SERVER__LISTEN), or leave --data out to ask this one"
    )
    .into())
}

/// Says where a command goes to its own store although another platform runs here, which knows nothing of it.
pub async fn note_another(settings: &Settings, output: &Output) {
    if let Some(theirs) = other(settings).await {
        let (address, own, data) = (platform(settings), home::folder(settings), theirs.data);
        output.note(&format!(
            "this is about the data in {own}; the platform that runs at {address} keeps its own in {data} and knows nothing \
             of it: for that one give `--data {data}`"
        ));
    }
}

/// Begins the context of one command: repeatable, since it carries a key of its own.
pub fn context() -> Cx {
    Cx::root().with_caller(Caller::new("ieum-cli")).with_idempotency_key(&new_id().to_string())
}

/// Adds who was asked, and what to do where nobody answers.
pub fn explain(settings: &Settings, fault: Fault) -> Box<dyn Error> {
    let address = platform(settings);
    let hint = match fault.code {
        Code::Unavailable => {
            "; is it running? start it with `ieum up`, or name where it listens in server.listen".to_owned()
        }
        Code::Unimplemented => format!(
            "; that process runs without the part {}: let its `ieum up` name that too, or none for all, or name another \
             one's address in server.listen (IEUM__SERVER__LISTEN)",
            part_of(&fault).unwrap_or("that answers it")
        ),
        _ => String::new(),
    };
    format!("asking the platform at {address}: {fault}{hint}").into()
}

/// Returns the part whose contract nobody serves, where the fault tells it.
fn part_of(fault: &Fault) -> Option<&'static str> {
    let part = fault.message.strip_prefix("calling ")?.split('.').next()?;
    parts::choose(&[part.to_owned()]).ok()?.first().copied()
}
