//! Lanes that cannot be sent to now, and when they are tried again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use ieum_core::Moment;

/// The wait before a lane without room is tried again, and the longest of them.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The wait before a person is looked for again whose devices may be others by then.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// The lanes that are held.
#[derive(Default)]
pub struct Held {
    lanes: HashMap<String, Hold>,
    due: HashSet<String>,
    /// When lanes are tried again by themselves.
    later: BTreeSet<(Moment, String)>,
    /// Lanes that wait for other devices than their own.
    following: HashSet<String>,
}

#[derive(Default)]
struct Hold {
    again: Option<Moment>,
    wait: Duration,
    /// Whoever comes makes no difference.
    is_shut: bool,
    /// Whose coming is waited for besides that of the lane's own device.
    devices: Vec<String>,
}

impl Held {
    /// Tells whether a lane is held.
    pub fn has(&self, lane: &str) -> bool {
        self.lanes.contains_key(lane)
    }

    /// Holds a lane until its device comes to listen.
    pub fn until_it_comes(&mut self, lane: &str) {
        self.fresh(lane).wait = Duration::ZERO;
    }

    /// Holds a person's lane until one of `devices` comes to listen. They are asked for again after a while.
    pub fn until_one_comes(&mut self, lane: &str, devices: Vec<String>, now: Moment) {
        let hold = self.fresh(lane);
        hold.wait = Duration::ZERO;
        hold.devices = devices;
        self.following.insert(lane.to_owned());
        self.again(lane, now + LOOK_AGAIN);
    }

    /// Holds a lane and tries it again by itself, later each time.
    pub fn for_a_while(&mut self, lane: &str, now: Moment) {
        let hold = self.fresh(lane);
        hold.is_shut = true;
        hold.wait = (hold.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        let again = now + hold.wait;
        self.again(lane, again);
    }

    /// Holds a lane until its own device or one of `devices` comes to listen, and tries it by itself, later each time.
    pub fn until_one_comes_or_later(&mut self, lane: &str, devices: Vec<String>, now: Moment) {
        let hold = self.fresh(lane);
        hold.wait = (hold.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        hold.devices = devices;
        let again = now + hold.wait;
        self.following.insert(lane.to_owned());
        self.again(lane, again);
    }

    /// Holds a lane whose rows are under way until [`Held::now`] is called. They are looked at again after a while.
    pub fn while_under_way(&mut self, lane: &str, now: Moment) {
        self.fresh(lane).is_shut = true;
        self.again(lane, now + LOOK_AGAIN);
    }

    /// Holds a lane until [`Held::now`] is called.
    pub fn until_told(&mut self, lane: &str) {
        self.fresh(lane).is_shut = true;
    }

    /// Has a lane tried at once, where it is held.
    pub fn now(&mut self, lane: &str) {
        if self.has(lane) {
            self.fresh(lane);
            self.due.insert(lane.to_owned());
        }
    }

    /// Notes a lane that an earlier process held, to be tried.
    pub fn remember(&mut self, lane: String) {
        self.lanes.entry(lane.clone()).or_default();
        self.due.insert(lane);
    }

    fn fresh(&mut self, lane: &str) -> &mut Hold {
        self.due.remove(lane);
        self.following.remove(lane);
        let hold = self.lanes.entry(lane.to_owned()).or_default();
        if let Some(again) = hold.again.take() {
            self.later.remove(&(again, lane.to_owned()));
        }
        hold.is_shut = false;
        hold.devices.clear();
        hold
    }

    fn again(&mut self, lane: &str, at: Moment) {
        if let Some(hold) = self.lanes.get_mut(lane) {
            hold.again = Some(at);
            self.later.insert((at, lane.to_owned()));
        }
    }

    /// Notes that somebody came to listen in a lane, or as a device that one waits for.
    pub fn came(&mut self, lane: &str) {
        let is_named = |other: &&String| {
            self.lanes.get(*other).is_some_and(|hold| hold.devices.iter().any(|device| device == lane))
        };
        let mut lanes: Vec<String> = self.following.iter().filter(is_named).cloned().collect();
        lanes.extend(self.lanes.get(lane).filter(|hold| !hold.is_shut).map(|_| lane.to_owned()));
        for lane in lanes {
            self.now(&lane);
        }
    }

    /// Has every lane tried that waits for somebody to come.
    pub fn all_came(&mut self) {
        let waiting = self.lanes.iter().filter(|(_, hold)| !hold.is_shut);
        self.due.extend(waiting.map(|(lane, _)| lane.clone()));
    }

    /// Returns up to `most` lanes that are to be tried at `now`. They stay so until something becomes of them.
    pub fn due(&mut self, now: Moment, most: usize) -> Vec<String> {
        while let Some((_, lane)) = self.later.first().filter(|(again, _)| *again <= now).cloned() {
            self.now(&lane);
        }
        self.due.iter().take(most).cloned().collect()
    }

    /// Tells whether a lane is to be tried now.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Returns when a lane is tried again by itself.
    pub fn next(&self) -> Option<Moment> {
        self.later.first().map(|(again, _)| *again)
    }

    /// Nothing waits in a lane any more.
    pub fn let_go(&mut self, lane: &str) {
        self.fresh(lane);
        self.lanes.remove(lane);
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::{Clock, ManualClock, Timestamp};

    use super::*;

    #[test]
    fn a_lane_is_tried_when_somebody_comes_or_after_a_growing_wait() {
        let clock = ManualClock::at(Timestamp::from_seconds(0));
        let mut held = Held::default();
        held.until_it_comes("kitchen");
        held.until_one_comes("person/ada", vec!["bath".to_owned()], clock.moment());
        assert!(held.due(clock.moment(), 9).is_empty());
        held.came("bath");
        assert_eq!(held.due(clock.moment(), 9), ["person/ada"]);
        assert_eq!(held.due(clock.moment(), 9), ["person/ada"], "until something becomes of it");
        held.let_go("person/ada");
        held.for_a_while("kitchen", clock.moment());
        held.came("kitchen");
        assert!(held.due(clock.moment(), 9).is_empty(), "it has no room, whoever comes");
        for seconds in [1, 2, 4] {
            clock.advance(Duration::from_millis(seconds * 1_000 - 1));
            assert!(held.due(clock.moment(), 9).is_empty(), "{seconds}");
            clock.advance(Duration::from_millis(1));
            assert_eq!(held.due(clock.moment(), 9), ["kitchen"]);
            held.for_a_while("kitchen", clock.moment());
        }
        assert!(held.has("kitchen") && !held.has("person/ada"));
        held.until_one_comes_or_later("kitchen", vec!["bath".to_owned()], clock.moment());
        held.came("bath");
        assert_eq!(held.due(clock.moment(), 9), ["kitchen"], "somebody came");
        held.until_one_comes_or_later("kitchen", Vec::new(), clock.moment());
        clock.advance(LONGEST_WAIT);
        assert_eq!(held.due(clock.moment(), 9), ["kitchen"], "nobody did");
        held.while_under_way("kitchen", clock.moment());
        held.came("kitchen");
        assert!(!held.has_due() && held.next().is_some());
        held.until_told("kitchen");
        held.all_came();
        assert!(!held.has_due() && held.next().is_none());
        held.now("kitchen");
        assert!(held.has_due());
    }
}
