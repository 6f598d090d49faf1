//! `ieum up`: opens what the parts stand on, starts the parts, serves, and drains on a stop signal.

use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use ieum_telemetry::{Critical, Health, Telemetry};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::Settings;
use crate::output::Output;
use crate::parts::{self, Parts};
use crate::platform::Platform;
use crate::{descriptions, foresight, housekeeping, links, page, server};

/// A platform that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    parts: Parts,
    platform: Platform,
    health: Health,
    telemetry: Telemetry,
    housekeeping: JoinHandle<()>,
    serving: JoinHandle<ieum_wires::serve::Drained>,
}

/// Starts the parts named, or all, and runs until a stop signal.
pub async fn up(settings: Settings, names: &[String], output: &Output) -> Result<(), Box<dyn Error>> {
    let running = start(settings, names, output).await?;
    announce(&running, output);
    stop_signal().await?;
    running.drain(output).await;
    Ok(())
}

/// Says which addresses to open.
pub fn announce(running: &Running, output: &Output) {
    let address = running.address;
    let mqtt = running.parts.device_address().map(|address| address.to_string());
    let wyoming = running.parts.wyoming_address().map(|address| address.to_string());
    let first = page::answered(&running.parts, &running.platform.settings).first().copied().unwrap_or("/");
    let page = format!("http://{address}{first}");
    let paths = descriptions::paths(&running.parts.names());
    let api: Vec<_> = paths.into_iter().map(|path| format!("http://{address}{path}")).collect();
    let value = serde_json::json!({
        "ready": true, "address": address.to_string(), "page": page, "api": api, "mqtt": mqtt, "wyoming": wyoming
    });
    output.value(&value, || {
        let line = |name: &str, at: &Option<String>| {
            at.as_ref().map(|at| format!("  {name:<8} {at}\n")).unwrap_or_default()
        };
        let (mqtt, wyoming) = (line("MQTT", &mqtt), line("Wyoming", &wyoming));
        let api = api.join("\n           ");
        format!(
            "ready\n  page     {page}\n  API      {api}\n  health   http://{address}/health/ready\n  \
             metrics  http://{address}/metrics\n{mqtt}{wyoming}"
        )
    });
}

/// Starts the parts named, or all, one line each.
pub async fn start(settings: Settings, names: &[String], output: &Output) -> Result<Running, Box<dyn Error>> {
    let chosen = parts::choose(names)?;
    links::check(&settings, &parts::contracts())?;
    foresight::stopping(&settings, &chosen)?;
    let settings = Arc::new(settings);
    let telemetry = server::telemetry(&settings)?;
    let platform = Platform::open(settings.clone(), output).await?;
    let parts = Parts::build(&platform, &chosen)?;
    let listener = TcpListener::bind(settings.server.listen)
        .await
        .map_err(|error| unheard("on", settings.server.listen, "server.listen", &error))?;
    let address = listener.local_addr()?;
    let listener = server::listening(listener, &platform)?;
    let health = server::health(&platform);
    if let Some(check) = parts.device_check() {
        health.add("device", Critical::Yes, Arc::new(check));
    }
    if let Some(check) = parts.bridge_check(&platform.settings) {
        health.add("bridge", Critical::No, Arc::new(check));
    }
    for (name, check) in parts.voice_checks() {
        health.add(&name, Critical::No, check);
    }
    telemetry.metrics().ask(Arc::new(parts.board()));
    if let Some(sources) = parts.source_metrics() {
        telemetry.metrics().ask(sources);
    }
    let forwards = parts.forwards(&platform.settings)?;
    let router = server::router(&platform, &parts, health.clone(), &telemetry).merge(forwards);
    let serving = tokio::spawn(server::serve(listener, router, platform.clone()));
    parts.start(&platform).await?;
    for name in parts.names() {
        output.line(&format!("{name:<10} started"));
    }
    let housekeeping = tokio::spawn(housekeeping::run(platform.clone(), health.clone(), parts.webhooks()));
    health.started();
    Ok(Running { address, parts, platform, health, telemetry, housekeeping, serving })
}

impl Running {
    /// Takes nothing new, finishes what runs, and closes.
    pub async fn drain(self, output: &Output) {
        output.line("stopping: finishing what runs");
        self.health.stopping();
        self.platform.stop.cancel();
        match self.serving.await {
            Ok(drained) if drained.cut > 0 => {
                output.line(&format!("server     {} connections cut after the drain time", drained.cut));
            }
            _ => output.line("server     drained"),
        }
        self.housekeeping.abort();
        self.parts.drain().await;
        output.line("parts      drained");
        self.platform.close().await;
        if let Err(error) = self.telemetry.shutdown().await {
            output.line(&format!("telemetry  {error}"));
        }
        output.line("stopped");
    }
}

/// Says that `address` cannot be listened on, which setting names it, and what to do.
pub fn unheard(whom: &str, address: SocketAddr, setting: &str, error: &std::io::Error) -> String {
    let to_do = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there, which `ss -ltnp` names; stop that one, or set another port"
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address; set one that it has, or 0.0.0.0 for all of them"
        }
        ErrorKind::PermissionDenied => "ports below 1024 are for the administrator; set a higher one",
        _ => "set another address",
    };
    format!("listening {whom} {address} ({setting}): {error}; {to_do}")
}

/// Completes on SIGINT or SIGTERM.
pub async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
