//! Time behind a trait, so that policies and delivery run under a clock that a test turns by hand.

use std::collections::BinaryHeap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::{Add, Sub};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::oneshot;

use crate::BoxFuture;

/// The only source of time: wall time, monotonic time and sleeping.
pub trait Clock: Send + Sync + 'static {
    /// Returns the wall time. It may jump when the machine's clock is set.
    fn now(&self) -> Timestamp;
    /// Returns monotonic time since this clock began. It never goes back.
    fn moment(&self) -> Moment;
    /// Completes once `moment()` has reached `until`.
    fn sleep_until(&self, until: Moment) -> BoxFuture<'static, ()>;
    /// Completes after `span` of monotonic time.
    fn sleep(&self, span: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.moment() + span)
    }
}

/// A clock handed to many owners.
pub type SharedClock = Arc<dyn Clock>;

/// Returns the machine's clock.
pub fn system_clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// Runs `work` until `end`; `None` where it was cut off, and dropped. A timer is made only once the work waits.
pub async fn within<F: Future>(clock: &SharedClock, end: Moment, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut alarm: Option<BoxFuture<'static, ()>> = None;
    poll_fn(|task| {
        if let Poll::Ready(output) = work.as_mut().poll(task) {
            return Poll::Ready(Some(output));
        }
        let alarm = alarm.get_or_insert_with(|| clock.sleep_until(end));
        alarm.as_mut().poll(task).map(|()| None)
    })
    .await
}

/// Wall time in microseconds since the Unix epoch, written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Monotonic time since a clock began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Moment(Duration);

/// The machine's clock, on tokio's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A clock that stands still until it is advanced. For tests and simulations.
#[derive(Clone, Default)]
pub struct ManualClock {
    state: Arc<Mutex<ManualState>>,
}

#[derive(Default)]
struct ManualState {
    wall: Timestamp,
    moment: Moment,
    sleepers: BinaryHeap<Sleeper>,
    next_sleeper: u64,
}

struct Sleeper {
    until: Moment,
    number: u64,
    wake: oneshot::Sender<()>,
}

// === Timestamp ===

impl Timestamp {
    /// Makes a timestamp from microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Makes a timestamp from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Makes a timestamp from seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Returns seconds since the Unix epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Reads an RFC 3339 time with any offset, such as `2026-05-01T10:00:00+09:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let parsed: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self(parsed.as_microsecond()))
    }

    /// Returns the time that passed since `earlier`, or zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_micros)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(out, "{time:.3}"),
            Err(_) => write!(out, "@{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Timestamp {}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no RFC 3339 time")))
    }
}

// === Moment ===

impl Moment {
    /// The moment a clock began.
    pub const START: Self = Self(Duration::ZERO);

    /// Makes a moment from the time since its clock began.
    pub const fn from_start(span: Duration) -> Self {
        Self(span)
    }

    /// Returns the time since the clock began.
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// Returns the time that passed since `earlier`, or zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }
}

// === SystemClock ===

#[allow(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
fn process_start() -> std::time::Instant {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    *START.get_or_init(std::time::Instant::now)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |span| i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    fn moment(&self) -> Moment {
        Moment(process_start().elapsed())
    }

    fn sleep_until(&self, until: Moment) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Re-read after waking: tokio's timer has millisecond steps and may wake a little early.
            #[allow(clippy::disallowed_methods, reason = "the one place that sleeps on the real timer")]
            loop {
                let left = until.0.saturating_sub(process_start().elapsed());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left).await;
            }
        })
    }
}

// === ManualClock ===

impl ManualClock {
    /// Makes a clock that stands at `wall`.
    pub fn at(wall: Timestamp) -> Self {
        let clock = Self::default();
        clock.state.lock().wall = wall;
        clock
    }

    /// Moves both times on by `span` and wakes who slept until then, the earliest first.
    pub fn advance(&self, span: Duration) {
        let mut state = self.state.lock();
        state.wall = state.wall + span;
        state.moment = state.moment + span;
        let now = state.moment;
        while state.sleepers.peek().is_some_and(|sleeper| sleeper.until <= now) {
            if let Some(sleeper) = state.sleepers.pop() {
                // A dropped receiver means that the sleep was cancelled.
                let _ = sleeper.wake.send(());
            }
        }
    }

    /// Sets the wall time alone, as an administrator or NTP would.
    pub fn set_wall(&self, wall: Timestamp) {
        self.state.lock().wall = wall;
    }

    /// Returns the earliest moment somebody waits for.
    pub fn next_wake(&self) -> Option<Moment> {
        let mut state = self.state.lock();
        while state.sleepers.peek().is_some_and(|sleeper| sleeper.wake.is_closed()) {
            state.sleepers.pop();
        }
        state.sleepers.peek().map(|sleeper| sleeper.until)
    }

    /// Returns this clock as parts take it.
    pub fn shared(&self) -> SharedClock {
        Arc::new(self.clone())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state.lock().wall
    }

    fn moment(&self) -> Moment {
        self.state.lock().moment
    }

    fn sleep_until(&self, until: Moment) -> BoxFuture<'static, ()> {
        let mut state = self.state.lock();
        if until <= state.moment {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let number = state.next_sleeper;
        state.next_sleeper += 1;
        state.sleepers.push(Sleeper { until, number, wake });
        Box::pin(async move {
            let _ = woken.await;
        })
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Reversed: the heap keeps the greatest on top and the earliest must wake first.
        (other.until, other.number).cmp(&(self.until, self.number))
    }
}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sleeper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_any_offset_and_writes_utc() {
        let time = Timestamp::parse("2026-05-01T10:00:00.123456+09:00").expect("is RFC 3339");
        assert_eq!(time.to_string(), "2026-05-01T01:00:00.123Z");
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_the_earliest_sleeper_first() {
        let clock = ManualClock::default();
        let late = clock.sleep(Duration::from_secs(2));
        let early = clock.sleep(Duration::from_secs(1));
        assert_eq!(clock.next_wake(), Some(Moment::from_start(Duration::from_secs(1))));
        clock.advance(Duration::from_secs(1));
        early.await;
        assert_eq!(clock.next_wake(), Some(Moment::from_start(Duration::from_secs(2))));
        clock.advance(Duration::from_secs(1));
        late.await;
    }
}
