//! Why time series could not be written or read.

use ieum_core::Fault;
use ieum_store::StoreError;

/// Why time series could not be written or read. Messages name the server without its password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// The URL names no backend that can be opened.
    #[error("reading the series url {url}: {problem}")]
    Url {
        /// The URL without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A point that no backend could keep.
    #[error("point {point}, {part}: {problem}")]
    Point {
        /// The point's number in the batch, from 0.
        point: usize,
        /// Which part of it, such as `tag city`.
        part: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A range that cannot be read.
    #[error("range, {part}: {problem}")]
    Range {
        /// Which part of it.
        part: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The server cannot be reached now, or did not answer in time.
    #[error("reaching {url}")]
    Unreachable {
        /// The URL without its password.
        url: String,
        /// What the client said.
        #[source]
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{step} on {url}: answered {status}: {answer}")]
    Refused {
        /// What was tried.
        step: &'static str,
        /// The URL without its password.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        answer: String,
    },
    /// The server's answer cannot be understood.
    #[error("{step} on {url}: {problem}")]
    Answer {
        /// What was tried.
        step: &'static str,
        /// The URL without its password.
        url: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The SQL store failed.
    #[error("{step} in the sql series")]
    Store {
        /// What was tried.
        step: &'static str,
        /// What the store said.
        #[source]
        source: StoreError,
    },
}

impl SeriesError {
    /// Tells whether the same call may succeed later without anybody changing it.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Store { source, .. } => source.is_retryable(),
            _ => false,
        }
    }
}

impl From<SeriesError> for Fault {
    fn from(error: SeriesError) -> Self {
        if error.is_retryable() && !matches!(error, SeriesError::Store { .. }) {
            return Self::unavailable("series.unreachable", "the time series cannot be reached now");
        }
        match error {
            SeriesError::Store { source, .. } => source.into(),
            SeriesError::Point { .. } | SeriesError::Range { .. } => {
                Self::invalid_argument("series.invalid", error.to_string())
            }
            _ => Self::internal("series.failed", "the time series could not be written or read"),
        }
    }
}
