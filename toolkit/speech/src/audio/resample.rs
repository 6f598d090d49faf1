//! Changing the rate of samples that arrive in pieces, by a windowed sinc in phases.
//!
//! Method: J. O. Smith, Digital Audio Resampling, §"Theory of Ideal Bandlimited Interpolation"
//! (<https://ccrma.stanford.edu/~jos/resample/>), with a Blackman window.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 16.0;

/// Where the filter begins to cut, as a part of the lower rate's half.
const PASS: f64 = 0.94;

/// Changes the rate of one channel. Pieces may have any size; the result is that of one piece.
#[derive(Debug)]
pub struct Resampler {
    /// The rates' ratio in lowest terms: `up` samples out for `down` in.
    up: usize,
    down: usize,
    /// Samples on each side of a point that weigh in.
    reach: usize,
    /// For every phase the weights of `2 * reach` samples.
    weights: Vec<f32>,
    /// Samples that may still weigh in, silence before the first.
    held: Vec<f32>,
    /// The next sample out, counted in steps of `1 / up` from the first of `held` that stands at `reach - 1`.
    next: usize,
    taken: usize,
    given: usize,
}

impl Resampler {
    /// Makes a resampler between two rates in samples per second, neither zero.
    pub fn new(from: u32, to: u32) -> Self {
        let shared = greatest_common_divisor(from.max(1), to.max(1));
        let (up, down) = ((to.max(1) / shared) as usize, (from.max(1) / shared) as usize);
        let cut = PASS * (up as f64 / down as f64).min(1.0);
        let reach = (CROSSINGS / cut).ceil() as usize;
        let weights = (0..up).flat_map(|phase| phase_weights(phase as f64 / up as f64, reach, cut)).collect();
        Self { up, down, reach, weights, held: vec![0.0; reach - 1], next: 0, taken: 0, given: 0 }
    }

    /// Takes samples and returns those that can be told by now.
    pub fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        self.taken += samples.len();
        self.held.extend_from_slice(samples);
        let mut out = Vec::with_capacity(samples.len() * self.up / self.down + 1);
        loop {
            let first = self.next / self.up;
            let Some(near) = self.held.get(first..first + 2 * self.reach) else { break };
            let phase = self.next % self.up;
            let weights = &self.weights[phase * 2 * self.reach..(phase + 1) * 2 * self.reach];
            out.push(near.iter().zip(weights).map(|(sample, weight)| sample * weight).sum());
            self.next += self.down;
        }
        let done = (self.next / self.up).min(self.held.len());
        self.held.drain(..done);
        self.next -= done * self.up;
        self.given += out.len();
        out
    }

    /// Returns the last samples, with silence after the end.
    pub fn finish(mut self) -> Vec<f32> {
        let whole = (self.taken * self.up).div_ceil(self.down);
        let left = whole.saturating_sub(self.given);
        let taken = self.taken;
        let mut out = self.push(&vec![0.0; self.reach + 1]);
        self.taken = taken;
        out.truncate(left);
        out
    }
}

/// The weights of the samples from `reach - 1` before to `reach` after a point that lies `offset` past a sample.
#[allow(clippy::cast_possible_truncation, reason = "weights need no more than single precision")]
fn phase_weights(offset: f64, reach: usize, cut: f64) -> Vec<f32> {
    let before = reach as f64 - 1.0;
    let raw: Vec<f64> = (0..2 * reach)
        .map(|i| {
            let distance = i as f64 - before - offset;
            let along = distance / reach as f64;
            let window = if along.abs() >= 1.0 {
                0.0
            } else {
                0.42 + 0.5 * (PI * along).cos() + 0.08 * (2.0 * PI * along).cos()
            };
            cut * sinc(cut * distance) * window
        })
        .collect();
    // Every phase passes silence and steady values alike.
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|weight| (weight / sum) as f32).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
