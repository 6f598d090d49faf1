//! Reasons of the faults that policies raise; programs match on them.

/// The limit on the whole call passed.
pub const TIMEOUT: &str = "link.timeout";
/// The limit on one attempt passed.
pub const ATTEMPT_TIMEOUT: &str = "link.attempt_timeout";
/// The caller's own deadline passed.
pub const DEADLINE: &str = "link.deadline";
/// The breaker lets nothing through.
pub const BREAKER_OPEN: &str = "link.breaker_open";
/// All places and the queue for them are taken.
pub const BULKHEAD_FULL: &str = "link.bulkhead_full";
/// More calls came than the rate limit allows.
pub const RATE_LIMITED: &str = "link.rate_limited";
