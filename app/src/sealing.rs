//! The keys that seal secrets in the store: from the files named in the settings, or one made in the data folder.

use std::path::PathBuf;

use ieum_store::{SealError, Sealer, SealingKey, SealingKeyError};

use crate::config::{KeySource, Settings};

/// The file that is made in the data folder where the settings name no key.
const MADE: &str = "sealing.key";

/// Says why secrets cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealingError {
    /// A key cannot be had.
    #[error("reading the sealing keys")]
    Key(#[source] SealingKeyError),
    /// The keys cannot be used.
    #[error("preparing the sealing keys")]
    Sealer(#[source] SealError),
}

/// Reads the keys; makes the one in the data folder where none is named. The data folder must be there.
pub fn open(settings: &Settings) -> Result<Sealer, SealingError> {
    let keys = match settings.store.sealing_keys.as_slice() {
        [] => vec![SealingKey::read_or_make(&made(settings)).map_err(SealingError::Key)?],
        named => named.iter().map(read).collect::<Result<_, _>>().map_err(SealingError::Key)?,
    };
    Sealer::new(&keys).map_err(SealingError::Sealer)
}

/// Returns where the keys stand and what to do about them, in sentences.
pub fn sentences(settings: &Settings) -> Vec<String> {
    let named = &settings.store.sealing_keys;
    let place = |source: &KeySource| match source {
        KeySource::File(path) => path.display().to_string(),
        KeySource::Text(_) => "the settings themselves".to_owned(),
    };
    let first = match named.first() {
        None => made(settings).display().to_string(),
        Some(source) => place(source),
    };
    let mut told = vec![format!("secrets in the store are sealed with the key in {first}")];
    if named.len() > 1 {
        let older: Vec<String> = named[1..].iter().map(place).collect();
        told.push(format!("older secrets open with the keys in {}", older.join(", ")));
    }
    told.push("a backup of the store needs a backup of its keys, kept apart from it".to_owned());
    if named.is_empty() && !settings.store.main.starts_with("sqlite:") {
        told.push(
            "every process on this store needs the same keys; name them in store.sealing_keys".to_owned(),
        );
    }
    told
}

fn made(settings: &Settings) -> PathBuf {
    settings.data.join(MADE)
}

/// Reads one key.
pub fn read(source: &KeySource) -> Result<SealingKey, SealingKeyError> {
    match source {
        KeySource::File(path) => SealingKey::read(path),
        KeySource::Text(text) => SealingKey::parse(text.expose(), "store.sealing_keys"),
    }
}
