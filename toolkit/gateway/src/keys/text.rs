//! The text of an API key: `ieum_<tier>_<id>_<secret>`.

use ieum_core::Secret;
use rand::Rng;
use rand::distr::Alphanumeric;
use sha2::{Digest, Sha256};

use crate::Tier;

/// Letters and digits of an id: 95 bits.
const ID_LENGTH: usize = 16;
/// Letters and digits of a secret: 238 bits, so that a plain hash of it cannot be searched.
const SECRET_LENGTH: usize = 40;

/// SHA-256 of a key's whole text.
pub(super) type KeyHash = [u8; 32];

/// What a key's text says of itself, before anybody vouches for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct KeyText<'a> {
    pub tier: Tier,
    pub id: &'a str,
}

fn random_text(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// Makes an id.
pub(super) fn new_id() -> String {
    random_text(ID_LENGTH)
}

/// Makes the text of a key.
pub(super) fn new_text(tier: Tier, id: &str) -> Secret {
    Secret::new(format!("ieum_{tier}_{id}_{}", random_text(SECRET_LENGTH)))
}

/// Returns the hash under which a key's text is kept.
pub(super) fn hash(text: &str) -> KeyHash {
    Sha256::digest(text.as_bytes()).into()
}

/// Takes a key's text apart, or returns `None` where it cannot be one.
pub(super) fn parse(text: &str) -> Option<KeyText<'_>> {
    let (tier, rest) = text.strip_prefix("ieum_")?.split_once('_')?;
    let (id, secret) = rest.split_once('_')?;
    let plain =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let tier = tier.parse().ok()?;
    (plain(id, ID_LENGTH) && plain(secret, SECRET_LENGTH)).then_some(KeyText { tier, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_reads_back_and_anything_else_does_not() {
        let id = new_id();
        let text = new_text(Tier::Premium, &id);
        let text = text.expose();
        assert_eq!(parse(text), Some(KeyText { tier: Tier::Premium, id: &id }));
        for wrong in [
            "",
            "ieum",
            "ieum___",
            "ieum_partner__",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}x"),
            &text.replace("premium", "gold"),
            &text.replace("ieum_", "IEUM_"),
            &text.replacen('_', "-", 1),
            &format!("ieum_partner_{}_{}", "é".repeat(8), "a".repeat(40)),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
