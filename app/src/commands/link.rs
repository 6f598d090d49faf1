//! `ieum link`: the running platform's links, to see and to steer.

use std::error::Error;

use futures::stream::{self, StreamExt};
use ieum_contracts::platform::{
    LinkOrder, LinkStatus, ListLinks, PLATFORM_LINKS_CONTRACT, PLATFORM_WATCH_CONTRACT, PlatformLinks,
    PlatformLinksClient, PlatformWatch, PlatformWatchClient, SteerLink, WatchLinks,
};

use crate::cli::LinkCommand;
use crate::config::Settings;
use crate::output::{Output, table};

use super::remote;

/// Lists, steers or watches.
pub async fn link(settings: &Settings, command: LinkCommand, output: &Output) -> Result<(), Box<dyn Error>> {
    let (name, order, reason) = match command {
        LinkCommand::List => return list(settings, output).await,
        LinkCommand::Watch { names } => return watch(settings, names, output).await,
        LinkCommand::Open { name, reason } => (name, LinkOrder::Open, reason),
        LinkCommand::Close { name, reason } => (name, LinkOrder::Close, reason),
        LinkCommand::Hold { name, reason } => (name, LinkOrder::Hold, reason),
        LinkCommand::Release { name } => (name, LinkOrder::Release, String::new()),
    };
    let links = PlatformLinksClient::new(remote::link(settings, &PLATFORM_LINKS_CONTRACT, output).await?);
    let order = SteerLink { name, order, reason };
    let status =
        links.steer(&remote::context(), order).await.map_err(|fault| remote::explain(settings, fault))?;
    output.value(&status, || format!("{}: the breaker is {}\n", status.name, breaker(&status)));
    Ok(())
}

async fn list(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    let links = PlatformLinksClient::new(remote::link(settings, &PLATFORM_LINKS_CONTRACT, output).await?);
    let list = links.list(&remote::context(), ListLinks {}).await;
    let list = list.map_err(|fault| remote::explain(settings, fault))?.links;
    output.value(&list, || overview(&list));
    Ok(())
}

/// Prints a line for every change until the platform goes away.
async fn watch(settings: &Settings, names: Vec<String>, output: &Output) -> Result<(), Box<dyn Error>> {
    let watch =
        PlatformWatchClient::new(remote::stream_link(settings, &PLATFORM_WATCH_CONTRACT, output).await?);
    // The ask stays open: the stream ends with it.
    let asks = stream::iter([Ok(WatchLinks { names })]).chain(stream::pending()).boxed();
    let explain = |fault| remote::explain(settings, fault);
    let mut told = watch.links(&remote::context(), asks).await.map_err(explain)?;
    while let Some(status) = told.next().await {
        let status = status.map_err(explain)?;
        let ejected = status.instances.iter().filter(|instance| instance.ejected).count();
        let left_out = if ejected > 0 { format!(", {ejected} instances left out") } else { String::new() };
        let process =
            process(&status).map(|process| format!(", the process is {process}")).unwrap_or_default();
        output.value(&status, || format!("{}  {}{left_out}{process}\n", status.name, breaker(&status)));
    }
    Ok(())
}

fn breaker(status: &LinkStatus) -> String {
    match &status.breaker {
        None => "off".to_owned(),
        Some(breaker) => match &breaker.reason {
            Some(reason) => format!("{} ({reason})", breaker.state),
            None => breaker.state.clone(),
        },
    }
}

/// Tells how the process that answers stands, where this one started it.
fn process(status: &LinkStatus) -> Option<String> {
    let process = status.process.as_ref()?;
    let address = process.address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
    let restarts = match process.restarts {
        0 => String::new(),
        count => format!(", started again {count} times"),
    };
    let ended = process.ended.as_ref().map(|ended| format!(", last: {ended}")).unwrap_or_default();
    Some(format!("{}{address}{restarts}{ended}", process.state))
}

fn overview(links: &[LinkStatus]) -> String {
    if links.is_empty() {
        return "this process calls no contract over a link\n".to_owned();
    }
    let rows: Vec<Vec<String>> = links
        .iter()
        .map(|link| {
            vec![
                link.name.clone(),
                link.to.clone(),
                breaker(link),
                link.calls.to_string(),
                link.failures.to_string(),
                link.rejected.values().sum::<u64>().to_string(),
                link.fallbacks.values().sum::<u64>().to_string(),
                link.p95_ms.map(|span| format!("{span} ms")).unwrap_or_default(),
                link.fallback.clone(),
            ]
        })
        .collect();
    let table = table(
        &["link", "to", "breaker", "calls", "failed", "refused", "stood in", "p95 below", "fallback"],
        &rows,
    );
    let line = |link: &LinkStatus| Some(format!("{}: {}\n", link.name, process(link)?));
    let processes: String = links.iter().filter_map(line).collect();
    if processes.is_empty() { table } else { format!("{table}\n{processes}") }
}
