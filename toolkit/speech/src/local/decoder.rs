//! The half of a model that writes: one token after the other, each the likeliest, with what was worked out kept.

use std::path::Path;
use std::sync::Arc;

use rten::{NodeId, ThreadPool, Value, ValueOrView};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::model::Network;
use super::pool::Stop;
use crate::SpeechError;

/// A sequence of this many tokens or fewer counts as a repeat when it returns at once.
pub const LONGEST_LOOP: usize = 12;

/// What keeps the decoder from rambling.
pub struct Rules<'a> {
    /// What it begins with.
    pub prompt: &'a [u32],
    /// The token that ends the text.
    pub end: u32,
    /// The most tokens.
    pub most: usize,
    /// Tells whether a token may be written.
    pub allowed: &'a (dyn Fn(u32) -> bool + Sync),
    /// What may stand anywhere but at the beginning.
    pub never_first: &'a [u32],
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// The tokens, without the prompt and the end.
    pub tokens: Vec<u32>,
    /// The mean of the tokens' log probabilities, the end's included.
    pub confidence: f32,
    /// Their sum.
    pub sum: f32,
    /// The tokens went round and round; one turn of it is kept.
    pub looped: bool,
}

/// The writing half of a model, as Optimum merges its two forms into one network.
pub struct Decoder {
    network: Network,
    tokens: NodeId,
    heard: NodeId,
    has_past: NodeId,
    likely: NodeId,
    /// What is kept of the own words, then of what was heard: where it goes in and comes out.
    own: Vec<Kept>,
    other: Vec<Kept>,
}

struct Kept {
    into: NodeId,
    out: NodeId,
    /// Heads, and numbers per head.
    sizes: (usize, usize),
}

/// One run's memory: of each text that is written its own words, and once what was heard.
#[derive(Default)]
pub struct Memory {
    own: Vec<Value>,
    other: Vec<Value>,
}

// === Rules ===

impl Rules<'_> {
    /// Writes by `step`, which is fed tokens and gives the scores of what may come after them.
    fn write(
        &self,
        mut step: impl FnMut(&[u32]) -> Result<Vec<f32>, SpeechError>,
    ) -> Result<Written, SpeechError> {
        let mut written = Written::default();
        let mut next: Vec<u32> = self.prompt.to_vec();
        let mut sum = 0.0;
        let mut steps = 0.0_f32;
        while written.tokens.len() < self.most {
            let scores = step(&next)?;
            let first = written.tokens.is_empty();
            let token = likeliest(&scores, |token| {
                token == self.end && !first
                    || (self.allowed)(token) && !(first && self.never_first.contains(&token))
            });
            sum += log_probability(&scores, token);
            steps += 1.0;
            if token == self.end {
                break;
            }
            written.tokens.push(token);
            if let Some(length) = loop_length(&written.tokens) {
                written.looped = true;
                keep_one_turn(&mut written.tokens, length);
                break;
            }
            next = vec![token];
        }
        written.sum = sum;
        written.confidence = if steps > 0.0 { sum / steps } else { 0.0 };
        Ok(written)
    }
}

// === Decoder ===

impl Decoder {
    /// Reads `decoder.onnx` of `folder`.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when it is not there or is of another kind.
    pub fn open(folder: &Path, engine: &str, threads: &Arc<ThreadPool>) -> Result<Self, SpeechError> {
        let network = Network::open(folder, "decoder.onnx", engine, threads)?;
        let place = |name: &str| network.place(folder, name);
        let (tokens, heard) = (place("input_ids")?, place("encoder_hidden_states")?);
        let (has_past, likely) = (place("use_cache_branch")?, place("logits")?);
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for (name, into) in network.inputs() {
            let Some(rest) = name.strip_prefix("past_key_values.") else { continue };
            let out = place(&format!("present.{rest}"))?;
            let sizes = network.sizes(into);
            let sizes = (sizes.get(1).copied().unwrap_or(1), sizes.get(3).copied().unwrap_or(1));
            let kept = if rest.contains(".encoder.") { &mut other } else { &mut own };
            kept.push(Kept { into, out, sizes });
        }
        Ok(Self { network, tokens, heard, has_past, likely, own, other })
    }

    /// Returns how likely each token is after `prompt`, with nothing kept: fed on from there, a network that takes one token
    /// at a time once it keeps something would hear the rest of a prompt wrongly.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the step fails.
    pub fn after(&self, heard: &Tensor<f32>, prompt: &[u32]) -> Result<Vec<f32>, SpeechError> {
        let scores = self.step(heard, prompt, &mut Memory::default())?;
        let total = log_total(&scores);
        Ok(scores.iter().map(|score| (score - total).exp()).collect())
    }

    /// Writes what was heard, until it ends, loops, or has written enough.
    ///
    /// # Errors
    /// [`SpeechError::Cancelled`] soon after `stop` is set, [`SpeechError::Engine`] when a step fails.
    pub fn write(&self, heard: &Tensor<f32>, rules: &Rules<'_>, stop: &Stop) -> Result<Written, SpeechError> {
        let mut memory = Memory::default();
        rules.write(|next| match stop.is_set() {
            true => Err(self.cancelled()),
            false => self.step(heard, next, &mut memory),
        })
    }

    /// Feeds `tokens` and returns the scores of what may come after the last.
    fn step(
        &self,
        heard: &Tensor<f32>,
        tokens: &[u32],
        memory: &mut Memory,
    ) -> Result<Vec<f32>, SpeechError> {
        let rows = self.rows(heard, &[tokens], memory)?;
        rows.into_iter().next().ok_or_else(|| self.network.failed("writing", "it gave no scores".to_owned()))
    }

    /// Feeds several texts at once, equally many tokens of each, and returns the scores of what may come after each.
    pub fn rows(
        &self,
        heard: &Tensor<f32>,
        texts: &[&[u32]],
        memory: &mut Memory,
    ) -> Result<Vec<Vec<f32>>, SpeechError> {
        let first = memory.other.is_empty();
        let length = texts.first().map_or(0, |tokens| tokens.len());
        let ids: Vec<i32> =
            texts.iter().copied().flatten().map(|&token| i32::try_from(token).unwrap_or(0)).collect();
        let ids = Tensor::<i32>::from_data(&[texts.len(), length], ids);
        let branch = Tensor::from_data(&[1], vec![i32::from(!first)]);
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = vec![
            (self.tokens, ids.into()),
            (self.heard, heard.view().into()),
            (self.has_past, branch.into()),
        ];
        if first {
            for kept in self.own.iter().chain(&self.other) {
                let nothing = Tensor::<f32>::zeros(&[1, kept.sizes.0, 0, kept.sizes.1]);
                inputs.push((kept.into, nothing.into()));
            }
        } else {
            // Handed over, not lent: the network may then add to it in place.
            let own = std::mem::take(&mut memory.own);
            inputs.extend(self.own.iter().zip(own).map(|(kept, value)| (kept.into, value.into())));
            inputs
                .extend(self.other.iter().zip(&memory.other).map(|(kept, value)| (kept.into, value.into())));
        }
        let mut outputs = vec![self.likely];
        outputs.extend(self.own.iter().map(|kept| kept.out));
        if first {
            outputs.extend(self.other.iter().map(|kept| kept.out));
        }
        let mut values = self.network.run("writing", inputs, &outputs)?.into_iter();
        let scores = values.next().and_then(Value::into_tensor::<f32>);
        memory.own = values.by_ref().take(self.own.len()).collect();
        if first {
            memory.other = values.collect();
        }
        let scores = scores.ok_or_else(|| self.network.failed("writing", "it gave no scores".to_owned()))?;
        let count = scores.shape().last().copied().unwrap_or(0);
        let scores = scores.into_data();
        // Of each text the scores after its last token.
        let each = count * length;
        Ok(scores.chunks_exact(each.max(1)).map(|text| text[each - count..].to_vec()).collect())
    }

    /// Keeps of each text's memory that of the texts in `rows`, in that order; one may come several times.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when the network kept something else than numbers.
    pub fn keep(&self, memory: &mut Memory, rows: &[usize]) -> Result<(), SpeechError> {
        for value in &mut memory.own {
            self.pick(value, rows)?;
        }
        // What was heard is the same for all; only how often it stands there changes.
        let count = |value: &Value| value.shape().first().copied().unwrap_or(0);
        if memory.other.first().is_some_and(|value| count(value) != rows.len()) {
            for value in &mut memory.other {
                self.pick(value, &vec![0; rows.len()])?;
            }
        }
        Ok(())
    }

    fn pick(&self, value: &mut Value, rows: &[usize]) -> Result<(), SpeechError> {
        let whole = std::mem::replace(value, Tensor::<f32>::zeros(&[0]).into());
        let tensor = whole.into_tensor::<f32>();
        let tensor = tensor.ok_or_else(|| self.network.failed("writing", "it kept no numbers".to_owned()))?;
        let mut shape = tensor.shape().to_vec();
        let each: usize = shape.iter().skip(1).product();
        let data = tensor.into_data();
        let kept: Vec<f32> =
            rows.iter().flat_map(|row| &data[row * each..(row + 1) * each]).copied().collect();
        if let Some(count) = shape.first_mut() {
            *count = rows.len();
        }
        *value = Tensor::from_data(&shape[..], kept).into();
        Ok(())
    }

    /// Makes the error of work that nobody waits for any more.
    pub fn cancelled(&self) -> SpeechError {
        SpeechError::Cancelled { engine: self.network.engine().to_owned() }
    }
}

fn likeliest(scores: &[f32], allowed: impl Fn(u32) -> bool) -> u32 {
    let numbered = (0_u32..).zip(scores).filter(|(token, _)| allowed(*token));
    numbered.max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(token, _)| token)
}

fn log_probability(scores: &[f32], token: u32) -> f32 {
    scores.get(token as usize).map_or(f32::NEG_INFINITY, |score| score - log_total(scores))
}

/// Returns what is taken from a score to make it a log probability.
pub fn log_total(scores: &[f32]) -> f32 {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    highest + scores.iter().map(|score| (score - highest).exp()).sum::<f32>().ln()
}

/// How often a loop of so many tokens must have come in a row to be one: words do come twice.
fn turns_of_a_loop(length: usize) -> usize {
    match length {
        1 => 8,
        2 | 3 => 5,
        _ => 3,
    }
}

/// Returns the length of what the tokens end with over and over.
fn loop_length(tokens: &[u32]) -> Option<usize> {
    (1..=LONGEST_LOOP).find(|&length| {
        let turns = turns_of_a_loop(length);
        let Some(start) = tokens.len().checked_sub(length * turns) else { return false };
        let tail = &tokens[start..];
        tail.iter().zip(&tail[length..]).all(|(a, b)| a == b)
    })
}

/// Cuts the tokens off after the first turn of their loop.
fn keep_one_turn(tokens: &mut Vec<u32>, length: usize) {
    while tokens.len() >= 2 * length {
        let end = tokens.len();
        if tokens[end - length..] != tokens[end - 2 * length..end - length] {
            break;
        }
        tokens.truncate(end - length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_round_and_round_is_found_and_cut_to_one_turn() {
        let mut tokens: Vec<u32> = [9, 8].into_iter().chain([1, 2, 3, 4].repeat(3)).collect();
        assert_eq!(loop_length(&tokens), Some(4));
        keep_one_turn(&mut tokens, 4);
        assert_eq!(tokens, [9, 8, 1, 2, 3, 4]);
        assert_eq!(loop_length(&[5; 8]), Some(1));
    }

    /// Writes by a network that never ends its text: `after` says which token follows which.
    fn endless(rules: &Rules<'_>, after: impl Fn(u32) -> u32) -> (Written, usize) {
        let mut steps = 0;
        let written = rules.write(|fed| {
            steps += 1;
            assert!(steps <= 1_000, "nothing stops it");
            let token = after(*fed.last().expect("is fed something"));
            Ok((0..2_000).map(|other| if other == token { 1.0 } else { 0.0 }).collect())
        });
        (written.expect("the network does not fail"), steps)
    }

    #[test]
    fn a_text_without_an_end_or_a_loop_is_cut_at_the_most_tokens() {
        let rules = Rules { prompt: &[3, 4], end: 0, most: 220, allowed: &|_| true, never_first: &[] };
        let (written, steps) = endless(&rules, |token| token + 1);
        assert_eq!((written.tokens, written.looped, steps), ((5..225).collect(), false, 220));
        let (written, steps) = endless(&rules, |_| 7);
        assert_eq!((written.tokens, written.looped, steps), (vec![7], true, 8));
        let (written, steps) = endless(&rules, |token| if token == 6 { 0 } else { token + 1 });
        assert_eq!((written.tokens, written.looped, steps), (vec![5, 6], false, 3), "it ends by itself");
    }

    #[test]
    fn a_word_said_twice_is_no_loop() {
        assert_eq!(loop_length(&[7, 7, 7]), None);
        assert_eq!(loop_length(&[1, 2, 3, 4, 1, 2, 3, 4]), None);
        assert_eq!(loop_length(&[]), None);
    }

    #[test]
    fn the_likeliest_that_is_allowed_is_taken() {
        assert_eq!(likeliest(&[0.1, 3.0, 2.0], |token| token != 1), 2);
        assert!((log_probability(&[1.0, 1.0], 0) - 0.5_f32.ln()).abs() < 1e-6);
    }
}
