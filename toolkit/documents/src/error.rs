//! Why documents could not do what they were asked.

use std::error::Error;
use std::time::Duration;

use ieum_core::Fault;
use ieum_store::StoreError;

/// Why documents could not do what they were asked. Messages name the server without user and password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentsError {
    /// The URL names no backend that can be opened.
    #[error("opening documents at {url}: {problem}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The backend was left out of this build.
    #[error("this build has no {feature}; rebuild with --features {feature}")]
    NotBuilt {
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The SQL store failed.
    #[error("{step} a document in the sql store")]
    Store {
        /// What was tried.
        step: &'static str,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// The server cannot be reached now.
    #[error("{step} at {url}: it cannot be reached")]
    Unreachable {
        /// What was tried.
        step: &'static str,
        /// The server and its database.
        url: String,
        /// What the driver said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server did not answer in time.
    #[error("{step} at {url}: no answer in {limit:?}")]
    Late {
        /// What was tried.
        step: &'static str,
        /// The server and its database.
        url: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The server refused.
    #[error("{step} at {url}")]
    Refused {
        /// What was tried.
        step: &'static str,
        /// The server and its database.
        url: String,
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What is kept, or is to be kept, is no such document.
    #[error("{step} a document: {problem}")]
    Shape {
        /// What was tried.
        step: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl From<DocumentsError> for Fault {
    fn from(error: DocumentsError) -> Self {
        let message = error.to_string();
        match error {
            DocumentsError::Store { source, .. } => source.into(),
            // A server was looked for already as long as it may take.
            DocumentsError::Unreachable { .. } | DocumentsError::Late { .. } => {
                Self::unavailable("documents.unreachable", message).with_retried()
            }
            DocumentsError::Shape { .. } => Self::data_loss("documents.shape", message),
            _ => Self::internal("documents.failed", message),
        }
    }
}
