//! Listening to a stream: samples go in as they arrive; a turn's beginning, what was heard so far, and the whole come
//! out.

mod partial;

use std::sync::Arc;
use std::time::Duration;

pub use partial::{Partials, same};

use crate::engine::{Hints, Transcriber, Transcript};
use crate::voice_activity::{Endpointer, EndpointerOptions, Turn};
use crate::{Audio, AudioFormat, AudioLimits, PcmReader, RATE, SpeechError};

/// Samples kept from before a turn begins, since that shows late.
const BEFORE: usize = RATE as usize;

/// How to listen.
#[derive(Clone, Debug, Default)]
pub struct ListenerOptions {
    /// What is known of the speech before it is heard.
    pub hints: Hints,
    /// How turns are told from noise and pauses.
    pub turns: EndpointerOptions,
    /// How much new speech is worth another look at what was said so far; nothing for none.
    pub partial: Option<Duration>,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody began to speak.
    Began,
    /// What they said so far.
    Partial {
        /// Words that were heard alike twice and will hardly change.
        settled: String,
        /// Words that may yet change.
        rest: String,
    },
    /// They ended, and this is what they said.
    Ended(Transcript),
}

/// Listens to one stream.
pub struct Listener {
    transcriber: Arc<dyn Transcriber>,
    options: ListenerOptions,
    reader: PcmReader,
    endpointer: Endpointer,
    held: Vec<f32>,
    /// The number of the first sample held.
    first: u64,
    turn: Option<u64>,
    partials: Option<Partials>,
}

// === Listener ===

impl Listener {
    /// Makes a listener of samples that lie as `format` says.
    ///
    /// # Errors
    /// [`SpeechError::Audio`] for a format that is not taken.
    pub fn new(
        transcriber: Arc<dyn Transcriber>,
        format: AudioFormat,
        options: ListenerOptions,
    ) -> Result<Self, SpeechError> {
        // A stream may last for days; a turn may not.
        let limits = AudioLimits { longest: Duration::from_secs(30 * 24 * 3_600) };
        Ok(Self {
            transcriber,
            reader: PcmReader::new(format, limits)?,
            endpointer: Endpointer::new(options.turns),
            options,
            held: Vec::new(),
            first: 0,
            turn: None,
            partials: None,
        })
    }

    /// Takes a piece of any size and returns what happened. Waits for the engine only where a turn ends.
    ///
    /// # Errors
    /// Those of the engine; the turn is then over, and the next can be heard.
    pub async fn hear(&mut self, piece: &[u8]) -> Result<Vec<Heard>, SpeechError> {
        let samples = self.reader.read(piece)?;
        self.held.extend_from_slice(&samples);
        let mut heard = Vec::new();
        for turn in self.endpointer.push(&samples) {
            match turn {
                Turn::Began(start) => {
                    self.turn = Some(start.max(self.first));
                    self.partials = self.options.partial.map(|every| {
                        Partials::new(
                            Arc::clone(&self.transcriber),
                            self.options.hints.language.clone(),
                            every,
                        )
                    });
                    heard.push(Heard::Began);
                }
                Turn::Ended(end) => heard.extend(self.end(end).await?),
            }
        }
        match self.turn {
            Some(start) => heard.extend(self.look(start)),
            None => self.forget_old(),
        }
        Ok(heard)
    }

    /// Takes a piece that is our own voice: a turn that it seemed to begin is forgotten. See [`Gate`](crate::Gate).
    ///
    /// # Errors
    /// [`SpeechError::TooLong`] at the end of the stream's time.
    pub fn ignore(&mut self, piece: &[u8]) -> Result<(), SpeechError> {
        // Silence takes its place, so that times stay right.
        let count = self.reader.read(piece)?.len();
        let silence = vec![0.0; count];
        self.held.extend_from_slice(&silence);
        self.endpointer.push(&silence);
        self.endpointer.forget();
        self.turn = None;
        self.partials = None;
        self.forget_old();
        Ok(())
    }

    /// Ends the stream, and with it the turn that goes on.
    ///
    /// # Errors
    /// Those of [`hear`](Self::hear).
    pub async fn finish(mut self) -> Result<Option<Transcript>, SpeechError> {
        let end = self.first + self.held.len() as u64;
        match self.end(end).await? {
            Some(Heard::Ended(transcript)) => Ok(Some(transcript)),
            _ => Ok(None),
        }
    }

    async fn end(&mut self, end: u64) -> Result<Option<Heard>, SpeechError> {
        let Some(start) = self.turn.take() else { return Ok(None) };
        self.partials = None;
        let (from, to) = (self.place(start), self.place(end));
        let audio = Audio::from_samples(self.held[from..to.max(from)].to_vec());
        self.held.drain(..to);
        self.first += to as u64;
        let transcript = self.transcriber.transcribe(audio, &self.options.hints).await?;
        Ok(Some(Heard::Ended(transcript)))
    }

    fn look(&mut self, start: u64) -> Option<Heard> {
        let from = self.place(start);
        let (settled, rest) = self.partials.as_mut()?.look(&self.held[from..])?;
        Some(Heard::Partial { settled, rest })
    }

    /// Returns where in what is held the sample of this number lies.
    fn place(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.held.len())
    }

    fn forget_old(&mut self) {
        let old = self.held.len().saturating_sub(BEFORE);
        self.held.drain(..old);
        self.first += old as u64;
    }
}
