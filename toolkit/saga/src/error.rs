//! Why a saga or a schedule could not be kept.

use ieum_core::Fault;
use ieum_store::StoreError;

/// Says which step of keeping a saga or a schedule failed.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// Nobody here does what the name says.
    #[error("starting {name:?}: this process knows no such saga or schedule; there are {known}")]
    UnknownName {
        /// The name.
        name: String,
        /// Those that are known.
        known: String,
    },
    /// There is no such row.
    #[error("looking for {id:?}: there is none")]
    UnknownId {
        /// The id.
        id: String,
    },
    /// The saga is not stuck.
    #[error("resuming {id:?}: it is {phase}, not stuck")]
    NotStuck {
        /// The id.
        id: String,
        /// Where it stands.
        phase: &'static str,
    },
    /// The saga did not end within the time.
    #[error("waiting for {id:?}: it is still {phase} and goes on")]
    StillRunning {
        /// The id.
        id: String,
        /// Where it stands.
        phase: &'static str,
    },
    /// The id is empty or too long.
    #[error("keeping {id:?}: an id has 1 to 190 characters")]
    Id {
        /// The id.
        id: String,
    },
    /// A state or payload has no JSON form, or the kept one cannot be understood.
    #[error("reading or writing the state of {id:?}: {message}")]
    State {
        /// The id.
        id: String,
        /// Why.
        message: String,
    },
    /// The store failed.
    #[error("keeping sagas and schedules")]
    Store(#[from] StoreError),
}

impl From<SagaError> for Fault {
    fn from(error: SagaError) -> Self {
        let message = error.to_string();
        match error {
            SagaError::UnknownName { .. } => Self::internal("saga.unknown_name", message),
            SagaError::UnknownId { .. } => Self::not_found("saga.unknown", message),
            SagaError::NotStuck { .. } => Self::failed_precondition("saga.not_stuck", message),
            SagaError::StillRunning { .. } => Self::deadline_exceeded("saga.still_running", message),
            SagaError::Id { .. } => Self::invalid_argument("saga.id", message),
            SagaError::State { .. } => Self::data_loss("saga.state", message),
            SagaError::Store(cause) => cause.into(),
        }
    }
}

/// Fails where `id` cannot be kept.
pub fn check_id(id: &str) -> Result<(), SagaError> {
    if id.is_empty() || id.chars().count() > 190 {
        return Err(SagaError::Id { id: id.chars().take(190).collect() });
    }
    Ok(())
}
