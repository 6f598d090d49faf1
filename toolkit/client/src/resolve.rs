//! Name look-up with the guard behind it, on every connection that is opened.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::OutboundGuard;

/// Looks names up. The real one is [`SystemLookup`]; a test brings its own.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// Returns the addresses of `host`. Fails where the name is unknown or nobody answers.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's look-up (`getaddrinfo`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

/// Looks names up and hands out only addresses that the guard admits.
///
/// The HTTP client connects to exactly the addresses handed out, so nothing can change between the
/// check and the connection.
pub struct GuardedResolver {
    guard: OutboundGuard,
    lookup: Arc<dyn Lookup>,
}

// === SystemLookup ===

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

// === GuardedResolver ===

impl GuardedResolver {
    /// Puts `guard` behind `lookup`.
    pub fn new(guard: OutboundGuard, lookup: Arc<dyn Lookup>) -> Self {
        Self { guard, lookup }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (self.guard.clone(), self.lookup.clone());
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await?;
            let admitted = guard.admit(name.as_str(), addresses)?;
            // Port 0 stands for the port of the URL.
            let sockets = admitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}
