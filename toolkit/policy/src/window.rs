//! Sliding windows in ten slots: what happened during the last so-and-so long.

use std::time::Duration;

use ieum_core::Moment;

/// Slots per window: a window forgets in steps of a tenth.
const SLOTS: usize = 10;

/// What happened within a sliding window of time.
#[derive(Clone, Debug)]
pub struct Window {
    ring: Ring<Tally>,
    total: Tally,
}

/// Calls and how they went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Calls in all.
    pub calls: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that were slow, failed or not.
    pub slow: u64,
}

/// A ring of slots over time; a slot's content is handed back once it has left the window.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    slots: [T; SLOTS],
    slot_micros: u64,
    newest: u64,
}

// === Window ===

impl Window {
    /// Makes an empty window of `length` (at least ten microseconds).
    pub fn new(length: Duration) -> Self {
        Self { ring: Ring::new(length), total: Tally::default() }
    }

    /// Counts one call that ended at `now`.
    pub fn record(&mut self, failed: bool, slow: bool, now: Moment) {
        self.forget(now);
        let one = Tally { calls: 1, failures: u64::from(failed), slow: u64::from(slow) };
        self.ring.newest().add(one);
        self.total.add(one);
    }

    /// Returns what the window holds at `now`.
    pub fn total(&mut self, now: Moment) -> Tally {
        self.forget(now);
        self.total
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ring.slots = [Tally::default(); SLOTS];
        self.total = Tally::default();
    }

    fn forget(&mut self, now: Moment) {
        let total = &mut self.total;
        self.ring.advance(now, |expired| total.take(expired));
    }
}

// === Tally ===

impl Tally {
    /// Returns the share of failed calls, 0 where there were none.
    pub fn failure_rate(&self) -> f64 {
        share(self.failures, self.calls)
    }

    /// Returns the share of slow calls, 0 where there were none.
    pub fn slow_rate(&self) -> f64 {
        share(self.slow, self.calls)
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.slow += other.slow;
    }

    fn take(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

// === Ring ===

impl<T: Default + Copy> Ring<T> {
    pub(crate) fn new(length: Duration) -> Self {
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        Self { slots: [T::default(); SLOTS], slot_micros: (micros / SLOTS as u64).max(1), newest: 0 }
    }

    /// Moves on to the slot of `now`. Time that goes back changes nothing.
    pub(crate) fn advance(&mut self, now: Moment, mut expired: impl FnMut(T)) {
        let micros = u64::try_from(now.since_start().as_micros()).unwrap_or(u64::MAX);
        let slot = micros / self.slot_micros;
        if slot <= self.newest {
            return;
        }
        for step in 1..=(slot - self.newest).min(SLOTS as u64) {
            let index = Self::index(self.newest + step);
            expired(std::mem::take(&mut self.slots[index]));
        }
        self.newest = slot;
    }

    /// Returns the slot of the latest [`Ring::advance`].
    pub(crate) fn newest(&mut self) -> &mut T {
        &mut self.slots[Self::index(self.newest)]
    }

    /// Returns the slots, the oldest first.
    pub(crate) fn oldest_first(&mut self) -> impl Iterator<Item = &mut T> {
        let start = Self::index(self.newest + 1);
        let (late, early) = self.slots.split_at_mut(start);
        early.iter_mut().chain(late)
    }

    /// Returns all slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter()
    }

    fn index(slot: u64) -> usize {
        usize::try_from(slot % SLOTS as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_start(Duration::from_millis(millis))
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = Window::new(Duration::from_secs(10));
        window.record(true, false, at(500));
        window.record(false, true, at(5_500));
        assert_eq!(window.total(at(9_999)), Tally { calls: 2, failures: 1, slow: 1 });
        assert_eq!(window.total(at(10_000)), Tally { calls: 1, failures: 0, slow: 1 });
        assert_eq!(window.total(at(99_000)), Tally::default());
    }

    proptest! {
        #[test]
        fn a_window_counts_everything_of_nine_tenths_and_nothing_older_than_the_whole(
            gaps in prop::collection::vec((0_u64..4_000, any::<bool>(), any::<bool>()), 1..200),
        ) {
            let length = 10_000;
            let mut window = Window::new(Duration::from_millis(length));
            let mut events = Vec::new();
            let mut now = 0;
            for (gap, failed, slow) in gaps {
                now += gap;
                events.push((now, failed));
                window.record(failed, slow, at(now));
                let total = window.total(at(now));
                let within = |span: u64, all: bool| {
                    events.iter().filter(|(when, failed)| now - when < span && (all || *failed)).count() as u64
                };
                prop_assert!(total.calls >= within(length * 9 / 10, true) && total.calls <= within(length, true));
                prop_assert!(total.failures >= within(length * 9 / 10, false));
                prop_assert!(total.failures <= within(length, false));
            }
        }
    }
}
