//! How long to wait until a process that ended is started again.

use std::time::Duration;

use ieum_policy::{Backoff, Jitter};

/// When a process that ended is started again: later each time, and soon again once it ran well for a while. It is never
/// given up, since what it lacks may come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestartRule {
    /// The waits.
    pub backoff: Backoff,
    /// A process that answered this long ran well: its next end counts as the first.
    pub well_after: Duration,
}

/// Counts the ends in a row of one process.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    rule: RestartRule,
    in_a_row: u32,
}

impl Default for RestartRule {
    fn default() -> Self {
        let (first, most) = (Duration::from_millis(500), Duration::from_secs(30));
        Self {
            backoff: Backoff { first, factor: 2.0, most, jitter: Jitter::Equal },
            well_after: Duration::from_secs(60),
        }
    }
}

// === Restarts ===

impl Restarts {
    pub fn new(rule: RestartRule) -> Self {
        Self { rule, in_a_row: 0 }
    }

    /// Takes in an end after the process answered for `answered`, and returns how long to wait, spread by `random` in
    /// [0, 1).
    pub fn ended(&mut self, answered: Duration, random: f64) -> Duration {
        if answered >= self.rule.well_after {
            self.in_a_row = 0;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.rule.backoff.delay(self.in_a_row, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_end_to_end_up_to_a_limit_and_are_short_again_after_it_ran_well() {
        let rule = RestartRule::default();
        let backoff = Backoff { jitter: Jitter::None, ..rule.backoff };
        let mut restarts = Restarts::new(RestartRule { backoff, ..rule });
        let mut waits = |answered: u64, count: usize| -> Vec<u128> {
            let wait = |_| restarts.ended(Duration::from_secs(answered), 0.0).as_millis();
            (0..count).map(wait).collect()
        };
        assert_eq!(waits(0, 8), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(waits(59, 1), [30_000]);
        assert_eq!(waits(60, 1), [500]);
        assert_eq!(waits(3, 2), [1_000, 2_000]);
    }

    #[test]
    fn two_that_end_together_do_not_come_back_together() {
        let rule = RestartRule::default();
        let wait = |random| Restarts::new(rule).ended(Duration::ZERO, random);
        assert_eq!((wait(0.0), wait(0.5)), (Duration::from_millis(250), Duration::from_millis(375)));
    }
}
