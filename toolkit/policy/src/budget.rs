//! The retry budget: retries of one dependency may only be a share of its calls, over all callers.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::Moment;
use parking_lot::Mutex;

use crate::window::Ring;

/// How large the budget is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BudgetRule {
    /// Retries per hundred calls.
    pub percent: u32,
    /// Retries per second that are free. 0 by default: with a floor, a failing upstream that is hardly
    /// called gets a multiple of its normal load.
    pub per_second: u32,
    /// How long a call counts. Beyond it only [`BudgetRule::kept`] retries are still there.
    pub window: Duration,
    /// Retries that are there before the first call, repaid out of the first calls' share: a fresh
    /// process can repeat, and from `100 × kept / percent` calls on retries are at most `percent` of calls.
    pub kept: u32,
}

/// The retry budget of one dependency.
///
/// Without a free floor, after any number of calls `n`: retries ≤ max(`kept`, `percent` × n / 100). So an
/// upstream that always fails gets at most 1.2 times its normal load with the default of 20 %. Second sends beside a
/// slow first one are retries here too. Clones share one purse.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    rule: BudgetRule,
    purse: Arc<Mutex<Purse>>,
}

/// Money is counted in hundredths of a retry.
#[derive(Debug)]
struct Purse {
    earned: Ring<u64>,
    kept: u64,
    debt: u64,
    free: u64,
    free_since: Moment,
}

const ONE_RETRY: u64 = 100;

impl Default for BudgetRule {
    fn default() -> Self {
        Self { percent: 20, per_second: 0, window: Duration::from_secs(10), kept: 3 }
    }
}

impl RetryBudget {
    /// Makes a budget that holds [`BudgetRule::kept`] retries.
    pub fn new(rule: BudgetRule) -> Self {
        let kept = if rule.percent == 0 { 0 } else { u64::from(rule.kept) * ONE_RETRY };
        let purse = Purse {
            earned: Ring::new(rule.window),
            kept,
            debt: kept,
            free: u64::from(rule.per_second) * ONE_RETRY,
            free_since: Moment::START,
        };
        Self { rule, purse: Arc::new(Mutex::new(purse)) }
    }

    /// Counts one call, not a retry.
    pub fn deposit(&self, now: Moment) {
        let mut purse = self.purse.lock();
        purse.settle(&self.rule, now);
        let share = u64::from(self.rule.percent);
        let repaid = share.min(purse.debt);
        purse.debt -= repaid;
        *purse.earned.newest() += share - repaid;
    }

    /// Takes one retry out, or returns `false` where the budget has none.
    pub fn withdraw(&self, now: Moment) -> bool {
        let mut purse = self.purse.lock();
        purse.settle(&self.rule, now);
        if purse.free >= ONE_RETRY {
            purse.free -= ONE_RETRY;
            return true;
        }
        if purse.own() < ONE_RETRY {
            return false;
        }
        let mut left = ONE_RETRY;
        for slot in purse.earned.oldest_first() {
            let taken = left.min(*slot);
            *slot -= taken;
            left -= taken;
        }
        purse.kept -= left;
        true
    }

    /// Returns how many retries the budget holds at `now`.
    pub fn level(&self, now: Moment) -> u64 {
        let mut purse = self.purse.lock();
        purse.settle(&self.rule, now);
        purse.own() / ONE_RETRY + purse.free / ONE_RETRY
    }

    /// Returns the rule.
    pub const fn rule(&self) -> &BudgetRule {
        &self.rule
    }
}

impl Purse {
    fn own(&self) -> u64 {
        self.earned.iter().sum::<u64>() + self.kept
    }

    /// Lets what left the window go, but for what is kept, and lets the free floor grow.
    fn settle(&mut self, rule: &BudgetRule, now: Moment) {
        let most_kept = u64::from(rule.kept) * ONE_RETRY;
        let kept = &mut self.kept;
        self.earned.advance(now, |expired| *kept = (*kept + expired).min(most_kept));
        if rule.per_second > 0 {
            let per_second = u64::from(rule.per_second) * ONE_RETRY;
            let millis = u64::try_from(now.since(self.free_since).as_millis()).unwrap_or(u64::MAX);
            let grown = per_second.saturating_mul(millis) / 1_000;
            if grown > 0 {
                self.free = self.free.saturating_add(grown).min(per_second);
                self.free_since = now;
            }
        }
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
    fn a_fresh_budget_lends_a_few_retries_and_takes_them_back() {
        let budget = RetryBudget::new(BudgetRule::default());
        assert_eq!((0..9).filter(|_| budget.withdraw(at(0))).count(), 3);
        for _ in 0..15 {
            budget.deposit(at(0));
            assert!(!budget.withdraw(at(0)), "the first fifteen calls repay the loan");
        }
        for _ in 0..5 {
            budget.deposit(at(0));
        }
        assert!(budget.withdraw(at(0)));
        assert!(!budget.withdraw(at(0)));
    }

    #[test]
    fn a_long_calm_leaves_only_what_is_kept() {
        let budget = RetryBudget::new(BudgetRule::default());
        for _ in 0..1_000 {
            budget.deposit(at(0));
        }
        assert_eq!(budget.level(at(0)), 200);
        assert_eq!(budget.level(at(60_000)), 3);
    }

    #[test]
    fn a_free_floor_is_given_per_second_where_somebody_asks_for_it() {
        let budget =
            RetryBudget::new(BudgetRule { percent: 0, per_second: 10, kept: 0, ..BudgetRule::default() });
        assert_eq!((0..99).filter(|_| budget.withdraw(at(0))).count(), 10);
        assert_eq!((0..99).filter(|_| budget.withdraw(at(500))).count(), 5);
    }

    #[test]
    fn no_share_means_no_retry() {
        let budget = RetryBudget::new(BudgetRule { percent: 0, ..BudgetRule::default() });
        budget.deposit(at(0));
        assert!(!budget.withdraw(at(0)));
    }

    proptest! {
        #[test]
        fn retries_never_exceed_their_share_of_the_calls(
            percent in 0_u32..=100,
            steps in prop::collection::vec((0_u64..3_000, 0_usize..30, 0_usize..10), 1..150),
        ) {
            let rule = BudgetRule { percent, ..BudgetRule::default() };
            let budget = RetryBudget::new(rule);
            let (mut now, mut calls, mut retries) = (0, 0_u64, 0_u64);
            for (gap, deposits, withdrawals) in steps {
                now += gap;
                for _ in 0..deposits {
                    budget.deposit(at(now));
                    calls += 1;
                }
                for _ in 0..withdrawals {
                    retries += u64::from(budget.withdraw(at(now)));
                }
                prop_assert!(retries <= (calls * u64::from(percent) / 100).max(u64::from(rule.kept)));
            }
        }
    }
}
