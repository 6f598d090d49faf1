//! A fair's day at the gates in seconds: turnstiles push their scans into `ieum up` on SQLite over HTTP, while
//! hundreds of pages watch by WebSocket and event stream; then two hundred sources are read by one node.
//!
//! The gates are the stations of Seoul's line 2 with the people of one day (OA-12914, the path in
//! `IEUM_BENCH_SEOUL`), along a built-in curve of the day; without the file, sixty gates alike. A push has arrived
//! once a page's bytes hold a count that includes it; the delay runs from the answer to whoever pushed. Pages and
//! gates run in this process on the same cores. `IEUM_BENCH_EVENTS_LOAD=short` makes everything small.

mod crowd;
mod pages;
mod sources;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ieum_contracts::events::{
    Authentication, AuthenticationKind, ConnectorKind, EVENT_SERVICE_REGISTRY_CONTRACT, Endpoints,
    EventServiceConfig, EventServiceRegistry, EventServiceRegistryClient, SyncSettings,
};
use ieum_contracts::partners::{CreateKey, PARTNER_KEYS_CONTRACT, PartnerKeys, PartnerKeysClient};
use ieum_core::{Cx, Fault, system_clock};
use ieum_wires::open::{LinkOptions, open_link};

use self::crowd::Crowd;
use self::pages::Pages;
use crate::processes::{cpu, resident_mib};
use crate::report::{Wanted, figures, not_run};

const NAME: &str = "events-load";
const EVENT: &str = "expo";
/// Scans per request, and requests under way at once.
const BATCH: usize = 250;
const PUSHERS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of everything.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// How long scans are pushed.
    pub span: Duration,
    /// Scans a second, at least; the day's peaks add half as many.
    pub rate: f64,
    /// Pages that watch, half by WebSocket, half by event stream.
    pub pages: usize,
    /// Sources read by one node.
    pub sources: usize,
}

const FULL: Size = Size { span: Duration::from_secs(20), rate: 5_200.0, pages: 500, sources: 200 };
const SHORT: Size = Size { span: Duration::from_secs(4), rate: 500.0, pages: 20, sources: 20 };

/// `ieum up` on a folder of its own, killed when dropped.
pub(crate) struct Platform {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

/// Prints what the hub carries.
pub async fn run() -> Result<(), Fault> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(program) = std::env::var_os("IEUM_BENCH_APP").map(PathBuf::from) else {
        let why = "IEUM_BENCH_APP names no binary; run it by `cargo xtask bench events-load`";
        not_run(NAME, "scans pushed by gates", why);
        return Ok(());
    };
    let short = std::env::var_os("IEUM_BENCH_EVENTS_LOAD").is_some_and(|text| text == "short");
    let size = if short { SHORT } else { FULL };
    let platform = Platform::start(&program).await?;
    push(&platform, size).await?;
    sources::run(&platform, size).await
}

async fn push(platform: &Platform, size: Size) -> Result<(), Fault> {
    let key = platform.key().await?;
    platform.register(config(EVENT, ConnectorKind::Push, String::new(), 1)).await?;
    let pages = Arc::new(Pages::open(platform.port, size.pages).await?);
    let crowd = Arc::new(Crowd::new());
    println!("{}; {} pages watch", crowd.told(), size.pages);
    let due = crowd::due(size);
    let (before, begun) = (cpu(platform.process.id()), Instant::now());
    let pushers = (0..PUSHERS).map(|pusher| {
        let due: Vec<Duration> = due.iter().copied().skip(pusher).step_by(PUSHERS).collect();
        let (crowd, pages, key, port) = (crowd.clone(), pages.clone(), key.clone(), platform.port);
        tokio::spawn(async move { push_batches(port, &key, &crowd, &pages, begun, &due).await })
    });
    let pushers: Vec<_> = pushers.collect();
    let mut accepted = 0;
    for pusher in pushers {
        accepted += pusher.await.map_err(|error| failed("pushing", &error))??;
    }
    let wall = begun.elapsed();
    pages.settle(PATIENCE).await?;
    let busy = (cpu(platform.process.id()) - before).div_duration_f64(wall) * 100.0;
    let rate = accepted as f64 / wall.as_secs_f64();
    let behind = wall.as_secs_f64() / size.span.as_secs_f64();
    println!("{accepted} scans in {wall:.1?}, {behind:.2} of the time the day was given");
    figures(
        NAME,
        "scans pushed by gates and accepted durably, SQLite",
        " a second",
        vec![rate],
        Wanted::AtLeast(5_000.0),
    );
    let (half, most, pictures) = pages.delays();
    let what = format!("from a scan's acceptance to its count on {} pages, median", size.pages);
    figures(NAME, &what, " ms", vec![half], Wanted::Nothing);
    figures(NAME, "the same, 99th percentile", " ms", vec![most], Wanted::AtMost(250.0));
    figures(
        NAME,
        "pictures per page and second",
        "",
        vec![pictures / wall.as_secs_f64()],
        Wanted::AtMost(10.0),
    );
    figures(NAME, "CPU of `ieum up` meanwhile", " % of one core", vec![busy], Wanted::Nothing);
    if let Some(resident) = resident_mib(platform.process.id()) {
        figures(NAME, "its memory at the end", " MiB", vec![resident], Wanted::Nothing);
    }
    Ok(())
}

/// Sends batches when they are due, or as soon as the one before is answered. Returns how many scans were accepted.
async fn push_batches(
    port: u16,
    key: &str,
    crowd: &Crowd,
    pages: &Pages,
    begun: Instant,
    due: &[Duration],
) -> Result<u64, Fault> {
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{port}/api/events/{EVENT}/gates/scans");
    let mut accepted = 0;
    for due in due {
        tokio::time::sleep_until((begun + *due).into()).await;
        let (body, entries) = crowd.batch(BATCH);
        let request = client.post(&url).header("x-api-key", key).header("content-type", "application/json");
        let answer = request.body(body).send().await.map_err(|error| failed("pushing scans", &error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| failed("reading an answer", &error))?;
        if !status.is_success() {
            return Err(failed("pushing scans", &format_args!("answered {status}: {text}")));
        }
        let taken: ieum_contracts::events::GateScansTaken =
            serde_json::from_str(&text).map_err(|error| failed("reading an answer", &error))?;
        accepted += taken.accepted;
        pages.accepted(entries);
    }
    Ok(accepted)
}

pub(crate) fn config(
    event_id: &str,
    connector: ConnectorKind,
    api: String,
    interval: u32,
) -> EventServiceConfig {
    let health_check = (connector == ConnectorKind::Generic).then(|| format!("{api}/health"));
    EventServiceConfig {
        event_id: event_id.to_owned(),
        service_name: event_id.to_owned(),
        connector,
        endpoints: Endpoints { api, webhook: None, health_check },
        authentication: Authentication { kind: AuthenticationKind::None, credentials: Default::default() },
        sync_settings: SyncSettings { interval, ..SyncSettings::default() },
        options: Default::default(),
    }
}

impl Platform {
    async fn start(program: &Path) -> Result<Self, Fault> {
        let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|error| failed("looking for a free port", &error))?.port();
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\n[device]\nlisten = \"\"\n[outbound]\nallow = [\"127.0.0.0/8\"]\n[gateway]\n\
             public_per_minute = 1000000\n"
        );
        std::fs::write(folder.path().join("ieum.toml"), settings)
            .map_err(|error| failed("writing settings", &error))?;
        let mut command = Command::new(program);
        command.args(["up", "--data"]).arg(folder.path().join("data")).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(|error| failed("starting ieum up", &error))?;
        let platform = Self { process, port, _folder: folder };
        let (url, begun) = (format!("http://127.0.0.1:{port}/health/ready"), Instant::now());
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            if begun.elapsed() > PATIENCE {
                return Err(failed("waiting for ieum up", &"it did not become ready in 60 s"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(platform)
    }

    /// Makes a key for the turnstiles.
    async fn key(&self) -> Result<String, Fault> {
        let link = open_link(&self.url(), &PARTNER_KEYS_CONTRACT, &LinkOptions::default(), system_clock());
        let keys = PartnerKeysClient::new(link.map_err(|error| failed("opening a link", &error))?.link);
        let wish = CreateKey {
            name: "turnstiles".into(),
            tier: "partner".into(),
            scopes: vec!["gates:write".into()],
            events: vec!["*".into()],
            expires_at: None,
            per_minute: Some(1_000_000),
        };
        Ok(keys.create(&Cx::root(), wish).await?.text)
    }

    /// Registers a source.
    pub(crate) async fn register(&self, config: EventServiceConfig) -> Result<(), Fault> {
        let options =
            LinkOptions { first_byte: Some(PATIENCE), total: Some(PATIENCE), ..LinkOptions::default() };
        let link = open_link(&self.url(), &EVENT_SERVICE_REGISTRY_CONTRACT, &options, system_clock());
        let registry =
            EventServiceRegistryClient::new(link.map_err(|error| failed("opening a link", &error))?.link);
        registry.register(&Cx::root(), config).await.map(drop)
    }

    /// Returns user and system time so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(self.process.id())
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::unavailable("bench.events-load", format!("{step}: {error}"))
}
