//! Rate limits of keys and addresses, and the headers that tell them.

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use ieum_core::{HumanDuration, Timestamp};
use ieum_policy::{Decision, Gcra, GcraError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::keys::DayLeft;

/// draft-ietf-httpapi-ratelimit-headers-10 §3: what the limit is.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The same draft, §4: what is left of it.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// A rate limit as settings and keys write it: `limit` per `per`, `burst` at once. In any window `w` at
/// most `burst + w × limit / per` pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// How many requests per span.
    pub limit: u32,
    /// The span.
    pub per: HumanDuration,
    /// How many may come at once.
    pub burst: u32,
}

/// A rate ready to decide, with its header.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub gcra: Gcra,
    name: &'static str,
    policy: HeaderValue,
}

/// Limits kept in this process: for failed keys, and in place of a cache that cannot be reached.
pub(crate) struct LocalLimits {
    arrivals: Mutex<HashMap<String, i64>>,
}

/// Most addresses or keys that one process remembers. A flood of new ones forgets the rest.
const MOST_ARRIVALS: usize = 50_000;

// === Rate ===

impl Rate {
    /// Makes a limit of `limit` per minute that may come all at once.
    pub const fn per_minute(limit: u32) -> Self {
        Self { limit, per: HumanDuration(Duration::from_secs(60)), burst: limit }
    }

    pub(crate) fn gcra(&self) -> Result<Gcra, GcraError> {
        Gcra::new(self.limit, self.per.0, self.burst)
    }
}

// === Limit ===

impl Limit {
    /// Makes the limit `name` (of a tier). Fails where the numbers let nothing pass.
    pub fn new(name: &'static str, rate: Rate) -> Result<Self, GcraError> {
        let gcra = rate.gcra()?;
        let text = format!("\"{name}\";q={};w={}", rate.limit, rate.per.0.as_secs().max(1));
        let policy = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""));
        Ok(Self { gcra, name, policy })
    }

    /// Writes what the limit is and what is left of it, and when to come back; of the limit and the key's day
    /// that of which less is left.
    pub fn write_headers(&self, decision: &Decision, day: Option<&DayLeft>, headers: &mut HeaderMap) {
        let left = decision.remaining;
        let state = format!("\"{}\";r={left};t={}", self.name, whole_seconds(decision.reset_after));
        if let Some(day) = day {
            let policy =
                format!("{}, \"day\";q={};w=86400", self.policy.to_str().unwrap_or_default(), day.quota);
            headers.extend(HeaderValue::from_str(&policy).ok().map(|value| (RATE_LIMIT_POLICY, value)));
            if day.left < left || !day.allowed {
                let ends = whole_seconds(day.resets_in);
                let state = format!("\"day\";r={};t={ends}", day.left);
                headers.extend(HeaderValue::from_str(&state).ok().map(|value| (RATE_LIMIT, value)));
                if !day.allowed {
                    headers.insert(header::RETRY_AFTER, ends.max(1).into());
                }
                return;
            }
        } else {
            headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        }
        headers.extend(HeaderValue::from_str(&state).ok().map(|value| (RATE_LIMIT, value)));
        if !decision.allowed {
            headers.insert(header::RETRY_AFTER, whole_seconds(decision.retry_after).max(1).into());
        }
    }
}

/// Rounds up: who comes back a moment early is refused again.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

// === LocalLimits ===

impl LocalLimits {
    pub fn new() -> Self {
        Self { arrivals: Mutex::default() }
    }

    /// Decides on one request and counts it.
    pub fn check(&self, key: &str, limit: &Gcra, now: Timestamp) -> Decision {
        let mut arrivals = self.arrivals.lock();
        let now = now.as_micros();
        if arrivals.len() >= MOST_ARRIVALS && !arrivals.contains_key(key) {
            arrivals.retain(|_, arrival| *arrival > now);
            if arrivals.len() >= MOST_ARRIVALS {
                arrivals.clear();
            }
        }
        let decision = limit.check(arrivals.get(key).copied().unwrap_or(0), now);
        arrivals.insert(key.to_owned(), decision.new_arrival);
        decision
    }

    /// Decides without counting.
    pub fn look(&self, key: &str, limit: &Gcra, now: Timestamp) -> Decision {
        let arrival = self.arrivals.lock().get(key).copied().unwrap_or(0);
        limit.check(arrival, now.as_micros())
    }
}
