//! Runs a contract's suite directly and over every link mode that can carry it.

use std::future::Future;
use std::sync::Arc;

use ieum_core::system_clock;
use ieum_link::{Contract, Kind, Link, Routes};
use ieum_wires::modes::{Mode, open};

/// A contract under test and how to meet it.
pub struct Ways<T: ?Sized> {
    /// The contract.
    pub contract: &'static Contract,
    /// Makes a fresh answerer.
    pub answerer: fn() -> Arc<T>,
    /// Serves an answerer.
    pub routes: fn(Arc<T>) -> Routes,
    /// Meets the contract over a link.
    pub meet: fn(Link) -> Arc<T>,
}

impl<T: ?Sized> Ways<T> {
    /// Runs `suite` over every way and tells it the way's name: `direct`, or the mode's. A mode is left out only
    /// where it cannot carry the contract.
    pub async fn run<F: Future<Output = ()>>(self, suite: impl Fn(String, Arc<T>) -> F) {
        suite("direct".to_owned(), (self.answerer)()).await;
        for mode in Mode::ALL {
            if self.contract.has(Kind::Stream) && !mode.carries_streams() {
                continue;
            }
            let routes = (self.routes)((self.answerer)());
            let (link, server) = open(mode, routes, system_clock()).await.expect("has free ports");
            suite(format!("{mode:?}"), (self.meet)(link)).await;
            if let Some(server) = server {
                server.stop().await;
            }
        }
    }
}
