//! The front door: API keys, tokens, tiers, rate limits, body limits, forwarding, and problem+json for every
//! error.
//!
//! - [`Keys`] makes, rotates, revokes and verifies API keys in the SQL store.
//! - [`Tokens`] verifies JWTs of trusted issuers.
//! - [`Passwords`] are names and passwords at doors that take them, such as those of devices.
//! - [`Gateway::forward`] hands requests on to somebody else's HTTP server.
//! - [`Gateway`] wraps routers: [`Gateway::public`], [`Gateway::partner`], [`Gateway::premium`], and
//!   [`Gateway::frame`] around all of them.
//! - [`ApiJson`], [`ApiQuery`] and [`ApiPath`] read requests and name the field that is wrong.
//! - [`describe_doors`] writes into an API's description what the doors answer.
//! - [`ApiError`] is the one error of a handler; any `Fault` becomes one.

mod address;
mod body;
mod description;
mod extract;
mod forward;
mod frame;
mod gateway;
mod holder;
mod keys;
mod limit;
mod meter;
mod origins;
mod partner;
mod passwords;
mod plan;
mod problem;
mod tier;
mod tokens;

pub use address::ClientAddress;
pub use body::BodyRefused;
pub use description::{ProblemView, describe_doors};
pub use extract::{ApiJson, ApiPath, ApiQuery, Context};
pub use forward::{ForwardError, ForwardOptions};
pub use gateway::{Gateway, GatewayOptions};
pub use holder::Holder;
pub use keys::{KeyError, KeyRecord, KeyRefusal, KeyUse, Keys, KeysOptions, NewKey, VerifiedKey};
pub use limit::Rate;
pub use origins::{Origin, OriginError, Origins};
pub use partner::{EventAccess, Partner, Tier};
pub use passwords::{Passwords, SignedIn};
pub use plan::{DETAILS, Plan, PlanError};
pub use problem::ApiError;
pub use tokens::{
    Algorithm, IssuerError, IssuerOptions, KeyOrigin, KeySource, Revocation, RevokeError, Revoked,
    TokenRefusal, Tokens,
};
