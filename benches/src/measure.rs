//! Measures a piece of work: operations, wall time and CPU time.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::processes::cpu as cpu_of;

/// What one run of some work cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Operations done.
    pub operations: u64,
    /// Wall time.
    pub wall: Duration,
    /// User and system time of this process.
    pub cpu: Duration,
}

impl Cost {
    /// CPU microseconds per operation.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.operations as f64
    }

    /// Wall microseconds per operation.
    pub fn wall_micros(&self) -> f64 {
        self.wall.as_secs_f64() * 1e6 / self.operations as f64
    }

    /// Operations per second of wall time.
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.wall.as_secs_f64()
    }
}

/// Runs `work`, which returns how many operations it did.
pub async fn cost<F: Future<Output = u64>>(work: F) -> Cost {
    let (cpu, begun) = (cpu_of(std::process::id()), Instant::now());
    let operations = work.await;
    Cost { operations, wall: begun.elapsed(), cpu: cpu_of(std::process::id()).saturating_sub(cpu) }
}

/// The middle, lowest and highest of some figures.
pub fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    let middle = figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
    (middle, figures.first().copied().unwrap_or(f64::NAN), figures.last().copied().unwrap_or(f64::NAN))
}
