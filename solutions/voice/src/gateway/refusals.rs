//! How often a device is told that what it says is wrong: each time, within a rate, so that a broken one costs nothing.

use std::collections::HashMap;
use std::time::Duration;

use ieum_core::Timestamp;
use ieum_policy::Gcra;
use parking_lot::Mutex;

/// How many refusals a device is told at once.
const BURST: u32 = 20;
/// How many it is told after those, in so long.
const RATE: u32 = 10;
const PER: Duration = Duration::from_secs(60);
/// From so many devices on those are forgotten that said nothing wrong lately.
const MANY: usize = 1_000;

/// Who was told how often.
pub struct Refusals {
    limit: Option<Gcra>,
    /// By device, see [`Gcra`].
    told: Mutex<HashMap<String, i64>>,
}

impl Default for Refusals {
    fn default() -> Self {
        // The numbers above are a limit.
        Self { limit: Gcra::new(RATE, PER, BURST).ok(), told: Mutex::default() }
    }
}

impl Refusals {
    /// Tells whether a device is told once more at `now`; counts it where that is so.
    pub fn may_tell(&self, device: &str, now: Timestamp) -> bool {
        let (Some(limit), now) = (&self.limit, now.as_micros()) else { return true };
        let mut told = self.told.lock();
        let decision = limit.check(told.get(device).copied().unwrap_or_default(), now);
        if decision.allowed {
            if told.len() >= MANY {
                told.retain(|_, arrival| *arrival > now);
            }
            told.insert(device.to_owned(), decision.new_arrival);
        }
        decision.allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_says_nothing_right_is_told_so_within_a_rate_and_holds_up_no_other() {
        let (refusals, now) = (Refusals::default(), Timestamp::from_seconds(1_800_000_000));
        let told = |device: &str, now| (0..1_000).filter(|_| refusals.may_tell(device, now)).count();
        assert_eq!((told("kitchen", now), told("bath", now)), (20, 20));
        assert_eq!(told("kitchen", now + PER), 10);
        assert_eq!(told("kitchen", now + 3 * PER), 20);
        for device in 0..MANY {
            refusals.may_tell(&device.to_string(), now + 4 * PER);
        }
        refusals.may_tell("last", now + 10 * PER);
        assert_eq!(refusals.told.lock().len(), 1, "who said nothing wrong lately is forgotten");
    }
}
