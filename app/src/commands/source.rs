//! `ieum source`: event-management systems that the hub reads.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, EVENT_SERVICE_REGISTRY_CONTRACT, Endpoints,
    EventServiceConfig, EventServiceRegistry, EventServiceRegistryClient, ListSources, ProbeLevel,
    ProbeReport, ProgressStep, RegistrationStep, SourceId, SourcePhase, SourceStatus, StepState,
    SyncSettings,
};
use ieum_core::{Clock, SystemClock};

use crate::cli::{SourceAdd, SourceCommand};
use crate::config::Settings;
use crate::output::{Output, table};
use crate::secret_files;

use super::remote;

/// How often the registration is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Adds, lists, checks or removes.
pub async fn source(
    settings: &Settings,
    command: SourceCommand,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let link = remote::link(settings, &EVENT_SERVICE_REGISTRY_CONTRACT, output).await?;
    let registry = EventServiceRegistryClient::new(link);
    let cx = remote::context();
    let explain = |fault| remote::explain(settings, fault);
    match command {
        SourceCommand::Add(add) => {
            let config = read_config(settings, &add, output)?;
            output.progress(&format!("probing {}", config.endpoints.api));
            let registered = registry.register(&cx, config).await.map_err(explain)?;
            output.progress_done();
            output.line(&report(&registered.probe));
            let status = follow(&registry, &registered.event_id, output).await.map_err(explain)?;
            output.value(&status, || {
                format!("{} is registered and live; {} rows read\n", status.event_id, status.synced_rows)
            });
        }
        SourceCommand::List => {
            let sources = registry.list(&cx, ListSources {}).await.map_err(explain)?.sources;
            output.value(&sources, || overview(&sources));
        }
        SourceCommand::Check { event_id } => {
            let probe =
                registry.check(&cx, SourceId { event_id: event_id.clone() }).await.map_err(explain)?;
            output.value(&probe, || report(&probe));
            if !probe.ok {
                return Err(format!("{event_id} failed its probe").into());
            }
        }
        SourceCommand::Remove { event_id } => {
            let removed = registry.remove(&cx, SourceId { event_id }).await.map_err(explain)?;
            output.value(&removed, || format!("{} is removed; its history stays\n", removed.event_id));
        }
    }
    Ok(())
}

/// Waits until every step of the registration is done, with a line as each is and its counts meanwhile.
async fn follow(
    registry: &EventServiceRegistryClient,
    event_id: &str,
    output: &Output,
) -> Result<SourceStatus, ieum_core::Fault> {
    let ask = SourceId { event_id: event_id.to_owned() };
    let mut told = 0;
    loop {
        let steps = registry.progress(&remote::context(), ask.clone()).await?.steps;
        while let Some(step) = steps.get(told).filter(|step| is_over(step)) {
            output.progress_done();
            output.line(&format!("{}  {:<16} {}", mark(step.state), name(step.step), step.detail));
            told += 1;
        }
        let Some(step) = steps.get(told) else { break };
        output.progress(&format!("{}  {:<16} {}", mark(step.state), name(step.step), step.detail));
        SystemClock.sleep(LOOK).await;
    }
    let sources = registry.list(&remote::context(), ListSources {}).await?.sources;
    let status = sources.into_iter().find(|status| status.event_id == event_id);
    status.ok_or_else(|| {
        ieum_core::Fault::not_found("events.source.unknown", format!("{event_id} was removed meanwhile"))
    })
}

/// A first read that failed is tried again; the source is registered whatever its health says.
fn is_over(step: &ProgressStep) -> bool {
    let is_health = step.step == RegistrationStep::HealthWatched;
    step.state == StepState::Done || (is_health && step.state == StepState::Failed)
}

fn mark(state: StepState) -> &'static str {
    match state {
        StepState::Done => "ok  ",
        StepState::Failed => "FAIL",
        StepState::Running | StepState::Waiting => "... ",
    }
}

fn name(step: RegistrationStep) -> &'static str {
    match step {
        RegistrationStep::Probed => "probed",
        RegistrationStep::Saved => "saved",
        RegistrationStep::InitialSync => "first sync",
        RegistrationStep::Scheduled => "scheduled",
        RegistrationStep::HealthWatched => "health",
    }
}

fn read_config(
    settings: &Settings,
    add: &SourceAdd,
    output: &Output,
) -> Result<EventServiceConfig, Box<dyn Error>> {
    if let Some(path) = &add.file {
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("reading {}: {error}", path.display()))?;
        return serde_json::from_str(&text)
            .map_err(|error| format!("reading {} as a source: {error}", path.display()).into());
    }
    let connector = match add.connector.as_str() {
        "generic" => ConnectorKind::Generic,
        "pretix" => ConnectorKind::Pretix,
        "pretalx" => ConnectorKind::Pretalx,
        "icalendar" => ConnectorKind::Icalendar,
        "schedule-xml" => ConnectorKind::ScheduleXml,
        "declarative" => ConnectorKind::Declarative,
        "push" => ConnectorKind::Push,
        other => {
            let known = "generic, pretix, pretalx, icalendar, schedule-xml, declarative and push";
            return Err(format!("--connector {other:?} is none of {known}").into());
        }
    };
    let mut options = BTreeMap::new();
    for option in &add.options {
        let (name, value) =
            option.split_once('=').ok_or_else(|| format!("--option {option:?} is not name=value"))?;
        let value = match value.strip_prefix('@') {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("reading {path} for --option {name}: {error}"))?,
            None => value.to_owned(),
        };
        options.insert(name.to_owned(), value);
    }
    let event_id = add.event_id.clone().unwrap_or_default();
    Ok(EventServiceConfig {
        service_name: add.name.clone().unwrap_or_else(|| event_id.clone()),
        event_id,
        connector,
        endpoints: Endpoints {
            api: add.api.clone().unwrap_or_default(),
            webhook: add
                .webhook
                .clone()
                .or_else(|| settings.server.public_url.as_ref().map(ToString::to_string)),
            health_check: add.health.clone(),
        },
        authentication: authentication(add, connector, output)?,
        sync_settings: SyncSettings { interval: add.interval, ..SyncSettings::default() },
        options,
    })
}

fn authentication(
    add: &SourceAdd,
    connector: ConnectorKind,
    output: &Output,
) -> Result<Authentication, Box<dyn Error>> {
    let Some(path) = &add.token_file else {
        return Ok(Authentication { kind: AuthenticationKind::None, credentials: BTreeMap::new() });
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("reading {} (--token-file): {error}; write the system's token into it", path.display())
    })?;
    if text.trim().is_empty() {
        let problem = "it is empty; write the system's token into it";
        return Err(format!("reading {} (--token-file): {problem}", path.display()).into());
    }
    if let Some(note) = secret_files::open_to_all(path) {
        output.note(&note);
    }
    let (kind, name) = match connector {
        ConnectorKind::Generic => (AuthenticationKind::ApiKey, "apiKey"),
        ConnectorKind::Pretix | ConnectorKind::Pretalx => (AuthenticationKind::ApiKey, "token"),
        ConnectorKind::Icalendar
        | ConnectorKind::ScheduleXml
        | ConnectorKind::Declarative
        | ConnectorKind::Push => (AuthenticationKind::Oauth2, "token"),
    };
    let credentials = BTreeMap::from([(name.to_owned(), text.trim().to_owned())]);
    Ok(Authentication { kind, credentials })
}

fn report(probe: &ProbeReport) -> String {
    let mut text = String::new();
    for check in &probe.checks {
        let mark = match (check.ok, check.level) {
            (false, _) | (_, ProbeLevel::Fail) => "FAIL",
            (true, ProbeLevel::Warn) => "warn",
            (true, ProbeLevel::Ok) => "ok  ",
        };
        text.push_str(&format!("{mark}  {:<16} {}\n", check.name, check.detail));
        if let Some(advice) = &check.advice {
            text.push_str(&format!("      {:<16} {advice}\n", ""));
        }
    }
    text
}

fn overview(sources: &[SourceStatus]) -> String {
    if sources.is_empty() {
        return "no source is registered; add one with `ieum source add`\n".to_owned();
    }
    let phase = |status: &SourceStatus| match status.phase {
        SourcePhase::InitialSync => "first read",
        SourcePhase::Live => "live",
        SourcePhase::Removed => "removed",
    };
    let rows: Vec<Vec<String>> = sources
        .iter()
        .map(|status| {
            vec![
                status.event_id.clone(),
                phase(status).to_owned(),
                if status.healthy { "healthy" } else { "unhealthy" }.to_owned(),
                status.api.clone(),
                format!("{} s", status.interval),
                status.last_success_at.map(|at| at.to_string()).unwrap_or_else(|| "never".to_owned()),
                status.last_error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(&["event", "phase", "health", "api", "every", "last read", "last error"], &rows)
}
