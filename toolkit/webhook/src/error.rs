//! What can fail here, and how it crosses a link.

use std::sync::Arc;

use ieum_core::{Fault, Id};
use ieum_store::{SealError, StoreError};

use crate::endpoint::EndpointError;
use crate::message::MessageError;

/// Says which step failed.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// A registration is malformed.
    #[error("checking the endpoint: {0}")]
    Endpoint(EndpointError),
    /// A message is malformed.
    #[error("checking the message: {0}")]
    Message(MessageError),
    /// The outbound rules refuse the endpoint's address.
    #[error("url: {0}")]
    Address(String),
    /// The network cannot be used at all.
    #[error("preparing the network: {0}")]
    Network(String),
    /// There is no such endpoint (of this partner).
    #[error("there is no endpoint {0}")]
    NoEndpoint(Id),
    /// There is no such delivery (of this partner).
    #[error("there is no delivery {0}")]
    NoDelivery(Id),
    /// The endpoint is disabled, so that nothing is sent to it.
    #[error("endpoint {0} is disabled; enable it first")]
    NotActive(Id),
    /// The partner has as many endpoints as it may have.
    #[error("partner {partner} has {most} endpoints already")]
    TooMany {
        /// Which partner.
        partner: String,
        /// The limit.
        most: usize,
    },
    /// A stored row does not read back.
    #[error("reading {what}: the stored row is damaged")]
    Damaged {
        /// Which row.
        what: String,
    },
    /// The endpoints' secrets cannot be opened or sealed.
    #[error("handling the endpoints' secrets")]
    Seal(#[source] SealError),
    /// The commit that several callers shared failed.
    #[error("accepting messages together")]
    Shared(#[source] Arc<WebhookError>),
    /// The process is stopping.
    #[error("accepting a message while the process stops")]
    Stopped,
    /// The store failed.
    #[error("{step}")]
    Store {
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        #[source]
        source: StoreError,
    },
}

impl WebhookError {
    /// Tells whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store { source, .. } => source.is_retryable(),
            Self::Shared(error) => error.is_retryable(),
            Self::Stopped => true,
            _ => false,
        }
    }
}

/// Returns a closure that wraps a store's error with the step that failed.
pub(crate) fn at(step: &'static str) -> impl FnOnce(StoreError) -> WebhookError {
    move |source| WebhookError::Store { step, source }
}

impl From<WebhookError> for Fault {
    fn from(error: WebhookError) -> Self {
        let (message, retryable) = (error.to_string(), error.is_retryable());
        match error {
            WebhookError::Endpoint(_) | WebhookError::Message(_) => {
                Self::invalid_argument("webhook.malformed", message)
            }
            WebhookError::Address(_) => Self::invalid_argument("webhook.address_refused", message),
            WebhookError::Network(_) => Self::internal("webhook.network", message),
            WebhookError::NoEndpoint(_) => Self::not_found("webhook.no_endpoint", message),
            WebhookError::NoDelivery(_) => Self::not_found("webhook.no_delivery", message),
            WebhookError::NotActive(_) => Self::failed_precondition("webhook.endpoint_disabled", message),
            WebhookError::TooMany { .. } => Self::resource_exhausted("webhook.too_many_endpoints", message),
            WebhookError::Damaged { .. } => Self::data_loss("webhook.damaged", message),
            WebhookError::Shared(_) if retryable => Self::unavailable("webhook.not_accepted", message),
            WebhookError::Shared(_) => Self::internal("webhook.not_accepted", message),
            WebhookError::Stopped => Self::unavailable("webhook.stopping", message),
            WebhookError::Seal(_) => Self::internal("webhook.sealed", message),
            WebhookError::Store { source, .. } => source.into(),
        }
    }
}
