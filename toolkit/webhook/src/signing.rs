//! Signatures by a shared secret as the Standard Webhooks specification has them, and their verification.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ieum_core::{Secret, Timestamp};
use rand::RngCore;
use sha2::Sha256;

use crate::key_pair::{PublicKey, SigningPair};

/// Header with the message's id; the same over all attempts.
pub const HEADER_ID: &str = "webhook-id";
/// Header with the attempt's time in whole seconds since the Unix epoch.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// Header with one or more signatures, separated by spaces.
pub const HEADER_SIGNATURE: &str = "webhook-signature";
/// Header of the seed's receivers: lower-case hex HMAC-SHA256 of the body, keyed by the secret's text.
pub const HEADER_PLAIN_SIGNATURE: &str = "x-webhook-signature";
/// Header of the seed's receivers: the event's name.
pub const HEADER_EVENT: &str = "x-webhook-event";
/// How far a `webhook-timestamp` may be off in either direction.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// What every secret's text begins with.
const PREFIX: &str = "whsec_";
/// The fewest bytes of a key.
const FEWEST_BYTES: usize = 24;
/// The most bytes of a key.
const MOST_BYTES: usize = 64;
/// The bytes of a key made here: as many as the hash gives.
const MADE_BYTES: usize = 32;

/// A shared secret: `whsec_` and the base64 of 24 to 64 bytes. Never printed.
#[derive(Clone)]
pub struct SigningSecret {
    text: Secret,
    key: Vec<u8>,
}

/// Says why a text is no signing secret. The text itself is not repeated.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// The prefix is missing.
    #[error("a signing secret begins with whsec_")]
    Prefix,
    /// A private key's prefix is missing.
    #[error("a private key begins with whsk_")]
    PrivatePrefix,
    /// A public key's prefix is missing.
    #[error("a public key begins with whpk_")]
    PublicPrefix,
    /// What follows the prefix is not base64.
    #[error("a signing secret is base64 after its prefix")]
    Base64,
    /// The bytes are no ed25519 key (RFC 8032).
    #[error("an ed25519 key is 32 bytes, and a private one a seed and the public key that follows from it")]
    Pair,
    /// The key is too short or too long.
    #[error("a signing secret holds 24 to 64 bytes, not {0}")]
    Length(usize),
}

/// Says why a received message is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifyError {
    /// The timestamp header is no whole number of seconds.
    #[error("webhook-timestamp is no whole number of seconds")]
    Timestamp,
    /// The attempt is older than the tolerance.
    #[error("webhook-timestamp is more than 300 s in the past")]
    TooOld,
    /// The attempt is newer than the tolerance.
    #[error("webhook-timestamp is more than 300 s in the future")]
    TooNew,
    /// No signature matched.
    #[error("no signature in webhook-signature matches")]
    NoMatch,
}

// === SigningSecret ===

impl SigningSecret {
    /// Makes a secret of 32 random bytes.
    pub fn generate() -> Self {
        let mut key = vec![0_u8; MADE_BYTES];
        rand::rng().fill_bytes(&mut key);
        let text = format!("{PREFIX}{}", STANDARD.encode(&key));
        Self { text: Secret::new(text), key }
    }

    /// Reads a secret's text. Fails where the prefix, the base64 or the length is wrong.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?;
        if !(FEWEST_BYTES..=MOST_BYTES).contains(&key.len()) {
            return Err(SecretError::Length(key.len()));
        }
        Ok(Self { text: Secret::new(text), key })
    }

    /// Returns the text to hand to the receiver once.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// Returns `v1,<base64>`: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, seconds, body).finalize().into_bytes()))
    }

    /// Returns the lower-case hex HMAC-SHA256 of the body, keyed by the secret's text.
    pub fn sign_plain(&self, body: &[u8]) -> String {
        let mut mac = keyed(self.text.expose().as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    fn mac(&self, id: &str, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(&self.key);
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(seconds.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningSecret([secret])")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104 §3)")
}

/// Returns the value of `webhook-signature`: one signature per secret, the newest first, then one per pair.
pub fn signature_header(
    secrets: &[SigningSecret],
    pairs: &[SigningPair],
    id: &str,
    seconds: i64,
    body: &[u8],
) -> String {
    let shared = secrets.iter().map(|secret| secret.sign(id, seconds, body));
    let asymmetric = pairs.iter().map(|pair| pair.sign(id, seconds, body));
    shared.chain(asymmetric).collect::<Vec<_>>().join(" ")
}

/// Returns what is signed: `{id}.{timestamp}.{body}`.
pub(crate) fn signed_text(id: &str, seconds: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{seconds}.").as_bytes(), body].concat()
}

/// Checks a received message: the timestamp against `now` and any `v1` signature, in constant time.
pub fn verify(
    secret: &SigningSecret,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let seconds = timely(timestamp, now)?;
    let matched = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|tag| secret.mac(id, seconds, body).verify_slice(&tag).is_ok());
    if matched { Ok(()) } else { Err(VerifyError::NoMatch) }
}

/// Checks a received message by the public key alone: the timestamp against `now` and any `v1a` signature.
pub fn verify_public(
    key: &PublicKey,
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let seconds = timely(timestamp, now)?;
    if key.matches(id, seconds, signatures, body) { Ok(()) } else { Err(VerifyError::NoMatch) }
}

/// Returns the timestamp's seconds where they lie within the tolerance of `now`.
fn timely(timestamp: &str, now: Timestamp) -> Result<i64, VerifyError> {
    let seconds: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    let sent = Timestamp::from_seconds(seconds);
    if now.since(sent) > TOLERANCE {
        return Err(VerifyError::TooOld);
    }
    if sent.since(now) > TOLERANCE {
        return Err(VerifyError::TooNew);
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SECONDS: i64 = 1_614_265_330;

    fn secret() -> SigningSecret {
        SigningSecret::parse(SECRET).expect("is the specification's secret")
    }

    fn check(signatures: &str, body: &[u8], now: i64) -> Result<(), VerifyError> {
        verify(&secret(), ID, &SECONDS.to_string(), signatures, body, Timestamp::from_seconds(now))
    }

    #[test]
    fn the_specifications_vector_is_met() {
        assert_eq!(secret().sign(ID, SECONDS, BODY), SIGNATURE);
        assert_eq!(check(SIGNATURE, BODY, SECONDS), Ok(()));
    }

    #[test]
    fn one_matching_signature_among_several_is_enough() {
        let rotating = [SigningSecret::generate(), secret()];
        let header = signature_header(&rotating, &[], ID, SECONDS, BODY);
        assert_eq!(header.split(' ').count(), 2);
        assert_eq!(check(&header, BODY, SECONDS), Ok(()));
        assert_eq!(check(&format!("v1a,xxxx v2,{} {SIGNATURE}", "QQ=="), BODY, SECONDS), Ok(()));
    }

    #[test]
    fn a_changed_body_id_or_time_is_refused() {
        assert_eq!(check(SIGNATURE, b"{}", SECONDS), Err(VerifyError::NoMatch));
        assert_eq!(check("", BODY, SECONDS), Err(VerifyError::NoMatch));
        assert_eq!(check(SIGNATURE, BODY, SECONDS + 300), Ok(()));
        assert_eq!(check(SIGNATURE, BODY, SECONDS + 301), Err(VerifyError::TooOld));
        assert_eq!(check(SIGNATURE, BODY, SECONDS - 301), Err(VerifyError::TooNew));
        let now = Timestamp::from_seconds(SECONDS);
        assert_eq!(verify(&secret(), ID, "soon", SIGNATURE, BODY, now), Err(VerifyError::Timestamp));
        assert_eq!(
            verify(&secret(), "msg_x", &SECONDS.to_string(), SIGNATURE, BODY, now),
            Err(VerifyError::NoMatch)
        );
    }

    #[test]
    fn a_secret_is_read_strictly_and_never_printed() {
        let made = SigningSecret::generate();
        assert!(SigningSecret::parse(made.expose()).is_ok());
        assert!(!format!("{made:?}").contains(&made.expose()[6..20]));
        let refused = |text: &str| SigningSecret::parse(text).expect_err("is malformed");
        assert_eq!(refused("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), SecretError::Prefix);
        assert_eq!(refused("whsec_***"), SecretError::Base64);
        assert_eq!(refused("whsec_QUJD"), SecretError::Length(3));
    }

    #[test]
    fn the_plain_signature_is_keyed_by_the_secrets_text() {
        let mut mac = keyed(SECRET.as_bytes());
        mac.update(BODY);
        assert_eq!(secret().sign_plain(BODY), hex::encode(mac.finalize().into_bytes()));
    }
}
