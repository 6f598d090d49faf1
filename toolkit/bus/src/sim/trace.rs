//! The digest of a run: every decision and every message goes in, in order.

use std::collections::{HashMap, VecDeque};

/// A running 64-bit FNV-1a hash over all steps, and the last of them in words where asked for.
#[derive(Default)]
pub(super) struct Trace {
    hash: u64,
    steps: u64,
    /// Ids are random; a run is the same where the same ones appear in the same order.
    names: HashMap<String, usize>,
    kept: VecDeque<String>,
    /// How many of the last steps are kept in words.
    wanted: usize,
}

impl Trace {
    pub(super) fn digest(&self) -> u64 {
        self.hash
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Keeps the last steps in words from now on.
    pub(super) fn record(&mut self, wanted: usize) {
        self.wanted = wanted;
    }

    pub(super) fn last_steps(&self) -> Vec<String> {
        self.kept.iter().cloned().collect()
    }

    /// Adds a decision.
    pub(super) fn decide(&mut self, number: u64) {
        self.steps += 1;
        self.mix(&number.to_le_bytes());
    }

    /// Adds a step whose `text` may hold ids that differ from run to run.
    pub(super) fn note(&mut self, what: &'static str, text: &str) {
        self.steps += 1;
        self.mix(what.as_bytes());
        let steps = self.steps;
        let text = self.rename(text);
        self.mix(text.as_bytes());
        if self.wanted > 0 {
            self.kept.push_back(format!("{steps:>7} {what} {text}"));
            if self.kept.len() > self.wanted {
                self.kept.pop_front();
            }
        }
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ 0xcbf2_9ce4_8422_2325 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Replaces each random id by the number of its first appearance.
    fn rename(&mut self, text: &str) -> String {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let bytes = text.as_bytes();
        let (mut renamed, mut done, mut i) = (String::with_capacity(text.len()), 0, 0);
        while i < bytes.len() {
            let begin = i;
            while i < bytes.len() && is_word(bytes[i]) {
                i += 1;
            }
            if is_random_id(&bytes[begin..i]) {
                renamed.push_str(&text[done..begin]);
                for part in text[begin..i].split('-').filter(|part| part.len() >= 16 || i - begin == 36) {
                    let next = self.names.len();
                    let number = *self.names.entry(part.to_owned()).or_insert(next);
                    renamed.push_str(&format!("#{number}"));
                }
                done = i;
            }
            i += usize::from(i == begin);
        }
        renamed.push_str(&text[done..]);
        renamed
    }
}

/// Tells a UUID, a traceparent or a trace's id by its form.
fn is_random_id(word: &[u8]) -> bool {
    let dashes = word.iter().filter(|byte| **byte == b'-').count();
    let is_hex = word.iter().all(|byte| *byte == b'-' || byte.is_ascii_hexdigit());
    is_hex && matches!((word.len(), dashes), (36, 4) | (55, 3) | (32, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(texts: &[&str]) -> u64 {
        let mut trace = Trace::default();
        texts.iter().for_each(|text| trace.note("said", text));
        trace.digest()
    }

    #[test]
    fn random_ids_count_by_their_order_and_everything_else_by_its_letters() {
        let first = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let second = "00-aaf92f3577b34da6a3ce929d0e0e4736-11f067aa0ba902b7-01";
        assert_eq!(digest(&[first, first]), digest(&[second, second]));
        assert_ne!(digest(&[first, first]), digest(&[first, second]));
        assert_ne!(digest(&["cup 1"]), digest(&["cup 2"]));
    }
}
