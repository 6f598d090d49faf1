//! The gateway alone in a process of its own, as `ieum up` would run it, on one thread.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ieum_cache::{MemoryCache, MemoryOptions};
use ieum_core::{BoxFuture, HumanDuration, system_clock};
use ieum_gateway::{
    Algorithm, ForwardOptions, Gateway, GatewayOptions, IssuerOptions, KeyOrigin, KeySource, Keys,
    KeysOptions, Rate, Tokens,
};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_telemetry::{Health, HealthOptions, TelemetryConfig, health_routes, init, metrics_routes};
use ieum_wires::serve::{ServeOptions, serve};
use tokio::net::TcpListener;

use super::tokens::{AUDIENCE, ISSUER};

type Failure = Box<dyn std::error::Error>;

/// Keys come from a file here.
struct NoSource;

impl KeySource for NoSource {
    fn fetch<'a>(&'a self, url: &'a url::Url) -> BoxFuture<'a, Result<bytes::Bytes, String>> {
        Box::pin(async move { Err(format!("nothing is fetched from {url} here")) })
    }
}

/// The argument that makes this program the gateway alone.
pub const ALONE: &str = "gateway-alone";

/// Serves until the process is ended. The arguments: port, upstream's port, folder, file of keys.
pub fn run_alone(arguments: &[String]) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the gateway alone: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let [port, upstream, folder, keys] = arguments else {
        return Err("expected port, upstream's port, folder, file of keys".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve_alone(port.parse()?, upstream.parse()?, Path::new(folder), Path::new(keys)))
}

async fn serve_alone(port: u16, upstream: u16, folder: &Path, keys_file: &Path) -> Result<(), Failure> {
    let telemetry = init(&TelemetryConfig { log: "info".to_owned(), ..TelemetryConfig::default() })?;
    let clock = system_clock();
    let url = format!("sqlite:{}", folder.join("gateway.db").display());
    let store = Store::open(&url, &StoreOptions::default()).await?;
    migrate(&store, &Keys::migrations(), |_| {}).await?;
    let keys = Keys::new(store.clone(), clock.clone(), KeysOptions::default());
    let issuer =
        IssuerOptions::new(ISSUER, AUDIENCE, Algorithm::Rs256, KeyOrigin::File(keys_file.to_owned()));
    let tokens = Tokens::new(vec![issuer], Arc::new(NoSource), store, clock.clone())?;
    let cache = Arc::new(MemoryCache::new(clock.clone(), MemoryOptions::default()));
    let second = HumanDuration(Duration::from_secs(1));
    let options = GatewayOptions {
        partner: Rate { limit: 500_000, per: second, burst: 500_000 },
        // Traces go nowhere, as for the peers.
        spans: false,
        ..GatewayOptions::default()
    };
    let gateway = Gateway::with_tokens(keys, Some(tokens), cache, clock.clone(), options)?;
    let to = format!("http://127.0.0.1:{upstream}/api/bench").parse()?;
    let health = Health::new(clock.clone(), HealthOptions::default());
    let router = gateway.forward(ForwardOptions::new("/api/bench", to))?;
    let router = router.merge(health_routes(health)).merge(metrics_routes(telemetry.metrics()));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    serve(listener, router, std::future::pending(), ServeOptions::default(), clock).await;
    Ok(())
}
