//! Keys that tokens are verified with: public keys from a JWK set (RFC 7517, 7518, 8037) or a shared secret.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde::Deserialize;

/// How a token may be signed (RFC 7518 §3, RFC 8037 §3.1). There is no `none`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// RSA PKCS #1 v1.5 with SHA-256, 2048 bits or more.
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256 under a shared secret.
    Hs256,
}

/// Most keys that one issuer may have; more are left out.
const MOST_KEYS: usize = 100;

/// The keys of one issuer at one time.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    /// Which change of the issuer's keys this is.
    pub generation: u64,
}

/// One key.
pub(super) struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    material: Material,
}

enum Material {
    Rsa(signature::RsaPublicKeyComponents<Vec<u8>>),
    Curve(signature::UnparsedPublicKey<Vec<u8>>),
    Secret(hmac::Key),
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

// === Algorithm ===

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::EdDsa, Self::Hs256];

    /// Returns the name that stands in a token's `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    /// Reads an algorithm's name as it stands in tokens. Fails with a sentence that lists them.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.name() == text);
        found.ok_or_else(|| format!("{text:?} is no algorithm; expected RS256, ES256, EdDSA or HS256"))
    }
}

// === KeySet ===

impl KeySet {
    /// Reads a JWK set. Keys that are not understood are left out (RFC 7517 §5); shared secrets too, since
    /// a set is public. Fails where it is no JWK set.
    pub fn parse(text: &[u8], generation: u64) -> Result<Self, String> {
        let set: JwkSet =
            serde_json::from_slice(text).map_err(|error| format!("it is no JWK set: {error}"))?;
        let readable = set.keys.into_iter().take(MOST_KEYS);
        let keys =
            readable.filter_map(|value| serde_json::from_value::<Jwk>(value).ok()?.into_key()).collect();
        Ok(Self { keys, generation })
    }

    /// Makes the set of the one key that a secret is.
    pub fn of_secret(secret: &[u8]) -> Self {
        let material = Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Self { keys: vec![Key { kid: None, algorithm: Algorithm::Hs256, material }], generation: 0 }
    }

    /// Returns the key that a token names. A token that names none gets the only one there is for its
    /// algorithm; a shared secret has no name, so any fits it.
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
        match kid {
            Some(kid) if algorithm != Algorithm::Hs256 => fitting.find(|key| key.kid.as_deref() == Some(kid)),
            _ => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

// === Key ===

impl Key {
    /// Tells whether `signature` is this key's of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa(key) => {
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Material::Curve(key) => key.verify(message, signature).is_ok(),
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {:?}", self.algorithm, self.kid)
    }
}

// === Jwk ===

impl Jwk {
    fn into_key(self) -> Option<Key> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let (algorithm, material) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (number(self.n.as_deref())?, number(self.e.as_deref())?);
                (Algorithm::Rs256, Material::Rsa(signature::RsaPublicKeyComponents { n, e }))
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (exact(self.x.as_deref())?, exact(self.y.as_deref())?);
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = signature::UnparsedPublicKey::new(CURVE_P256, point);
                (Algorithm::Es256, Material::Curve(key))
            }
            ("OKP", Some("Ed25519")) => {
                let key = signature::UnparsedPublicKey::new(EDWARDS, exact(self.x.as_deref())?);
                (Algorithm::EdDsa, Material::Curve(key))
            }
            _ => return None,
        };
        let agrees = self.alg.as_deref().is_none_or(|name| name == algorithm.name());
        agrees.then_some(Key { kid: self.kid, algorithm, material })
    }
}

static CURVE_P256: &dyn signature::VerificationAlgorithm = &signature::ECDSA_P256_SHA256_FIXED;
static EDWARDS: &dyn signature::VerificationAlgorithm = &signature::ED25519;

/// Reads a number of any length, without the leading zeros that some write.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text?).ok()?;
    let begin = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[begin..].to_vec())
}

/// Reads the 32 bytes of a coordinate.
fn exact(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok().filter(|bytes| bytes.len() == 32)
}
