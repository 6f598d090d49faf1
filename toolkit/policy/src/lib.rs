//! What keeps one failing join from becoming many: limits, retries, breakers, and the stack of them.
//!
//! Each policy is a pure state machine over an explicit [`ieum_core::Moment`] in a file of its own; the
//! layers in `layer` and the whole [`PolicyStack`] run the same machines over a clock.

mod config;
mod gcra;
mod origin;
mod request;
mod stack;

pub use config::{
    BreakerConfig, BulkheadConfig, FallbackConfig, PolicyConfig, PolicyConfigError, RateConfig, RetryConfig,
};
pub use gcra::{Decision, Gcra, GcraError};
pub use origin::{FallbackKind, Guarded, Origin};
pub use request::{PolicyReply, PolicyRequest};
pub use stack::{Alternative, PolicyService, PolicyStack};
