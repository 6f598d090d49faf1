//! Recordings: read from what devices and browsers send, put together from parts that come in any order.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ieum_core::{Fault, Timestamp, describe};
use ieum_speech::{AudioFormat, AudioLimits, SpeechError, read_wav, write_wav};
use ieum_store::{Insert, Value};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::rules::LONGEST_NAME;
use crate::speech::Audio;
use crate::store::{Known, VoiceStore};

/// The longest recording, bytes: two minutes at 16 kHz, 43 seconds at 48 kHz.
pub const LONGEST: usize = 4 * 1024 * 1024;
/// The most parts of a recording.
pub const MOST_PARTS: u32 = 2_000;
/// The rates that are taken, samples a second: those of the speech toolkit.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=96_000;
/// What is taken where nothing is said, samples a second.
pub const USUAL_RATE: u32 = 16_000;

/// The audio of a device's message.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioData {
    /// The samples in base64.
    pub data: String,
    /// `PCM`: 16-bit samples of one channel, little-endian; `WAV`.
    pub format: Option<String>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Seconds as the device counts them. Devices are known that divide bytes by samples a second, which is twice the
    /// length of 16-bit samples: it is read and not believed.
    pub duration: Option<f64>,
}

/// A part of a recording.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    pub device: &'a str,
    pub session: &'a str,
    /// From 0.
    pub sequence: u32,
    pub last: bool,
    pub audio: Audio,
}

/// How far a recording has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Assembled {
    /// More parts are to come.
    Waiting,
    /// The last part is there, these are not yet.
    Missing(Vec<u32>),
    /// All of it is there; the name of its turn.
    Whole(Audio, String),
    /// It was answered before, and this part of it comes again: the turn's key and what it led to.
    Answered(String, Box<Known>),
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::invalid_argument("voice.audio.invalid", message)
}

/// Returns the fault of a recording that is too long.
pub fn too_long() -> Fault {
    Fault::invalid_argument("voice.audio.too_long", format!("a recording may have {LONGEST} bytes at most"))
}

fn digest(samples: &[u8]) -> String {
    hex::encode(Sha256::digest(samples))
}

/// Returns the name of the turn of a recording whose own name may have been used before: the same for the same sounds. A
/// name that is too long stays so, and is refused.
pub fn named_anew(name: &str, samples: &[u8]) -> String {
    if name.chars().count() > LONGEST_NAME {
        return name.to_owned();
    }
    let digest = &digest(samples)[..16];
    let room = LONGEST_NAME - digest.len() - 1;
    format!("{}.{digest}", name.chars().take(room).collect::<String>())
}

impl AudioData {
    /// Reads the samples. Fails with `voice.audio.invalid` and `voice.audio.too_long`, naming the field.
    pub fn read(&self) -> Result<Audio, Fault> {
        if self.data.len() > LONGEST / 3 * 4 + 4 {
            return Err(too_long());
        }
        let bytes = BASE64_STANDARD
            .decode(self.data.trim())
            .map_err(|_| invalid("field audio.data: is no base64"))?;
        let format = self.format.as_deref().unwrap_or("PCM").to_ascii_uppercase();
        let audio = match format.as_str() {
            "WAV" | "WAVE" => wave(&bytes)?,
            "PCM" | "PCM16" | "S16LE" => samples(bytes, self.sample_rate.unwrap_or(USUAL_RATE))?,
            _ => return Err(invalid("field audio.format: expected PCM or WAV")),
        };
        if let Some(given) = self.duration.filter(|given| (given - audio.seconds()).abs() > 0.05) {
            tracing::debug!(
                given,
                seconds = audio.seconds(),
                "a device miscounts the length of its recording"
            );
        }
        Ok(audio)
    }
}

/// Reads a recording that does not say what it is: a WAVE file, or else raw samples, at the usual rate where none is given.
pub fn recording(bytes: Bytes, rate: Option<u32>) -> Result<Audio, Fault> {
    if is_wave(&bytes) { wave(&bytes) } else { samples(bytes, rate.unwrap_or(USUAL_RATE)) }
}

/// Tells whether these are the first bytes of a WAVE file.
pub fn is_wave(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF")
}

/// Takes raw samples.
pub fn samples(bytes: impl Into<Bytes>, rate: u32) -> Result<Audio, Fault> {
    let samples = bytes.into();
    if !RATES.contains(&rate) {
        return Err(invalid("field audio.sampleRate: expected 8000 to 96000"));
    }
    if !samples.len().is_multiple_of(2) {
        return Err(invalid("field audio.data: 16-bit samples have an even number of bytes"));
    }
    if samples.len() > LONGEST {
        return Err(too_long());
    }
    Ok(Audio { samples, rate })
}

/// Reads a WAVE file: one channel of 16 bits is taken as it is, anything else is brought to that at 16 kHz.
pub fn wave(file: &[u8]) -> Result<Audio, Fault> {
    let wrong = |error: SpeechError| invalid(format!("field audio: {}", describe(&error)));
    let (format, pcm) = read_wav(file).map_err(wrong)?;
    if format == AudioFormat::sixteen_bits(format.rate) {
        return samples(pcm.to_vec(), format.rate);
    }
    let seconds = LONGEST as u64 / (2 * u64::from(ieum_speech::RATE));
    let limits = AudioLimits { longest: Duration::from_secs(seconds) };
    let heard = ieum_speech::Audio::from_pcm(pcm, format, limits).map_err(wrong)?;
    samples(heard.to_pcm(), ieum_speech::RATE)
}

/// Returns a recording as a WAVE file.
pub fn to_wave(audio: &Audio) -> Vec<u8> {
    write_wav(AudioFormat::sixteen_bits(audio.rate), &audio.samples)
}

impl VoiceStore {
    /// Keeps a part and tells how far the recording has come. A part that comes again changes nothing.
    pub async fn assemble(&self, part: &Part<'_>, now: Timestamp) -> Result<Assembled, Fault> {
        if part.sequence >= MOST_PARTS {
            self.forget_parts(part.device, part.session).await?;
            return Err(invalid(format!("field sequence: a recording has {MOST_PARTS} parts at most")));
        }
        if let Some((key, known)) = self.answered(part).await? {
            return Ok(Assembled::Answered(key, Box::new(known)));
        }
        let row: Vec<Value> = vec![
            part.device.into(),
            part.session.into(),
            i64::from(part.sequence).into(),
            i64::from(part.last).into(),
            i64::from(part.audio.rate).into(),
            part.audio.samples.to_vec().into(),
            now.into(),
        ];
        let insert = Insert::into("ieum_voice_chunk")
            .columns(["device", "session", "sequence", "last", "rate", "data", "at"])
            .rows([row]);
        insert.or_ignore(["device", "session", "sequence"]).run(&self.sql).await?;
        let end = self.end_of(part).await?;
        let Some(end) = end else { return Ok(Assembled::Waiting) };
        self.whole(part, end).await
    }

    /// Returns the number of the last part, where it is there; fails where the recording grows too long.
    async fn end_of(&self, part: &Part<'_>) -> Result<Option<i64>, Fault> {
        let sql = "SELECT MAX(CASE WHEN last = 1 THEN sequence ELSE -1 END) AS ends, SUM(LENGTH(data)) AS bytes \
                   FROM ieum_voice_chunk WHERE device = ? AND session = ?";
        let row = self.sql.fetch_one(sql, &[part.device.into(), part.session.into()]).await?;
        if row.float("bytes")? > LONGEST as f64 {
            self.forget_parts(part.device, part.session).await?;
            return Err(too_long());
        }
        Ok(Some(row.int("ends")?).filter(|ends| *ends >= 0))
    }

    async fn whole(&self, part: &Part<'_>, end: i64) -> Result<Assembled, Fault> {
        let sql = "SELECT sequence, rate, data FROM ieum_voice_chunk WHERE device = ? AND session = ? \
                   AND sequence <= ? ORDER BY sequence";
        let rows = self.sql.fetch_all(sql, &[part.device.into(), part.session.into(), end.into()]).await?;
        let (mut there, mut all, mut rate) = (Vec::new(), Vec::new(), part.audio.rate);
        for row in &rows {
            there.push(row.int("sequence")?);
            all.extend(row.bytes("data")?);
            rate = u32::try_from(row.int("rate")?).unwrap_or(rate);
        }
        let missing: Vec<u32> = (0..=end)
            .filter(|at| there.binary_search(at).is_err())
            .filter_map(|at| u32::try_from(at).ok())
            .collect();
        if !missing.is_empty() {
            return Ok(Assembled::Missing(missing));
        }
        let name = match self.heard(part.device, part.session).await? {
            true => named_anew(part.session, &all),
            false => part.session.to_owned(),
        };
        Ok(Assembled::Whole(samples(all, rate)?, name))
    }

    /// Returns the turn of a recording that was answered, where this is one of its parts and none of a later one of the
    /// same name is there.
    async fn answered(&self, part: &Part<'_>) -> Result<Option<(String, Known)>, Fault> {
        let sql =
            "SELECT digest, turn FROM ieum_voice_heard WHERE device = ? AND session = ? AND sequence = ?";
        let name: [Value; 3] = [part.device.into(), part.session.into(), i64::from(part.sequence).into()];
        let Some(row) = self.sql.fetch_optional(sql, &name).await? else { return Ok(None) };
        let sql = "SELECT COUNT(*) AS n FROM ieum_voice_chunk WHERE device = ? AND session = ?";
        let begun = self.sql.fetch_one(sql, &name[..2]).await?.int("n")? > 0;
        if begun || row.text("digest")? != digest(&part.audio.samples) {
            return Ok(None);
        }
        let key = row.text("turn")?;
        Ok(self.known(&key).await?.map(|known| (key, known)))
    }

    /// Tells whether a recording of this name was answered before.
    async fn heard(&self, device: &str, session: &str) -> Result<bool, Fault> {
        let sql = "SELECT COUNT(*) AS n FROM ieum_voice_heard WHERE device = ? AND session = ?";
        Ok(self.sql.fetch_one(sql, &[device.into(), session.into()]).await?.int("n")? > 0)
    }

    /// Forgets the sounds of a recording that was answered, and keeps by which turn: a part of it may come again.
    pub async fn finish(&self, device: &str, session: &str, turn: &str, now: Timestamp) -> Result<(), Fault> {
        let name: [Value; 2] = [device.into(), session.into()];
        let mut tx = self.sql.begin_write().await?;
        let sql = "SELECT sequence, data FROM ieum_voice_chunk WHERE device = ? AND session = ?";
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for row in &tx.fetch_all(sql, &name).await? {
            let (sequence, digest) = (row.int("sequence")?, digest(&row.bytes("data")?));
            rows.push(vec![
                device.into(),
                session.into(),
                sequence.into(),
                digest.into(),
                turn.into(),
                now.into(),
            ]);
        }
        // Nothing is there where another process was quicker.
        if !rows.is_empty() {
            tx.execute("DELETE FROM ieum_voice_heard WHERE device = ? AND session = ?", &name).await?;
            let columns = ["device", "session", "sequence", "digest", "turn", "at"];
            let insert = Insert::into("ieum_voice_heard").columns(columns).rows(rows);
            insert.or_ignore(["device", "session", "sequence"]).run_in(&mut tx).await?;
            tx.execute("DELETE FROM ieum_voice_chunk WHERE device = ? AND session = ?", &name).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets the parts of a recording.
    pub async fn forget_parts(&self, device: &str, session: &str) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_voice_chunk WHERE device = ? AND session = ?";
        self.sql.execute(sql, &[device.into(), session.into()]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_file_is_read_back_and_two_channels_become_one() {
        let audio = Audio { samples: Bytes::from_static(&[1, 0, 2, 0, 3, 0]), rate: 16_000 };
        assert_eq!(wave(&to_wave(&audio)).expect("is one"), audio);
        let mut stereo = to_wave(&Audio { samples: Bytes::from_static(&[2, 0, 4, 0]), rate: 8_000 });
        stereo[22] = 2;
        stereo[32] = 4;
        let mean = wave(&stereo).expect("is one");
        assert_eq!((mean.rate, &mean.samples[..2]), (16_000, &[3, 0][..]));
        for cut in 0..44 {
            let _ = wave(&stereo[..cut]);
        }
        assert_eq!(&*wave(b"RIFF....WAVEdata").expect_err("has no format").reason, "voice.audio.invalid");
    }

    #[test]
    fn a_second_of_samples_is_a_second_whatever_the_device_says() {
        let data = BASE64_STANDARD.encode(vec![0; 32_000]);
        let message =
            AudioData { data, format: Some("PCM".into()), sample_rate: Some(16_000), duration: Some(2.0) };
        assert!((message.read().expect("is read").seconds() - 1.0).abs() < 1e-9);
        let refused = |change: &dyn Fn(&mut AudioData)| {
            let mut wrong = message.clone();
            change(&mut wrong);
            wrong.read().expect_err("is refused").message
        };
        assert!(samples(vec![0; 29 * 2 * 48_000], 48_000).is_ok() && samples(vec![0; 2], 96_000).is_ok());
        assert!(refused(&|wrong| wrong.sample_rate = Some(192_000)).starts_with("field audio.sampleRate"));
        assert!(refused(&|wrong| wrong.data = "%".into()).starts_with("field audio.data"));
        assert!(refused(&|wrong| wrong.sample_rate = Some(3)).starts_with("field audio.sampleRate"));
        assert!(refused(&|wrong| wrong.format = Some("MP3".into())).starts_with("field audio.format"));
        assert!(refused(&|wrong| wrong.data = BASE64_STANDARD.encode([1])).starts_with("field audio.data"));
    }
}
