//! The caller's side of TLS: agrees with a server over a connection that stands, and says why it cannot.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use tokio_rustls::TlsConnector;

use super::Identity;
use crate::connect::Socket;

/// Puts TLS on connections, showing this process's certificate.
#[derive(Clone)]
pub struct TlsDialer {
    config: Arc<ClientConfig>,
    name: Option<Arc<str>>,
    certificate: Arc<str>,
}

impl TlsDialer {
    /// Dials as `identity` and speaks `protocol` (ALPN, RFC 7301): `h2` or `http/1.1`.
    pub fn new(identity: &Identity, protocol: &str) -> Self {
        let mut config = ClientConfig::clone(&identity.client);
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Self { config: Arc::new(config), name: None, certificate: identity.certificate.clone() }
    }

    /// Expects servers to be `name`, whatever address they are dialled at: for names that were looked up.
    #[must_use]
    pub fn expecting(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Returns the file of the certificate that is shown.
    pub(crate) fn certificate(&self) -> &Arc<str> {
        &self.certificate
    }

    /// Agrees with the server of `host` over `socket`. Fails where its certificate is not one for that name,
    /// signed by an authority of ours and valid now.
    pub(crate) async fn agree(&self, host: &str, socket: Box<dyn Socket>) -> io::Result<Box<dyn Socket>> {
        let name = self.name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let stream = TlsConnector::from(self.config.clone()).connect(name, socket).await?;
        Ok(Box::new(stream))
    }
}

/// Returns what the far side objected to, if an alert of TLS ended a connection (RFC 8446 §6). With TLS 1.3 a
/// server looks at the caller's certificate after the caller believes all is well, so this comes late.
pub(crate) fn alert(error: &(dyn Error + 'static)) -> Option<AlertDescription> {
    let mut next = Some(error);
    while let Some(error) = next {
        // An input or output error does not name the error within it as its source.
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let within = within.and_then(|error| error.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::AlertReceived(alert)) = within.or_else(|| error.downcast_ref()) {
            return Some(*alert);
        }
        next = error.source();
    }
    None
}
