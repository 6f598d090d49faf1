//! WAV files (RIFF, <https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html>), read with patience for
//! programs that write the header before they know the length, which the libraries for it refuse.

use super::AudioFormat;
use crate::SpeechError;

const INTEGERS: u16 = 1;
const FLOATS: u16 = 3;
const EXTENSIBLE: u16 = 0xFFFE;

/// Returns how the samples of a WAV file lie, and the samples.
///
/// # Errors
/// [`SpeechError::Audio`] where it is no WAV file, is cut off before its samples, or codes them otherwise than as
/// 16-bit integers or 32-bit floats.
pub fn read_wav(file: &[u8]) -> Result<(AudioFormat, &[u8]), SpeechError> {
    let wrong = |problem: &str| SpeechError::Audio { problem: problem.to_owned() };
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(wrong("it is no WAV file"));
    }
    let mut format = None;
    let mut at = 12;
    while let Some(header) = file.get(at..at + 8) {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let body = &file[at + 8..];
        match &header[..4] {
            b"fmt " => {
                let chunk = body.get(..length).ok_or_else(|| wrong("its format is cut off"))?;
                format = Some(read_format(chunk)?);
            }
            b"data" => {
                let format = format.ok_or_else(|| wrong("it holds samples before it says how they lie"))?;
                let data = body.get(..length).unwrap_or(body);
                // A file that is cut off may end within a frame.
                let whole = data.len() - data.len() % format.bytes_per_frame().max(1) as usize;
                return Ok((format, if length > body.len() { &data[..whole] } else { data }));
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = at.saturating_add(8).saturating_add(length).saturating_add(length % 2);
    }
    Err(wrong("it holds no samples"))
}

fn read_format(chunk: &[u8]) -> Result<AudioFormat, SpeechError> {
    let wrong = |problem: String| SpeechError::Audio { problem };
    let word = |place: usize| Some(u16::from_le_bytes([*chunk.get(place)?, *chunk.get(place + 1)?]));
    let short = || wrong("its format is cut off".to_owned());
    let mut coding = word(0).ok_or_else(short)?;
    if coding == EXTENSIBLE {
        coding = word(24).ok_or_else(short)?;
    }
    let channels = word(2).ok_or_else(short)?;
    let rate = u32::from(word(4).ok_or_else(short)?) | u32::from(word(6).ok_or_else(short)?) << 16;
    let bits = word(14).ok_or_else(short)?;
    match (coding, bits) {
        (INTEGERS, 16) | (FLOATS, 32) => Ok(AudioFormat { rate, width: bits / 8, channels }),
        _ => Err(wrong(format!(
            "samples of coding {coding} with {bits} bits are not taken; send 16-bit integers (coding 1)"
        ))),
    }
}

/// Writes a WAV file; samples of 2 bytes are integers, of 4 floats.
pub fn write_wav(format: AudioFormat, pcm: &[u8]) -> Vec<u8> {
    let length = u32::try_from(pcm.len()).unwrap_or(u32::MAX);
    let coding = if format.width == 4 { FLOATS } else { INTEGERS };
    let frame = u16::try_from(format.bytes_per_frame()).unwrap_or(u16::MAX);
    let mut file = Vec::with_capacity(44 + pcm.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&coding.to_le_bytes());
    file.extend_from_slice(&format.channels.to_le_bytes());
    file.extend_from_slice(&format.rate.to_le_bytes());
    file.extend_from_slice(&format.bytes_per_second().to_le_bytes());
    file.extend_from_slice(&frame.to_le_bytes());
    file.extend_from_slice(&(format.width * 8).to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(pcm);
    file
}
