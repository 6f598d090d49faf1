//! Files that hold secrets: who can read them besides their owner, and folders that are made for them.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::{KeySource, Settings};
use crate::platform::within;

/// Makes a folder and those above it that are missing, all for this user alone. One that is there stays as it is.
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Says that everybody on this machine can read the file `path`, and what to do; `None` where that is not so.
pub fn open_to_all(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (mode & 0o004 != 0).then(|| {
        format!(
            "{shown} holds a secret and everybody on this machine can read it; `chmod 600 {shown}` ends that"
        )
    })
}

/// Says so of each file of `settings` that holds a secret, with the setting that names it.
pub fn sentences(settings: &Settings) -> Vec<String> {
    let sealing = settings.store.sealing_keys.iter().filter_map(|source| match source {
        KeySource::File(path) => Some(("store.sealing_keys", path)),
        KeySource::Text(_) => None,
    });
    let others = [
        ("device.key", settings.device.tls.as_ref().map(|(_, key)| key)),
        ("tls.key", settings.tls.as_ref().map(|files| &files.key)),
        ("agent.secret_file", settings.agent.secret_file.as_ref()),
    ];
    let others = others.into_iter().filter_map(|(key, path)| Some((key, path?)));
    let store = database(settings);
    let store = store.as_ref().filter(|path| is_within_reach(path)).map(|path| ("store.main", path));
    sealing
        .chain(others)
        .chain(store)
        .filter_map(|(key, path)| Some(format!("{key}: {}", open_to_all(path)?)))
        .collect()
}

/// Returns the file of the SQL store, where it is one.
fn database(settings: &Settings) -> Option<PathBuf> {
    let url = within(settings, &settings.store.main);
    let path = url.strip_prefix("sqlite:")?;
    Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
}

/// Tells whether others may enter the folder of a file: within one that they may not, its own mode says nothing.
fn is_within_reach(path: &Path) -> bool {
    let folder = path.parent().and_then(|folder| std::fs::metadata(folder).ok());
    folder.is_some_and(|folder| folder.permissions().mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_everybody_reads_is_told_and_its_owners_own_is_not() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (mode, is_told) in [(0o644, true), (0o600, false), (0o640, false)] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).expect("is set");
            assert_eq!(open_to_all(file.path()).is_some(), is_told, "{mode:o}");
        }
        assert_eq!(open_to_all(Path::new("/nowhere/at/all")), None);
    }
}
