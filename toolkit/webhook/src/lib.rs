//! Outbound webhooks: signed, retried over days, ordered where asked, logged, sent again on request.
//!
//! [`Webhooks::enqueue`] accepts a message in the caller's transaction; [`Webhooks::start`] sends what is due.
//! Each attempt carries the Standard Webhooks headers and the seed's, see [`signing`](crate::SigningSecret).

mod answer;
mod deliveries;
mod endpoint;
mod endpoints;
mod error;
mod filter;
mod gather;
mod key_pair;
mod lane;
mod log;
mod message;
mod options;
mod retention;
mod schedule;
mod sender;
mod service;
mod settle;
mod signing;
mod tables;
mod worker;

pub use answer::{Answer, KEPT_BODY, Verdict};
pub use deliveries::Replay;
pub use endpoint::{DisabledReason, Endpoint, EndpointError, EndpointState, NewEndpoint, SecretRing, wants};
pub use error::WebhookError;
pub use filter::{Filter, Operator};
pub use key_pair::{PublicKey, SigningPair};
pub use log::{Attempt, Delivery, DeliveryFilter, DeliverySearch, DeliveryState, MOST_LISTED, Sent};
pub use message::{MessageError, TEST_EVENT, WebhookMessage};
pub use options::WebhookOptions;
pub use retention::{Purged, Retention};
pub use schedule::{Next, Schedule};
pub use service::{Registered, Webhooks, WebhooksDeps};
pub use signing::{
    HEADER_EVENT, HEADER_ID, HEADER_PLAIN_SIGNATURE, HEADER_SIGNATURE, HEADER_TIMESTAMP, SecretError,
    SigningSecret, TOLERANCE, VerifyError, signature_header, verify, verify_public,
};
pub use tables::migrations;
pub use worker::Running;
