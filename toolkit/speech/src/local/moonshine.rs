//! Moonshine: a model that hears English, in time that grows with the speech
//! (Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice Commands").

use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use rten::NodeId;
use rten_tensor::Tensor;

use super::LocalOptions;
use super::decoder::{Decoder, Rules};
use super::guided::{Guide, Vocabulary};
use super::model::{Network, check_folder, threads};
use super::pool::{Pool, Stop};
use super::words::Words;
use crate::engine::{Engine, Hints, Rejection, Transcriber, Transcript};
use crate::voice_activity::voiced;
use crate::{Audio, Grammar, RATE, SpeechError};

/// The most tokens per second of speech: what its authors allow, since it loops on what it does not understand.
const TOKENS_PER_SECOND: f64 = 6.5;

/// Shorter speech is led out by silence, as the network cannot take less.
const SHORTEST: usize = RATE as usize / 2;

const BEGIN: u32 = 1;
const END: u32 = 2;

/// Hears English.
pub struct Moonshine {
    pool: Pool,
    longest: std::time::Duration,
    model: Arc<Model>,
}

struct Model {
    encoder: Network,
    sound: NodeId,
    heard: NodeId,
    decoder: Decoder,
    words: Words,
    vocabulary: OnceLock<Vocabulary>,
}

// === Moonshine ===

impl Moonshine {
    /// Opens the model in `folder`: `encoder.onnx`, `decoder.onnx` and `tokenizer.json`. Blocks for as long as
    /// reading them takes.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when one of them is not there or is of another kind.
    pub fn open(folder: &Path, options: LocalOptions) -> Result<Self, SpeechError> {
        check_folder(folder)?;
        let threads = threads(options);
        let encoder = Network::open(folder, "encoder.onnx", NAME, &threads)?;
        let sound = encoder.place(folder, "input_values")?;
        let heard = encoder.place(folder, "last_hidden_state")?;
        let decoder = Decoder::open(folder, NAME, &threads)?;
        let words = Words::open(folder)?;
        let model = Arc::new(Model { encoder, sound, heard, decoder, words, vocabulary: OnceLock::new() });
        Ok(Self { pool: Pool::new(NAME, options), longest: options.longest, model })
    }
}

/// How many beginnings are kept when listening for the sentences of a grammar.
const BEAM: usize = 8;

const NAME: &str = "moonshine";
const LANGUAGE: &str = "en";

#[async_trait]
impl Transcriber for Moonshine {
    fn engine(&self) -> Engine {
        Engine { name: NAME.to_owned(), languages: vec![LANGUAGE.to_owned()] }
    }

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        if let Some(other) = hints.language.as_deref().filter(|&language| language != LANGUAGE) {
            return Err(SpeechError::Language { language: other.to_owned(), known: LANGUAGE.to_owned() });
        }
        if audio.seconds() > self.longest.as_secs_f64() {
            return Err(SpeechError::TooLong { limit: self.longest });
        }
        let (model, grammar) = (Arc::clone(&self.model), hints.grammar.clone());
        self.pool.run(move |stop| model.listen(&audio, grammar.as_deref(), stop)).await
    }
}

// === Model ===

impl Model {
    fn listen(
        &self,
        audio: &Audio,
        grammar: Option<&Grammar>,
        stop: &Stop,
    ) -> Result<Transcript, SpeechError> {
        let mut transcript = Transcript { language: Some(LANGUAGE.to_owned()), ..Transcript::default() };
        let Some(span) = voiced(audio.samples()) else {
            transcript.rejected = Some(Rejection::Silence);
            return Ok(transcript);
        };
        let mut samples = audio.samples()[span].to_vec();
        let seconds = samples.len() as f64 / f64::from(RATE);
        samples.resize(samples.len().max(SHORTEST), 0.0);
        let sound = Tensor::from_data(&[1, samples.len()], samples);
        let heard = self.encoder.run("hearing", vec![(self.sound, sound.into())], &[self.heard])?;
        let heard = heard.into_iter().next().and_then(|value| value.into_tensor::<f32>());
        let heard = heard.ok_or_else(|| self.encoder.failed("hearing", "it gave nothing".to_owned()))?;
        let rules = Rules {
            prompt: &[BEGIN],
            end: END,
            most: (seconds * TOKENS_PER_SECOND).ceil() as usize + 4,
            allowed: &|_| true,
            never_first: &[],
        };
        let written = self.decoder.write(&heard, &rules, stop)?;
        transcript.text = self.words.text(&written.tokens);
        if let Some(grammar) = grammar {
            let vocabulary = self.vocabulary.get_or_init(|| Vocabulary::new(&self.words));
            let guide = Guide { grammar, vocabulary, beam: BEAM };
            let free = (&written, transcript.text.as_str());
            if let Some(sentence) = guide.lead(&self.decoder, &heard, &rules, free, stop)? {
                transcript.led_to(sentence);
                return Ok(transcript);
            }
        }
        if written.looped && written.tokens.len() <= super::decoder::LONGEST_LOOP {
            transcript.text.clear();
            transcript.rejected = Some(Rejection::Repeats);
        }
        Ok(transcript)
    }
}
