//! How something outside fares, for whoever asks: reached or not, why not, and since when.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Timestamp;

/// Tells how one thing outside fares: an outside broker, a satellite. Clones look at the same one.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Mutex<Fares>>);

#[derive(Debug)]
struct Fares {
    problem: Option<String>,
    since: Option<Timestamp>,
}

impl Default for Watch {
    /// Looks at what was never reached yet.
    fn default() -> Self {
        let problem = Some("it was never reached yet".to_owned());
        Self(Arc::new(Mutex::new(Fares { problem, since: None })))
    }
}

impl Watch {
    /// Returns why it is not reached, and what to do; `None` while it is.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().problem.clone()
    }

    /// Returns since when it is reached, or is not any more; `None` where it never was.
    pub fn since(&self) -> Option<Timestamp> {
        self.0.lock().since
    }

    /// Tells that it is reached from `now` on, or is not, and why. Another reason for the same state is no new state.
    pub fn tell(&self, problem: Option<String>, now: Timestamp) {
        let mut fares = self.0.lock();
        if fares.problem.is_some() != problem.is_some() {
            fares.since = Some(now);
        }
        fares.problem = problem;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_when_the_state_came_and_not_when_its_reason_changed() {
        let at = |seconds: i64| Timestamp::from_seconds(seconds);
        let watch = Watch::default();
        watch.tell(Some("refused".to_owned()), at(1));
        assert_eq!((watch.problem().as_deref(), watch.since()), (Some("refused"), None), "never reached");
        let told = watch.clone();
        told.tell(None, at(2));
        told.tell(None, at(3));
        assert_eq!((watch.problem(), watch.since()), (None, Some(at(2))));
        told.tell(Some("cut".to_owned()), at(4));
        told.tell(Some("refused".to_owned()), at(5));
        assert_eq!((watch.problem().as_deref(), watch.since()), (Some("refused"), Some(at(4))));
    }
}
