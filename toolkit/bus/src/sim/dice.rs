//! The one source of chance in a simulated world. Whatever it decides goes into the run's digest.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::trace::Trace;

/// Decides by a seed and keeps the digest. Cloning shares it.
#[derive(Clone)]
pub struct Dice {
    state: Arc<Mutex<State>>,
}

struct State {
    random: SmallRng,
    trace: Trace,
}

impl Dice {
    /// Makes the dice of `seed`.
    pub fn new(seed: u64) -> Self {
        let random = SmallRng::seed_from_u64(seed);
        Self { state: Arc::new(Mutex::new(State { random, trace: Trace::default() })) }
    }

    /// Keeps this many of the last steps in words from now on; see [`Dice::last_steps`].
    pub fn record(&self, wanted: usize) {
        self.state.lock().trace.record(wanted);
    }

    /// Returns `true` with this probability, from 0 to 1.
    pub fn chance(&self, probability: f64) -> bool {
        let mut state = self.state.lock();
        let yes = state.random.random_bool(probability);
        state.trace.decide(u64::from(yes));
        yes
    }

    /// Returns a number within `range`, which must not be empty.
    pub fn within(&self, range: Range<u64>) -> u64 {
        let mut state = self.state.lock();
        let number = state.random.random_range(range);
        state.trace.decide(number);
        number
    }

    /// Returns an index below `count`, which must not be 0.
    pub fn index(&self, count: usize) -> usize {
        let mut state = self.state.lock();
        let number = state.random.random_range(0..count);
        state.trace.decide(number as u64);
        number
    }

    /// Returns a number from 0 up to 1.
    pub fn fraction(&self) -> f64 {
        let mut state = self.state.lock();
        let number: f64 = state.random.random();
        state.trace.decide(number.to_bits());
        number
    }

    /// Adds a step to the digest. Random ids in `text` count by the order in which they appear.
    pub fn note(&self, what: &'static str, text: &str) {
        self.state.lock().trace.note(what, text);
    }

    /// Returns the digest of all steps so far.
    pub fn digest(&self) -> u64 {
        self.state.lock().trace.digest()
    }

    /// Returns how many steps there were.
    pub fn steps(&self) -> u64 {
        self.state.lock().trace.steps()
    }

    /// Returns the last steps in words, where [`Dice::record`] was called before them.
    pub fn last_steps(&self) -> Vec<String> {
        self.state.lock().trace.last_steps()
    }
}
