//! What was listened for lately, ready to be listened for again: making it takes longer than much that is said.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ieum_contracts::voice::Understand;
use ieum_speech::Grammar;
use parking_lot::Mutex;

use super::taught::Taught;
use crate::tongue::Tongue;

/// In which languages something is asked, with the names that can be in it.
pub type Asks = Vec<(Tongue, Understand)>;
/// What plugins from outside taught, by their names. What they teach anew is another map.
pub type Taughts = Arc<BTreeMap<String, Arc<Taught>>>;

/// How many are kept: one for each that talk at once, in most homes.
const MOST: usize = 8;

/// The grammars of late, the last used first.
#[derive(Default)]
pub struct Grammars(Mutex<VecDeque<Kept>>);

struct Kept {
    asks: Asks,
    taught: Taughts,
    grammar: Arc<Grammar>,
}

impl Grammars {
    /// Returns the grammar of `asks` and `taught`, by `make` where it is not kept.
    pub fn get(&self, asks: &Asks, taught: &Taughts, make: impl FnOnce() -> Grammar) -> Arc<Grammar> {
        let mut kept = self.0.lock();
        let is_same = |kept: &Kept| Arc::ptr_eq(&kept.taught, taught) && kept.asks == *asks;
        let found = kept.iter().position(is_same).and_then(|at| kept.remove(at));
        if let Some(found) = found {
            let grammar = found.grammar.clone();
            kept.push_front(found);
            return grammar;
        }
        // Others look meanwhile; two that make the same thing at once make it twice.
        drop(kept);
        let grammar = Arc::new(make());
        let mut kept = self.0.lock();
        kept.push_front(Kept { asks: asks.clone(), taught: taught.clone(), grammar: grammar.clone() });
        kept.truncate(MOST);
        grammar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(thing: usize) -> Asks {
        vec![(Tongue::English, Understand { things: vec![thing.to_string()], ..Understand::default() })]
    }

    #[test]
    fn those_used_last_are_kept_and_what_is_taught_makes_them_anew() {
        let (grammars, taught) = (Grammars::default(), Taughts::default());
        let made = std::cell::Cell::new(0);
        let get = |thing: usize, taught: &Taughts| {
            let make = || {
                made.set(made.get() + 1);
                Grammar::new(Vec::new(), Vec::new())
            };
            grammars.get(&asks(thing), taught, make);
            made.replace(0)
        };
        let all = |things: std::ops::Range<usize>| things.map(|thing| get(thing, &taught)).sum::<usize>();
        assert_eq!((all(0..MOST), all(0..MOST)), (MOST, 0));
        assert_eq!((get(MOST, &taught), get(1, &taught), get(0, &taught)), (1, 0, 1), "the oldest went");
        assert_eq!(get(1, &Taughts::default()), 1, "something else was taught");
    }
}
