//! Raw samples as they arrive, in pieces of any size, made one channel at 16 kHz.

use serde::{Deserialize, Serialize};

use super::{AudioLimits, RATE, Resampler};
use crate::SpeechError;

/// The rates that are taken, samples per second.
pub const RATES: [u32; 11] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];

/// The most channels that are taken.
const MOST_CHANNELS: u16 = 8;

/// How raw samples lie: signed integers of 2 bytes, or floats of 4, channel after channel, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFormat {
    /// Samples per second of each channel.
    pub rate: u32,
    /// Bytes per sample.
    pub width: u16,
    /// Channels.
    pub channels: u16,
}

/// Turns pieces of raw samples into samples at 16 kHz.
#[derive(Debug)]
pub struct PcmReader {
    format: AudioFormat,
    limits: AudioLimits,
    resampler: Option<Resampler>,
    /// The beginning of a frame whose end has not arrived.
    rest: Vec<u8>,
    frames: usize,
}

// === AudioFormat ===

impl AudioFormat {
    /// One channel of 16-bit samples.
    pub const fn sixteen_bits(rate: u32) -> Self {
        Self { rate, width: 2, channels: 1 }
    }

    /// Bytes of one sample of every channel.
    pub fn bytes_per_frame(self) -> u32 {
        u32::from(self.width) * u32::from(self.channels)
    }

    /// Bytes per second.
    pub fn bytes_per_second(self) -> u32 {
        self.rate.saturating_mul(self.bytes_per_frame())
    }

    /// Refuses what is not taken.
    fn check(self) -> Result<(), SpeechError> {
        let wrong = |problem: String| Err(SpeechError::Audio { problem });
        if !RATES.contains(&self.rate) {
            let known = RATES.map(|rate| rate.to_string()).join(", ");
            return wrong(format!("a rate of {} hertz is not taken; send one of {known}", self.rate));
        }
        if self.width != 2 && self.width != 4 {
            let bits = u32::from(self.width) * 8;
            return wrong(format!("samples of {bits} bits are not taken; send 16-bit integers"));
        }
        if self.channels == 0 || self.channels > MOST_CHANNELS {
            return wrong(format!("{} channels are not taken; send 1 to {MOST_CHANNELS}", self.channels));
        }
        Ok(())
    }
}

// === PcmReader ===

impl PcmReader {
    /// Makes a reader of samples that lie as `format` says.
    ///
    /// # Errors
    /// [`SpeechError::Audio`] for a format that is not taken.
    pub fn new(format: AudioFormat, limits: AudioLimits) -> Result<Self, SpeechError> {
        format.check()?;
        let resampler = (format.rate != RATE).then(|| Resampler::new(format.rate, RATE));
        Ok(Self { format, limits, resampler, rest: Vec::new(), frames: 0 })
    }

    /// Takes a piece of any size and returns the samples that it completes.
    ///
    /// # Errors
    /// [`SpeechError::TooLong`] once there were more than the limits allow.
    pub fn read(&mut self, piece: &[u8]) -> Result<Vec<f32>, SpeechError> {
        let size = self.format.bytes_per_frame() as usize;
        let arrived = (self.rest.len() + piece.len()) / size;
        if self.frames + arrived > self.limits.most_samples(self.format.rate) {
            return Err(SpeechError::TooLong { limit: self.limits.longest });
        }
        self.frames += arrived;
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(piece);
        self.rest = bytes.split_off(arrived * size);
        let mono: Vec<f32> = bytes.chunks_exact(size).map(|frame| self.average(frame)).collect();
        Ok(match &mut self.resampler {
            Some(resampler) => resampler.push(&mono),
            None => mono,
        })
    }

    /// Returns the last samples.
    ///
    /// # Errors
    /// [`SpeechError::Audio`] when the audio ended within a sample.
    pub fn finish(mut self) -> Result<Vec<f32>, SpeechError> {
        if !self.rest.is_empty() {
            let problem = format!("it ends with {} bytes of a sample that is not whole", self.rest.len());
            return Err(SpeechError::Audio { problem });
        }
        Ok(self.resampler.take().map(Resampler::finish).unwrap_or_default())
    }

    fn average(&self, frame: &[u8]) -> f32 {
        let sum: f32 = frame.chunks_exact(usize::from(self.format.width)).map(sample).sum();
        sum / f32::from(self.format.channels)
    }
}

/// Reads one sample; what is no number, as floats can be, counts as silence.
fn sample(bytes: &[u8]) -> f32 {
    match *bytes {
        [low, high] => f32::from(i16::from_le_bytes([low, high])) / 32_768.0,
        [a, b, c, d] => {
            let value = f32::from_le_bytes([a, b, c, d]);
            if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
        }
        _ => 0.0,
    }
}
