//! What can be said, as a net: every way through it is a sentence, and a listener that follows it hears nothing else.
//!
//! Spaces, signs and the case of letters mean nothing here, since engines write them as they like; numbers may be
//! written in digits. The net is walked letter by letter (by bytes of UTF-8, as some models cut words within one), and
//! what was written is led back to the words of the net.

mod number;
#[cfg(any(test, feature = "models"))]
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

#[cfg(feature = "models")]
pub use walk::Places;

/// A piece of a sentence, from one knot of the net to another. Knot 0 is where sentences begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The knot it begins at.
    pub from: u32,
    /// The words, with the spaces around them; a part of a word has none.
    pub said: String,
    /// The knot it leads to.
    pub to: u32,
}

/// Sentences that can be said.
#[derive(Clone, Debug)]
pub struct Grammar {
    pieces: Vec<Piece>,
    /// What begins at each knot.
    begins: BTreeMap<u32, Vec<u32>>,
    ends: BTreeSet<u32>,
    pub(crate) farthest: f32,
    understood: Option<Understood>,
}

/// Tells what is taken as it was heard.
#[derive(Clone)]
struct Understood(Arc<dyn Fn(&str) -> bool + Send + Sync>);

#[derive(Clone, Debug)]
struct Piece {
    said: String,
    letters: Box<[u8]>,
    to: u32,
}

/// Where a walk stands: in a piece, before one of its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    piece: u32,
    offset: u32,
}

/// The place behind the last letter of a sentence.
const DONE: Place = Place { piece: u32::MAX, offset: 0 };

/// How much less likely than what was heard freely a sentence may be: natural logarithm, per byte of its letters.
const FARTHEST: f32 = 0.6;

// === Grammar ===

impl Grammar {
    /// Takes a net by its links and the knots where sentences may end.
    pub fn new(links: impl IntoIterator<Item = Link>, ends: impl IntoIterator<Item = u32>) -> Self {
        let (pieces, begins) = (Vec::new(), BTreeMap::new());
        let mut grammar =
            Self { pieces, begins, ends: ends.into_iter().collect(), farthest: FARTHEST, understood: None };
        let links: Vec<Link> = links.into_iter().collect();
        let most = links.iter().map(|link| link.from.max(link.to)).chain(grammar.ends.iter().copied()).max();
        let mut fresh = most.unwrap_or(0) + 1;
        for link in links {
            for piece in number::pieces(&link, &mut fresh) {
                grammar.add(piece.0, piece.1);
            }
        }
        grammar
    }

    /// Takes whole sentences.
    pub fn of_sentences<'a>(sentences: impl IntoIterator<Item = &'a str>) -> Self {
        let link = |said: &str| Link { from: 0, said: said.to_owned(), to: 1 };
        Self::new(sentences.into_iter().map(link), [1])
    }

    /// Sets how much less likely than what was heard freely a sentence may be and still be taken: the difference of
    /// the natural logarithms of their probabilities for each byte of its letters, of which Hangul has three. Without
    /// it 0.6; below 0 nothing is taken that was not heard letter for letter.
    #[must_use]
    pub fn with_farthest(mut self, farthest: f32) -> Self {
        self.farthest = farthest;
        self
    }

    /// Takes as it was heard what `is_understood` tells, such as sentences with room for any words, of which no net can
    /// hold the words.
    #[must_use]
    pub fn leaving(mut self, is_understood: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.understood = Some(Understood(Arc::new(is_understood)));
        self
    }

    /// Returns what `text` is without another look at the speech: the sentence that has its letters, or itself where it
    /// is to be left.
    pub(crate) fn taken(&self, text: &str) -> Option<String> {
        let is_left = || self.understood.as_ref().is_some_and(|understood| understood.0(text));
        self.sentence(text).or_else(|| is_left().then(|| text.to_owned()))
    }

    /// Returns the sentence that is written with these letters, whatever spaces, signs and digits are in `text`.
    pub fn sentence(&self, text: &str) -> Option<String> {
        self.sentence_of(&letters(text))
    }

    fn add(&mut self, link: Link, letters: Vec<u8>) {
        let number = self.pieces.len() as u32;
        self.begins.entry(link.from).or_default().push(number);
        self.pieces.push(Piece { said: link.said, letters: letters.into(), to: link.to });
    }

    fn read(&self, place: Place, letter: u8) -> Option<Step> {
        let piece = self.pieces.get(place.piece as usize)?;
        (piece.letters.get(place.offset as usize) == Some(&letter)).then(|| {
            let offset = place.offset + 1;
            if (offset as usize) < piece.letters.len() {
                Step::Within(Place { offset, ..place })
            } else {
                Step::Over(piece.to)
            }
        })
    }

    /// Returns the places behind a knot, past pieces without letters; each with whether a space lies before it.
    fn after(&self, knot: u32) -> Vec<(Place, bool)> {
        let (mut found, mut seen, mut left) = (Vec::new(), BTreeSet::new(), vec![(knot, false)]);
        while let Some((knot, spaced)) = left.pop() {
            if !seen.insert((knot, spaced)) {
                continue;
            }
            if self.ends.contains(&knot) {
                found.push((DONE, spaced));
            }
            for &number in self.begins.get(&knot).into_iter().flatten() {
                let piece = &self.pieces[number as usize];
                if piece.letters.is_empty() {
                    left.push((piece.to, spaced || !piece.said.is_empty()));
                } else {
                    found.push((Place { piece: number, offset: 0 }, spaced));
                }
            }
        }
        found
    }

    /// Returns the words of the net that have these letters, on the first way that has them.
    pub(crate) fn sentence_of(&self, letters: &[u8]) -> Option<String> {
        type Layer = BTreeMap<Place, (Option<Place>, bool)>;
        let first: Layer = self.after(0).into_iter().map(|(place, spaced)| (place, (None, spaced))).collect();
        let mut layers = vec![first];
        for &letter in letters {
            let mut layer = Layer::new();
            for &place in layers.last()?.keys() {
                match self.read(place, letter) {
                    Some(Step::Within(next)) => {
                        layer.entry(next).or_insert((Some(place), false));
                    }
                    Some(Step::Over(knot)) => {
                        for (next, spaced) in self.after(knot) {
                            layer.entry(next).or_insert((Some(place), spaced));
                        }
                    }
                    None => {}
                }
            }
            layers.push(layer);
        }
        let mut words: Vec<&str> = Vec::new();
        let mut place = DONE;
        for layer in layers.iter().rev() {
            let &(before, spaced) = layer.get(&place)?;
            if spaced && place.offset == 0 {
                words.push(" ");
            }
            if let Some(before) = before
                && (before.offset == 0)
            {
                words.push(&self.pieces[before.piece as usize].said);
            }
            place = before.unwrap_or(place);
        }
        let said: String = words.into_iter().rev().collect();
        Some(said.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Debug for Understood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Understood")
    }
}

enum Step {
    Within(Place),
    Over(u32),
}

/// Returns what counts of a text: letters and digits in lower case, as UTF-8.
pub(crate) fn letters(text: &str) -> Vec<u8> {
    let kept = text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase);
    kept.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests;
