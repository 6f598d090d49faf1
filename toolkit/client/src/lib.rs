//! Calls to other people's HTTP APIs: guarded against inner addresses, limited, retried within a budget.
//!
//! - [`RestClient`] sends requests to one source under its [`RestConfig`].
//! - [`OutboundGuard`] decides which addresses may be reached at all, after names are resolved.
//! - [`Transport`] is the network; [`HttpTransport`] the real one, a test or simulation brings its own.

mod answer;
mod body;
mod budget;
mod client;
mod config;
mod guard;
mod redirect;
mod request;
mod resolve;
mod transport;

pub use answer::Response;
pub use body::{BodyError, BodyLimits};
pub use budget::{RateBudget, RateState};
pub use client::RestClient;
pub use config::{Auth, RestConfig, RestConfigError};
pub use guard::{OutboundGuard, OutboundPolicy, Refused};
pub use request::Request;
pub use resolve::{GuardedResolver, Lookup, SystemLookup};
pub use transport::{
    BodyStream, HttpOptions, HttpTransport, Transport, TransportError, WireRequest, WireResponse,
};
