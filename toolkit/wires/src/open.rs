//! The one table from a link's URL to its wire.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, redact_url};
use ieum_link::{Contract, Kind, Link};
use url::Url;

use crate::balance::Balancer;
use crate::connect::{Connect, TcpConnect};
use crate::discovery::{Discovery, Dns, Instance, Static};
use crate::grpc::{GrpcWire, GrpcWireConfig};
use crate::http::{HttpWire, HttpWireConfig};
use crate::tls::{Identity, TlsDialer};

/// Limits of an opened link, as `ieum.toml` gives them; `None` leaves the wire's default.
#[derive(Clone)]
pub struct LinkOptions {
    /// How to connect.
    pub network: Arc<dyn Connect>,
    /// Who this process is; without an identity no link over TLS opens.
    pub identity: Option<Identity>,
    /// The longest time for a connection to come about.
    pub connect: Option<Duration>,
    /// The longest time until an answer begins (HTTP).
    pub first_byte: Option<Duration>,
    /// The longest time for a whole call, streams excepted.
    pub total: Option<Duration>,
}

/// An opened link, without policies: whoever opens it puts them around it.
#[derive(Clone)]
pub struct OpenedLink {
    /// The link.
    pub link: Link,
    /// The wire's name: `http`, `grpc` or `bus`.
    pub wire: &'static str,
    /// The URL it was opened from, without credentials.
    pub url: String,
    /// The instances behind it and how they fare, where the wire has any.
    pub balancer: Option<Arc<Balancer>>,
}

/// Says why a URL opens no link for a contract.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LinkUrlError {
    /// The text is no URL.
    #[error("reading {text:?} as the URL of a link: {problem}")]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No wire has this scheme.
    #[error(
        "opening {url}: no wire is called {scheme:?}; known are local, http, https, grpc, grpcs, each of \
         these four with dns+ before it, and bus"
    )]
    UnknownScheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// This scheme is opened by somebody who has what it needs.
    #[error("opening {url}: {needs}")]
    Elsewhere {
        /// The URL.
        url: String,
        /// What it needs.
        needs: &'static str,
    },
    /// The wire cannot carry one of the contract's operations.
    #[error("linking {contract} over {url}: {operation} is a {kind} and this wire carries {carries}")]
    CannotCarry {
        /// The contract.
        contract: &'static str,
        /// The URL.
        url: String,
        /// The first operation it cannot carry.
        operation: &'static str,
        /// That operation's kind.
        kind: &'static str,
        /// What the wire does carry, and what to use instead.
        carries: &'static str,
    },
}

/// The instances that a URL names.
struct Target {
    url: String,
    looked_up: Option<Arc<str>>,
    instances: Arc<dyn Discovery>,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { network: Arc::new(TcpConnect), identity: None, connect: None, first_byte: None, total: None }
    }
}

impl std::fmt::Debug for OpenedLink {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OpenedLink")
            .field("wire", &self.wire)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Opens a far link for `contract`. Several instances are separated by commas:
/// `http://a:7100,http://b:7100`; `dns+http://stock:7100` looks the name up again and again.
///
/// Fails where the text is no URL, its scheme is unknown, or its wire cannot carry an operation of the
/// contract. `local` is opened with the process's own routes and `bus:` with
/// the process's bus, so both fail here with [`LinkUrlError::Elsewhere`].
pub fn open_link(
    url: &str,
    contract: &'static Contract,
    options: &LinkOptions,
    clock: SharedClock,
) -> Result<OpenedLink, LinkUrlError> {
    let scheme = url.split(':').next().unwrap_or("").trim();
    match scheme {
        "http" | "dns+http" => {
            let target = target(url, "http", "http", 80)?;
            carries_no_streams(contract, &target.url)?;
            Ok(open_http(target, None, options, clock))
        }
        "https" | "dns+https" => {
            let target = target(url, "https", "https", 443)?;
            carries_no_streams(contract, &target.url)?;
            let tls = dialer(&target, "http/1.1", options)?;
            Ok(open_http(target, Some(tls), options, clock))
        }
        "grpc" | "dns+grpc" => Ok(open_grpc(target(url, "grpc", "http", 50_051)?, None, options, clock)),
        "grpcs" | "dns+grpcs" => {
            let target = target(url, "grpcs", "https", 50_051)?;
            let tls = dialer(&target, "h2", options)?;
            Ok(open_grpc(target, Some(tls), options, clock))
        }
        "local" => elsewhere(url, "a local link is opened with the routes of this process"),
        "bus" => elsewhere(url, "a bus link is opened with the bus of this process"),
        _ => Err(LinkUrlError::UnknownScheme {
            url: redact_url(url),
            scheme: scheme.chars().take(40).collect(),
        }),
    }
}

/// Makes what puts TLS on the connections of a link. Servers prove the name that was written, also where it was
/// looked up to addresses.
fn dialer(target: &Target, protocol: &str, options: &LinkOptions) -> Result<TlsDialer, LinkUrlError> {
    let Some(identity) = &options.identity else {
        let needs = "a link over TLS needs certificates; name them under [tls]";
        return Err(LinkUrlError::Elsewhere { url: target.url.clone(), needs });
    };
    let dialer = TlsDialer::new(identity, protocol);
    Ok(match &target.looked_up {
        Some(name) => dialer.expecting(name),
        None => dialer,
    })
}

fn elsewhere(url: &str, needs: &'static str) -> Result<OpenedLink, LinkUrlError> {
    Err(LinkUrlError::Elsewhere { url: redact_url(url), needs })
}

/// Refuses a contract with an operation that `allowed` does not name.
pub(crate) fn carries(
    contract: &'static Contract,
    url: &str,
    allowed: impl Fn(Kind) -> bool,
    carries: &'static str,
) -> Result<(), LinkUrlError> {
    match contract.operations.iter().find(|operation| !allowed(operation.kind)) {
        None => Ok(()),
        Some(operation) => Err(LinkUrlError::CannotCarry {
            contract: contract.name,
            url: url.to_owned(),
            operation: operation.method,
            kind: match operation.kind {
                Kind::Query => "query",
                Kind::Command => "command",
                Kind::Notice => "notice",
                Kind::Stream => "stream",
            },
            carries,
        }),
    }
}

fn carries_no_streams(contract: &'static Contract, url: &str) -> Result<(), LinkUrlError> {
    let words = "single messages only; use grpc:// or local";
    carries(contract, url, |kind| kind != Kind::Stream, words)
}

fn open_http(
    target: Target,
    tls: Option<TlsDialer>,
    options: &LinkOptions,
    clock: SharedClock,
) -> OpenedLink {
    let mut config = HttpWireConfig::new(target.instances);
    config.network = Arc::clone(&options.network);
    config.tls = tls;
    config.connect = options.connect.unwrap_or(config.connect);
    config.first_byte = options.first_byte.unwrap_or(config.first_byte);
    config.total = options.total.unwrap_or(config.total);
    let wire = HttpWire::new(config, clock);
    let balancer = Some(Arc::clone(wire.balancer()));
    OpenedLink { link: wire.link(), wire: "http", url: target.url, balancer }
}

fn open_grpc(
    target: Target,
    tls: Option<TlsDialer>,
    options: &LinkOptions,
    clock: SharedClock,
) -> OpenedLink {
    let mut config = GrpcWireConfig::new(target.instances);
    config.network = Arc::clone(&options.network);
    config.tls = tls;
    config.connect = options.connect.unwrap_or(config.connect);
    config.total = options.total.unwrap_or(config.total);
    let wire = GrpcWire::connect_lazy(config, clock);
    let balancer = Some(Arc::clone(wire.balancer()));
    OpenedLink { link: wire.link(), wire: "grpc", url: target.url, balancer }
}

/// Reads `text` as one name to look up or a list of instances, all of scheme `scheme`.
fn target(text: &str, scheme: &str, transport: &'static str, port: u16) -> Result<Target, LinkUrlError> {
    let malformed =
        |problem: String| LinkUrlError::Malformed { text: text.chars().take(200).collect(), problem };
    let (list, looked_up) = match text.trim().strip_prefix("dns+") {
        Some(rest) => (rest, true),
        None => (text.trim(), false),
    };
    let mut instances = Vec::new();
    for part in list.split(',').map(str::trim) {
        let url = Url::parse(part).map_err(|error| malformed(format!("{part:?}: {error}")))?;
        if url.scheme() != scheme {
            return Err(malformed(format!("{part:?} has another scheme than {scheme}")));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
            return Err(malformed("only a host and a port are expected".into()));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| malformed(format!("{part:?} names no host")))?;
        instances.push(Instance::new(transport, host, url.port().unwrap_or(port)));
    }
    let mut rest = instances.into_iter();
    let first = rest.next().ok_or_else(|| malformed("no host is named".into()))?;
    let url = text.trim().to_owned();
    if !looked_up {
        return Ok(Target { url, looked_up: None, instances: Arc::new(Static::new(first, rest)) });
    }
    if rest.next().is_some() {
        return Err(malformed("a name to look up stands alone".into()));
    }
    let instances = Arc::new(Dns::new(transport, &first.host, first.port));
    Ok(Target { url, looked_up: Some(first.host), instances })
}

#[cfg(test)]
mod tests {
    use ieum_core::ManualClock;
    use ieum_link::Operation;

    use super::*;

    static CHAT: Contract = Contract {
        name: "sample.chat",
        operations: &[
            Operation { contract: "sample.chat", method: "ask", path: "sample.chat/ask", kind: Kind::Query },
            Operation {
                contract: "sample.chat",
                method: "talk",
                path: "sample.chat/talk",
                kind: Kind::Stream,
            },
        ],
    };
    static PLAIN: Contract = Contract { name: "sample.plain", operations: &[] };

    fn open(url: &str, contract: &'static Contract) -> Result<OpenedLink, String> {
        let clock = ManualClock::default().shared();
        open_link(url, contract, &LinkOptions::default(), clock).map_err(|error| error.to_string())
    }

    #[test]
    fn a_stream_over_http_is_refused_with_a_sentence() {
        let text = open("http://chat:7100", &CHAT).expect_err("is refused");
        assert_eq!(
            text,
            "linking sample.chat over http://chat:7100: talk is a stream and this wire carries single \
             messages only; use grpc:// or local"
        );
        assert_eq!(open("grpc://chat:7100", &CHAT).expect("is carried").wire, "grpc");
    }

    #[test]
    fn every_scheme_of_the_table_opens_or_says_who_opens_it() {
        for (url, wire) in [
            ("http://a:1,http://b:2", "http"),
            ("dns+http://stock:7100", "http"),
            ("grpc://ml:9090", "grpc"),
            ("grpc://[::1]:9090", "grpc"),
            ("dns+grpc://ml", "grpc"),
        ] {
            assert_eq!(open(url, &PLAIN).expect(url).wire, wire);
        }
        for (url, words) in [
            ("https://a:1", "name them under [tls]"),
            ("dns+grpcs://a", "name them under [tls]"),
            ("local", "routes of this process"),
            ("bus:", "bus of this process"),
            ("ftp://user:secret@x", "known are local, http"),
            ("http://a:1/path", "only a host and a port"),
            ("http://a:1,grpc://b:2", "another scheme"),
            ("dns+http://a:1,http://b:2", "stands alone"),
            ("http://", "reading"),
            ("", "known are"),
        ] {
            let text = open(url, &PLAIN).expect_err(url);
            assert!(text.contains(words), "{url}: {text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
