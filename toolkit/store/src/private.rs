//! Folders and files for this user alone: what a store holds is nobody else's on the machine.

use std::io;
use std::path::Path;

/// Makes a folder and those above it that are missing, all for this user alone. One that is there stays as it is.
pub(crate) async fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).await
}

/// Makes the file of a database where there is none, for this user alone: SQLite would let everybody read it, and gives the
/// files beside it whatever mode this one has (<https://www.sqlite.org/src/file/src/os_unix.c>, `findCreateFileMode`).
pub(crate) async fn make_database(path: &Path) {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    // Where it cannot be made SQLite says why, and one that is there stays as it is.
    drop(options.open(path).await);
}
