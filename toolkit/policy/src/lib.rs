//! What keeps one failing join from becoming many: limits, retries, breakers, and the stack of them.
//!
//! Each policy is a pure state machine over an explicit [`ieum_core::Moment`] in a file of its own; the
//! layers and the whole [`PolicyStack`] run the same machines over a clock.

mod backoff;
mod balance;
mod blame;
mod breaker;
mod budget;
mod bulkhead;
mod config;
mod gcra;
mod handle;
mod hedge;
pub mod layer;
mod meter;
mod origin;
mod outlier;
pub mod reason;
mod request;
mod retry;
mod stack;
mod window;

pub use backoff::{Backoff, Jitter};
pub use balance::{PeakEwma, pick_two};
pub use breaker::{Breaker, BreakerCounts, BreakerRule, BreakerState, Cause, Outcome, Permit, Rejected};
pub use budget::{BudgetRule, RetryBudget};
pub use bulkhead::{Bulkhead, Full, Place};
pub use config::{
    BreakerConfig, BulkheadConfig, FallbackConfig, HedgeConfig, PolicyConfig, PolicyConfigError, RateConfig,
    RetryConfig,
};
pub use gcra::{Decision, Gcra, GcraError};
pub use handle::{HedgeCounts, PolicyHandle, PolicySnapshot};
pub use hedge::{Hedge, HedgeAfter, HedgeAsk, HedgeRule, Held};
pub use meter::{LATENCY_BOUNDS, Latency, Rejections};
pub use origin::{FallbackKind, Guarded, Origin, OriginError};
pub use outlier::{OutlierEjection, OutlierRule};
pub use request::{PolicyReply, PolicyRequest};
pub use retry::{Classes, Failure, RetryRule, Stop, Verdict};
pub use stack::{Alternative, PolicyService, PolicyStack};
pub use window::{Tally, Window};
