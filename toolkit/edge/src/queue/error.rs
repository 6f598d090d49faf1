//! Why a device's queue does not take or give what it is asked for.

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

/// Names what was done when the file failed.
pub(super) fn failed(action: &'static str) -> impl Fn(StoreError) -> QueueError {
    move |error| QueueError::Store(action, error)
}
