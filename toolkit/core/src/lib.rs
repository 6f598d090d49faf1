//! The words every part of Ieum shares: context, faults, ids, time, secrets. No input or output.
//!
//! - [`Cx`] travels with every send and carries trace, deadline, caller, tenant and idempotency key.
//! - [`Fault`] is the only error that crosses a link.
//! - [`Clock`] is the only source of time; [`Timestamp`] is wall time, [`Moment`] monotonic time.

mod clock;
mod cx;
mod describe;
mod duration;
mod fault;
mod id;
mod redact;
mod retry_after;
mod secret;
mod trace;
mod watch;

pub use clock::{Clock, ManualClock, Moment, SharedClock, SystemClock, Timestamp, system_clock, within};
pub use cx::{Caller, Cx, CxHeaders, header};
pub use describe::describe;
pub use duration::{DurationError, HumanDuration, parse_duration};
pub use fault::{Code, Fault, Problem};
pub use id::{Id, new_id};
pub use redact::redact_url;
pub use retry_after::parse_retry_after;
pub use secret::Secret;
pub use trace::{SpanId, TraceContext, TraceError, TraceId};
pub use watch::Watch;

/// A boxed future, as object-safe traits return it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;
