//! The seeded choices of a proxy and the counts of what came of them.

use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{FaultCounts, FaultPlan};

/// What happens to one request or chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) drop_before: bool,
    pub(super) drop_after: bool,
    pub(super) delay: Option<Duration>,
    pub(super) duplicate: bool,
    /// Of a duplicate, answers with the second answer instead of the first.
    pub(super) answer_second: bool,
    pub(super) reorder: bool,
}

/// Draws fates from a plan and counts.
pub(super) struct Dice {
    inner: Mutex<Inner>,
}

struct Inner {
    plan: FaultPlan,
    random: SmallRng,
    counts: FaultCounts,
}

impl Dice {
    pub(super) fn new(plan: FaultPlan) -> Self {
        let random = SmallRng::seed_from_u64(plan.seed);
        Self { inner: Mutex::new(Inner { plan, random, counts: FaultCounts::default() }) }
    }

    /// Takes another plan from the next draw on, with its seed.
    pub(super) fn change(&self, plan: FaultPlan) {
        let mut inner = self.inner.lock();
        inner.random = SmallRng::seed_from_u64(plan.seed);
        inner.plan = plan;
    }

    pub(super) fn plan(&self) -> FaultPlan {
        self.inner.lock().plan
    }

    pub(super) fn counts(&self) -> FaultCounts {
        self.inner.lock().counts
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut FaultCounts)) {
        change(&mut self.inner.lock().counts);
    }

    /// Draws one fate. Every draw takes the same number of random numbers, so that one rate does not move others.
    pub(super) fn draw(&self) -> Fate {
        let mut inner = self.inner.lock();
        let plan = inner.plan;
        let mut roll = || inner.random.random::<f64>();
        let dropped = roll() < plan.drop;
        let before = roll() < 0.5;
        let delayed = roll() < plan.delay;
        let share = roll();
        Fate {
            drop_before: dropped && before,
            drop_after: dropped && !before,
            delay: delayed.then(|| plan.delay_most.mul_f64(share)),
            duplicate: roll() < plan.duplicate,
            answer_second: roll() < 0.5,
            reorder: roll() < plan.reorder,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_draw_equal_fates() {
        let draws = |seed| {
            let dice = Dice::new(FaultPlan::rough(seed));
            (0..100).map(|_| dice.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn rates_are_met() {
        let dice = Dice::new(FaultPlan { drop: 0.3, ..FaultPlan::default() });
        let dropped =
            (0..10_000).map(|_| dice.draw()).filter(|fate| fate.drop_before || fate.drop_after).count();
        assert!((2_800..3_200).contains(&dropped), "{dropped} of 10000 were dropped at a rate of 0.3");
    }
}
