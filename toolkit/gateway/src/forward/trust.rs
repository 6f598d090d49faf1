//! Whom a route over `https://` believes: this machine's authorities, or those in a file (TLS 1.2 and 1.3, RFC 8446).

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::lane::SendError;
use super::{ForwardError, ForwardOptions};

/// What a server behind a route must prove.
pub(super) struct Trust {
    connector: TlsConnector,
    /// Sent as SNI (RFC 6066 §3) and looked for in the certificate.
    name: ServerName<'static>,
}

impl Trust {
    /// Reads whom to believe; `None` for a route over `http://`. Fails where the file holds no certificate that can be
    /// used, or this machine has none.
    pub fn of(options: &ForwardOptions) -> Result<Option<Self>, ForwardError> {
        if options.to.scheme() != "https" {
            return Ok(None);
        }
        let roots = match &options.authorities {
            Some(path) => named(path)?,
            None => system()?,
        };
        let host = options.to.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| ForwardError::To { problem: "no certificate can be for this host" })?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ForwardError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A lane speaks HTTP/1.1; a server that speaks nothing else says so here and not in the middle.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self { connector: TlsConnector::from(Arc::new(config)), name }))
    }

    /// Agrees with the server over a connection that stands. Fails where its certificate is not for the route's host,
    /// signed by an authority that counts and valid now.
    pub async fn agree(&self, socket: TcpStream) -> Result<TlsStream<TcpStream>, SendError> {
        self.connector.connect(self.name.clone(), socket).await.map_err(|source| {
            match is_about_certificate(&source) {
                true => SendError::Untrusted { source },
                false => SendError::Tls { source },
            }
        })
    }
}

fn is_about_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented))
}

fn named(path: &Path) -> Result<RootCertStore, ForwardError> {
    let failed = |source| ForwardError::Authorities { path: path.to_owned(), source };
    let read = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let mut roots = RootCertStore::empty();
    for certificate in read {
        let certificate = certificate.map_err(failed)?;
        roots.add(certificate).map_err(|source| ForwardError::Authority { path: path.to_owned(), source })?;
    }
    match roots.is_empty() {
        true => Err(ForwardError::NoAuthority { path: path.to_owned() }),
        false => Ok(roots),
    }
}

fn system() -> Result<RootCertStore, ForwardError> {
    let mut roots = RootCertStore::empty();
    // One certificate that cannot be read takes none of the others away.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    match roots.is_empty() {
        true => Err(ForwardError::NoneHere),
        false => Ok(roots),
    }
}
