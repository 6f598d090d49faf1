//! Who issues tokens, how they are signed, and what they give.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_core::Timestamp;

use super::TokenRefusal;
use super::jwk::Algorithm;
use super::keyring::{KeyOrigin, Keyring};
use super::text::Claims;
use crate::{EventAccess, Holder, Tier};

/// Somebody whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct IssuerOptions {
    /// The `iss` of its tokens, letter by letter.
    pub issuer: String,
    /// Whom tokens must be for: one of these stands in `aud`. At least one.
    pub audience: Vec<String>,
    /// How it signs. At least one; `HS256` goes with a secret and with nothing else.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys come from.
    pub keys: KeyOrigin,
    /// By how much its clock and ours may differ. At most five minutes.
    pub leeway: Duration,
    /// After what time keys at a URL are fetched anew. At least ten seconds.
    pub refresh: Duration,
    /// The tier of a token that names none.
    pub tier: Tier,
    /// The claim that names a tier, a plan or scopes.
    pub tier_claim: String,
    /// What the words of that claim stand for; the highest counts. Empty: tiers stand for themselves.
    pub tiers: BTreeMap<String, Tier>,
    /// The claim that lists scopes.
    pub scope_claim: String,
    /// The claim that lists the events a token may see; without it every token sees `events`.
    pub events_claim: Option<String>,
    /// Which events a token may see that lists none.
    pub events: EventAccess,
}

/// Says what is wrong with an issuer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct IssuerError {
    /// Which of the issuers, from 0.
    pub index: usize,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// An issuer at work.
pub(super) struct Issuer {
    pub options: IssuerOptions,
    pub keyring: Keyring,
}

/// What a token gave.
pub(super) struct Given {
    pub holder: Holder,
    pub ends: Timestamp,
}

/// The longest difference of clocks that is no misconfiguration.
const MOST_LEEWAY: Duration = Duration::from_secs(300);
/// The shortest shared secret, in bytes (RFC 7518 §3.2).
const LEAST_SECRET: usize = 32;
/// The longest subject, in bytes.
const MOST_SUBJECT: usize = 200;

// === IssuerOptions ===

impl IssuerOptions {
    /// Makes an issuer of partners with half a minute of leeway, keys fetched every five minutes, scopes in
    /// `scope` and tiers in `tier`.
    pub fn new(issuer: &str, audience: &str, algorithm: Algorithm, keys: KeyOrigin) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: vec![audience.to_owned()],
            algorithms: vec![algorithm],
            keys,
            leeway: Duration::from_secs(30),
            refresh: Duration::from_secs(300),
            tier: Tier::Partner,
            tier_claim: "tier".to_owned(),
            tiers: BTreeMap::new(),
            scope_claim: "scope".to_owned(),
            events_claim: None,
            events: EventAccess::None,
        }
    }

    /// Returns every mistake, field first.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut wrong = |field, problem: &str| found.push((field, problem.to_owned()));
        if self.issuer.is_empty() {
            wrong("issuer", "is empty; name the `iss` of its tokens");
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            wrong("audience", "names nobody; a token for somebody else would open this door");
        }
        if self.algorithms.is_empty() {
            wrong("algorithms", "is empty; expected RS256, ES256, EdDSA or HS256");
        }
        let shared = self.algorithms.contains(&Algorithm::Hs256);
        match &self.keys {
            KeyOrigin::Secret(_) if self.algorithms.iter().any(|one| *one != Algorithm::Hs256) => {
                wrong("algorithms", "a secret goes with HS256 alone");
            }
            KeyOrigin::Secret(secret) if secret.expose().len() < LEAST_SECRET => {
                wrong("secret", "is shorter than 32 bytes");
            }
            KeyOrigin::Url(_) | KeyOrigin::File(_) if shared => {
                wrong("algorithms", "HS256 goes with a secret: whoever knows a public key could sign");
            }
            KeyOrigin::Url(url) if !matches!(url.scheme(), "https" | "http") => {
                wrong("keys", "is no http or https URL");
            }
            _ => {}
        }
        if self.leeway > MOST_LEEWAY {
            wrong("leeway", "is more than five minutes; set the clocks instead");
        }
        found
    }
}

// === Issuer ===

impl Issuer {
    /// Judges the claims of a token whose signature was right, at `now`.
    pub fn judge(&self, claims: &Claims, now: Timestamp) -> Result<Given, TokenRefusal> {
        let leeway = self.options.leeway;
        let ends = claims.time("exp")?.ok_or(TokenRefusal::Claim("exp"))? + leeway;
        if ends <= now {
            return Err(TokenRefusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if claims.time(name)?.is_some_and(|begins| begins > now + leeway) {
                return Err(TokenRefusal::Early);
            }
        }
        let audience = claims.texts("aud");
        if !self.options.audience.iter().any(|ours| audience.contains(&ours.as_str())) {
            return Err(TokenRefusal::Audience);
        }
        let subject = claims.text("sub").filter(|subject| is_plain(subject));
        let subject = subject.ok_or(TokenRefusal::Claim("sub"))?;
        Ok(Given { holder: self.holder(claims, subject), ends })
    }

    fn holder(&self, claims: &Claims, subject: &str) -> Holder {
        let options = &self.options;
        let words = claims.words(&options.tier_claim);
        let named = words.into_iter().filter_map(|word| match options.tiers.is_empty() {
            true => word.parse().ok(),
            false => options.tiers.get(word).copied(),
        });
        let tier = named.max().unwrap_or(options.tier);
        let listed =
            options.events_claim.as_ref().map(|name| claims.texts(name)).filter(|list| !list.is_empty());
        let events = listed.map_or_else(
            || options.events.clone(),
            |list| EventAccess::from(list.into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()),
        );
        let id = format!("{}#{subject}", options.issuer);
        let scopes = claims.words(&options.scope_claim).into_iter().map(ToOwned::to_owned).collect();
        Holder { scopes, events, ..Holder::new("token", id, subject.to_owned(), tier) }
    }
}

/// A subject goes into headers and logs.
fn is_plain(subject: &str) -> bool {
    !subject.is_empty()
        && subject.len() <= MOST_SUBJECT
        && subject.bytes().all(|byte| byte.is_ascii_graphic())
}
