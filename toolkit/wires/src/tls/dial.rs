//! The caller's side of TLS: agrees with a server over a connection that stands, and says why it cannot.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ieum_core::Fault;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Identity;
use crate::connect::Socket;
use crate::discovery::Instance;

/// Puts TLS on connections, showing this process's certificate.
#[derive(Clone)]
pub struct TlsDialer {
    config: Arc<ClientConfig>,
    name: Option<Arc<str>>,
    certificate: Arc<str>,
    refusals: Refusals,
}

/// What servers objected to in our certificate, by host and port.
type Refusals = Arc<Mutex<HashMap<(String, u16), String>>>;

/// A connection that notes what the server objects to. With TLS 1.3 a server looks at the caller's certificate
/// after the caller believes all is well (RFC 8446 §4.4.2), and HTTP clients lose an error that comes so late.
struct Watched {
    stream: TlsStream<Box<dyn Socket>>,
    server: (String, u16),
    refusals: Refusals,
    heard: bool,
}

// === TlsDialer ===

impl TlsDialer {
    /// Dials as `identity` and speaks `protocol` (ALPN, RFC 7301): `h2` or `http/1.1`.
    pub fn new(identity: &Identity, protocol: &str) -> Self {
        let mut config = ClientConfig::clone(&identity.client);
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let certificate = identity.certificate.clone();
        Self { config: Arc::new(config), name: None, certificate, refusals: Refusals::default() }
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
    pub(crate) async fn agree(
        &self,
        host: &str,
        port: u16,
        socket: Box<dyn Socket>,
    ) -> io::Result<Box<dyn Socket>> {
        let name = self.name.as_deref().unwrap_or(host).to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let stream = TlsConnector::from(self.config.clone()).connect(name, socket).await?;
        let server = (host.to_owned(), port);
        Ok(Box::new(Watched { stream, server, refusals: self.refusals.clone(), heard: false }))
    }

    /// Returns `fault` of a call of `path` at `instance`, or what is behind it where the server had objected to
    /// our certificate. Trying again would show the same certificate again.
    pub(crate) fn explain(&self, path: &str, instance: &Instance, fault: Fault) -> Fault {
        if fault.reason != "link.cut" {
            return fault;
        }
        let server = (instance.host.to_string(), instance.port);
        let Some(objection) = self.refusals.lock().get(&server).cloned() else { return fault };
        let shown = &self.certificate;
        let message = format!("calling {path}: {instance} refused the certificate in {shown}: {objection}");
        Fault::unauthenticated("link.certificate_refused", message)
    }
}

// === Watched ===

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match &read {
            Poll::Ready(Ok(())) if !self.heard => {
                self.heard = true;
                self.refusals.lock().remove(&self.server);
            }
            Poll::Ready(Err(error)) => {
                if let Some(objection) = objection(error) {
                    self.refusals.lock().insert(self.server.clone(), objection);
                }
            }
            _ => {}
        }
        read
    }
}

/// Returns the alert by which the far side ended a connection (RFC 8446 §6).
fn objection(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(format!("{alert:?}")),
        _ => None,
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
