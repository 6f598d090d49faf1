//! Who looks on: keeps what went wrong, and checks that no work begins for a caller who no longer waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use ieum_bus::sim::Dice;
use ieum_core::{Cx, Moment, SharedClock};
use parking_lot::Mutex;

/// What every node shares for the test's sake alone. Cloning shares it.
#[derive(Clone)]
pub struct Witness {
    pub dice: Dice,
    pub clock: SharedClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By trace and path: the latest moment at which a server may believe that its caller still waits.
    patience: BTreeMap<(String, String), Moment>,
    problems: Vec<String>,
}

impl Witness {
    pub fn new(dice: &Dice, clock: SharedClock) -> Self {
        Self { dice: dice.clone(), clock, state: Arc::default() }
    }

    pub fn problem(&self, text: String) {
        self.dice.note("problem", &text);
        self.state.lock().problems.push(text);
    }

    pub fn problems(&self) -> Vec<String> {
        self.state.lock().problems.clone()
    }

    /// Remembers until when the answerer may work for a caller with `deadline` whose message took `delay`: a
    /// span travels, not a time, so what the way took is lost on the answerer.
    pub fn allow(&self, headers: &HeaderMap, path: &str, deadline: Moment, delay: Duration) {
        let trace = Cx::from_headers(headers, Moment::START).trace().trace_id.to_string();
        let mut state = self.state.lock();
        let patience = state.patience.entry((trace, path.to_owned())).or_default();
        *patience = (*patience).max(deadline + delay);
    }

    /// Checks, as work begins, that somebody still waits for it.
    pub fn enter(&self, cx: &Cx, path: &str) {
        let now = self.clock.moment();
        let trace = cx.trace().trace_id.to_string();
        let allowed = self.state.lock().patience.get(&(trace, path.to_owned())).copied();
        let is_within = cx
            .deadline()
            .is_some_and(|deadline| now < deadline && allowed.is_none_or(|allowed| deadline <= allowed));
        if !is_within {
            let deadline = cx.deadline();
            self.problem(format!(
                "{path} began at {now:?} with deadline {deadline:?}; its caller waited until {allowed:?}"
            ));
        }
    }
}
