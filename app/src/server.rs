//! What a process answers over the network: page, parts, links, health, metrics.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use ieum_core::{Fault, SharedClock};
use ieum_gateway::{ApiError, Partner};
use ieum_telemetry::{
    Critical, Health, HealthCheck, HealthOptions, Telemetry, TelemetryConfig, TelemetryError, health_routes,
    metrics_routes,
};
use ieum_wires::serve::{Drained, ServeOptions, serve as serve_router};
use ieum_wires::tls::{PeerIdentity, TlsListener};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{LinkCallers, Settings};
use crate::descriptions;
use crate::links;
use crate::operator;
use crate::page;
use crate::parts::Parts;
use crate::platform::Platform;

/// Starts logs, traces and metrics.
pub fn telemetry(settings: &Settings) -> Result<Telemetry, TelemetryError> {
    ieum_telemetry::init(&TelemetryConfig {
        log: settings.telemetry.log.clone(),
        format: settings.telemetry.format,
        otlp: settings.telemetry.otlp.clone(),
        ..TelemetryConfig::default()
    })
}

struct StoreCheck(ieum_store::Store);
struct BusCheck(ieum_bus::Bus);
struct DocumentsCheck(Arc<dyn ieum_documents::Documents>);
struct CacheCheck(Arc<dyn ieum_cache::Cache>);
struct SeriesCheck(Arc<dyn ieum_data::TimeSeries>);

#[async_trait::async_trait]
impl HealthCheck for StoreCheck {
    async fn check(&self) -> Result<(), Fault> {
        self.0.ping().await.map_err(Fault::from)
    }
}

#[async_trait::async_trait]
impl HealthCheck for BusCheck {
    async fn check(&self) -> Result<(), Fault> {
        self.0.ping().await.map_err(Fault::from)
    }
}

#[async_trait::async_trait]
impl HealthCheck for DocumentsCheck {
    async fn check(&self) -> Result<(), Fault> {
        self.0.ping().await.map_err(Fault::from)
    }
}

#[async_trait::async_trait]
impl HealthCheck for CacheCheck {
    async fn check(&self) -> Result<(), Fault> {
        self.0.ping().await.map_err(|error| Fault::unavailable("cache.unreachable", error.to_string()))
    }
}

#[async_trait::async_trait]
impl HealthCheck for SeriesCheck {
    async fn check(&self) -> Result<(), Fault> {
        self.0.ping().await.map_err(|error| Fault::unavailable("series.unreachable", error.to_string()))
    }
}

/// Watches the backing services. Without the SQL store no work may come; without the others it comes with
/// less.
pub fn health(platform: &Platform) -> Health {
    let health = Health::new(platform.clock.clone(), HealthOptions::default());
    health.add("store", Critical::Yes, Arc::new(StoreCheck(platform.store.clone())));
    health.add("bus", Critical::No, Arc::new(BusCheck(platform.bus.clone())));
    health.add("documents", Critical::No, Arc::new(DocumentsCheck(platform.documents.clone())));
    health.add("cache", Critical::No, Arc::new(CacheCheck(platform.cache.clone())));
    health.add("series", Critical::No, Arc::new(SeriesCheck(platform.series.clone())));
    health
}

/// Puts together everything that is answered on the one port.
pub fn router(platform: &Platform, parts: &Parts, health: Health, telemetry: &Telemetry) -> Router {
    let links = contracts_router(platform, parts);
    let contracts: Arc<[_]> = parts.routes().contracts().into();
    let unknown = move |request: Request| async move {
        let answer = ieum_wires::grpc::unserved(&contracts, request.uri(), request.headers());
        answer.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
    };
    let served = parts
        .router()
        .merge(operator::router(platform, parts, health.clone()))
        .merge(page::routes(&page::answered(parts, &platform.settings), &descriptions::paths(&parts.names())))
        .merge(metrics_router(parts, telemetry))
        .fallback(unknown);
    let served = served.layer(map_response_with_state(platform.stop.clone(), end_with_the_process));
    // The frame answers unknown paths and panics too, so it goes around everything but the links, which
    // speak for themselves.
    parts.framed(served).merge(health_routes(health)).merge(links)
}

/// What a key needs to see figures, which name every event.
const METRICS: &str = "metrics:read";

/// Shows figures to those who may see the hub's pages: they name events. A key needs a scope of its own besides.
fn metrics_router(parts: &Parts, telemetry: &Telemetry) -> Router {
    let admit = async |request: Request, next: Next| match request
        .extensions()
        .get::<Partner>()
        .map_or(Ok(()), |partner| partner.require(METRICS))
    {
        Ok(()) => next.run(request).await,
        Err(fault) => ApiError::from(fault).into_response(),
    };
    parts.behind_the_hubs_door(metrics_routes(telemetry.metrics()).layer(from_fn(admit)))
}

/// Ends an event stream when the process begins to stop: whoever has a page open would hold that up for the
/// whole drain time, and opens the stream again by itself (`EventSource`).
async fn end_with_the_process(State(stop): State<CancellationToken>, response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop.cancelled_owned())))
}

/// Serves contracts over HTTP and gRPC to those who may call them.
fn contracts_router(platform: &Platform, parts: &Parts) -> Router {
    let callers = platform.settings.server.links;
    let routes = parts.routes();
    let clock: SharedClock = platform.clock.clone();
    let router = ieum_wires::http::serve_links(routes.clone(), clock.clone())
        .merge(ieum_wires::grpc::serve_links(routes, clock));
    router.layer(from_fn_with_state(callers, admit))
}

/// Lets only those pass who may call contracts; see `server.links`.
async fn admit(State(callers): State<LinkCallers>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let near =
        peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()) && !is_forwarded(request.headers());
    let own = is_own(request.uri().path());
    let proved = request.extensions().get::<PeerIdentity>().is_some();
    let shows = shows_credentials(request.headers());
    // Whoever steers this process stands before this machine, whatever others may call.
    let admitted = match callers {
        _ if own => near && !shows,
        LinkCallers::Anyone => true,
        LinkCallers::Loopback => (near && !shows) || proved,
        LinkCallers::Nobody => false,
    };
    if admitted {
        return next.run(request).await;
    }
    refuse(callers, own, near && shows)
}

fn refuse(callers: LinkCallers, own: bool, shows: bool) -> Response {
    let message = match callers {
        _ if shows && callers != LinkCallers::Nobody => {
            "calling a contract with an API key, a token or a device's secret, which opens none; processes of this \
             machine show nothing, and others a certificate ([tls])"
        }
        _ if own => "calling a contract about this very process, which is for its own machine only",
        LinkCallers::Nobody => "calling a contract of a process that answers none (`server.links`)",
        _ => {
            "calling a contract from outside this machine without a certificate; `server.links` allows its own \
             processes only, and others by certificates ([tls])"
        }
    };
    let problem = Fault::permission_denied("link.caller_refused", message).to_problem(None);
    let headers = [(header::CONTENT_TYPE, "application/problem+json")];
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    (StatusCode::FORBIDDEN, headers, body).into_response()
}

/// Tells whether a path leads to a contract about this very process, over HTTP or gRPC.
fn is_own(path: &str) -> bool {
    path.strip_prefix("/links").unwrap_or(path).starts_with("/platform.")
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(header::FORWARDED)
        || headers.contains_key("x-forwarded-for")
        || headers.contains_key("x-real-ip")
        || headers.contains_key(header::VIA)
        // A browser's page on this machine is no process of ours.
        || headers.contains_key(header::ORIGIN)
}

/// Tells whether somebody shows credentials. Processes of ours never do: who is no process is not trusted as one for
/// being on this machine.
fn shows_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

/// What a process listens on.
pub enum Listening {
    /// Plain connections.
    Plain(TcpListener),
    /// Plain and encrypted ones on one port.
    Tls(TlsListener),
}

/// Takes plain connections, and with `[tls]` encrypted ones on the same port.
pub fn listening(listener: TcpListener, platform: &Platform) -> Result<Listening, Box<dyn Error>> {
    Ok(match links::identity(&platform.settings)? {
        Some(identity) => Listening::Tls(TlsListener::new(listener, &identity, platform.clock.clone())?),
        None => Listening::Plain(listener),
    })
}

/// Serves until the process is to stop, then drains.
pub async fn serve(listener: Listening, router: Router, platform: Platform) -> Drained {
    let options = ServeOptions { drain: platform.settings.server.drain, ..ServeOptions::default() };
    let (stop, clock) = (platform.stop.cancelled_owned(), platform.clock.clone());
    match listener {
        Listening::Plain(listener) => serve_router(listener, router, stop, options, clock).await,
        Listening::Tls(listener) => serve_router(listener, router, stop, options, clock).await,
    }
}
