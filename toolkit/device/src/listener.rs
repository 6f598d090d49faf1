//! Listeners: TCP and TLS, with a limit of connections in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use socket2::TcpKeepalive;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::broker::Shared;
use crate::connection::serve;

/// A listener that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("listening for devices on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file for TLS cannot be read.
    #[error("reading {path:?} for devices over TLS")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not fit.
    #[error("using the certificate for devices over TLS")]
    Tls(#[source] rustls::Error),
}

/// How many connections there are, by address.
#[derive(Default)]
pub(crate) struct Doors {
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among the connections, given back when dropped.
pub(crate) struct Pass {
    shared: Arc<Shared>,
    address: IpAddr,
}

/// After how much silence the system asks whether the other machine is still there.
const SYSTEM_KEEP_ALIVE: Duration = Duration::from_secs(300);

/// How long to wait after a connection could not be taken: file handles may be short.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads a certificate chain and its key, both PEM.
///
/// # Errors
/// Files that cannot be read or do not fit.
pub fn tls_from_files(
    certificate: &PathBuf,
    key: &PathBuf,
) -> Result<Arc<rustls::ServerConfig>, ListenError> {
    let unread = |path: &PathBuf| {
        let path = path.clone();
        move |source| ListenError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate).map_err(unread(certificate))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unread(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unread(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ListenError::Tls)?;
    let config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(ListenError::Tls)?;
    Ok(Arc::new(config))
}

/// Takes a place for a connection from `address`, or `None` where there is none left.
pub(crate) fn enter(shared: &Arc<Shared>, address: IpAddr) -> Option<Pass> {
    let mut inside = shared.doors.inside.lock();
    let from_there = inside.by_address.get(&address).copied().unwrap_or(0);
    let limits = &shared.limits;
    if inside.all >= limits.connections || from_there >= limits.connections_per_address {
        metrics::counter!("ieum_device_refused_total", "reason" => "too_many_connections").increment(1);
        return None;
    }
    inside.all += 1;
    inside.by_address.insert(address, from_there + 1);
    Some(Pass { shared: Arc::clone(shared), address })
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.shared.doors.inside.lock();
        inside.all -= 1;
        if let Some(count) = inside.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

/// An address that is bound: connections wait there until a broker takes them.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds `address`; port 0 takes any.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn at(address: SocketAddr) -> Result<Self, ListenError> {
        let unbound = |source| ListenError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        Ok(Self { listener, address })
    }

    /// Returns where that is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Takes connections until the broker stops.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    Bound { listener, .. }: Bound,
    tls: Option<Arc<rustls::ServerConfig>>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = shared.stop.cancelled() => return,
        };
        match taken {
            Ok((stream, peer)) => take(&shared, stream, peer, acceptor.clone()),
            Err(error) => {
                tracing::warn!(%error, "taking a device's connection failed");
                shared.state.clock.sleep(PAUSE).await;
            }
        }
    }
}

fn take(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, acceptor: Option<TlsAcceptor>) {
    let Some(pass) = enter(shared, peer.ip()) else { return };
    // Answers are written in batches already: waiting for more only adds delay.
    let _ = stream.set_nodelay(true);
    // Who asked for no keep alive is not heard of when its machine is gone: the system asks for it.
    let _ =
        socket2::SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(SYSTEM_KEEP_ALIVE));
    let shared = Arc::clone(shared);
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        match acceptor {
            None => serve(shared, stream).await,
            Some(acceptor) => {
                let limit = shared.state.clock.sleep(shared.limits.connect_timeout);
                let encrypted = tokio::select! {
                    encrypted = acceptor.accept(stream) => encrypted.ok(),
                    () = limit => None,
                    () = shared.stop.cancelled() => None,
                };
                if let Some(encrypted) = encrypted {
                    serve(shared, encrypted).await;
                }
            }
        }
        drop(pass);
    });
}
