//! Half duplex: while we speak, and for the room's echo after, what the microphone hears is our own voice.

use std::time::Duration;

use ieum_core::Moment;

/// Tells whether what is heard now can be somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    tail: Duration,
    /// When what was handed to the speaker has been played.
    played: Option<Moment>,
    /// A player plays, and only it knows until when.
    playing: bool,
    /// Somebody else plays and says when that has ended, or else it counts as ended then.
    told_until: Option<Moment>,
    /// How often it has still to say so.
    untold: u32,
}

// === Gate ===

impl Default for Gate {
    /// A living room is quiet again after 300 ms.
    fn default() -> Self {
        Self::new(Duration::from_millis(300))
    }
}

impl Gate {
    /// Makes a gate that stays shut for `tail` after our last word.
    pub fn new(tail: Duration) -> Self {
        Self { tail, played: None, playing: false, told_until: None, untold: 0 }
    }

    /// Notes that speech of this length is played from `now` on, or after what is being played.
    pub fn speak(&mut self, now: Moment, length: Duration) {
        let begins = self.played.map_or(now, |played| played.max(now));
        self.played = Some(begins + length);
    }

    /// Notes that whoever plays what was just [handed over](Self::speak) says when it has played that, and is waited for so
    /// long beyond the length of all that it has: it may be slow to begin.
    pub fn waits_to_be_told(&mut self, now: Moment, patience: Duration) {
        // What was not told in time never is.
        if self.told_until.is_none_or(|until| now >= until) {
            self.untold = 0;
        }
        self.untold += 1;
        self.told_until = self.played.map(|played| played + patience);
    }

    /// Notes that one thing handed over is said to be played. Only with the last of them the waiting is over. Before its
    /// length is over nobody can have played it: that is then believed of whoever only took it.
    pub fn is_told(&mut self, now: Moment) {
        self.untold = self.untold.saturating_sub(1);
        if self.untold == 0 && self.told_until.take().is_some() {
            self.played = self.played.map(|played| played.max(now));
        }
    }

    /// Notes that a player begins, which lasts until [`end`](Self::end): it may be slow to begin, and to play.
    pub fn begin(&mut self) {
        self.playing = true;
    }

    /// Notes that the player has ended.
    pub fn end(&mut self, now: Moment) {
        self.playing = false;
        self.played = Some(self.played.map_or(now, |played| played.max(now)));
    }

    /// Notes that playing was cut off, as by somebody who interrupts with a button.
    pub fn stop(&mut self, now: Moment) {
        if self.playing {
            self.end(now);
        }
        (self.told_until, self.untold) = (None, 0);
        self.played = self.played.map(|played| played.min(now));
    }

    /// Tells whether what is heard at `now` counts.
    pub fn is_open(&self, now: Moment) -> bool {
        let is_told = self.told_until.is_none_or(|until| now >= until);
        !self.playing && is_told && self.played.is_none_or(|played| now >= played + self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_start(Duration::from_millis(millis))
    }

    #[test]
    fn our_own_voice_and_its_echo_are_not_heard() {
        let mut gate = Gate::default();
        assert!(gate.is_open(at(0)));
        gate.speak(at(0), Duration::from_millis(1_000));
        // The second sentence is played after the first.
        gate.speak(at(100), Duration::from_millis(500));
        assert!(!gate.is_open(at(1_400)));
        assert!(!gate.is_open(at(1_799)), "the echo");
        assert!(gate.is_open(at(1_800)));
    }

    #[test]
    fn a_player_is_waited_for_however_long_it_takes() {
        let mut gate = Gate::default();
        gate.begin();
        assert!(!gate.is_open(at(600_000)));
        gate.end(at(600_000));
        assert!(!gate.is_open(at(600_299)), "the echo");
        assert!(gate.is_open(at(600_300)));
    }

    #[test]
    fn who_interrupts_is_heard_after_the_echo() {
        let (mut handed, mut told, mut playing) = (Gate::default(), Gate::default(), Gate::default());
        for gate in [&mut handed, &mut told] {
            gate.speak(at(0), Duration::from_secs(60));
        }
        told.waits_to_be_told(at(0), Duration::from_secs(5));
        playing.begin();
        for mut gate in [handed, told, playing] {
            gate.stop(at(500));
            assert!(!gate.is_open(at(700)));
            assert!(gate.is_open(at(800)));
        }
    }

    #[test]
    fn whoever_says_when_it_has_played_is_waited_for_within_a_bound() {
        let spoken = || {
            let mut gate = Gate::default();
            gate.speak(at(0), Duration::from_millis(1_000));
            gate.waits_to_be_told(at(0), Duration::from_millis(2_000));
            gate
        };
        let mut late = spoken();
        assert!(!late.is_open(at(1_300)), "it may be slow to begin");
        late.is_told(at(1_700));
        assert!(!late.is_open(at(1_999)) && late.is_open(at(2_000)), "the echo");
        let mut early = spoken();
        early.is_told(at(100));
        assert!(!early.is_open(at(1_299)) && early.is_open(at(1_300)), "nobody plays faster than it lasts");
        let never = spoken();
        assert!(!never.is_open(at(2_999)) && never.is_open(at(3_000)), "it may have died");
        let mut unasked = Gate::default();
        unasked.is_told(at(100));
        assert!(unasked.is_open(at(100)), "such as a sound of its own");
    }

    #[test]
    fn what_is_handed_over_together_is_waited_for_until_the_last_of_it_is_told() {
        let patience = Duration::from_millis(2_000);
        let spoken = || {
            let mut gate = Gate::default();
            for length in [1_000, 500] {
                gate.speak(at(0), Duration::from_millis(length));
                gate.waits_to_be_told(at(0), patience);
            }
            gate
        };
        let mut slow = spoken();
        slow.is_told(at(1_700));
        assert!(!slow.is_open(at(2_100)), "the second sounds still");
        slow.is_told(at(2_200));
        assert!(!slow.is_open(at(2_499)) && slow.is_open(at(2_500)), "the echo");
        let mut never = spoken();
        never.is_told(at(1_000));
        assert!(!never.is_open(at(3_499)) && never.is_open(at(3_500)), "it may have died within the second");
        // What was never told is not waited for again with what comes later.
        never.speak(at(10_000), Duration::from_millis(1_000));
        never.waits_to_be_told(at(10_000), patience);
        never.is_told(at(11_100));
        assert!(!never.is_open(at(11_399)) && never.is_open(at(11_400)));
        let mut stopped = spoken();
        stopped.stop(at(200));
        stopped.speak(at(1_000), Duration::from_millis(500));
        stopped.waits_to_be_told(at(1_000), patience);
        stopped.is_told(at(1_600));
        assert!(!stopped.is_open(at(1_899)) && stopped.is_open(at(1_900)));
    }
}
