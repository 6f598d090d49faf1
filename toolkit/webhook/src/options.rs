//! The settings of sending, with their defaults.

use std::time::Duration;

use ieum_policy::BreakerRule;

use crate::schedule::Schedule;

/// How webhooks are accepted and sent.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// When a delivery is tried again.
    pub schedule: Schedule,
    /// The time limit of one attempt, connecting included. The seed's: 10 s.
    pub timeout: Duration,
    /// How long a claimed delivery is withheld from other processes; well above `timeout`.
    pub lease: Duration,
    /// How often due deliveries are looked for when nothing wakes the worker.
    pub poll: Duration,
    /// The most attempts under way at once in this process.
    pub concurrency: usize,
    /// The most attempts under way at once to one endpoint, by this process.
    pub endpoint_concurrency: usize,
    /// When an endpoint is left alone for a while.
    pub breaker: BreakerRule,
    /// How long an endpoint is left alone after 429, 502, 503 or 504 without `Retry-After`.
    pub throttle: Duration,
    /// After how long without any success an endpoint is disabled.
    pub give_up_after: Duration,
    /// How long a rotated secret signs along.
    pub secret_overlap: Duration,
    /// The largest body that is sent, in bytes.
    pub max_body: usize,
    /// The most endpoints of one partner.
    pub max_endpoints: usize,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            schedule: Schedule::default(),
            timeout: Duration::from_secs(10),
            lease: Duration::from_secs(60),
            poll: Duration::from_millis(500),
            concurrency: 512,
            endpoint_concurrency: 64,
            breaker: BreakerRule::default(),
            throttle: Duration::from_secs(5),
            give_up_after: Duration::from_secs(5 * 86_400),
            secret_overlap: Duration::from_secs(86_400),
            max_body: 256 * 1_024,
            max_endpoints: 50,
            user_agent: "S-Attend-Gate-Platform/1.0".into(),
        }
    }
}
