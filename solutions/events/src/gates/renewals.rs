//! Renews the states of events whose gates push: soon after scans came in, and a few times a second at most however
//! many come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Cx, Moment, SharedClock};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::collector::Collector;
use crate::driver::sleep_until;

/// The time between two renewals of an event's state.
pub const PACE: Duration = Duration::from_millis(120);

/// Events beyond this many are forgotten once they rest.
const MOST_RESTING: usize = 10_000;

/// Which events are to be renewed, and when.
pub struct Renewals {
    collector: Arc<Collector>,
    clock: SharedClock,
    book: Mutex<Book>,
    wake: Notify,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Book {
    due: BTreeMap<String, Moment>,
    last: BTreeMap<String, Moment>,
}

impl Book {
    /// Tells whether an event rested long enough to be renewed now, and notes that it is.
    fn take(&mut self, event_id: &str, now: Moment) -> bool {
        let rested = self.last.get(event_id).is_none_or(|last| *last + PACE <= now);
        if rested {
            self.due.remove(event_id);
            self.last.insert(event_id.to_owned(), now);
        }
        rested
    }

    /// Makes an event due: at once where it rests, else a while after its last renewal.
    fn ask(&mut self, event_id: &str, now: Moment) {
        let due = self.last.get(event_id).map_or(now, |last| (*last + PACE).max(now));
        self.due.entry(event_id.to_owned()).or_insert(due);
    }

    fn take_due(&mut self, now: Moment) -> Vec<String> {
        let due: Vec<String> =
            self.due.iter().filter(|(_, due)| **due <= now).map(|(event_id, _)| event_id.clone()).collect();
        if self.last.len() > MOST_RESTING {
            self.last.clear();
        }
        for event_id in &due {
            self.due.remove(event_id);
            self.last.insert(event_id.clone(), now);
        }
        due
    }
}

impl Renewals {
    /// Makes it with nothing to do.
    pub fn new(collector: Arc<Collector>, clock: SharedClock) -> Self {
        let stop = watch::Sender::new(false);
        Self { collector, clock, book: Mutex::default(), wake: Notify::new(), stop }
    }

    /// Asks for an event's state to be renewed soon.
    pub fn ask(&self, event_id: &str) {
        self.book.lock().ask(event_id, self.clock.moment());
        self.wake.notify_one();
    }

    /// Tells whether whoever asks should renew an event's state, together with what it writes: that saves a
    /// transaction, and on SQLite the wait for all those that come before it.
    pub fn take(&self, event_id: &str) -> bool {
        self.book.lock().take(event_id, self.clock.moment())
    }

    /// Returns the collector that renews.
    pub fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Renews what is due until [`Renewals::stop`].
    pub async fn run(self: Arc<Self>) {
        let mut stopped = self.stop.subscribe();
        while !*stopped.borrow() {
            let due = self.book.lock().take_due(self.clock.moment());
            for event_id in due {
                if let Err(fault) = self.collector.renew_now(&Cx::root(), &event_id).await {
                    // The next read renews it as well.
                    tracing::warn!(event_id, error = %fault, "renewing a state after scans failed");
                }
            }
            let next = self.book.lock().due.values().min().copied();
            tokio::select! {
                _ = stopped.changed() => {}
                () = self.wake.notified() => {}
                () = sleep_until(&self.clock, next) => {}
            }
        }
    }

    /// Ends [`Renewals::run`] after the renewal under way.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_scans_renew_a_state_at_once_and_then_at_its_pace() {
        let at = |millis| Moment::from_start(Duration::from_millis(millis));
        let mut book = Book::default();
        let mut renewed = 0;
        for millis in 0..1_000 {
            book.ask("expo", at(millis));
            renewed += book.take_due(at(millis)).len();
        }
        assert_eq!(renewed, 9, "at 0, 120, … 960 ms");
        assert_eq!(book.due["expo"], at(1_080), "the last scans are not forgotten");
        book.ask("fair", at(1_000));
        assert_eq!(book.take_due(at(1_000)), ["fair"], "another event does not wait");
        assert!(!book.take("expo", at(1_050)), "not yet");
        assert!(book.take("expo", at(1_100)) && book.due.is_empty(), "and then nothing is due any more");
    }
}
