//! When a delivery is tried again: a pure state machine over explicit wall time.

use std::time::Duration;

use ieum_core::Timestamp;

use crate::answer::Verdict;

/// The waits before each attempt, in seconds, as the Standard Webhooks specification proposes them:
/// 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
const STANDARD_WAITS: [u64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The waits before each attempt and how far they may be stretched.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The wait before each attempt; the first is the wait after acceptance. Not empty.
    pub waits: Vec<Duration>,
    /// The largest share of a wait that chance adds or takes away, 0 to 1.
    pub jitter: f64,
    /// The longest `Retry-After` that is obeyed; a longer one is cut to this.
    pub longest_retry_after: Duration,
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It arrived.
    Delivered,
    /// It is tried again at this time.
    At(Timestamp),
    /// The schedule is used up.
    Exhausted,
    /// The receiver is gone for good; the endpoint is to be disabled.
    Gone,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            waits: STANDARD_WAITS.iter().map(|seconds| Duration::from_secs(*seconds)).collect(),
            jitter: 0.1,
            longest_retry_after: Duration::from_secs(24 * 3_600),
        }
    }
}

impl Schedule {
    /// Returns when the first attempt is due.
    pub fn first(&self, accepted: Timestamp) -> Timestamp {
        accepted + self.waits.first().copied().unwrap_or_default()
    }

    /// Decides what follows attempt number `attempts` (1 for the first) that ended at `now`.
    /// `random` is from 0 up to 1 and places the wait within the jitter.
    pub fn after(&self, verdict: &Verdict, attempts: u32, now: Timestamp, random: f64) -> Next {
        let floor = match verdict {
            Verdict::Delivered => return Next::Delivered,
            Verdict::Gone => return Next::Gone,
            Verdict::Throttled { retry_after } | Verdict::Failed { retry_after } => {
                retry_after.unwrap_or_default().min(self.longest_retry_after)
            }
        };
        let position = usize::try_from(attempts).unwrap_or(usize::MAX);
        match self.waits.get(position) {
            Some(wait) => Next::At(now + self.jittered(*wait, random).max(floor)),
            None => Next::Exhausted,
        }
    }

    /// Returns the whole span of the schedule without jitter.
    pub fn span(&self) -> Duration {
        self.waits.iter().sum()
    }

    fn jittered(&self, wait: Duration, random: f64) -> Duration {
        let share = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        wait.mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const FAILED: Verdict = Verdict::Failed { retry_after: None };

    #[test]
    fn the_standard_schedule_spans_three_days_and_then_gives_up() {
        let schedule = Schedule::default();
        assert_eq!(schedule.first(NOW), NOW);
        let mut now = NOW;
        for attempts in 1..10 {
            let Next::At(next) = schedule.after(&FAILED, attempts, now, 0.5) else {
                panic!("attempt {attempts} is followed by another");
            };
            now = next;
        }
        assert_eq!(now.since(NOW), schedule.span());
        assert_eq!(schedule.span(), Duration::from_secs(272_105));
        assert_eq!(schedule.after(&FAILED, 10, now, 0.5), Next::Exhausted);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let schedule = Schedule::default();
        let wait = |random| match schedule.after(&FAILED, 2, NOW, random) {
            Next::At(time) => time.since(NOW),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(0.0), Duration::from_secs(270));
        assert_eq!(wait(0.5), Duration::from_secs(300));
        assert!(wait(0.999_999) <= Duration::from_secs(330));
    }

    #[test]
    fn retry_after_is_a_floor_and_never_shortens() {
        let schedule = Schedule::default();
        let after = |seconds| {
            let verdict = Verdict::Throttled { retry_after: Some(Duration::from_secs(seconds)) };
            schedule.after(&verdict, 1, NOW, 0.5)
        };
        assert_eq!(after(120), Next::At(NOW + Duration::from_secs(120)));
        assert_eq!(after(1), Next::At(NOW + Duration::from_secs(5)));
        assert_eq!(after(u64::MAX / 2_000_000), Next::At(NOW + Duration::from_secs(86_400)), "cut");
    }

    #[test]
    fn success_and_gone_end_it() {
        let schedule = Schedule::default();
        assert_eq!(schedule.after(&Verdict::Delivered, 1, NOW, 0.5), Next::Delivered);
        assert_eq!(schedule.after(&Verdict::Gone, 1, NOW, 0.5), Next::Gone);
    }
}
