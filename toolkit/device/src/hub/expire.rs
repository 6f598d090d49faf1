//! What is due: wills after their delay, sessions nobody came back to, kept messages past their time.

use std::time::Duration;

use ieum_core::Timestamp;

use super::Hub;
use crate::journal::Change;
use crate::router::SessionKey;

/// How often kept messages are looked through.
const SWEEP: Duration = Duration::from_secs(60);

impl Hub {
    /// Notes when something is due for a session without a connection.
    pub(super) fn schedule(&mut self, key: SessionKey) {
        let Some(session) = self.session(key) else { return };
        let due = session.will_at().into_iter().chain(session.ends_at()).min();
        if let Some(at) = due {
            self.due.insert((at, key));
        }
    }

    /// Does what is due at `now` and returns when to look again.
    pub fn tick(&mut self, now: Timestamp) -> Timestamp {
        while let Some((at, key)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, key));
            let Some(session) = self.session(key).filter(|session| session.link.is_none()) else { continue };
            if session.ends_at().is_some_and(|end| end <= now) {
                self.end(key, now);
            } else {
                self.publish_due_will(key, now);
                self.schedule(key);
            }
        }
        if now.since(self.swept_at) >= SWEEP {
            self.swept_at = now;
            for topic in self.retained.expire(now) {
                self.journal.note(Change::Forgotten(topic));
            }
        }
        let sweep = self.swept_at + SWEEP;
        self.due.first().map_or(sweep, |(at, _)| sweep.min(*at))
    }

    /// Publishes a session's will where its time has come.
    pub(super) fn publish_due_will(&mut self, key: SessionKey, now: Timestamp) {
        let Some(session) = self.session(key) else { return };
        if session.will_at().is_none_or(|at| at > now) {
            return;
        }
        if let Some(will) = session.will.take() {
            self.publish_will(&will, now);
            self.note_session(key);
        }
    }
}
