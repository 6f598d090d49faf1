//! Whether a call that is slow is sent a second time beside the first, and after which wait.
//!
//! Dean, Barroso, "The Tail at Scale", CACM 2013: the wait is about the 95th percentile of what calls usually take,
//! so that few calls are sent twice and the slowest of them are beaten. gRFC A6: an answerer that pushes back
//! is not hedged, and hedges spend from the budget of retries.

use std::time::Duration;

use ieum_core::Moment;
use parking_lot::Mutex;

use crate::BreakerState;
use crate::window::Ring;

/// When a second send follows the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HedgeRule {
    /// The wait between the two.
    pub after: HedgeAfter,
    /// How long a call's length counts towards the percentile.
    pub window: Duration,
    /// Calls in the window below which a percentile says nothing and no call is hedged.
    pub minimum: u32,
}

/// The wait between the first send and the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HedgeAfter {
    /// Always the same.
    Fixed(Duration),
    /// What this many of a hundred calls stayed within lately, 1 to 99.
    Percentile(u8),
}

/// The hedge of one dependency: what its calls took lately, and whether it asked for calm.
#[derive(Debug)]
pub struct Hedge {
    rule: HedgeRule,
    inner: Mutex<Inner>,
}

/// One call, as [`Hedge::delay`] looks at it.
#[derive(Clone, Copy, Debug)]
pub struct HedgeAsk {
    /// Whether sending twice has the effect of sending once.
    pub repeatable: bool,
    /// The attempt number with which the call arrived at this layer.
    pub arrived_as: u32,
    /// When nobody waits any more.
    pub deadline: Option<Moment>,
    /// When it is sent first.
    pub now: Moment,
}

/// Why a call is not sent a second time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Sending twice might do twice.
    NotRepeatable,
    /// This is somebody's second send already.
    RepeatedAbove,
    /// The wait would end after the deadline.
    Deadline,
    /// Too few calls were seen to tell what is slow.
    TooFew,
    /// The answerer said when to come back, and that is not yet.
    PushedBack,
    /// The breaker is open, half open, or held open.
    Breaker,
}

#[derive(Debug)]
struct Inner {
    seen: Lengths,
    calm_until: Moment,
}

/// The lengths of calls within a window, in buckets each an eighth of its octave wide.
#[derive(Debug)]
struct Lengths {
    ring: Ring<Buckets>,
    total: Buckets,
}

#[derive(Clone, Copy, Debug)]
struct Buckets([u32; BUCKETS]);

/// Bits of a length in microseconds that a bucket tells apart.
const BITS: u32 = 3;
/// Lengths from 2^27 µs (134 s) on share the last bucket.
const OCTAVES: u32 = 27;
const BUCKETS: usize = ((OCTAVES - BITS + 1) << BITS) as usize;

impl Default for HedgeRule {
    fn default() -> Self {
        Self { after: HedgeAfter::Percentile(95), window: Duration::from_secs(60), minimum: 20 }
    }
}

// === Hedge ===

impl Hedge {
    /// Makes the hedge of a dependency that nobody called yet.
    pub fn new(rule: HedgeRule) -> Self {
        let seen = Lengths { ring: Ring::new(rule.window), total: Buckets::default() };
        Self { rule, inner: Mutex::new(Inner { seen, calm_until: Moment::START }) }
    }

    /// Returns the rule.
    pub const fn rule(&self) -> &HedgeRule {
        &self.rule
    }

    /// Returns how long to wait for the first send before [`Hedge::may_send`] is asked for a second.
    pub fn delay(&self, ask: &HedgeAsk) -> Result<Duration, Held> {
        if !ask.repeatable {
            return Err(Held::NotRepeatable);
        }
        if ask.arrived_as > 0 {
            return Err(Held::RepeatedAbove);
        }
        let delay = match self.rule.after {
            HedgeAfter::Fixed(delay) => delay,
            HedgeAfter::Percentile(percent) => {
                let mut inner = self.inner.lock();
                let seen = inner.seen.percentile(percent, self.rule.minimum, ask.now);
                seen.ok_or(Held::TooFew)?
            }
        };
        match ask.deadline {
            Some(deadline) if ask.now + delay >= deadline => Err(Held::Deadline),
            _ => Ok(delay),
        }
    }

    /// Tells whether a second send may go out at `now`, given what the breaker does; the budget is asked after.
    pub fn may_send(&self, breaker: Option<&BreakerState>, now: Moment) -> Result<(), Held> {
        if self.inner.lock().calm_until > now {
            return Err(Held::PushedBack);
        }
        match breaker {
            None | Some(BreakerState::Closed { .. } | BreakerState::ForcedClosed { .. }) => Ok(()),
            Some(_) => Err(Held::Breaker),
        }
    }

    /// Counts what the first send of a call took. One that was given up for the second counts with the time it had:
    /// left out, the slow ones would be missing and the percentile would sink.
    pub fn observe(&self, elapsed: Duration, now: Moment) {
        if matches!(self.rule.after, HedgeAfter::Percentile(_)) {
            self.inner.lock().seen.record(elapsed, now);
        }
    }

    /// Remembers that the answerer wants calm until `until`: nothing is sent twice before.
    pub fn push_back(&self, until: Moment) {
        let mut inner = self.inner.lock();
        inner.calm_until = inner.calm_until.max(until);
    }
}

// === Lengths ===

impl Lengths {
    fn record(&mut self, elapsed: Duration, now: Moment) {
        self.forget(now);
        let bucket = bucket_of(elapsed);
        self.ring.newest().0[bucket] += 1;
        self.total.0[bucket] += 1;
    }

    /// Returns the upper bound of the bucket that `percent` of the calls stayed within.
    fn percentile(&mut self, percent: u8, minimum: u32, now: Moment) -> Option<Duration> {
        self.forget(now);
        let calls: u64 = self.total.0.iter().map(|count| u64::from(*count)).sum();
        if calls == 0 || calls < u64::from(minimum) {
            return None;
        }
        let wanted = (calls * u64::from(percent)).div_ceil(100);
        let mut seen = 0;
        let place = self.total.0.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        place.map(upper_bound)
    }

    fn forget(&mut self, now: Moment) {
        let total = &mut self.total;
        self.ring.advance(now, |expired| {
            for (all, gone) in total.0.iter_mut().zip(expired.0) {
                *all -= gone;
            }
        });
    }
}

impl Default for Buckets {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

fn bucket_of(elapsed: Duration) -> usize {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX).clamp(1, (1 << OCTAVES) - 1);
    let octave = micros.ilog2();
    if octave < BITS {
        return usize::try_from(micros).unwrap_or(0);
    }
    let within = (micros >> (octave - BITS)) - (1 << BITS);
    (((octave - BITS + 1) << BITS) as usize) + usize::try_from(within).unwrap_or(0)
}

fn upper_bound(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    let (row, within) = (bucket >> BITS, bucket % (1 << BITS));
    Duration::from_micros(match row {
        0 => within + 1,
        _ => ((1 << BITS) + within + 1) << (row - 1),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Cause;

    fn at(millis: u64) -> Moment {
        Moment::from_start(Duration::from_millis(millis))
    }

    fn ask(now: Moment) -> HedgeAsk {
        HedgeAsk { repeatable: true, arrived_as: 0, deadline: None, now }
    }

    fn fixed(millis: u64) -> Hedge {
        let after = HedgeAfter::Fixed(Duration::from_millis(millis));
        Hedge::new(HedgeRule { after, ..HedgeRule::default() })
    }

    #[test]
    fn only_a_first_send_that_may_be_repeated_and_has_the_time_is_hedged() {
        let hedge = fixed(50);
        let usual = ask(at(0));
        assert_eq!(hedge.delay(&usual), Ok(Duration::from_millis(50)));
        assert_eq!(hedge.delay(&HedgeAsk { repeatable: false, ..usual }), Err(Held::NotRepeatable));
        assert_eq!(hedge.delay(&HedgeAsk { arrived_as: 1, ..usual }), Err(Held::RepeatedAbove));
        assert_eq!(hedge.delay(&HedgeAsk { deadline: Some(at(50)), ..usual }), Err(Held::Deadline));
        assert!(hedge.delay(&HedgeAsk { deadline: Some(at(51)), ..usual }).is_ok());
    }

    #[test]
    fn an_answerer_that_asked_for_calm_is_left_in_peace_until_then() {
        let hedge = fixed(50);
        hedge.push_back(at(2_000));
        hedge.push_back(at(1_000));
        assert_eq!(hedge.may_send(None, at(1_999)), Err(Held::PushedBack));
        assert_eq!(hedge.may_send(None, at(2_000)), Ok(()));
    }

    #[test]
    fn only_a_closed_breaker_lets_a_second_send_out() {
        let (hedge, now) = (fixed(50), at(0));
        let reason = || "by hand".to_owned();
        let closed = BreakerState::Closed { consecutive: 0, calls: 0, failures: 0, slow: 0 };
        for well in [closed, BreakerState::ForcedClosed { reason: reason() }] {
            assert_eq!(hedge.may_send(Some(&well), now), Ok(()));
        }
        let open = BreakerState::Open { cause: Cause::Probe, probes_in_ms: 1 };
        let half = BreakerState::HalfOpen { running: 1, succeeded: 0 };
        for ill in [open, half, BreakerState::HeldOpen { reason: reason() }] {
            assert_eq!(hedge.may_send(Some(&ill), now), Err(Held::Breaker), "{ill:?}");
        }
    }

    #[test]
    fn the_wait_follows_what_calls_took_lately() {
        let hedge = Hedge::new(HedgeRule::default());
        assert_eq!(hedge.delay(&ask(at(0))), Err(Held::TooFew));
        for number in 0..19 {
            hedge.observe(Duration::from_millis(10), at(number));
        }
        assert_eq!(hedge.delay(&ask(at(19))), Err(Held::TooFew), "nineteen calls say nothing yet");
        hedge.observe(Duration::from_millis(900), at(19));
        let usual = hedge.delay(&ask(at(19))).expect("is known by now").as_micros();
        assert!((10_000..=11_250).contains(&usual), "{usual} µs: one of twenty is the tail");
        for number in 0..20 {
            hedge.observe(Duration::from_millis(100), at(30_000 + number));
        }
        let slower = hedge.delay(&ask(at(61_000))).expect("is known").as_micros();
        assert!(
            (100_000..=112_500).contains(&slower),
            "{slower} µs: what is older than a minute is forgotten"
        );
        assert_eq!(hedge.delay(&ask(at(200_000))), Err(Held::TooFew));
    }

    proptest! {
        #[test]
        fn a_length_lies_within_an_eighth_below_its_buckets_bound(micros in 1_u64..(1 << 27)) {
            let bound = upper_bound(bucket_of(Duration::from_micros(micros))).as_micros();
            let micros = u128::from(micros);
            prop_assert!(bound > micros && bound <= micros + micros / 8 + 1, "{micros} µs in {bound} µs");
        }

        #[test]
        fn the_percentile_lies_where_that_share_of_calls_ended(
            mut lengths in prop::collection::vec(1_u64..10_000_000, 20..200), percent in 1_u8..=99,
        ) {
            let after = HedgeAfter::Percentile(percent);
            let hedge = Hedge::new(HedgeRule { after, ..HedgeRule::default() });
            for micros in &lengths {
                hedge.observe(Duration::from_micros(*micros), at(1));
            }
            lengths.sort_unstable();
            let place = (lengths.len() * usize::from(percent)).div_ceil(100) - 1;
            let exact = u128::from(lengths[place]);
            let told = hedge.delay(&ask(at(1))).expect("is known").as_micros();
            prop_assert!(told > exact && told <= exact + exact / 8 + 1, "{told} for {exact}");
        }
    }
}
