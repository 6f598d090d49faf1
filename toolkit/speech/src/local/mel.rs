//! The picture of sound that Whisper looks at: how loud each of 80 bands of pitch is, a hundred times a second.
//!
//! Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", §2.2, and its
//! `log_mel_spectrogram`; the bands are those of Slaney's Auditory Toolbox, which librosa draws by default.

use std::f64::consts::PI;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::RATE;

/// Bands of pitch.
pub const BANDS: usize = 80;

const WINDOW: usize = 400;
const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;
const QUIETEST: f32 = 1e-10;

/// Draws pictures.
pub struct Mel {
    window: Vec<f32>,
    /// For each band its first bin and the weights from there on.
    bands: Vec<(usize, Vec<f32>)>,
    transform: Arc<dyn Fft<f32>>,
}

// === Mel ===

impl Mel {
    #[allow(clippy::cast_possible_truncation, reason = "weights need no more than single precision")]
    pub fn new() -> Self {
        let hann = |i: usize| 0.5 - 0.5 * (2.0 * PI * i as f64 / WINDOW as f64).cos();
        Self {
            window: (0..WINDOW).map(|i| hann(i) as f32).collect(),
            bands: bands(),
            transform: FftPlanner::new().plan_fft_forward(WINDOW),
        }
    }

    /// Returns the picture of `samples` at 16 kHz, followed by silence up to `frames` columns: row after row, a band
    /// each.
    pub fn draw(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let mut picture = vec![QUIETEST.log10(); BANDS * frames];
        let mut frame = vec![Complex::new(0.0_f32, 0.0); WINDOW];
        let mut scratch = vec![Complex::new(0.0_f32, 0.0); self.transform.get_inplace_scratch_len()];
        // What lies after the samples is silence, whose column is known.
        let spoken = (samples.len() / HOP + 2).min(frames);
        for column in 0..spoken {
            for (i, slot) in frame.iter_mut().enumerate() {
                let sample = mirrored(samples, column * HOP + i);
                *slot = Complex::new(sample * self.window[i], 0.0);
            }
            self.transform.process_with_scratch(&mut frame, &mut scratch);
            for (band, (first, weights)) in self.bands.iter().enumerate() {
                let bins = &frame[*first..*first + weights.len()];
                let power: f32 = bins.iter().zip(weights).map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                picture[band * frames + column] = power.max(QUIETEST).log10();
            }
        }
        let loudest = picture.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for value in &mut picture {
            *value = (value.max(loudest - 8.0) + 4.0) / 4.0;
        }
        picture
    }
}

/// The sample at `place` of a signal that is led in by its own mirror image of half a window, and ends in silence.
fn mirrored(samples: &[f32], place: usize) -> f32 {
    let half = WINDOW / 2;
    let index = place.abs_diff(half);
    samples.get(index).copied().unwrap_or(0.0)
}

/// Triangles over the bins, equally wide in mel, each of area one.
#[allow(clippy::cast_possible_truncation, reason = "weights need no more than single precision")]
fn bands() -> Vec<(usize, Vec<f32>)> {
    let highest = mel(f64::from(RATE) / 2.0);
    let edges: Vec<f64> = (0..BANDS + 2).map(|i| hertz(highest * i as f64 / (BANDS + 1) as f64)).collect();
    let bin_width = f64::from(RATE) / WINDOW as f64;
    let band = |i: usize| {
        let (low, middle, high) = (edges[i], edges[i + 1], edges[i + 2]);
        let weight = |bin: usize| {
            let at = bin as f64 * bin_width;
            let slope = ((at - low) / (middle - low)).min((high - at) / (high - middle));
            (slope.max(0.0) * 2.0 / (high - low)) as f32
        };
        let first = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        let last = (0..BINS).rev().find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        (first, (first..=last).map(weight).collect())
    };
    (0..BANDS).map(band).collect()
}

/// Below 1 kHz mel is even, above it grows by the logarithm.
const EVEN_HERTZ: f64 = 200.0 / 3.0;
const KNEE: f64 = 1_000.0;

fn step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel(hertz: f64) -> f64 {
    if hertz < KNEE { hertz / EVEN_HERTZ } else { KNEE / EVEN_HERTZ + (hertz / KNEE).ln() / step() }
}

fn hertz(mel: f64) -> f64 {
    let knee = KNEE / EVEN_HERTZ;
    if mel < knee { mel * EVEN_HERTZ } else { KNEE * ((mel - knee) * step()).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_are_those_that_librosa_draws() {
        // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80): first row, bin 1, and the row of 1 kHz.
        let bands = bands();
        assert_eq!(bands[0].0, 1);
        assert!((bands[0].1[0] - 0.024_862_6).abs() < 1e-5, "{}", bands[0].1[0]);
        let widest = bands.iter().map(|(_, weights)| weights.len()).max();
        assert!(widest.is_some_and(|width| width < 20), "{widest:?}");
        assert!((mel(hertz(42.0)) - 42.0).abs() < 1e-9);
    }

    #[test]
    fn a_tone_is_bright_in_its_band_and_silence_is_even() {
        let tone: Vec<f32> =
            (0..16_000).map(|i| (2.0 * PI * 1_000.0 * f64::from(i) / 16_000.0).sin() as f32).collect();
        let picture = Mel::new().draw(&tone, 120);
        let column: Vec<f32> = (0..BANDS).map(|band| picture[band * 120 + 50]).collect();
        let brightest = (0..BANDS).max_by(|&a, &b| column[a].total_cmp(&column[b])).expect("there are some");
        let wanted = (mel(1_000.0) / mel(8_000.0) * (BANDS + 1) as f64).round() as usize - 1;
        assert_eq!(brightest, wanted);
        let silence = Mel::new().draw(&[], 10);
        assert!(silence.iter().all(|value| (value - silence[0]).abs() < 1e-6));
    }
}
