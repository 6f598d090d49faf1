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
        Self { tail, played: None, playing: false }
    }

    /// Notes that speech of this length is played from `now` on, or after what is being played.
    pub fn speak(&mut self, now: Moment, length: Duration) {
        let begins = self.played.map_or(now, |played| played.max(now));
        self.played = Some(begins + length);
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
        self.played = self.played.map(|played| played.min(now));
    }

    /// Tells whether what is heard at `now` counts.
    pub fn is_open(&self, now: Moment) -> bool {
        !self.playing && self.played.is_none_or(|played| now >= played + self.tail)
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
        let mut gate = Gate::default();
        gate.speak(at(0), Duration::from_secs(60));
        gate.stop(at(500));
        assert!(!gate.is_open(at(700)));
        assert!(gate.is_open(at(800)));
    }
}
