//! What the policies of a dependency counted: calls by outcome, refusals, fallbacks, latency.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ieum_core::{Code, Fault, Moment, SharedClock};
use serde::Serialize;

use crate::{FallbackKind, Origin};

/// Upper bounds of the latency histogram's buckets in seconds: a local call to one that waits out every limit.
pub const LATENCY_BOUNDS: [f64; 14] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Calls by length, since the start.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Calls within each of [`LATENCY_BOUNDS`], not cumulative; the last number counts those beyond.
    pub buckets: [u64; LATENCY_BOUNDS.len() + 1],
    /// All lengths together, seconds.
    pub sum_seconds: f64,
}

/// Calls that were refused without being sent, by who refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejections {
    /// By the breaker. Each refused attempt counts.
    pub breaker: u64,
    /// By the bulkhead.
    pub bulkhead: u64,
    /// By the rate limit.
    pub rate: u64,
}

/// The counters of one dependency. A count costs one relaxed addition.
#[derive(Default)]
pub(crate) struct Meter {
    calls: AtomicU64,
    in_flight: AtomicU64,
    /// Success first, then the faults by gRPC number.
    outcomes: [AtomicU64; OUTCOMES],
    fallbacks: [AtomicU64; FALLBACKS.len()],
    bulkhead: AtomicU64,
    rate: AtomicU64,
    well: Histogram,
    failed: Histogram,
}

/// One call under way; dropped before its end, it counts as cancelled.
pub(crate) struct Measured<'a> {
    meter: &'a Meter,
    clock: &'a SharedClock,
    began: Moment,
    ended: bool,
}

#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

/// gRPC's numbers run to 16; 0 is success.
const OUTCOMES: usize = 17;
const FALLBACKS: [&str; 4] = ["value", "cache", "last-good", "other-link"];

// === Meter ===

impl Meter {
    /// Counts a call that begins at `began`.
    pub(crate) fn begin<'a>(&'a self, clock: &'a SharedClock, began: Moment) -> Measured<'a> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Measured { meter: self, clock, began, ended: false }
    }

    /// Counts an answer of a fallback.
    pub(crate) fn stood_in(&self, origin: &Origin) {
        let Origin::Fallback(kind) = origin else { return };
        let place = match kind {
            FallbackKind::Value => 0,
            FallbackKind::Cache => 1,
            FallbackKind::LastGood { .. } => 2,
            FallbackKind::OtherLink => 3,
        };
        self.fallbacks[place].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused_by_bulkhead(&self) {
        self.bulkhead.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused_by_rate(&self) {
        self.rate.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the refusals; the breaker counts its own.
    pub(crate) fn rejections(&self, breaker: u64) -> Rejections {
        let (bulkhead, rate) = (&self.bulkhead, &self.rate);
        Rejections { breaker, bulkhead: bulkhead.load(Ordering::Relaxed), rate: rate.load(Ordering::Relaxed) }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Returns the ended calls by outcome: `ok`, or the fault's code.
    pub(crate) fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        let count = |number: usize| self.outcomes[number].load(Ordering::Relaxed);
        let faults = Code::ALL.into_iter().map(|code| (code.name(), count(place(code))));
        [("ok", count(0))].into_iter().chain(faults).collect()
    }

    /// Returns the answers of fallbacks by kind.
    pub(crate) fn fallbacks(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.fallbacks.iter().map(|count| count.load(Ordering::Relaxed));
        FALLBACKS.into_iter().zip(counts).collect()
    }

    /// Returns the lengths of calls that succeeded, and of those that ended in a fault.
    pub(crate) fn latencies(&self) -> (Latency, Latency) {
        (self.well.read(), self.failed.read())
    }
}

fn place(code: Code) -> usize {
    usize::try_from(code.grpc_number()).unwrap_or(0).min(OUTCOMES - 1)
}

// === Measured ===

impl Measured<'_> {
    /// Counts how the call ended.
    pub(crate) fn end<T>(mut self, result: &Result<T, Fault>) {
        self.ended = true;
        let elapsed = self.clock.moment().since(self.began);
        let (outcome, histogram) = match result {
            Ok(_) => (0, &self.meter.well),
            Err(fault) => (place(fault.code), &self.meter.failed),
        };
        self.meter.outcomes[outcome].fetch_add(1, Ordering::Relaxed);
        histogram.record(elapsed);
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        self.meter.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.ended {
            self.meter.outcomes[place(Code::Cancelled)].fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === Histogram ===

impl Histogram {
    fn record(&self, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let bucket = LATENCY_BOUNDS.iter().position(|bound| seconds <= *bound);
        self.buckets[bucket.unwrap_or(LATENCY_BOUNDS.len())].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    fn read(&self) -> Latency {
        let sum = Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed));
        Latency {
            buckets: std::array::from_fn(|i| self.buckets[i].load(Ordering::Relaxed)),
            sum_seconds: sum.as_secs_f64(),
        }
    }
}

// === Latency ===

impl Latency {
    /// Returns how many calls were measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns the bound below which `share` (0 to 1) of the calls stayed, seconds; `None` where there were
    /// none, or where the bound is beyond the last bucket.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = self.count() as f64 * share;
        let mut seen = 0;
        for (bound, count) in LATENCY_BOUNDS.iter().zip(self.buckets) {
            seen += count;
            if seen > 0 && seen as f64 >= wanted {
                return Some(*bound);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::{Clock, ManualClock};

    use super::*;

    #[test]
    fn a_call_is_counted_by_its_outcome_and_a_dropped_one_as_cancelled() {
        let (meter, clock) = (Meter::default(), ManualClock::default());
        let shared = clock.shared();
        let begin = || meter.begin(&shared, clock.moment());
        let (well, failed, dropped) = (begin(), begin(), begin());
        assert_eq!((meter.calls(), meter.in_flight()), (3, 3));
        clock.advance(Duration::from_millis(3));
        well.end(&Ok(()));
        failed.end::<()>(&Err(Fault::unavailable("test.down", "asking")));
        drop(dropped);
        let outcomes = meter.outcomes();
        assert_eq!((outcomes["ok"], outcomes["unavailable"], outcomes["cancelled"]), (1, 1, 1));
        assert_eq!((outcomes.values().sum::<u64>(), meter.in_flight()), (3, 0));
        let (well, failed) = meter.latencies();
        assert_eq!((well.count(), failed.count()), (1, 1), "what was dropped has no length");
        assert_eq!(well.quantile(0.95), Some(0.005));
        assert!((well.sum_seconds - 0.003).abs() < 1e-9);
    }

    #[test]
    fn a_length_beyond_every_bound_is_counted_and_has_no_bound() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_secs(60));
        assert_eq!(histogram.read().buckets[LATENCY_BOUNDS.len()], 1);
        assert_eq!(histogram.read().quantile(0.5), None);
        assert_eq!(Latency::default().quantile(0.5), None);
    }
}
