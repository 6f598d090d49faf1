//! A token's text taken apart (RFC 7515 §3.1, RFC 7519), before anybody vouches for it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_core::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::TokenRefusal;

/// The longest token, in bytes.
pub(super) const MOST_BYTES: usize = 8 << 10;
/// The longest name of a key, in bytes.
const MOST_KID: usize = 256;

/// A JSON object in which no name stands twice: two readers of one token must not see two tokens.
#[derive(Debug)]
pub(super) struct Claims(BTreeMap<String, Value>);

/// A token in its parts.
pub(super) struct Parts<'a> {
    pub algorithm: String,
    pub kid: Option<String>,
    pub claims: Claims,
    /// What is signed.
    pub message: &'a [u8],
    pub signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Takes a token apart. Fails where it is over-long or not well formed.
    pub fn read(text: &'a str) -> Result<Self, TokenRefusal> {
        if text.len() > MOST_BYTES {
            return Err(TokenRefusal::TooLong { most: MOST_BYTES });
        }
        let (message, signature) = text.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenRefusal::Malformed)?;
        let (header, claims) = (object(header)?, object(claims)?);
        // RFC 7515 §4.1.11: an extension that must be understood and is not refuses the token.
        if header.0.contains_key("crit") {
            return Err(TokenRefusal::Malformed);
        }
        let algorithm = header.text("alg").ok_or(TokenRefusal::Malformed)?.to_owned();
        let kid = match header.0.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MOST_KID => Some(kid.clone()),
            Some(_) => return Err(TokenRefusal::Key),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenRefusal::Malformed)?;
        Ok(Self { algorithm, kid, claims, message: message.as_bytes(), signature })
    }
}

fn object(part: &str) -> Result<Claims, TokenRefusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRefusal::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenRefusal::Malformed)
}

// === Claims ===

impl Claims {
    /// Returns a claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Returns the words of a claim that is a list of texts, or one text of words (RFC 8693 §4.2).
    pub fn words(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the texts of a claim that is one text or a list of them, such as `aud` (RFC 7519 §4.1.3).
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns a claim that is a time (RFC 7519 §2, `NumericDate`), or `None` where it is not there.
    /// Fails where it is anything else.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, TokenRefusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST_SECONDS).contains(seconds));
        let seconds = seconds.ok_or(TokenRefusal::Claim(name))?;
        Ok(Some(Timestamp::from_micros((seconds * 1e6) as i64)))
    }
}

/// The end of the year 9999.
const LATEST_SECONDS: f64 = 253_402_300_799.0;

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Claims;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name stands twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
