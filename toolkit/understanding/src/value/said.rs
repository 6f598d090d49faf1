//! What was said as characters in lower case, with small questions about what stands where.

use std::ops::Range;

use crate::template::text::Tracked;

/// Characters with their bytes in the original.
pub(crate) struct Said {
    chars: Vec<char>,
    bytes: Vec<Range<usize>>,
}

// === Said ===

impl Said {
    pub(crate) fn new(text: &str) -> Self {
        let Tracked { chars, bytes, .. } = Tracked::unpunctuated(text);
        Self { chars, bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Returns the character at `at`, or a line feed (which no text here holds) beyond the ends.
    pub(crate) fn at(&self, at: usize) -> char {
        self.chars.get(at).copied().unwrap_or('\n')
    }

    pub(crate) fn before(&self, at: usize) -> char {
        if at == 0 { '\n' } else { self.at(at - 1) }
    }

    /// Returns where `word` ends when it stands at `at`; a space in `word` may be missing from what was said.
    pub(crate) fn word(&self, at: usize, word: &str) -> Option<usize> {
        let mut here = at;
        for wanted in word.chars() {
            match wanted {
                ' ' => here = self.spaces(here),
                _ if self.at(here) == wanted => here += 1,
                _ => return None,
            }
        }
        Some(here)
    }

    /// Returns the longest of `words` that stands at `at`, as its end and what it stands for.
    pub(crate) fn any<T: Clone>(&self, at: usize, words: &[(&str, T)]) -> Option<(usize, T)> {
        let there = words.iter().filter_map(|(word, meaning)| Some((self.word(at, word)?, meaning)));
        there.max_by_key(|(end, _)| *end).map(|(end, meaning)| (end, meaning.clone()))
    }

    /// Returns where the longest of `words` ends that stands at `at`.
    pub(crate) fn one_of(&self, at: usize, words: &[&str]) -> Option<usize> {
        words.iter().filter_map(|word| self.word(at, word)).max()
    }

    /// Returns the first position at or after `at` that is no space.
    pub(crate) fn spaces(&self, at: usize) -> usize {
        let mut at = at;
        while self.at(at) == ' ' {
            at += 1;
        }
        at
    }

    /// Returns digits at `at` as end, value and how many there are.
    pub(crate) fn digits(&self, at: usize) -> Option<(usize, i64, usize)> {
        let count = (at..self.len()).take_while(|&at| self.at(at).is_ascii_digit()).count();
        let digits: String = self.chars.get(at..at + count)?.iter().collect();
        if count == 0 { None } else { Some((at + count, digits.parse().ok()?, count)) }
    }

    /// Returns the characters of `range`.
    pub(crate) fn slice(&self, range: Range<usize>) -> String {
        self.chars[range].iter().collect()
    }

    /// Returns the bytes of `range` in the original.
    pub(crate) fn span(&self, range: Range<usize>) -> Range<usize> {
        self.bytes[range.start].start..self.bytes[range.end - 1].end
    }
}

/// Returns whether `char` is a Hangul syllable.
pub(crate) fn is_hangul(char: char) -> bool {
    matches!(char, '가'..='힣')
}
