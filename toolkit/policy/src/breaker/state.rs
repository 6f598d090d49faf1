//! What a breaker is told and what it tells: rule, outcome, refusal, state.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

/// When a breaker opens and how it closes again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BreakerRule {
    /// Failures in a row that open it; `None` does not count them.
    pub consecutive: Option<u32>,
    /// Share of failed calls in the window that opens it, 0 to 1; `None` does not look.
    pub failure_rate: Option<f64>,
    /// Share of slow calls in the window that opens it, 0 to 1; `None` does not look.
    pub slow_rate: Option<f64>,
    /// From this length on a call is slow.
    pub slow_call: Duration,
    /// Length of the sliding window.
    pub window: Duration,
    /// Calls in the window below which the shares say nothing.
    pub minimum_calls: u32,
    /// How long it stays open before it lets probes through.
    pub open_for: Duration,
    /// Probes per half-open phase; all of them must succeed. Never more than this many run at once.
    pub probes: u32,
}

/// How one call went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Whether the answerer is well; a request that was wrong is no failure of the answerer.
    pub ok: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a breaker did since it was made. What a person ordered changes no phase but by closing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerCounts {
    /// How often it opened.
    pub opened: u64,
    /// How often it began to probe.
    pub half_opened: u64,
    /// How often it closed again.
    pub closed: u64,
    /// Calls that it refused.
    pub rejected: u64,
}

/// Says why a call may not be sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Rejected {
    /// The breaker is open.
    #[error("the breaker is open because {cause}")]
    Open {
        /// What opened it.
        cause: Cause,
        /// The time until probes may pass.
        retry_after: Duration,
    },
    /// All probes of the half-open phase are under way.
    #[error("the breaker waits for its probes")]
    Probing,
    /// A person holds it open.
    #[error("the breaker is held open: {reason}")]
    Held {
        /// The person's reason.
        reason: Arc<str>,
    },
}

/// What opened a breaker.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Cause {
    /// So many failures in a row.
    Consecutive {
        /// How many.
        failures: u32,
    },
    /// So many failures among the window's calls.
    FailureRate {
        /// Failed calls.
        failures: u64,
        /// All calls.
        calls: u64,
    },
    /// So many slow calls among the window's calls.
    SlowRate {
        /// Slow calls.
        slow: u64,
        /// All calls.
        calls: u64,
    },
    /// A probe failed.
    Probe,
}

/// What a breaker does at a given moment.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "state")]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed {
        /// Failures in a row.
        consecutive: u32,
        /// Calls in the window.
        calls: u64,
        /// Failed calls in the window.
        failures: u64,
        /// Slow calls in the window.
        slow: u64,
    },
    /// No call passes.
    Open {
        /// What opened it.
        cause: Cause,
        /// Milliseconds until probes may pass.
        probes_in_ms: u64,
    },
    /// A few probes pass.
    HalfOpen {
        /// Probes under way.
        running: u32,
        /// Probes that succeeded.
        succeeded: u32,
    },
    /// A person lets no call pass.
    HeldOpen {
        /// The person's reason.
        reason: String,
    },
    /// A person lets every call pass.
    ForcedClosed {
        /// The person's reason.
        reason: String,
    },
}

impl BreakerState {
    /// Every state's name, as [`BreakerState::name`] returns them.
    pub const NAMES: [&'static str; 5] = ["closed", "open", "half-open", "held-open", "forced-closed"];

    /// Returns the state in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half-open",
            Self::HeldOpen { .. } => "held-open",
            Self::ForcedClosed { .. } => "forced-closed",
        }
    }
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self {
            consecutive: Some(5),
            failure_rate: Some(0.5),
            slow_rate: None,
            slow_call: Duration::from_secs(2),
            window: Duration::from_secs(10),
            minimum_calls: 20,
            open_for: Duration::from_secs(5),
            probes: 3,
        }
    }
}

// === Cause ===

impl Eq for Cause {}

impl std::fmt::Display for Cause {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Consecutive { failures } => write!(out, "{failures} calls in a row failed"),
            Self::FailureRate { failures, calls } => write!(out, "{failures} of {calls} calls failed"),
            Self::SlowRate { slow, calls } => write!(out, "{slow} of {calls} calls were slow"),
            Self::Probe => out.write_str("a probe failed"),
        }
    }
}
