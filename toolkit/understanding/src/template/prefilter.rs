//! Which templates cannot match because words they need were not said: found for all of them in one walk.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::graph::Rules;
use crate::template::parse::Expression;
use crate::template::text::{is_punctuation, lower};
use crate::template::trie::Trie;

/// What a template needs: of every clause at least one fragment.
pub type Clauses = Vec<Vec<u32>>;

/// All fragments of all templates, each with a number.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    numbers: BTreeMap<String, u32>,
    trie: Trie<u32>,
}

type Words = BTreeSet<BTreeSet<String>>;

// === Fragments ===

impl Fragments {
    /// Numbers the fragments that `expression` needs.
    pub fn clauses(&mut self, expression: &Expression, rules: &Rules) -> Clauses {
        let needed = needed(expression, rules, 0);
        needed.iter().map(|clause| clause.iter().map(|word| self.number(word)).collect()).collect()
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(known) = self.numbers.get(word) {
            return *known;
        }
        let fresh = self.numbers.len() as u32;
        self.numbers.insert(word.to_owned(), fresh);
        self.trie.insert(word.chars(), fresh);
        fresh
    }

    /// Returns for every fragment whether one of `texts` holds it.
    pub fn present(&self, texts: &[&[char]]) -> Vec<bool> {
        let mut present = vec![false; self.numbers.len()];
        for text in texts {
            for start in 0..text.len() {
                for (_, fragment) in self.trie.from(text, start) {
                    present[fragment as usize] = true;
                }
            }
        }
        present
    }
}

/// Returns whether every clause has a fragment that is present.
pub fn may_match(clauses: &Clauses, present: &[bool]) -> bool {
    clauses.iter().all(|clause| clause.iter().any(|fragment| present[*fragment as usize]))
}

/// How deep rules are followed; what stands deeper is taken to need nothing.
const DEEPEST: usize = 24;

fn needed(expression: &Expression, rules: &Rules, depth: usize) -> Words {
    if depth > DEEPEST {
        return Words::new();
    }
    match expression {
        Expression::Text(text) => text
            .split_whitespace()
            .filter(|word| !word.contains(is_punctuation))
            .map(|word| BTreeSet::from([word.chars().map(lower).collect()]))
            .collect(),
        Expression::Alternative { optional: true, .. } | Expression::List(_) => Words::new(),
        Expression::Alternative { items, .. } => either(items, rules, depth),
        Expression::Sequence(items) | Expression::Permutation(items) => {
            items.iter().flat_map(|item| needed(item, rules, depth + 1)).collect()
        }
        Expression::Rule(name) => {
            let body = rules.iter().find_map(|rules| rules.get(name));
            body.map(|body| needed(body, rules, depth + 1)).unwrap_or_default()
        }
    }
}

/// One branch is said, so one of the smallest clauses of each is.
fn either(items: &[Expression], rules: &Rules, depth: usize) -> Words {
    let mut merged = BTreeSet::new();
    for item in items {
        let branch = needed(item, rules, depth + 1);
        let Some(smallest) = branch.into_iter().min_by_key(BTreeSet::len) else {
            return Words::new();
        };
        merged.extend(smallest);
    }
    if merged.is_empty() { Words::new() } else { Words::from([merged]) }
}
