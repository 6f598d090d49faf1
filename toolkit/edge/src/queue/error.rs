//! Why a device's queue does not take or give what it is asked for.

use std::error::Error;
use std::path::Path;

use ieum_store::StoreError;

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
    /// The disk takes nothing: it is full, or it fails.
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

fn trouble_of(error: &StoreError, folder: &Path) -> Option<String> {
    let folder = folder.display();
    if error.is_disk_full() {
        return Some(format!(
            "the disk that holds {folder} is full; make room there (`df -h {folder}` tells)"
        ));
    }
    let passes = error.is_retryable();
    passes
        .then(|| format!("the disk that holds {folder} takes nothing; look into the system's log (`dmesg`)"))
}

/// Names what was done when the file failed.
pub(super) fn failed(action: &'static str) -> impl Fn(StoreError) -> QueueError {
    move |error| QueueError::Store(action, error)
}
