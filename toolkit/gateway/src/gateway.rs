//! The gateway's settings and its three doors.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use ieum_cache::Cache;
use ieum_core::SharedClock;
use ieum_policy::{Gcra, GcraError};
use ipnet::IpNet;
use serde::Deserialize;

use crate::body::RequestLimits;
use crate::forward::{Forward, ForwardError, ForwardOptions};
use crate::limit::{Limit, LocalLimits};
use crate::meter::Meters;
use crate::passwords::{Passwords, Signing};
use crate::{Keys, Origin, Origins, Rate, Tier, Tokens, frame, tier};

/// How the front door is set up.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayOptions {
    /// Limit of those who have no key, per client address. Default 60 a minute.
    pub public: Rate,
    /// Limit of a partner's key that has none of its own. Default 600 a minute.
    pub partner: Rate,
    /// Limit of a premium key that has none of its own. Default 6,000 a minute.
    pub premium: Rate,
    /// How many wrong keys or tokens one address may try. Default 30 a minute.
    pub wrong_keys: Rate,
    /// The largest request body on the wire, in bytes. Default 1 MiB.
    pub max_body: usize,
    /// The largest request body after decompression, in bytes. Default 8 MiB.
    pub max_decompressed: usize,
    /// Networks of proxies whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of other sites whose pages may ask as this server's own do. Default none.
    pub origins: Vec<Origin>,
    /// Whether somebody listens to spans, so that each request opens one. Where traces go nowhere it costs
    /// about as much as everything else the door does; logs of the debug level get it always. Default true.
    pub spans: bool,
}

/// The front door. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
    body: RequestLimits,
    /// Whose names and passwords are known, at whichever door they are shown.
    signing: Option<Arc<Signing>>,
}

pub(crate) struct Inner {
    pub keys: Keys,
    pub tokens: Option<Tokens>,
    pub cache: Arc<dyn Cache>,
    pub clock: SharedClock,
    pub local: LocalLimits,
    pub limits: [Limit; 3],
    pub wrong_keys: Gcra,
    pub body: RequestLimits,
    pub trusted_proxies: Vec<IpNet>,
    pub origins: Origins,
    pub spans: bool,
    pub meters: Meters,
}

/// One door: the gateway, the tier it asks for, and a limit of its own if it has one.
#[derive(Clone)]
pub(crate) struct Door {
    pub inner: Arc<Inner>,
    pub tier: Tier,
    pub own: Option<Arc<OwnLimit>>,
    /// How large bodies may be here.
    pub body: RequestLimits,
    /// What it makes of an `Authorization` header that shows no key.
    pub others: Others,
    /// Whose names and passwords it knows.
    pub signing: Option<Arc<Signing>>,
}

/// What a door makes of an `Authorization` header that shows no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Others {
    /// It is somebody else's, and left alone.
    LeftAlone,
    /// It is judged like a key, and opens nothing: wrong ones are refused, and so are right names and passwords.
    Refused,
    /// It is judged like a key, and names with their right passwords are let in.
    SignedIn,
}

/// A limit that counts a caller's requests at one door alone.
pub(crate) struct OwnLimit {
    pub limit: Limit,
    /// Sets its counts apart from those of other doors.
    pub name: String,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            public: Rate::per_minute(60),
            partner: Rate::per_minute(600),
            premium: Rate::per_minute(6_000),
            wrong_keys: Rate::per_minute(30),
            max_body: 1 << 20,
            max_decompressed: 8 << 20,
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            spans: true,
        }
    }
}

// === Gateway ===

impl Gateway {
    /// Makes the front door over `keys`, with limits counted in `cache`.
    /// Fails where a limit lets nothing pass.
    pub fn new(
        keys: Keys,
        cache: Arc<dyn Cache>,
        clock: SharedClock,
        options: GatewayOptions,
    ) -> Result<Self, GcraError> {
        Self::with_tokens(keys, None, cache, clock, options)
    }

    /// Makes the front door that takes `tokens` beside keys. Fails where a limit lets nothing pass.
    pub fn with_tokens(
        keys: Keys,
        tokens: Option<Tokens>,
        cache: Arc<dyn Cache>,
        clock: SharedClock,
        options: GatewayOptions,
    ) -> Result<Self, GcraError> {
        let limits = [
            Limit::new(Tier::Public.name(), options.public)?,
            Limit::new(Tier::Partner.name(), options.partner)?,
            Limit::new(Tier::Premium.name(), options.premium)?,
        ];
        let inner = Inner {
            keys,
            tokens,
            cache,
            clock,
            local: LocalLimits::new(),
            limits,
            wrong_keys: options.wrong_keys.gcra()?,
            body: RequestLimits { wire: options.max_body, decompressed: options.max_decompressed },
            trusted_proxies: options.trusted_proxies,
            origins: options.origins.into(),
            spans: options.spans,
            meters: Meters::default(),
        };
        let body = inner.body;
        Ok(Self { inner: Arc::new(inner), body, signing: None })
    }

    /// Returns the front door for routes that take bodies of `wire` bytes, where others take less.
    #[must_use]
    pub fn taking(&self, wire: usize) -> Self {
        let RequestLimits { wire: usual, decompressed } = self.body;
        let body = RequestLimits { wire: wire.max(usual), decompressed: decompressed.max(wire) };
        Self { body, ..self.clone() }
    }

    /// Returns the front door that knows whose `passwords` are which, for those who show them where they open nothing
    /// ([`Gateway::judged`]).
    #[must_use]
    pub fn knowing(&self, passwords: Arc<dyn Passwords>) -> Self {
        Self { signing: Some(Arc::new(Signing::new(passwords))), ..self.clone() }
    }

    /// Returns the origins of other sites whose pages may ask as this server's own do, for doors that look whose page
    /// asks.
    pub fn origins(&self) -> &Origins {
        &self.inner.origins
    }

    /// Opens `router` to everybody. An `Authorization` header of somebody else's is left alone. Who has no key is
    /// limited per client address; for that the server must hand addresses on (`into_make_service_with_connect_info::<SocketAddr>()`), else all strangers share
    /// one limit.
    pub fn public<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.door(router, Tier::Public, Others::LeftAlone)
    }

    /// Opens `router` to everybody who shows nothing, and judges whoever shows something: for routes that trust some
    /// who show nothing. Wrong credentials are no better there than elsewhere, and right names with their passwords
    /// ([`Gateway::knowing`]) are told that these are not for them.
    pub fn judged<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.door(router, Tier::Public, Others::Refused)
    }

    /// Opens `router` to everybody as [`Gateway::judged`] does, and lets people or machines of `passwords` sign in
    /// (`Authorization: Basic`): each is limited like a partner, by its name, and handlers find a
    /// [`crate::SignedIn`]. Wrong passwords count as wrong keys do.
    pub fn public_with<S: Clone + Send + Sync + 'static>(
        &self,
        passwords: Arc<dyn Passwords>,
        router: Router<S>,
    ) -> Router<S> {
        self.knowing(passwords).door(router, Tier::Public, Others::SignedIn)
    }

    /// Opens `router` to the holders of a partner or premium key. Handlers may take a [`crate::Partner`].
    pub fn partner<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.door(router, Tier::Partner, Others::LeftAlone)
    }

    /// Opens `router` to the holders of a premium key. Handlers may take a [`crate::Partner`].
    pub fn premium<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        self.door(router, Tier::Premium, Others::LeftAlone)
    }

    /// Returns the routes that hand requests on to somebody else's HTTP server, behind their door.
    /// Fails where the options make no route.
    pub fn forward<S: Clone + Send + Sync + 'static>(
        &self,
        options: ForwardOptions,
    ) -> Result<Router<S>, ForwardError> {
        Ok(Forward::new(self.inner.clone(), options)?.routes())
    }

    fn door<S: Clone + Send + Sync + 'static>(
        &self,
        router: Router<S>,
        tier: Tier,
        others: Others,
    ) -> Router<S> {
        let (inner, signing) = (self.inner.clone(), self.signing.clone());
        let door = Door { inner, tier, own: None, body: self.body, others, signing };
        self.frame(router.layer(from_fn_with_state(door, tier::pass)))
    }

    /// Puts what every request gets around `router`: trace context and request id in and out, a span,
    /// metrics, problem+json for every error (unknown paths and panics included), `OPTIONS` answered. The
    /// doors have it already; put it around the whole router once they are nested, for the paths between
    /// them. Twice is the same as once.
    pub fn frame<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        router.layer(from_fn_with_state(self.inner.clone(), frame::surround))
    }
}
