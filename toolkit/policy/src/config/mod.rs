//! Policies as settings: what a link's table in `ieum.toml` may say, read with every mistake at once.

mod read;
mod table;

use std::time::Duration;

use crate::{Backoff, BreakerRule, BudgetRule, Classes, Gcra, HedgeAfter, HedgeRule, Jitter, RetryRule};

/// How a link's calls are guarded. Every key has a default.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyConfig {
    /// `timeout`: limit on the whole call, retries and waits included. Default 5 s.
    pub timeout: Duration,
    /// `connect`: limit on opening a connection; obeyed by the wires. Default 3 s.
    pub connect: Duration,
    /// `first_byte`: limit from the request sent to the reply's head; obeyed by the wires. Default 5 s.
    pub first_byte: Duration,
    /// `attempt`: limit on one attempt; `None` leaves each attempt the time that is left.
    pub attempt: Option<Duration>,
    /// `retry`: how repeatable calls are repeated.
    pub retry: RetryConfig,
    /// `hedge`: when a slow repeatable call is sent a second time beside the first; `None` never.
    pub hedge: Option<HedgeConfig>,
    /// `breaker`: when calls stop being sent; `None` (`"off"`) never.
    pub breaker: Option<BreakerConfig>,
    /// `bulkhead`: how many calls run at once; `None` any number.
    pub bulkhead: Option<BulkheadConfig>,
    /// `rate`: how many calls start per time; `None` any number.
    pub rate: Option<RateConfig>,
    /// `fallback`: what answers when the link does not.
    pub fallback: FallbackConfig,
}

/// `retry = { attempts = 3, first = "100ms", factor = 2, most = "1s", budget = "20%" }`.
#[derive(Clone, PartialEq, Debug)]
pub struct RetryConfig {
    /// Attempts in all, the first included; 1 never repeats. Default 3.
    pub attempts: u32,
    /// Wait before the first retry. Default 100 ms.
    pub first: Duration,
    /// By how much each wait is longer than the one before. Default 2.
    pub factor: f64,
    /// The longest wait. Default 1 s.
    pub most: Duration,
    /// Retries and second sends of [`HedgeConfig`] per hundred calls over all callers of the link. Default 20.
    pub budget: u32,
}

/// `hedge = { after = "p95", window = "60s", minimum = 20 }`, or `hedge = "p95"`, or `hedge = "150ms"`.
///
/// Of a chain of links only the last should hedge: each has a budget of its own, and one that waits learns nothing of
/// second sends below it, so two of them may send 1.4 times the calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HedgeConfig {
    /// The wait between the first send and the second. Default: the 95th percentile of what calls took lately.
    pub after: HedgeAfter,
    /// How long a call's length counts towards the percentile. Default 60 s.
    pub window: Duration,
    /// Calls in the window below which no call is hedged by a percentile. Default 20.
    pub minimum: u32,
}

/// `breaker = { consecutive = 5, failures = "50%", slow = "80% over 2s", window = "10s", minimum = 20,
/// open = "5s", probes = 3 }`.
#[derive(Clone, PartialEq, Debug)]
pub struct BreakerConfig {
    /// Failures in a row that open the breaker; `None` (`0`) does not count them. Default 5.
    pub consecutive: Option<u32>,
    /// Share of failed calls in the window that opens it, 0 to 1. Default 0.5.
    pub failures: Option<f64>,
    /// Share of slow calls in the window that opens it, 0 to 1, and from when on a call is slow.
    pub slow: Option<(f64, Duration)>,
    /// Length of the sliding window. Default 10 s.
    pub window: Duration,
    /// Calls in the window below which shares say nothing. Default 20.
    pub minimum: u32,
    /// How long the breaker stays open before it lets probes through. Default 5 s.
    pub open: Duration,
    /// Probes at once while half open; that many in a row must succeed. Default 3.
    pub probes: u32,
}

/// `bulkhead = { limit = 64, queue = 64 }`, or `bulkhead = 64` for no queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BulkheadConfig {
    /// Calls that run at once.
    pub limit: u32,
    /// Calls that wait for a place, beyond which calls are refused at once.
    pub queue: u32,
}

/// `rate = "100/s"`, or `rate = { limit = 100, per = "1s", burst = 20 }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateConfig {
    /// The limit.
    pub gcra: Gcra,
}

/// `fallback = "off" | "last-good" | "cache 30s" | { value = … } | { to = "http://…" }`.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum FallbackConfig {
    /// The fault itself.
    #[default]
    Off,
    /// The last good reply to the same query, however stale, marked with its age.
    LastGood {
        /// How many replies are remembered.
        entries: usize,
    },
    /// The last good reply to the same query while it is fresh enough.
    Cache {
        /// The greatest age.
        within: Duration,
        /// How many replies are remembered.
        entries: usize,
    },
    /// A value.
    Value(serde_json::Value),
    /// Another link, by its URL.
    To(String),
}

/// Says which keys of a policy are wrong and why, all at once.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .problems.join("; "))]
pub struct PolicyConfigError {
    /// One sentence per mistake, beginning with the key.
    pub problems: Vec<String>,
}

impl PolicyConfig {
    /// Returns the rule of the retry.
    pub fn retry_rule(&self) -> RetryRule {
        let RetryConfig { attempts, first, factor, most, .. } = self.retry;
        let backoff = Backoff { first, factor, most, jitter: Jitter::default() };
        RetryRule { attempts, backoff, classes: Classes::default() }
    }

    /// Returns the rule of the retry budget.
    pub fn budget_rule(&self) -> BudgetRule {
        BudgetRule { percent: self.retry.budget, ..BudgetRule::default() }
    }

    /// Returns the rule of the hedge; `None` where it is off.
    pub fn hedge_rule(&self) -> Option<HedgeRule> {
        self.hedge.map(|HedgeConfig { after, window, minimum }| HedgeRule { after, window, minimum })
    }

    /// Returns the rule of the breaker; `None` where it is off.
    pub fn breaker_rule(&self) -> Option<BreakerRule> {
        let breaker = self.breaker.as_ref()?;
        Some(BreakerRule {
            consecutive: breaker.consecutive,
            failure_rate: breaker.failures,
            slow_rate: breaker.slow.map(|(share, _)| share),
            slow_call: breaker.slow.map_or(Duration::MAX, |(_, span)| span),
            window: breaker.window,
            minimum_calls: breaker.minimum,
            open_for: breaker.open,
            probes: breaker.probes,
        })
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(5),
            attempt: None,
            retry: RetryConfig::default(),
            hedge: None,
            breaker: Some(BreakerConfig::default()),
            bulkhead: None,
            rate: None,
            fallback: FallbackConfig::Off,
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(100),
            factor: 2.0,
            most: Duration::from_secs(1),
            budget: 20,
        }
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        let HedgeRule { after, window, minimum } = HedgeRule::default();
        Self { after, window, minimum }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive: Some(5),
            failures: Some(0.5),
            slow: None,
            window: Duration::from_secs(10),
            minimum: 20,
            open: Duration::from_secs(5),
            probes: 3,
        }
    }
}
