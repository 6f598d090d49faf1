//! Audio as engines take it: one channel at 16 kHz, read from WAV files and raw samples of the usual rates.

mod format;
mod resample;
mod wav;

use std::time::Duration;

pub use format::{AudioFormat, PcmReader, RATES};
pub use resample::Resampler;
pub use wav::{read_wav, write_wav};

use crate::SpeechError;

/// The rate of [`Audio`], samples per second.
pub const RATE: u32 = 16_000;

/// Speech as engines take it: one channel, 16 kHz, samples between -1 and 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    samples: Vec<f32>,
}

/// How much audio is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLimits {
    /// The longest speech.
    pub longest: Duration,
}

// === AudioLimits ===

impl Default for AudioLimits {
    /// Half a minute, which is what Whisper hears at once.
    fn default() -> Self {
        Self { longest: Duration::from_secs(30) }
    }
}

impl AudioLimits {
    /// The most samples at `rate`.
    fn most_samples(self, rate: u32) -> usize {
        usize::try_from(self.longest.as_millis() * u128::from(rate) / 1_000).unwrap_or(usize::MAX)
    }
}

// === Audio ===

impl Audio {
    /// Takes samples that are at 16 kHz already.
    pub fn from_samples(samples: Vec<f32>) -> Self {
        Self { samples }
    }

    /// Reads a WAV file: 16-bit integers or 32-bit floats, of one to eight channels, which are averaged.
    ///
    /// A length in the header that is larger than the file counts as "to the end", as programs write it that send a
    /// file while they make it.
    ///
    /// # Errors
    /// [`SpeechError::Audio`] for anything else, [`SpeechError::TooLong`] for more than `limits` allow.
    pub fn from_wav(file: &[u8], limits: AudioLimits) -> Result<Self, SpeechError> {
        let (format, data) = read_wav(file)?;
        Self::from_pcm(data, format, limits)
    }

    /// Reads raw samples, little-endian.
    ///
    /// # Errors
    /// Those of [`from_wav`](Self::from_wav).
    pub fn from_pcm(pcm: &[u8], format: AudioFormat, limits: AudioLimits) -> Result<Self, SpeechError> {
        let mut reader = PcmReader::new(format, limits)?;
        let mut samples = reader.read(pcm)?;
        samples.extend(reader.finish()?);
        Ok(Self { samples })
    }

    /// Returns the samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Returns how long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(RATE)
    }

    /// Returns the samples as signed 16-bit PCM, little-endian.
    pub fn to_pcm(&self) -> Vec<u8> {
        self.samples.iter().flat_map(|&sample| to_sixteen_bits(sample).to_le_bytes()).collect()
    }

    /// Returns a WAV file.
    pub fn to_wav(&self) -> Vec<u8> {
        write_wav(AudioFormat::sixteen_bits(RATE), &self.to_pcm())
    }
}

/// Rounds a sample to 16 bits, cutting off what is too loud.
#[allow(clippy::cast_possible_truncation, reason = "the value is held within the range before")]
pub fn to_sixteen_bits(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16
}

#[cfg(test)]
mod tests;
