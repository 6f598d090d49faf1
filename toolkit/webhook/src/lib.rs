//! Outbound webhooks: signed, retried over days, ordered where asked, logged, sent again on request.

mod answer;
mod endpoint;
mod schedule;
mod signing;

pub use answer::{Answer, KEPT_BODY, Verdict};
pub use endpoint::{DisabledReason, Endpoint, EndpointError, EndpointState, NewEndpoint, SecretRing, wants};
pub use schedule::{Next, Schedule};
pub use signing::{
    HEADER_EVENT, HEADER_ID, HEADER_PLAIN_SIGNATURE, HEADER_SIGNATURE, HEADER_TIMESTAMP, SecretError,
    SigningSecret, TOLERANCE, VerifyError, signature_header, verify,
};
