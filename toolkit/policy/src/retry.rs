//! Whether a failed call is sent again, and when.

use std::time::Duration;

use ieum_core::{Code, Fault, Moment};

use crate::Backoff;
use crate::reason;

/// Which failures are repeated, how often and after which waits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetryRule {
    /// Attempts in all, the first included; 0 and 1 never repeat.
    pub attempts: u32,
    /// The waits between them.
    pub backoff: Backoff,
    /// The classes of failure that are repeated.
    pub classes: Classes,
}

/// A set of fault codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classes(u32);

/// One failed attempt, as [`RetryRule::judge`] looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// What went wrong.
    pub fault: &'a Fault,
    /// How often this layer has sent the call, this attempt included.
    pub made: u32,
    /// The attempt number with which the call arrived at this layer.
    pub arrived_as: u32,
    /// Whether sending twice has the effect of sending once.
    pub repeatable: bool,
    /// When it failed.
    pub now: Moment,
    /// When nobody waits any more.
    pub deadline: Option<Moment>,
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Send again after this wait, if the budget allows.
    Retry(Duration),
    /// Hand the fault on.
    GiveUp(Stop),
}

/// Why a call is not sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Sending twice might do twice.
    NotRepeatable,
    /// A layer above repeats this call already.
    RepeatedAbove,
    /// The same request would fail the same way.
    Class,
    /// A layer below has repeated it already, or held that back.
    RepeatedBelow,
    /// A breaker is open; it says itself when to try again.
    BreakerOpen,
    /// All attempts are used up.
    Attempts,
    /// The wait would end after the deadline.
    Deadline,
}

impl Default for RetryRule {
    fn default() -> Self {
        Self { attempts: 3, backoff: Backoff::default(), classes: Classes::default() }
    }
}

impl Default for Classes {
    fn default() -> Self {
        Self::of(Code::ALL.into_iter().filter(|code| code.is_retryable()))
    }
}

impl Classes {
    /// No class at all.
    pub const NONE: Self = Self(0);

    /// Makes the set of `codes`.
    pub fn of(codes: impl IntoIterator<Item = Code>) -> Self {
        Self(codes.into_iter().fold(0, |bits, code| bits | Self::bit(code)))
    }

    /// Tells whether `code` is in the set.
    pub const fn has(self, code: Code) -> bool {
        self.0 & Self::bit(code) != 0
    }

    const fn bit(code: Code) -> u32 {
        1 << code.grpc_number()
    }
}

impl RetryRule {
    /// Tells whether a call that arrived as `arrived_as` may be sent again at all.
    pub const fn may_repeat(&self, repeatable: bool, arrived_as: u32) -> bool {
        self.attempts > 1 && repeatable && arrived_as == 0
    }

    /// Judges one failed attempt; `random` in [0, 1) spreads the wait.
    ///
    /// A fault's `retry_after` is a floor of the wait, spread upwards so that callers who were told the
    /// same time do not come back at the same instant.
    pub fn judge(&self, failure: &Failure<'_>, random: f64) -> Verdict {
        if !failure.repeatable {
            return Verdict::GiveUp(Stop::NotRepeatable);
        }
        if failure.arrived_as > 0 {
            return Verdict::GiveUp(Stop::RepeatedAbove);
        }
        if failure.fault.retried {
            return Verdict::GiveUp(Stop::RepeatedBelow);
        }
        if failure.fault.reason == reason::BREAKER_OPEN {
            return Verdict::GiveUp(Stop::BreakerOpen);
        }
        if !self.classes.has(failure.fault.code) {
            return Verdict::GiveUp(Stop::Class);
        }
        if failure.made >= self.attempts {
            return Verdict::GiveUp(Stop::Attempts);
        }
        let own = self.backoff.delay(failure.made, random);
        let wait = match failure.fault.retry_after {
            Some(floor) if floor > own => floor.saturating_add(self.backoff.first.mul_f64(random)),
            _ => own,
        };
        match failure.deadline {
            Some(deadline) if failure.now + wait >= deadline => Verdict::GiveUp(Stop::Deadline),
            _ => Verdict::Retry(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure(fault: &Fault) -> Failure<'_> {
        Failure {
            fault,
            made: 1,
            arrived_as: 0,
            repeatable: true,
            now: Moment::START,
            deadline: Some(Moment::from_start(Duration::from_secs(5))),
        }
    }

    #[test]
    fn only_classes_that_may_pass_are_repeated() {
        let rule = RetryRule::default();
        for code in Code::ALL {
            let fault = Fault::new(code, "test.reason", "asking");
            let verdict = rule.judge(&failure(&fault), 0.5);
            assert_eq!(matches!(verdict, Verdict::Retry(_)), code.is_retryable(), "{code:?}");
        }
    }

    #[test]
    fn retry_after_is_a_floor_and_beyond_the_deadline_an_end() {
        let rule = RetryRule::default();
        let later = Fault::unavailable("test.busy", "asking").with_retry_after(Duration::from_secs(2));
        assert_eq!(rule.judge(&failure(&later), 0.0), Verdict::Retry(Duration::from_secs(2)));
        let much_later = later.with_retry_after(Duration::from_secs(6));
        assert_eq!(rule.judge(&failure(&much_later), 0.0), Verdict::GiveUp(Stop::Deadline));
    }

    #[test]
    fn a_call_that_is_a_retry_already_is_not_repeated_again() {
        let rule = RetryRule::default();
        let fault = Fault::unavailable("test.down", "asking");
        let verdict = rule.judge(&Failure { arrived_as: 1, ..failure(&fault) }, 0.5);
        assert_eq!(verdict, Verdict::GiveUp(Stop::RepeatedAbove));
    }

    #[test]
    fn an_open_breaker_is_not_knocked_at() {
        let fault = Fault::unavailable(reason::BREAKER_OPEN, "calling stock");
        let verdict = RetryRule::default().judge(&failure(&fault), 0.5);
        assert_eq!(verdict, Verdict::GiveUp(Stop::BreakerOpen));
    }

    proptest! {
        #[test]
        fn what_may_not_be_repeated_never_is(
            number in 0..14_usize,
            made in 0_u32..10,
            arrived_as in 0_u32..3,
            attempts in 0_u32..10,
            random in 0.0_f64..1.0,
        ) {
            let fault = Fault::new(Code::ALL[number], "test.reason", "asking");
            let rule = RetryRule { attempts, ..RetryRule::default() };
            let judged = Failure { made, arrived_as, repeatable: false, ..failure(&fault) };
            prop_assert_eq!(rule.judge(&judged, random), Verdict::GiveUp(Stop::NotRepeatable));
            let repeatable = Failure { repeatable: true, ..judged };
            if let Verdict::Retry(_) = rule.judge(&repeatable, random) {
                prop_assert!(made < attempts && arrived_as == 0 && fault.is_retryable());
            }
        }
    }
}
