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
        Self { tail, played: None, playing: false, told_until: None }
    }

    /// Notes that speech of this length is played from `now` on, or after what is being played.
    pub fn speak(&mut self, now: Moment, length: Duration) {
        let begins = self.played.map_or(now, |played| played.max(now));
        self.played = Some(begins + length);
    }

    /// Notes that whoever plays what was [handed over](Self::speak) says when it has played it all, and is waited for so long
    /// beyond the length of that: it may be slow to begin.
    pub fn waits_to_be_told(&mut self, patience: Duration) {
        self.told_until = self.played.map(|played| played + patience);
    }

    /// Notes that it is said to be played. Before its length is over nobody can have played it: that is then believed of
    /// whoever only took it.
    pub fn is_told(&mut self, now: Moment) {
        if self.told_until.take().is_some() {
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
        self.told_until = None;
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
        told.waits_to_be_told(Duration::from_secs(5));
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
            gate.waits_to_be_told(Duration::from_millis(2_000));
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
}
