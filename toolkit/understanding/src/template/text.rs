//! Text made ready for matching, with the way back from each character to where it stood in what was said.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters to match, lower case, each with its bytes in the text as said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracked {
    /// The characters in lower case.
    pub chars: Vec<char>,
    /// The same characters as written.
    pub written: Vec<char>,
    /// For each character the bytes of the original it stands for.
    pub bytes: Vec<Range<usize>>,
}

const PUNCTUATION: &[char] = &[
    '.', '。', ',', '，', '?', '¿', '？', '؟', '!', '¡', '！', ';', '；', ':', '：', '’', '…', '—', '–', '―',
];

/// Returns whether `char` may be left out at the edges of words.
pub fn is_punctuation(char: char) -> bool {
    PUNCTUATION.contains(&char)
}

/// Returns whether `char` can be a part of a word.
pub fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn is_cjk(char: char) -> bool {
    matches!(char, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7af}')
}

/// Makes every run of white space one space, composes characters (NFC) and writes apostrophes one way.
pub fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for char in text.nfc() {
        let char = if char == '’' { '\'' } else { char };
        match char.is_whitespace() {
            true if tidied.ends_with(' ') => {}
            true => tidied.push(' '),
            false => tidied.push(char),
        }
    }
    tidied
}

/// Returns the lower case of one character where that is one character, else the character itself.
pub fn lower(char: char) -> char {
    let mut lowered = char.to_lowercase();
    match (lowered.next(), lowered.next()) {
        (Some(only), None) => only,
        _ => char,
    }
}

/// Returns `text` without white space between characters of scripts that are written without it.
pub fn without_cjk_spaces(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    (0..chars.len()).filter(|&at| !between_cjk(&chars, at)).map(|at| chars[at]).collect()
}

fn between_cjk(chars: &[char], at: usize) -> bool {
    if !chars[at].is_whitespace() {
        return false;
    }
    let before = chars[..at].iter().rev().find(|char| !char.is_whitespace());
    let after = chars[at..].iter().find(|char| !char.is_whitespace());
    before.copied().is_some_and(is_cjk) && after.copied().is_some_and(is_cjk)
}

// === Tracked ===

impl Tracked {
    /// Normalises `text`: composed characters, single spaces, no punctuation at the edges of words.
    pub fn new(text: &str) -> Self {
        let mut tracked = Self::unpunctuated(text);
        tracked.remove_punctuation();
        tracked.trim();
        tracked
    }

    /// Composes characters and makes white space single; punctuation stays.
    pub fn unpunctuated(text: &str) -> Self {
        let mut tracked = Self::default();
        let mut start = 0;
        while start < text.len() {
            let cluster = cluster_end(text, start);
            for char in text[start..cluster].nfc() {
                let char = if char == '’' { '\'' } else { char };
                let char = if char.is_whitespace() { ' ' } else { char };
                if !(char == ' ' && tracked.written.last() == Some(&' ')) {
                    tracked.push(char, start..cluster);
                }
            }
            start = cluster;
        }
        tracked
    }

    fn push(&mut self, char: char, bytes: Range<usize>) {
        self.chars.push(lower(char));
        self.written.push(char);
        self.bytes.push(bytes);
    }

    /// Returns how many characters there are.
    pub fn len(&self) -> usize {
        self.chars.len()
    }

    /// Appends a space that stands for nothing in the original: the last word has an end too.
    pub fn end_word(&mut self) {
        let end = self.bytes.last().map_or(0, |bytes| bytes.end);
        self.push(' ', end..end);
    }

    /// Keeps the characters for which `keep` says so, by position.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = Self::default();
        for at in (0..self.len()).filter(|&at| keep(at)) {
            kept.push(self.written[at], self.bytes[at].clone());
        }
        *self = kept;
    }

    /// Removes white space between characters of scripts that are written without it.
    pub fn remove_cjk_spaces(&mut self) {
        let chars = self.chars.clone();
        self.retain(|at| !between_cjk(&chars, at));
    }

    /// Removes spaces at both ends and doubled ones.
    pub fn trim(&mut self) {
        let chars = self.chars.clone();
        let first = chars.iter().position(|char| *char != ' ').unwrap_or(chars.len());
        let last = chars.iter().rposition(|char| *char != ' ').unwrap_or(0);
        self.retain(|at| at >= first && at <= last && !(chars[at] == ' ' && at > 0 && chars[at - 1] == ' '));
    }

    /// Returns the words between two positions as written, without spaces at the ends.
    pub fn words(&self, range: Range<usize>) -> String {
        self.written[range].iter().collect::<String>().trim().to_owned()
    }

    /// Returns where in the original the characters of `range` stand, without spaces at the ends.
    pub fn span(&self, range: Range<usize>) -> Range<usize> {
        let inside = |at: &usize| self.chars[*at] != ' ';
        let first = range.clone().find(inside);
        let last = range.rev().find(inside);
        match (first, last) {
            (Some(first), Some(last)) => self.bytes[first].start..self.bytes[last].end,
            _ => 0..0,
        }
    }

    fn remove_punctuation(&mut self) {
        let chars = self.chars.clone();
        let mut keep = vec![true; chars.len()];
        let mut start = 0;
        while start < chars.len() {
            let end = (start..chars.len()).find(|&at| !is_punctuation(chars[at])).unwrap_or(chars.len());
            if end > start && is_at_edge(&chars, start, end) {
                keep[start..end].fill(false);
            }
            start = end.max(start + 1);
        }
        self.retain(|at| keep[at]);
    }
}

/// Returns whether the punctuation between `start` and `end` stands at the edge of a word and not inside one.
fn is_at_edge(chars: &[char], start: usize, end: usize) -> bool {
    let word_before = start > 0 && is_word(chars[start - 1]);
    let word_after = end < chars.len() && is_word(chars[end]);
    if word_before && word_after {
        return false;
    }
    // The dot of "A.C." is a part of the word.
    let initialism = start >= 3 && chars[start - 2] == '.' && is_word(chars[start - 3]);
    !(word_before && initialism && end - start == 1 && chars[start] == '.')
}

/// Returns the end of the character at `start` together with what combines with it.
fn cluster_end(text: &str, start: usize) -> usize {
    let mut chars = text[start..].char_indices();
    chars.next();
    let rest = chars.find(|(_, char)| !(is_combining_mark(*char) || is_jamo_tail(*char)));
    rest.map_or(text.len(), |(offset, _)| start + offset)
}

/// Returns whether `char` is a Hangul vowel or final consonant that joins the consonant before it.
fn is_jamo_tail(char: char) -> bool {
    matches!(char, '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tracked: &Tracked) -> String {
        tracked.written.iter().collect()
    }

    #[test]
    fn punctuation_goes_at_the_edges_and_stays_within_words() {
        assert_eq!(text(&Tracked::new("  Hello,  world! Set 21.5 at A.C. ")), "Hello world Set 21.5 at A.C.");
    }

    #[test]
    fn decomposed_hangul_is_composed_and_its_span_covers_the_parts() {
        let decomposed: String = "불 켜".nfd().collect();
        let tracked = Tracked::new(&decomposed);
        assert_eq!(text(&tracked), "불 켜");
        assert_eq!(&decomposed[tracked.span(0..1)], "불".nfd().collect::<String>());
    }
}
