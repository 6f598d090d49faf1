//! Sound that comes in, and whoever makes text of it while it comes.

use bytes::Bytes;
use futures::stream::BoxStream;
use ieum_core::{Cx, Fault};

/// Sound as it comes, in pieces of any length.
pub type SoundStream = BoxStream<'static, Result<Bytes, Fault>>;

/// Text as it is heard.
pub type TranscriptStream = BoxStream<'static, Result<Transcript, Fault>>;

/// Makes text of sound.
pub trait Transcriber: Send + Sync + 'static {
    /// Hears `sound`. Texts that are not final may change with each further one; the stream ends after the last
    /// utterance, or after the first where [`SoundFormat::single_utterance`] says so. An error ends it.
    fn transcribe(&self, cx: &Cx, format: SoundFormat, sound: SoundStream) -> TranscriptStream;
}

/// How sound is written, by the numbers of Dialogflow's `AudioEncoding`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(i32)]
pub enum Encoding {
    /// The container says it.
    Container = 0,
    /// 16-bit samples, little-endian, one channel.
    #[default]
    Linear16 = 1,
    /// FLAC.
    Flac = 2,
    /// 8-bit μ-law (G.711).
    Mulaw = 3,
    /// AMR narrow band.
    Amr = 4,
    /// AMR wide band.
    AmrWideBand = 5,
    /// Opus in Ogg.
    OggOpus = 6,
    /// Speex wide band.
    Speex = 7,
    /// 8-bit A-law (G.711).
    Alaw = 8,
}

/// What sound is and in which language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SoundFormat {
    /// How it is written.
    pub encoding: Encoding,
    /// Samples a second.
    pub sample_rate: u32,
    /// The language spoken, such as `ko`.
    pub language: String,
    /// Words that are likely.
    pub hints: Vec<String>,
    /// Stop listening after the first utterance.
    pub single_utterance: bool,
}

/// A piece of sound with all its data.
#[derive(Clone, Debug)]
pub struct Sound {
    /// What it is.
    pub format: SoundFormat,
    /// The data.
    pub data: Bytes,
}

/// What was heard so far of an utterance.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Transcript {
    /// The text.
    pub text: String,
    /// Whether it will not change any more.
    pub is_final: bool,
    /// How sure the ear is, 0 to 1; 0 where it does not say.
    pub confidence: f32,
}

impl SoundFormat {
    /// Makes the format of 16-bit samples at `sample_rate` a second.
    pub fn linear(sample_rate: u32, language: &str) -> Self {
        Self {
            encoding: Encoding::Linear16,
            sample_rate,
            language: language.to_owned(),
            hints: Vec::new(),
            single_utterance: false,
        }
    }
}

impl Encoding {
    /// Returns the encoding with Dialogflow's number, or `None` for a number that none has.
    pub const fn of_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Container,
            1 => Self::Linear16,
            2 => Self::Flac,
            3 => Self::Mulaw,
            4 => Self::Amr,
            5 => Self::AmrWideBand,
            6 => Self::OggOpus,
            7 => Self::Speex,
            8 => Self::Alaw,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::v2::AudioEncoding;

    #[test]
    fn encodings_have_dialogflows_numbers() {
        for number in 0..=8 {
            let ours = Encoding::of_number(number).expect("is known");
            assert_eq!(ours as i32, number);
            assert!(AudioEncoding::try_from(number).is_ok());
        }
        assert_eq!(Encoding::Linear16 as i32, AudioEncoding::Linear16 as i32);
        assert_eq!(Encoding::of_number(9), None);
    }
}
