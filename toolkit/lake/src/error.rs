//! Why history could not be kept or asked.

use std::path::PathBuf;
use std::time::Duration;

use ieum_core::{Fault, describe};

/// Why history could not be kept or asked. Messages hold no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The URL names no engine that can be opened.
    #[error("reading the analytics url {url}: {problem}")]
    Url {
        /// The URL without its token.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A dataset, partition or row that cannot be kept.
    #[error("{what}: {problem}")]
    Rows {
        /// Such as `dataset visits` or `dataset visits, row 7, column hour`.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be written or read.
    #[error("{step} {path}")]
    File {
        /// What was tried.
        step: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is no Parquet that was written here.
    #[error("{step} {path}: {problem}")]
    Damaged {
        /// What was tried.
        step: &'static str,
        /// On which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The engine cannot be reached now.
    #[error("reaching {engine} at {url}: {problem}")]
    Unreachable {
        /// Which engine.
        engine: &'static str,
        /// The URL without its token.
        url: String,
        /// What the connection said.
        problem: String,
    },
    /// The engine does not take the question.
    #[error("asking {engine}: {problem}")]
    Refused {
        /// Which engine.
        engine: &'static str,
        /// What it said.
        problem: String,
    },
    /// The answer holds more than it may.
    #[error("asking {engine}: the answer holds more than {limit} rows; group or limit it")]
    TooMuch {
        /// Which engine.
        engine: &'static str,
        /// The most rows.
        limit: usize,
    },
    /// The question took longer than it may.
    #[error("asking {engine}: no answer within {after:?}")]
    Late {
        /// Which engine.
        engine: &'static str,
        /// How long was waited.
        after: Duration,
    },
}

impl From<LakeError> for Fault {
    fn from(error: LakeError) -> Self {
        let message = describe(&error);
        match error {
            LakeError::Refused { .. } => Self::invalid_argument("lake.refused", message),
            LakeError::TooMuch { .. } => Self::resource_exhausted("lake.too_much", message),
            LakeError::Late { .. } => Self::deadline_exceeded("lake.late", message),
            LakeError::Unreachable { .. } => Self::unavailable("lake.unreachable", message),
            LakeError::Url { .. } | LakeError::Rows { .. } => Self::internal("lake.misused", message),
            LakeError::File { .. } | LakeError::Damaged { .. } => Self::internal("lake.file", message),
        }
    }
}
