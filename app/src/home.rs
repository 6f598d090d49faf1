//! Where a process keeps what it keeps, told so that a command sees whether the platform it asks is the one it means.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use ieum_contracts::platform::{AskAbout, PlatformProcess, ProcessAbout};
use ieum_core::{Cx, Fault, redact_url};

use crate::config::Settings;
use crate::platform::within;

/// Answers `platform.process`.
pub struct Home {
    settings: std::sync::Arc<Settings>,
    parts: Vec<String>,
}

impl Home {
    /// Tells of a process with these parts.
    pub fn new(settings: std::sync::Arc<Settings>, parts: &[&str]) -> Self {
        Self { settings, parts: parts.iter().map(|name| (*name).to_owned()).collect() }
    }
}

#[async_trait]
impl PlatformProcess for Home {
    async fn about(&self, _: &Cx, _: AskAbout) -> Result<ProcessAbout, Fault> {
        let (data, store) = (folder(&self.settings), store(&self.settings));
        Ok(ProcessAbout { data, store, parts: self.parts.clone() })
    }
}

/// Returns the data folder as a whole path.
pub fn folder(settings: &Settings) -> String {
    let whole = std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone());
    whole.display().to_string()
}

/// Returns what processes over the same SQL store have in common, and no others; empty where there is none yet, or one in
/// memory. A file is known by where it lies on its device, which is the same by every path and within containers.
pub fn store(settings: &Settings) -> String {
    let url = within(settings, &settings.store.main);
    let Some(path) = url.strip_prefix("sqlite:") else { return redact_url(&url) };
    let path = PathBuf::from(path.split('?').next().unwrap_or_default());
    if path.to_string_lossy().starts_with(':') {
        return String::new();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The folder, not the file: a store that was moved away and made anew is still the one of this folder.
    match std::fs::metadata(parent) {
        Ok(found) => format!("sqlite {}:{}/{name}", found.dev(), found.ino()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Sources, load};

    fn store_of(folder: &std::path::Path, main: &str) -> String {
        let environment = [("IEUM__STORE__MAIN".to_owned(), main.to_owned())].into();
        let sources = Sources { data: Some(folder.to_owned()), environment, ..Sources::default() };
        super::store(&load(&sources).expect("is right"))
    }

    #[test]
    fn the_same_store_is_known_by_any_path_and_another_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        for path in [&one, &other] {
            std::fs::create_dir(path).expect("is made");
        }
        let linked = folder.path().join("linked");
        std::os::unix::fs::symlink(&one, &linked).expect("is made");
        let known = store_of(&one, "sqlite:ieum.db");
        assert_eq!(store_of(&linked, "sqlite:ieum.db"), known);
        let whole = format!("sqlite:{}", one.join("ieum.db").display());
        assert_eq!(store_of(&other, &whole), known, "the store counts, not the folder");
        assert_ne!(store_of(&other, "sqlite:ieum.db"), known);
        assert_eq!(store_of(&folder.path().join("none"), "sqlite:ieum.db"), "");
        let remote = store_of(&one, "postgres://ada:hunter2@db/ieum");
        assert_eq!(remote, store_of(&other, "postgres://ada:hunter2@db/ieum"));
        assert!(!remote.contains("hunter2"), "{remote}");
    }
}
