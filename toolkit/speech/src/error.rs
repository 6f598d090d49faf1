//! Why speech was not understood or made.

use std::path::PathBuf;
use std::time::Duration;

use ieum_core::{Fault, describe};

/// Why speech was not understood or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The URL names no engine that can be opened.
    #[error("reading the speech url {url}: {problem}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The folder holds no model that can be opened.
    #[error("opening the speech model in {folder}: {problem}")]
    Model {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The audio cannot be read.
    #[error("reading audio: {problem}")]
    Audio {
        /// What is wrong with it.
        problem: String,
    },
    /// There is more audio than is listened to at once.
    #[error("reading audio: it is longer than {limit:?}; send shorter pieces")]
    TooLong {
        /// The longest.
        limit: Duration,
    },
    /// The text cannot be spoken.
    #[error("reading the text to speak: {problem}")]
    Text {
        /// What is wrong with it.
        problem: String,
    },
    /// No engine does this language.
    #[error("looking for an engine for {language:?}: there are {known}")]
    Language {
        /// The language asked for.
        language: String,
        /// Those there are.
        known: String,
    },
    /// More is asked at once than may wait.
    #[error("asking {engine}: it is busy and {waiting} wait already; try again soon")]
    Busy {
        /// Which engine.
        engine: String,
        /// How many wait.
        waiting: usize,
    },
    /// The one who asked gave up.
    #[error("asking {engine}: nobody waits for the answer any more")]
    Cancelled {
        /// Which engine.
        engine: String,
    },
    /// The engine's program is not there.
    #[error("starting {program}: it is not installed; install espeak-ng or name a wyoming engine")]
    Missing {
        /// The program.
        program: String,
    },
    /// The engine did not do it.
    #[error("{step} of {engine}: {problem}")]
    Engine {
        /// Which engine.
        engine: String,
        /// What it was to do.
        step: &'static str,
        /// What it said.
        problem: String,
    },
    /// The engine took too long.
    #[error("asking {engine}: no answer within {after:?}")]
    Late {
        /// Which engine.
        engine: String,
        /// How long was waited.
        after: Duration,
    },
    /// The engine cannot be reached.
    #[error("reaching the wyoming engine at {address}")]
    Unreachable {
        /// Its address.
        address: String,
        /// What the connection said.
        #[source]
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("reading a wyoming event")]
    Cut {
        /// What the connection said.
        #[source]
        source: std::io::Error,
    },
    /// The other side does not keep to the protocol.
    #[error("reading a wyoming event: {problem}")]
    Protocol {
        /// What is wrong.
        problem: String,
    },
}

impl From<SpeechError> for Fault {
    fn from(error: SpeechError) -> Self {
        let message = describe(&error);
        match error {
            SpeechError::Url { .. } => Self::internal("speech.misused", message),
            SpeechError::Model { .. } | SpeechError::Missing { .. } => {
                Self::failed_precondition("speech.missing", message)
            }
            SpeechError::Audio { .. } => Self::invalid_argument("speech.audio", message),
            SpeechError::TooLong { .. } => Self::invalid_argument("speech.too_long", message),
            SpeechError::Text { .. } => Self::invalid_argument("speech.text", message),
            SpeechError::Language { .. } => Self::invalid_argument("speech.language", message),
            SpeechError::Busy { .. } => Self::resource_exhausted("speech.busy", message),
            SpeechError::Cancelled { .. } => Self::cancelled("speech.cancelled", message),
            SpeechError::Engine { .. } | SpeechError::Protocol { .. } => {
                Self::unavailable("speech.engine", message)
            }
            SpeechError::Late { .. } => Self::deadline_exceeded("speech.late", message),
            SpeechError::Unreachable { .. } | SpeechError::Cut { .. } => {
                Self::unavailable("speech.unreachable", message)
            }
        }
    }
}
