//! Measures a piece of work: operations, wall time and CPU time.

use std::future::Future;
use std::time::{Duration, Instant};

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
    let (cpu, begun) = (process_cpu(), Instant::now());
    let operations = work.await;
    Cost { operations, wall: begun.elapsed(), cpu: process_cpu().saturating_sub(cpu) }
}

/// User and system time of this process so far, from `/proc/self/stat` (fields 14 and 15, in clock ticks).
fn process_cpu() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let Ok(text) = std::fs::read_to_string("/proc/self/stat") else { return Duration::ZERO };
    // The second field is the program's name in brackets and may hold spaces.
    let after_name = text.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<u64> = after_name.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    let ticks = fields.get(11).copied().unwrap_or(0) + fields.get(12).copied().unwrap_or(0);
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// The middle, lowest and highest of some figures.
pub fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    let middle = figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN);
    (middle, figures.first().copied().unwrap_or(f64::NAN), figures.last().copied().unwrap_or(f64::NAN))
}

/// Prints one ratio with its spread.
pub fn print_ratio(what: &str, ratios: Vec<f64>) {
    let (middle, lowest, highest) = spread(ratios);
    println!("{what}: {middle:.3} (lowest {lowest:.3}, highest {highest:.3})");
}
