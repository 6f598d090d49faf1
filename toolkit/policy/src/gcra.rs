//! Rate limit as one number: the generic cell rate algorithm (ITU-T I.371), pure, so that a shared store
//! can keep the number.

use std::time::Duration;

/// A rate limit of `rate` per `per`, of which `burst` may come at once.
///
/// Over any window `w` at most `burst + w × rate / per` pass. The state is one number, the *theoretical
/// arrival* in microseconds on whatever clock the caller uses; 0 stands for "nothing came yet".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gcra {
    rate: u32,
    per: Duration,
    burst: u32,
    interval: i64,
    tolerance: i64,
}

/// What the limit says to one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Whether the request may pass.
    pub allowed: bool,
    /// The number to keep, in microseconds. Unchanged where the request may not pass.
    pub new_arrival: i64,
    /// How many more may come at once right now.
    pub remaining: u32,
    /// The time until the full burst is there again.
    pub reset_after: Duration,
    /// The time until one request may pass; zero where this one did.
    pub retry_after: Duration,
}

/// Says why numbers make no rate limit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GcraError {
    /// Nothing would ever pass.
    #[error("a rate limit of {rate} with a burst of {burst} lets nothing pass; both must be at least 1")]
    Nothing {
        /// The rate asked for.
        rate: u32,
        /// The burst asked for.
        burst: u32,
    },
    /// The time between two requests is below the algorithm's step of one microsecond, or overflows.
    #[error("a rate of {rate} per {per:?} leaves less than a microsecond or more than a century between two")]
    Interval {
        /// The rate asked for.
        rate: u32,
        /// The span asked for.
        per: Duration,
    },
}

/// A century in microseconds: keeps every sum of the algorithm far from overflow.
const LONGEST: u128 = 100 * 366 * 86_400 * 1_000_000;

impl Gcra {
    /// Makes a limit of `rate` per `per` with bursts of `burst`.
    ///
    /// The time between two is rounded up to whole microseconds, so the limit is never above what was asked
    /// (and within 1 % of it up to 10,000 a second). Fails where the numbers let nothing pass or the time
    /// between two requests is no microsecond.
    pub fn new(rate: u32, per: Duration, burst: u32) -> Result<Self, GcraError> {
        if rate == 0 || burst == 0 {
            return Err(GcraError::Nothing { rate, burst });
        }
        let wrong = GcraError::Interval { rate, per };
        let exact = per.as_micros();
        if exact < u128::from(rate) {
            return Err(wrong);
        }
        let interval = exact.div_ceil(u128::from(rate));
        let tolerance = interval.checked_mul(u128::from(burst)).filter(|span| *span <= LONGEST);
        match (i64::try_from(interval), tolerance.and_then(|span| i64::try_from(span).ok())) {
            (Ok(interval), Some(tolerance)) => Ok(Self { rate, per, burst, interval, tolerance }),
            _ => Err(wrong),
        }
    }

    /// Returns how many pass per [`Gcra::per`] in the long run.
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// Returns the span of [`Gcra::rate`].
    pub const fn per(&self) -> Duration {
        self.per
    }

    /// Returns how many may come at once.
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Returns the time between two requests at the limit, in microseconds.
    pub const fn interval_micros(&self) -> i64 {
        self.interval
    }

    /// Returns how far ahead of now the theoretical arrival may run, in microseconds: `burst` intervals.
    pub const fn tolerance_micros(&self) -> i64 {
        self.tolerance
    }

    /// Decides on one request at `now`, both in microseconds on one clock.
    ///
    /// A clock that went back costs nothing and grants nothing: an arrival kept from the future is cut to
    /// at most a full tolerance ahead.
    pub fn check(&self, theoretical_arrival: i64, now: i64) -> Decision {
        let kept = theoretical_arrival.clamp(now, now.saturating_add(self.tolerance));
        let next = kept.saturating_add(self.interval);
        let allowed = next - now <= self.tolerance;
        let new_arrival = if allowed { next } else { kept };
        let ahead = new_arrival - now;
        let free = (self.tolerance - ahead) / self.interval;
        let wait = if allowed { 0 } else { next - now - self.tolerance };
        Decision {
            allowed,
            new_arrival,
            remaining: u32::try_from(free).unwrap_or(0),
            reset_after: micros(ahead),
            retry_after: micros(wait),
        }
    }
}

fn micros(count: i64) -> Duration {
    Duration::from_micros(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_per_interval() {
        let limit = Gcra::new(10, Duration::from_secs(1), 3).expect("is a limit");
        let mut arrival = 0;
        for remaining in [2, 1, 0] {
            let decision = limit.check(arrival, 0);
            assert!(decision.allowed);
            assert_eq!(decision.remaining, remaining);
            arrival = decision.new_arrival;
        }
        let refused = limit.check(arrival, 40_000);
        assert!(!refused.allowed);
        assert_eq!(refused.new_arrival, arrival, "a refusal costs nothing");
        assert_eq!(refused.retry_after, Duration::from_millis(60));
        assert_eq!(refused.reset_after, Duration::from_millis(260));
        assert!(limit.check(arrival, 100_000).allowed);
    }

    #[test]
    fn numbers_that_make_no_limit_are_refused() {
        assert!(matches!(Gcra::new(0, Duration::from_secs(1), 1), Err(GcraError::Nothing { .. })));
        assert!(matches!(Gcra::new(1, Duration::from_secs(1), 0), Err(GcraError::Nothing { .. })));
        assert!(matches!(Gcra::new(9, Duration::from_micros(1), 1), Err(GcraError::Interval { .. })));
        assert!(matches!(Gcra::new(1, Duration::MAX, 1), Err(GcraError::Interval { .. })));
    }

    proptest! {
        #[test]
        fn no_window_lets_more_than_burst_plus_rate_through(
            rate in 1_u32..500,
            per_millis in 500_u64..5_000,
            burst in 1_u32..40,
            gaps in prop::collection::vec(0_i64..30_000, 1..300),
        ) {
            let per = Duration::from_millis(per_millis);
            let limit = Gcra::new(rate, per, burst).expect("is a limit");
            let (mut arrival, mut now) = (0, 0);
            let mut passed = Vec::new();
            for gap in gaps {
                now += gap;
                let decision = limit.check(arrival, now);
                arrival = decision.new_arrival;
                if decision.allowed {
                    passed.push(now);
                } else {
                    let again = limit.check(arrival, now + i64::try_from(decision.retry_after.as_micros()).expect("fits"));
                    prop_assert!(again.allowed, "retry_after must be enough");
                }
            }
            for (first, from) in passed.iter().enumerate() {
                for (count, until) in passed[first..].iter().enumerate() {
                    let window = (until - from) as f64 / 1e6;
                    let most = f64::from(burst) + window * f64::from(rate) / per.as_secs_f64();
                    prop_assert!((count + 1) as f64 <= most + 1e-9);
                }
            }
        }
    }
}
