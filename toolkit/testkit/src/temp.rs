//! Temporary folders that vanish with the test.

use tempfile::TempDir;

/// Makes an empty folder that is removed when the returned value is dropped.
///
/// # Panics
/// Where the system's temporary folder cannot be written.
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("ieum-test-").tempdir().expect("the temporary folder is writable")
}

/// Returns the `sqlite:` URL of a database file called `name` in `folder`.
pub fn sqlite_url(folder: &TempDir, name: &str) -> String {
    format!("sqlite:{}", folder.path().join(name).display())
}
