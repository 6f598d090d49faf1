//! An issuer of tokens for tests: its keys, its JWK set, its tokens, and a source that counts fetches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ieum_core::BoxFuture;
use ieum_gateway::KeySource;
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{hmac, signature};
use serde_json::{Value, json};
use url::Url;

pub const ISSUER: &str = "https://id.example.org";
pub const AUDIENCE: &str = "ieum";

/// A key that signs.
pub enum Signer {
    Rsa(RsaKeyPair),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
    Secret(Vec<u8>),
}

/// Answers with the set it holds, and counts how often it was asked.
#[derive(Default)]
pub struct Source {
    pub set: Mutex<Option<Value>>,
    pub fetches: AtomicUsize,
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub fn rsa(der: &[u8]) -> Self {
        Self::Rsa(RsaKeyPair::from_der(der).expect("is a key"))
    }

    pub fn first() -> Self {
        Self::rsa(include_bytes!("material/rsa_first.der"))
    }

    pub fn second() -> Self {
        Self::rsa(include_bytes!("material/rsa_second.der"))
    }

    pub fn curve() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("is made");
        Self::Curve(EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).expect("is a key"))
    }

    pub fn edwards() -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("is made");
        Self::Edwards(Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("is a key"))
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Curve(_) => "ES256",
            Self::Edwards(_) => "EdDSA",
            Self::Secret(_) => "HS256",
        }
    }

    pub fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let components = signature::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
                    "n": encode(components.n), "e": encode(components.e)})
            }
            Self::Curve(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid,
                    "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Self::Edwards(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(pair.public_key())})
            }
            Self::Secret(_) => json!({}),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signed = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signed).expect("signs");
                signed
            }
            Self::Curve(pair) => pair.sign(&random, message).expect("signs").as_ref().to_vec(),
            Self::Edwards(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
            }
        }
    }

    /// Makes a token of whatever header and claims.
    pub fn seal(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Makes a token under the key `kid`.
    pub fn token(&self, kid: &str, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "kid": kid, "typ": "JWT"});
        self.seal(&header.to_string(), &claims.to_string())
    }
}

impl Source {
    pub fn of(keys: &[Value]) -> Arc<Self> {
        let source = Self::default();
        source.put(keys);
        Arc::new(source)
    }

    pub fn put(&self, keys: &[Value]) {
        *self.set.lock() = Some(json!({"keys": keys}));
    }

    pub fn asked(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl KeySource for Source {
    fn fetch<'a>(&'a self, _: &'a Url) -> BoxFuture<'a, Result<Bytes, String>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let answer = self.set.lock().as_ref().map(|set| Bytes::from(set.to_string()));
        Box::pin(async move { answer.ok_or_else(|| "the issuer is away".to_owned()) })
    }
}
