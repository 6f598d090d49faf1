//! Bytes to and from a broker: TCP, or TLS over it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, within};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{Address, ConnectError};

/// Whose certificates are believed.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Says why nobody's certificate can be believed.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("reading the authorities in {path:?}; they must be certificates in PEM")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate cannot be used.
    #[error("using the authorities for TLS")]
    Use(#[source] rustls::Error),
}

/// How long reaching a broker may take, name, connection and TLS each.
const REACH: Duration = Duration::from_secs(10);

/// A stream of bytes both ways.
pub(crate) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

impl Trust {
    /// Believes the authorities that this machine does.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn of_this_machine() -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::of(roots)
    }

    /// Believes the authorities in a PEM file alone.
    ///
    /// # Errors
    /// A file that cannot be read, or certificates that cannot be used.
    pub fn from_file(path: &Path) -> Result<Self, TrustError> {
        let unread = |source| TrustError::File { path: path.to_owned(), source };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(unread)? {
            roots.add(certificate.map_err(unread)?).map_err(TrustError::Use)?;
        }
        Self::of(roots)
    }

    fn of(roots: RootCertStore) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(TrustError::Use)?;
        Ok(Self(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// Reaches a broker.
pub(crate) async fn reach(
    address: &Address,
    trust: &Trust,
    clock: &SharedClock,
) -> Result<Box<dyn Both>, ConnectError> {
    let late = || io::Error::from(io::ErrorKind::TimedOut);
    let end = || clock.moment() + REACH;
    let place = (address.host.as_str(), address.port);
    let found = within(clock, end(), tokio::net::lookup_host(place)).await.unwrap_or_else(|| Err(late()));
    let unknown = |source| ConnectError::Resolve { host: address.host.clone(), source };
    let found: Vec<_> = found.map_err(unknown)?.collect();
    let connected = within(clock, end(), TcpStream::connect(&found[..])).await;
    let stream = connected
        .unwrap_or_else(|| Err(late()))
        .map_err(|source| ConnectError::Dial { address: address.to_string(), source })?;
    // What is written is a whole packet already: waiting for more only adds delay.
    let _ = stream.set_nodelay(true);
    if !address.tls {
        return Ok(Box::new(stream));
    }
    let failed = |source| ConnectError::Tls { address: address.to_string(), source };
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let agreed = within(clock, end(), TlsConnector::from(trust.0.clone()).connect(name, stream)).await;
    Ok(Box::new(agreed.unwrap_or_else(|| Err(late())).map_err(failed)?))
}
