//! Why an agent ends by itself.

use crate::{ConnectError, QueueError};

/// Why an agent ends.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Trying again cannot help.
    #[error("connecting the device {device:?}")]
    Hopeless {
        /// The device.
        device: String,
        /// Why.
        #[source]
        source: ConnectError,
    },
    /// Its queue does not do as it is asked.
    #[error("running the device {device:?}")]
    Queue {
        /// The device.
        device: String,
        /// Why.
        #[source]
        source: QueueError,
    },
}
