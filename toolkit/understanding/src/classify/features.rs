//! What a sentence looks like to a linear classifier: words, pairs of words and parts of words, weighed by rarity.

use std::collections::{BTreeMap, HashMap};

/// Values by feature, in the order of the features.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Feature and value; the last feature is always there, with the value one.
    pub entries: Vec<(u32, f32)>,
}

/// The features of the sentences learnt from.
#[derive(Clone, Debug)]
pub struct Features {
    numbers: HashMap<u64, u32>,
    rarity: Vec<f32>,
}

/// The two families of features; each has length one in a sentence, so that neither drowns the other.
const FAMILIES: u64 = 2;

/// Parts of words have from two to five characters.
const PARTS: std::ops::RangeInclusive<usize> = 2..=5;

// === Features ===

impl Features {
    /// Learns which features there are and how rare each is.
    pub fn learn<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let mut sentences: Vec<u32> = Vec::new();
        let mut all = 0_u32;
        for text in texts {
            all += 1;
            for (hash, _) in counts(text) {
                let fresh = numbers.len() as u32;
                let number = *numbers.entry(hash).or_insert(fresh);
                if number == fresh {
                    sentences.push(0);
                }
                sentences[number as usize] += 1;
            }
        }
        let rarity = sentences.iter().map(|with| ((1.0 + all as f32) / (1.0 + *with as f32)).ln() + 1.0);
        Self { rarity: rarity.collect(), numbers }
    }

    /// Returns how many features there are, with the one that is always there.
    pub fn len(&self) -> usize {
        self.rarity.len() + 1
    }

    /// Returns the features of `text` that are known.
    pub fn of(&self, text: &str) -> Row {
        let mut entries: Vec<(u32, f32, usize)> = Vec::new();
        let mut squares = [0.0_f32; FAMILIES as usize];
        for (hash, count) in counts(text) {
            if let Some(number) = self.numbers.get(&hash) {
                let value = (1.0 + (count as f32).ln()) * self.rarity[*number as usize];
                let family = (hash % FAMILIES) as usize;
                squares[family] += value * value;
                entries.push((*number, value, family));
            }
        }
        entries.sort_unstable_by_key(|(number, _, _)| *number);
        let scaled =
            entries.into_iter().map(|(number, value, family)| (number, value / squares[family].sqrt()));
        let always = std::iter::once((self.rarity.len() as u32, 1.0));
        Row { entries: scaled.chain(always).collect() }
    }
}

/// Returns how often each feature occurs, by its hash and in its order, so that sums come out the same every time; the hash's lowest bit tells its family.
fn counts(text: &str) -> BTreeMap<u64, u32> {
    let lower = text.to_lowercase();
    let mut counts = BTreeMap::new();
    let words: Vec<&str> = lower
        .split(|char: char| !(char.is_alphanumeric() || char == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    for word in &words {
        *counts.entry(hash(0, word.chars())).or_insert(0) += 1;
    }
    for pair in words.windows(2) {
        let both = pair[0].chars().chain([' ']).chain(pair[1].chars());
        *counts.entry(hash(0, both)).or_insert(0) += 1;
    }
    for word in lower.split_whitespace() {
        let padded: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
        for length in PARTS {
            if padded.len() <= length {
                *counts.entry(hash(1, padded.iter().copied())).or_insert(0) += 1;
                break;
            }
            for part in padded.windows(length) {
                *counts.entry(hash(1, part.iter().copied())).or_insert(0) += 1;
            }
        }
    }
    counts
}

/// FNV-1a over the characters, with the family as its lowest bit.
fn hash(family: u64, chars: impl Iterator<Item = char>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ family;
    for char in chars {
        hash = (hash ^ u64::from(u32::from(char))).wrapping_mul(0x0100_0000_01b3);
    }
    (hash & !1) | family
}
