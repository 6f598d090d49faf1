//! Who a process is and whom it believes: certificates for links, both ways (TLS 1.2 and 1.3, RFC 8446).

mod dial;
mod listen;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

pub use dial::TlsDialer;
pub use listen::{Peer, PeerIdentity, TlsListener};

/// The PEM files (RFC 7468) of a process's identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The process's certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The certificates of the authorities whose word counts, for servers called and for callers.
    pub authorities: PathBuf,
}

/// Who this process is, as server and as caller. Clones share the certificates.
#[derive(Clone)]
pub struct Identity {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    certificate: Arc<str>,
}

/// Says why files make no identity.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("reading the {what} in {path}")]
    Read {
        /// Certificate, key or authorities.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PemError,
    },
    /// A file has no certificate in it.
    #[error("reading the {what} in {path}, which holds no certificate")]
    Empty {
        /// Certificate or authorities.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// An authority's certificate cannot be used.
    #[error("trusting the authorities in {path}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Certificate and key do not go together, or cannot be used.
    #[error("using the certificate in {certificate} with the key in {key}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

// === Identity ===

impl Identity {
    /// Reads an identity. Fails where a file is missing, holds something else, or the key is another one's.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates("certificate", &files.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::Read {
            what: "key",
            path: files.key.clone(),
            source,
        })?;
        let roots = Arc::new(authorities(&files.authorities)?);
        let callers = verifier(&roots, &provider, &files.authorities)?;
        let pair = |source| TlsError::Pair {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            source,
        };
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.clone(), key.clone_key())
            .map_err(pair)?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_client_cert_verifier(callers)
            .with_single_cert(chain, key)
            .map_err(pair)?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let certificate = files.certificate.display().to_string().into();
        Ok(Self { client: Arc::new(client), server: Arc::new(server), certificate })
    }

    /// Returns the file of the certificate, for messages.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Read { what, path: path.to_owned(), source };
    let read = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(failed)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { what, path: path.to_owned() });
    }
    Ok(certificates)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("authorities", path)? {
        let added = roots.add(certificate);
        added.map_err(|source| TlsError::Authority { path: path.to_owned(), source: source.into() })?;
    }
    Ok(roots)
}

/// Verifies callers who show a certificate. One without is let in this far, so that whoever answers can tell it
/// in words what is missing; pages and health probes need none.
fn verifier(
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
    path: &Path,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|source| TlsError::Authority { path: path.to_owned(), source: source.into() })
}
