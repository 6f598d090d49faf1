//! The server's side of TLS: plain and encrypted connections on one port, each with who called.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::serve::Listener;
use http::Extensions;
use ieum_core::{SharedClock, within};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Identity;
use crate::serve::Remote;

/// How long a caller may take until its connection stands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that may be under way to standing at once; further ones wait in the system's queue.
const MOST_HANDSHAKES: usize = 1_024;
/// A TLS record that begins a handshake (RFC 8446 §5.1). No request in plain HTTP begins with it.
const HANDSHAKE_RECORD: u8 = 22;

/// Takes plain and encrypted connections on one port: the first byte tells which it is.
pub struct TlsListener {
    standing: mpsc::Receiver<(MaybeTls, Peer)>,
    address: SocketAddr,
    accepting: AbortHandle,
}

/// Who called.
#[derive(Clone, Debug)]
pub struct Peer {
    /// From where.
    pub address: SocketAddr,
    /// Who it proved to be; `None` where it showed no certificate.
    pub identity: Option<PeerIdentity>,
}

/// Who a caller proved to be, by a certificate that one of our authorities signed. Requests carry it among
/// their extensions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeerIdentity {
    /// The names in the certificate (DNS names and URIs of its subject, RFC 5280 §4.2.1.6).
    pub names: Arc<[String]>,
}

/// A connection, encrypted or not.
pub enum MaybeTls {
    /// Plain.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
}

// === TlsListener ===

impl TlsListener {
    /// Takes connections of `listener` as `identity`. Fails where the listener has no address.
    pub fn new(listener: TcpListener, identity: &Identity, clock: SharedClock) -> io::Result<Self> {
        let address = TcpListener::local_addr(&listener)?;
        let (stands, standing) = mpsc::channel(64);
        let acceptor = TlsAcceptor::from(identity.server.clone());
        let accepting = tokio::spawn(accept(listener, acceptor, stands, clock)).abort_handle();
        Ok(Self { standing, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = MaybeTls;
    type Addr = Peer;

    async fn accept(&mut self) -> (MaybeTls, Peer) {
        match self.standing.recv().await {
            Some(standing) => standing,
            // The accepting task ends with this listener only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.address, identity: None })
    }
}

/// Lets connections come to stand side by side, so that a slow caller keeps nobody waiting.
async fn accept(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    stands: mpsc::Sender<(MaybeTls, Peer)>,
    clock: SharedClock,
) {
    let mut handshakes = JoinSet::new();
    loop {
        while handshakes.len() >= MOST_HANDSHAKES {
            handshakes.join_next().await;
        }
        while handshakes.try_join_next().is_some() {}
        let (socket, address) = Listener::accept(&mut listener).await;
        let (acceptor, stands, clock) = (acceptor.clone(), stands.clone(), clock.clone());
        handshakes.spawn(async move {
            match within(&clock, clock.moment() + HANDSHAKE, stand(socket, address, acceptor)).await {
                Some(Ok(standing)) => {
                    // Nobody takes it only when the server stops.
                    let _ = stands.send(standing).await;
                }
                Some(Err(error)) => {
                    tracing::info!(peer = %address, error = %error, "agreeing on TLS failed");
                }
                None => tracing::debug!(peer = %address, "caller took too long to begin"),
            }
        });
    }
}

async fn stand(
    socket: TcpStream,
    address: SocketAddr,
    acceptor: TlsAcceptor,
) -> io::Result<(MaybeTls, Peer)> {
    let mut first = [0];
    socket.peek(&mut first).await?;
    if first[0] != HANDSHAKE_RECORD {
        return Ok((MaybeTls::Plain(socket), Peer { address, identity: None }));
    }
    socket.set_nodelay(true)?;
    match acceptor.accept(socket).into_fallible().await {
        Ok(stream) => {
            let identity = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let identity = identity.map(|certificate| PeerIdentity { names: names(certificate) });
            Ok((MaybeTls::Tls(Box::new(stream)), Peer { address, identity }))
        }
        Err((error, socket)) => {
            linger(socket).await;
            Err(error)
        }
    }
}

/// Closes a refused connection so that the caller reads why: closing with bytes unread would drop the alert.
async fn linger(mut socket: TcpStream) {
    if socket.shutdown().await.is_err() {
        return;
    }
    let mut unread = [0; 4_096];
    // Whoever keeps sending is cut by the limit on the handshake.
    while socket.read(&mut unread).await.is_ok_and(|count| count > 0) {}
}

fn names(certificate: &rustls::pki_types::CertificateDer<'_>) -> Arc<[String]> {
    // It was verified already, so it reads.
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Arc::default() };
    certificate.valid_dns_names().chain(certificate.valid_uri_names()).map(str::to_owned).collect()
}

// === Peer ===

impl Remote for Peer {
    fn tell(&self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(self.address));
        if let Some(identity) = &self.identity {
            extensions.insert(identity.clone());
        }
    }
}

// === MaybeTls ===

impl AsyncRead for MaybeTls {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for MaybeTls {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
