//! How long to wait before a retry: exponential, capped, with jitter.

use std::time::Duration;

/// Waits that grow by `factor` from `first` up to `most`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Backoff {
    /// Wait before the first retry.
    pub first: Duration,
    /// By how much each wait is longer than the one before; below 1 counts as 1.
    pub factor: f64,
    /// The longest wait.
    pub most: Duration,
    /// How waits are spread, so that callers who failed together do not return together.
    pub jitter: Jitter,
}

/// How a wait is spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Evenly between half the wait and the wait.
    #[default]
    Equal,
    /// Evenly between nothing and the wait.
    Full,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            factor: 2.0,
            most: Duration::from_secs(1),
            jitter: Jitter::Equal,
        }
    }
}

impl Backoff {
    /// Returns the wait before retry `retry_number` (1 is the first), spread by `random` in [0, 1).
    ///
    /// The result is never above [`Backoff::most`].
    pub fn delay(&self, retry_number: u32, random: f64) -> Duration {
        let exponent = i32::try_from(retry_number.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.max(1.0).powi(exponent);
        // `min` also takes the cap where the product overflowed to infinity or NaN.
        let capped = grown.min(self.most.as_secs_f64());
        let random = random.clamp(0.0, 1.0);
        let spread = match self.jitter {
            Jitter::None => capped,
            Jitter::Equal => capped * (0.5 + random / 2.0),
            Jitter::Full => capped * random,
        };
        Duration::try_from_secs_f64(spread).unwrap_or(self.most).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
        let waits: Vec<u128> = (1..=6).map(|retry| backoff.delay(retry, 0.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_above_the_cap_nor_below_its_jitters_floor(
            first in 0_u64..10_000,
            most in 0_u64..100_000,
            factor in prop_oneof![0.0_f64..10.0, Just(f64::INFINITY), Just(f64::NAN)],
            retry in 0_u32..=u32::MAX,
            random in 0.0_f64..1.0,
        ) {
            let plain = Backoff {
                first: Duration::from_millis(first),
                factor,
                most: Duration::from_millis(most),
                jitter: Jitter::None,
            };
            let whole = plain.delay(retry, random);
            let equal = Backoff { jitter: Jitter::Equal, ..plain }.delay(retry, random);
            let full = Backoff { jitter: Jitter::Full, ..plain }.delay(retry, random);
            prop_assert!(whole <= plain.most && equal <= whole && full <= whole);
            prop_assert!(equal + Duration::from_nanos(2) >= whole / 2);
        }

        #[test]
        fn waits_never_shrink_from_retry_to_retry(factor in 0.0_f64..5.0, retry in 1_u32..60) {
            let backoff = Backoff { factor, jitter: Jitter::None, ..Backoff::default() };
            prop_assert!(backoff.delay(retry, 0.0) <= backoff.delay(retry + 1, 0.0));
        }
    }
}
