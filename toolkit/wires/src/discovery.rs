//! Where the instances of an answerer are: a fixed list, or a name that is looked up again and again.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

/// One place that answers.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Instance {
    /// `http` or `https`.
    pub scheme: &'static str,
    /// A name or an address, without brackets.
    pub host: Arc<str>,
    /// The port.
    pub port: u16,
}

/// Says why the instances are not known.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The name was looked up in vain.
    #[error("looking up {host}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The name has no address.
    #[error("looking up {host}, which has no address")]
    NoAddress {
        /// The name.
        host: String,
    },
}

/// Tells where the instances are.
#[async_trait::async_trait]
pub trait Discovery: Send + Sync + 'static {
    /// Returns the instances, at least one.
    async fn instances(&self) -> Result<Vec<Instance>, DiscoveryError>;
    /// Returns after which time to ask again, or `None` where the answer never changes.
    fn refresh(&self) -> Option<Duration>;
}

/// Looks names up.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// Returns the addresses of `host`. Fails with what the resolver said.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Looks names up as the machine is told to (`getaddrinfo`).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolve;

/// A fixed list of instances. A name in it is looked up at each connect.
#[derive(Clone, Debug)]
pub struct Static(Vec<Instance>);

/// Every address behind one name, looked up again after an interval: a headless service.
pub struct Dns {
    scheme: &'static str,
    host: String,
    port: u16,
    interval: Duration,
    resolve: Arc<dyn Resolve>,
}

// === Instance ===

impl Instance {
    /// Makes an instance; a host in brackets (IPv6) loses them.
    pub fn new(scheme: &'static str, host: &str, port: u16) -> Self {
        let host = host.trim_start_matches('[').trim_end_matches(']').into();
        Self { scheme, host, port }
    }

    /// Returns the instance that `url` names. Its port must be given or follow from the scheme.
    pub fn of_url(scheme: &'static str, url: &Url) -> Option<Self> {
        Some(Self::new(scheme, url.host_str()?, url.port_or_known_default()?))
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "{}://[{}]:{}", self.scheme, self.host, self.port)
        } else {
            write!(out, "{}://{}:{}", self.scheme, self.host, self.port)
        }
    }
}

// === Static ===

impl Static {
    /// Makes a list. An empty one answers nothing, so at least one instance is needed.
    pub fn new(first: Instance, others: impl IntoIterator<Item = Instance>) -> Self {
        let mut instances = vec![first];
        instances.extend(others);
        instances.dedup();
        Self(instances)
    }
}

#[async_trait::async_trait]
impl Discovery for Static {
    async fn instances(&self) -> Result<Vec<Instance>, DiscoveryError> {
        Ok(self.0.clone())
    }

    fn refresh(&self) -> Option<Duration> {
        None
    }
}

// === Dns ===

impl Dns {
    /// How long an answer of the resolver is used.
    pub const INTERVAL: Duration = Duration::from_secs(10);

    /// Looks `host` up with the machine's resolver every ten seconds.
    pub fn new(scheme: &'static str, host: &str, port: u16) -> Self {
        let resolve = Arc::new(SystemResolve);
        Self { scheme, host: host.to_owned(), port, interval: Self::INTERVAL, resolve }
    }

    /// Looks up with `resolve`, again after `interval`.
    #[must_use]
    pub fn with_resolve(mut self, resolve: Arc<dyn Resolve>, interval: Duration) -> Self {
        self.resolve = resolve;
        self.interval = interval;
        self
    }
}

#[async_trait::async_trait]
impl Discovery for Dns {
    async fn instances(&self) -> Result<Vec<Instance>, DiscoveryError> {
        let found = self.resolve.addresses(&self.host).await;
        let mut addresses =
            found.map_err(|source| DiscoveryError::Lookup { host: self.host.clone(), source })?;
        if addresses.is_empty() {
            return Err(DiscoveryError::NoAddress { host: self.host.clone() });
        }
        addresses.sort();
        addresses.dedup();
        let instance = |address: IpAddr| Instance::new(self.scheme, &address.to_string(), self.port);
        Ok(addresses.into_iter().map(instance).collect())
    }

    fn refresh(&self) -> Option<Duration> {
        Some(self.interval)
    }
}

#[async_trait::async_trait]
impl Resolve for SystemResolve {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Book(Vec<IpAddr>);

    #[async_trait::async_trait]
    impl Resolve for Book {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_name_becomes_one_instance_for_each_address() {
        let addresses = ["10.0.0.2", "::1", "10.0.0.1", "10.0.0.2"].map(|text| text.parse().expect("is one"));
        let dns = Dns::new("http", "stock", 7100)
            .with_resolve(Arc::new(Book(addresses.to_vec())), Duration::from_secs(1));
        let found = dns.instances().await.expect("has addresses");
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["http://10.0.0.1:7100", "http://10.0.0.2:7100", "http://[::1]:7100"]);
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_an_error_that_names_it() {
        let dns = Dns::new("http", "stock", 7100).with_resolve(Arc::new(Book(vec![])), Dns::INTERVAL);
        let error = dns.instances().await.expect_err("has none");
        assert_eq!(error.to_string(), "looking up stock, which has no address");
    }
}
