//! Words that share their beginnings, found from any position of a text in one walk.

use std::collections::BTreeMap;

/// A tree of characters with values where words end.
#[derive(Clone, Debug, Default)]
pub struct Trie<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    children: BTreeMap<char, u32>,
    values: Vec<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { children: BTreeMap::new(), values: Vec::new() }
    }
}

// === Trie ===

impl<T: Clone> Trie<T> {
    /// Adds a word (in lower case) with its value.
    pub fn insert(&mut self, word: impl IntoIterator<Item = char>, value: T) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut node = 0_usize;
        for char in word {
            let fresh = self.nodes.len() as u32;
            let next = *self.nodes[node].children.entry(char).or_insert(fresh);
            if next == fresh {
                self.nodes.push(Node::default());
            }
            node = next as usize;
        }
        self.nodes[node].values.push(value);
    }

    /// Returns every word with its values, in order.
    pub fn words(&self) -> Vec<(String, &T)> {
        let mut found = Vec::new();
        let mut left = if self.nodes.is_empty() { Vec::new() } else { vec![(0_u32, String::new())] };
        while let Some((node, word)) = left.pop() {
            let node = &self.nodes[node as usize];
            found.extend(node.values.iter().map(|value| (word.clone(), value)));
            left.extend(node.children.iter().rev().map(|(char, child)| (*child, format!("{word}{char}"))));
        }
        found
    }

    /// Returns the words that start at `start`, shortest first, as end and value. A hyphen or underscore in the
    /// text also counts as the space between two words.
    pub fn from(&self, text: &[char], start: usize) -> Vec<(usize, T)> {
        let mut found = Vec::new();
        let mut here = if self.nodes.is_empty() { Vec::new() } else { vec![0_u32] };
        for (offset, char) in text[start..].iter().enumerate() {
            let mut next = Vec::with_capacity(here.len());
            for node in &here {
                let children = &self.nodes[*node as usize].children;
                next.extend(children.get(char));
                if matches!(char, '-' | '_') {
                    next.extend(children.get(&' '));
                }
            }
            if next.is_empty() {
                break;
            }
            for node in &next {
                let values = self.nodes[*node as usize].values.iter();
                found.extend(values.map(|value| (start + offset + 1, value.clone())));
            }
            here = next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_starts_here_is_found() {
        let mut trie = Trie::default();
        for word in ["living room", "living", "room"] {
            trie.insert(word.chars(), word);
        }
        let text: Vec<char> = "living-room".chars().collect();
        assert_eq!(trie.from(&text, 0), [(6, "living"), (11, "living room")]);
        assert_eq!(trie.from(&text, 7), [(11, "room")]);
        let words: Vec<String> = trie.words().into_iter().map(|(word, _)| word).collect();
        assert_eq!(words, ["living", "living room", "room"]);
    }
}
