//! Secrets at rest: small texts sealed with a key that stands beside the store, not in it.
//!
//! A sealed text is `sealed:v1:<key id>:<base64 of nonce, ciphertext and tag>`: ChaCha20-Poly1305 (RFC 8439)
//! under a random nonce, bound to its table, column and row, so that it opens nowhere else. The first key
//! seals, every key opens; [`Sealer::reseal`] moves a column to the first key, from older keys and from clear.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ieum_core::Secret;
use rand::RngCore;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::insert::check_identifier;
use crate::{SealingKey, Store, StoreError};

/// What every sealed text begins with; the version stands in it.
const PREFIX: &str = "sealed:v1:";
/// What the associated data begins with, so that no other use of a key yields the same.
const PURPOSE: &[u8] = b"ieum sealed v1";

/// Seals and opens small secrets. Cloning shares the keys.
#[derive(Clone)]
pub struct Sealer(Arc<[Ready]>);

/// A key, ready for use.
struct Ready {
    id: String,
    key: LessSafeKey,
}

/// Where a sealed text stands. It opens at no other place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's id.
    pub row: &'a str,
}

/// A column of sealed texts, `NULL` where a row has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The column with the row's id, a text.
    pub id: &'static str,
}

/// Says why secrets cannot be sealed or opened. No variant holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No key was given.
    #[error("preparing to seal secrets: there is no sealing key")]
    NoKey,
    /// The text was sealed with a key that is not here.
    #[error(
        "opening {table}.{column}: it was sealed with key {key_id}, and there are only {present}; give that key back (store.sealing_keys)"
    )]
    MissingKey {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The key's id.
        key_id: String,
        /// The ids of the keys that are here.
        present: String,
    },
    /// The text is no sealed text, or it was changed or moved here from another row.
    #[error("opening {table}.{column} of row {row}: it is damaged or was sealed for another place")]
    Damaged {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row's id.
        row: String,
    },
    /// A column cannot be read or written anew.
    #[error("sealing {table}.{column} anew")]
    Store {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Why.
        #[source]
        source: StoreError,
    },
}

// === Sealer ===

impl Sealer {
    /// Makes a sealer: the first of `keys` seals, all of them open.
    ///
    /// # Errors
    /// [`SealError::NoKey`] where there is none.
    pub fn new(keys: &[SealingKey]) -> Result<Self, SealError> {
        if keys.is_empty() {
            return Err(SealError::NoKey);
        }
        let ready = keys.iter().map(|key| {
            let unbound = UnboundKey::new(&CHACHA20_POLY1305, key.bytes())
                .expect("a sealing key has the length of a ChaCha20 key");
            Ready { id: key.id().to_owned(), key: LessSafeKey::new(unbound) }
        });
        Ok(Self(ready.collect()))
    }

    /// Makes a sealer with a key that nobody else has, for tests.
    pub fn with_random_key() -> Self {
        Self::new(&[SealingKey::generate()]).expect("there is one key")
    }

    /// Returns the ids of the keys, the sealing one first.
    pub fn key_ids(&self) -> Vec<&str> {
        self.0.iter().map(|ready| ready.id.as_str()).collect()
    }

    /// Seals `secret` for `place` with the first key.
    pub fn seal(&self, place: &Place<'_>, secret: &Secret) -> String {
        let Ready { id, key } = &self.0[0];
        let mut nonce = [0_u8; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = secret.expose().as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.associated(id)),
            &mut sealed,
        )
        .expect("a text in memory is shorter than the cipher's 256 GiB");
        let whole = [nonce.as_slice(), &sealed].concat();
        format!("{PREFIX}{id}:{}", STANDARD.encode(whole))
    }

    /// Opens what stands at `place`. A text that was never sealed is returned as it is: it stands in clear
    /// from before, and [`Sealer::reseal`] seals it.
    ///
    /// # Errors
    /// A key that is not here, or a text that is damaged or comes from another place.
    pub fn open(&self, place: &Place<'_>, text: &str) -> Result<Secret, SealError> {
        let Some(rest) = text.strip_prefix(PREFIX) else { return Ok(Secret::new(text)) };
        let damaged = || SealError::Damaged {
            table: place.table.to_owned(),
            column: place.column.to_owned(),
            row: place.row.to_owned(),
        };
        let (id, encoded) = rest.split_once(':').ok_or_else(damaged)?;
        let ready = self.0.iter().find(|ready| ready.id == id).ok_or_else(|| SealError::MissingKey {
            table: place.table.to_owned(),
            column: place.column.to_owned(),
            key_id: id.chars().take(64).collect(),
            present: self.key_ids().join(", "),
        })?;
        let mut whole = STANDARD.decode(encoded).map_err(|_| damaged())?;
        let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let opened = ready.key.open_in_place(nonce, Aad::from(place.associated(id)), sealed);
        let text = std::str::from_utf8(opened.map_err(|_| damaged())?).map_err(|_| damaged())?;
        Ok(Secret::new(text))
    }

    /// Tells whether `text` is sealed with the first key, so that nothing is to be done about it.
    pub fn is_current(&self, text: &str) -> bool {
        let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(self.0[0].id.as_str()));
        rest.is_some_and(|rest| rest.starts_with(':'))
    }

    /// Seals anew with the first key what stands in the column in clear or under an older key, one row at a
    /// time, and returns how many rows changed. A row that somebody else changes meanwhile is left as it is.
    ///
    /// # Errors
    /// A store that fails, or a row that does not open; rows before it are sealed.
    pub async fn reseal(&self, store: &Store, within: &SealedColumn) -> Result<u64, SealError> {
        let SealedColumn { table, column, id } = *within;
        let failed = |source| SealError::Store { table, column, source };
        for name in [table, column, id] {
            check_identifier(name).map_err(failed)?;
        }
        let all = format!("SELECT {id} AS id, {column} AS sealed FROM {table} WHERE {column} IS NOT NULL");
        let write = format!("UPDATE {table} SET {column} = ? WHERE {id} = ? AND {column} = ?");
        let mut changed = 0;
        for row in store.fetch_all(&all, &[]).await.map_err(failed)? {
            let before = row.text("sealed").map_err(failed)?;
            if self.is_current(&before) {
                continue;
            }
            let row = row.text("id").map_err(failed)?;
            let place = within.at(&row);
            let now = self.seal(&place, &self.open(&place, &before)?);
            let values = [now.into(), row.as_str().into(), before.into()];
            changed += store.execute(&write, &values).await.map_err(failed)?;
        }
        Ok(changed)
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sealer").field("key_ids", &self.key_ids()).finish_non_exhaustive()
    }
}

// === Place ===

impl Place<'_> {
    /// Returns what the ciphertext is bound to. Each part follows its length, so that no two places agree.
    fn associated(&self, key_id: &str) -> Vec<u8> {
        let mut bytes = PURPOSE.to_vec();
        for part in [key_id, self.table, self.column, self.row] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

// === SealedColumn ===

impl SealedColumn {
    /// Returns the place of one row's text.
    pub fn at<'a>(&self, row: &'a str) -> Place<'a> {
        Place { table: self.table, column: self.column, row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { table: "endpoint", column: "secrets", row: "7" };

    fn text(sealer: &Sealer, place: &Place<'_>, sealed: &str) -> String {
        sealer.open(place, sealed).expect("opens").expose().to_owned()
    }

    #[test]
    fn what_was_sealed_opens_at_its_place_and_nowhere_else() {
        let sealer = Sealer::with_random_key();
        let sealed = sealer.seal(&HERE, &Secret::new("한글 secret"));
        assert!(sealed.starts_with("sealed:v1:") && !sealed.contains("secret"), "{sealed}");
        assert_eq!(text(&sealer, &HERE, &sealed), "한글 secret");
        assert_ne!(sealer.seal(&HERE, &Secret::new("한글 secret")), sealed, "the nonce is new each time");
        for other in [
            Place { row: "8", ..HERE },
            Place { column: "token", ..HERE },
            Place { table: "source", ..HERE },
            // The same letters, cut elsewhere.
            Place { table: "endpoints", column: "ecrets", ..HERE },
        ] {
            let error = sealer.open(&other, &sealed).expect_err("is another place");
            assert!(matches!(error, SealError::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let sealer = Sealer::with_random_key();
        let sealed = sealer.seal(&HERE, &Secret::new("word"));
        let (head, encoded) = sealed.rsplit_once(':').expect("has parts");
        let whole = STANDARD.decode(encoded).expect("is base64");
        for i in 0..whole.len() {
            let mut changed = whole.clone();
            changed[i] ^= 1;
            let changed = format!("{head}:{}", STANDARD.encode(changed));
            assert!(sealer.open(&HERE, &changed).is_err(), "byte {i}");
        }
        for cut in ["sealed:v1:", &format!("{head}:"), &format!("{head}:QQ=="), &format!("{head}:***")] {
            assert!(sealer.open(&HERE, cut).is_err(), "{cut}");
        }
    }

    #[test]
    fn keys_rotate_while_older_texts_open() {
        let (older, newer) = (SealingKey::generate(), SealingKey::generate());
        let before = Sealer::new(std::slice::from_ref(&older)).expect("has a key");
        let sealed = before.seal(&HERE, &Secret::new("word"));
        let both = Sealer::new(&[newer.clone(), older.clone()]).expect("has keys");
        assert_eq!(text(&both, &HERE, &sealed), "word");
        assert!(!both.is_current(&sealed) && !both.is_current("word"));
        let again = both.seal(&HERE, &both.open(&HERE, &sealed).expect("opens"));
        assert!(both.is_current(&again));
        let after = Sealer::new(std::slice::from_ref(&newer)).expect("has a key");
        assert_eq!(text(&after, &HERE, &again), "word");
        let error = after.open(&HERE, &sealed).expect_err("has no such key").to_string();
        assert!(error.contains("endpoint.secrets") && error.contains(older.id()), "{error}");
        assert!(error.contains(newer.id()) && !error.contains(&sealed), "{error}");
    }

    #[test]
    fn what_stands_in_clear_reads_as_it_is() {
        assert_eq!(text(&Sealer::with_random_key(), &HERE, "in clear"), "in clear");
        assert!(matches!(Sealer::new(&[]), Err(SealError::NoKey)));
    }
}
