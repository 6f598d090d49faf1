//! Listening within this process: models in ONNX, run by `rten`, which is Rust throughout.

mod decoder;
mod guided;
mod mel;
mod model;
mod moonshine;
mod pool;
mod whisper;
mod words;

use std::time::Duration;

pub use moonshine::Moonshine;
pub use whisper::Whisper;

/// How much a model may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalOptions {
    /// How many listen at once. Each uses every thread, so that more than one seldom pays.
    pub workers: usize,
    /// How many may wait; one more is refused.
    pub waiting: usize,
    /// Threads that calculate; 0 for as many as there are cores.
    pub threads: usize,
    /// The longest speech.
    pub longest: Duration,
}

// === LocalOptions ===

impl Default for LocalOptions {
    fn default() -> Self {
        Self { workers: 1, waiting: 8, threads: 0, longest: Duration::from_secs(30) }
    }
}
