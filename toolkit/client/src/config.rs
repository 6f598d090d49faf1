//! How one source is called: address, credentials, policies, limits.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue, header};
use ieum_core::Secret;
use ieum_policy::PolicyConfig;
use url::Url;

use crate::{BodyLimits, OutboundPolicy};

/// How one source is called.
#[derive(Clone, Debug)]
pub struct RestConfig {
    /// The source's name in faults, metrics and logs. Few and fixed: it becomes a metric label.
    pub name: String,
    /// Where its API begins, such as `https://pretix.example/api/v1`.
    pub base: Url,
    /// How to sign in.
    pub auth: Auth,
    /// Time limits, retries, breaker, rate.
    pub policy: PolicyConfig,
    /// What may be reached beyond the public internet.
    pub outbound: OutboundPolicy,
    /// How large answers may be.
    pub limits: BodyLimits,
    /// How many redirects are followed. Default 5.
    pub redirects: usize,
}

/// How to sign in at a source. Sent to the source's own origin only, never after a redirect elsewhere.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// A key in a header of the source's choice, such as `X-API-Key: …` or `Authorization: Token …`.
    Header {
        /// The header's name.
        name: HeaderName,
        /// The header's value.
        value: Secret,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Secret),
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// Says which setting makes no client.
#[derive(Debug, thiserror::Error)]
pub enum RestConfigError {
    /// The base address may never be called.
    #[error("base of {name}: {refused}")]
    Base {
        /// The source.
        name: String,
        /// Why not.
        refused: crate::Refused,
    },
    /// The base address has a query or fragment, which paths cannot follow.
    #[error("base of {name}: an address with ? or # cannot be the beginning of others")]
    BaseQuery {
        /// The source.
        name: String,
    },
    /// The credentials do not fit into a header.
    #[error("auth of {name}: the credentials hold characters that no header can carry")]
    Credentials {
        /// The source.
        name: String,
    },
    /// The network cannot be set up.
    #[error("setting up the network for {name}")]
    Transport {
        /// The source.
        name: String,
        /// What failed.
        #[source]
        cause: crate::TransportError,
    },
}

// === RestConfig ===

impl RestConfig {
    /// Makes the settings of the source `name` at `base`, everything else by default.
    pub fn new(name: impl Into<String>, base: Url) -> Self {
        Self {
            name: name.into(),
            base,
            auth: Auth::None,
            policy: PolicyConfig::default(),
            outbound: OutboundPolicy::default(),
            limits: BodyLimits::default(),
            redirects: 5,
        }
    }
}

// === Auth ===

impl Auth {
    /// Returns the header that signs in, marked as sensitive; `None` without credentials. Fails where
    /// the credentials hold characters that no header can carry.
    pub(crate) fn to_header(&self) -> Result<Option<(HeaderName, HeaderValue)>, header::InvalidHeaderValue> {
        let (name, text) = match self {
            Self::None => return Ok(None),
            Self::Header { name, value } => (name.clone(), value.clone()),
            Self::Bearer(token) => (header::AUTHORIZATION, Secret::new(format!("Bearer {}", token.expose()))),
            Self::Basic { user, password } => {
                let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
                (header::AUTHORIZATION, Secret::new(format!("Basic {pair}")))
            }
        };
        let mut value = HeaderValue::from_str(text.expose())?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    /// Returns the texts that must not show in faults.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::None => Vec::new(),
            // `Token abc`: the part that is secret is the last word.
            Self::Header { value, .. } => {
                let word = value.expose().rsplit(' ').next().unwrap_or_default();
                vec![value.clone(), Secret::new(word)]
            }
            Self::Bearer(token) => vec![token.clone()],
            Self::Basic { user, password } => {
                let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
                vec![password.clone(), Secret::new(pair)]
            }
        }
    }
}
