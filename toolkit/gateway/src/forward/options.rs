//! How a route to somebody else's server is set up, and what can be wrong with that.

use std::path::PathBuf;
use std::time::Duration;

use ieum_policy::{GcraError, PolicyConfig};
use rustls::pki_types::pem::Error as PemError;
use url::Url;

use super::trust::Trust;
use crate::{Rate, Tier};

/// A route to somebody else's HTTP server.
#[derive(Clone, Debug)]
pub struct ForwardOptions {
    /// The path that is open here, with everything below it, such as `/api/coffee`.
    pub path: String,
    /// Where it goes: what stands after `path` is put after this URL's path. `http` or
    /// `https`.
    pub to: Url,
    /// A PEM file (RFC 7468) with the certificates of the authorities whose word counts for an `https` server; this
    /// machine's own where left out.
    pub authorities: Option<PathBuf>,
    /// Who may pass.
    pub tier: Tier,
    /// A limit per caller on this route alone; without it the caller's own counts.
    pub rate: Option<Rate>,
    /// How long an answer may take to begin, and to go on. A caller's shorter time counts.
    pub timeout: Duration,
    /// When the server is left alone for a while; of the policies the breaker counts here.
    pub policy: PolicyConfig,
    /// Requests at once; more are refused at once.
    pub most_at_once: usize,
    /// The largest request body in bytes; the gateway's where left out.
    pub most_body: Option<usize>,
    /// Answers that declare at most this length, in bytes, are read whole before they are passed on, which
    /// costs half as much; longer ones and those of no declared length stream.
    pub small: u64,
}

/// Says why options make no route.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The path is no path.
    #[error("path: {path:?} is no path; it begins with / and ends with none, and holds no braces")]
    Path {
        /// The path.
        path: String,
    },
    /// The server's URL cannot be used.
    #[error("to: {problem}")]
    To {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A route over plain HTTP needs no authorities.
    #[error("authorities: goes with an https:// URL alone")]
    Plain,
    /// The file of authorities cannot be read, or holds something else.
    #[error("authorities: reading {path}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: PemError,
    },
    /// The file of authorities has no certificate in it.
    #[error("authorities: {path} holds no certificate")]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// An authority's certificate cannot be used.
    #[error("authorities: trusting those in {path}")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// This machine trusts nobody.
    #[error("authorities: this machine has no authorities of its own; name a file with those of the server")]
    NoneHere,
    /// TLS cannot be used at all.
    #[error("to: preparing TLS")]
    Tls(#[source] rustls::Error),
    /// The limit lets nothing pass.
    #[error("limit")]
    Rate(#[source] GcraError),
}

impl ForwardOptions {
    /// Makes a route for partners with half a minute for an answer, 1,024 requests at once, the usual
    /// breaker.
    pub fn new(path: &str, to: Url) -> Self {
        Self {
            path: path.to_owned(),
            to,
            authorities: None,
            tier: Tier::Partner,
            rate: None,
            timeout: Duration::from_secs(30),
            policy: PolicyConfig::default(),
            most_at_once: 1_024,
            most_body: None,
            small: 16 << 10,
        }
    }

    /// Fails with the first mistake; a file of authorities is read.
    pub fn check(&self) -> Result<(), ForwardError> {
        let path = &self.path;
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        if !path.starts_with('/') || path.ends_with('/') || path.contains("//") || !plain {
            return Err(ForwardError::Path { path: path.clone() });
        }
        let wrong = |problem| Err(ForwardError::To { problem });
        let to = &self.to;
        match () {
            () if !["http", "https"].contains(&to.scheme()) => wrong("expected an http:// or https:// URL"),
            () if to.host_str().is_none_or(str::is_empty) => wrong("the URL names no host"),
            () if !to.username().is_empty() || to.password().is_some() => {
                wrong("a URL here holds no password")
            }
            () if to.query().is_some() || to.fragment().is_some() => wrong("a URL here holds no ? and no #"),
            () if to.scheme() == "http" && self.authorities.is_some() => Err(ForwardError::Plain),
            () => match self.rate.map(|rate| rate.gcra()) {
                Some(Err(error)) => Err(ForwardError::Rate(error)),
                _ => Trust::of(self).map(drop),
            },
        }
    }
}
