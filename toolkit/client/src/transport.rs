//! The network as a trait, and the real one over reqwest.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use ieum_core::Fault;
use url::Url;

use crate::{GuardedResolver, Lookup, OutboundGuard, Refused, SystemLookup};

/// A body as it comes from the network: not yet decompressed, not yet limited.
pub type BodyStream = BoxStream<'static, Result<Bytes, TransportError>>;

/// Sends one request and hands the answer back as it comes. Follows no redirect, repeats nothing,
/// decompresses nothing.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends `request`; completes with the answer's head.
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportError>;
}

/// One request as it goes out.
#[derive(Clone)]
pub struct WireRequest {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The headers, credentials included; hence no `Debug`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The head of an answer, and its body to be read.
pub struct WireResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: BodyStream,
}

/// Says which step of the way to the other side failed. Never holds a URL's query or a header.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The guard forbids the address.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No connection in time.
    #[error("connecting to {host} took longer than its limit")]
    ConnectTimeout {
        /// The host.
        host: String,
    },
    /// No connection.
    #[error("connecting to {host} failed: {cause}")]
    Connect {
        /// The host.
        host: String,
        /// What the system said.
        cause: String,
    },
    /// The connection broke or spoke no HTTP.
    #[error("the connection to {host} broke: {cause}")]
    Interrupted {
        /// The host.
        host: String,
        /// What the HTTP library said.
        cause: String,
    },
}

/// How the real network is used.
#[derive(Clone)]
pub struct HttpOptions {
    /// Limit on opening a connection, name look-up and TLS included. Default 3 s.
    pub connect: Duration,
    /// Connections kept idle per host. Default 32.
    pub idle_per_host: usize,
    /// How names are looked up.
    pub lookup: Arc<dyn Lookup>,
}

/// The real network: HTTP/1.1 and HTTP/2 over reqwest and rustls (ring), without proxies, with the guard
/// on every connection.
#[derive(Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    guard: OutboundGuard,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), idle_per_host: 32, lookup: Arc::new(SystemLookup) }
    }
}

// === HttpTransport ===

impl HttpTransport {
    /// Makes the network that `guard` watches. Fails where the system's trusted certificates cannot be
    /// read.
    pub fn new(guard: OutboundGuard, options: HttpOptions) -> Result<Self, TransportError> {
        // A second installation fails and changes nothing: whichever part comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .dns_resolver(GuardedResolver::new(guard.clone(), options.lookup))
            .connect_timeout(options.connect)
            .pool_max_idle_per_host(options.idle_per_host)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            // A proxy from the environment would resolve names beyond the guard.
            .no_proxy()
            .referer(false)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| TransportError::Connect {
                host: "any host".into(),
                cause: root_cause(&error),
            })?;
        Ok(Self { client, guard })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: WireRequest) -> Result<WireResponse, TransportError> {
        // The connector takes an address in place of a name without asking the resolver.
        self.guard.check_url(&request.url)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let sent = self
            .client
            .request(request.method, request.url)
            .headers(request.headers)
            .body(request.body)
            .send()
            .await
            .map_err(|error| failed(error, &host))?;
        let (status, headers) = (sent.status(), sent.headers().clone());
        let body = sent.bytes_stream().map(move |part| part.map_err(|error| failed(error, &host))).boxed();
        Ok(WireResponse { status, headers, body })
    }
}

fn failed(error: reqwest::Error, host: &str) -> TransportError {
    let error = error.without_url();
    if let Some(refused) = find_refusal(&error) {
        return TransportError::Refused(refused.clone());
    }
    let host = host.to_owned();
    match (error.is_connect(), error.is_timeout()) {
        (_, true) => TransportError::ConnectTimeout { host },
        (true, false) => TransportError::Connect { host, cause: root_cause(&error) },
        (false, false) => TransportError::Interrupted { host, cause: root_cause(&error) },
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn find_refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refused> {
    causes(error).find_map(|error| error.downcast_ref())
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

// === TransportError ===

impl From<TransportError> for Fault {
    fn from(error: TransportError) -> Self {
        let message = error.to_string();
        match error {
            TransportError::Refused(refused) => refused.into(),
            TransportError::ConnectTimeout { .. } => Self::unavailable("client.connect_timeout", message),
            TransportError::Connect { .. } => Self::unavailable("client.connect", message),
            TransportError::Interrupted { .. } => Self::unavailable("client.interrupted", message),
        }
    }
}
