//! `ieum token`: a token that was lost opens nothing any more, without a restart.

use std::path::Path;
use std::time::Duration;

use ieum_core::{Clock, SystemClock};
use ieum_testkit::wait;
use ring::hmac;
use serde_json::{Value, json};

use crate::{Running, ieum, text, up};

const SECRET: &str = "a secret of two that is long enough";
const ISSUERS: &str = "[{ issuer = \"inside\", audience = \"ieum\", algorithms = [\"HS256\"], \
    secret = \"a secret of two that is long enough\" }]";
pub const SETTINGS: [(&str, &str); 1] = [("IEUM__GATEWAY__ISSUERS", ISSUERS)];

const SCOPE: &str = "events:read";

/// Writes base64url without padding (RFC 4648 §5).
fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

/// Makes a token of the issuer that [`SETTINGS`] trust.
pub fn token(id: &str, subject: &str, scope: &str) -> String {
    let now = SystemClock.now().as_seconds();
    let claims = json!({ "iss": "inside", "aud": "ieum", "sub": subject, "jti": id, "iat": now - 5,
        "exp": now + 600, "scope": scope, "tier": "premium" });
    let head = encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let message = format!("{head}.{}", encode(claims.to_string().as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes()).as_ref()))
}

async fn status(platform: &Running, token: &str) -> u16 {
    let url = format!("http://{}/api/partner/events", platform.address);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("answers");
    answer.status().as_u16()
}

fn ask(data: &Path, words: &[&str]) -> Value {
    let output = ieum(data, &SETTINGS).args(["--json", "token"]).args(words).output().expect("runs");
    assert!(output.status.success(), "{words:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("answers JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_opens_nothing_in_the_running_platform() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let platform = up(data, &[], &SETTINGS);
    let (lost, kept, other) =
        (token("t1", "radio", SCOPE), token("t2", "radio", SCOPE), token("t3", "paper", SCOPE));
    for token in [&lost, &kept, &other] {
        assert_eq!(status(&platform, token).await, 200);
    }
    let ended = async |token: &str| {
        let refused = async || status(&platform, token).await == 401;
        wait::until("the token is refused", Duration::from_secs(120), refused).await.expect("is");
    };
    let told = ask(data, &["revoke", "--id", "t1", "--until", "10m", "--reason", "in a log"]);
    assert_eq!((&told["issuer"], &told["id"]), (&json!("inside"), &json!("t1")));
    ended(&lost).await;
    assert_eq!(status(&platform, &kept).await, 200);
    ask(data, &["revoke", "--subject", "radio", "--reason", "a laptop was stolen"]);
    ended(&kept).await;
    assert_eq!(status(&platform, &other).await, 200);
    let list = ask(data, &["list"]);
    let reasons: Vec<_> = list.as_array().expect("is a list").iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, ["a laptop was stolen", "in a log"], "the newest first");
    platform.stop();
}

#[test]
fn a_token_that_cannot_be_revoked_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |settings: &[(&str, &str)], words: &[&str]| {
        let output = ieum(folder.path(), settings).arg("token").args(words).output().expect("runs");
        assert!(!output.status.success(), "{words:?} succeeds");
        text(&output)
    };
    let told = refused(&[], &["list"]);
    assert!(told.contains("no token opens anything here: gateway.issuers names nobody"), "{told}");
    for (words, expected) in [
        (
            &["revoke", "--id", "t1", "--issuer", "else"][..],
            "no such issuer is trusted here; there are inside",
        ),
        (&["revoke", "--id", "t1", "--until", "2020-01-01T00:00:00Z"], "until is over"),
        (&["revoke", "--subject", "a", "--issued-before", "soon"], "--issued-before \"soon\" is neither"),
        (&["revoke"], "--id <JTI>"),
    ] {
        let told = refused(&SETTINGS, words);
        assert!(told.contains(expected), "{words:?}: {told}");
    }
}
