//! The front door: API keys, tiers, rate limits, body limits, and problem+json for every error.
//!
//! - [`Keys`] makes, rotates, revokes and verifies API keys in the SQL store.
//! - [`Gateway`] wraps routers: [`Gateway::public`], [`Gateway::partner`], [`Gateway::premium`], and
//!   [`Gateway::frame`] around all of them.
//! - [`ApiJson`], [`ApiQuery`] and [`ApiPath`] read requests and name the field that is wrong.
//! - [`ApiError`] is the one error of a handler; any `Fault` becomes one.

mod address;
mod body;
mod extract;
mod frame;
mod gateway;
mod keys;
mod limit;
mod partner;
mod problem;
mod tier;

pub use address::ClientAddress;
pub use body::BodyRefused;
pub use extract::{ApiJson, ApiPath, ApiQuery, Context};
pub use gateway::{Gateway, GatewayOptions};
pub use keys::{KeyError, KeyRecord, KeyRefusal, Keys, KeysOptions, NewKey, VerifiedKey};
pub use limit::Rate;
pub use partner::{EventAccess, Partner, Tier};
pub use problem::ApiError;
