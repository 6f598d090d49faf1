//! Tokens (JWT, RFC 7519) of trusted issuers: verified once, remembered by their hash, dropped in time.
//!
//! Signatures are ring's, which TLS brings already. What else a token is, is base64 and JSON, read strictly.

mod issuer;
mod jwk;
mod keyring;
mod refusal;
mod remembered;
pub(crate) mod revoked;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ieum_core::SharedClock;
use ieum_store::Store;

use crate::Holder;
use issuer::{Given, Issuer};
pub use issuer::{IssuerError, IssuerOptions};
pub use jwk::Algorithm;
use keyring::Keyring;
pub use keyring::{KeyOrigin, KeySource};
pub use refusal::TokenRefusal;
use remembered::{Digest, Known, Remembered};
pub use revoked::{Revocation, RevokeError, Revoked};
use text::Parts;

/// How long a token counts without being looked at again, so that a revoked one ends within a second.
const REMEMBERED: Duration = Duration::from_millis(400);
/// How many tokens are remembered at most.
const MOST_REMEMBERED: usize = 16_000;

/// The tokens accepted here. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    issuers: Vec<Issuer>,
    store: Store,
    clock: SharedClock,
    remembered: Remembered,
    /// Revocations made here: what was verified before the last one is looked at again.
    revocations: AtomicU64,
}

/// A token's hash, and who holds it where that is remembered.
pub(crate) struct Recalled {
    digest: Digest,
    pub holder: Option<Arc<Holder>>,
}

// === Tokens ===

impl Tokens {
    /// Accepts the tokens of `issuers`, whose keys at URLs come through `source`. Revoked tokens are kept
    /// in `store`, whose migrations ([`crate::Keys::migrations`]) must have run.
    /// Fails with the first mistake of the first wrong issuer.
    pub fn new(
        issuers: Vec<IssuerOptions>,
        source: Arc<dyn KeySource>,
        store: Store,
        clock: SharedClock,
    ) -> Result<Self, IssuerError> {
        let mut all: Vec<Issuer> = Vec::new();
        for (index, options) in issuers.into_iter().enumerate() {
            if let Some((field, problem)) = options.mistakes().into_iter().next() {
                return Err(IssuerError { index, field, problem });
            }
            if all.iter().any(|other| other.options.issuer == options.issuer) {
                let problem = "is there already; one issuer has one entry".to_owned();
                return Err(IssuerError { index, field: "issuer", problem });
            }
            let keyring = Keyring::new(options.keys.clone(), options.refresh, source.clone(), clock.clone());
            all.push(Issuer { options, keyring });
        }
        let remembered = Remembered::new(MOST_REMEMBERED);
        let revocations = AtomicU64::new(0);
        Ok(Self(Arc::new(Inner { issuers: all, store, clock, remembered, revocations })))
    }

    /// Verifies a token. Fails with [`TokenRefusal`].
    pub async fn verify(&self, token: &str) -> Result<Arc<Holder>, TokenRefusal> {
        let recalled = self.recall(token);
        match recalled.holder {
            Some(holder) => Ok(holder),
            None => self.judge(token, &recalled).await,
        }
    }

    /// Returns who holds the token, where that is remembered.
    pub(crate) fn recall(&self, token: &str) -> Recalled {
        let inner = &self.0;
        let mut digest = Digest::default();
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        let known = inner.remembered.get(&digest, inner.clock.moment(), inner.clock.now());
        let holder = known
            .filter(|known| inner.issuers[known.issuer].keyring.generation() == known.generation)
            .filter(|known| inner.revocations.load(Ordering::SeqCst) == known.revocations)
            .map(|known| known.holder);
        Recalled { digest, holder }
    }

    /// Verifies a token that is not remembered. Fails with [`TokenRefusal`].
    pub(crate) async fn judge(&self, token: &str, recalled: &Recalled) -> Result<Arc<Holder>, TokenRefusal> {
        let inner = &self.0;
        // Counted from before the look: the answer is as old as the question.
        let asked = inner.clock.moment();
        let revocations = inner.revocations.load(Ordering::SeqCst);
        let parts = Parts::read(token)?;
        let named = parts.claims.text("iss").ok_or(TokenRefusal::Claim("iss"))?;
        let found = inner.issuers.iter().enumerate().find(|(_, issuer)| issuer.options.issuer == named);
        let (index, issuer) = found.ok_or(TokenRefusal::Issuer)?;
        let generation = issuer.check_signature(&parts).await?;
        let Given { holder, ends } = issuer.judge(&parts.claims, inner.clock.now())?;
        self.check_revoked(named, &parts.claims).await?;
        let holder = Arc::new(holder);
        let until = asked + REMEMBERED;
        let known = Known { holder: holder.clone(), issuer: index, generation, revocations, ends, until };
        inner.remembered.put(recalled.digest, known, inner.clock.moment());
        Ok(holder)
    }

    fn longest_leeway(&self) -> Duration {
        self.0.issuers.iter().map(|issuer| issuer.options.leeway).max().unwrap_or_default()
    }
}

// === Issuer ===

impl Issuer {
    /// Checks the signature; returns which change of the issuer's keys it was checked under.
    async fn check_signature(&self, parts: &Parts<'_>) -> Result<u64, TokenRefusal> {
        let allowed = &self.options.algorithms;
        let algorithm = parts.algorithm.parse::<Algorithm>().ok().filter(|one| allowed.contains(one));
        let algorithm = algorithm.ok_or(TokenRefusal::Algorithm)?;
        let mut set = self.keyring.current().await?;
        if set.find(parts.kid.as_deref(), algorithm).is_none() {
            // The issuer may have a new key; how often that is believed is the keyring's to bound.
            set = self.keyring.renew().await?;
        }
        let key = set.find(parts.kid.as_deref(), algorithm).ok_or(TokenRefusal::Key)?;
        match key.verifies(parts.message, &parts.signature) {
            true => Ok(set.generation),
            false => Err(TokenRefusal::Signature),
        }
    }
}
