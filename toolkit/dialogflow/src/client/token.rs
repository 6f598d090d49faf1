//! What a client shows to be let in: a fixed token, or one that it signs itself.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use ieum_core::{Fault, Secret, SharedClock, Timestamp};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::address::Credentials;

/// How long a token that was signed here is good.
const LIFETIME: Duration = Duration::from_secs(3_600);
/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(300);

/// Says why credentials cannot be used. Never holds a part of them.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file.
    #[error("reading the credentials in {file}")]
    File {
        /// Its path.
        file: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The file holds something else.
    #[error("{file} is no JSON key of a service account: {problem}")]
    Key {
        /// Its path.
        file: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The token.
    #[error("the token holds characters that no header can carry")]
    Token,
}

/// Where a client's tokens come from.
pub enum TokenSource {
    /// Nobody asks.
    None,
    /// Always the same.
    Fixed(HeaderValue),
    /// Signed here.
    Signed(Box<ServiceAccount>),
}

/// A service account whose tokens are signed here and taken by Google's APIs without an exchange
/// (self-signed JWT, <https://google.aip.dev/auth/4111>): one less server that may be slow.
pub struct ServiceAccount {
    email: String,
    key_id: String,
    key: RsaKeyPair,
    audience: String,
    clock: SharedClock,
    held: Mutex<Option<(HeaderValue, Timestamp)>>,
}

/// The fields of Google's key file that count.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: Secret,
    #[serde(default)]
    private_key_id: String,
}

impl TokenSource {
    /// Makes the source for calls to `base`.
    pub fn new(credentials: &Credentials, base: &Url, clock: SharedClock) -> Result<Self, CredentialsError> {
        match credentials {
            Credentials::None => Ok(Self::None),
            Credentials::Token(token) => Ok(Self::Fixed(bearer(token.expose())?)),
            Credentials::File(path) => Ok(Self::Signed(Box::new(ServiceAccount::read(path, base, clock)?))),
        }
    }

    /// Returns the value of the header `authorization`. Fails where signing does.
    pub fn header(&self) -> Result<Option<HeaderValue>, Fault> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(value) => Ok(Some(value.clone())),
            Self::Signed(account) => account.token().map(Some),
        }
    }
}

impl ServiceAccount {
    fn read(path: &Path, base: &Url, clock: SharedClock) -> Result<Self, CredentialsError> {
        let file = path.display().to_string();
        let text =
            std::fs::read(path).map_err(|cause| CredentialsError::File { file: file.clone(), cause })?;
        let wrong = |problem| CredentialsError::Key { file: file.clone(), problem };
        let read: KeyFile = serde_json::from_slice(&text)
            .map_err(|_| wrong("expected client_email, private_key and private_key_id"))?;
        let unusable = || wrong("private_key is no RSA key in PEM");
        let der =
            PrivateKeyDer::from_pem_slice(read.private_key.expose().as_bytes()).map_err(|_| unusable())?;
        let key = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(unusable()),
        };
        Ok(Self {
            email: read.client_email,
            key_id: read.private_key_id,
            key: key.map_err(|_| unusable())?,
            audience: format!("https://{}/", base.host_str().unwrap_or_default()),
            clock,
            held: Mutex::default(),
        })
    }

    fn token(&self) -> Result<HeaderValue, Fault> {
        let now = self.clock.now();
        let mut held = self.held.lock();
        if let Some((value, renew)) = &*held
            && now < *renew
        {
            return Ok(value.clone());
        }
        let value = self.sign(now).ok_or_else(|| {
            Fault::internal("dialogflow.token", format!("signing a token of {}", self.email))
        })?;
        *held = Some((value.clone(), now + (LIFETIME - EARLY)));
        Ok(value)
    }

    /// Signs a token (RFC 7515, RS256).
    fn sign(&self, now: Timestamp) -> Option<HeaderValue> {
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let issued = now.as_seconds();
        let ends = (now + LIFETIME).as_seconds();
        let claims =
            json!({"iss": self.email, "sub": self.email, "aud": self.audience, "iat": issued, "exp": ends});
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed =
            format!("{}.{}", encode(head.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        bearer(&format!("{signed}.{}", encode(&signature))).ok()
    }
}

fn bearer(token: &str) -> Result<HeaderValue, CredentialsError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| CredentialsError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use ieum_core::ManualClock;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use serde_json::Value;

    use super::*;

    /// A key for tests alone, in PKCS #1.
    const KEY: &[u8] = include_bytes!("../../../gateway/tests/it/material/rsa_first.der");

    fn pem(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("is ASCII")).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    /// Puts a key into the frame of PKCS #8 (RFC 5208 §5), lengths in two bytes.
    fn pkcs8(key: &[u8]) -> Vec<u8> {
        let long = |tag: u8, body: &[u8]| {
            let length = u16::try_from(body.len()).expect("is short").to_be_bytes();
            [&[tag, 0x82, length[0], length[1]], body].concat()
        };
        let algorithm = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        long(0x30, &[&[2, 1, 0], algorithm.as_slice(), &long(4, key)].concat())
    }

    fn claims(value: &HeaderValue) -> Value {
        let token = value.to_str().expect("is ASCII").strip_prefix("Bearer ").expect("is a bearer's");
        let parts: Vec<&str> = token.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("is base64");
        let key = RsaKeyPair::from_der(KEY).expect("is a key");
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
        let signed = format!("{}.{}", parts[0], parts[1]);
        RsaPublicKeyComponents { n: &public.n, e: &public.e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(parts[2]))
            .expect("is signed with the key");
        serde_json::from_slice(&decode(parts[1])).expect("is JSON")
    }

    #[test]
    fn a_service_account_signs_tokens_for_its_host_and_renews_them_in_time() {
        let clock = ManualClock::at(Timestamp::from_seconds(1_700_000_000));
        let base = Url::parse("https://dialogflow.googleapis.com").expect("is a URL");
        for private_key in [pem("PRIVATE KEY", &pkcs8(KEY)), pem("RSA PRIVATE KEY", KEY)] {
            let file = tempfile::NamedTempFile::new().expect("is made");
            let key = json!({"type": "service_account", "client_email": "a@p.example", "private_key_id": "7",
                "private_key": private_key});
            std::fs::write(file.path(), key.to_string()).expect("is written");
            let credentials = Credentials::File(file.path().to_owned());
            let source = TokenSource::new(&credentials, &base, clock.shared()).expect("is read");
            let first = source.header().expect("is signed").expect("is there");
            let claims = claims(&first);
            assert_eq!(claims["aud"], "https://dialogflow.googleapis.com/");
            assert_eq!((&claims["iss"], &claims["sub"]), (&json!("a@p.example"), &json!("a@p.example")));
            assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|issued| issued + 3_600));
            clock.advance(LIFETIME - EARLY - Duration::from_secs(1));
            assert_eq!(source.header().expect("is held").as_ref(), Some(&first));
            clock.advance(Duration::from_secs(1));
            assert_ne!(source.header().expect("is signed").as_ref(), Some(&first));
            assert!(first.is_sensitive());
        }
    }

    #[test]
    fn a_wrong_key_file_is_named_and_not_shown() {
        let file = tempfile::NamedTempFile::new().expect("is made");
        let base = Url::parse("https://a.example").expect("is a URL");
        for text in ["hunter2", r#"{"client_email":"a","private_key":"hunter2"}"#] {
            std::fs::write(file.path(), text).expect("is written");
            let credentials = Credentials::File(file.path().to_owned());
            let clock = ManualClock::default().shared();
            let Err(error) = TokenSource::new(&credentials, &base, clock) else { panic!("{text} is taken") };
            let error = error.to_string();
            assert!(
                error.contains(&file.path().display().to_string()) && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
