//! The network behind a trait, so that a wire runs over TCP or over a simulated network alike.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use ieum_core::{BoxFuture, SharedClock, within};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::TlsDialer;

/// A connected byte stream.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Socket for T {}

/// Opens connections.
#[async_trait::async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Connects to `port` of `host`, a name or an address. Fails with what the network said.
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Socket>>;
}

/// Connects over TCP without Nagle's delay.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpConnect;

/// Says why no connection came about. Nothing was sent yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address names no host.
    #[error("connecting to {uri}, which names no host")]
    NoHost {
        /// The address.
        uri: String,
    },
    /// The network did not answer in time.
    #[error("connecting to {host}:{port} took longer than {limit:?}")]
    TimedOut {
        /// The host asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// The limit.
        limit: Duration,
    },
    /// The peer is not who was called, or cannot prove it.
    #[error("agreeing on TLS with {host}:{port}, showing {certificate}")]
    Handshake {
        /// The host asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// The file of the certificate that was shown.
        certificate: Arc<str>,
        /// What did not fit.
        #[source]
        source: io::Error,
    },
    /// The network refused.
    #[error("connecting to {host}:{port}")]
    Refused {
        /// The host asked for.
        host: String,
        /// The port asked for.
        port: u16,
        /// What the network said.
        #[source]
        source: io::Error,
    },
}

/// A [`Connect`] with a time limit, as hyper's client takes it.
#[derive(Clone)]
pub(crate) struct Connector {
    network: Arc<dyn Connect>,
    tls: Option<TlsDialer>,
    limit: Duration,
    clock: SharedClock,
}

// === TcpConnect ===

#[async_trait::async_trait]
impl Connect for TcpConnect {
    async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Socket>> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

// === Connector ===

impl Connection for Box<dyn Socket> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Connector {
    pub(crate) fn new(network: Arc<dyn Connect>, limit: Duration, clock: SharedClock) -> Self {
        Self { network, tls: None, limit, clock }
    }

    /// Puts TLS on connections to addresses that ask for it (`https`).
    pub(crate) fn with_tls(mut self, tls: Option<TlsDialer>) -> Self {
        self.tls = tls;
        self
    }

    async fn open(self, uri: Uri) -> Result<TokioIo<Box<dyn Socket>>, ConnectError> {
        let host = uri.host().ok_or_else(|| ConnectError::NoHost { uri: uri.to_string() })?;
        // A literal IPv6 address stands in brackets within an address, and without them on the network.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let tls = self.tls.as_ref().filter(|_| uri.scheme_str() == Some("https"));
        let end = self.clock.moment() + self.limit;
        let stood = within(&self.clock, end, self.stand(&host, port, tls)).await;
        stood.unwrap_or(Err(ConnectError::TimedOut { host, port, limit: self.limit })).map(TokioIo::new)
    }

    async fn stand(
        &self,
        host: &str,
        port: u16,
        tls: Option<&TlsDialer>,
    ) -> Result<Box<dyn Socket>, ConnectError> {
        let refused = |source| ConnectError::Refused { host: host.to_owned(), port, source };
        let socket = self.network.connect(host, port).await.map_err(refused)?;
        let Some(tls) = tls else { return Ok(socket) };
        let certificate = tls.certificate().clone();
        let strange = |source| ConnectError::Handshake { host: host.to_owned(), port, certificate, source };
        tls.agree(host, port, socket).await.map_err(strange)
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Socket>>;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Self::Response, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

/// Finds the first error of type `T` in the chain of causes that begins with `error`.
pub(crate) fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// Writes an error and its causes on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = error.source();
    }
    text
}
