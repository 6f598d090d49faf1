//! The keys that seal secrets: 32 random bytes as base64, in a file that only its owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ieum_core::{Secret, new_id};
use rand::RngCore;
use sha2::{Digest, Sha256};

/// The bytes of a key.
const LENGTH: usize = 32;

/// One key that seals and opens, known by an id that is drawn from it. Never printed.
#[derive(Clone)]
pub struct SealingKey {
    id: String,
    text: Secret,
    bytes: [u8; LENGTH],
}

/// Says why a sealing key cannot be had. The key itself is not repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// The text is no key.
    #[error(
        "reading the sealing key of {origin}: expected the base64 of 32 bytes, as `openssl rand -base64 32` makes it"
    )]
    Malformed {
        /// Where the text stands.
        origin: String,
    },
    /// The file cannot be read.
    #[error("reading the sealing key file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("making the sealing key file {path}")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl SealingKey {
    /// Makes a key of 32 random bytes.
    pub fn generate() -> Self {
        let mut bytes = [0_u8; LENGTH];
        rand::rng().fill_bytes(&mut bytes);
        Self::of(bytes)
    }

    /// Reads a key's text, which came from `origin`.
    ///
    /// # Errors
    /// A text that is not the base64 of 32 bytes.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SealingKeyError> {
        let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::of).ok_or_else(|| SealingKeyError::Malformed { origin: origin.to_owned() })
    }

    /// Reads the key in the file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read or holds no key.
    pub fn read(path: &Path) -> Result<Self, SealingKeyError> {
        let text = fs::read_to_string(path)
            .map_err(|source| SealingKeyError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the key in the file at `path`, or makes a key there. Of several processes that make it at once one
    /// wins and all get the same key. The key that is returned survives a power cut, whoever made it.
    ///
    /// # Errors
    /// A file that can be neither read nor made, or that holds no key.
    pub fn read_or_make(path: &Path) -> Result<Self, SealingKeyError> {
        let failed = |source| SealingKeyError::Make { path: path.to_owned(), source };
        match Self::read(path) {
            Err(SealingKeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::generate().save(path).map_err(failed)?;
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        // Whoever made it may have been stopped before this, and what is sealed with it must be opened again.
        sync_folder_of(path).map_err(failed)?;
        Self::read(path)
    }

    /// Returns the id: 8 hex digits of the key's hash. It says nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of(bytes: [u8; LENGTH]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"ieum sealing key id");
        hash.update(bytes);
        let id = hex::encode(&hash.finalize()[..4]);
        Self { id, text: Secret::new(STANDARD.encode(bytes)), bytes }
    }

    /// Writes the key to a new file at `path`; its name is not on disk yet. A file that is there already is left
    /// as it is.
    fn save(&self, path: &Path) -> io::Result<()> {
        let folder = folder_of(path);
        // Written aside and linked into place, so that nobody ever reads half a key.
        let aside = folder.join(format!(".sealing-{}.new", new_id().simple()));
        let linked = write_new(&aside, self.text.expose()).and_then(|()| fs::hard_link(&aside, path));
        // It has a second name by now, or was never made.
        let _ = fs::remove_file(&aside);
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SealingKey").field("id", &self.id).finish_non_exhaustive()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file's name last: it is on disk only once its folder was synced (fsync(2)).
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match File::open(folder_of(path)).and_then(|folder| folder.sync_all()) {
        // Not ours to read, such as a mounted secret, or a file system whose folders need no sync.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput) =>
        {
            Ok(())
        }
        synced => synced,
    }
}

/// Writes a file that only its owner may read, and waits for the disk.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_read_again_and_belongs_to_its_owner_alone() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("sealing.key");
        let made = SealingKey::read_or_make(&path).expect("is made");
        let again = SealingKey::read_or_make(&path).expect("is read");
        assert_eq!((made.id(), made.bytes()), (again.id(), again.bytes()));
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(!format!("{made:?}").contains(&STANDARD.encode(made.bytes())));
    }

    #[test]
    fn many_who_make_it_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("sealing.key");
        let ids: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| SealingKey::read_or_make(&path).expect("is had").id().to_owned()))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("ends")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        let folder = tempfile::tempdir().expect("makes a folder");
        let path = folder.path().join("sealing.key");
        fs::write(&path, "QUJD\n").expect("is written");
        let error = SealingKey::read_or_make(&path).expect_err("is too short").to_string();
        assert!(error.contains("sealing.key") && !error.contains("QUJD"), "{error}");
        assert!(matches!(SealingKey::read(folder.path()), Err(SealingKeyError::Read { .. })));
    }
}
