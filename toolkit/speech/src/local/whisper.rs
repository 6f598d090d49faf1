//! Whisper: a model that hears Korean, English and more, half a minute at a time
//! (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision").

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use rten::NodeId;
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::LocalOptions;
use super::decoder::{Decoder, LONGEST_LOOP, Rules};
use super::guided::{Guide, Vocabulary};
use super::mel::{BANDS, Mel};
use super::model::{Network, check_folder, threads};
use super::pool::{Pool, Stop};
use super::words::Words;
use crate::engine::{Engine, Hints, Rejection, Transcriber, Transcript};
use crate::voice_activity::voiced;
use crate::{Audio, Grammar, RATE, SpeechError};

/// The most tokens per second of speech: Korean takes up to three for a syllable.
const TOKENS_PER_SECOND: f64 = 20.0;

/// What the model hears at once, hundredths of a second.
const FRAMES: usize = 3_000;

/// How many columns of what was heard stand for a second, and how many of silence are kept behind the last word.
const HEARD_PER_SECOND: f64 = 50.0;
const QUIET: usize = 250;

/// The most tokens it was trained to write at once, without the prompt.
const MOST_TOKENS: usize = 220;

/// The model's own thresholds for silence (`no_speech_threshold` and `logprob_threshold` of its authors).
const NOBODY: f32 = 0.6;
const UNSURE: f32 = -1.0;

/// The share of a language among all from which on it is surely spoken: people have it down to 5 dB above a kitchen's
/// noise, and no noise does. Below the second, with another language above the third, it is surely that one.
const SURELY: f32 = 0.5;
const HARDLY: f32 = 0.05;
const OTHERS: f32 = 0.5;

/// What subtitles hold and nobody says: signs, brackets around noises, notes of music (its authors'
/// `non_speech_tokens`).
const UNSAID: [&str; 46] = [
    "\"", "#", "(", ")", "*", "+", "/", ":", ";", "<", "=", ">", "@", "[", "\\", "]", "^", "_", "`", "{",
    "|", "}", "~", "「", "」", "『", "』", "<<", ">>", "--", "---", "-(", "-[", "('", "(\"", "((", "))",
    "[[", "]]", "{{", "}}", "♪", "♪♪", "♫", "♬", "♩",
];

/// How many beginnings are kept when listening for the sentences of a grammar.
const BEAM: usize = 8;

const NAME: &str = "whisper";

/// Hears any of the languages it was opened for.
pub struct Whisper {
    pool: Pool,
    longest: std::time::Duration,
    languages: Vec<String>,
    model: Arc<Model>,
}

struct Model {
    encoder: Network,
    picture: NodeId,
    heard: NodeId,
    decoder: Decoder,
    words: Words,
    vocabulary: OnceLock<Vocabulary>,
    mel: Mel,
    steering: Steering,
    /// Each language with its token.
    languages: Vec<(String, u32)>,
    /// The tokens of all languages it was trained on.
    every_language: Vec<u32>,
}

/// What the model thinks before it writes: at its first token, where its authors read both.
struct Before {
    /// How likely nobody speaks.
    nobody: f32,
    /// The share of the language that is listened for, and of the likeliest other one.
    share: f32,
    other: f32,
}

/// The tokens that steer.
struct Steering {
    begin: u32,
    end: u32,
    transcribe: u32,
    no_times: u32,
    nobody: Option<u32>,
    /// A space alone, which no text begins with.
    space: u32,
    unsaid: BTreeSet<u32>,
}

// === Whisper ===

impl Whisper {
    /// Opens the model in `folder` for `languages`, two letters of ISO 639-1 each. Speech whose language nobody
    /// tells is heard as the likeliest of them. Blocks for as long as reading takes.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when a file is not there or is of another kind, [`SpeechError::Language`] for a
    /// language that the model was not trained on.
    pub fn open(folder: &Path, languages: &[&str], options: LocalOptions) -> Result<Self, SpeechError> {
        check_folder(folder)?;
        let words = Words::open(folder)?;
        let steering = Steering::find(&words, folder)?;
        let token = |language: &&str| {
            let token = words.special(&format!("<|{language}|>"));
            let missing = || SpeechError::Language {
                language: (*language).to_owned(),
                known: "the languages of Whisper, as two letters".to_owned(),
            };
            Ok(((*language).to_owned(), token.ok_or_else(missing)?))
        };
        let languages: Vec<(String, u32)> = languages.iter().map(token).collect::<Result<_, _>>()?;
        let threads = threads(options);
        let encoder = Network::open(folder, "encoder.onnx", NAME, &threads)?;
        let picture = encoder.place(folder, "input_features")?;
        let heard = encoder.place(folder, "last_hidden_state")?;
        let decoder = Decoder::open(folder, NAME, &threads)?;
        let names = languages.iter().map(|(name, _)| name.clone()).collect();
        let mel = Mel::new();
        let every_language = words.languages();
        let model = Arc::new(Model {
            encoder,
            picture,
            heard,
            decoder,
            words,
            vocabulary: OnceLock::new(),
            mel,
            steering,
            languages,
            every_language,
        });
        Ok(Self { pool: Pool::new(NAME, options), longest: options.longest, languages: names, model })
    }
}

#[async_trait]
impl Transcriber for Whisper {
    fn engine(&self) -> Engine {
        Engine { name: NAME.to_owned(), languages: self.languages.clone() }
    }

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        let known = &self.model.languages;
        let chosen = match &hints.language {
            Some(language) => {
                let found = known.iter().find(|(name, _)| name == language);
                let missing =
                    || SpeechError::Language { language: language.clone(), known: self.languages.join(", ") };
                Some(found.cloned().ok_or_else(missing)?)
            }
            None if known.len() == 1 => known.first().cloned(),
            None => None,
        };
        if audio.seconds() > self.longest.as_secs_f64() {
            return Err(SpeechError::TooLong { limit: self.longest });
        }
        let (model, grammar) = (Arc::clone(&self.model), hints.grammar.clone());
        self.pool.run(move |stop| model.listen(&audio, chosen, grammar.as_deref(), stop)).await
    }
}

// === Model ===

impl Model {
    fn listen(
        &self,
        audio: &Audio,
        language: Option<(String, u32)>,
        grammar: Option<&Grammar>,
        stop: &Stop,
    ) -> Result<Transcript, SpeechError> {
        let silence = Transcript { rejected: Some(Rejection::Silence), ..Transcript::default() };
        let Some(span) = voiced(audio.samples()) else { return Ok(silence) };
        let samples = &audio.samples()[span];
        let heard = self.hear(samples)?;
        let steering = &self.steering;
        let likely = self.decoder.after(&heard, &[steering.begin])?;
        let (language, token) = match language {
            Some(chosen) => chosen,
            None => self.likeliest(&likely)?,
        };
        let before = self.before(&likely, token);
        let seconds = samples.len() as f64 / f64::from(RATE);
        let rules = Rules {
            prompt: &[steering.begin, token, steering.transcribe, steering.no_times],
            end: steering.end,
            most: most_tokens(seconds),
            allowed: &|token| token < steering.end && !steering.unsaid.contains(&token),
            never_first: &[steering.space],
        };
        let written = self.decoder.write(&heard, &rules, stop)?;
        let text = self.words.text(&written.tokens);
        let mut transcript = Transcript { text, language: Some(language), ..Transcript::default() };
        transcript.rejected = before.rejected(written.confidence);
        if let Some(grammar) = grammar.filter(|grammar| before.may_lead(grammar)) {
            let vocabulary = self.vocabulary.get_or_init(|| Vocabulary::new(&self.words));
            let guide = Guide { grammar, vocabulary, beam: BEAM };
            let free = (&written, transcript.text.as_str());
            // Many texts at once look at what was heard; the silence behind it, up to half a minute, tells none apart.
            let heard = beginning(&heard, (seconds * HEARD_PER_SECOND) as usize + QUIET);
            if let Some(sentence) = guide.lead(&self.decoder, &heard, &rules, free, stop)? {
                transcript.led_to(sentence);
                transcript.rejected = None;
                return Ok(transcript);
            }
        }
        if transcript.rejected.is_none() && written.looped && written.tokens.len() <= LONGEST_LOOP {
            transcript.rejected = Some(Rejection::Repeats);
        }
        if transcript.rejected.is_some() {
            transcript.text.clear();
        }
        Ok(transcript)
    }

    fn hear(&self, samples: &[f32]) -> Result<Tensor<f32>, SpeechError> {
        let picture = self.mel.draw(samples, FRAMES);
        let picture = Tensor::from_data(&[1, BANDS, FRAMES], picture);
        let heard = self.encoder.run("hearing", vec![(self.picture, picture.into())], &[self.heard])?;
        let heard = heard.into_iter().next().and_then(|value| value.into_tensor::<f32>());
        heard.ok_or_else(|| self.encoder.failed("hearing", "it gave nothing".to_owned()))
    }

    /// Returns the likeliest language of those that the model was opened for.
    fn likeliest(&self, likely: &[f32]) -> Result<(String, u32), SpeechError> {
        let found = self.languages.iter().max_by(|(_, a), (_, b)| of(likely, *a).total_cmp(&of(likely, *b)));
        found
            .cloned()
            .ok_or_else(|| self.encoder.failed("hearing", "it was opened for no language".to_owned()))
    }

    fn before(&self, likely: &[f32], token: u32) -> Before {
        let all: f32 = self.every_language.iter().map(|token| of(likely, *token)).sum();
        let share = |token: u32| of(likely, token) / all.max(f32::MIN_POSITIVE);
        let others = self.every_language.iter().filter(|other| **other != token);
        Before {
            nobody: self.steering.nobody.map_or(0.0, |nobody| of(likely, nobody)),
            share: share(token),
            other: others.map(|other| share(*other)).fold(0.0, f32::max),
        }
    }
}

// === Before ===

impl Before {
    /// Tells why what is written now is not to be trusted, if it is not.
    fn rejected(&self, confidence: f32) -> Option<Rejection> {
        if self.share >= SURELY {
            return None;
        }
        if self.nobody > NOBODY && confidence < UNSURE {
            return Some(Rejection::Silence);
        }
        (self.share < HARDLY && self.other >= OTHERS || self.nobody > NOBODY).then_some(Rejection::Foreign)
    }

    /// Tells whether the nearest of what can be said may be taken for what was heard: of a noise one is always nearest.
    fn may_lead(&self, grammar: &Grammar) -> bool {
        self.share >= SURELY || grammar.farthest.is_infinite()
    }
}

fn of(likely: &[f32], token: u32) -> f32 {
    likely.get(token as usize).copied().unwrap_or(0.0)
}

/// Returns how many tokens so many seconds of speech may take.
fn most_tokens(seconds: f64) -> usize {
    ((seconds * TOKENS_PER_SECOND).ceil() as usize + 8).min(MOST_TOKENS)
}

/// Returns the first `count` columns of what was heard.
fn beginning(heard: &Tensor<f32>, count: usize) -> Tensor<f32> {
    match *heard.shape() {
        [1, whole, width] if count < whole => {
            let data: Vec<f32> = heard.iter().take(count * width).copied().collect();
            Tensor::from_data(&[1, count, width], data)
        }
        _ => heard.clone(),
    }
}

// === Steering ===

impl Steering {
    fn find(words: &Words, folder: &Path) -> Result<Self, SpeechError> {
        let token = |name: &str| {
            words.special(name).ok_or_else(|| SpeechError::Model {
                folder: folder.to_owned(),
                problem: format!("tokenizer.json has no {name}; it is a model of another kind"),
            })
        };
        Ok(Self {
            begin: token("<|startoftranscript|>")?,
            end: token("<|endoftext|>")?,
            transcribe: token("<|transcribe|>")?,
            no_times: token("<|notimestamps|>")?,
            nobody: token("<|nocaptions|>").or_else(|_| token("<|nospeech|>")).ok(),
            space: 220,
            unsaid: words.that_say(&UNSAID),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_speech_is_written_in_more_tokens_than_the_model_was_trained_on() {
        assert_eq!([0.0, 0.5, 1.0, 10.0].map(most_tokens), [8, 18, 28, 208]);
        assert_eq!([10.6, 11.0, 30.0, 3_600.0].map(most_tokens), [220; 4]);
    }
}
