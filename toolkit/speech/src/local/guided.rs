//! Listening with a net of sentences in hand: of all that can be said, what the model holds likeliest.
//!
//! A beam search over the model's tokens in which only those go on that some sentence of the net goes on with
//! (Graves 2012, "Sequence Transduction with Recurrent Neural Networks", §2.5, with the net as a hard constraint).

use std::collections::{BTreeMap, HashSet};

use rten_tensor::Tensor;

use super::decoder::{Decoder, Memory, Rules, Written, log_total};
use super::pool::Stop;
use super::words::Words;
use crate::SpeechError;
use crate::grammar::{Grammar, Places, letters};

/// Where the likeliest sentence found is farther from what was heard freely than this (see
/// [`Grammar::with_farthest`]), a nearer one may have been dropped: it is looked for again, with a wider beam.
const NEAR: f32 = 0.2;
const WIDER: usize = 4;

/// So many times farther than the farthest that is taken, a wider beam finds nothing that is: people also say what is no
/// sentence of the net, and would wait for a search of several times the first one's length.
const HOPELESS: f32 = 1.5;

/// The least share of the letters that were heard freely which a sentence must have to be what was meant.
const SHORTEST: f32 = 0.4;

/// Signs that a model writes between words and that say nothing.
const SIGNS: [&str; 9] = ["", ",", ".", "-", "'", "?", "!", "…", ":"];

/// The tokens of a model by their letters.
pub struct Vocabulary {
    branches: Vec<Branch>,
    signs: Vec<u32>,
}

#[derive(Default)]
struct Branch {
    children: BTreeMap<u8, u32>,
    tokens: Vec<u32>,
}

/// A sentence of the net and how likely the model holds it.
#[derive(Clone, Debug)]
pub struct Guided {
    /// Its letters.
    pub letters: Vec<u8>,
    /// The sum of its tokens' log probabilities, the end's included.
    pub sum: f32,
}

/// A beginning of a sentence.
#[derive(Clone)]
struct Beginning {
    places: Places,
    guided: Guided,
    last: u32,
    /// The last token was a sign; another one would lead nowhere.
    sign: bool,
    /// Which of the texts before it goes on.
    row: usize,
    tokens: usize,
}

// === Vocabulary ===

impl Vocabulary {
    /// Sorts the tokens of `words` by their letters.
    pub fn new(words: &Words) -> Self {
        let mut vocabulary = Self { branches: vec![Branch::default()], signs: Vec::new() };
        for (token, bytes) in words.tokens() {
            match std::str::from_utf8(bytes) {
                _ if bytes.is_empty() => {}
                Ok(text) if SIGNS.contains(&text.trim()) => vocabulary.signs.push(token),
                Ok(text)
                    if text.chars().all(|letter| letter.is_alphanumeric() || " -'.,".contains(letter)) =>
                {
                    vocabulary.add(&letters(text), token);
                }
                Ok(_) => {}
                // A part of a letter.
                Err(_) => {
                    let kept: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii()).collect();
                    vocabulary.add(&kept, token);
                }
            }
        }
        vocabulary
    }

    fn add(&mut self, letters: &[u8], token: u32) {
        let mut branch = 0;
        for letter in letters {
            let fresh = self.branches.len() as u32;
            let next = *self.branches[branch].children.entry(*letter).or_insert(fresh);
            if next == fresh {
                self.branches.push(Branch::default());
            }
            branch = next as usize;
        }
        self.branches[branch].tokens.push(token);
    }

    /// Returns the tokens that some sentence goes on with, with their letters and where each leads.
    fn go_on(&self, grammar: &Grammar, places: &Places) -> Vec<(u32, Vec<u8>, Places)> {
        let mut found = Vec::new();
        let mut left = vec![(0_u32, places.clone(), Vec::new())];
        while let Some((branch, places, letters)) = left.pop() {
            for (&letter, &child) in &self.branches[branch as usize].children {
                let next = grammar.next(&places, letter);
                if next.is_empty() {
                    continue;
                }
                let letters = [&letters[..], &[letter]].concat();
                let tokens = &self.branches[child as usize].tokens;
                found.extend(tokens.iter().map(|&token| (token, letters.clone(), next.clone())));
                left.push((child, next, letters));
            }
        }
        found
    }
}

/// What is heard with a net in hand.
pub struct Guide<'a> {
    pub grammar: &'a Grammar,
    pub vocabulary: &'a Vocabulary,
    /// How many beginnings of sentences are kept at once, at first.
    pub beam: usize,
}

impl Guide<'_> {
    /// Returns the sentence of the net that was meant by what was written freely as `text`; `None` where it is none.
    ///
    /// # Errors
    /// Those of [`Decoder::write`].
    pub fn lead(
        &self,
        decoder: &Decoder,
        heard: &Tensor<f32>,
        rules: &Rules<'_>,
        (written, text): (&Written, &str),
        stop: &Stop,
    ) -> Result<Option<String>, SpeechError> {
        if let Some(sentence) = self.grammar.taken(text) {
            return Ok(Some(sentence));
        }
        let mut nearest: Option<(Guided, f32)> = None;
        for beam in [self.beam, self.beam * WIDER] {
            let Some(guided) = self.follow(decoder, heard, rules, beam, stop)? else { continue };
            let behind = (written.sum - guided.sum) / guided.letters.len().max(1) as f32;
            if nearest.as_ref().is_none_or(|(_, before)| behind < *before) {
                nearest = Some((guided, behind));
            }
            let is_settled = |behind: f32| behind <= NEAR || behind > HOPELESS * self.grammar.farthest;
            if nearest.as_ref().is_some_and(|(_, behind)| is_settled(*behind)) {
                break;
            }
        }
        let Some((guided, behind)) = nearest else { return Ok(None) };
        tracing::debug!(behind, text, "heard with a grammar in hand");
        // The fewer words, the likelier they are together: the shortest sentence is near whatever long one was said.
        let is_short = (guided.letters.len() as f32) < SHORTEST * letters(text).len() as f32;
        if is_short && self.grammar.farthest.is_finite() {
            return Ok(None);
        }
        Ok(self.grammar.sentence_of(&guided.letters).filter(|_| behind <= self.grammar.farthest))
    }

    /// Returns the likeliest sentence of the net.
    fn follow(
        &self,
        decoder: &Decoder,
        heard: &Tensor<f32>,
        rules: &Rules<'_>,
        beam: usize,
        stop: &Stop,
    ) -> Result<Option<Guided>, SpeechError> {
        let mut memory = Memory::default();
        let mut scores = decoder.rows(heard, &[rules.prompt], &mut memory)?;
        let nothing = Guided { letters: Vec::new(), sum: 0.0 };
        let mut live = vec![Beginning {
            places: self.grammar.start(),
            guided: nothing,
            last: 0,
            sign: true,
            row: 0,
            tokens: 0,
        }];
        let mut best: Option<Guided> = None;
        while !live.is_empty() && live[0].tokens < rules.most {
            if stop.is_set() {
                return Err(decoder.cancelled());
            }
            let mut next = Vec::new();
            for (row, (begun, scores)) in live.iter().zip(&scores).enumerate() {
                let ended = self.go_on(begun, row, scores, rules.end, &mut next);
                if ended.as_ref().is_some_and(|ended| best.as_ref().is_none_or(|best| ended.sum > best.sum)) {
                    best = ended;
                }
            }
            live = nearest(next, beam, best.as_ref().map_or(f32::NEG_INFINITY, |best| best.sum));
            if live.is_empty() {
                break;
            }
            let rows: Vec<usize> = live.iter().map(|begun| begun.row).collect();
            decoder.keep(&mut memory, &rows)?;
            let tokens: Vec<[u32; 1]> = live.iter().map(|begun| [begun.last]).collect();
            let texts: Vec<&[u32]> = tokens.iter().map(|token| &token[..]).collect();
            scores = decoder.rows(heard, &texts, &mut memory)?;
        }
        Ok(best)
    }

    /// Adds what a beginning may go on with, and returns it ended where a sentence may end here.
    fn go_on(
        &self,
        begun: &Beginning,
        row: usize,
        scores: &[f32],
        end: u32,
        next: &mut Vec<Beginning>,
    ) -> Option<Guided> {
        let total = log_total(scores);
        let score = |token: u32| scores.get(token as usize).map_or(f32::NEG_INFINITY, |score| score - total);
        for (token, letters, places) in self.vocabulary.go_on(self.grammar, &begun.places) {
            let guided = Guided {
                letters: [&begun.guided.letters[..], &letters].concat(),
                sum: begun.guided.sum + score(token),
            };
            next.push(Beginning { places, guided, last: token, sign: false, row, tokens: begun.tokens + 1 });
        }
        if !begun.sign || begun.tokens == 0 {
            let likeliest = self.vocabulary.signs.iter().max_by(|&&a, &&b| score(a).total_cmp(&score(b)));
            if let Some(&token) = likeliest {
                let guided = Guided { sum: begun.guided.sum + score(token), ..begun.guided.clone() };
                let tokens = begun.tokens + 1;
                next.push(Beginning { guided, last: token, sign: true, row, tokens, ..begun.clone() });
            }
        }
        begun.places.may_end().then(|| Guided { sum: begun.guided.sum + score(end), ..begun.guided.clone() })
    }
}

/// Returns the likeliest beginnings, each once however it was cut into tokens, that may still become likelier than
/// `best`.
fn nearest(mut next: Vec<Beginning>, beam: usize, best: f32) -> Vec<Beginning> {
    next.retain(|begun| begun.guided.sum > best);
    next.sort_by(|a, b| b.guided.sum.total_cmp(&a.guided.sum));
    let mut seen = HashSet::new();
    next.retain(|begun| seen.len() < beam && seen.insert((begun.guided.letters.clone(), begun.sign)));
    next
}
