//! Leading what was misheard back to what can be said: a transcript against known sentences and names, by sound.
//!
//! Engines write what sounds alike: "주방 풀 켜 줘" for "주방 불 켜 줘", "turn of the light" for "turn off the light".
//! Both sides become a row of sounds ([`Sounds`]), and the known text with the nearest row is taken where it is near
//! enough and nearer than any other.

mod english;
mod korean;
mod near;

use std::ops::Range;

use near::distance;

/// How a language's letters sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sounds {
    /// By jamo as they are spoken, after the rules of standard pronunciation.
    Korean,
    /// By consonants as they are spoken, vowels weighing little.
    English,
}

/// Texts that can be said, by their sounds.
#[derive(Clone, Debug)]
pub struct Repair {
    sounds: Sounds,
    known: Vec<Known>,
    options: Limits,
}

#[derive(Clone, Debug)]
struct Known {
    text: String,
    row: Vec<Sound>,
    words: usize,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The farthest that counts, as a part of the row.
    farthest: f32,
    /// How much nearer than any other it must be.
    apart: f32,
}

/// One sound: a letter that stands for it, and whether it is a vowel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sound {
    letter: char,
    vowel: bool,
}

/// What was meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Repaired {
    /// The known text.
    pub text: String,
    /// Which of the known texts it is.
    pub index: usize,
    /// How far it is from what was heard: 0 is alike, 1 has nothing in common.
    pub distance: f32,
    /// The bytes of what was heard that it stands for.
    pub place: Range<usize>,
}

// === Repair ===

impl Repair {
    /// Takes the texts that can be said. Those without a sound are passed over when matching.
    pub fn new<T: Into<String>>(sounds: Sounds, known: impl IntoIterator<Item = T>) -> Self {
        let known = known.into_iter().map(|text| {
            let text = text.into();
            let words = text.split_whitespace().count();
            Known { row: sounds.row(&text), text, words }
        });
        Self { sounds, known: known.collect(), options: Limits { farthest: 0.34, apart: 0.04 } }
    }

    /// Sets the farthest that counts, as a part of what was heard. Without it 0.34, which is for speech that is known to
    /// be one of the texts.
    #[must_use]
    pub fn with_farthest(mut self, farthest: f32) -> Self {
        self.options.farthest = farthest;
        self
    }

    /// Returns the known text that all of `heard` stands for; nothing where none is near, or two are.
    pub fn whole(&self, heard: &str) -> Option<Repaired> {
        let row = self.sounds.row(heard);
        let found = self.nearest(
            self.known
                .iter()
                .enumerate()
                .map(|(index, known)| (index, distance(&row, &known.row, self.sounds), 0..heard.len())),
        )?;
        Some(found)
    }

    /// Returns the known text that some words of `heard` stand for; nothing where none is near, or two are.
    pub fn within(&self, heard: &str) -> Option<Repaired> {
        let words = words(heard);
        // Engines cut words where they like, though not without end.
        let most = self.known.iter().map(|known| known.words + 2).max().unwrap_or_default();
        let mut best: Vec<Option<(f32, Range<usize>)>> = vec![None; self.known.len()];
        for (first, word) in words.iter().enumerate() {
            for (count, last) in (1..).zip(words[first..].iter().take(most)) {
                let place = word.start..last.end;
                let row = self.sounds.row(&heard[place.clone()]);
                for (known, best) in self.known.iter().zip(&mut best) {
                    if count > known.words + 2 || row.len() > 2 * known.row.len() + 2 {
                        continue;
                    }
                    let far = distance(&row, &known.row, self.sounds);
                    if best.as_ref().is_none_or(|(before, _)| far < *before) {
                        *best = Some((far, place.clone()));
                    }
                }
            }
        }
        let found = best.into_iter().enumerate();
        self.nearest(found.filter_map(|(index, best)| best.map(|(far, place)| (index, far, place))))
    }

    fn nearest(&self, found: impl Iterator<Item = (usize, f32, Range<usize>)>) -> Option<Repaired> {
        let mut found: Vec<_> = found.filter(|(index, ..)| !self.known[*index].row.is_empty()).collect();
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (index, far, place) = found.first()?.clone();
        let rival = found.iter().skip(1).find(|(other, ..)| self.known[*other].row != self.known[index].row);
        let clear = rival.is_none_or(|(_, rival, _)| rival - far >= self.options.apart);
        (far <= self.options.farthest && clear).then(|| Repaired {
            text: self.known[index].text.clone(),
            index,
            distance: far,
            place,
        })
    }
}

fn words(text: &str) -> Vec<Range<usize>> {
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    text.split_whitespace().map(|word| offset(word)..offset(word) + word.len()).collect()
}

// === Sounds ===

impl Sounds {
    /// Returns the sounds of a language, of two letters of ISO 639-1, that we know.
    pub fn of_language(language: &str) -> Option<Self> {
        match language {
            "ko" => Some(Self::Korean),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    fn row(self, text: &str) -> Vec<Sound> {
        match self {
            Self::Korean => korean::row(text),
            Self::English => english::row(text),
        }
    }
}

#[cfg(test)]
mod tests;
