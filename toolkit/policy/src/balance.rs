//! Choosing an instance: the lighter of two at random, by latency and calls under way.

use std::time::Duration;

use ieum_core::Moment;

/// Picks the index of the less loaded of two different instances chosen by `first` and `second`, both
/// random in [0, 1); `None` where there is none (Mitzenmacher, "The Power of Two Choices", 2001).
pub fn pick_two(loads: &[f64], first: f64, second: f64) -> Option<usize> {
    match loads.len() {
        0 => None,
        1 => Some(0),
        count => {
            let one = index(first, count);
            // The second is drawn among the others, so the two always differ.
            let other = (one + 1 + index(second, count - 1)) % count;
            Some(if loads[other] < loads[one] { other } else { one })
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn index(random: f64, count: usize) -> usize {
    ((random.clamp(0.0, 1.0) * count as f64) as usize).min(count - 1)
}

/// One instance's load: its latency (a moving average that jumps up at once and sinks slowly) times the
/// calls under way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PeakEwma {
    decay: Duration,
    latency_seconds: f64,
    updated: Moment,
    running: u32,
}

impl PeakEwma {
    /// Begins with `latency` as guess, forgotten over about `decay`.
    pub fn new(latency: Duration, decay: Duration, now: Moment) -> Self {
        Self { decay, latency_seconds: latency.as_secs_f64(), updated: now, running: 0 }
    }

    /// Counts a call as under way.
    pub fn begin(&mut self) {
        self.running = self.running.saturating_add(1);
    }

    /// Counts a call as ended at `now` after `elapsed`; `None` (it was dropped) tells nothing of latency.
    pub fn end(&mut self, elapsed: Option<Duration>, now: Moment) {
        self.running = self.running.saturating_sub(1);
        let Some(elapsed) = elapsed.map(|span| span.as_secs_f64()) else { return };
        if elapsed >= self.latency_seconds {
            self.latency_seconds = elapsed;
        } else {
            let weight = self.weight(now);
            self.latency_seconds = self.latency_seconds * weight + elapsed * (1.0 - weight);
        }
        self.updated = now;
    }

    /// Returns the load at `now`: seconds of work that a further call would stand behind. An instance
    /// that is not called loses its bad name over the decay time.
    pub fn load(&self, now: Moment) -> f64 {
        self.latency_seconds * self.weight(now) * f64::from(self.running + 1)
    }

    /// Returns how many calls are under way.
    pub const fn running(&self) -> u32 {
        self.running
    }

    fn weight(&self, now: Moment) -> f64 {
        let decay = self.decay.as_secs_f64().max(1e-6);
        (-now.since(self.updated).as_secs_f64() / decay).exp()
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
    fn a_slow_answer_counts_at_once_and_is_forgotten_with_time() {
        let mut load = PeakEwma::new(Duration::from_millis(10), Duration::from_secs(10), at(0));
        load.begin();
        assert_eq!(load.running(), 1);
        load.end(Some(Duration::from_secs(1)), at(1_000));
        assert!((load.load(at(1_000)) - 1.0).abs() < 1e-9);
        assert!(load.load(at(31_000)) < 0.1);
    }

    proptest! {
        #[test]
        fn the_heavier_of_the_two_is_never_picked_and_the_heaviest_of_all_only_if_equal(
            loads in prop::collection::vec(0.0_f64..100.0, 2..20),
            first in 0.0_f64..1.0,
            second in 0.0_f64..1.0,
        ) {
            let picked = pick_two(&loads, first, second).expect("there are some");
            let heaviest = loads.iter().copied().fold(0.0, f64::max);
            let at_top = loads.iter().filter(|load| **load == heaviest).count();
            prop_assert!(loads[picked] < heaviest || at_top > 1);
        }
    }

    #[test]
    fn few_instances_are_no_trouble() {
        assert_eq!(pick_two(&[], 0.5, 0.5), None);
        assert_eq!(pick_two(&[9.0], 0.9, 0.9), Some(0));
        assert_eq!(pick_two(&[9.0, 1.0], 0.0, 0.999), Some(1));
    }
}
