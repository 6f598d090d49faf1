//! Recordings heard while they are spoken: the ears as an engine of the speech toolkit, which tells turns apart and says
//! what was heard so far.

use std::sync::Arc;

use std::time::Duration;

use async_trait::async_trait;
use ieum_core::Fault;
use ieum_speech::{
    AudioFormat, AudioLimits, Endpointer, EndpointerOptions, Engine, Hints, Partials, PcmReader, Transcriber,
    Transcript, Turn,
};

use crate::audio::{LONGEST, samples, too_long};
use crate::speech::{Audio, Ears, SpeechError};
use crate::tongue::Tongue;

/// How much new speech is worth another look at what was said so far.
const EVERY: Duration = Duration::from_millis(600);

/// What was heard so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoFar {
    /// Words that were heard alike twice and will hardly change.
    pub settled: String,
    /// Words that may yet change.
    pub rest: String,
}

/// A recording that grows, and what is heard in it meanwhile.
pub struct Growing {
    rate: u32,
    recording: Vec<u8>,
    looks: Option<Looks>,
}

struct Looks {
    reader: PcmReader,
    samples: Vec<f32>,
    partials: Partials,
    endpointer: Endpointer,
    has_ended: bool,
}

impl SoFar {
    /// Returns all of it.
    pub fn text(&self) -> String {
        [self.settled.as_str(), self.rest.as_str()].join(" ").trim().to_owned()
    }
}

impl Growing {
    /// Begins a recording of 16-bit samples of one channel. `ears`: who looks at it now and then; nobody where only the
    /// whole is wanted.
    pub fn new(ears: Option<Arc<dyn Ears>>, rate: u32, language: Option<&str>) -> Self {
        // A rate that the toolkit does not take is refused, or heard, at the end.
        let reader = PcmReader::new(AudioFormat::sixteen_bits(rate), AudioLimits::default()).ok();
        let looks = ears.zip(reader).map(|(ears, reader)| Looks {
            reader,
            samples: Vec::new(),
            partials: Partials::new(Arc::new(EarsEngine(ears)), language.map(str::to_owned), EVERY),
            endpointer: Endpointer::new(EndpointerOptions::default()),
            has_ended: false,
        });
        Self { rate, recording: Vec::new(), looks }
    }

    /// Takes a piece of any size; returns what was heard so far where there is news of it. Fails with
    /// `voice.audio.too_long`.
    pub fn take(&mut self, piece: &[u8]) -> Result<Option<SoFar>, Fault> {
        if self.recording.len() + piece.len() > LONGEST {
            return Err(too_long());
        }
        self.recording.extend_from_slice(piece);
        let Some(looks) = &mut self.looks else { return Ok(None) };
        let Ok(new) = looks.reader.read(piece) else {
            // Longer than is looked at at once: the whole is heard at the end.
            self.looks = None;
            return Ok(None);
        };
        looks.has_ended |= looks.endpointer.push(&new).iter().any(|turn| matches!(turn, Turn::Ended(_)));
        looks.samples.extend(new);
        let so_far = looks.partials.look(&looks.samples);
        Ok(so_far.map(|(settled, rest)| SoFar { settled, rest }))
    }

    /// Tells whether somebody spoke and is silent again.
    pub fn has_ended(&self) -> bool {
        self.looks.as_ref().is_some_and(|looks| looks.has_ended)
    }

    /// Returns the whole recording. Fails as [`samples`] does.
    pub fn finish(self) -> Result<Audio, Fault> {
        samples(self.recording, self.rate)
    }
}

/// Ears, asked as an engine.
pub struct EarsEngine(pub Arc<dyn Ears>);

#[async_trait]
impl Transcriber for EarsEngine {
    fn engine(&self) -> Engine {
        let languages = [Tongue::Korean, Tongue::English].map(|tongue| tongue.code().to_owned());
        Engine { name: "ears".to_owned(), languages: languages.into() }
    }

    async fn transcribe(
        &self,
        audio: ieum_speech::Audio,
        hints: &Hints,
    ) -> Result<Transcript, ieum_speech::SpeechError> {
        let recording = Audio { samples: audio.to_pcm().into(), rate: ieum_speech::RATE };
        let language = hints.language.as_deref().and_then(Tongue::of);
        let heard = self.0.hear(recording, language, hints.grammar.clone()).await.map_err(of_toolkit)?;
        let language = heard.language.map(|tongue| tongue.code().to_owned());
        let text = heard.text.trim().to_owned();
        Ok(Transcript { text, first: heard.first, language, rejected: None })
    }
}

fn of_toolkit(error: SpeechError) -> ieum_speech::SpeechError {
    match error {
        SpeechError::Busy { engine } => ieum_speech::SpeechError::Busy { engine, waiting: 0 },
        SpeechError::TooLong { longest, .. } => ieum_speech::SpeechError::TooLong { limit: longest },
        SpeechError::Missing { engine, problem } | SpeechError::Engine { engine, problem } => {
            ieum_speech::SpeechError::Engine { engine, step: "hearing", problem }
        }
    }
}
