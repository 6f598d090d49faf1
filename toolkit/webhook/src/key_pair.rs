//! Asymmetric signatures (`v1a`) as the Standard Webhooks specification has them: ed25519 key pairs.
//!
//! A receiver that holds the public key alone can verify and cannot forge.
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, RFC 8032.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ieum_core::Secret;
use rand::RngCore;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::signing::{SecretError, signed_text};

/// What a private key's text begins with.
const PRIVATE: &str = "whsk_";
/// What a public key's text begins with.
const PUBLIC: &str = "whpk_";
/// The bytes of a seed and of a public key (RFC 8032 §5.1.5).
const HALF: usize = 32;

/// A key pair: `whsk_` and the base64 of the seed and the public key, 64 bytes. Never printed.
#[derive(Clone)]
pub struct SigningPair {
    text: Secret,
    pair: Arc<Ed25519KeyPair>,
}

/// A public key: `whpk_` and the base64 of its 32 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey([u8; HALF]);

// === SigningPair ===

impl SigningPair {
    /// Makes a pair from 32 random bytes.
    pub fn generate() -> Self {
        let mut seed = [0_u8; HALF];
        rand::rng().fill_bytes(&mut seed);
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 bytes are a seed (RFC 8032 §5.1.5)");
        let whole = [seed.as_slice(), pair.public_key().as_ref()].concat();
        Self { text: Secret::new(format!("{PRIVATE}{}", STANDARD.encode(whole))), pair: Arc::new(pair) }
    }

    /// Reads a private key's text. Fails where the prefix, the base64 or the length is wrong, or the two halves
    /// do not belong together.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PRIVATE).ok_or(SecretError::PrivatePrefix)?;
        let whole = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?;
        let (seed, public) = whole.split_at_checked(HALF).ok_or(SecretError::Pair)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| SecretError::Pair)?;
        Ok(Self { text: Secret::new(text), pair: Arc::new(pair) })
    }

    /// Returns the text that is sealed and kept.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns what the receiver verifies with.
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0_u8; HALF];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Returns `v1a,<base64>`: ed25519 over `{id}.{timestamp}.{body}`.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        format!("v1a,{}", STANDARD.encode(self.pair.sign(&signed_text(id, seconds, body)).as_ref()))
    }
}

impl fmt::Debug for SigningPair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("SigningPair").field(&self.public_key().to_string()).finish()
    }
}

// === PublicKey ===

impl PublicKey {
    /// Reads a public key's text. Fails where the prefix, the base64 or the length is wrong.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PUBLIC).ok_or(SecretError::PublicPrefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?;
        bytes.try_into().map(Self).map_err(|_| SecretError::Pair)
    }

    /// Tells whether any `v1a` signature among `signatures` is this key's.
    pub(crate) fn matches(&self, id: &str, seconds: i64, signatures: &str, body: &[u8]) -> bool {
        let signed = signed_text(id, seconds, body);
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1a,"))
            .filter_map(|encoded| STANDARD.decode(encoded).ok())
            .any(|signature| key.verify(&signed, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PUBLIC}{}", STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::Timestamp;

    use super::*;
    use crate::signing::{VerifyError, verify_public};

    // The key, message and signature of Svix's own test of `v1a`.
    const PRIVATE_KEY: &str =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SECONDS: i64 = 1_614_265_330;
    const SIGNATURE: &str =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    #[test]
    fn a_known_pair_signs_the_known_signature() {
        let pair = SigningPair::parse(PRIVATE_KEY).expect("is a pair");
        assert_eq!(pair.public_key().to_string(), "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
        assert_eq!(pair.sign(ID, SECONDS, BODY), SIGNATURE);
    }

    #[test]
    fn a_receiver_verifies_with_the_public_key_and_refuses_what_was_changed() {
        let pair = SigningPair::generate();
        let public = PublicKey::parse(&pair.public_key().to_string()).expect("reads back");
        let check = |id: &str, body: &[u8], header: &str, now: i64| {
            verify_public(&public, id, &SECONDS.to_string(), header, body, Timestamp::from_seconds(now))
        };
        let header = format!(
            "v1,AAAA {} {}",
            SigningPair::generate().sign(ID, SECONDS, BODY),
            pair.sign(ID, SECONDS, BODY)
        );
        assert_eq!(check(ID, BODY, &header, SECONDS), Ok(()));
        assert_eq!(check("other", BODY, &header, SECONDS), Err(VerifyError::NoMatch));
        assert_eq!(check(ID, b"{}", &header, SECONDS), Err(VerifyError::NoMatch));
        assert_eq!(check(ID, BODY, SIGNATURE, SECONDS), Err(VerifyError::NoMatch), "another pair's");
        assert_eq!(check(ID, BODY, &header, SECONDS + 301), Err(VerifyError::TooOld));
    }

    #[test]
    fn a_pair_is_read_strictly_and_never_printed() {
        let pair = SigningPair::generate();
        let read = SigningPair::parse(pair.expose()).expect("reads back");
        assert_eq!(read.public_key(), pair.public_key());
        assert!(!format!("{pair:?}").contains(&pair.expose()[5..40]));
        let refused = |text: &str| SigningPair::parse(text).expect_err("is malformed");
        assert_eq!(refused("whsec_AAAA"), SecretError::PrivatePrefix);
        assert_eq!(refused("whsk_***"), SecretError::Base64);
        assert_eq!(refused("whsk_AAAA"), SecretError::Pair);
        let swapped = PRIVATE_KEY.replace("whsk_6X", "whsk_6Y");
        assert_eq!(refused(&swapped), SecretError::Pair, "the halves do not belong together");
        assert_eq!(PublicKey::parse("whsk_AAAA"), Err(SecretError::PublicPrefix));
        assert_eq!(PublicKey::parse("whpk_AAAA"), Err(SecretError::Pair));
    }
}
