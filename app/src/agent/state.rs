//! The folder of a device's state: held for one process alone, with the queue in it; a disk that is full is waited for.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ieum_core::SharedClock;
use ieum_edge::{Queue, QueueError, QueueLimits, full_disk};

use super::told::Told;
use crate::secret_files;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("using the state in {0:?}: another agent does; let each device have a folder of its own")]
    Shared(PathBuf),
    #[error("making the state folder {path:?}")]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Queue(QueueError),
}

/// How often it is looked whether a disk that was full at the start has room.
const ROOM: Duration = Duration::from_secs(5);

impl StateError {
    /// Says what is wrong, where it is a full disk.
    fn of_a_full_disk(&self, folder: &Path) -> Option<String> {
        match self {
            Self::Folder { source, .. } if source.kind() == ErrorKind::StorageFull => Some(full_disk(folder)),
            Self::Queue(error) => error.of_a_full_disk(folder),
            _ => None,
        }
    }
}

/// Holds the folder for as long as the file that is returned is open, and opens the queue in it. A disk that is full is
/// told of, and waited for.
pub async fn open(
    folder: &Path,
    keep: QueueLimits,
    told: &Told,
    clock: &SharedClock,
) -> Result<(File, Queue), StateError> {
    let (mut held, mut is_told) = (None, false);
    loop {
        // Nobody else takes it while this waits for room in it.
        let error = match held.take().map_or_else(|| hold(folder), Ok) {
            Ok(file) => match Queue::open(folder, keep, clock.clone()).await {
                Ok(queue) => return Ok((file, queue)),
                Err(error) => {
                    held = Some(file);
                    StateError::Queue(error)
                }
            },
            Err(error) => error,
        };
        let Some(problem) = error.of_a_full_disk(folder) else { return Err(error) };
        if !std::mem::replace(&mut is_told, true) {
            told.trouble(&format!("{problem}; the device begins then"));
        }
        clock.sleep(ROOM).await;
    }
}

/// Holds the folder for this process alone.
fn hold(folder: &Path) -> Result<File, StateError> {
    let failed = |source| StateError::Folder { path: folder.to_owned(), source };
    secret_files::make_folder(folder).map_err(failed)?;
    let file = File::create(folder.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::Shared(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
