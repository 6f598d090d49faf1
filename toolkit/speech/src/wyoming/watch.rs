//! How a satellite fares, for whoever asks: served or not, why not, and since when.

use std::sync::Arc;

use ieum_core::Timestamp;
use parking_lot::Mutex;

/// Tells how a satellite fares. Clones look at the same one.
#[derive(Clone, Debug)]
pub struct SatelliteWatch(Arc<Mutex<Fares>>);

#[derive(Debug)]
struct Fares {
    problem: Option<String>,
    since: Option<Timestamp>,
}

impl Default for SatelliteWatch {
    fn default() -> Self {
        let problem = Some("it was never reached yet".to_owned());
        Self(Arc::new(Mutex::new(Fares { problem, since: None })))
    }
}

impl SatelliteWatch {
    /// Returns why the satellite is not served, and what to do; `None` while it is.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().problem.clone()
    }

    /// Returns since when it is served, or is not any more; `None` where it never was.
    pub fn since(&self) -> Option<Timestamp> {
        self.0.lock().since
    }

    /// Tells that it is served from `now` on, or is not, and why.
    pub(super) fn tell(&self, problem: Option<String>, now: Timestamp) {
        let mut fares = self.0.lock();
        if fares.problem.is_some() != problem.is_some() {
            fares.since = Some(now);
        }
        fares.problem = problem;
    }
}
