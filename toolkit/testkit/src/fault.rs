//! Proxies that stand between a client and a server and break what passes, by a seed.
//!
//! The kernel here has no `tc netem`, so loss, delay, duplicates and reordering are made in user space.
//! [`HttpProxy`] works on whole HTTP/1.1 exchanges, [`TcpProxy`] on any byte stream.

mod dice;
mod http;
mod tcp;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use http::HttpProxy;
pub use tcp::TcpProxy;

/// What to break, and how often. Every rate is a probability from 0 (never) to 1 (always).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultPlan {
    /// How often the connection is closed without an answer: every second time before the request reaches
    /// the server, otherwise after the server has answered.
    pub drop: f64,
    /// How often something is held back for up to [`Self::delay_most`].
    pub delay: f64,
    /// The longest delay.
    pub delay_most: Duration,
    /// How often a request is sent twice. HTTP only.
    pub duplicate: f64,
    /// How often a request is held until a later one has passed, at most for [`Self::delay_most`]. HTTP only.
    pub reorder: f64,
    /// Equal seeds draw equal faults for requests that arrive in equal order.
    pub seed: u64,
}

/// What a proxy has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Requests (HTTP) or connections (TCP) that came in.
    pub arrived: u64,
    /// Requests, each copy of a duplicate for itself, or connections that reached the server.
    pub forwarded: u64,
    /// Closed before they reached the server.
    pub dropped_before: u64,
    /// Closed after the server had seen them.
    pub dropped_after: u64,
    /// Held back.
    pub delayed: u64,
    /// Sent twice.
    pub duplicated: u64,
    /// Held until a later request had passed.
    pub reordered: u64,
}

/// Why a proxy could not be started.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// The server's address is no `host:port` and no `http://host:port`.
    #[error(
        "reading the server's address {0:?}: it must be host:port or http://host:port with a numeric host"
    )]
    Upstream(String),
    /// A rate is not a probability, or is one that this proxy cannot honour.
    #[error("reading the fault plan: {0}")]
    Plan(String),
    /// No port could be opened.
    #[error("opening a port for the fault proxy")]
    Listen(#[source] io::Error),
}

impl Default for FaultPlan {
    /// Breaks nothing.
    fn default() -> Self {
        Self {
            drop: 0.0,
            delay: 0.0,
            delay_most: Duration::from_millis(50),
            duplicate: 0.0,
            reorder: 0.0,
            seed: 1,
        }
    }
}

impl FaultPlan {
    /// Does a little of everything, drawn by `seed`.
    pub fn rough(seed: u64) -> Self {
        Self { drop: 0.1, delay: 0.1, duplicate: 0.1, reorder: 0.1, seed, ..Self::default() }
    }

    fn check(&self) -> Result<(), FaultError> {
        let rates = [
            ("drop", self.drop),
            ("delay", self.delay),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
        ];
        match rates.iter().find(|(_, rate)| !(0.0..=1.0).contains(rate)) {
            Some((name, rate)) => Err(FaultError::Plan(format!("{name} is {rate} and must be from 0 to 1"))),
            None => Ok(()),
        }
    }
}

fn upstream_address(text: &str) -> Result<SocketAddr, FaultError> {
    let plain = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    plain.replace("localhost", "127.0.0.1").parse().map_err(|_| FaultError::Upstream(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_the_rate_that_is_wrong() {
        let error = FaultPlan { duplicate: 1.5, ..FaultPlan::default() }.check().expect_err("1.5 is no rate");
        assert_eq!(error.to_string(), "reading the fault plan: duplicate is 1.5 and must be from 0 to 1");
    }

    #[test]
    fn an_address_may_be_a_url() {
        assert_eq!(upstream_address("http://localhost:80/").expect("is one").to_string(), "127.0.0.1:80");
        assert!(upstream_address("somewhere").is_err());
    }
}
