//! Tokens for the measurement, and the keys that fronts check them with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ieum_core::Fault;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};

use super::driver::CONNECTIONS;
use super::failed;

pub const ISSUER: &str = "https://id.example.org";
pub const AUDIENCE: &str = "ieum";

/// One token per connection, and some that must not pass.
pub struct Tokens {
    right: Vec<String>,
    pub forged: String,
    pub ended: String,
    pub foreign: String,
    /// The JWK set, as text and as a file, and the public key as PEM.
    pub jwks: String,
    pub jwks_file: PathBuf,
    pub pem_file: PathBuf,
}

impl Tokens {
    /// Makes a key with OpenSSL and signs with it.
    pub fn make(folder: &Path) -> Result<Self, Fault> {
        let (pair, pem_file) = make_key(folder, "first")?;
        let (stranger, _) = make_key(folder, "second")?;
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
        let key = json!({"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256",
            "n": encode(&public.n), "e": encode(&public.e)});
        let jwks = json!({"keys": [key]}).to_string();
        let jwks_file = folder.join("jwks.json");
        std::fs::write(&jwks_file, &jwks).map_err(|error| failed("writing the keys", &error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = |subject: &str, audience: &str, end: u64| {
            json!({"iss": ISSUER, "aud": audience, "sub": subject, "iat": now - 10, "exp": end,
                "scope": "orders:read orders:write", "tier": "partner"})
        };
        let good = |i: usize| claims(&format!("user-{i:03}"), AUDIENCE, now + 3_600);
        let right = (0..CONNECTIONS).map(|i| seal(&pair, &good(i))).collect::<Result<Vec<_>, _>>()?;
        let forged = seal(&stranger, &good(0))?;
        let ended = seal(&pair, &claims("user-000", AUDIENCE, now - 600))?;
        let foreign = seal(&pair, &claims("user-000", "somebody else", now + 3_600))?;
        Ok(Self { right, forged, ended, foreign, jwks, jwks_file, pem_file })
    }

    /// Returns the token of a connection.
    pub fn right(&self, connection: usize) -> &str {
        &self.right[connection % self.right.len()]
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn make_key(folder: &Path, name: &str) -> Result<(RsaKeyPair, PathBuf), Fault> {
    let (private, der, pem) =
        ["private.pem", "der", "pem"].map(|end| folder.join(format!("{name}.{end}"))).into();
    let openssl = |arguments: &[&str], from: Option<&Path>, to: &Path| {
        let mut command = Command::new("openssl");
        command.args(arguments).arg("-out").arg(to);
        if let Some(from) = from {
            command.arg("-in").arg(from);
        }
        let ended = command.output().map_err(|error| failed("starting openssl", &error))?;
        match ended.status.success() {
            true => Ok(()),
            false => Err(failed("openssl", &String::from_utf8_lossy(&ended.stderr))),
        }
    };
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], None, &private)?;
    openssl(&["rsa", "-traditional", "-outform", "DER"], Some(&private), &der)?;
    openssl(&["pkey", "-pubout"], Some(&private), &pem)?;
    let bytes = std::fs::read(&der).map_err(|error| failed("reading the key", &error))?;
    let pair = RsaKeyPair::from_der(&bytes).map_err(|error| failed("reading the key", &error))?;
    Ok((pair, pem))
}

fn seal(pair: &RsaKeyPair, claims: &Value) -> Result<String, Fault> {
    let header = json!({"alg": "RS256", "kid": "k1", "typ": "JWT"}).to_string();
    let message = format!("{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|error| failed("signing", &error))?;
    Ok(format!("{message}.{}", encode(&signature)))
}
