//! What can go wrong with the bus itself.

use std::sync::Arc;

use ieum_core::Fault;
use ieum_store::StoreError;

use crate::storage::Failure;
use crate::{EventError, Refusal};

/// A step of the bus that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// The URL names no bus.
    #[error("opening the bus {url}: {problem}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The backend was left out of this build.
    #[error("this build has no {backend}; rebuild with --features {backend}")]
    NotBuilt {
        /// The backend.
        backend: &'static str,
    },
    /// No broker answers.
    #[error("reaching the bus {bus}")]
    Unreachable {
        /// The bus, with its brokers.
        bus: String,
        /// What failed.
        #[source]
        source: Arc<Failure>,
    },
    /// A topic, group or setting breaks a rule.
    #[error("{what} {value:?} {problem}")]
    Invalid {
        /// What it is: `topic`, `group`, a setting's name.
        what: &'static str,
        /// The value given.
        value: String,
        /// Which rule it breaks.
        problem: String,
    },
    /// An event breaks a rule of the envelope.
    #[error("publishing to {topic}")]
    Event {
        /// The topic.
        topic: String,
        /// Which rule.
        #[source]
        source: EventError,
    },
    /// The events could not be made durable. They may or may not be in the log; publishing them again is
    /// harmless.
    #[error("publishing {count} events to {topic} on {bus}")]
    Publish {
        /// How many events.
        count: usize,
        /// The topic.
        topic: String,
        /// The bus: `local:`, or the brokers.
        bus: String,
        /// What failed.
        #[source]
        source: Arc<Failure>,
    },
    /// The log will never take an event. Others of the same call may be durable; where the log's limit was known
    /// beforehand, none is.
    #[error("publishing to {topic}")]
    Refused {
        /// The topic.
        topic: String,
        /// Why.
        #[source]
        source: Box<Refusal>,
    },
    /// The bus was closed.
    #[error("publishing to {topic} on a bus that was closed")]
    Closed {
        /// The topic.
        topic: String,
    },
    /// The store failed.
    #[error("{step}")]
    Store {
        /// What was tried.
        step: &'static str,
        /// What the store said.
        #[source]
        source: StoreError,
    },
    /// There is no such dead letter.
    #[error("there is no dead letter {id}")]
    NoDeadLetter {
        /// The id asked for.
        id: String,
    },
    /// The dead letter is in a state that forbids what was asked.
    #[error("dead letter {id} is {state}; only a parked one can be {action}")]
    NotParked {
        /// Its id.
        id: String,
        /// Its state.
        state: String,
        /// What was asked.
        action: &'static str,
    },
}

impl BusError {
    /// Makes a function that says which step a store error belongs to.
    pub(crate) fn store(step: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { step, source }
    }

    /// Tells whether the same request may succeed later without anybody changing it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Publish { source, .. } | Self::Unreachable { source, .. } => source.retryable,
            Self::Store { source, .. } => source.is_retryable(),
            _ => false,
        }
    }
}

impl From<BusError> for Fault {
    fn from(error: BusError) -> Self {
        let message = error.to_string();
        match &error {
            BusError::Store { .. } if !error.is_retryable() => Self::internal("bus.storage", message),
            BusError::Publish { .. } if !error.is_retryable() => Self::internal("bus.storage", message),
            BusError::Store { .. } | BusError::Publish { .. } => Self::unavailable("bus.storage", message),
            BusError::Unreachable { .. } => Self::unavailable("bus.unreachable", message),
            BusError::Closed { .. } => Self::unavailable("bus.closed", message),
            BusError::Event { source, .. } => {
                Self::invalid_argument("bus.bad_event", format!("{message}: {source}"))
            }
            BusError::Refused { source, .. } => {
                let refused = Self::from(&**source);
                Self { message: format!("{message}: {}", refused.message), ..refused }
            }
            BusError::NoDeadLetter { .. } => Self::not_found("bus.no_dead_letter", message),
            BusError::NotParked { .. } => Self::failed_precondition("bus.dead_letter_state", message),
            BusError::NotBuilt { .. } => Self::unimplemented("bus.not_built", message),
            BusError::Url { .. } | BusError::Invalid { .. } => Self::invalid_argument("bus.invalid", message),
        }
    }
}
