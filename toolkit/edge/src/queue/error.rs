//! Why a device's queue does not take or give what it is asked for.

use std::error::Error;
use std::path::Path;

use ieum_store::StoreError;

use super::file::FILE;

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// There is no room, and nothing that may be given up.
    #[error(
        "keeping a message of kind {kind}: the queue holds {held} of {most} bytes and nothing may be given up for it; \
         connect the device, or raise agent.keep_bytes"
    )]
    Full {
        /// The kind.
        kind: &'static str,
        /// Bytes held.
        held: usize,
        /// Bytes that may be.
        most: usize,
    },
    /// What is to be said is no JSON object, or cannot be written.
    #[error("writing a message of kind {kind} as JSON")]
    Json {
        /// The kind.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The disk takes nothing: it is full, it fails, or the file is another program's now.
    #[error("keeping a message of kind {kind}: {problem}; it is not kept, say it again then")]
    Disk {
        /// The kind.
        kind: &'static str,
        /// What is wrong, and what to do.
        problem: String,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The file cannot be opened.
    #[error("opening the queue in {folder}; the folder must be this device's own and writable")]
    Open {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file does not do as it is asked.
    #[error("{0} the device's queue")]
    Store(&'static str, #[source] StoreError),
}

impl QueueError {
    /// Says what is wrong with the disk of the queue in `folder`, where that is what is wrong and may pass, and what to
    /// do about it.
    pub(super) fn of_the_disk(&self, folder: &Path) -> Option<String> {
        let Self::Store(_, source) = self else { return None };
        trouble_of(source, folder)
    }

    /// Says what is wrong with the disk of the queue in `folder`, where it is that for which the queue cannot be opened,
    /// and it may pass.
    pub fn of_a_full_disk(&self, folder: &Path) -> Option<String> {
        let mut next: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<StoreError>().filter(|error| error.is_disk_full()) {
                return trouble_of(error, folder);
            }
            next = error.source();
        }
        None
    }
}

/// Says that the disk of `folder` is full, and what to do about it.
pub fn full_disk(folder: &Path) -> String {
    // A folder that could not be made is none that `df` knows.
    let there = folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    let (folder, there) = (folder.display(), there.display());
    format!("the disk that holds {folder} is full; make room there (`df -h {there}` tells)")
}

pub(super) fn trouble_of(error: &StoreError, folder: &Path) -> Option<String> {
    let file = folder.join(FILE);
    let file = file.display();
    match error {
        StoreError::DiskFull { .. } => Some(full_disk(folder)),
        StoreError::Disk { .. } => Some(format!(
            "the disk that holds {} fails; look into the system's log (`dmesg`)",
            folder.display()
        )),
        StoreError::Conflict { .. } | StoreError::PoolExhausted { .. } => Some(format!(
            "{file} is busy: another program holds it; end that one (`fuser -v {file}` tells which)"
        )),
        StoreError::Unreachable { .. } => Some(format!(
            "{file} cannot be opened now; the folder must be there, this device's own and writable"
        )),
        _ => None,
    }
}

/// Names what was done when the file failed.
pub(super) fn failed(action: &'static str) -> impl Fn(StoreError) -> QueueError {
    move |error| QueueError::Store(action, error)
}
