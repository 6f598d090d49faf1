//! Words that mean nothing, taken out of what was said.

use crate::template::text::{Tracked, is_word};

/// Words that mean nothing, longest first, in lower case.
#[derive(Clone, Debug, Default)]
pub struct SkipWords {
    words: Vec<Vec<char>>,
    anywhere: bool,
}

/// Where words are taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Where {
    /// Anywhere.
    Everywhere,
    /// In front of the first word that means something.
    Front,
    /// After the last.
    Back,
}

// === SkipWords ===

impl SkipWords {
    /// Takes `words` as a file lists them; `anywhere`: also within words, for scripts written without spaces.
    pub fn new(words: &[String], anywhere: bool) -> Self {
        let mut words: Vec<Vec<char>> = words.iter().map(|word| Tracked::new(word).chars).collect();
        words.retain(|word| !word.is_empty());
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self { words, anywhere }
    }

    /// Returns `text` without the words.
    pub fn remove(&self, text: &Tracked, place: Where) -> Tracked {
        let mut kept = text.clone();
        while let Some((start, end)) = self.find(&kept.chars, place) {
            kept.retain(|at| at < start || at >= end);
            if !self.anywhere || place != Where::Everywhere {
                kept.trim();
            }
        }
        kept
    }

    fn find(&self, chars: &[char], place: Where) -> Option<(usize, usize)> {
        let starts = match place {
            Where::Front => 0..1.min(chars.len()),
            _ => 0..chars.len(),
        };
        for start in starts {
            for word in &self.words {
                let end = start + word.len();
                if chars.get(start..end) != Some(word) {
                    continue;
                }
                let alone = self.anywhere || !(touches(chars, start) || touches(chars, end));
                if alone && (place != Where::Back || end == chars.len()) {
                    return Some((start, end));
                }
            }
        }
        None
    }
}

/// Returns whether a word runs on over the border in front of `at`.
fn touches(chars: &[char], at: usize) -> bool {
    at > 0 && is_word(chars[at - 1]) && chars.get(at).copied().is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_whole_and_never_as_a_part_of_another() {
        let skip = SkipWords::new(&["please".to_owned(), "can you".to_owned()], false);
        let text = |place| skip.remove(&Tracked::new("please can you pleased now please"), place);
        let written = |tracked: Tracked| tracked.written.into_iter().collect::<String>();
        assert_eq!(written(text(Where::Everywhere)), "pleased now");
        assert_eq!(written(text(Where::Front)), "pleased now please");
        assert_eq!(written(text(Where::Back)), "please can you pleased now");
    }
}
