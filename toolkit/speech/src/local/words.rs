//! From tokens back to text: a reader of `tokenizer.json`, for the two ways in which speech models cut words.
//!
//! Only the way back is needed, which is a table; the whole of the usual library would bring a regular expression
//! engine in C and its training code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::SpeechError;

/// The words of a model.
pub struct Words {
    /// For every token the bytes it stands for; nothing for those that steer.
    bytes: Vec<Vec<u8>>,
    special: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    model: Vocabulary,
    #[serde(default)]
    decoder: Option<Way>,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
}

#[derive(Deserialize)]
struct Vocabulary {
    vocab: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Way {
    #[serde(rename = "type")]
    kind: String,
}

// === Words ===

impl Words {
    /// Reads `tokenizer.json` in `folder`.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when it is not there or is something else.
    pub fn open(folder: &Path) -> Result<Self, SpeechError> {
        let wrong = |problem: String| SpeechError::Model { folder: folder.to_owned(), problem };
        let text = std::fs::read_to_string(folder.join("tokenizer.json"))
            .map_err(|error| wrong(format!("reading tokenizer.json: {error}")))?;
        Self::parse(&text).map_err(|problem| wrong(format!("reading tokenizer.json: {problem}")))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let by_bytes = file.decoder.is_some_and(|way| way.kind == "ByteLevel");
        let letters = byte_letters();
        let most = file.model.vocab.values().copied().max().unwrap_or(0) as usize;
        if most > 1_000_000 {
            return Err(format!("{most} tokens are more than speech needs"));
        }
        let mut bytes = vec![Vec::new(); most + 1];
        for (token, &id) in &file.model.vocab {
            bytes[id as usize] = if by_bytes { from_letters(token, &letters) } else { from_pieces(token) };
        }
        let special: BTreeMap<String, u32> =
            file.added_tokens.into_iter().map(|added| (added.content, added.id)).collect();
        for &id in special.values() {
            if let Some(meaning) = bytes.get_mut(id as usize) {
                meaning.clear();
            }
        }
        Ok(Self { bytes, special })
    }

    /// Returns the number of a token that steers, such as `<|ko|>`.
    pub fn special(&self, name: &str) -> Option<u32> {
        self.special.get(name).copied()
    }

    /// Returns the tokens that name a language by its code of ISO 639, such as `<|ko|>`.
    pub fn languages(&self) -> Vec<u32> {
        let is_code =
            |name: &str| (2..=3).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase());
        let named = |name: &String| {
            name.strip_prefix("<|").and_then(|rest| rest.strip_suffix("|>")).is_some_and(is_code)
        };
        self.special.iter().filter(|(name, _)| named(name)).map(|(_, token)| *token).collect()
    }

    /// Returns the tokens that stand for one of these texts, with or without spaces around it.
    pub fn that_say(&self, texts: &[&str]) -> BTreeSet<u32> {
        let is_meant =
            |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| texts.contains(&text.trim()));
        (0_u32..).zip(&self.bytes).filter(|(_, bytes)| is_meant(bytes)).map(|(token, _)| token).collect()
    }

    /// Returns every token with the bytes it stands for; none for those that steer.
    pub fn tokens(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0_u32..).zip(self.bytes.iter().map(Vec::as_slice))
    }

    /// Returns the text of tokens, without those that steer. What is no UTF-8 becomes U+FFFD.
    pub fn text(&self, tokens: &[u32]) -> String {
        let parts = tokens.iter().filter_map(|&token| self.bytes.get(token as usize));
        let bytes: Vec<u8> = parts.flatten().copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

/// The letters that stand for bytes in byte-level BPE: printable ones for themselves, the rest from U+0100 on
/// (Radford et al. 2019, `bytes_to_unicode` of GPT-2).
fn byte_letters() -> BTreeMap<char, u8> {
    let mut next = 0x100_u32;
    let mut letters = BTreeMap::new();
    for byte in 0..=u8::MAX {
        let plain = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let letter = if plain { char::from(byte) } else { char::from_u32(next).unwrap_or_default() };
        next += u32::from(!plain);
        letters.insert(letter, byte);
    }
    letters
}

fn from_letters(token: &str, letters: &BTreeMap<char, u8>) -> Vec<u8> {
    token.chars().filter_map(|letter| letters.get(&letter).copied()).collect()
}

/// SentencePiece: `▁` is a space, `<0x0A>` a byte.
fn from_pieces(token: &str) -> Vec<u8> {
    let byte = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => vec![byte],
        None => token.replace('\u{2581}', " ").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_words_and_bytes_become_letters() {
        let words = Words::parse(
            r#"{"added_tokens":[{"id":0,"content":"</s>"}],"decoder":{"type":"Sequence"},
            "model":{"vocab":{"</s>":0,"▁turn":1,"▁on":2,"<0xEB>":3,"<0x84>":4,"<0xA4>":5}}}"#,
        );
        let words = words.expect("it is one");
        assert_eq!(words.text(&[1, 2, 0]), "turn on");
        assert_eq!(words.text(&[3, 4, 5]), "네");
        assert_eq!(words.text(&[3, 4]), "\u{FFFD}");
        assert_eq!(words.special("</s>"), Some(0));
        assert_eq!(words.that_say(&["on", "네"]).into_iter().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn letters_that_stand_for_bytes_become_text() {
        let words = Words::parse(
            r#"{"decoder":{"type":"ByteLevel"},"model":{"vocab":{"ĠìĿ´":0,"ë¦Ħ":1}},
            "added_tokens":[{"id":7,"content":"<|ko|>"}]}"#,
        );
        let words = words.expect("it is one");
        assert_eq!(words.text(&[0, 1, 7, 99]), "이름");
        assert_eq!(words.languages(), [7]);
    }
}
